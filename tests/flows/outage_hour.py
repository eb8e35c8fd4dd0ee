"""An hour without Telegram on a clock that jumps: 5,000 pending alerts in 300 chats.

``python -m tests.flows.outage_hour FOLDER`` prints the results as a line of JSON.
"""

# ruff: noqa: E402 - the clock must be replaced before the other imports
from sandbox import jumping

jumping.install()

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any

from bot.outbox.fan_out import FanOut
from bot.store.engine.database import Database
from tests.support.control import wait_for
from tests.support.simulated import Day, main, simulated

CHATS, PROFILES = 300, 17
OUTAGE_S, DRAIN_S, LOOK_EVERY_S = 3600, 3600, 20
DOWN = {"status": 502, "body": "<html>Bad Gateway</html>"}


async def owe(day: Day) -> tuple[list[int], list[str]]:
    """Create the pending alerts: all people follow all profiles, and each profile posts a story.

    Return the chats and the story IDs in order.
    """
    people = [await day.control.person(f"P{number}") for number in range(CHATS)]
    for person in people:
        await day.control.say(person, "/start")
    pks = []
    for number in range(PROFILES):
        pks.append(await day.post(f"star{number}", people))
        async with Database(day.url) as db:  # the deliveries are created in order
            await FanOut(db, lambda: None, now=day.loop.now).write_due_fan_outs()
    return people, pks


async def live(folder: Path) -> dict[str, Any]:
    """Run the outage and the recovery; return the numbers of deliveries, losses and repeats."""
    async with simulated(folder) as day:
        control = day.control
        people, pks = await owe(day)
        async with day.bots():
            await wait_for(lambda: control.requests("telegram", path="sendPhoto"), 60)
            lost_half = {**DOWN, "effect": True}
            await control.fault("telegram", lost_half, times=None, every=2)
            await control.fault("telegram", DOWN, times=None)
            await asyncio.sleep(OUTAGE_S)
            during = await day.states()
            await control.clear_faults()
            for _ in range(DRAIN_S // LOOK_EVERY_S):
                await asyncio.sleep(LOOK_EVERY_S)
                if not (await day.states())["open"]:
                    break
        return await figures(day, people, pks) | {
            "during": during,
            "after": await day.states(),
            "drained_s": round(day.loop.time() - OUTAGE_S),
        }


async def figures(day: Day, people: list[int], pks: list[str]) -> dict[str, Any]:
    """Compare the messages in the chats with the expected deliveries."""
    lost = disordered = repeats = 0
    for person in people:
        shown = [m["_story_pk"] for m in await day.control.replies(person) if "_story_pk" in m]
        lost += len(set(pks) - set(shown))
        disordered += list(dict.fromkeys(shown)) != [pk for pk in pks if pk in shown]
        repeats += len(shown) - len(set(shown))
    return {
        "lost": lost,
        "disordered": disordered,
        "repeats": repeats,
        "answers_lost": day.box.parts.telegram.world.lost,
    }


if __name__ == "__main__":
    raise SystemExit(main(partial(live, Path(sys.argv[1]))))
