"""Partial Telegram outages on a clock that jumps: deliveries that fail, repeat or arrive late.

``python -m tests.flows.partial_faults FOLDER DAY…`` prints the results as a line of JSON.
"""

# ruff: noqa: E402 - the clock must be replaced before the other imports
from sandbox import jumping

jumping.install()

import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.control import Json, wait_for
from tests.support.simulated import Day, main, simulated

DRAIN_S, LOOK_EVERY_S = 3000, 20
BAD_GATEWAY: Json = {"status": 502, "body": "<html>Bad Gateway</html>"}
JSON_500: Json = {
    "status": 500,
    "body": '{"ok": false, "error_code": 500, "description": "Internal Server Error"}',
}
LATE: Json = {"delay_s": 130}  # the call takes effect after the client's timeout


@dataclass(frozen=True)
class Fault:
    """A fault on matching calls: ``before`` without the call's effect, ``lost`` with the effect.

    ``every``: only each n-th call is faulty. ``seconds`` is the duration of the fault.
    """

    before: Json
    lost: Json
    match: str = "send"
    every: int = 1
    seconds: int = 600

    @classmethod
    def answers(cls, said: Json, **more: Any) -> "Fault":
        """Return a fault that answers matching calls with ``said``."""
        return cls(said, {**said, "effect": True}, **more)


RESET: tuple[Json, Json] = ({"reset": "before"}, {"reset": "after"})
FAULTS = {
    "130 s of 502": Fault.answers(BAD_GATEWAY, seconds=130),
    "502": Fault.answers(BAD_GATEWAY),
    "500": Fault.answers(JSON_500),
    "resets": Fault(*RESET),
    "hanging": Fault({"hang": True}, LATE),
    "sendPhoto alone": Fault.answers(BAD_GATEWAY, match="sendPhoto"),
    "every second 502": Fault.answers(BAD_GATEWAY, every=2),
    "every third 502": Fault.answers(BAD_GATEWAY, every=3),
    "every second 500": Fault.answers(JSON_500, every=2),
    "every third reset": Fault(*RESET, every=3),
}


async def live(
    folder: Path, name: str, *, chats: int, stories: int, when: str, replicas: int, url: str
) -> dict[str, Any]:
    """Queue stories for chats during a fault; return the numbers of losses and repeats."""
    fault = FAULTS[name]
    async with simulated(folder, url) as day:
        people = [await day.control.person(f"P{number}") for number in range(chats)]
        async with day.bots(replicas):
            for person in people:
                await day.control.say(person, "/start")
            await asyncio.sleep(60)
            what = fault.before if when == "before" else fault.lost
            number = await day.control.fault(
                "telegram", what, match=fault.match, times=None, every=fault.every
            )
            pks = [await day.post(f"star{n}", people) for n in range(stories)]
            asked = await day.control.say(people[0], "/unsubscribe")
            await asyncio.sleep(fault.seconds)
            await day.control.clear_faults(number)
            for _ in range(DRAIN_S // LOOK_EVERY_S):
                await asyncio.sleep(LOOK_EVERY_S)
                if not (await day.states())["open"]:
                    break
            return await figures(day, people, pks, asked)


async def figures(day: Day, people: list[int], pks: list[str], asked: int) -> dict[str, Any]:
    """Compare the messages in the chats with the expected deliveries."""
    lost = untold = most = 0
    for person in people:
        messages = await day.control.replies(person)
        shown = [m["_story_pk"] for m in messages if "_story_pk" in m]
        missing = set(pks) - set(shown)
        lost += len(missing)
        untold += bool(missing) and not any("confirm" in m.get("text", "") for m in messages)
        most = max([most, *(shown.count(pk) for pk in pks)])
    answered = any("text" in m for m in await day.control.replies(people[0], after=asked))
    return {"lost": lost, "untold": untold, "most_copies": most, "answered": answered}


async def neighbours(folder: Path) -> dict[str, Any]:
    """Answer every video with 500, and return the delay of the next story in each chat."""
    async with simulated(folder) as day:
        people = [await day.control.person(f"P{number}") for number in range(3)]
        async with day.bots(poll_floor_s=1):  # checks wake the outbox
            for person in people:
                await day.control.say(person, "/start")
            await asyncio.sleep(60)
            await day.control.fault("telegram", JSON_500, match="sendVideo", times=None)
            await day.post("sick", people, media_type=2)
            await wait_for(lambda: day.control.requests("telegram", path="sendVideo"), 60)
            began, pk = day.loop.time(), await day.post("well", people)

            async def arrived() -> bool:
                shown = [await day.control.replies(person) for person in people]
                return all(any(m.get("_story_pk") == pk for m in one) for one in shown)

            await wait_for(arrived, 3600)
            return {"delay_s": round(day.loop.time() - began, 1)}


async def server_clocks(folder: Path, ahead_s: float) -> dict[str, Any]:
    """Set Telegram's clock ahead of the bot's clock; return the messages to the owner."""
    async with simulated(folder, ahead_s=ahead_s) as day:
        owner = await day.control.person()
        async with day.bots(admin_ids=[owner]):
            asked = await day.control.say(owner, "/start")
            await day.control.wait_replies(owner, 1, after=asked, within=600)
            await asyncio.sleep(300)
        told = [m.get("text", "") for m in await day.control.replies(owner)]
        return {"told": [text for text in told if "clock" in text]}


if __name__ == "__main__":
    folder, name, *more = sys.argv[1:]
    if name == "server_clocks":
        raise SystemExit(main(partial(server_clocks, Path(folder), float(more[0]))))
    if name == "neighbours":
        raise SystemExit(main(partial(neighbours, Path(folder))))
    when, url, *counts = more
    chats, stories, replicas = map(int, counts)
    day = partial(
        live, Path(folder), name,
        chats=chats, stories=stories, replicas=replicas, when=when, url=url,
    )  # fmt: skip
    raise SystemExit(main(day))
