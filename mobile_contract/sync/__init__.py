"""The phone protocol as pure functions: wire schemas, payload checks, clock and order."""
