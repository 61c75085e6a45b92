"""Chinese addresses taken to parts. The raw text is always kept beside; what is not recognised is left out."""


def parse_address(raw: str) -> dict[str, str]:
    """The parts of ``raw``."""
    return {}
