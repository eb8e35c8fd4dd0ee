"""What was given up after several copies: listed, and sent once more."""

import argparse

import pytest
import sqlalchemy as sa

from bot.cli import dead_letters
from bot.store import deliveries
from bot.store.engine.database import Database
from tests.support.followed import HOUR, NOON, claim, follow, look, rows, story


@pytest.fixture
async def given_up(db: Database) -> Database:
    """Three deliveries to one chat, of which the first two are parked."""
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"), story("2"), story("3"))
        ids = list((await tx.execute(sa.select(deliveries.deliveries.c.id))).scalars())
        await deliveries.count_attempt(tx, ids[:2])
        await deliveries.end(tx, ids[:2], state="parked", reason="no answers", now=NOON)
        await deliveries.sent(tx, {ids[2]: 9}, now=NOON)
    return db


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    dead_letters.add_arguments(parser)
    return parser.parse_args(words)


async def test_each_is_listed_with_its_chat_and_why(
    given_up: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert await dead_letters.main(options(), given_up) == 0
    said = capsys.readouterr().out
    assert said.count("no answers") == 2
    assert "2026-11-25 12:00 UTC" in said


async def test_nothing_parked_is_said(db: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert await dead_letters.main(options(), db) == 0
    assert "Nothing is parked." in capsys.readouterr().out


async def test_one_that_is_sent_again_is_due_at_once_and_forgets_its_copies(
    given_up: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    later = NOON + HOUR
    [first, second, third] = await rows(given_up)
    asked = options("--again", str(first.id), str(third.id))
    assert await dead_letters.main(asked, given_up, now=lambda: later) == 2
    said = capsys.readouterr().out
    assert f"Sent again: {first.id}." in said
    assert f"Not parked: {third.id}." in said
    states = [(row.state, row.copies) for row in await rows(given_up)]
    assert states == [("open", 0), ("parked", 1), ("sent", 0)]
    [lane] = await claim(given_up, now=later)
    assert [row.story_pk for row in lane.rows] == ["1"]
    assert (await rows(given_up, id=second.id))[0].reason == "no answers"
