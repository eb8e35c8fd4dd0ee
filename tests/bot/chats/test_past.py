"""What a chat was sent is found again, by either database, page by page."""

from datetime import timedelta

import pytest

from bot.chats.past import MOST, Past
from bot.domain.errors import NOTHING_KEPT_OF_THAT_TIME, NothingKeptError, SubscriptionError
from bot.domain.model import Target
from bot.domain.options import Options
from bot.domain.records import Delivery, KnownFile
from bot.operations import cleanup
from bot.store import chats, erasure, file_ids, kept_stories, moves
from bot.store.engine.database import Database
from tests.support.errors import raises
from tests.support.followed import HOUR, NATGEO, NOON, PRADA, follow, story

BOT = 7
DAY = timedelta(days=1)
KEEP = Options(keep=True)


async def sent(db: Database, chat: int, *pks: str, kind: str = "photo") -> None:
    """Keep stories as if they had just been sent."""
    until = NOON + DAY
    rows = [
        Delivery(
            id=int(pk),
            target=Target(chat),
            subscription_id=1,
            story_pk=pk,
            story=story(pk),
            username=NATGEO.username,
            options=KEEP,
            notice=None,
            fields={},
            copies=1,
            attempts=0,
            sending=False,
            created_at=NOON,
            due_at=NOON,
        )
        for pk in pks
    ]
    async with db.begin() as tx:
        files = {pk: KnownFile(kind, f"file {pk}", f"u{pk}", until) for pk in pks}  # type: ignore[arg-type] # a literal
        await file_ids.remember(tx, BOT, files)
        await kept_stories.add(tx, rows)
        await kept_stories.add(tx, rows)  # what was written down twice is there once


def past(db: Database, *, days: int = 0, blocked: frozenset[str] = frozenset()) -> Past:
    return Past(db, blocked=blocked, now=lambda: NOON + days * DAY)


async def test_the_latest_come_first_and_each_once(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2)
    pks = [str(number) for number in range(100, 100 + MOST + 2)]
    await sent(db, 1, *pks)
    first = await past(db).latest_page(1, BOT, "natgeo")
    assert [s.pk for album in first.albums for s in album.stories] == pks[2:]
    assert first.more == MOST
    rest = await past(db).latest_page(1, BOT, "natgeo", offset=first.more)
    assert [s.pk for album in rest.albums for s in album.stories] == pks[:2]
    assert rest.more is None
    for chat, bot, name in ((2, BOT, "natgeo"), (1, 8, "natgeo"), (1, BOT, PRADA.username)):
        with pytest.raises(NothingKeptError):
            await past(db).latest_page(chat, bot, name)
    with pytest.raises(NothingKeptError):
        await past(db, blocked=frozenset({NATGEO.profile_id})).latest_page(1, BOT, "natgeo")


async def test_nothing_of_a_time_is_not_nothing_at_all(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
    await sent(db, 1, "1")
    later = past(db, days=3)
    for days in (2, 1):
        with raises(SubscriptionError, NOTHING_KEPT_OF_THAT_TIME):
            await later.latest_page(1, BOT, "natgeo", within=days * DAY)
    await later.latest_page(1, BOT, "natgeo", within=4 * DAY)
    with pytest.raises(NothingKeptError):
        await later.latest_page(1, BOT, PRADA.username, within=DAY)
    with pytest.raises(NothingKeptError):
        await later.latest_page(1, BOT, "natgeo", offset=1)


async def test_its_files_are_at_hand_for_an_hour(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
    await sent(db, 1, "1")
    await past(db, days=30).latest_page(1, BOT, "natgeo")
    now = NOON + 30 * DAY
    async with db.read() as tx:
        assert set(await file_ids.known(tx, BOT, ["1"], now=now)) == {"1"}
        assert not await file_ids.known(tx, BOT, ["1"], now=now + 2 * HOUR)


async def test_ninety_days_are_kept_and_all_goes_with_the_chat(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2)
    await sent(db, 1, "1")
    await sent(db, 2, "2")
    await cleanup.clean(db, now=NOON + 89 * DAY)
    await past(db).latest_page(1, BOT, "natgeo")
    async with db.begin() as tx:
        await erasure.erase_chat(tx, 1, now=NOON)
        await moves.move_chat(tx, 2, -3, now=NOON)
        assert await chats.get(tx, -3)
    await past(db).latest_page(-3, BOT, "natgeo")
    with pytest.raises(NothingKeptError):
        await past(db).latest_page(1, BOT, "natgeo")
    await cleanup.clean(db, now=NOON + 91 * DAY)
    with pytest.raises(NothingKeptError):
        await past(db).latest_page(-3, BOT, "natgeo")


async def test_what_arrived_in_a_chat_that_moves_or_goes_meanwhile_harms_nothing(
    db: Database,
) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2)
        await moves.move_chat(tx, 1, -3, now=NOON)
        await erasure.erase_chat(tx, 2, now=NOON)
    await sent(db, 1, "1")
    await sent(db, 2, "2")
    for chat in (1, 2, -3):
        with pytest.raises(NothingKeptError):
            await past(db).latest_page(chat, BOT, "natgeo")
