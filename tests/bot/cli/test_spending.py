"""The ledger's totals on the command line."""

import argparse
import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.billing.ledger import Ledger, Payer
from bot.cli import spending as command
from bot.domain.budget import Limits
from bot.domain.model import Asker
from bot.store.database import Database
from bot.stories_api.endpoints import Answer, Endpoint

NOW = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)
FREE = Limits(10**6, 0.5, 10**6, 10**6, 10**6)


@pytest.fixture
async def spent(sqlite_db: Database) -> Database:
    """Two chats and the schedule, each with a call of 2 credits; one was billed 1, one 0."""
    for number, payer in enumerate(
        (Payer("link", Asker(1, 5)), Payer("stories", Asker(2, 6)), Payer("schedule"))
    ):

        async def call(billed: int = 2 - number) -> Answer[None]:
            return Answer(None, billed)

        at = NOW - timedelta(days=number)
        ledger = Ledger(sqlite_db, FREE, now=lambda at=at: at)  # type: ignore[misc] # bound now
        await ledger.spend(payer, Endpoint.USER_STORIES, call)
    return sqlite_db


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


async def test_the_command_prints_json(
    spent: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command.main(options("--json", "--by", "chat"), spent, now=lambda: NOW) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["credits"] == {"reserved": 6, "settled": 3, "refunded": 3, "open": 0}
    assert told["lines"][1] == {
        "chat": 2,
        "requests": 1,
        "credits": {"reserved": 2, "settled": 1, "refunded": 1, "open": 0},
    }
    assert [line["chat"] for line in told["lines"]] == [1, 2, 0]
    assert told["requests"] == 3
    assert await command.main(options("--json", "--days", "1"), spent, now=lambda: NOW) == 0
    assert json.loads(capsys.readouterr().out)["credits"]["settled"] == 2


@pytest.mark.parametrize("by", ["endpoint", "chat", "day"])
async def test_the_command_prints_a_table(
    spent: Database, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    assert await command.main(options("--by", by), spent, now=lambda: NOW) == 0
    out = capsys.readouterr().out
    assert {"endpoint": "stories", "chat": "schedule", "day": "2026-04-20"}[by] in out


def test_days_out_of_reach_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for days in ("0", "367", "x"):
        with pytest.raises(SystemExit):
            options("--days", days)
    assert "days" in capsys.readouterr().err
