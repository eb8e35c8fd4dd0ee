"""The plot of ``simulate``: delay against budget, a line a policy. Needs matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

_COLOURS = {"learned": "#0b6e4f", "fixed": "#8d99ae", "entry-frequency": "#d17a22"}


def draw(path: Path, curves: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Write a picture of ``(checks a profile and day, minutes)`` by policy."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for policy, points in curves.items():
        polls, minutes = [point[0] for point in points], [point[1] for point in points]
        axes.plot(polls, minutes, marker="o", color=_COLOURS.get(policy), label=policy)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sorted({point[0] for points in curves.values() for point in points}))
    axes.set_yticks([2, 5, 10, 20, 50, 100, 200, 400])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ScalarFormatter())
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("looks a profile and day that the budget pays for")
    axes.set_ylabel("minutes from story to alert (mean over subscribers)")
    axes.set_title("What a budget buys", loc="left")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=144)
