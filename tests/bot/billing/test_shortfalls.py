"""A budget that is too small is news once, and so is that it is enough again."""

from dataclasses import replace

from bot.billing import shortfalls
from bot.billing.shortfalls import Shortfall
from bot.store.database import Database
from tests.support.followed import NOON

SHORT = Shortfall(profiles=10, enough=4, credits=20, daily_budget=40)


async def test_it_is_told_once_and_kept_as_it_is_now(db: Database) -> None:
    worse = replace(SHORT, profiles=12, daily_budget=None)
    seen = []
    async with db.begin() as tx:
        for one in (None, SHORT, SHORT, worse, None, None, worse):
            is_news = await shortfalls.record(tx, one, now=NOON)
            seen.append((is_news, await shortfalls.kept(tx)))
    assert seen == [
        (False, None), (True, SHORT), (False, SHORT), (False, worse),
        (True, None), (False, None), (True, worse),
    ]  # fmt: skip
