"""What a chat was sent is found again, by either database, page by page."""

from datetime import timedelta
from typing import Any

import pytest

from bot.chats.past import MOST, Past
from bot.domain.errors import (
    NOTHING_FOUND,
    NOTHING_KEPT_OF_THAT_TIME,
    NothingKeptError,
    SubscriptionError,
)
from bot.domain.model import Profile, Target
from bot.domain.options import Options
from bot.domain.past_search import Search, parse_search
from bot.domain.records import Delivery, KnownFile
from bot.operations import cleanup
from bot.store import chats, erasure, file_ids, kept_stories, moves
from bot.store.engine.database import Database
from tests.support.errors import raises
from tests.support.followed import HOUR, NATGEO, NOON, PRADA, follow, story

BOT = 7
DAY = timedelta(days=1)
KEEP = Options(keep=True)


async def sent(
    db: Database, chat: int, *pks: str, kind: str = "photo", of: Profile = NATGEO, **more: Any
) -> None:
    """Keep stories as if they had just been sent; ``more`` are fields of the stories."""
    until = NOON + DAY
    rows = [
        Delivery(
            id=int(pk),
            target=Target(chat),
            subscription_id=1,
            story_pk=pk,
            story=story(pk, of=of, **more),
            username=of.username,
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
        await file_ids.store_files(tx, BOT, files)
        await kept_stories.add(tx, rows)
        await kept_stories.add(tx, rows)  # what was written down twice is there once


def search(text: str) -> Search:
    """Return the search of a text."""
    parsed = parse_search(text.split())
    assert parsed is not None
    return parsed


def past(db: Database, *, days: int = 0, blocked: frozenset[str] = frozenset()) -> Past:
    return Past(db, blocked=blocked, now=lambda: NOON + days * DAY)


async def test_the_latest_come_first_and_each_once(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2)
    pks = [str(number) for number in range(100, 100 + MOST + 2)]
    await sent(db, 1, *pks)
    first = await past(db).find_page_and_store_file_ids(1, BOT, search("natgeo"))
    assert [s.pk for album in first.albums for s in album.stories] == pks[2:]
    assert first.more == pks[2]
    await sent(db, 1, "999")  # a new story does not move the next page
    rest = await past(db).find_page_and_store_file_ids(1, BOT, search("natgeo"), before=first.more)
    assert [s.pk for album in rest.albums for s in album.stories] == pks[:2]
    assert rest.more is None
    for chat, bot, name in ((2, BOT, "natgeo"), (1, 8, "natgeo"), (1, BOT, PRADA.username)):
        with pytest.raises(NothingKeptError):
            await past(db).find_page_and_store_file_ids(chat, bot, search(name))
    with pytest.raises(NothingKeptError):
        await past(db, blocked=frozenset({NATGEO.profile_id})).find_page_and_store_file_ids(
            1, BOT, search("natgeo")
        )


async def test_nothing_of_a_time_is_not_nothing_at_all(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
    await sent(db, 1, "1")
    later = past(db, days=3)
    for days in (2, 1):
        with raises(SubscriptionError, NOTHING_KEPT_OF_THAT_TIME):
            await later.find_page_and_store_file_ids(1, BOT, search(f"natgeo {days}d"))
    await later.find_page_and_store_file_ids(1, BOT, search("natgeo 4d"))
    with pytest.raises(NothingKeptError):
        await later.find_page_and_store_file_ids(1, BOT, search(f"{PRADA.username} 1d"))
    with pytest.raises(NothingKeptError):
        await later.find_page_and_store_file_ids(1, BOT, search("natgeo"), before="1")


async def test_its_files_are_at_hand_for_an_hour(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
    await sent(db, 1, "1")
    await past(db, days=30).find_page_and_store_file_ids(1, BOT, search("natgeo"))
    now = NOON + 30 * DAY
    async with db.read() as tx:
        assert set(await file_ids.known_files(tx, BOT, ["1"], now=now)) == {"1"}
        assert not await file_ids.known_files(tx, BOT, ["1"], now=now + 2 * HOUR)


async def test_ninety_days_are_kept_and_all_goes_with_the_chat(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2)
    await sent(db, 1, "1")
    await sent(db, 2, "2")
    await cleanup.delete_overdue_rows(db, now=NOON + 89 * DAY)
    await past(db).find_page_and_store_file_ids(1, BOT, search("natgeo"))
    async with db.begin() as tx:
        await erasure.erase_chat(tx, 1, now=NOON)
        await moves.move_chat(tx, 2, -3, now=NOON)
        assert await chats.get(tx, -3)
    await past(db).find_page_and_store_file_ids(-3, BOT, search("natgeo"))
    with pytest.raises(NothingKeptError):
        await past(db).find_page_and_store_file_ids(1, BOT, search("natgeo"))
    await cleanup.delete_overdue_rows(db, now=NOON + 91 * DAY)
    with pytest.raises(NothingKeptError):
        await past(db).find_page_and_store_file_ids(-3, BOT, search("natgeo"))


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
            await past(db).find_page_and_store_file_ids(chat, BOT, search("natgeo"))


async def test_a_search_reads_all_that_a_chat_keeps_page_by_page(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chats.past._BATCH", 7)
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 1, PRADA)
    await sent(db, 1, *map(str, range(100, 140)), hashtags=("Sale",))
    await sent(db, 1, *map(str, range(140, 160)), of=PRADA, hashtags=("sale",), links=("x",))
    await sent(db, 1, *map(str, range(160, 180)))
    found: list[list[str]] = []
    before = None
    while not found or before:
        page = await past(db).find_page_and_store_file_ids(1, BOT, search("#sale"), before=before)
        owners = [{story.profile.username for story in album.stories} for album in page.albums]
        assert all(len(names) == 1 for names in owners)
        found.append(sorted(story.pk for album in page.albums for story in album.stories))
        before = page.more
    assert found == [[*map(str, range(130, 160))], [*map(str, range(100, 130))]]
    both = await past(db).find_page_and_store_file_ids(1, BOT, search("#sale link"))
    assert len([story for album in both.albums for story in album.stories]) == 20
    hidden = past(db, blocked=frozenset({PRADA.username}))
    with raises(SubscriptionError, NOTHING_FOUND):
        await hidden.find_page_and_store_file_ids(1, BOT, search("#sale link"))


async def test_why_nothing_is_found(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
    for text in ("#sale", "video", "mention:@nike 7d"):
        with pytest.raises(NothingKeptError) as raised:
            await past(db).find_page_and_store_file_ids(1, BOT, search(text))
        assert raised.value.msgid == NothingKeptError.nameless
    for text in ("natgeo", "@natgeo", "nike.com"):
        with raises(NothingKeptError, NothingKeptError.text):
            await past(db).find_page_and_store_file_ids(1, BOT, search(text))
    await sent(db, 1, "1")
    for text in ("#sale", "nike.com", "natgeo video"):
        with raises(SubscriptionError, NOTHING_FOUND):
            await past(db).find_page_and_store_file_ids(1, BOT, search(text))
