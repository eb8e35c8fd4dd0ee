"""Alerts end to end: from a story on Instagram to messages in chats, by the real parts."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from bot.bootstrap import Parts, open_parts
from bot.chats.subscribing import Subscribed
from bot.domain.errors import (
    PROFILE_BLOCKED,
    TOO_MANY_FOLLOWED,
    NoSuchProfileError,
    NotFollowedError,
    ProfilePrivateError,
    StoriesError,
    SubscriptionError,
)
from bot.domain.model import Asker, Story, Target
from bot.domain.options import Options, Preferences
from bot.domain.records import BROADCAST, Held
from bot.fetching import snapshots
from bot.store import chat_queues, chats, enqueue, profiles
from bot.store.deliveries import deliveries
from bot.store.subscriptions import subscriptions
from tests.support.control import Control, wait_for
from tests.support.errors import raises
from tests.support.followed import make_due, spread
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import settings_for
from tests.support.telegram import story_of, utc_now

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = timedelta(hours=1)


@dataclass
class Stage:
    """The parts that alert people, against a sandbox; nothing happens unless it is told to."""

    box: Box
    parts: Parts
    names: int = 0

    @property
    def control(self) -> Control:
        return self.box.control

    async def person(self) -> int:
        return await self.control.person(started=True)

    async def star(self, stories: int = 0, **fields: Any) -> str:
        """A new profile with some stories; its name."""
        self.names += 1
        name = f"star{self.names}"
        await self.control.profile(name, posts_per_day=0, **fields)
        for _ in range(stories):
            await self.control.publish(name)
        return name

    async def follow(
        self, chat: int, name: str, *, thread: int | None = None, options: Options | None = None
    ) -> Subscribed:
        return await self.parts.services.subscribing.subscribe(
            Target(chat, thread),
            name,
            Asker(chat, chat),
            preferences=Preferences(options) if options else None,
        )

    async def look(self, name: str) -> None:
        """Let the scheduler look at a profile now, and at nothing else."""
        for _ in range(2):  # where the price has moved, the first round only judges anew
            async with self.parts.db.begin() as tx:
                known = await profiles.find_by_username(tx, name, named_since=utc_now() - HOUR)
                assert known is not None
                await make_due(tx, known.profile_id, utc_now() - HOUR)
            if await self.parts.scheduler.make_possible_checks_once():
                break

    async def ring(self) -> None:
        while await self.parts.outbox.fan_out_and_do_due_jobs_once():
            pass

    async def look_and_ring(self, name: str) -> None:
        await self.look(name)
        await self.ring()

    async def shown(self, chat: int) -> list[str]:
        replies = await self.control.replies(chat)
        return [message["_story_pk"] for message in replies if "_story_pk" in message]

    async def texts(self, chat: int) -> list[str]:
        replies = await self.control.replies(chat)
        return [message["text"] for message in replies if "text" in message]

    async def spent(self) -> int:
        return int((await self.control.call("GET", "/state"))["billed"]["total"])

    async def looks(self, name: str) -> int:
        """Return how often the API was asked for the stories of a profile."""
        async with self.parts.db.read() as tx:
            known = await profiles.find_by_username(tx, name, named_since=utc_now() - HOUR)
        assert known is not None
        asked = await self.control.requests("stories", path="/v1/user/stories")
        return sum(entry["params"].get("user_id") == known.profile_id for entry in asked)

    async def publish(self, name: str, media_type: int = 1, **fields: Any) -> str:
        return str((await self.control.publish(name, media_type, **fields))["pk"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("alerts")
    async with sandbox_box() as box:
        settings = settings_for(
            box,
            folder,
            daily_budget=10**7,
            max_subscriptions=3,
            max_new_subscriptions_a_day=4,
            blocked_profiles="prada",
        )
        async with open_parts(settings) as parts, parts.bot:
            await parts.apply_access_and_restored_backup()
            yield Stage(box, parts)


async def test_the_first_subscription_does_not_flood_and_news_come_once(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    for _ in range(2):
        await stage.publish(name, taken_at=utc_now().timestamp() - 20)
    followed = await stage.follow(chat, name)
    assert not followed.already
    assert len(followed.live) == 2
    await stage.look_and_ring(name)
    assert await stage.shown(chat) == []
    new = {await stage.publish(name) for _ in range(3)}
    await stage.look_and_ring(name)
    await stage.look_and_ring(name)
    assert len(shown := await stage.shown(chat)) == 3
    assert set(shown) == new
    album = [m for m in await stage.control.replies(chat) if m.get("_story_pk")]
    assert len({message["media_group_id"] for message in album}) == 1
    assert "3 new stories" in album[0]["caption"]


async def test_a_story_of_the_same_second_as_one_that_was_counted_rings_alone(
    stage: Stage,
) -> None:
    chat, name = await stage.person(), await stage.star()
    at = utc_now().timestamp() - 5
    await stage.publish(name, taken_at=at)
    assert len((await stage.follow(chat, name)).live) == 1
    new = await stage.publish(name, taken_at=at)
    await stage.look_and_ring(name)
    assert await stage.shown(chat) == [new]


async def test_one_look_serves_all_and_every_look_counts(stage: Stage) -> None:
    people, name = [await stage.person() for _ in range(3)], await stage.star()
    channel = await stage.control.chat(
        "channel", members={people[0]: "creator"}, bot_status="administrator"
    )
    for chat in (*people, channel):
        await stage.follow(chat, name)
    first = await stage.publish(name)
    before = await stage.looks(name)
    await stage.look_and_ring(name)
    assert await stage.looks(name) == before + 1
    shown = await stage.control.publish(name)  # seen by a link that somebody pasted
    story: Story = story_of(shown)
    async with stage.parts.db.begin() as tx:
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(story.profile, (story,), partial=True), now=utc_now()
        )
    await stage.ring()
    for chat in (*people, channel):
        assert await stage.shown(chat) == [first, story.pk]


async def test_options_let_through_what_is_wanted(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    options = Options(media="photo", only="link", silent=True, spoiler=True, protect=True)
    one = (await stage.follow(chat, name, options=options)).subscription
    wanted = await stage.publish(name, links=["https://example.org/"])
    await stage.publish(name)
    await stage.publish(name, 2, links=["https://example.org/"])
    followed = stage.parts.services.subscriptions
    await stage.look(name)
    [known] = await followed.explain_each_subscription(Target(chat), name)
    assert (known.passing, known.live) == (1, 3)
    assert len(await followed.stored_live_stories(name, chat_id=chat)) == 3
    await stage.ring()
    [message] = [m for m in await stage.control.replies(chat) if "_story_pk" in m]
    assert message["_story_pk"] == wanted
    assert message["has_media_spoiler"]
    assert message["has_protected_content"]
    [why] = await followed.explain_each_subscription(Target(chat), name)
    counts = {kind: n for kind, n in why.outcomes.counts.items() if n}
    assert counts == {"sent": 1, "filtered": 2}
    assert why.subscription.id == one.id
    assert not why.obstacle


async def test_current_stories_exclude_deleted_stories_and_private_profiles(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    await stage.follow(chat, name)
    service = stage.parts.services.subscriptions
    [followed] = await service.get_of_username(chat, name)
    start = utc_now()
    posted = [int(start.timestamp()) - 60 + number for number in range(2)]
    stories = [story_of(await stage.control.publish(name, taken_at=at)) for at in posted]

    async def live_after(seconds: int, shown: Sequence[Story], state: str) -> list[str]:
        async with stage.parts.db.begin() as tx:
            answer = snapshots.Snapshot(stories[0].profile, tuple(shown))
            await snapshots.record_snapshot_and_enqueue_alerts(
                tx, answer, now=start + timedelta(seconds=seconds)
            )
            await profiles.change(tx, followed.profile_id, state=state)
        return [one.pk for one in await service.stored_live_stories(name, chat_id=chat)]

    assert await live_after(1, stories, "active") == [one.pk for one in stories]
    assert await live_after(2, stories, "private") == []
    assert await live_after(3, stories[1:], "active") == [stories[1].pk]


async def test_quiet_hours_hold_all_for_one_catch_up(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    await stage.follow(chat, name)
    now = utc_now()
    minute = now.hour * 60 + now.minute
    async with stage.parts.db.begin() as tx:
        await chats.change(
            tx, chat, quiet_from=(minute - 60) % 1440, quiet_to=(minute + 60) % 1440
        )
    found = []
    for _ in range(2):
        found.append(await stage.publish(name))
        await stage.look_and_ring(name)
    assert await stage.shown(chat) == []
    followed = stage.parts.services.subscriptions
    why = (await followed.explain_each_subscription(Target(chat), name))[0].outcomes
    assert (why.counts["quiet"], why.counts["sent"]) == (2, 0)
    assert timedelta(minutes=59) <= why.until["quiet"] - now <= timedelta(minutes=61)
    async with stage.parts.db.begin() as tx:
        await chats.change(tx, chat, quiet_from=None, quiet_to=None)
    await followed.reselect_deferred_and_reschedule(chat)
    await stage.ring()
    assert await stage.shown(chat) == found
    groups = {
        m.get("media_group_id") for m in await stage.control.replies(chat) if "_story_pk" in m
    }
    assert len(groups) == 1


async def test_of_an_album_what_is_newer_waits_a_minute_for_what_fails(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    await stage.follow(chat, name)
    at = utc_now().timestamp()
    found = [await stage.publish(name, taken_at=at - 30 + number) for number in range(3)]
    for service, match in (("cdn", found[1]), ("stories", "download")):
        await stage.control.fault(service, {"status": 503, "body": ""}, match=match, times=None)

    async def later(**values: Any) -> None:
        async with stage.parts.db.begin() as tx:
            ours = sa.update(deliveries).where(deliveries.c.chat_id == chat)
            await tx.execute(ours.values(due_at=stage.parts.now(), **values))
            await chat_queues.reschedule(tx, chat)
        await stage.ring()

    await stage.look_and_ring(name)
    assert await stage.shown(chat) == found[:1]
    await later(created_at=utc_now() - timedelta(minutes=1))
    assert await stage.shown(chat) == [found[0], found[2]]
    await stage.control.clear_faults()

    async def came() -> bool:  # what has just failed is not tried for some seconds
        await later()
        return await stage.shown(chat) == [found[0], found[2], found[1]]

    await wait_for(came, what="the story whose server was down")


async def test_a_digest_waits_for_its_hour_until_it_is_switched_off(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    one = (await stage.follow(chat, name, options=Options(digest=True))).subscription
    pk = await stage.publish(name)
    await stage.look_and_ring(name)
    followed = stage.parts.services.subscriptions
    [why] = await followed.explain_each_subscription(Target(chat), name)
    assert why.outcomes.counts["digest"] == 1
    await stage.parts.services.subscribing.set_options(chat, one.id, {"digest": False})
    await stage.ring()
    assert await stage.shown(chat) == [pk]


@pytest.mark.parametrize("count", [2, 62])  # a queue is read by parts of 60
async def test_a_daily_summary_shows_each_of_its_profiles(stage: Stage, count: int) -> None:
    chat = await stage.person()
    names = [await stage.star(), await stage.star()]
    shown: list[str] = []
    for name, stories in zip(names, (count, 2), strict=True):
        await stage.follow(chat, name, options=Options(digest=True))
        shown += [await stage.publish(name) for _ in range(stories)]
        await stage.look_and_ring(name)
    assert await stage.shown(chat) == []
    async with stage.parts.db.begin() as tx:  # a day goes by
        yesterday = utc_now() - 25 * HOUR
        await tx.execute(
            sa.update(deliveries)
            .where(deliveries.c.chat_id == chat)
            .values(due_at=stage.parts.now(), created_at=yesterday, held=Held.DIGEST)
        )
        await chat_queues.reschedule(tx, chat)
    await stage.ring()
    came = await stage.shown(chat)  # those of one profile are of the same moment, in any order
    first = min(count, 10)  # of more, the chat's limit lets an album come now
    assert set(came[:first]) <= set(shown[:count])
    assert sorted(came[first:]) == (sorted(shown[count:]) if count == first else [])


async def test_a_pause_is_a_pause(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    one = (await stage.follow(chat, name)).subscription
    followed = stage.parts.services.subscriptions
    await stage.publish(name)
    await stage.look(name)
    assert (await followed.set_paused(chat, one.id, paused=True)).paused
    await stage.publish(name, taken_at=utc_now().timestamp() - 5)
    await stage.ring()
    assert not (await followed.set_paused(chat, one.id, paused=False)).paused
    await stage.look_and_ring(name)
    assert await stage.shown(chat) == []
    with pytest.raises(NotFollowedError):
        await followed.set_paused(chat + 1, one.id, paused=False)


async def test_a_renamed_profile_is_followed_and_told_of_once(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    await stage.follow(chat, name)
    new = f"{name}_new"
    await stage.control.change_profile(name, username=new)
    await stage.control.profile(name, posts_per_day=0)  # a stranger takes the old name
    stranger = await stage.publish(name)
    first = await stage.publish(new)
    await stage.look_and_ring(name)
    second = await stage.publish(new)
    await stage.look_and_ring(new)
    assert await stage.shown(chat) == [first, second]
    assert stranger not in await stage.shown(chat)
    told = [text for text in await stage.texts(chat) if new in text]
    assert len(told) == 1


async def test_private_and_back_are_told_once_each(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    await stage.follow(chat, name)
    first = await stage.publish(name)
    await stage.look_and_ring(name)
    await stage.control.change_profile(name, is_private=True)  # the story that it had should live
    for _ in range(2):
        await stage.look_and_ring(name)
    await stage.control.change_profile(name, is_private=False)
    pk = await stage.publish(name)
    await stage.look_and_ring(name)
    texts = [text for text in await stage.texts(chat) if name in text]
    assert ["private" in text for text in texts] == [True, False]
    assert await stage.shown(chat) == [first, pk]


async def test_a_deleted_profile_is_told_of_after_the_second_answer(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    await stage.follow(chat, name)
    await stage.control.change_profile(name, deleted=True)
    await stage.look_and_ring(name)
    assert not [text for text in await stage.texts(chat) if name in text]
    await stage.look_and_ring(name)
    await stage.look_and_ring(name)
    assert len([text for text in await stage.texts(chat) if name in text]) == 1


async def test_an_outage_is_owned_up_to_in_one_line(stage: Stage) -> None:
    chat = await stage.person()
    names = [await stage.star(), await stage.star()]
    db = stage.parts.db
    for name in names:
        await stage.follow(chat, name)
        async with db.begin() as tx:
            known = await profiles.find_by_username(tx, name, named_since=utc_now() - HOUR)
            assert known is not None
            await profiles.change(tx, known.profile_id, snapshot_at=utc_now() - 30 * HOUR)
            await tx.execute(
                subscriptions.update()
                .where(subscriptions.c.profile_id == known.profile_id)
                .values(since=utc_now() - 48 * HOUR)
            )
    for name in names:
        await stage.look(name)
    await stage.parts.outbox.fan_out.write_due_fan_outs()
    async with db.begin() as tx:  # the time passes for which they are gathered
        late = deliveries.update().where(deliveries.c.chat_id == chat)
        await tx.execute(late.values(due_at=utc_now() - HOUR))
        await chat_queues.reschedule(tx, chat)
    await stage.ring()
    [line] = [text for text in await stage.texts(chat) if "may be missing" in text]
    assert all(name in line for name in names)


async def test_limits_and_the_block_list_cost_nothing(stage: Stage) -> None:
    chat = await stage.person()
    before = await stage.spent()
    with raises(StoriesError, PROFILE_BLOCKED):
        await stage.follow(chat, "prada")
    assert await stage.spent() == before
    names = [await stage.star() for _ in range(4)]
    for name in names[:3]:
        await stage.follow(chat, name)
    before = await stage.spent()
    with raises(SubscriptionError, TOO_MANY_FOLLOWED):
        await stage.follow(chat, names[3])
    followed = stage.parts.services.subscriptions
    await followed.unsubscribe(chat, await followed.get_of_username(chat, names[0]))
    await stage.follow(chat, names[0])
    assert await stage.spent() == before  # it is known who that is, and what is alive
    await followed.unsubscribe(chat, await followed.get_of_username(chat, names[0]))
    await stage.follow(chat, names[0])  # which the chat just had: it does not count as new
    rows = await followed.all_of_chat(chat)
    assert len(rows) == 3
    await followed.unsubscribe(chat, rows)
    with pytest.raises(NotFollowedError):
        await followed.get_of_username(chat, names[1])


async def test_who_can_not_be_followed(stage: Stage) -> None:
    chat = await stage.person()
    with pytest.raises(NoSuchProfileError):
        await stage.follow(chat, "nobody_at_all")
    with pytest.raises(ProfilePrivateError):
        await stage.follow(chat, "locked")
    before = await stage.spent()
    with pytest.raises(ProfilePrivateError):
        await stage.follow(chat, "locked")
    assert await stage.spent() == before


async def test_what_the_operator_blocks_is_paused_and_said_so_once(stage: Stage) -> None:
    chat, name = await stage.person(), await stage.star()
    await stage.follow(chat, name)
    followed = stage.parts.services.subscriptions
    blocked = followed.blocked
    followed.blocked = frozenset({name})
    try:
        assert await followed.apply_profile_blocks() == 1
        assert await followed.apply_profile_blocks() == 0
    finally:
        followed.blocked = blocked
    await stage.ring()
    assert len([text for text in await stage.texts(chat) if name in text]) == 1
    (paused,) = await followed.get_of_username(chat, name)
    assert paused.state == "blocked"


async def test_a_group_that_is_full_waits_in_the_outbox_not_in_a_place_to_send(
    stage: Stage,
) -> None:
    person, name = await stage.person(), await stage.star()
    chat = await stage.control.chat("supergroup", members={person: "creator"})
    await stage.follow(chat, name)
    pks = sorted([await stage.publish(name) for _ in range(25)])
    began = utc_now()
    await stage.look_and_ring(name)
    assert utc_now() - began < timedelta(seconds=30)
    assert await stage.shown(chat) == pks[:17]  # albums of 9, 8 and 8: 20 messages a minute
    statement = deliveries.select().where(deliveries.c.chat_id == chat)
    async with stage.parts.db.read() as tx:
        rows = [row for row in await tx.execute(statement) if row.state == "open"]
    assert [(row.story_pk, row.copies) for row in rows] == [(pk, 0) for pk in pks[17:]]


async def test_two_long_messages_of_the_owner_that_had_to_wait_both_arrive(stage: Stage) -> None:
    ann = await stage.person()
    words = ["first " * 600, "second " * 500]
    async with stage.parts.db.begin() as tx:
        await chats.add_or_update(tx, ann, kind="private", title="", now=utc_now())
        for text in words:
            await enqueue.add_notice(tx, Target(ann), BROADCAST, {"text": text}, now=utc_now())
    await stage.ring()
    assert [text.split()[0] for text in await stage.texts(ann)][-2:] == ["first", "second"]


@pytest.mark.parametrize(
    ("status", "name_of_error"),
    [(404, "MediaNotFound"), (403, "ClientForbiddenError"), (400, "ClientBadRequestError")],
)
async def test_of_stories_that_wait_only_one_file_is_bought_in_vain(
    stage: Stage, status: int, name_of_error: str
) -> None:
    chat, name = await stage.person(), await stage.star()
    await stage.follow(chat, name)
    found = [await stage.control.publish(name) for _ in range(4)]
    await stage.look(name)
    async with stage.parts.db.begin() as tx:  # the alerts are so old that none waits for another
        await spread(tx)
        ours = sa.update(deliveries).where(deliveries.c.chat_id == chat)
        await tx.execute(ours.values(created_at=utc_now() - timedelta(minutes=2)))
        await chat_queues.reschedule(tx, chat)
    for story in found:
        file = story["thumbnail_url"].partition("?")[0].rpartition("/")[2]
        await stage.control.fault("cdn", {"status": 404}, match=file, times=None)
    refusal = {"status": status, "body": f'{{"exc_type": "{name_of_error}", "detail": "no"}}'}
    await stage.control.fault("stories", refusal, match="/v1/story/download", times=None)
    await stage.ring()
    await stage.control.clear_faults()
    calls = await stage.control.requests("stories", path="/v1/story/download")
    pks = {str(story["pk"]) for story in found}
    assert sum(call["params"].get("id") in pks for call in calls) == 1
