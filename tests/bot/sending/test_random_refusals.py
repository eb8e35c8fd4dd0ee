"""Refusals at random: no story that lives is lost, and none is bought that is not to blame."""

import random
from pathlib import Path

import pytest

from bot.domain.model import Outcome, Sent, Target
from bot.store.engine.database import Database
from bot.telegram.outcomes import REFUSALS
from tests.bot.sending.test_sender import made, pks
from tests.support.control import refused
from tests.support.followed import MINUTE, Clock
from tests.support.telegram import Bench, utc_now

# What is a file's stays so whatever its source; the rest is somebody's else, or nobody knows.
_FILES = ("fetch", "photo", "size", "file", "any file")
_OTHERS = [word for it, words in REFUSALS.items() if it not in _FILES for word in words]
_CURED = [*REFUSALS["fetch"], *REFUSALS["any file"]]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"


def _refusal(chance: random.Random, number: int) -> tuple[str, str]:
    """Return words, and the source that they hit; empty: each."""
    kind = chance.choice(["list", "file", "new"])
    if kind == "file":
        words, source = chance.choice(_CURED), "url"
    elif kind == "list":
        words, source = chance.choice(_OTHERS), ""
    else:
        words, source = "NEW_" + "".join(chance.choices(_LETTERS, k=8)), chance.choice(["", "url"])
    if chance.random() < 0.5:
        item = number if kind == "file" else 1
        words = f'failed to send message #{item} with the error message "{words}"'
    return words, source


async def _brought(ours: Bench, clock: Clock, chat: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    count = chance.randint(1, 4)
    album = await ours.album(count, videos=frozenset({chance.randrange(count)}))
    words, source = _refusal(chance, chance.randint(1, count))
    fault = await ours.control.fault(
        "telegram", refused(words), match="send", times=chance.choice([1, 2, 5]), source=source
    )
    there: set[str] = set()
    for _ in range(8):
        left = tuple(story for story in album.stories if story.pk not in there)
        if not left:
            break
        part = type(album)(left)
        outcome: Outcome = await ours.sender.send_album(Target(chat), part, lane="alert")
        there |= {item.pk for item in outcome.items}
        assert not (isinstance(outcome, Sent) and outcome.failed), (seed, words, outcome)
        clock.on(16 * MINUTE)
    await ours.control.clear_faults(fault)
    assert there == set(pks(album)), (seed, words)
    assert ours.bought == [], (seed, words)


@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=pytest.mark.slow)])
async def test_random_refusals_lose_no_story_and_buy_nothing(
    sqlite_db: Database, tmp_path: Path, count: int
) -> None:
    clock = Clock(utc_now())
    bought: list[str] = []

    async def buy(story: object, _: object) -> None:
        bought.append(str(story))
        raise AssertionError("nothing is to be bought")

    async with made(sqlite_db, tmp_path, now=clock, fallback=buy) as (ours, ann):
        for seed in range(count):
            await _brought(ours, clock, ann, seed)
    assert bought == []
