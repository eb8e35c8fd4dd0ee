"""The complete bot and a sandbox in this process, for the flow tests."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot import app, context
from bot.config import Settings, load
from bot.domain.records import REPLY
from bot.store import chats, deliveries, inbox
from bot.store.engine.database import Database
from sandbox.jumping import JumpingLoop
from tests.support.control import PATIENCE_S, Control, Json, wait_for
from tests.support.database import migrated_copy
from tests.support.sandbox import Box, sandbox_box

TOKEN = "7000000001:a-token-that-no-log-may-show-0123456789"
API_KEY = "a-key-that-no-log-may-show"

NO_CHECKS: Json = {"poll_floor_s": 3600}  # for flows that wait for no check
FEW_CHECKS: Json = {"poll_floor_s": 10}  # more checks take more CPU time than the flows


def settings_for(box: Box, folder: Path, **changed: Any) -> Settings:
    """Return settings for the sandbox."""
    values: dict[str, Any] = {
        "telegram_token": TOKEN,
        "stories_api_key": API_KEY,
        "telegram_api_url": box.urls.telegram,
        "stories_api_url": box.urls.stories_api,
        "trusted_media_origin": box.urls.cdn,
        "database_url": f"sqlite:///{folder}/bot.db",
        "spool_dir": folder / "spool",
        "backup_hours": 0,
        "poll_floor_s": 1,
        # The default budget leaves no credits for checks in the first hours of a day (UTC).
        "daily_budget": 100_000,
        "access": "open",
        "port": 0,
        "host": "127.0.0.1",
    }
    return load(_env_file=None, **values | changed)


class Bell:
    """A running bot and its sandbox."""

    def __init__(self, box: Box, settings: Settings) -> None:
        """Wrap a running bot."""
        self.box = box
        self.settings = settings
        self.control: Control = box.control

    async def ask(
        self, chat: int, text: str, *, count: int = 1, user: int | None = None, **more: Any
    ) -> list[Json]:
        """Write to a chat. Return the first ``count`` messages of the bot's answer.

        The row of buttons after an album, perhaps after an earlier album, is not included.
        """
        message = await self.control.say(chat, text, user=user, **more)
        return (await self.replies(chat, count, after=message, with_rows=False))[:count]

    async def replies(
        self, chat: int, count: int = 1, *, after: int, with_rows: bool = True
    ) -> list[Json]:
        """Wait until the bot has sent ``count`` messages since ``after``. Return all messages.

        Progress messages, which the bot sends on a slow machine and deletes, are not included.
        """

        async def enough() -> list[Json] | None:
            found = await self.control.replies(chat, after)
            said = [one for one in found if not _is_progress(one.get("text", ""))]
            said = [one for one in said if with_rows or not is_row(one)]
            return said if len(said) >= count else None

        return await wait_for(enough, what=f"{count} answers in chat {chat}")

    async def noticed(self, chat: int, text: str, *, user: int, **more: Any) -> None:
        """Write into a group; return after an answer or after a reaction to the message."""
        message = await self.control.say(chat, text, user=user, **more)

        async def is_noticed() -> bool:
            if await self.control.replies(chat, after=message):
                return True
            shown = await self.control.call("GET", f"/chats/{chat}/messages?from_bot=false")
            return any(m["message_id"] == message and m.get("_reactions") for m in shown)

        await wait_for(is_noticed, what="an answer or a reaction")

    async def press(self, chat: int, message: Json, data: str, *, user: int | None = None) -> Json:
        """Press a button and wait for the bot's answer. Return the answer."""
        query = await self.control.press(chat, message["message_id"], data, user=user)
        return await self.answered(query)

    async def answered(self, query: str, within: float = PATIENCE_S) -> Json:
        """Wait until a callback query is answered. Return the answer."""

        async def is_answered() -> Json | None:
            answer = await self.control.callback(query)
            return answer if answer["answered"] else None

        return await wait_for(is_answered, within, "the spinner to stop")

    async def settled(self) -> None:
        """Wait until the bot has handled all updates and has sent all replies.

        An answer in another chat does not prove that, because chats are handled concurrently.
        Alerts and notices are not waited for.
        """
        url = self.settings.database_url.get_secret_value()
        async with Database(url) as db:
            await wait_for(lambda: self._is_settled(db), what="the end of all updates")

    async def _is_settled(self, db: Database) -> bool:
        # The order matters: an update is stored before the bot confirms the update to Telegram.
        webhook_info = f"{self.box.urls.telegram}/bot{TOKEN}/getWebhookInfo"
        async with self.box.session.get(webhook_info) as answer:
            if (await answer.json())["result"]["pending_update_count"]:
                return False
        table = deliveries.deliveries
        open_replies = sa.select(sa.func.count()).where(
            table.c.notice == REPLY, deliveries.is_open
        )
        async with db.read() as tx:
            if await inbox.count_open(tx) or (await tx.execute(open_replies)).scalar_one():
                return False
        # Replies to chats that are not in the database, and answers to presses, have no row.
        return not any(task.get_name().startswith("update ") for task in asyncio.all_tasks())

    async def answers_for(self, chat: int, person: int) -> int:
        """Make a person the payer of a channel, as after adding the bot; return the channel.

        The sandbox sends no update for a chat that has the bot from the beginning.
        """
        url = self.settings.database_url.get_secret_value()
        async with Database(url) as db, db.begin() as tx:
            now = datetime.now(UTC)
            await chats.add_or_update(tx, chat, kind="channel", title="News", now=now)
            await chats.set_payer(tx, chat, person)
        return chat

    async def old_post(
        self,
        chat: int,
        *data: str,
        thread_id: int | None = None,
        text: str = "…",
        rows: list[list[Json]] | None = None,
    ) -> Json:
        """Send a message of the bot with these buttons to a chat, like an old message."""
        rows = rows or [[{"text": one, "callback_data": one}] for one in data]
        body: Json = {"chat_id": chat, "text": text, "reply_markup": {"inline_keyboard": rows}}
        if thread_id is not None:
            body["message_thread_id"] = thread_id
        url = f"{self.box.urls.telegram}/bot{TOKEN}/sendMessage"
        async with self.box.session.post(url, json=body) as answer:
            sent: Json = (await answer.json())["result"]
        return sent

    async def delete(self, chat: int, message_id: int) -> None:
        """Delete a message of the bot from a chat."""
        url = f"{self.box.urls.telegram}/bot{TOKEN}/deleteMessage"
        body = {"chat_id": chat, "message_id": message_id}
        async with self.box.session.post(url, json=body) as answer:
            assert (await answer.json())["ok"]

    async def message(self, chat: int, message_id: int) -> Json:
        """Return the present state of a message of the bot."""
        replies = await self.control.replies(chat)
        return next(m for m in replies if m["message_id"] == message_id)


def _is_progress(text: str) -> bool:
    return text.endswith("…")


def is_row(message: Json) -> bool:
    """Return whether a message is only the row of buttons of an album."""
    return any(data.startswith("card:") for data in buttons(message).values())


def buttons(message: Json) -> dict[str, str]:
    """Return the callback data or URL of the buttons under a message, by button text."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {
        b["text"]: b.get("callback_data") or b.get("url") or b.get("switch_inline_query", "")
        for row in rows
        for b in row
    }


def timed(timing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the timing argument of ``app.run``, or nothing for older code (``tools.red``)."""
    if not hasattr(context, "Timing"):
        return {}
    return {"timing": context.Timing(**dict(timing or {}))}


def unhurried() -> dict[str, Any]:
    """Return a timing without pauses between messages, or nothing for older code."""
    usual = getattr(timed().get("timing"), "chat_limits", None)
    return {"chat_limits": replace(usual, gap_s=0.0, group=100_000)} if usual else {}


@asynccontextmanager
async def running_bell(
    folder: Path, box: Box, *, timing: Any = None, **changed: Any
) -> AsyncIterator[Bell]:
    """Run the bot within the block. A failure of a loop fails the test.

    ``timing`` replaces values of ``bot.context.Timing``.
    """
    settings = settings_for(box, folder, **changed)
    if "database_url" not in changed:
        await migrated_copy(folder / "bot.db")
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    clock: dict[str, Any] = {}
    timing = dict(timing or {})
    if isinstance(loop, JumpingLoop) and hasattr(context, "FILE_EVERY"):
        timing.setdefault("database_file", timedelta(minutes=1))  # each check would be a jump
    if isinstance(loop, JumpingLoop) and "postgresql" in str(changed.get("database_url")):
        clock["now"] = loop.now  # the server's clock does not jump, so it is not compared
    async with asyncio.TaskGroup() as group:
        task = group.create_task(app.run(settings, stop, **clock, **timed(timing)))
        try:
            yield Bell(box, settings)
        finally:
            stop.set()
            assert await task == 0


@asynccontextmanager
async def storybell(folder: Path, **changed: Any) -> AsyncIterator[Bell]:
    """Run a sandbox and the bot."""
    async with sandbox_box() as box, running_bell(folder, box, **changed) as bell:
        yield bell
