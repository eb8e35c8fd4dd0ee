"""An entry of a cache expires, and a full cache drops the oldest entry."""

from datetime import UTC, datetime, timedelta

from bot.runtime.timed_cache import TimedCache

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_entry_ends_at_its_expiry_or_when_it_is_removed() -> None:
    cache = TimedCache[str, str]()
    cache.put("a", "first", until=NOON + HOUR)
    cache.put("b", "second", until=NOON + 2 * HOUR)
    assert cache.get("a", now=NOON) == "first"
    assert cache.get("a", now=NOON + HOUR) is None
    assert list(cache.items(now=NOON + HOUR)) == [("b", "second")]
    cache.remove("b")
    assert cache.get("b", now=NOON) is None


def test_a_full_cache_drops_the_entry_that_was_written_first() -> None:
    cache = TimedCache[int, int](size=2)
    for number in (1, 2, 1, 3):
        cache.put(number, number, until=NOON + HOUR)
    assert [key for key, _ in cache.items(now=NOON)] == [1, 3]
