"""Small charts of days: a PNG where matplotlib is installed, text bars everywhere."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

_BLOCKS = " ▁▂▃▄▅▆▇█"
_COLOURS = ("#2a7ab5", "#e08e45", "#4a9a62", "#8a5fa8", "#b5a03a", "#c2555a")
_ALL_LABELS = 8


@dataclass(frozen=True, slots=True)
class Panel:
    """One row of a chart: bars of each day, those of several names on top of each other."""

    title: str
    series: Sequence[tuple[str, Sequence[float]]]


def usage_chart(
    days: Sequence[tuple[date, int]], title: str, panels: Sequence[Panel] = ()
) -> bytes | None:
    """Return a PNG with one bar a day, or of ``panels`` below each other. Takes a while.

    None where matplotlib is not installed.
    """
    panels = panels or [Panel(title, [("", [value for _, value in days])])]
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an optional extra
    except ImportError:
        return None
    figure = Figure(figsize=(7, 3 if len(panels) == 1 else 2.4 * len(panels)), dpi=120)
    figure.set_layout_engine("constrained")
    labels = [day.strftime("%d.%m.") for day, _ in days]
    for number, panel in enumerate(panels):
        _draw(figure.add_subplot(len(panels), 1, number + 1), labels, panel)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw(axes: Any, labels: Sequence[str], panel: Panel) -> None:  # noqa: ANN401 - matplotlib has no types
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - an optional extra

    base = [0.0] * len(labels)
    for place, (name, values) in enumerate(panel.series):
        colour = _COLOURS[place % len(_COLOURS)]
        axes.bar(range(len(labels)), values, bottom=base, color=colour, label=name or None)
        base = [below + value for below, value in zip(base, values, strict=True)]
    axes.set_title(panel.title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    step = max(1, len(labels) // _ALL_LABELS)
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    axes.margins(x=0.01)
    if len(panel.series) > 1:
        axes.legend(fontsize=8, frameon=False, ncols=len(panel.series), loc="upper left")
        axes.set_ylim(top=1.2 * max(base, default=0) or 1)


def bars(values: Sequence[int]) -> str:
    """Return one block character a value, the largest one full; a space is nothing."""
    most = max(values, default=0)
    if most <= 0:
        return _BLOCKS[0] * len(values)
    full = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-max(value, 0) * full // most)] for value in values)
