"""The inbox: updates that SIGKILL leaves unanswered, and webhook updates per second."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr
from telegram import Bot, Update

from benchmarks.telegram_world import TOKEN
from bot.runtime.metrics import Metrics
from bot.runtime.sharing import ONE_PROCESS
from bot.store import inbox
from bot.store.engine.database import Database
from bot.store.inbox import ClaimedUpdate
from bot.updates.inbox import Intake
from bot.web.server import SECRET_HEADER, Door, Web
from bot.web.webhook import derive_webhook
from tests.support.killing import kill_inbox
from tests.support.sandbox import sandbox_box

CONNECTIONS = 40  # Telegram's default; Bot API, setWebhook


async def kills(count: int) -> dict[str, Any]:
    """Kill the real process ``count`` times in each mode. Return figures in total and by mode."""
    modes: dict[str, Any] = {}
    for mode in ("polling", "webhook"):
        with tempfile.TemporaryDirectory() as folder:
            async with sandbox_box() as box:
                toll = await kill_inbox(
                    box, Path(folder), kills=count, webhook=mode == "webhook", seed=1
                )
        modes[mode] = {
            "kills": toll.kills,
            "commands": toll.commands,
            "unanswered": toll.unanswered,
            "repeated": toll.repeated,
        }
    names = ("kills", "commands", "unanswered")
    return {name: sum(mode[name] for mode in modes.values()) for name in names} | modes


async def webhook(updates: int) -> dict[str, Any]:
    """Post updates that are stored, confirmed and handled. The client shares the core."""
    done = asyncio.Event()
    left = updates

    async def handle(_: Update, __: ClaimedUpdate) -> bool:
        nonlocal left
        left -= 1
        if not left:
            done.set()
        return False

    hook = derive_webhook(SecretStr(TOKEN))
    with tempfile.TemporaryDirectory() as folder:
        async with Database(f"sqlite:///{folder}/bot.db") as db, asyncio.TaskGroup() as group:
            await db.migrate()
            intake = Intake(db, Bot(TOKEN), handle, sharing=ONE_PROCESS)
            group.create_task(intake.run())
            web = Web(Metrics(), checks={}, door=Door(hook, intake.add))
            await web.start("127.0.0.1", 0)
            began = time.perf_counter()
            headers = {SECRET_HEADER: hook.secret.get_secret_value()}
            await _post(f"http://127.0.0.1:{web.port}{hook.path}", headers, updates)
            stored = time.perf_counter() - began
            await done.wait()
            handled = time.perf_counter() - began
            await intake.drain(5)
            await web.close()
            async with db.read() as tx:
                assert await inbox.count_open(tx) == 0
    return {
        "updates": updates,
        "stored_per_s": round(updates / stored),
        "handled_per_s": round(updates / handled),
    }


async def _post(url: str, headers: dict[str, str], updates: int) -> None:
    numbers = iter(range(updates))

    async def poster(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            chat = {"id": number % 500 + 1, "type": "private", "first_name": "P"}
            message = {"message_id": number, "date": 1, "chat": chat, "text": "/help"}
            update = {"update_id": number, "message": message}
            async with session.post(url, json=update, headers=headers) as answer:
                assert answer.status == 200

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(poster(session))
