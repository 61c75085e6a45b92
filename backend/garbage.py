"""How often a serving process looks for garbage."""

import gc


def collect_less() -> None:
    """Let the collector pass over what is loaded for good, and look at new objects less often.

    A push or a compile makes very many objects and no cycles to speak of: looking for some took a quarter of the time.
    Call it in a process that has loaded what it will use.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
