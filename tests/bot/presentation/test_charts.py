"""Charts as text."""

from bot.presentation.charts import bar_chart


def test_bars_are_as_high_as_their_values() -> None:
    assert bar_chart([0, 1, 4, 8]) == " ▁▄█"
    assert bar_chart([0, 1, 10**6]) == " ▁█"  # a little is not nothing
    assert bar_chart([0, 0]) == "  "
    assert bar_chart([-5, 5]) == " █"
    assert bar_chart([]) == ""
