"""The plan of the looks: what it is made of when there are many profiles."""

from bot.domain.model import Profile
from bot.fetching import schedule_state
from bot.store import subscriptions
from bot.store.database import Database
from tests.support.followed import NOON, follow


async def test_of_many_profiles_a_sample_is_read_and_of_few_all(db: Database) -> None:
    async with db.begin() as tx:
        for number in range(8):
            of = Profile(str(100 + number), f"profile{number}")
            for chat in range(1, number + 2):
                await follow(tx, chat, of)
        left = await follow(tx, 1, Profile("99", "left"))
        await subscriptions.remove(tx, [left])
        await subscriptions.reweigh(tx, profile_id="99", now=NOON)
        few, count = await schedule_state.sample(tx, most=3)
        every, same = await schedule_state.sample(tx)
    assert (len(few), count, same) == (3, 8, 8)
    weights = [weight for _, weight in every]
    assert sorted(weights) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert {weight for _, weight in few} < set(weights)
