"""Several processes on one PostgreSQL spend as one: what one has learned of the API, all know."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import app
from bot.store import leases
from bot.store.engine.database import Database
from sandbox.jumping import JumpingLoop
from tests.support.control import Control, Json, wait_for
from tests.support.killing import Victim, free_port
from tests.support.relay import relay_to
from tests.support.sandbox import Box
from tests.support.storybell import Bell, running_bell, settings_for

LIMITS = {"daily_budget": 100_000}
PROMISED_S = 8.0
OTHER_TOKEN = "7000000002:the-token-of-another-bot-0123456789"
TAKEN_OVER_S = 16.0  # the promised 8 seconds, and a delay of a busy machine


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """Name the database that several processes can share."""
    return postgres_url


@pytest.fixture
def control(box: Box) -> Control:
    return box.control


@pytest.fixture
def shared(db: Database, database_url: str) -> Json:
    """Return what the bots of a test share: a database, migrated and empty."""
    assert not db.is_sqlite
    return LIMITS | {"database_url": database_url}


async def both(
    box: Box, shared: Json, tmp_path: Path, group: asyncio.TaskGroup, stop: asyncio.Event
) -> list[Bell]:
    """Run two bots until ``stop``."""
    bells: list[Bell] = []

    async def one(name: str) -> None:
        async with running_bell(tmp_path / name, box, **shared) as bell:
            bells.append(bell)
            await stop.wait()

    for name in "ab":
        group.create_task(one(name))
    await wait_for(lambda: len(bells) == 2)

    async def both_know_the_rate() -> bool:
        return len(await box.control.requests("stories", path="/sys/balance")) >= 2

    await wait_for(both_know_the_rate, 30)
    return bells


async def shown(control: Control, person: int) -> bool:
    """Return whether a story came; a word that one waits may come before it."""
    return bool(await control.shown(person))


async def links(control: Control, name: str, count: int) -> list[str]:
    await control.profile(name, posts_per_day=0)
    now = (await control.state())["now"]
    pks = [(await control.publish(name, taken_at=now - 30 + n))["pk"] for n in range(count)]
    return [f"https://www.instagram.com/stories/{name}/{pk}/" for pk in pks]


@pytest.mark.slow
async def test_150_updates_get_answers_although_the_pool_is_small(
    box: Box, shared: Json, tmp_path: Path
) -> None:
    """An update that needs two connections at once waits for the others, and they for it."""
    with capture_logs() as logs:
        async with running_bell(tmp_path, box, database_pool=5, **shared) as bell:
            people = [await box.control.person() for _ in range(50)]
            await bell.ask(people[0], "/help")
            for _ in range(3):
                asked = await asyncio.gather(*(box.control.say(one, "/help") for one in people))
                for person, message in zip(people, asked, strict=True):
                    await box.control.wait_replies(person, 1, after=message, within=120)
    assert not [one for one in logs if one.get("why") == "all connections are in use"]


@pytest.mark.jumps
async def test_each_tells_how_it_stands_and_a_standby_raises_no_alarm(
    box: Box, shared: Json, tmp_path: Path
) -> None:
    ports = [free_port(), free_port()]

    async def figures(port: int) -> dict[str, float]:
        async with box.session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return {
            name.partition("{")[0]: float(value)
            for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")
        }

    async def one_polls() -> bool:
        ages = [(await figures(port))["poll_heartbeat_seconds"] for port in ports]
        return sorted(map(bool, ages)) == [False, True]

    async with (
        running_bell(tmp_path / "a", box, port=ports[0], **shared) as bell,
        running_bell(tmp_path / "b", box, port=ports[1], **shared),
    ):
        await bell.ask(await box.control.person(), "/help")
        await wait_for(one_polls)


@pytest.mark.slow
async def test_another_process_polls_soon_after_a_kill(
    box: Box, shared: Json, tmp_path: Path
) -> None:
    ann = await box.control.person()
    victims = []
    for name in "ab":
        (tmp_path / name).mkdir()
        victims.append(
            Victim(box, tmp_path / name, webhook=False, database_url=shared["database_url"])
        )
    first, second = victims
    try:
        await first.start()
        message = await box.control.say(ann, "/help")
        await box.control.wait_replies(ann, 1, after=message)
        await second.start()
        await wait_for(second.is_ready, 60, "the standby")
        await first.end(signal.SIGKILL)
        began = time.monotonic()
        message = await box.control.say(ann, "/help")
        await box.control.wait_replies(ann, 1, after=message)
        assert time.monotonic() - began < TAKEN_OVER_S
    finally:
        for one in victims:
            await one.end(signal.SIGKILL)


@pytest.mark.jumps
@pytest.mark.parametrize("later_s", [0.0, 0.5, 1.0, 1.4])
async def test_another_process_answers_within_8_seconds_of_the_last_renewal(
    box: Box, shared: Json, tmp_path: Path, db: Database, later_s: float
) -> None:
    """The clock measures what the bot waits for, so a busy machine changes nothing."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    ann = await box.control.person()

    async def renew(lease: timedelta) -> None:
        async with db.begin() as tx:
            assert await leases.acquire_or_renew(
                tx, "polling", "killed", now=loop.now(), lease=lease
            )

    await renew(timedelta(hours=1))
    async with running_bell(tmp_path, box, **shared):
        await asyncio.sleep(30 + later_s)  # the standby bids at its own rhythm
        assert not await box.control.requests("telegram", path="getUpdates")
        await renew(leases.LEASE)
        began = loop.time()
        message = await box.control.say(ann, "/help")
        await box.control.wait_replies(ann, 1, after=message)
        assert loop.time() - began <= PROMISED_S


@pytest.mark.jumps
async def test_a_replica_that_is_cut_off_from_telegram_leaves_the_work_to_the_other(
    box: Box, shared: Json, tmp_path: Path
) -> None:
    control = box.control
    await control.profile("severed", posts_per_day=0)
    async with relay_to(box.urls.telegram) as relay, AsyncExitStack() as stack:
        cut_off = {**shared, "telegram_api_url": relay.url}
        bell = await stack.enter_async_context(running_bell(tmp_path / "a", box, **cut_off))
        ann = await control.person()
        await bell.ask(ann, "/subscribe severed")
        await stack.enter_async_context(running_bell(tmp_path / "b", box, **shared))
        relay.cut()
        began = (await control.state())["now"]
        for _ in range(3):  # whoever takes the updates, either may handle them
            await bell.ask(ann, "/help")
        assert (await control.state())["now"] - began < 20
        for _ in range(3):
            began = (await control.state())["now"]
            shown = len(await control.shown(ann))
            await control.publish("severed")
            await wait_for(partial(has_more, control, ann, shown), 60, "the alert")
            assert (await control.state())["now"] - began < 30


@pytest.mark.jumps
async def test_a_replica_whose_packets_are_lost_is_replaced_within_50_seconds(
    box: Box, shared: Json, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with relay_to(box.urls.telegram) as relay, AsyncExitStack() as stack:
        lossy = {**shared, "telegram_api_url": relay.url}
        bell = await stack.enter_async_context(running_bell(tmp_path / "a", box, **lossy))
        ann = await box.control.person()
        await bell.ask(ann, "/help")
        await stack.enter_async_context(running_bell(tmp_path / "b", box, **shared))
        relay.silence()
        began = loop.time()
        message = await box.control.say(ann, "/help")
        await box.control.wait_replies(ann, 1, after=message, within=120)
        assert loop.time() - began <= 50
        relay.mend()


@pytest.mark.jumps
async def test_the_only_replica_takes_updates_again_when_telegram_is_back(
    box: Box, shared: Json, tmp_path: Path
) -> None:
    async with (
        relay_to(box.urls.telegram) as relay,
        running_bell(tmp_path, box, **shared, telegram_api_url=relay.url) as bell,
    ):
        ann = await box.control.person()
        await bell.ask(ann, "/help")
        relay.cut()
        message = await box.control.say(ann, "/help")
        await asyncio.sleep(12)  # on the jumping clock: two bids in vain
        relay.mend()
        await bell.replies(ann, after=message)


@pytest.mark.timeout(60)
async def test_a_start_with_the_token_of_another_bot_ends_while_the_bot_runs(
    box: Box, shared: Json, tmp_path: Path
) -> None:
    """The other bot would send to chats that it does not know, and the chats would be closed."""
    async with running_bell(tmp_path / "a", box, **shared) as bell:
        await bell.ask(await box.control.person(), "/help")
        other = settings_for(box, tmp_path / "b", **shared, telegram_token=OTHER_TOKEN)
        with capture_logs() as logs:
            assert await app.run(other, asyncio.Event()) == 1
        assert [one["event"] for one in logs if "TELEGRAM_TOKEN" in str(one.get("reason"))]


@pytest.mark.slow
@pytest.mark.jumps
async def test_an_incident_of_one_replica_is_not_ended_by_the_other_replica(
    box: Box, shared: Json, tmp_path: Path
) -> None:
    """The other replica finds the Stories API well, and the replica that is cut off does not."""
    control, owner = box.control, await box.control.person("Owner")
    settings = shared | {"admin_ids": str(owner)}
    async with relay_to(box.urls.stories_api) as relay, AsyncExitStack() as stack:
        bell = await stack.enter_async_context(running_bell(tmp_path / "b", box, **settings))
        cut_off = {**settings, "stories_api_url": relay.url}
        await stack.enter_async_context(running_bell(tmp_path / "a", box, **cut_off))
        await bell.ask(owner, "/help")
        for name in ("cut.one", "cut.two", "cut.three", "cut.four"):
            await control.profile(name, posts_per_day=0)
            await bell.ask(owner, f"/subscribe {name}")
        last = (await control.replies(owner))[-1]["message_id"]
        relay.cut()

        async def said() -> list[str]:
            texts = [str(message.get("text")) for message in await control.replies(owner, last)]
            return [text for text in texts if "The Stories API" in text]

        await wait_for(said, 1200, "the incident")
        await asyncio.sleep(300)  # on the jumping clock: each replica looks five times
        assert len(await said()) == 1
        relay.mend()

        async def is_over() -> bool:
            return "answering again" in (await said())[-1]

        await wait_for(is_over, 1200, "the end of the incident")
        assert len(await said()) == 2


async def has_more(control: Control, person: int, shown: int) -> bool:
    """Return whether a person was shown more stories than that."""
    return len(await control.shown(person)) > shown
