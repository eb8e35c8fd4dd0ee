"""Two replicas behind PgBouncer in transaction mode, as a machine with many clients has it."""

import asyncio
from pathlib import Path

import pytest

from tests.support import pooler
from tests.support.control import Control, wait_for
from tests.support.needs import needs
from tests.support.postgres import postgres
from tests.support.sandbox import sandbox_box
from tests.support.storybell import running_bell

PEOPLE = 12


@pytest.mark.slow
@needs("pgbouncer")
@pytest.mark.parametrize("connections", [2, 8])
async def test_all_is_answered_and_alerted_once_behind_a_pooler(
    connections: int, tmp_path: Path
) -> None:
    with postgres() as server, pooler.pgbouncer(server, size=connections) as url:
        async with sandbox_box() as box:
            control = box.control
            await control.profile("often.seen", posts_per_day=0)
            people = [await control.person(f"P{n}") for n in range(PEOPLE)]
            shared = {"database_url": url, "database_direct_url": server.url, "cache_s": 0}
            async with (
                running_bell(tmp_path / "a", box, **shared) as bell,
                running_bell(tmp_path / "b", box, **shared),
            ):
                for person in people:
                    await bell.ask(person, "/subscribe often.seen")
                pks = []
                for _ in range(3):
                    now = (await control.state())["now"]
                    pks.append((await control.publish("often.seen", taken_at=now))["pk"])
                    await bell.ask(await control.person("Eve"), "/stories often.seen")
                    await asyncio.gather(*(has_all(control, person, pks) for person in people))
            for person in people:
                assert sorted(await control.shown(person)) == sorted(pks)


async def has_all(control: Control, person: int, pks: list[str]) -> None:
    async def is_there() -> bool:
        return set(pks) <= set(await control.shown(person))

    await wait_for(is_there, 120, "the alerts")
