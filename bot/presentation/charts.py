"""Bar charts made of characters. The admin page draws its own pictures."""

from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"


def bars(values: Sequence[int]) -> str:
    """Return a block character for each value.

    The largest value is a full block, zero is a space.
    """
    most = max(values, default=0)
    if most <= 0:
        return _BLOCKS[0] * len(values)
    full = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-max(value, 0) * full // most)] for value in values)
