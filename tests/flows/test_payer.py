"""Payers: no person gets more by more chats, and members are not held by the payer's limits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import acquaintances, chats
from bot.store.engine.database import Database
from bot.store.ledger import ledger_entries
from bot.store.profiles import profiles
from bot.store.subscriptions import subscriptions
from tests.support.control import PATIENCE_S, Control, Json, wait_for
from tests.support.database import slow_on_postgresql
from tests.support.sandbox import Box
from tests.support.storybell import FEW_CHECKS, Bell, buttons, running_bell, unhurried

pytestmark = pytest.mark.jumps

ANONYMOUS = 1087968824  # whom Telegram names for an administrator without a name
NOBODY_YET = "Nobody is responsible for this chat yet"
MINE = "I am responsible for this group"
CHANNELS, COST = 10, 3  # credits of all channels in a group; of a question about a new name
LIMIT = 4  # credits of a person a day; a newcomer has two
MANY = 1_000_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Town:
    """A bot with its owner, and its tables."""

    bell: Bell
    db: Database
    boss: int
    names: int = 0

    @property
    def control(self) -> Control:
        return self.bell.control

    async def known(self, name: str = "Ann", *, started: bool = False) -> int:
        """Return a new person whom the bot has seen on enough days."""
        person = await self.control.person(name)
        async with self.db.begin() as tx:
            await acquaintances.make_known(tx, [person], datetime.now(UTC).date())
        if started:
            await self.bell.ask(person, "/help")
        return person

    async def star(self) -> str:
        self.names += 1
        await self.control.profile(f"star{self.names}", posts_per_day=0)
        return f"star{self.names}"

    async def group(self, *admins: int, by: int, kind: str = "supergroup") -> int:
        """Return a new group with these admins, to which ``by`` has added the bot."""
        members = dict.fromkeys(admins, "administrator")
        chat = await self.control.chat(kind, members=members, bot_status="left")
        await self.add(chat, by)

        await self.control.wait_replies(chat)  # the greeting
        return chat

    async def add(self, chat: int, by: int) -> None:
        path = f"/chats/{chat}/members/bot"
        await self.control.call("PUT", path, {"status": "administrator", "by": by})

    async def remove(self, chat: int, by: int) -> None:
        path = f"/chats/{chat}/members/bot"
        await self.control.call("PUT", path, {"status": "kicked", "by": by})

    async def ask(self, chat: int, text: str, **who: Any) -> Json:
        (answer,) = await self.bell.ask(chat, text, **who)
        return answer

    async def payer(self, chat: int) -> int | None:
        async with self.db.read() as tx:
            found = await chats.get(tx, chat)
        return found.payer if found else None

    async def is_payer(self, chat: int, person: int | None) -> None:
        async def is_so() -> bool:
            return await self.payer(chat) == person

        await wait_for(is_so, what=f"the payer {person} of {chat}")

    async def followed(self, *groups: int) -> int:
        async with self.db.read() as tx:
            count = sa.select(sa.func.count()).where(subscriptions.c.chat_id.in_(groups))
            return int((await tx.execute(count)).scalar_one())

    async def is_billed_as_booked(self) -> None:
        await is_billed_as_booked(self.control, self.db)


async def is_billed_as_booked(control: Control, db: Database) -> None:
    """Check that the ledger has what the API billed."""

    async def is_so() -> bool:
        async with db.read() as tx:
            total = sa.select(sa.func.coalesce(sa.func.sum(ledger_entries.c.credits), 0))
            booked = (await tx.execute(total)).scalar_one()
        return bool(booked == await control.billed())

    await wait_for(is_so, what="the ledger to equal the bill")


@pytest.fixture
def values() -> dict[str, Any]:
    """Return the settings of a test beside the usual ones."""
    return {}


@pytest.fixture
async def town(
    tmp_path: Path, db: Database, database_url: str, box: Box, values: dict[str, Any]
) -> AsyncIterator[Town]:
    boss = await box.control.person("Boss")
    values = {
        "database_url": database_url,
        "admin_ids": str(boss),
        "daily_budget": MANY,
        "max_subscriptions": 2,
        "max_new_subscriptions_a_day": 2,
        "person_daily_allowance": LIMIT,
        "chat_daily_allowance": 100,
        **FEW_CHECKS,
        **values,
    }
    async with running_bell(tmp_path, box, timing=unhurried(), **values) as bell:
        await box.control.privacy_mode(on=False)
        yield Town(bell, db, boss)


PLENTY = pytest.mark.parametrize("values", [{"person_daily_allowance": 1000}])


async def is_told(
    town: Town, chat: int, words: str, after: int = 0, within: float = PATIENCE_S
) -> Json:
    async def said() -> Json | None:
        found = await town.control.replies(chat, after)
        return next((one for one in found if words in one.get("text", "")), None)

    return await wait_for(said, within, f"{words!r} in {chat}")


@pytest.mark.slow
@PLENTY
async def test_eleven_groups_of_one_admin_follow_no_more_than_one_person_may(town: Town) -> None:
    ann, bob = await town.known("Ann"), await town.known("Bob")
    groups = [await town.group(ann, by=ann) for _ in range(11)]
    texts = []
    for group in groups:
        names = f"{await town.star()} {await town.star()}"
        texts.append((await town.ask(group, f"/subscribe {names}", user=ann))["text"])
    assert await town.followed(*groups) == 6
    assert all("person responsible for this chat" in text for text in texts[3:])
    own = await town.ask(ann, f"/subscribe {await town.star()}")
    assert "person responsible" in own["text"]
    other = await town.ask(bob, f"/subscribe {await town.star()}")
    assert "every new story" in other["text"]
    # Other admins of her groups have no more, either; a day later no new ones begin beside them.
    cat = await town.known("Cat")
    await town.control.member(groups[5], cat, "administrator")
    refused = await town.ask(groups[5], f"/subscribe {await town.star()}", user=cat)
    assert "person responsible" in refused["text"]
    await town.is_billed_as_booked()


@pytest.mark.slow
async def test_fifty_groups_without_a_payer_bring_nothing_until_an_admin_presses(
    town: Town,
) -> None:
    ann, star = await town.known(), await town.star()
    groups = [await town.group(ann, by=ANONYMOUS) for _ in range(50)]
    for text in (f"/stories {star}", f"/subscribe {star}"):
        await asyncio.gather(
            *(town.control.say(group, text, user=ann, sender_chat_id=group) for group in groups)
        )
    shown = [await is_told(town, group, NOBODY_YET) for group in groups]
    await town.bell.settled()
    assert await town.control.billed() == 0
    assert await town.followed(*groups) == 0
    member = await town.control.person()
    refused = await town.bell.press(groups[0], shown[0], buttons(shown[0])[MINE], user=member)
    assert "Only admins" in refused["text"]
    for group, message in list(zip(groups, shown, strict=True))[:5]:
        answer = await town.bell.press(group, message, buttons(message)[MINE], user=ann)
        assert "your limits" in answer["text"]
        for _ in range(2):
            name = await town.star()
            text = f"/stories {name}"
            await town.bell.noticed(group, text, user=ann, sender_chat_id=group)
    assert 0 < await town.control.billed() <= LIMIT
    await town.is_billed_as_booked()


async def test_the_usage_of_a_group_that_had_the_bot_from_the_beginning_has_the_button(
    town: Town,
) -> None:
    ann = await town.known()
    members = {ann: "administrator"}
    group = await town.control.chat("supergroup", members=members)
    usage = await town.ask(group, "/usage", user=ann)
    assert NOBODY_YET in usage["text"]
    assert MINE in buttons(usage)


async def test_a_payer_that_changes_in_the_middle_of_a_day_leaves_the_bill_to_each(
    town: Town,
) -> None:
    ann, bob = await town.known("Ann"), await town.known("Bob")
    group = await town.group(ann, bob, by=ann)

    async def spend_nameless() -> int:
        before = await town.control.billed()
        for _ in range(4):
            text = f"/stories {await town.star()}"
            await town.bell.noticed(group, text, user=ann, sender_chat_id=group)
        return await town.control.billed() - before

    assert await spend_nameless() == LIMIT
    refused = await town.ask(ann, f"/stories {await town.star()}")
    assert "You've reached your limit" in refused["text"]
    await town.remove(group, bob)
    await town.add(group, bob)
    await town.is_payer(group, bob)
    assert await spend_nameless() == LIMIT
    await town.is_billed_as_booked()


@pytest.mark.slow
async def test_other_admins_use_up_the_payer_but_never_a_member(town: Town) -> None:
    ann = await town.known("Ann")
    group = await town.group(ann, by=ann)
    for _ in range(3):
        text = f"/stories {await town.star()}"
        await town.bell.noticed(group, text, user=ann, sender_chat_id=group)
    await is_told(town, group, "count toward the limit of the person responsible")
    billed = await town.control.billed()
    assert billed == LIMIT
    members = [await town.known(f"M{n}") for n in range(12)]
    for member in members:
        await town.bell.noticed(group, f"/stories {await town.star()}", user=member)
    assert await town.control.billed() == billed + 12 * 3
    await town.is_billed_as_booked()


@PLENTY
@slow_on_postgresql
async def test_who_writes_as_an_unknown_channel_has_ten_credits_of_the_group_s_payer(
    town: Town,
) -> None:
    ann, eve = await town.known("Ann"), await town.known("Eve")
    group, other = await town.group(ann, by=ann), await town.group(ann, by=ann)
    channel = await town.control.chat("channel", members={eve: "creator"}, bot_status="left")
    for _ in range(6):
        text = f"/stories {await town.star()}"
        await town.bell.noticed(group, text, user=eve, sender_chat_id=channel)
    billed = await town.control.billed()
    assert CHANNELS - COST < billed <= CHANNELS
    await town.bell.ask(town.boss, f"/block {ann}")  # the other group has its ten credits yet
    said = len(await town.control.replies(other))
    for text in (f"/stories {await town.star()}", "/help"):
        await town.control.say(other, text, user=eve, sender_chat_id=channel)
    await town.bell.settled()
    assert await town.control.billed() == billed
    assert len(await town.control.replies(other)) == said


async def test_who_writes_as_a_channel_of_an_owner_has_the_limit_of_one_person(
    town: Town,
) -> None:
    eve, members = await town.known("Eve"), {town.boss: "creator"}
    channel = await town.control.chat("channel", members=members, bot_status="left")
    await town.control.member(channel, eve, "administrator")
    await town.add(channel, town.boss)
    await town.is_payer(channel, town.boss)
    for _ in range(3):
        group = await town.group(eve, by=eve)
        text = f"/stories {await town.star()}"
        await town.bell.noticed(group, text, user=eve, sender_chat_id=channel)
    await town.bell.settled()
    assert 0 < await town.control.billed() <= LIMIT


@PLENTY
@slow_on_postgresql
async def test_a_payer_that_leaves_stops_the_alerts_until_an_admin_takes_it_on(
    town: Town,
) -> None:
    ann, bob = await town.known("Ann", started=True), await town.known("Bob")
    group, star = await town.group(ann, bob, by=ann), await town.star()
    await town.ask(group, f"/subscribe {star}", user=bob)
    usage = await town.ask(ann, "/usage")
    (leave,) = (one for one in buttons(usage) if one.startswith("No longer mine"))
    assert not buttons(await town.ask(bob, "/usage"))
    await town.bell.press(ann, usage, buttons(usage)[leave])
    told = await is_told(town, group, "Nobody is responsible for this chat anymore")
    missed = await town.control.publish(star)
    listed = await town.ask(group, "/subscriptions", user=ann)
    assert MINE in buttons(listed)
    refused = await town.ask(group, f"/stories {star}", user=ann, sender_chat_id=group)
    assert NOBODY_YET in refused["text"]
    await asyncio.sleep(120)  # of the jumping clock: checks would have come
    assert await town.control.shown(group) == []
    forged = await town.bell.press(bob, await town.bell.old_post(bob, "leave:1"), "leave:1")
    assert "no longer responsible" in forged["text"]
    await town.bell.press(group, told, buttons(told)[MINE], user=bob)
    await town.is_payer(group, bob)
    await asyncio.sleep(120)
    story = await town.control.publish(star)
    await town.control.wait_shown(group, [story["pk"]])
    assert missed["pk"] not in await town.control.shown(group)
    await town.is_billed_as_booked()


@PLENTY
@slow_on_postgresql
async def test_nobody_spends_the_budget_of_the_checks_by_pausing_what_is_gone(town: Town) -> None:
    ann, star = await town.known("Ann", started=True), await town.star()
    await town.ask(ann, f"/subscribe {star}")
    await town.control.change_profile(star, deleted=True)
    await is_told(town, ann, "anymore. If the profile comes back", within=7200)
    async with town.db.read() as tx:
        number = (await tx.execute(sa.select(subscriptions.c.id))).scalar_one()
    of_one = (f"opt:{number}:pause:on", f"opt:{number}:pause:off")
    of_all = ("all:pause:on:save", "all:pause:off:save")
    page = await town.bell.old_post(ann, *of_one, *of_all)
    billed = await town.control.billed()
    for pause, resume in (of_one, of_one, of_all, of_all):
        await town.bell.press(ann, page, pause)
        await town.bell.press(ann, page, resume)
        await asyncio.sleep(15)  # of the jumping clock: longer than the pause between two checks
    assert await town.control.billed() == billed
    async with town.db.read() as tx:
        assert (await tx.execute(sa.select(profiles.c.due_at))).scalar_one() is not None


@PLENTY
@pytest.mark.slow
async def test_nobody_makes_room_by_leaving_erasing_or_giving_chats_to_a_friend(
    town: Town,
) -> None:
    ann, bob = await town.known("Ann", started=True), await town.known("Bob")
    groups = [await town.group(ann, bob, by=ann) for _ in range(3)]
    for group in groups:
        await town.ask(group, f"/subscribe {await town.star()} {await town.star()}", user=ann)
    others = [await town.group(ann, bob, by=bob) for _ in range(2)]
    for group in others:
        await town.ask(group, f"/subscribe {await town.star()} {await town.star()}", user=bob)
    await town.remove(groups[0], ann)  # Bob has room for two more
    await town.add(groups[0], bob)
    await town.is_payer(groups[0], bob)
    await town.remove(groups[1], ann)
    await town.add(groups[1], bob)
    await town.is_payer(groups[1], None)
    page = await town.ask(ann, "/privacy")
    await town.bell.press(ann, page, "erase:yes")
    await town.is_payer(groups[2], None)
    story = await town.control.publish("star5")
    await asyncio.sleep(120)
    assert story["pk"] not in await town.control.shown(groups[2])


@pytest.mark.parametrize("values", [{"access": "invited", "person_daily_allowance": 1000}])
@slow_on_postgresql
async def test_only_who_has_access_becomes_the_payer_where_guests_bring_the_bot(
    town: Town,
) -> None:
    ann, mal = await town.control.person("Ann"), await town.control.person("Mal")
    await town.bell.ask(town.boss, f"/allow {ann}")
    group = await town.group(ann, mal, by=ann)
    await town.is_payer(group, ann)
    await town.remove(group, mal)
    await town.add(group, mal)
    await town.is_payer(group, None)
    refused = await town.ask(group, f"/subscribe {await town.star()}", user=mal)
    assert NOBODY_YET in refused["text"]
    pressed = await town.bell.press(group, refused, buttons(refused)[MINE], user=mal)
    assert "Ask the owner for an invitation." in pressed["text"]
    await town.bell.press(group, refused, buttons(refused)[MINE], user=ann)
    await town.is_payer(group, ann)
    listed = await town.ask(town.boss, "/people")
    shown = await pressed_page(town, listed, f"people:who:{group}")
    assert "Responsible for this chat: Ann" in shown["text"]
    await pressed_page(town, listed, f"people:payer:{group}:{town.boss}")
    await town.is_payer(group, town.boss)


async def pressed_page(town: Town, message: Json, data: str) -> Json:
    await town.bell.press(town.boss, message, data)
    return await town.bell.message(town.boss, message["message_id"])


@PLENTY
@slow_on_postgresql
async def test_who_names_a_channel_answers_for_it_and_its_posts(town: Town) -> None:
    ann = await town.known("Ann")
    members = {ann: "creator"}
    channel = await town.control.chat("channel", members=members, bot_status="administrator")
    await town.control.name_chat(channel, "anns_news")
    post = await town.ask(channel, f"/stories {await town.star()}", user=ann)
    assert NOBODY_YET in post["text"]
    assert "start=" in str(buttons(post))
    await town.ask(ann, f"/subscribe {await town.star()} @anns_news")
    await town.is_payer(channel, ann)
    group = await town.group(ann, by=ann, kind="group")
    new = await town.control.migrate(group)
    await town.is_payer(new, ann)


@pytest.mark.parametrize(
    "values",
    [{"max_subscriptions": 20, "max_new_subscriptions_a_day": 20, "person_daily_allowance": 100}],
)
@slow_on_postgresql
async def test_newcomers_are_told_their_own_limit(town: Town) -> None:
    new = await town.control.person("New")
    for _ in range(3):
        await town.bell.ask(new, f"/subscribe {await town.star()} {await town.star()}")
    assert await town.followed(new) == 5
    usage = await town.ask(new, "/usage")
    assert "You're new here" in usage["text"]
    assert "30%" in usage["text"]
    known = await town.known("Old")
    assert "You're new here" not in (await town.ask(known, "/usage"))["text"]
    assert "You're new here" not in (await town.ask(town.boss, "/usage"))["text"]


async def test_an_invited_person_is_no_newcomer_of_an_open_bot(town: Town) -> None:
    offer = (await town.ask(town.boss, "/invite"))["text"]
    start = f"/start {offer.partition('?start=')[2]}"
    ann, bob = await town.control.person("Ann"), await town.control.person("Bob")
    for person in (ann, bob):
        assert (await town.ask(person, start))["text"].startswith("👋")
    assert "You're new here" not in (await town.ask(ann, "/usage"))["text"]
    assert "You're new here" in (await town.ask(bob, "/usage"))["text"]  # the link is used up


@PLENTY
async def test_pages_from_before_the_migration_of_a_group_act_on_the_supergroup(
    town: Town,
) -> None:
    ann, bob = await town.known("Ann", started=True), await town.known("Bob")
    await town.bell.ask(town.boss, "/help")
    group = await town.group(ann, bob, by=ann, kind="group")
    usage = await town.ask(ann, "/usage")
    keys = (f"people:limit:{group}:0", f"people:payer:{group}:{bob}")
    page = await town.bell.old_post(town.boss, *keys)
    new = await town.control.migrate(group)
    await town.is_payer(new, ann)
    shown = await pressed_page(town, page, keys[0])
    assert str(new) in shown["text"]
    await town.bell.noticed(new, f"/stories {await town.star()}", user=ann)
    await town.bell.settled()
    assert await town.control.billed() == 0
    answer = await town.bell.press(ann, usage, f"leave:{group}")
    assert "text" not in answer
    await town.is_payer(new, None)
    left = await town.bell.message(ann, usage["message_id"])
    assert list(buttons(left)) == ["« Back"]
    await is_told(town, new, "Nobody is responsible for this chat anymore")
    page = await town.bell.old_post(town.boss, *keys)
    await pressed_page(town, page, keys[1])
    await town.is_payer(new, bob)
