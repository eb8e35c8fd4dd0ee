"""Subscriptions: a chat, a topic, a profile, once."""

from bot.domain.model import Profile, Target
from bot.domain.options import Options
from bot.domain.records import SubscriberCount
from bot.store import acquaintances, chats, ended_subscriptions, moves, profiles, subscriptions
from bot.store.engine.database import Database
from tests.support.followed import DAY, HOUR, NATGEO, NOON, PRADA, claim, follow, look, story
from tests.support.preferences import unlike_defaults


async def test_nothing_of_what_a_chat_decided_is_lost_in_the_tables(db: Database) -> None:
    wanted = unlike_defaults()
    async with db.begin() as tx:
        await follow(tx, 1)
        await subscriptions.remove_of_chat_and_return_profile_ids(tx, 1)
        await subscriptions.add(
            tx,
            Target(1, 5),
            NATGEO.profile_id,
            preferences=wanted,
            alerts_since=NOON,
            created_by=7,
            now=NOON,
        )
        [one] = await subscriptions.of_chat(tx, 1)
        assert one.preferences == wanted
        await ended_subscriptions.add(tx, [one], now=NOON)
        [ended] = await ended_subscriptions.subscriptions_ended_at(tx, 1, at=NOON)
        assert all(getattr(ended, name) == getattr(one, name) for name in ended.__slots__)
        assert await ended_subscriptions.has_ended(tx, 1, "natgeo", ended_since=NOON - HOUR)


async def test_what_is_claimed_to_be_sent_has_all_options_of_its_subscription(
    db: Database,
) -> None:
    wanted = unlike_defaults().options
    async with db.begin() as tx:
        await follow(tx, 1, options=wanted)
        await look(tx, story("1"))
    [queue] = await claim(db)
    assert [row.options for row in queue.rows] == [wanted]


async def test_nobody_waits_no_look_and_somebody_does_again_at_once(db: Database) -> None:
    async def weight() -> tuple[float, bool]:
        known = await profiles.get(tx, NATGEO.profile_id)
        assert known is not None
        return known.weight, known.due_at is not None

    async with db.begin() as tx:
        mine = await follow(tx, 1)
        await follow(tx, 2)
        assert await weight() == (2, True)
        await subscriptions.change(tx, mine, paused=True)
        await chats.set_state(tx, 2, "closed", now=NOON)
        await subscriptions.start_or_stop_checks(tx, chat_id=2, now=NOON)
        assert await weight() == (0, False)
        await subscriptions.change(tx, mine, paused=False)
        await subscriptions.start_or_stop_checks(
            tx, profile_ids=[NATGEO.profile_id], now=NOON + HOUR
        )
        assert await weight() == (1, True)
        known = await profiles.get(tx, NATGEO.profile_id)
        assert known is not None
        assert known.due_at == NOON + HOUR


async def test_newcomers_count_where_nobody_else_waits(db: Database) -> None:
    """Else accounts made today would draw the checks of others to what they choose."""

    async def judged(of: Profile) -> tuple[float, bool]:
        known = await profiles.get(tx, of.profile_id)
        assert known is not None
        return known.weight, known.fresh

    today = NOON.date()
    async with db.begin() as tx:
        for day in range(2):
            await acquaintances.count_day_seen(tx, [1, 2], today - 2 * DAY + day * DAY)
        await acquaintances.count_day_seen(tx, [1], today)
        await follow(tx, 2, PRADA)
        await follow(tx, 3, PRADA)
        assert await judged(PRADA) == (2, True)
        for chat in range(1, 9):
            await follow(tx, chat, NATGEO)
        assert await judged(NATGEO) == (1, False)
        await acquaintances.count_day_seen(tx, [2], today)
        await subscriptions.start_or_stop_checks(
            tx, chat_id=2, now=NOON
        )  # a press of who is known now
        assert await judged(PRADA) == (2, False)
        assert await subscriptions.count_subscribers(tx, NATGEO.profile_id) == SubscriberCount(
            8, 2, fresh=False
        )
        assert await subscriptions.count_subscribers(tx, PRADA.profile_id) == SubscriberCount(
            2, 1, fresh=False
        )
        await chats.set_state(tx, 1, "closed", now=NOON)
        await chats.set_state(tx, 2, "closed", now=NOON)
        assert await subscriptions.count_subscribers(tx, NATGEO.profile_id) == SubscriberCount(
            6, 6, fresh=True
        )


async def test_a_topics_subscriptions_fall_back_and_what_is_doubled_ends(db: Database) -> None:
    async with db.begin() as tx:
        main = await follow(tx, -1)
        await follow(tx, -1, thread_id=5)
        moved = await follow(tx, -1, PRADA, thread_id=5)
        other = await follow(tx, -1, PRADA, thread_id=6)
        assert await moves.move_topic_to_main_chat_and_notify(tx, -1, 5, now=NOON)
        assert not await moves.move_topic_to_main_chat_and_notify(tx, -1, 5, now=NOON)
        found = await subscriptions.of_chat(tx, -1)
    assert [(one.id, one.target.thread_id) for one in found] == [
        (main, None),
        (moved, None),
        (other, 6),
    ]


async def test_options_keep_only_what_is_possible(db: Database) -> None:
    async with db.begin() as tx:
        mine = await follow(tx, 1)
        strange = {"silent": 1, "media": "gif", "digest": True, "x": True}
        await subscriptions.change(tx, mine, options=strange)
        found = await subscriptions.get(tx, mine)
        assert found is not None
        assert found.options == Options(digest=True)
        await subscriptions.change(tx, mine, options=Options(caption="full").to_json())
        found = await subscriptions.get(tx, mine)
    assert found is not None
    assert found.options.to_json() == {"caption": "full"}


async def test_the_options_before_a_change_of_several_stay_until_the_next_change(
    db: Database,
) -> None:
    loud, silent = Options(), Options(silent=True, only="#sale")
    async with db.begin() as tx:
        for chat, profile in ((1, NATGEO), (1, PRADA), (2, NATGEO)):
            await follow(tx, chat, profile, options=silent)
        for chat in (1, 2):
            for one in await subscriptions.of_chat(tx, chat):
                await subscriptions.set_options(tx, one, loud, undo_at=NOON)
        natgeo, prada = await subscriptions.of_chat(tx, 1)
        assert natgeo.options == prada.options == loud
        before = await subscriptions.options_before(tx, 1, undo_at=NOON)
        assert before == [(natgeo, silent), (prada, silent)]
        assert await subscriptions.options_before(tx, 1, undo_at=NOON + HOUR) == []
        await subscriptions.change(tx, prada.id, paused=True)  # changes no options
        await subscriptions.set_options(tx, natgeo, loud)
        [(one, options)] = await subscriptions.options_before(tx, 1, undo_at=NOON)
    assert (one.id, options) == (prada.id, silent)
