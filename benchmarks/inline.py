"""Benchmark of 10,000 inline queries.

``telegram --only commands`` measures the CPU time of an inline query.

The queries are typed letter by letter, in the same way as by persons.
"""

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.telegram_world import World, settings_for, world
from bot import app
from bot.store.engine.database import Database
from bot.store.inbox import inbox
from tests.support.control import wait_for

QUERIES = 10_000
PEOPLE = 100  # the number of persons, so large that no person waits for the flood limit of a chat
SHOWN = ("natgeo", "prada", "thirty")
ODD = (
    "🙂",
    "👩‍👩‍👧‍👦 natgeo",
    "שלום",
    "مرحبا natgeo",
    "x" * 256,
    "🙂" * 256,
    "%_'\"\\",
    "\u202enatgeo",
    "/start",
    " ",
)
OFFSETS = ("50", "-1", "🙂", "A" * 64)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--queries", type=int, default=QUERIES)


def main(arguments: argparse.Namespace) -> int:
    """Print the figures. Return 1 if a query cost credits, failed or was stored, otherwise 0."""
    figures = asyncio.run(measured(arguments.queries))
    print(json.dumps(figures, indent=2))
    wanted = {"credits": 0, "errors": 0, "inbox_rows": 0}
    return int(not wanted.items() <= figures.items())


async def measured(queries: int) -> dict[str, Any]:
    """Return the credits, errors and stored rows of ``queries`` queries."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as (at, database):
            people = await at.people(PEOPLE)
            for name in SHOWN:
                await at.control.say(people[0], f"/stories {name}")
            await _until_held(at, people[0])
            before, stored = await _spent(at), await _stored(database)
            dropped = await _type(at, people, queries)
            spent, errors, rows = await _spent(at), await _errors(at), await _stored(database)
            return {
                "queries": queries,
                "credits": spent - before,
                "errors": errors,
                "inbox_rows": rows - stored,
                "unanswered": dropped,  # the queries that a newer query replaced
            }


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[World, Database]]:
    """Run the bot in this process and the sandbox in a separate process."""
    async with world() as at:
        settings, stop = settings_for(at, folder), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            bot = group.create_task(app.run(settings, stop))
            try:
                async with Database(settings.database_url.get_secret_value()) as database:
                    yield at, database
            finally:
                stop.set()
                await bot


async def _until_held(at: World, person: int) -> None:
    # Each query is different, because Telegram caches answers to equal queries.
    spaces = iter(" " * n for n in range(1_000))

    async def are_there() -> bool:
        found = [(await at.control.typed(person, n + next(spaces)))["results"] for n in SHOWN]
        return all(found)

    await wait_for(are_there, what="stories that are held")


async def _type(at: World, people: list[int], queries: int) -> int:
    """Type ``queries`` queries letter by letter, with some unusual texts in between.

    Return the number of unanswered queries.
    """
    chance, ids = random.Random(1), list[str]()
    typed = [name[: n + 1] for name in (*SHOWN, "nobody.at.all") for n in range(len(name))]
    gate = asyncio.Semaphore(16)

    async def one(number: int) -> None:
        more = {"offset": chance.choice(OFFSETS)} if number % 10 == 0 else {}
        text = chance.choice(ODD) if number % 7 == 0 else typed[number % len(typed)]
        async with gate:
            # Spaces make each query unique, so no answer comes from a cache.
            text += " " * (number % 100)
            ids.append(await at.control.inline(people[number % len(people)], text, **more))

    async with asyncio.TaskGroup() as group:
        for number in range(queries):
            group.create_task(one(number))
    last = [await at.control.typed(one, f"last {one}") for one in people]
    assert len(last) == len(people)
    answers = [await at.control.inline_answer(one) for one in ids]
    return sum(not answer["answered"] for answer in answers)


async def _spent(at: World) -> int:
    return await at.control.billed()


async def _errors(at: World) -> int:
    calls = await at.control.requests("telegram", path="answerInlineQuery")
    return sum(call["status"] != 200 or bool(call.get("unknown_params")) for call in calls)


async def _stored(database: Database) -> int:
    async with database.read() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(inbox))).scalar_one())


if __name__ == "__main__":
    raise SystemExit(main(argparse.Namespace(queries=QUERIES)))
