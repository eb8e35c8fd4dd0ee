"""Commands that change several subscriptions lock rows in the order that ``bot.store`` names."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.engine.database import Database
from tests.support.database import on_postgresql
from tests.support.lock_waits import Pause, lock, lock_soon, run_behind_a_lock
from tests.support.sandbox import Box
from tests.support.storybell import NO_CHECKS, running_bell, unhurried


@on_postgresql
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("chats", "kind = 'supergroup'"), ("chat_queues", "chat_id < 0")),
        (("profiles", "username = 'keep_two'"), ("profiles", "username = 'keep_one'")),
    ],
    ids=["chat", "profiles"],
)
async def test_the_button_that_keeps_all_stories_locks_rows_in_order(
    tmp_path: Path,
    box: Box,
    *,
    db: Database,
    database_url: str,
    first: tuple[str, str],
    then: tuple[str, str],
) -> None:
    control = box.control
    await control.privacy_mode(on=False)
    async with running_bell(
        tmp_path,
        box,
        database_url=database_url,
        timing=unhurried(),
        daily_budget=10**6,
        **NO_CHECKS,
    ) as bell:
        boss = await control.person()
        group = await control.chat("supergroup", members={boss: "creator"})
        for name in ("keep_two", "keep_one"):
            await control.profile(name, posts_per_day=0)
            await bell.ask(group, f"/subscribe {name}", user=boss)
        async with db.read() as tx:
            ids = "SELECT username FROM profiles ORDER BY profile_id"
            assert list(await tx.scalars(sa.text(ids))) == ["keep_two", "keep_one"]
        (every,) = await bell.ask(group, "/past #sale", user=boss)

        async def hold(pause: Pause) -> None:
            async with db.begin() as tx:
                await lock(tx, *first)
                await pause()
                await lock_soon(tx, *then)

        async def press() -> None:
            await bell.press(group, every, "keep", user=boss)

        await run_behind_a_lock(db, hold, press)
        page = await bell.message(group, every["message_id"])
        assert "From now on I keep" in page["text"]
