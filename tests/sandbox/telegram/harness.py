"""A Bot API server on a loopback port, with the control API and a small simulated web."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any

from aiohttp import ClientSession, FormData, web
from pydantic import TypeAdapter

from sandbox import media
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.fetching import Fetched
from sandbox.requestlog import RequestLog
from sandbox.telegram import schema
from sandbox.telegram.export_schema import SCHEMA
from sandbox.telegram.server import Telegram

TOKEN = "123456:" + "t" * 35
OTHER_TOKEN = "654321:" + "o" * 35
Answer = tuple[int, dict[str, Any]]


@cache
def _aiogram_methods() -> dict[str, Any]:
    from aiogram import methods  # noqa: PLC0415 - takes seconds; once per session

    found = (getattr(methods, name) for name in methods.__all__)
    return {m.__api_method__: m for m in found if hasattr(m, "__api_method__")}


@cache
def _adapter(method: str) -> TypeAdapter[Any]:
    return TypeAdapter(_aiogram_methods()[method].__returning__)


def check_result(method: str, result: object) -> None:
    """Assert that a result has the published type and no unknown fields."""
    _adapter(method).validate_python(result)
    returns = json.loads(SCHEMA.read_text(encoding="utf-8"))["methods"][method]["returns"]
    assert list(schema.unknown_within("", returns, result)) == []


@cache
def _update_adapter() -> TypeAdapter[Any]:
    from aiogram.types import Update  # noqa: PLC0415 - as above

    return TypeAdapter(Update)


class Api:
    """A client that calls the server as the bot and acts as the people."""

    def __init__(
        self, telegram: Telegram, base: str, control: str, session: ClientSession
    ) -> None:
        self.telegram = telegram
        self.base = base
        self.control_base = control
        self.session = session
        self.web: dict[str, Fetched] = {}

    async def bot(self, name: str, /, *, token: str = TOKEN, **params: Any) -> Answer:
        """Call a method with a JSON body."""
        async with self.session.post(f"{self.base}/bot{token}/{name}", json=params) as answer:
            body = await answer.json()
            assert answer.content_type == "application/json"
        if body["ok"]:
            check_result(schema.load().methods[name.lower()].name, body["result"])
        return answer.status, body

    async def ok(self, name: str, /, *, token: str = TOKEN, **params: Any) -> Any:
        """Call a method that must succeed; return the result."""
        status, body = await self.bot(name, token=token, **params)
        assert (status, body["ok"]) == (200, True), body
        return body["result"]

    async def refusal(self, name: str, /, *, token: str = TOKEN, **params: Any) -> tuple[int, str]:
        """Call a method that must be refused; return the code and the description."""
        status, body = await self.bot(name, token=token, **params)
        assert body["ok"] is False, body
        assert body["error_code"] == status
        return status, body["description"]

    async def upload(self, name: str, params: dict[str, Any], **files: bytes) -> Answer:
        """Call a method with a multipart body."""
        form = FormData()
        for key, value in params.items():
            form.add_field(key, value if isinstance(value, str) else json.dumps(value))
        for key, data in files.items():
            form.add_field(key, io.BytesIO(data), filename=f"{key}.bin", content_type="image/jpeg")
        async with self.session.post(f"{self.base}/bot{TOKEN}/{name}", data=form) as answer:
            body = await answer.json()
        if body["ok"]:
            check_result(name, body["result"])
        return answer.status, body

    async def control(self, verb: str, path: str, expect: int = 200, **body: Any) -> Any:
        """Make a control call; return the JSON of the response."""
        url = f"{self.control_base}/control/{path}"
        async with self.session.request(verb, url, json=body) as answer:
            value = await answer.json()
            assert answer.status == expect, value
            return value

    async def person(self, first_name: str = "Ann", *, started: bool = True, **more: Any) -> int:
        """Create a person, who by default has already written to the bot; return the ID."""
        user = await self.control("POST", "users", first_name=first_name, **more)
        if started:
            await self.says(user["id"], "/start")
        person: int = user["id"]
        return person

    async def says(self, chat: int, text: str, user: int | None = None, **more: Any) -> Any:
        """Send a message as a person."""
        sender = user if user is not None else chat
        return await self.control(
            "POST", f"chats/{chat}/messages", user_id=sender, text=text, **more
        )

    async def chat(self, kind: str, owner: int, **more: Any) -> int:
        """Create a group, supergroup or channel; return the ID."""
        members = [{"user_id": owner, "status": "creator"}]
        made = await self.control(
            "POST", "chats", type=kind, title="Here", members=members, **more
        )
        chat: int = made["id"]
        return chat

    async def updates(self, **params: Any) -> list[dict[str, Any]]:
        """Return and confirm all pending updates."""
        found: list[dict[str, Any]] = []
        inbox = self.telegram.world.ensure_bot(int(TOKEN.partition(":")[0])).inbox
        for update in list(inbox.pending):
            _update_adapter().validate_python(update.body())
            assert list(schema.unknown_within("", "Update", update.body())) == []
            found.append(update.body())
        inbox.pending.clear()
        assert not params
        return found

    async def shown(self, chat: int, *, everything: bool = False) -> list[dict[str, Any]]:
        """Return the bot's messages in the chat; ``everything`` includes messages of people."""
        url = f"{self.control_base}/control/chats/{chat}/messages"
        flag = "false" if everything else "true"
        async with self.session.get(url, params={"from_bot": flag}) as answer:
            messages: list[dict[str, Any]] = await answer.json()
        return messages


async def _site(stack: AsyncExitStack, app: web.Application) -> str:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def served(speed: float = 1.0) -> AsyncIterator[Api]:
    """Run a Bot API server within the block."""
    small_web: dict[str, Fetched] = {}

    async def fetch(url: str) -> Fetched | None:
        return small_web.get(url)

    async with AsyncExitStack() as stack:
        telegram = Telegram(Clock(speed), Faults(), RequestLog(), fetch)
        control = web.Application()
        control.add_routes(telegram.control_routes())
        base = await _site(stack, telegram.app())
        control_base = await _site(stack, control)
        session = await stack.enter_async_context(ClientSession())
        await telegram.start()
        stack.push_async_callback(telegram.stop)
        api = Api(telegram, base, control_base, session)
        api.web = small_web
        await api.ok("getMe")  # the first call gives the main bot an ID
        yield api


def photo(pk: str = "1") -> bytes:
    """Return the photo of a story, 1080x1920."""
    return media.photo(pk, 0).data()


def video(pk: str = "2") -> bytes:
    """Return the video of a story, 720x1280."""
    return media.video(pk, 0).data()


def page(data: bytes, content_type: str, status: int = 200) -> Fetched:
    """Return a response of the simulated web."""
    return Fetched(status, content_type, data, len(data))
