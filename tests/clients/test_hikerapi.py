"""The vendor's own client of the Stories API against the sandbox, sync and async."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import hikerapi
import pytest

from sandbox import media
from tests.support.control import Json
from tests.support.sandbox import Box, sandbox_box

Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
async def sandbox() -> AsyncIterator[Box]:
    """Run a sandbox of one's own."""
    async with sandbox_box() as running:
        yield running


@pytest.fixture(params=["sync", "async"])
async def ask(request: pytest.FixtureRequest, sandbox: Box) -> AsyncIterator[Ask]:
    """Call a method of the client by its name; only its address is ours."""
    if request.param == "async":
        client = hikerapi.AsyncClient(token="some-key")
        remote = client._client  # noqa: SLF001 - it takes no address
        remote.base_url = sandbox.urls.stories_api

        async def call(method: str, **params: Any) -> Any:
            return await getattr(client, method)(**params)

        yield call
        await remote.aclose()
        return
    blocking = hikerapi.Client(token="some-key")
    blocking_remote = blocking._client  # noqa: SLF001 - as above
    blocking_remote.base_url = sandbox.urls.stories_api

    async def in_thread(method: str, **params: Any) -> Any:
        return await asyncio.to_thread(getattr(blocking, method), **params)

    yield in_thread
    blocking_remote.close()


async def _natgeo(sandbox: Box) -> tuple[Json, str]:
    story = (await sandbox.control.stories("natgeo"))[0]
    return story, f"https://www.instagram.com/stories/natgeo/{story['pk']}/"


async def test_stories_of_a_profile(sandbox: Box, ask: Ask) -> None:
    by_name = await ask("user_stories_by_username_v1", username="natgeo", amount=2)
    by_id = await ask("user_stories_v1", user_id="787132", force=True)
    assert [s["pk"] for s in by_name] == [s["pk"] for s in by_id][:2]
    assert len(by_id) == 3
    assert await sandbox.control.billed() == 3 + 1


async def test_one_story(sandbox: Box, ask: Ask) -> None:
    story, link = await _natgeo(sandbox)
    for got in (
        await ask("story_by_id_v1", id=story["id"]),
        await ask("story_by_url_v1", url=link),
    ):
        assert (got["pk"], got["code"], got["taken_at"]) == (
            story["pk"],
            story["code"],
            story["taken_at"],
        )
    assert await sandbox.control.billed() == 2


async def test_downloads_are_bytes(sandbox: Box, ask: Ask) -> None:
    story, link = await _natgeo(sandbox)
    for got in (
        await ask("story_download_v1", id=story["pk"]),
        await ask("story_download_by_story_url_v1", url=link),
        await ask("story_download_by_url_v1", url=story["video_url"]),
    ):
        assert isinstance(got, bytes)
        assert got[4:8] == b"ftyp"
        assert media.story_pk_of(got) == story["pk"]
    assert await sandbox.control.billed() == 3


async def test_profiles_and_shares(ask: Ask) -> None:
    by_name = await ask("user_by_username_v1", username="natgeo")
    by_id = await ask("user_by_id_v1", id="787132")
    assert by_name["pk"] == by_id["pk"] == "787132"
    code = base64.urlsafe_b64encode(b"highlight:17900000000000000").decode()
    share = await ask("share_by_url_v1", url=f"https://www.instagram.com/s/{code}")
    assert share == {"pk": "17900000000000000", "type": "highlight"}


async def test_errors_come_as_objects(sandbox: Box, ask: Ask) -> None:
    missing = await ask("user_stories_by_username_v1", username="nobody")
    assert missing["exc_type"] == "UserNotFound"
    private = await ask("user_stories_by_username_v1", username="locked")
    assert private["exc_type"] == "PrivateAccount"
    await sandbox.control.stories_api(balance=0)
    unfunded = await ask("user_by_username_v1", username="natgeo")
    assert (unfunded["state"], unfunded["exc_type"]) == (False, "InsufficientFunds")
