"""The moment when a send leaves: told once before each, and who objects keeps it from leaving."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from telegram import InputMediaPhoto

from bot.telegram.departure import departing
from tests.bot.telegram.test_request import server
from tests.support.telegram import bot_at

PHOTO = "AgACphoto"


class Desk:
    """Notes, in order, what was told and what reached the server."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def tell(self) -> None:
        self.seen.append("told")

    async def answer(self, request: web.Request) -> web.Response:
        method = request.path.rpartition("/")[2]
        self.seen.append(method)
        message = {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}
        result: Any = [message] if method == "sendMediaGroup" else message
        return web.json_response({"ok": True, "result": True if "delete" in method else result})


async def run(
    desk: Desk, work: Callable[[Any], Awaitable[Any]], tell: Callable[[], Awaitable[None]] | None
) -> None:
    token = departing.set(tell)
    try:
        async with server(desk.answer) as url, bot_at(url, paced=False) as bot:
            await work(bot)
    finally:
        departing.reset(token)


@pytest.mark.parametrize(
    ("work", "method"),
    [
        (lambda bot: bot.send_message(1, "hi"), "sendMessage"),
        (lambda bot: bot.send_photo(1, PHOTO), "sendPhoto"),
        (lambda bot: bot.send_media_group(1, [InputMediaPhoto(PHOTO)]), "sendMediaGroup"),
    ],
)
async def test_it_is_told_before_each_send(
    work: Callable[[Any], Awaitable[Any]], method: str
) -> None:
    desk = Desk()
    await run(desk, work, desk.tell)
    assert desk.seen == ["told", method]


async def test_what_sends_nothing_is_not_told() -> None:
    desk = Desk()
    await run(desk, lambda bot: bot.delete_message(1, 1), desk.tell)
    assert desk.seen == ["deleteMessage"]


async def test_where_nobody_listens_it_leaves_all_the_same() -> None:
    desk = Desk()
    await run(desk, lambda bot: bot.send_message(1, "hi"), None)
    assert desk.seen == ["sendMessage"]


async def test_who_objects_keeps_it_from_leaving() -> None:
    desk = Desk()

    async def object_to_it() -> None:
        raise ZeroDivisionError

    with pytest.raises(Exception, match="ZeroDivisionError") as caught:
        await run(desk, lambda bot: bot.send_message(1, "hi"), object_to_it)
    assert isinstance(caught.value.__cause__ or caught.value, ZeroDivisionError)
    assert desk.seen == []


async def test_each_task_is_told_of_its_own_sends() -> None:
    desk, told = Desk(), []

    async def send(bot: Any, name: str) -> None:
        async def tell() -> None:
            told.append(name)

        departing.set(tell)
        await bot.send_message(1, name)
        await bot.send_message(1, name)

    async def both(bot: Any) -> None:
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b"):
                group.create_task(send(bot, name))

    await run(desk, both, None)
    assert sorted(told) == ["a", "a", "b", "b"]
    assert departing.get() is None
