"""A pasted address of a file that its host refuses to the bot is bought, and only then."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.domain.budget import Limits
from bot.domain.errors import MEDIA_GONE
from bot.domain.model import Album, Asker, Sent, Story, Target
from bot.fetching.downloads import Downloads
from bot.media.spool import MediaFile
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from handlers.show import story_from_media_url
from tests.support import rows
from tests.support.control import Json
from tests.support.telegram import Bench, bench, utc_now

BY_FILE_URL = "/v1/story/download/by/url"
DENIED: Json = {"status": 403, "body": "URL signature mismatch"}


class Desk:
    """A sender that buys, and a profile with a story whose address is pasted."""

    def __init__(self, ours: Bench, db: Database, ann: int, story: Json) -> None:
        self.ours, self.db, self.ann, self.story = ours, db, ann, story
        self.url = str(story["thumbnail_url"])

    async def paste(self, url: str) -> dict[str, str]:
        """Send a pasted address. Return the failures."""
        album = Album((story_from_media_url(url, utc_now()),))
        outcome = await self.ours.sender.send_album_and_buy_missing_files(
            Target(self.ann), album, asker=Asker(self.ann, self.ann)
        )
        assert isinstance(outcome, Sent), outcome
        return dict(outcome.failed)

    async def costs(self, paid: int) -> None:
        """Compare the bill and the ledger with ``paid`` credits."""
        async with self.db.read() as tx:
            counted = await rows.all_spent(tx)
        assert (await self.ours.control.billed(), counted) == (paid, paid)
        assert self.ours.spool.used == 0


@asynccontextmanager
async def desk(
    db: Database, folder: Path, *, blocked: str = "", allowance: int = 100
) -> AsyncIterator[Desk]:
    buyers: list[Downloads] = []

    async def buy(story: Story, asker: Asker) -> MediaFile:
        return await buyers[0](story, asker)

    async with bench(db, folder / "spool", fallback=buy) as ours:
        api = StoriesApi(
            ours.box.session,
            url=ours.box.urls.stories_api,
            key=SecretStr("key"),
            fetch_media=ours.media.fetch,
        )
        ledger = Ledger(db, Limits(1000, person_daily_allowance=allowance))
        fetch = partial(ours.media.fetch, max_bytes=10**7)
        buyers.append(Downloads(api, ledger, ours.spool, fetch, frozenset({blocked})))
        await ours.control.profile("pasted.one", posts_per_day=0)
        story = await ours.control.publish("pasted.one")
        ann = await ours.control.person(started=True)
        yield Desk(ours, db, ann, story)


async def test_an_address_that_the_host_refuses_is_bought_once(
    sqlite_db: Database, tmp_path: Path
) -> None:
    async with desk(sqlite_db, tmp_path) as at:
        await at.ours.control.stories_api(download_mode="json_story")
        # Telegram and the bot are refused. The address in an answer of the API works again.
        await at.ours.control.fault("cdn", DENIED, times=2)
        assert await at.paste(at.url) == {}
        await at.costs(1)
        assert await at.ours.control.billed(BY_FILE_URL) == 1
        assert await at.paste(at.url) == {}
        await at.costs(1)
        assert await at.ours.sources(at.ann) == [
            (at.story["pk"], "upload"),
            (at.story["pk"], "file_id"),
        ]


@pytest.mark.parametrize("mode", ["binary", "redirect", "json_url"])
async def test_a_bought_file_whose_account_is_not_named_is_not_shown(
    sqlite_db: Database, tmp_path: Path, mode: str
) -> None:
    async with desk(sqlite_db, tmp_path, blocked="pasted.one") as at:
        await at.ours.control.stories_api(download_mode=mode)
        await at.ours.control.fault("cdn", DENIED, times=2)
        assert list((await at.paste(at.url)).values()) == [MEDIA_GONE]
        await at.costs(1)
        assert await at.ours.control.replies(at.ann) == []


async def test_purchases_stop_after_three_answers_without_an_account_in_a_row(
    sqlite_db: Database, tmp_path: Path
) -> None:
    async with desk(sqlite_db, tmp_path) as at:

        async def paste_new(mode: str) -> list[str]:
            story = await at.ours.control.publish("pasted.one")
            await at.ours.control.stories_api(download_mode=mode)
            await at.ours.control.fault("cdn", DENIED, times=2)
            return list((await at.paste(str(story["thumbnail_url"]))).values())

        assert await paste_new("binary") == [MEDIA_GONE]
        assert await paste_new("binary") == [MEDIA_GONE]
        assert await paste_new("json_story") == []
        await at.costs(3)
        for paid in (4, 5, 6, 6):
            assert await paste_new("binary") == [MEDIA_GONE]
            await at.costs(paid)


@pytest.mark.parametrize(
    ("case", "paid"),
    [
        ("unsigned", 0),
        ("expired", 0),
        ("gone", 0),
        ("sick", 0),
        ("limit", 0),
        ("private", 1),
        ("blocked", 1),
    ],
)
async def test_an_address_is_not_bought_or_not_shown(
    sqlite_db: Database, tmp_path: Path, case: str, paid: int
) -> None:
    blocked = "pasted.one" if case == "blocked" else ""
    allowance = 0 if case == "limit" else 100
    async with desk(sqlite_db, tmp_path, blocked=blocked, allowance=allowance) as at:
        control, url, status = at.ours.control, at.url, {"gone": 404, "sick": 503}.get(case, 403)
        await control.fault("cdn", {"status": status}, times=None)
        await control.stories_api(download_mode="json_story")
        if case == "unsigned":
            url = url.partition("?")[0]
        elif case == "expired":
            url = re.sub("oe=[0-9A-Fa-f]+", "oe=6900BEEF", url)
            assert "oe=6900BEEF" in url
        elif case == "private":
            await control.change_profile("pasted.one", is_private=True)
        failures = await at.paste(url)
        assert len(failures) == 1
        if case in {"unsigned", "expired", "gone", "private", "blocked"}:
            assert list(failures.values()) == [MEDIA_GONE]
        await at.costs(paid)
        # A refused account's file is not loaded from the address in the answer.
        loads = await control.requests("cdn")
        assert len(loads) == (0 if case == "expired" else 2), loads
        assert await control.replies(at.ann) == []
