"""Small charts of days: a PNG where matplotlib is installed, text bars everywhere."""

import io
from collections.abc import Sequence
from datetime import date

BLOCKS = " ▁▂▃▄▅▆▇█"
BLUE = "#2a7ab5"


def usage_chart(days: Sequence[tuple[date, int]], title: str) -> bytes | None:
    """Return a PNG with one bar a day; None where matplotlib is not installed. Takes a while."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an optional extra
        from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - the same
    except ImportError:
        return None
    figure = Figure(figsize=(7, 3), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.bar([day.strftime("%d.%m.") for day, _ in days], [value for _, value in days], color=BLUE)
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    step = max(1, len(days) // 8)
    axes.set_xticks(range(0, len(days), step))
    axes.margins(x=0.01)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def bars(values: Sequence[int]) -> str:
    """Return one block character a value, the largest one full; a space is nothing."""
    most = max(values, default=0)
    if most <= 0:
        return BLOCKS[0] * len(values)
    full = len(BLOCKS) - 1
    return "".join(BLOCKS[-(-max(value, 0) * full // most)] for value in values)
