"""The commands of ``python3 -m backend``; each is a thin shell around a feature's functions."""
