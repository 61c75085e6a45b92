"""The demonstration: an invented community, a week of sweeps by phones that were offline, and the paper made of it."""
