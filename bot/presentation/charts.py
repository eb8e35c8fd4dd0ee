"""Bar charts that are made of characters, for messages.

The charts of the admin page do not use this module.
"""

from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"


def bar_chart(values: Sequence[int]) -> str:
    """Return a text with a block character for each value.

    The largest value above 0 is shown as a full block. The value 0 is shown as a space.
    """
    most = max(values, default=0)
    if most <= 0:
        return _BLOCKS[0] * len(values)
    full = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-max(value, 0) * full // most)] for value in values)
