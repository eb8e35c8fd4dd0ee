"""The bill against the ledger, whatever the vendor does: 61 faults, each way to ask, each header.

The vendor here bills whatever it has not promised to be free, at its listed price, whatever its
header says.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.billing.ledger import Charge, Ledger
from bot.domain.budget import Limits
from bot.domain.errors import MediaError, StoriesError
from bot.domain.model import Asker
from bot.domain.paid_calls import PaidCall
from bot.media.spool import Spool
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from bot.stories_api.endpoints import Endpoint
from bot.stories_api.response import ERROR_BUDGET
from tests.bot.stories_api.server import Server, api_at, response, serving
from tests.flows.test_money import counted
from tests.support.followed import DATED

MANY = 10**9
FREE = {401, 402, 410, 500, 503, 504}
"""What the vendor promises not to bill (500, 503, 504), or was never seen to."""

PAGE = b"<!DOCTYPE html><title>Just a moment</title>"
COMPLAINT = b'{"detail": "x", "exc_type": "Strange"}'
STORY = json.dumps(json.loads(Path("tests/data/stories/user_stories.json").read_bytes())[0])
PRICES: dict[str, Callable[[int], dict[str, str]]] = {
    "right": lambda price: {"x-hiker-info": f"reqs={price}"},
    "missing": lambda _: {},
    "absurd": lambda _: {"x-hiker-info": "reqs=999999"},
    "no number": lambda _: {"x-hiker-info": "reqs=1e309"},
}


@dataclass(frozen=True)
class Part:
    """One answer: the bytes by the header, whether it is billed, and what comes after it."""

    status: int
    body: bytes = COMPLAINT
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # bytes that leave; then the connection ends
    hangs: bool = False

    @property
    def is_billed(self) -> bool:
        is_edge = self.status in {403, 404} and self.body == PAGE
        return self.status not in FREE and not is_edge

    async def write(self, writer: asyncio.StreamWriter, more: dict[str, str]) -> None:
        raw = response(self.status, self.body, self.headers | more, self.length)
        writer.write(raw if self.cut is None else raw[: self.cut])
        await writer.drain()
        if self.hangs:
            await asyncio.sleep(60)


def faults() -> Iterator[tuple[str, tuple[Part, ...]]]:
    for status in (
        *(400, 401, 402, 403, 404, 405, 408, 410, 418, 422, 425, 429, 451),
        *(500, 501, 502, 503, 504, 520, 521, 522, 524, 530),
    ):
        yield f"{status}", (Part(status),)
    for status in (403, 404, 429, 502, 503, 520):
        yield f"{status}, a page of the edge", (Part(status, PAGE),)
    for status in (400, 403, 404, 422, 502):
        yield f"{status}, cut", (Part(status, length=len(COMPLAINT) + 9),)
        yield f"{status}, too long", (Part(status, b"x" * (ERROR_BUDGET + 1)),)
    for status in (403, 404):
        yield f"{status}, empty", (Part(status, b""),)
        yield f"{status}, no JSON", (Part(status, b"Forbidden"),)
    lost = {
        "good": Part(200, STORY.encode()),
        "nonsense": Part(200, b"not json"),
        "a complaint": Part(200),
        "cut": Part(200, STORY.encode(), length=len(STORY) + 9),
        "no head": Part(200, STORY.encode(), cut=20),
        "nothing": Part(200, STORY.encode(), cut=0),
        "silence": Part(200, STORY.encode(), cut=0, hangs=True),
    }
    for name, part in lost.items():
        yield f"200, {name}", (part,)
    ends = lost | {"404": Part(404), "500": Part(500), "403, cut": Part(403, length=999)}
    for name, part in ends.items():
        yield f"302, then {name}", (Part(302, b""), part)
    yield "redirects in a circle", (Part(307, b""),)


FAULTS = dict(faults())
FILE = "https://scontent.cdninstagram.com/1.jpg?oe=7FFFFFFF"


def calls(api: StoriesApi, spool: Spool) -> dict[Endpoint, PaidCall[object]]:
    url = "https://www.instagram.com/stories/natgeo/1/"
    unknown = replace(DATED, pk="1")
    return {
        Endpoint.STORY_BY_ID: api.story("1"),
        Endpoint.STORY_BY_URL: api.story("1", url),
        Endpoint.DOWNLOAD: api.download(DATED, spool),
        Endpoint.DOWNLOAD_BY_STORY_URL: api.download(unknown, spool),
        Endpoint.DOWNLOAD_BY_FILE_URL: api.download_url(FILE, spool, refuse=lambda _: None),
        Endpoint.USER_STORIES: api.stories("1"),
        Endpoint.USER_STORIES_BY_USERNAME: api.stories_by_name("natgeo"),
        Endpoint.USER_BY_USERNAME: api.profile("natgeo"),
        Endpoint.USER_HIGHLIGHTS: api.highlights("1"),
        Endpoint.HIGHLIGHT_BY_URL: api.highlight("1"),
    }


CASES = list(itertools.product(FAULTS, Endpoint, PRICES))


async def bill_of(
    parts: tuple[Part, ...], endpoint: Endpoint, header: str, ledger: Ledger, spool: Spool
) -> int:
    """Ask once; return what the vendor bills."""
    nominal = endpoint.price
    billed = 0

    async def answer(server: Server, writer: asyncio.StreamWriter) -> None:
        nonlocal billed
        part = parts[min(server.count, len(parts)) - 1]
        billed += nominal * part.is_billed
        more = PRICES[header](nominal)
        if part.status in {302, 307}:
            more["Location"] = f"{endpoint}?again={server.count}"
        await part.write(writer, more)

    async with (
        serving(answer) as server,
        api_at(server.url, deadline=30, download_deadline=30) as api,
    ):
        with suppress(StoriesError, MediaError):
            await ledger.reserve_call_and_settle(
                Charge("link", Asker(1, 2)), calls(api, spool)[endpoint]
            )
    return billed


async def walk(cases: list[tuple[str, Endpoint, str]], db: Database, folder: Path) -> None:
    ledger = Ledger(db, Limits(MANY, 0.5, MANY, MANY))
    before = 0
    with Spool(folder, limit=10**8) as spool:
        for name, endpoint, header in cases:
            billed = await bill_of(FAULTS[name], endpoint, header, ledger, spool)
            spent = await counted(db)
            booked, before = spent - before, spent
            most = endpoint.price * 5 * max(1, billed) if header == "absurd" else None
            assert booked >= billed, (name, endpoint, header)
            assert most is None or booked <= most, (name, endpoint, header)
            if header == "right":  # no phantom credits either, but what nobody can know
                assert booked <= max(billed, endpoint.price), (name, endpoint)


@pytest.mark.jumps
async def test_the_bill_is_never_above_the_ledger_whatever_the_vendor_does(
    db: Database, tmp_path: Path
) -> None:
    assert len(FAULTS) >= 60
    await walk(CASES[:: 29 if db.is_sqlite else 61], db, tmp_path)


@pytest.mark.slow
@pytest.mark.jumps
async def test_the_same_in_each_of_all_cases(sqlite_db: Database, tmp_path: Path) -> None:
    await walk(CASES, sqlite_db, tmp_path)
