"""A poll skips the privacy check only while that is safe, and shows nothing that is hidden."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.privacy import World, week, world
from bot.domain.model import Story
from bot.store import profiles, stories
from bot.store.engine.database import Database
from bot.stories_api.privacy import CONFIRMED_FOR, WITHIN, PrivacyCheck, SkipCheck, Trust
from sandbox.instagram import Profile
from tests.support.followed import NOON, story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
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


async def _shy_profiles(here: World, shown: str) -> list[Profile]:
    """Follow two profiles that will be private for a time, and a public profile."""
    instagram = here.sandbox.instagram
    shy = [instagram.add_profile(name, posts_per_day=0) for name in ("shy.a", "shy.b")]
    instagram.add_profile("open", posts_per_day=0)
    here.sandbox.stories_api.configure({"forced_private": shown})
    for name in ("shy.a", "shy.b", "open"):
        await here.follow(name)
    return shy


@pytest.mark.slow
@pytest.mark.parametrize("shown", ["PrivateAccount", "empty"])
async def test_accounts_made_private_at_the_daily_check_do_not_make_all_checks_dearer(
    tmp_path: Path, shown: str
) -> None:
    async with world("auto", tmp_path, budget=120) as here:
        begin = here.now()
        shy = await _shy_profiles(here, shown)
        await here.go_on(20 * HOUR, STEP)
        for profile in shy:
            here.sandbox.instagram.publish(profile, 1)
        await here.go_on(begin + DAY - here.now(), 60.0)
        for profile in shy:
            profile.is_private = True
        await here.go_on(6 * HOUR, 600.0)
        assert [await state_of(here, name) for name in ("shy.a", "shy.b")] == ["private"] * 2
        assert not here.told


@pytest.mark.slow
async def test_accounts_that_post_in_private_and_reopen_do_not_make_all_checks_dearer(
    tmp_path: Path,
) -> None:
    async with world("auto", tmp_path, budget=120) as here:
        begin = here.now()
        shy = await _shy_profiles(here, "empty")
        await here.go_on(20 * HOUR, STEP)
        for profile in shy:
            profile.is_private = True
            here.sandbox.instagram.publish(profile, 1)
        await here.go_on(begin + DAY - here.now(), 60.0)
        for profile in shy:
            profile.is_private = False
        await here.go_on(6 * HOUR, 600.0)
        assert [await seen_of(here, name) for name in ("shy.a", "shy.b")] == [1, 1]
        assert not here.told


@pytest.mark.slow
async def test_a_deleted_story_makes_only_one_check_dearer(tmp_path: Path) -> None:
    async with world("auto", tmp_path, budget=60) as here:
        profile = here.sandbox.instagram.add_profile("deletes", posts_per_day=0)
        await here.follow("deletes")
        here.sandbox.instagram.publish(profile, 1)
        await here.go_on(2 * HOUR, 600.0)
        assert await seen_of(here, "deletes") == 1
        profile.stories.clear()
        _, full = await polls(here)
        await here.go_on(5 * HOUR, 600.0)
        assert (await polls(here))[1] == full + 1
        assert not here.told


@pytest.mark.slow
async def test_stories_deleted_after_each_check_make_few_checks_dearer(tmp_path: Path) -> None:
    async with world("auto", tmp_path, budget=120) as here:
        instagram = here.sandbox.instagram
        profile = instagram.add_profile("deletes", posts_per_day=0)
        await here.follow("deletes")
        end, posts = here.now() + 8 * HOUR, 0
        while here.now() < end:
            if profile.stories and await seen_of(here, "deletes") == posts:
                profile.stories.clear()
            elif not profile.stories:
                instagram.publish(profile, 1)
                posts += 1
            await here.go_on(5 * MINUTE, 300.0)
        assert posts > 10
        subscribed = 1  # the check at the subscription
        assert (await polls(here))[1] - subscribed <= 1 + 8 * HOUR / CONFIRMED_FOR
        assert not here.told


OLD, FRESH = story("1", NOON - HOUR), story("2", NOON - timedelta(minutes=5))


@pytest.mark.parametrize(
    ("unchecked", "checked", "is_ended"),
    [
        ([OLD], None, True),  # stories of a private account
        ([], None, False),
        ([], [OLD], True),
        ([], [FRESH], False),  # it may not have appeared everywhere
        ([OLD], [OLD, FRESH], False),
        ([OLD], [], False),
    ],
)
async def test_an_unchecked_answer_is_wrong_if_it_hides_an_old_story_or_shows_a_private_one(
    sqlite_db: Database, unchecked: list[Story], checked: list[Story] | None, is_ended: bool
) -> None:
    privacy = PrivacyCheck(sqlite_db, "auto", now=lambda: NOON)
    for profile_id in ("1", "2"):
        await privacy.record_if_unchecked_was_wrong(
            profile_id, unchecked=unchecked, checked=checked, at=NOON
        )
    assert privacy.may_skip_privacy_check(NOON) != is_ended


def test_two_profiles_within_two_days_end_the_trust_and_one_never_does() -> None:
    trust = Trust()
    assert not any(
        trust.record_wrong_unchecked_and_detect_end("a", NOON + n * HOUR) for n in range(20)
    )
    assert not trust.record_wrong_unchecked_and_detect_end("b", NOON + 20 * HOUR + WITHIN)
    assert trust.record_wrong_unchecked_and_detect_end("c", NOON + 21 * HOUR + WITHIN)
    # The end of the trust is reported once.
    assert not trust.record_wrong_unchecked_and_detect_end("d", NOON + 22 * HOUR + WITHIN)


@pytest.mark.long
async def test_a_week_by_auto_makes_nearly_twice_the_looks(tmp_path: Path) -> None:
    paid = await week("false", tmp_path, count=10, budget=120, days=7)
    auto = await week("auto", tmp_path, count=10, budget=120, days=7)
    assert paid.credits_a_look > 1.9
    assert auto.credits_a_look < 1.25
    assert auto.looks > 1.5 * paid.looks
    assert auto.mean_delay_min < paid.mean_delay_min
