"""Refusals at random: no story that lives is lost, and none is bought that is not to blame."""

import random
from pathlib import Path

from bot.domain.model import Outcome, Sent, Target
from bot.store.engine.database import Database
from tests.bot.sending.test_sender import made, pks
from tests.support.control import refused
from tests.support.followed import MINUTE, Clock
from tests.support.refusals import refusal
from tests.support.telegram import Bench, utc_now


async def _brought(ours: Bench, clock: Clock, chat: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    count = chance.randint(1, 4)
    album = await ours.album(count, videos=frozenset({chance.randrange(30)}))
    words, source = refusal(chance, chance.randint(1, count))
    fault = await ours.control.fault(
        "telegram", refused(words), match="send", times=chance.choice([1, 2, 5]), source=source
    )
    there: set[str] = set()
    for _ in range(8):
        left = tuple(story for story in album.stories if story.pk not in there)
        if not left:
            break
        part = type(album)(left)
        outcome: Outcome = await ours.sender.send_album_and_buy_missing_files(
            Target(chat), part, calls=ours.as_alert
        )
        there |= {item.pk for item in outcome.items}
        assert not (isinstance(outcome, Sent) and outcome.failed), (seed, words, outcome)
        clock.on(16 * MINUTE)
    await ours.control.clear_faults(fault)
    assert there == set(pks(album)), (seed, words)
    assert ours.bought == [], (seed, words)


async def test_random_refusals_lose_no_story_and_buy_nothing(
    sqlite_db: Database, tmp_path: Path
) -> None:
    """A week of them, a thousand, is ``python -m tests.soak --refusals``."""
    clock = Clock(utc_now())
    bought: list[str] = []

    async def buy(story: object, _: object) -> None:
        bought.append(str(story))
        raise AssertionError("nothing is to be bought")

    async with made(sqlite_db, tmp_path, now=clock, fallback=buy) as (ours, ann):
        for seed in range(30):
            await _brought(ours, clock, ann, seed)
    assert bought == []
