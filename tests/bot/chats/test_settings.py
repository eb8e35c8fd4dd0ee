"""A chat as Telegram tells of it, and what was set there."""

import pytest

from bot.chats.settings import Chats
from bot.domain.options import Options
from bot.domain.records import Chat
from bot.store import moves
from bot.store.engine.database import Database
from tests.support.followed import NOON


@pytest.fixture
def chats(sqlite_db: Database) -> Chats:
    return Chats(sqlite_db, now=lambda: NOON)


async def group(chats: Chats, code: str, *, title: str = "Us") -> Chat:
    known = await chats.get(-5)
    return await chats.insert_or_update_if_changed(
        known, -5, kind="group", title=title, language_code=code
    )


async def test_what_telegram_says_anew_is_kept(chats: Chats) -> None:
    await group(chats, "de")
    assert (await group(chats, "de", title="We")).title == "We"


async def test_the_old_id_of_a_group_leads_to_the_new_one(
    chats: Chats, sqlite_db: Database
) -> None:
    await group(chats, "de")
    async with sqlite_db.begin() as tx:
        await moves.move_chat(tx, -5, -1005, now=NOON)
    known = await chats.get(-5)
    assert known is not None
    assert known.id == -1005
    assert (await group(chats, "fr", title="late")).title == "Us"


async def test_a_change_by_the_old_id_changes_the_new_chat(
    chats: Chats, sqlite_db: Database
) -> None:
    await group(chats, "de")
    async with sqlite_db.begin() as tx:
        await moves.move_chat(tx, -5, -1005, now=NOON)
    changed = await chats.store_columns_and_return_chat(-5, zone="Asia/Tokyo")
    assert await chats.set_defaults_and_return_all(-5, {"silent": True}) == Options(silent=True)
    known = await chats.get(-1005)
    assert changed is not None
    assert known is not None
    assert (changed.id, known.zone, known.defaults) == (-1005, "Asia/Tokyo", {"silent": True})
    await chats.erase(-5)
    assert await chats.get(-1005) is None
