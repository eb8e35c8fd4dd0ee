"""Usage by chat and day; shares of a poll lose nothing."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store import usage
from bot.store.database import Database
from bot.store.usage import Use

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
TODAY = NOW.date()


async def test_what_is_counted_adds_up_by_kind_and_day(db: Database) -> None:
    async with db.begin() as tx:
        for days in (0, 0, 1, 400):
            now = NOW - timedelta(days=days)
            await usage.count(tx, 1, "link", now=now, requests=1, items=3, size=2**40)
        await usage.count(tx, 1, "stories", now=NOW, requests=1)
        await usage.count(tx, 2, "link", now=NOW, requests=9)
        assert await usage.of_chat(tx, 1, since=TODAY) == {
            "link": Use(2, 6, 2**41, 0),
            "stories": Use(1, 0, 0, 0),
        }
        assert (await usage.of_chat(tx, 1, since=TODAY - timedelta(days=1)))["link"].requests == 3
        await usage.forget_old(tx, NOW, days=366)
        assert (await usage.of_chat(tx, 1, since=TODAY - timedelta(days=999)))[
            "link"
        ].requests == 3


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(-5, 5), max_size=12), st.integers(0, 9))
async def test_the_shares_of_a_poll_are_even_and_lose_nothing(
    sqlite_db: Database, chats: list[int], price: int
) -> None:
    async with sqlite_db.begin() as tx:
        await tx.execute(usage.usage_days.delete())
        await usage.share(tx, chats, price, now=NOW)
        shares = []
        for chat in set(chats):
            by_day = await usage.millicredits_by_day(tx, chat, since=TODAY)
            shares.append(by_day[TODAY])
    assert sum(shares) == (price * 1000 if chats else 0)
    assert max(shares, default=0) - min(shares, default=0) <= 1


async def test_a_group_that_moves_keeps_what_it_used(db: Database) -> None:
    async with db.begin() as tx:
        await usage.count(tx, -1, "link", now=NOW, requests=2, items=1)
        await usage.count(tx, -100, "link", now=NOW, requests=3, millicredits=5)
        await usage.move_chat(tx, -1, -100)
        assert await usage.of_chat(tx, -1, since=TODAY) == {}
        assert await usage.of_chat(tx, -100, since=TODAY) == {"link": Use(5, 1, 0, 5)}
        await usage.forget_chat(tx, -100)
        assert await usage.of_chat(tx, -100, since=TODAY) == {}
