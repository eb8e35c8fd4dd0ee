"""Subscriptions: a chat, a topic, a profile, once."""

from bot.domain.model import Options, Preferences, Profile, Target
from bot.domain.records import Audience
from bot.store import acquaintances, chats, ended, profiles, subscriptions
from bot.store.database import Database
from tests.support.followed import DAY, HOUR, LONG_AGO, NATGEO, NOON, PRADA, follow
from tests.support.preferences import unlike_defaults


async def test_the_same_twice_is_one_and_a_topic_has_its_own(db: Database) -> None:
    async with db.begin() as tx:
        first = await follow(tx, -1, options=Options(silent=True, media="photo"))
        topic = await follow(tx, -1, thread_id=5)
        again = await subscriptions.add(
            tx,
            Target(-1),
            NATGEO.profile_id,
            preferences=Preferences(),
            since=NOON,
            created_by=None,
            now=NOON,
        )
        assert again is None
        found = await subscriptions.find(tx, Target(-1), NATGEO.profile_id)
        assert found is not None
        assert found.id == first
        assert found.options == Options(silent=True, media="photo")
        assert (found.username, found.paused, found.created_by) == ("natgeo", False, 7)
        both = await subscriptions.of_chat(tx, -1, username="natgeo")
        assert [one.target for one in both] == [Target(-1), Target(-1, 5)]
        assert (await subscriptions.get(tx, topic)) == both[1]
        assert await subscriptions.find(tx, Target(-1, 6), NATGEO.profile_id) is None
        assert await subscriptions.count(tx, -1) == 2
        assert await subscriptions.count_new(tx, -1, since=NOON - DAY) == 2
        assert await subscriptions.count_new(tx, -1, since=NOON) == 0


async def test_nothing_of_what_a_chat_decided_is_lost_in_the_tables(db: Database) -> None:
    wanted = unlike_defaults()
    async with db.begin() as tx:
        await follow(tx, 1)
        await subscriptions.remove_of_chat(tx, 1)
        await subscriptions.add(
            tx,
            Target(1, 5),
            NATGEO.profile_id,
            preferences=wanted,
            since=NOON,
            created_by=7,
            now=NOON,
        )
        [one] = await subscriptions.of_chat(tx, 1)
        assert one.preferences == wanted
        await ended.add(tx, [one], now=NOON)
        again = await ended.named(tx, 1, "natgeo", since=NOON - HOUR)
        assert again == [(Target(1, 5), wanted)]


async def test_pages_are_by_name(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1, PRADA)
        await follow(tx, 1, NATGEO)
        await follow(tx, 2, NATGEO)
        names = [one.username for one in await subscriptions.of_chat(tx, 1)]
        second = await subscriptions.of_chat(tx, 1, offset=1, limit=1)
        everyone = await subscriptions.of_profiles(tx, {"prada", NATGEO.profile_id})
    assert names == ["natgeo", "prada"]
    assert [one.username for one in second] == ["prada"]
    assert sorted(one.target.chat_id for one in everyone) == [1, 1, 2]


async def test_what_ended_still_counts_as_new_today(db: Database) -> None:
    async with db.begin() as tx:
        await subscriptions.remove(tx, [await follow(tx, 1)])
        assert await subscriptions.count(tx, 1) == 0
        assert await subscriptions.count_new(tx, 1, since=NOON - DAY) == 1


async def test_nobody_waits_no_look_and_somebody_does_again_at_once(db: Database) -> None:
    async def weight() -> tuple[float, bool]:
        known = await profiles.get(tx, NATGEO.profile_id)
        assert known is not None
        return known.weight, known.next_look_at is not None

    async with db.begin() as tx:
        mine = await follow(tx, 1)
        await follow(tx, 2)
        assert await weight() == (2, True)
        await subscriptions.change(tx, mine, paused=True)
        await chats.set_state(tx, 2, "closed", now=NOON)
        await subscriptions.start_or_stop(tx, chat_id=2, now=NOON)
        assert await weight() == (0, False)
        await subscriptions.change(tx, mine, paused=False)
        await subscriptions.start_or_stop(tx, profile_ids=[NATGEO.profile_id], now=NOON + HOUR)
        assert await weight() == (1, True)
        known = await profiles.get(tx, NATGEO.profile_id)
        assert known is not None
        assert known.next_look_at == NOON + HOUR


async def test_newcomers_count_where_nobody_else_waits(db: Database) -> None:
    """Else accounts made today would draw the checks of others to what they choose."""

    async def judged(of: Profile) -> tuple[float, bool]:
        known = await profiles.get(tx, of.profile_id)
        assert known is not None
        return known.weight, known.fresh

    today = NOON.date()
    async with db.begin() as tx:
        for day in range(2):
            await acquaintances.see(tx, [("chat", 1), ("chat", 2)], today - 2 * DAY + day * DAY)
        await acquaintances.see(tx, [("chat", 1)], today)
        await follow(tx, 2, PRADA)
        await follow(tx, 3, PRADA)
        assert await judged(PRADA) == (2, True)
        for chat in range(1, 9):
            await follow(tx, chat, NATGEO)
        assert await judged(NATGEO) == (1, False)
        await acquaintances.see(tx, [("chat", 2)], today)
        await subscriptions.start_or_stop(tx, chat_id=2, now=NOON)  # a press of who is known now
        assert await judged(PRADA) == (2, False)
        assert await subscriptions.audience(tx, NATGEO.profile_id) == Audience(8, 2, fresh=False)
        assert await subscriptions.audience(tx, PRADA.profile_id) == Audience(2, 1, fresh=False)
        await chats.set_state(tx, 1, "closed", now=NOON)
        await chats.set_state(tx, 2, "closed", now=NOON)
        assert await subscriptions.audience(tx, NATGEO.profile_id) == Audience(6, 6, fresh=True)


async def test_a_topics_subscriptions_fall_back_and_what_is_doubled_ends(db: Database) -> None:
    async with db.begin() as tx:
        main = await follow(tx, -1)
        await follow(tx, -1, thread_id=5)
        moved = await follow(tx, -1, PRADA, thread_id=5)
        other = await follow(tx, -1, PRADA, thread_id=6)
        assert await subscriptions.move(tx, -1, 5, to=0)
        assert not await subscriptions.move(tx, -1, 5, to=0)
        found = await subscriptions.of_chat(tx, -1)
    assert [(one.id, one.target.thread_id) for one in found] == [
        (main, None),
        (moved, None),
        (other, 6),
    ]


async def test_restarted_alerts_begin_now(db: Database) -> None:
    async with db.begin() as tx:
        mine, other = await follow(tx, 1), await follow(tx, 2)
        await subscriptions.restart(tx, 1, since=NOON)
        found = [await subscriptions.get(tx, one) for one in (mine, other)]
    assert [one.since for one in found if one] == [NOON, LONG_AGO]


async def test_a_channel_that_never_wrote_becomes_a_chat(db: Database) -> None:
    async with db.begin() as tx:
        assert (await subscriptions.lock_chat(tx, -100, now=NOON)).kind == "channel"
        assert (await subscriptions.lock_chat(tx, 100, now=NOON)).kind == "private"
        await chats.ensure(tx, -5, kind="group", title="t", now=NOON)
        assert (await subscriptions.lock_chat(tx, -5, now=NOON)).title == "t"


async def test_options_keep_only_what_is_possible(db: Database) -> None:
    async with db.begin() as tx:
        mine = await follow(tx, 1)
        strange = {"silent": 1, "media": "gif", "digest": True, "x": True}
        await subscriptions.change(tx, mine, options=strange)
        found = await subscriptions.get(tx, mine)
        assert found is not None
        assert found.options == Options(digest=True)
        await subscriptions.change(tx, mine, options=Options(caption="full").values())
        found = await subscriptions.get(tx, mine)
    assert found is not None
    assert found.options.values() == {"caption": "full"}
