"""Saolou's Flask REST API and everything the worker shares with it."""
