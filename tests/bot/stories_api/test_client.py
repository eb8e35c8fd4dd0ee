"""The adapter against the sandbox: every endpoint, every case it knows, every credit."""

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bot.domain.errors import (
    ApiRefusedError,
    NoSuchProfileError,
    OutOfServiceError,
    ProfilePrivateError,
    StoryGoneError,
)
from bot.domain.model import Profile
from bot.media.download import Media
from bot.media.spool import Spool
from bot.runtime.clock import Clock
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from bot.stories_api.endpoints import Endpoint
from bot.stories_api.privacy import PrivacyCheck
from tests.support.sandbox import Box
from tests.support.spooled import kept


def api_of(
    box: Box, *, key: str = "any", privacy: PrivacyCheck | None = None, media: Media | None = None
) -> StoriesApi:
    return StoriesApi(
        box.session,
        url=box.urls.stories_api,
        key=SecretStr(key),
        privacy=privacy,
        fetch_media=media.fetch if media else None,
        rate=1000,
    )


async def test_every_endpoint_and_what_it_costs(box: Box, tmp_path: Path) -> None:
    with Spool(tmp_path, limit=10**8) as spool:
        media = Media(box.session, spool, trusted_origin=box.urls.cdn)
        api = api_of(box, media=media)
        profile = await api.profile("natgeo")
        stories = await api.stories(profile.value.profile_id)
        story = stories.value[0]
        one = await api.story(story.pk)
        by_url = await api.story("1", story.page_url)
        by_name = await api.stories_by_name("natgeo")
        assert [one.pk for one in by_name.value] == [one.pk for one in stories.value]
        assert by_name.credits == 3
        listed = await api.highlights(profile.value.profile_id)
        opened = await api.highlight(listed.value[0].pk)
        assert (listed.credits, opened.credits) == (2, 1)
        assert len(opened.value.stories) == listed.value[0].count
        assert [profile.credits, stories.credits] == [1, 2]
        assert story.pk == one.value.pk == by_url.value.pk
        seen: list[Profile | None] = []
        for mode in ("binary", "redirect", "json_url", "json_story"):
            await box.control.stories_api(download_mode=mode)
            answer = await api.download(story, spool)
            with kept(answer.value) as file:
                assert (file.kind, answer.credits) == ("video", 1)
                assert (file.width, file.height, file.duration) == (720, 1280, 15.0)
            answer = await api.download_url(story.media_url or "", spool, refuse=seen.append)
            with kept(answer.value) as file:
                assert (file.kind, answer.credits) == ("video", 1)
            with pytest.raises(ApiRefusedError):  # of an id that holds no date the page is asked
                await api.download(replace(story, pk="1"), spool)
        # Only a Story names its account.
        assert [one and one.username for one in seen] == [None, None, None, "natgeo"]
        assert spool.used == 0
    billed = (await box.control.state())["billed"]["by_path"]
    assert {path: billed[path] for path in Endpoint} == {
        Endpoint.USER_BY_USERNAME: 1,
        Endpoint.USER_STORIES: 2,
        Endpoint.USER_STORIES_BY_USERNAME: 3,
        Endpoint.USER_HIGHLIGHTS: 2,
        Endpoint.HIGHLIGHT_BY_URL: 1,
        Endpoint.STORY_BY_ID: 1,
        Endpoint.STORY_BY_URL: 1,
        Endpoint.DOWNLOAD: 4,
        Endpoint.DOWNLOAD_BY_STORY_URL: 4,
        Endpoint.DOWNLOAD_BY_FILE_URL: 4,
    }


@pytest.mark.parametrize("form", ["plain", "json"])
async def test_the_privacy_check_is_skipped_only_when_the_operator_says_so(
    box: Box, sqlite_db: Database, form: str
) -> None:
    await box.control.stories_api(info_format=form)
    careful, careless = (
        api_of(box),
        api_of(box, privacy=PrivacyCheck(sqlite_db, "true", now=Clock())),
    )
    locked = (await careful.profile("locked")).value
    assert locked.is_private
    with pytest.raises(ProfilePrivateError) as caught:
        await careful.stories(locked.profile_id)
    assert caught.value.credits == 2
    assert not [r for r in await box.control.requests("stories") if "force" in str(r["params"])]
    nothing = await careless.stories(locked.profile_id)
    assert (nothing.value, nothing.credits, nothing.is_checked) == ([], 1, False)
    assert (careful.checks_privacy, careless.checks_privacy) == (True, False)


async def test_what_is_not_there(box: Box) -> None:
    api = api_of(box)
    quiet = (await api.profile("quiet")).value.profile_id
    assert (await api.stories(quiet)).value == []
    with pytest.raises(NoSuchProfileError) as caught:
        await api.profile("nobody.here")
    assert (caught.value.credits, caught.value.fields) == (1, {"username": "nobody.here"})
    with pytest.raises(StoryGoneError):
        await api.story("3870828041672894129")
    with pytest.raises((ApiRefusedError, StoryGoneError)):
        await api.story("1", "https://example.com/")
    thirty = (await api.profile("thirty")).value.profile_id
    assert len((await api.stories(thirty)).value) == 30


@pytest.mark.parametrize("key", ["bad-key", "empty-key"])
async def test_the_key_and_the_money(box: Box, key: str) -> None:
    api = api_of(box, key=key)
    with pytest.raises(OutOfServiceError):
        await api.fetch_balance_and_resume()
    good = api_of(box)
    balance = await good.fetch_balance_and_resume()
    assert balance.credits > 0
    assert balance.rate == 15
    assert await box.control.billed() == 0


async def test_a_dead_session_is_an_error_of_ours() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    api = StoriesApi(session, url="http://127.0.0.1:9", key=SecretStr("k"))
    with pytest.raises(RuntimeError):
        await api.fetch_balance_and_resume()
