"""What the first release left behind, for the code of today: its database, and its chats."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from bot import app
from sandbox.app import running
from sandbox.clock import Clock
from tests.support.control import Json, wait_for
from tests.support.sandbox import Box
from tests.support.storybell import TOKEN, Bell, settings_for, timed

LEFT = Path(__file__).parents[1] / "fixtures" / "first_release"
PAUSE_S = 60.0  # that the bot was away
# The sandbox of today counts its updates from the same number on.
RENUMBERED = """
    UPDATE inbox SET update_id = update_id - 1000,
        body = CASE body WHEN '' THEN '' ELSE json_set(body, '$.update_id', update_id - 1000) END
"""


class Heir(Bell):
    """A bot of today in the place of the first release's."""

    def __init__(self, box: Box, folder: Path, **changed: Any) -> None:
        """Take over its database."""
        super().__init__(box, settings_for(box, folder, **changed))
        world = json.loads((LEFT / "chats.json").read_text(encoding="utf-8"))
        self.ann, self.bob, self.group = world["ann"], world["bob"], world["group"]
        self.path = folder / "bot.db"
        self._world = world
        self.posts: list[tuple[int, Json]] = []
        """The messages with buttons, each with its chat."""

    async def prepare(self) -> None:
        """Let chats, profiles and database be as they were left."""
        control = self.control
        assert await control.person("Ann") == self.ann
        assert await control.person("Bob", language_code="de") == self.bob
        members = [{"user_id": self.ann, "status": "creator"}]
        assert await control.chat("supergroup", "Friends", members=members) == self.group
        for name in ("first.one", "first.two", "first.three"):
            await control.profile(name)
        for story in self._world["stories"]:
            taken_at = datetime.fromisoformat(story["taken_at"]).timestamp()
            pk = {"pk": story["pk"]}
            await control.publish(story["username"], taken_at=taken_at, overrides=pk)
        for person in (self.ann, self.bob):
            await control.say(person, "/start")  # else a bot may not write to them
        for chat, posts in self._world["chats"].items():
            for post in posts:
                self.posts.append((int(chat), await self._post(int(chat), post)))
        await self._call("deleteWebhook", {"drop_pending_updates": True})  # it has had them
        script = (LEFT / "database.sql").read_text(encoding="utf-8")
        for name in ("cdn", "telegram", "stories_api"):
            script = script.replace("{" + name + "}", getattr(self.box.urls, name))
        with sqlite3.connect(self.path) as db:
            db.executescript(script)
            db.execute(RENUMBERED)
        db.close()

    async def _post(self, chat: int, post: Json) -> Json:
        markup = {"inline_keyboard": post["inline_keyboard"]}
        body = {"chat_id": chat, "text": post["text"], "reply_markup": markup}
        sent: Json = await self._call("sendMessage", body)
        return sent

    async def _call(self, method: str, body: Json) -> Any:
        url = f"{self.box.urls.telegram}/bot{TOKEN}/{method}"
        async with self.box.session.post(url, json=body) as answer:
            return (await answer.json())["result"]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return what stands in the database, by the names that never change."""
        with sqlite3.connect(self.path) as db:
            result = db.execute(statement).fetchall()
        db.close()
        return result

    async def all_answered(self) -> None:
        """Wait until the update that was stored then is answered, and no other waits."""
        nothing = (
            "SELECT (SELECT count(*) FROM inbox WHERE done_at IS NULL),"
            " (SELECT count(*) FROM deliveries WHERE notice = 'reply' AND state = 'open')"
        )
        await wait_for(lambda: self.rows(nothing) == [(0, 0)])

    def post_with(self, data: str, chat: int | None = None) -> tuple[int, Json]:
        """Return a message that has this button, and its chat."""
        return next(
            (where, post)
            for where, post in self.posts
            if chat in {None, where} and data in data_of(post)
        )

    async def push(self, data: str, chat: int | None = None, user: int | None = None) -> Json:
        """Press a button of then; return its message as it stands after that."""
        where, post = self.post_with(data, chat)
        await self.press(where, post, data, user=user)
        await self.all_answered()
        return await self.message(where, post["message_id"])


def data_of(post: Json) -> list[str]:
    """Return what the buttons under a message carry, addresses aside."""
    rows = post.get("reply_markup", {}).get("inline_keyboard", [])
    return [one["callback_data"] for row in rows for one in row if "callback_data" in one]


@asynccontextmanager
async def heir(folder: Path, **changed: Any) -> AsyncIterator[Heir]:
    """Run today's bot on what the first release left, a minute after that."""
    began = json.loads((LEFT / "chats.json").read_text(encoding="utf-8"))["now"] + PAUSE_S
    clock = Clock(start=began)
    async with running(clock=clock) as parts, ClientSession() as session:
        bell = Heir(Box(parts, session), folder, **changed)
        await bell.prepare()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            now = lambda: datetime.fromtimestamp(clock.now(), UTC)  # noqa: E731 - the bot's clock
            task = group.create_task(app.run(bell.settings, stop, now=now, **timed()))
            try:
                yield bell
            finally:
                stop.set()
                assert await task == 0
