"""A block holds, by whatever way its chat comes in again: each way with each kind of block."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.chats.access import Access
from bot.cli.check import check_database
from bot.domain.access import Subject
from bot.domain.errors import BlockedError
from bot.domain.model import Profile
from bot.fetching.names import Names
from bot.operations.cleanup import delete_overdue_rows
from bot.presentation.actions import button, buttons_acting_on_chat
from bot.presentation.translation import translator_for
from bot.runtime import transaction_guard
from bot.store import access as access_store
from bot.store import chats, moves
from bot.store.access import access_list
from bot.store.engine.database import Database
from bot.store.subscriptions import subscriptions
from tests.flows.test_payer import is_billed_as_booked
from tests.support.control import flood, wait_for
from tests.support.database import on_postgresql
from tests.support.followed import follow
from tests.support.sandbox import Box
from tests.support.storybell import TOKEN, Bell, buttons, running_bell, settings_for, unhurried

pytestmark = pytest.mark.jumps

BOT = int(TOKEN.partition(":")[0])
ME = f"storybell_{BOT}_bot"
NOW = datetime(2026, 4, 8, 15, 0, tzinfo=UTC)
WAYS = ("typed", "named", "pressed", "migrated", "rejoined", "timed out", "freed",
        "beside the block", "at the move")  # fmt: skip
MOVES = ("migrated", "at the move")
KINDS = ("chat", "channel", "person", "profile")
BOTH = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
REFUSED = "Sorry, the bot's owner has blocked you"
SILENT = "This chat stays silent"  # said in private only


@dataclass
class Town:
    """A bot with its owner, who follows what all follow, and its tables."""

    bell: Bell
    db: Database
    boss: int
    ann: int

    async def block(self, who: object, span: str = "") -> None:
        asked = await self.bell.control.say(self.boss, f"/block {who} {span} for a test")

        async def is_said() -> bool:
            said = await self.bell.control.replies(self.boss, asked)
            return any(str(who) in m["text"] and " is blocked" in m["text"] for m in said)

        await wait_for(is_said, what=f"the block of {who}")

    async def state(self, chat: int) -> str | None:
        async with self.db.read() as tx:
            moved = await chats.new_id_if_moved(tx, chat)
            found = await chats.get(tx, moved or chat)
        return found.state if found else None

    async def is_active(self, chat: int) -> bool:
        return await self.state(chat) == "active"


@pytest.fixture
async def town(tmp_path: Path, db: Database, database_url: str, box: Box) -> AsyncIterator[Town]:
    boss = await box.control.person("Boss")
    plenty = {"daily_budget": 1_000_000, "admin_ids": str(boss), "max_subscriptions": 1000}
    more = {"max_new_subscriptions_a_day": 1000}
    values = {"database_url": database_url, **plenty, **more}
    async with running_bell(tmp_path, box, timing=unhurried(), **values) as bell:
        ann = await box.control.person("Ann")
        await bell.ask(ann, "/help")
        await box.control.profile("watched")
        await box.control.profile("unseen")
        await bell.ask(boss, "/subscribe watched")
        yield Town(bell, db, boss, ann)


@dataclass
class Place:
    """A group or channel to which Ann has added the bot, and that follows a profile."""

    kind: str
    way: str
    chat: int
    name: str
    ann: int
    bob: int
    profile: str

    @property
    def case(self) -> tuple[str, str]:
        return self.kind, self.way

    @property
    def blocked(self) -> object:
        return {"person": self.ann, "profile": self.profile}.get(self.kind, self.chat)

    async def follow(self, town: Town, by: int, words: str) -> int:
        """Ask for a subscription, in a group there, for a channel in private."""
        if self.name:
            return await town.bell.control.say(by, f"/subscribe {words} @{self.name}")
        return await town.bell.control.say(self.chat, f"/subscribe@{ME} {words}", user=by)


async def place_of(town: Town, kind: str, way: str) -> Place:
    control, number = town.bell.control, KINDS.index(kind) * len(WAYS) + WAYS.index(way)
    ann, bob = await control.person("Ann"), await control.person("Bob")
    is_channel = kind == "channel" or way == "named"
    chat = await control.chat(
        "channel" if is_channel else "group",
        members=dict.fromkeys((ann, bob), "administrator"),
        bot_status="left",
    )
    place = Place(kind, way, chat, f"place_{number}" if is_channel else "", ann, bob, "watched")
    if is_channel:
        await control.call("PATCH", f"/chats/{chat}", {"username": place.name})
    if kind == "profile":
        place.profile = f"hidden.{number}"
        await control.profile(place.profile, posts_per_day=0)
    await join(town, chat, by=ann)
    asked = await place.follow(town, ann, place.profile)

    async def is_followed() -> bool:
        said = await control.replies(ann if is_channel else chat, asked)
        return any(f"new story from {place.profile}" in m.get("text", "") for m in said)

    await wait_for(is_followed, what="the subscription")
    return place


async def join(town: Town, chat: int, *, by: int) -> None:
    path = f"/chats/{chat}/members/bot"
    await town.bell.control.call("PUT", path, {"status": "administrator", "by": by})


async def is_refused_there(town: Town, place: Place, text: str, refusal: str) -> None:
    """Check the answer in the chat: a refusal, or silence after a block of the payer."""
    control = town.bell.control
    asked = await control.say(place.chat, text, user=place.bob)

    async def are_there() -> bool:  # the notice about a blocked profile may come first
        said = await control.replies(place.chat, asked)
        return any(refusal in m.get("text", "") for m in said)

    if place.kind != "person":
        await wait_for(are_there, what=str(place.case))
        return
    await town.bell.settled()
    assert not await control.replies(place.chat, asked), place.case


async def come_in(town: Town, place: Place) -> None:
    """Block, and try to undo it; a place that moves has its new id afterwards."""
    bell, control, bob, way = town.bell, town.bell.control, place.bob, place.way
    is_profile = place.kind == "profile"
    asked = place.profile if is_profile else "unseen"
    of_kind = {"profile": "isn't available in this bot", "person": SILENT}
    refusal = of_kind.get(place.kind, REFUSED)
    if way == "beside the block":
        beside = place.follow(town, bob, f"{place.profile} fast")
        await asyncio.gather(control.say(town.boss, f"/block {place.blocked}"), beside)
        return
    if way == "at the move":
        blocking = control.say(town.boss, f"/block {place.blocked}")
        _, place.chat = await asyncio.gather(blocking, control.migrate(place.chat))
        return
    await town.block(place.blocked)
    if way == "typed":
        await is_refused_there(town, place, f"/subscribe@{ME} {asked}", refusal)
    elif way == "named":
        (said,) = await bell.ask(bob, f"/subscribe {asked} @{place.name}")
        assert refusal in said["text"], place.case
    elif way == "pressed":
        await bell.ask(bob, "/help")
        key = button("x", "run:subscribe:x" if is_profile else "subs:0")
        data = buttons_acting_on_chat([[key]], place.chat)[0][0]["callback_data"]
        pressed = await bell.press(bob, await bell.old_post(bob, data), data)
        assert is_profile or pressed["text"].startswith(refusal), place.case
    elif way == "migrated":
        place.chat = await control.migrate(place.chat)
    elif way == "rejoined":
        path = f"/chats/{place.chat}/members/bot"
        await control.call("PUT", path, {"status": "left", "by": bob})
        await join(town, place.chat, by=bob)
    else:  # another block ends, by its time or by the owner
        other = place.ann if place.blocked == place.chat else place.chat
        await town.block(other, "12h")
        if way == "freed":
            await control.say(town.boss, f"/unblock {other}")


async def are_closed(town: Town, places: Sequence[Place]) -> None:
    for place in places:
        state = "active" if place.kind == "profile" else "closed"
        assert await town.state(place.chat) == state, place.case


@pytest.mark.slow
@BOTH
async def test_each_kind_of_block_holds_whatever_way_its_chat_comes_in(town: Town) -> None:
    bell, control = town.bell, town.bell.control
    places, before = list[Place](), list[int]()
    for kind in KINDS:
        # A channel stays what it is.
        ways = [way for way in WAYS if not (kind == "channel" and way in MOVES)]
        made = await asyncio.gather(*(place_of(town, kind, way) for way in ways))
        before += [place.chat for place in made if place.way in MOVES]
        await asyncio.gather(*(come_in(town, place) for place in made))
        places += made

    async def have_moved() -> bool:
        async with town.db.read() as tx:
            return all([await chats.new_id_if_moved(tx, chat) for chat in before])

    await wait_for(have_moved, what="the moves")
    await bell.settled()
    assert await control.billed_for("unseen") == 0
    await are_closed(town, [place for place in places if place.way != "timed out"])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await Access(town.db, mode="open", now=lambda: tomorrow).end_expired_and_apply_blocks()
    for place in places:
        if place.kind == "profile":
            await control.publish(place.profile)
    story = await control.publish("watched")

    async def has_come() -> bool:
        return any(m.get("_story_pk") == story["pk"] for m in await control.replies(town.boss))

    await wait_for(has_come, what="the alert to who is not blocked")
    await are_closed(town, places)
    for place in places:
        assert await control.shown(place.chat) == [], place.case
    for place in places:
        if place.way == "typed":
            await control.say(town.boss, f"/unblock {place.blocked}")
            await wait_for(partial(town.is_active, place.chat), what=f"the end: {place.case}")


@BOTH
async def test_channel_blocked_during_a_lookup_gets_no_subscription(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, public = await place_of(town, "channel", "named"), Names.fetch_and_store_public_profile

    async def blocked_meanwhile(*asked: Any) -> Profile:
        await town.block(place.chat)
        return await public(*asked)

    monkeypatch.setattr(Names, "fetch_and_store_public_profile", blocked_meanwhile)
    (said,) = await town.bell.ask(place.bob, f"/subscribe unseen @{place.name}")
    assert said["text"].startswith(REFUSED)


async def test_who_is_blocked_is_told_in_the_language_that_was_chosen(town: Town) -> None:
    bell, ann = town.bell, town.ann
    (choice,) = await bell.ask(ann, "/language")
    await bell.press(ann, choice, "language:de")
    await town.block(ann)
    (said,) = await bell.ask(ann, "/help")
    assert said["text"].startswith(translator_for("de")(BlockedError.text))


async def test_message_sent_as_a_blocked_channel_gets_no_answer(town: Town) -> None:
    bell, control = town.bell, town.bell.control
    group = await control.chat("supergroup", members={town.ann: "member"})
    channel = await control.chat("channel")
    command = f"/help@{ME}"
    assert await bell.ask(group, command, user=town.ann, sender_chat_id=channel)
    await bell.ask(town.boss, f"/block {channel}")
    (refused,) = await bell.ask(group, command, user=town.ann, sender_chat_id=channel)
    assert refused["text"].startswith(REFUSED)
    assert not (await bell.ask(group, command, user=town.ann))[0]["text"].startswith(REFUSED)


async def test_refusal_of_a_channel_in_a_group_records_the_title_of_the_channel(
    town: Town,
) -> None:
    bell, control = town.bell, town.bell.control
    group = await control.chat("supergroup", "The group", members={town.ann: "member"})
    channel = await control.chat("channel", "The channel")
    await bell.ask(town.boss, f"/block {channel}")
    (refused,) = await bell.ask(group, f"/help@{ME}", user=town.ann, sender_chat_id=channel)
    assert refused["text"].startswith(REFUSED)
    async with town.db.read() as tx:
        entry = await access_store.get(tx, Subject("chat", str(channel)))
    assert entry is not None
    assert entry.name == "The channel"


async def test_who_writes_as_the_channel_of_a_blocked_payer_gets_no_answer(town: Town) -> None:
    bell, control = town.bell, town.bell.control
    bob = await control.person("Bob")
    channel = await control.chat("channel", members={town.ann: "creator"}, bot_status="left")
    await join(town, channel, by=town.ann)
    await bell.settled()
    group = await control.chat("supergroup", members={bob: "member"})
    command = f"/help@{ME}"
    assert await bell.ask(group, command, user=bob, sender_chat_id=channel)
    await town.block(town.ann)
    asked = await control.say(group, command, user=bob, sender_chat_id=channel)
    await bell.settled()
    assert not await control.replies(group, asked)
    assert await bell.ask(group, command, user=bob)


@on_postgresql
async def test_a_block_says_what_it_can_not_see_and_how_to_block_the_group(town: Town) -> None:
    group = await town.bell.control.chat("supergroup", members={town.boss: "member"})
    (said,) = await town.bell.ask(group, f"/block@{ME} {town.ann}", user=town.boss)
    assert f"/block {group}" in said["text"]
    (said,) = await town.bell.ask(town.boss, "/block @a_name_in_telegram")
    assert "the name of an Instagram profile" in said["text"]


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_move_takes_a_block_along_whether_the_chat_is_known_or_not(
    db: Database, *, is_known: bool
) -> None:
    access = Access(db, mode="open", now=lambda: NOW)
    async with db.begin() as tx:
        if is_known:
            await chats.add_or_update(tx, -7, kind="group", title="", now=NOW)
    await access.block(Subject("chat", "-7"), until=None, reason="")
    async with db.begin() as tx:
        await chats.add_or_update(tx, -1007, kind="supergroup", title="", now=NOW)
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
            await chats.add_or_update(tx, chat, kind="group", title="", now=NOW)
        await access.block(Subject("chat", str(chat)), until=until, reason="")
    async with db.begin() as tx:
        await moves.move_chat(tx, -7, -1007, now=NOW)
    now[0] += timedelta(hours=2)
    await access.end_expired_and_apply_blocks()
    async with db.read() as tx:
        here = await chats.get(tx, -1007)
    assert here
    assert here.state == "closed"


@pytest.mark.parametrize("is_old_allowed", [True, False])
async def test_a_late_move_ends_no_permission_limit_or_payer_of_the_new_chat(
    db: Database, *, is_old_allowed: bool
) -> None:
    access = Access(db, mode="invited", now=lambda: NOW)
    async with db.begin() as tx:
        for chat in (-7, -1007):
            await chats.add_or_update(tx, chat, kind="group", title="", now=NOW)
        await chats.set_payer(tx, -1007, 5)
    allowed, other = (-7, -1007) if is_old_allowed else (-1007, -7)
    await access.allow_and_end_block(Subject("chat", str(allowed)), by=None)
    await access.set_daily_allowance(Subject("chat", str(allowed)), 3)
    await access.set_daily_allowance(Subject("chat", str(other)), 8)
    async with db.begin() as tx:
        await moves.move_chat(tx, -7, -1007, now=NOW)
        entry = await access_store.get(tx, Subject("chat", "-1007"))
        assert await chats.payer_of(tx, -1007) == 5
    assert entry is not None
    assert (entry.is_allowed, entry.via, entry.allowance) == (True, "owner", 3)


@on_postgresql
async def test_a_chat_that_is_new_in_the_moment_of_a_block_is_closed_soon(town: Town) -> None:
    """Neither transaction sees the other: for the block the chat is not there yet."""
    stranger, now = 990_001, datetime.now(UTC)
    access = Access(town.db, mode="open", now=lambda: now)
    subject = Subject("person", str(stranger))
    async with town.db.begin() as tx:
        await chats.add_or_update(tx, stranger, kind="private", title="", now=now)
        with transaction_guard.refusing_slow_operations_while(
            None
        ):  # as two processes at one moment
            await access.block(subject, until=None, reason="")
    assert await town.state(stranger) == "active"
    await access.end_expired_and_apply_blocks()
    assert await town.state(stranger) == "closed"
    await access.block(Subject("person", str(stranger + 1)), until=None, reason="")
    async with town.db.begin() as tx:
        made = await chats.add_or_update(tx, stranger + 1, kind="private", title="", now=now)
    assert made.state == "closed"


@pytest.mark.slow
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
        *("past:3770000000000000000", "undo:0", "run:subscribe:hidden"),
        *("unsub:name:hidden", "run:why:hidden"),
    )

    await control.wait_shown(bob, [story["pk"]])
    for way in ("/stories hidden", f"{pages}/highlights/{kept['pk']}/"):  # so it is kept as well
        await bell.ask(bob, way)
    last = (await control.replies(bob))[-1]["message_id"]
    beside = control.say(bob, "/subscribe hidden fast")
    await asyncio.gather(bell.ask(town.boss, "/block hidden"), beside)
    await bell.ask(bob, "/help")
    billed = await control.billed_for("hidden")
    for way in typed:
        await bell.ask(bob, way, count=1 + ("watched" in way))
    for way in ("/stories ", "/subscribe ", "/highlights ", f"{pages}/"):
        (told,) = await bell.ask(bob, f"{way}hidden")
        assert told["text"] == "hidden isn't available in this bot.", way
    for data in pressed:
        await bell.press(bob, await bell.old_post(bob, data), data)
    news = await control.publish("hidden")
    seen = await control.publish("watched")

    async def has_come() -> bool:
        said = await control.replies(town.boss)
        return any(one.get("_story_pk") == seen["pk"] for one in said)

    await wait_for(has_come, what="the alert of what is not blocked")
    await bell.ask(bob, "/help")
    assert not {story["pk"], news["pk"], *kept["media_ids"]} & set(await control.shown(bob, last))
    assert await control.billed_for("hidden") == billed
    await bell.ask(town.boss, "/unblock hidden")
    assert (await bell.ask(bob, "/stories hidden"))[0]["_story_pk"]


async def test_pending_stories_of_a_blocked_profile_are_not_sent(town: Town) -> None:
    bell, control = town.bell, town.bell.control
    await control.profile("waits", posts_per_day=0)
    await bell.ask(town.ann, "/subscribe waits")
    await control.fault("telegram", flood(5), match="sendPhoto", chat_id=town.ann)
    await control.publish("waits")
    await control.wait_flood()
    last = (await control.replies(town.ann))[-1]["message_id"]
    await bell.ask(town.boss, "/block waits")
    (ended,) = await bell.replies(town.ann, after=last)
    assert "waits" in ended["text"]


async def test_a_blocked_profile_stays_blocked_under_a_new_name(tmp_path: Path, box: Box) -> None:
    control = box.control
    boss, ann = await control.person("Boss"), await control.person("Ann")
    for name in ("in.settings", "by.answer", "is.known", "looked.up"):
        await control.profile(name)
    plenty = {"daily_budget": 1_000_000, "admin_ids": str(boss), "access": "open"}
    blocked = {"blocked_profiles": "in.settings,by.answer"}
    async with running_bell(tmp_path, box, **plenty) as bell:
        await bell.ask(ann, "/stories in.settings")
        await bell.ask(ann, "/stories is.known")
    settings = settings_for(box, tmp_path, **plenty, **blocked)
    found = await check_database(settings)
    assert "known yet of by.answer:" in found[-1].text
    async with running_bell(tmp_path, box, **plenty, **blocked) as bell:
        story = await control.publish("by.answer")
        url = f"https://www.instagram.com/stories/another.name/{story['pk']}/"
        (said,) = await bell.ask(ann, url)  # the answer has the blocked name
        assert "isn't available" in said["text"]
        (said,) = await bell.ask(boss, "/block is.known")
        assert not buttons(said)
        (said,) = await bell.ask(boss, "/block looked.up")
        assert "under a new name" in said["text"]
        billed = await control.billed_for("looked.up")
        await bell.press(boss, said, buttons(said)["Look it up: 1 credit"])
        assert await control.billed_for("looked.up") == billed + 1
        assert not buttons(await bell.message(boss, said["message_id"]))
        (said,) = await bell.ask(boss, "/block no.account")
        await bell.press(boss, said, buttons(said)["Look it up: 1 credit"])
        assert await control.billed_for("no.account") == 1
        await asyncio.sleep(150)  # of the jumping clock: the list is read again each minute
        for name in ("in.settings", "by.answer", "is.known", "looked.up"):
            await control.change_profile(name, username=f"{name}.new")
    assert len(await check_database(settings)) == len(found) - 1
    async with running_bell(tmp_path, box, **plenty, **blocked) as bell:
        for name in ("in.settings", "by.answer", "is.known", "looked.up"):
            (said,) = await bell.ask(ann, f"/stories {name}.new")
            assert "isn't available" in said["text"], name
        async with Database(settings.database_url.get_secret_value()) as db:
            await is_billed_as_booked(control, db)


async def test_the_lookup_of_a_profile_after_the_end_of_its_block_blocks_nothing(
    town: Town,
) -> None:
    control = town.bell.control
    (said,) = await town.bell.ask(town.boss, "/block unseen")
    await town.bell.ask(town.boss, "/unblock unseen")
    await town.bell.press(town.boss, said, buttons(said)["Look it up: 1 credit"])
    shown = await town.bell.message(town.boss, said["message_id"])
    assert shown["text"] == "unseen wasn't blocked."
    assert await control.billed_for("unseen") == 0
    story = await control.publish("unseen")
    asked = await control.say(town.ann, "/stories unseen")
    await control.wait_shown(town.ann, [story["pk"]], after=asked)


@pytest.mark.parametrize("days", [40, 400])
async def test_a_chat_that_a_block_closed_is_kept_with_what_it_follows_for_a_year(
    db: Database, days: int
) -> None:
    access, person, group, gone = Access(db, mode="open", now=lambda: NOW), 7, -1007, 8
    async with db.begin() as tx:
        for chat in (person, group, gone):
            await follow(tx, chat, now=NOW)
        await chats.set_payer(tx, group, person)
    await access.block(Subject("person", str(person)), until=None, reason="")
    async with db.begin() as tx:
        await moves.close_left_chat(tx, gone, now=NOW)
    await delete_overdue_rows(db, now=NOW + timedelta(days=days))
    async with db.read() as tx:
        kept = {row.id for row in await tx.execute(sa.select(chats.chats.c.id))}
        followed = {row[0] for row in await tx.execute(sa.select(subscriptions.c.chat_id))}
    assert kept == followed == ({person, group} if days == 40 else set())
