"""Charts as pictures and as text."""

import sys
from datetime import date, timedelta

import pytest

from bot.presentation.charts import bars, usage_chart

DAYS = [(date(2026, 4, 1) + timedelta(days=n), n % 5) for n in range(30)]


def test_a_chart_is_a_png() -> None:
    pytest.importorskip("matplotlib")
    picture = usage_chart(DAYS, "Credits")
    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    assert usage_chart([], "Nothing") is not None


def test_without_matplotlib_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert usage_chart(DAYS, "Credits") is None


def test_bars_are_as_high_as_their_values() -> None:
    assert bars([0, 1, 4, 8]) == " ▁▄█"
    assert bars([0, 1, 10**6]) == " ▁█"  # a little is not nothing
    assert bars([0, 0]) == "  "
    assert bars([-5, 5]) == " █"
    assert bars([]) == ""
