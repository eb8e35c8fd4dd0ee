"""A block holds, by whatever way its chat comes in again: each way with each kind of block."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from telegram import InlineKeyboardButton

from bot.chats.access import Access
from bot.domain.access import Subject
from bot.presentation.actions import about
from bot.store import chats, moves
from bot.store.access import access_list
from bot.store.engine.database import Database
from tests.support.control import flood, wait_for
from tests.support.database import on_postgresql
from tests.support.sandbox import Box
from tests.support.storybell import TOKEN, Bell, running_bell

BOT = int(TOKEN.partition(":")[0])
ME = f"storybell_{BOT}_bot"
NOW = datetime(2026, 4, 8, 15, 0, tzinfo=UTC)
WAYS = ("typed", "named", "pressed", "migrated", "rejoined", "beside the block", "at the move")
KINDS = ("chat", "person")
REFUSED = "Sorry, the bot's owner has blocked you"


@dataclass
class Town:
    """A bot with its owner, who follows what all follow, and its tables."""

    bell: Bell
    db: Database
    boss: int
    ann: int
    names: int = 0

    async def block(self, kind: str, chat: int) -> None:
        (said,) = await self.bell.ask(
            self.boss, f"/block {chat if kind == 'chat' else self.ann} for a test"
        )
        assert "blocked" in said["text"]

    async def state(self, chat: int) -> str | None:
        async with self.db.read() as tx:
            moved = await chats.moved_to(tx, chat)
            found = await chats.get(tx, moved or chat)
        return found.state if found else None


@pytest.fixture
async def town(tmp_path: Path, db: Database, database_url: str, box: Box) -> AsyncIterator[Town]:
    boss = await box.control.person("Boss")
    plenty = {"daily_budget": 1_000_000, "admin_ids": str(boss), "max_subscriptions": 1000}
    more = {"max_new_subscriptions_a_day": 1000, "person_burst": 10_000}
    async with running_bell(tmp_path, box, database_url=database_url, **plenty, **more) as bell:
        ann = await box.control.person("Ann")
        await bell.ask(ann, "/help")
        await box.control.profile("watched")
        await box.control.profile("unseen")
        await bell.ask(boss, "/subscribe watched")
        yield Town(bell, db, boss, ann)


async def group_of(town: Town, kind: str) -> tuple[int, int, str]:
    """A group or channel that Ann has added the bot to, with a subscription; who else runs it."""
    control, town.names = town.bell.control, town.names + 1
    bob, name = await control.person("Bob"), f"place_{town.names}"
    members = dict.fromkeys((town.ann, bob), "administrator")
    chat = await control.chat(kind, members=members, bot_status="left")
    await control.call("PATCH", f"/chats/{chat}", {"username": name})
    await join(town, chat, by=town.ann)
    await town.bell.ask(town.boss, "/help")  # all that was sent before is through
    message = await control.say(town.ann, f"/subscribe watched @{name}")

    async def is_followed() -> bool:
        return any("watched" in m["text"] for m in await control.replies(town.ann, message))

    await wait_for(is_followed, what="the subscription")
    await town.bell.ask(bob, "/help")
    return chat, bob, name


async def join(town: Town, chat: int, *, by: int) -> None:
    path = f"/chats/{chat}/members/bot"
    await town.bell.control.call("PUT", path, {"status": "administrator", "by": by})


async def come_in(town: Town, way: str, kind: str, place: tuple[int, int, str]) -> int:
    """Block, and try to undo it; return the chat's id by then."""
    bell, control = town.bell, town.bell.control
    chat, bob, name = place
    if way == "beside the block":
        beside = control.say(bob, f"/subscribe watched @{name} fast")
        await asyncio.gather(town.block(kind, chat), beside)
        return chat
    if way == "at the move":
        _, moved = await asyncio.gather(town.block(kind, chat), control.migrate(chat))
        return moved
    await town.block(kind, chat)
    if way == "typed":
        (said,) = await bell.ask(chat, f"/subscribe@{ME} unseen", user=bob)
        assert said["text"].startswith(REFUSED)
    elif way == "named":
        (said,) = await bell.ask(bob, f"/subscribe unseen @{name}")
        assert said["text"].startswith(REFUSED)
    elif way == "pressed":
        data = about([[InlineKeyboardButton("x", callback_data="subs:0")]], chat)
        post = await bell.old_post(bob, str(data[0][0].callback_data))
        pressed = await bell.press(bob, post, str(data[0][0].callback_data))
        assert pressed["text"].startswith(REFUSED)
    elif way == "migrated":
        return await control.migrate(chat)
    else:
        await control.call("PUT", f"/chats/{chat}/members/bot", {"status": "left", "by": bob})
        await join(town, chat, by=bob)
    return chat


@on_postgresql
async def test_each_kind_of_block_holds_whatever_way_its_chat_comes_in(town: Town) -> None:
    bell, control = town.bell, town.bell.control
    blocked: list[tuple[str, str, int]] = []
    for kind in KINDS:
        places = []
        for way in WAYS:
            can_move = way in {"migrated", "at the move"}
            places.append((way, await group_of(town, "group" if can_move else "channel")))
        for way, place in places:
            if kind == "person" and way != "beside the block":
                await bell.ask(town.boss, f"/unblock {town.ann}")
            blocked.append((kind, way, await come_in(town, way, kind, place)))
        await bell.ask(town.boss, "/help")  # all that was sent before is through
        assert await control.billed_for("unseen") == 0
    story = await control.publish("watched")

    async def has_come() -> bool:
        return any(m.get("_story_pk") == story["pk"] for m in await control.replies(town.boss))

    await wait_for(has_come, what="the alert to who is not blocked")
    for kind, way, chat in blocked:
        assert await town.state(chat) == "closed", (kind, way)
        said = await control.replies(chat)
        assert not [m for m in said if m.get("_story_pk")], (kind, way)


@on_postgresql
async def test_who_writes_as_a_blocked_channel_is_not_served(town: Town) -> None:
    bell, control = town.bell, town.bell.control
    group = await control.chat("supergroup", members={town.ann: "member"})
    channel = await control.chat("channel")
    command = f"/help@{ME}"
    assert await bell.ask(group, command, user=town.ann, sender_chat_id=channel)
    await bell.ask(town.boss, f"/block {channel}")
    (refused,) = await bell.ask(group, command, user=town.ann, sender_chat_id=channel)
    assert refused["text"].startswith(REFUSED)
    assert not (await bell.ask(group, command, user=town.ann))[0]["text"].startswith(REFUSED)


@on_postgresql
async def test_a_block_says_what_it_can_not_see_and_how_to_block_the_group(town: Town) -> None:
    group = await town.bell.control.chat("supergroup", members={town.boss: "member"})
    (said,) = await town.bell.ask(group, f"/block@{ME} {town.ann}", user=town.boss)
    assert f"/block {group}" in said["text"]


@pytest.mark.parametrize("how", ["unblocked", "timed out"])
async def test_a_group_that_is_blocked_for_itself_stays_so_when_its_person_is_free(
    db: Database, how: str
) -> None:
    now = [NOW]
    access = Access(db, mode="open", now=lambda: now[0])
    person, group = Subject("person", "5"), Subject("chat", "-7")
    async with db.begin() as tx:
        await chats.ensure(tx, -7, kind="group", title="", now=NOW)
    await access.added(-7, 5, name="")
    until = NOW + timedelta(hours=1) if how == "timed out" else None
    await access.block(group, until=None, reason="")
    await access.block(person, until=until, reason="")
    now[0] += timedelta(hours=2)
    if how == "timed out":
        await access._step()  # noqa: SLF001 - what its worker does each minute
    else:
        assert await access.unblock(person)
    async with db.read() as tx:
        here = await chats.get(tx, -7)
        assert here
        assert here.state == "closed"
    assert await access.unblock(group)
    async with db.read() as tx:
        here = await chats.get(tx, -7)
        assert here
        assert here.state == "active"


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_move_takes_a_block_along_whether_the_chat_is_known_or_not(
    db: Database, *, is_known: bool
) -> None:
    access = Access(db, mode="open", now=lambda: NOW)
    async with db.begin() as tx:
        if is_known:
            await chats.ensure(tx, -7, kind="group", title="", now=NOW)
    await access.block(Subject("chat", "-7"), until=None, reason="")
    async with db.begin() as tx:
        await chats.ensure(tx, -1007, kind="supergroup", title="", now=NOW)
        await moves.move_chat(tx, -7, -1007, now=NOW)
        here = await chats.get(tx, -1007)
        rows = (await tx.execute(sa.select(access_list.c.subject))).scalars().all()
    assert here
    assert here.state == "closed"
    assert rows == ["-1007"]
    await access.block(Subject("chat", "-7"), until=None, reason="again")  # by its old id
    async with db.read() as tx:
        rows = (await tx.execute(sa.select(access_list.c.subject))).scalars().all()
    assert rows == ["-1007"]


@pytest.mark.parametrize("is_old_longer", [True, False])
async def test_of_two_blocks_that_meet_in_a_move_the_longer_holds(
    db: Database, *, is_old_longer: bool
) -> None:
    now = [NOW]
    access = Access(db, mode="open", now=lambda: now[0])
    ends = [None, NOW + timedelta(hours=1)]
    for chat, until in zip((-7, -1007), ends if is_old_longer else ends[::-1], strict=True):
        async with db.begin() as tx:
            await chats.ensure(tx, chat, kind="group", title="", now=NOW)
        await access.block(Subject("chat", str(chat)), until=until, reason="")
    async with db.begin() as tx:
        await moves.move_chat(tx, -7, -1007, now=NOW)
    now[0] += timedelta(hours=2)
    await access._step()  # noqa: SLF001 - what its worker does each minute
    async with db.read() as tx:
        here = await chats.get(tx, -1007)
    assert here
    assert here.state == "closed"


@on_postgresql
async def test_a_chat_that_is_new_in_the_moment_of_a_block_is_closed_soon(town: Town) -> None:
    """Neither transaction sees the other: for the block the chat is not there yet."""
    stranger, now = 990_001, datetime.now(UTC)
    access = Access(town.db, mode="open", now=lambda: now)
    subject = Subject("person", str(stranger))
    async with town.db.begin() as tx:
        await chats.ensure(tx, stranger, kind="private", title="", now=now)
        await access.block(subject, until=None, reason="")
    assert await town.state(stranger) == "active"
    await access.worker.step()
    assert await town.state(stranger) == "closed"


async def test_a_blocked_profile_is_shown_by_no_way(town: Town) -> None:
    bell, control = town.bell, town.bell.control
    bob = await control.person("Bob")
    await control.profile("hidden", posts_per_day=0)
    await bell.ask(bob, "/subscribe hidden")
    story = await control.publish("hidden")
    kept = await control.keep("hidden", title="New", count=1)
    pages = "https://www.instagram.com/stories"
    typed = (
        *("/stories hidden", f"{pages}/hidden/{story['pk']}/", f"{pages}/hidden/", "/live hidden"),
        *("/highlights hidden", f"{pages}/highlights/{kept['pk']}/", "/past hidden", "/past"),
        *(
            "/subscribe hidden",
            "/subscribe hidden topic",
            "/why hidden",
            "/stories watched hidden",
        ),
    )
    pressed = (
        *("stories:hidden", "live:hidden", "files:@hidden", f"files:{story['pk']}"),
        *("highlights:hidden", "highlights:hidden:0", f"highlight:{kept['pk']}"),
        *("past:hidden", "past:hidden:0", "undo:0:0:hidden", "run:subscribe:hidden"),
        *("unsub:name:hidden", "run:why:hidden"),
    )

    async def shown(after: int = 0) -> list[str]:
        said = await control.replies(bob, after)
        return [one["_story_pk"] for one in said if "_story_pk" in one]

    async def is_brought() -> bool:
        return story["pk"] in await shown()

    await wait_for(is_brought, what="the alert before the block")
    for way in ("/stories hidden", f"{pages}/highlights/{kept['pk']}/"):  # so it is kept as well
        await bell.ask(bob, way)
    last = (await control.replies(bob))[-1]["message_id"]
    beside = control.say(bob, "/subscribe hidden fast")
    await asyncio.gather(bell.ask(town.boss, "/block hidden"), beside)
    await bell.ask(bob, "/help")
    billed = await control.billed_for("hidden")
    for way in typed:
        await bell.ask(bob, way)
    for data in pressed:
        await bell.press(bob, await bell.old_post(bob, data), data)
    news = await control.publish("hidden")
    seen = await control.publish("watched")

    async def has_come() -> bool:
        said = await control.replies(town.boss)
        return any(one.get("_story_pk") == seen["pk"] for one in said)

    await wait_for(has_come, what="the alert of what is not blocked")
    await bell.ask(bob, "/help")
    assert not {story["pk"], news["pk"], *kept["media_ids"]} & set(await shown(last))
    assert await control.billed_for("hidden") == billed


async def test_what_waits_of_a_profile_is_not_sent_once_it_is_blocked(town: Town) -> None:
    bell, control = town.bell, town.bell.control
    await control.profile("waits", posts_per_day=0)
    await bell.ask(town.ann, "/subscribe waits")
    await control.fault("telegram", flood(5), match="sendPhoto", chat_id=town.ann)
    await control.publish("waits")

    async def is_put_off() -> bool:
        asked = await control.requests("telegram", path="sendPhoto")
        return any(one["status"] == 429 for one in asked)

    await wait_for(is_put_off, what="the flood")
    last = (await control.replies(town.ann))[-1]["message_id"]
    await bell.ask(town.boss, "/block waits")
    (ended,) = await bell.replies(town.ann, after=last)
    assert "waits" in ended["text"]
