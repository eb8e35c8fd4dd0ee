"""The control API's root."""

from datetime import UTC, datetime

import pytest

from tests.support.control import RefusedError, wait_for
from tests.support.sandbox import Box
from tests.support.stories import Raw


async def test_the_state_counts_calls_and_bills(sandbox: Box, api: Raw) -> None:
    first = await sandbox.control.state()
    assert first["billed"] == {"total": 0, "by_path": {}}
    assert first["calls"] == {"stories": 0, "telegram": 0, "cdn": 0}
    await api.get("/v1/user/stories", user_id="787132")
    await sandbox.session.get(sandbox.urls.cdn + "/nothing")
    after = await sandbox.control.state()
    assert after["billed"] == {"total": 2, "by_path": {"/v1/user/stories": 2}}
    assert (after["calls"]["stories"], after["calls"]["cdn"]) == (1, 1)
    assert after["now"] > first["now"]
    assert after["urls"] == vars(sandbox.urls)


async def test_the_log_goes_on_from_where_one_was(sandbox: Box, api: Raw) -> None:
    for _ in range(3):
        await api.get("/sys/balance")
    entries = await sandbox.control.requests("stories", after=1)
    assert [entry["n"] for entry in entries] == [2, 3]
    assert entries[0]["at"] <= entries[1]["at"]
    assert await sandbox.control.requests("cdn") == []


async def test_profiles_are_made_shown_and_changed(sandbox: Box) -> None:
    made = await sandbox.control.profile("Ann", is_private=True, full_name="Ann A.")
    assert (made["username"], made["is_private"], made["full_name"]) == ("ann", True, "Ann A.")
    changed = await sandbox.control.change_profile(
        "ann", username="annie", is_private=False, full_name="B", is_verified=True, posts_per_day=4
    )
    assert changed["pk"] == made["pk"]
    shown = await sandbox.control.call("GET", "/profiles/annie")
    assert (shown["username"], shown["is_private"], shown["posts_per_day"]) == ("annie", False, 4)


async def test_a_profile_that_posts_by_itself(sandbox: Box) -> None:
    await sandbox.control.profile("eager", posts_per_day=240)
    await sandbox.control.advance(3_600)
    assert 8 <= len(await sandbox.control.stories("eager")) <= 13


@pytest.mark.parametrize("as_text", [False, True])
async def test_a_story_may_be_of_an_earlier_time(sandbox: Box, as_text: bool) -> None:
    at = (await sandbox.control.state())["now"] - 7_200
    moment = datetime.fromtimestamp(at, UTC)
    story = await sandbox.control.publish(
        "quiet", 2, taken_at=moment.isoformat() if as_text else at, bytes=3_000_000
    )
    assert story["taken_at"] == f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    async with sandbox.session.get(story["video_url"]) as answer:
        assert len(await answer.read()) == 3_000_000


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/profiles", {}, "400"),
        ("POST", "/profiles", {"username": "natgeo"}, "409"),
        ("POST", "/profiles", {"username": "a", "posts_per_day": -1}, "400"),
        ("PATCH", "/profiles/quiet", {"username": "natgeo"}, "409"),
        ("PATCH", "/profiles/nobody", {}, "404"),
        ("GET", "/profiles/nobody/stories", None, "404"),
        ("POST", "/profiles/quiet/stories", {"media_type": 8}, "400"),
        ("POST", "/profiles/quiet/stories", {"mentions": "prada"}, "400"),
        ("POST", "/profiles/quiet/stories", {"taken_at": "noon"}, "400"),
        ("DELETE", "/profiles/quiet/stories/1", None, "404"),
        ("POST", "/clock", {"advance_s": "much"}, "400"),
        ("POST", "/clock", {"advance_s": -1}, "400"),
        ("DELETE", "/faults/x", None, "400"),
        ("GET", "/requests?after=x", None, "400"),
    ],
)
async def test_what_a_caller_gets_wrong(
    sandbox: Box, method: str, path: str, body: dict[str, object] | None, said: str
) -> None:
    with pytest.raises(RefusedError, match=f"{said} .*error"):
        await sandbox.control.call(method, path, body)


@pytest.mark.parametrize("raw", ["[1]", "{", "nonsense"])
async def test_bodies_are_json_objects(sandbox: Box, raw: str) -> None:
    async with sandbox.session.post(sandbox.urls.page + "/control/clock", data=raw) as answer:
        assert answer.status == 400


async def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(AssertionError, match="the moon"):
        await wait_for(lambda: None, 0.05, "the moon")
