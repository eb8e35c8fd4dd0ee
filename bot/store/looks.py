"""Looks: what any look at a profile showed, whoever asked for it, recorded all or nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot import policy
from bot.domain import Profile, Story
from bot.store import notes, owed, profiles, stories
from bot.store.database import Tx
from bot.store.profiles import Known

GATHER = timedelta(minutes=5)
"""How long a chat's missed hours are gathered, so that one line tells of all profiles."""

PLAN = "look_plan"
"""The note with the pace of the looks, in seconds: ``{"interval": …, "floor": …}``."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at ``profile`` showed; ``partial``: one story of perhaps many."""

    profile: Profile
    stories: tuple[Story, ...]
    partial: bool = False


async def record(tx: Tx, look: Look, *, now: datetime) -> list[str]:
    """Keep what a look showed and owe it to all who wait; return the pks of new stories.

    A whole look also tells what may have been missed since the last one, and moves the next.
    """
    before = await named(tx, look.profile, now=now)
    new = await stories.add(tx, look.stories, now=now)
    if before.next_look_at is not None and new:
        await owed.add_stories(tx, before.profile_id, new, now=now)
    if not look.partial:
        await _finish(tx, before, now=now)
    return new


async def named(tx: Tx, profile: Profile, *, now: datetime) -> Known:
    """Keep who the API says a profile is, tell of a new name; return what was known before."""
    before = await profiles.ensure(tx, profile, now=now)
    if before.next_look_at is not None and before.username != profile.username:
        names = {"old": before.username, "new": profile.username}
        await _tell(tx, before, "renamed", names, now=now)
    return before


async def _finish(tx: Tx, before: Known, *, now: datetime) -> None:
    """Note that the profile could be seen whole."""
    followed = before.next_look_at is not None
    if followed and before.state != "active":
        await _tell(tx, before, "back", {"username": before.username}, now=now)
    missed = policy.missed_hours(before.looked_at, now)
    if followed and missed and before.state == "active":
        fields = {"username": before.username, "from": _ms(missed[0]), "to": _ms(missed[1])}
        await owed.add_notices(
            tx,
            before.profile_id,
            "missed",
            fields,
            due_at=now + GATHER,
            now=now,
            following_since=missed[1],
        )
    await profiles.change(
        tx,
        before.profile_id,
        state="active",
        state_since=before.state_since if before.state == "active" else now,
        looked_at=now,
        failures=0,
        next_look_at=await next_look(tx, now=now) if followed else None,
    )


async def next_look(tx: Tx, *, now: datetime) -> datetime:
    """Return when a profile seen now is looked at next."""
    plan = await notes.get(tx, PLAN) or {"interval": 3600, "floor": 600}
    return policy.next_look_at(
        now,
        interval=timedelta(seconds=plan["interval"]),
        floor=timedelta(seconds=plan["floor"]),
    )


async def plan(
    tx: Tx, *, credits_a_day: int, credits_a_look: int, floor: timedelta, now: datetime
) -> None:
    """Note the pace that spends the budget evenly over what is followed now."""
    followed = await profiles.followed(tx)
    interval = policy.even_interval(followed, credits_a_look, credits_a_day)
    pace = {"interval": interval.total_seconds(), "floor": floor.total_seconds()}
    await notes.put(tx, PLAN, pace, now=now)


async def fail(
    tx: Tx, profile_id: str, why: Literal["private", "gone", "error"], *, now: datetime
) -> None:
    """Keep that a look failed: the next one is later, and who waits is told once.

    One answer "no such account" proves nothing; the second in a row does.
    """
    before = await profiles.hold(tx, profile_id)
    if before is None:
        return
    failures = before.failures + 1
    state = before.state
    if why == "private" or (why == "gone" and failures > 1):
        state = why
    told = state != before.state and before.next_look_at is not None
    if told and state != "active":
        await _tell(tx, before, state, {"username": before.username}, now=now)
    pause_over = (
        policy.look_again_at(now, failures)
        if state == "active"
        else now + policy.UNAVAILABLE_PAUSE
    )
    await profiles.change(
        tx,
        profile_id,
        state=state,
        state_since=now if state != before.state else before.state_since,
        failures=failures,
        next_look_at=pause_over if before.next_look_at is not None else None,
    )


async def _tell(
    tx: Tx, known: Known, notice: str, fields: dict[str, str], *, now: datetime
) -> None:
    await owed.add_notices(tx, known.profile_id, notice, fields, due_at=now, now=now)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
