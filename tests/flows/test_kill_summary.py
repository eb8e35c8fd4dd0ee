"""Killed at each step of a summary: the list rings once, and no album is lost."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.model import Profile
from bot.domain.options import Options
from bot.store import chats
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from tests.flows.ringer import LEASE, ringer
from tests.support.control import Json, wait_for
from tests.support.followed import follow
from tests.support.sandbox import Box, sandbox_box
from tests.support.telegram import utc_now

NAMES = ("first", "second")
STEPS = (
    "the list is added and claimed",
    "the copy of the list is counted",
    "the list has arrived",
    "an album is claimed",
    "the copy of the album is counted",
    "the album has arrived",
    "the other album is claimed",
    "the copy of the other album is counted",
    "the other album has arrived",
)
KILLS = [(step, "before") for step in range(1, len(STEPS) + 1)]
KILLS += [(step, "after") for step in (2, 5, 8, 9)]
"""The steps and moments. Nothing happens between the commits of other steps and the next step."""
UNKNOWN = (2, "after")
"""The kill after which the list may not ring: counted, but not sent. The repeat is silent."""
HOUR_S = 2 * 3600.0
REPEATED_S = 31.0  # a second copy is due
WAITS_S = 20.0  # a repeat is due later than this
PATIENCE_S = 120.0


@dataclass
class Scene:
    """A chat that follows two profiles with a daily summary, and the stories that wait for it."""

    db: Database
    box: Box
    chat: int
    posted: set[str]

    async def rows(self) -> list[Any]:
        """Return the deliveries."""
        async with self.db.read() as tx:
            return list(await tx.execute(sa.select(deliveries).order_by(deliveries.c.id)))

    async def are_held(self) -> bool:
        rows = await self.rows()
        return len(rows) == len(self.posted) and all(row.held == "digest" for row in rows)

    async def is_over(self) -> bool:
        return all(row.state != "open" for row in await self.rows())

    async def are_judged(self, at: float) -> bool:
        """Return whether each delivery has ended or waits for a repeat, at a clock of a child."""
        later = utc_now() + timedelta(seconds=at + WAITS_S)
        rows = [row for row in await self.rows() if row.state == "open"]
        return all(row.copies and row.due_at > later for row in rows)


async def _scene(db: Database, box: Box) -> Scene:
    chat = await box.control.person(started=True)
    hour = utc_now() + timedelta(seconds=HOUR_S)
    for name in NAMES:
        shown = await box.control.profile(name, posts_per_day=0)
        async with db.begin() as tx:
            profile = Profile(str(shown["pk"]), name)
            await follow(tx, chat, profile, options=Options(digest=True), now=utc_now())
            await chats.change(tx, chat, digest_at=hour.hour * 60 + hour.minute)
    posted = {str((await box.control.publish(name, 1))["pk"]) for name in NAMES}
    return Scene(db, box, chat, posted)


async def _messages_after(
    db: Database, step: int, moment: str
) -> tuple[Scene, list[Json], list[Any]]:
    """Kill the process at a step. Return the messages and the deliveries after the next lives.

    A step after the last step kills nothing.
    """
    url = db.url.render_as_string(hide_password=False)
    async with sandbox_box() as box:
        scene = await _scene(db, box)
        async with ringer(url, box.urls.telegram, box.urls.stories_api, box.urls.cdn) as ringing:
            async with ringing.life(0, ends_by="stop"):
                await wait_for(scene.are_held, PATIENCE_S, "the stories to wait for the summary")
            at = HOUR_S + 60
            is_killed = step <= len(STEPS)
            async with ringing.life(
                at, ends_by="kill" if is_killed else "stop", killed_at=f"{step} {moment}"
            ):
                ends = ringing.has_ended if is_killed else scene.is_over
                await wait_for(ends, PATIENCE_S, "the kill")
            at += LEASE.total_seconds() + 2
            async with ringing.life(at):
                await wait_for(lambda: scene.are_judged(at), PATIENCE_S, "what the kill met")
            if not await scene.is_over():
                async with ringing.life(at + REPEATED_S, ends_by="stop"):
                    await wait_for(scene.is_over, PATIENCE_S, "the end")
        return scene, await box.control.replies(scene.chat), await scene.rows()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "moment"), KILLS, ids=[f"{moment}: {STEPS[step - 1]}" for step, moment in KILLS]
)
async def test_a_kill_at_any_step_leaves_one_ringing_list_and_every_album(
    db: Database, step: int, moment: str
) -> None:
    scene, messages, rows = await _messages_after(db, step, moment)
    lists = [one for one in messages if "text" in one]
    ringing = [one for one in messages if "_silent" not in one]
    assert all("2 new stories" in one["text"] for one in lists)
    if (step, moment) == UNKNOWN:  # the list may have been sent before the kill
        assert ringing in ([], lists[:1])
    else:
        assert ringing == lists[:1]
    assert messages[0] == lists[0]
    assert {one["_story_pk"] for one in messages if "_story_pk" in one} == scene.posted
    assert len(messages) <= 1 + len(scene.posted) + 1  # a single send was repeated
    assert [(row.notice, row.state) for row in rows if row.notice] == [("summary", "sent")]


@pytest.mark.slow
async def test_a_summary_has_these_steps(db: Database) -> None:
    """Without a kill in any of them, there is no repeat."""
    _, messages, rows = await _messages_after(db, len(STEPS) + 1, "before")
    assert ["_silent" in one for one in messages] == [False, True, True]
    assert {row.state for row in rows} == {"sent"}
