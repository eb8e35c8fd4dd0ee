"""Bars of text; pictures are the admin page's."""

from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"


def bars(values: Sequence[int]) -> str:
    """Return one block character a value, the largest one full; a space is nothing."""
    most = max(values, default=0)
    if most <= 0:
        return _BLOCKS[0] * len(values)
    full = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-max(value, 0) * full // most)] for value in values)
