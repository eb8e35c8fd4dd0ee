"""A poll skips the privacy check only while that is safe, and shows nothing that is hidden."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from operator import add
from pathlib import Path
from typing import Any

import pytest

from benchmarks.privacy import World, week, world
from bot.store import profiles, stories
from bot.stories_api.privacy import WITHIN, PrivacyCheck, SkipCheck, Trust
from tests.support.followed import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEP = 1800.0
PATH = "/v1/user/stories"


async def polls(here: World) -> tuple[int, int]:
    """Return the forced and the full polls so far."""
    log: list[Any] = here.sandbox.log.since(0, "stories")
    forced = [bool(one["params"].get("force")) for one in log if one["path"] == PATH]
    return forced.count(True), forced.count(False)


async def state_of(here: World, username: str) -> str:
    profile = here.sandbox.instagram.by_username(username)
    assert profile is not None
    async with here.db.read() as tx:
        known = await profiles.get(tx, profile.pk)
    assert known is not None
    return known.state


async def seen_of(here: World, username: str) -> int:
    profile = here.sandbox.instagram.by_username(username)
    assert profile is not None
    async with here.db.read() as tx:
        return len(await stories.live_stories(tx, profile.pk, now=here.now()))


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "is_cheap"), [("auto", True), ("false", False)])
async def test_polls_of_a_public_profile_pay_in_full_once_a_day(
    tmp_path: Path, mode: SkipCheck, is_cheap: bool
) -> None:
    async with world(mode, tmp_path, budget=60) as here:
        here.sandbox.instagram.add_profile("plain", posts_per_day=6)
        await here.follow("plain")
        await here.go_on(1.3 * DAY, STEP)
        forced, full = await polls(here)
        if is_cheap:
            assert forced > 15
            assert 1 <= full - 1 <= 2  # the look at subscribing aside
        else:
            assert forced == 0
            assert full > 15
        assert not here.told


@pytest.mark.slow
@pytest.mark.parametrize("shown", ["empty", "stories", "UserNotFound", "PrivateAccount"])
async def test_a_profile_that_becomes_private_is_seen_to_be_and_never_shown(
    tmp_path: Path, shown: str
) -> None:
    async with world("auto", tmp_path, budget=60) as here:
        instagram = here.sandbox.instagram
        profile = instagram.add_profile("shy")
        instagram.publish(profile, 1)
        here.sandbox.stories_api.configure({"forced_private": shown})
        await here.follow("shy")
        await here.go_on(2 * HOUR, STEP)
        before = await seen_of(here, "shy")
        profile.is_private = True
        instagram.publish(profile, 1)
        await here.go_on(26 * HOUR, STEP)
        assert await state_of(here, "shy") == "private"
        assert await seen_of(here, "shy") <= before  # nothing that was posted in private


@pytest.mark.slow
@pytest.mark.parametrize("shown", ["empty", "stories", "UserNotFound", "PrivateAccount"])
async def test_two_accounts_that_become_private_do_not_make_all_checks_dearer(
    tmp_path: Path, shown: str
) -> None:
    async with world("auto", tmp_path, budget=60) as here:
        instagram = here.sandbox.instagram
        shy = [instagram.add_profile(name) for name in ("shy.a", "shy.b")]
        instagram.add_profile("open", posts_per_day=0)
        instagram.publish(shy[0], 1)
        here.sandbox.stories_api.configure({"forced_private": shown})
        for name in ("shy.a", "shy.b", "open"):
            await here.follow(name)
        await here.go_on(2 * HOUR, STEP)
        for profile in shy:
            profile.is_private = True
        await here.go_on(26 * HOUR, STEP)
        assert [await state_of(here, name) for name in ("shy.a", "shy.b")] == ["private"] * 2
        assert not here.told
        forced, _ = await polls(here)
        await here.go_on(2 * HOUR, STEP)
        assert (await polls(here))[0] > forced


@pytest.mark.parametrize(("hours", "is_ended"), [(23, False), (24, True)])
async def test_only_a_refusal_of_the_daily_checked_answer_contradicts(
    tmp_path: Path, hours: int, is_ended: bool
) -> None:
    told: list[str | None] = []

    async def tell(text: str | None, /, **_: object) -> None:
        told.append(text)

    async with world("auto", tmp_path, budget=60) as here:
        found = []
        for name in ("leak.a", "leak.b"):
            profile = here.sandbox.instagram.add_profile(name)
            await here.follow(name)
            async with here.db.read() as tx:
                found.append(await profiles.get(tx, profile.pk))
        for known in found:
            assert known is not None
            assert known.checked_at is not None
            at = known.checked_at
            privacy = PrivacyCheck(here.db, "auto", tell=tell, now=partial(add, at, hours * HOUR))
            unchecked = replace(known, snapshot_at=at + HOUR)
            await privacy.record_answer_contradicted_by_refusal(unchecked)
    assert bool(told) == is_ended


def test_two_profiles_within_two_days_end_the_trust_and_one_never_does() -> None:
    trust = Trust()
    assert not any(trust.record_and_return_if_trust_ended("a", NOON + n * HOUR) for n in range(20))
    assert not trust.record_and_return_if_trust_ended("b", NOON + 20 * HOUR + WITHIN)
    assert trust.record_and_return_if_trust_ended("c", NOON + 21 * HOUR + WITHIN)
    assert not trust.record_and_return_if_trust_ended(
        "d", NOON + 22 * HOUR + WITHIN
    )  # it is told once


@pytest.mark.long
async def test_a_week_by_auto_makes_nearly_twice_the_looks(tmp_path: Path) -> None:
    paid = await week("false", tmp_path, count=10, budget=120, days=7)
    auto = await week("auto", tmp_path, count=10, budget=120, days=7)
    assert paid.credits_a_look > 1.9
    assert auto.credits_a_look < 1.25
    assert auto.looks > 1.5 * paid.looks
    assert auto.mean_delay_min < paid.mean_delay_min
