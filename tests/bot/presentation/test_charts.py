"""Charts as text."""

from bot.presentation.charts import bars


def test_bars_are_as_high_as_their_values() -> None:
    assert bars([0, 1, 4, 8]) == " ▁▄█"
    assert bars([0, 1, 10**6]) == " ▁█"  # a little is not nothing
    assert bars([0, 0]) == "  "
    assert bars([-5, 5]) == " █"
    assert bars([]) == ""
