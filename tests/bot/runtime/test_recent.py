"""What was lately seen is known for a while, and not without end."""

from datetime import UTC, datetime, timedelta

from bot.runtime.recent import MOST, Recent

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_it_is_known_for_as_long_as_is_asked() -> None:
    lately = Recent[str]()
    lately.record("a", "said", now=NOON)
    assert lately.get("a", within=HOUR, now=NOON + HOUR / 2) == "said"
    assert lately.get("a", within=HOUR, now=NOON + HOUR) is None
    lately.forget("a")
    assert lately.get("a", within=HOUR, now=NOON) is None


def test_the_oldest_goes_where_there_is_too_much() -> None:
    lately = Recent[int]()
    for number in range(MOST + 1):
        lately.record(number, number, now=NOON)
    assert lately.get(0, within=HOUR, now=NOON) is None
    assert lately.get(1, within=HOUR, now=NOON) == 1
