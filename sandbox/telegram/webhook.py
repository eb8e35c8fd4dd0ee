"""Delivery to webhooks: parallel queues, with one update of each queue at a time.

A delivery is retried until the update expires.
"""

import asyncio
import json
import random
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.clock import Clock
from sandbox.telegram.people import Bot
from sandbox.telegram.updates import Update

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header, not a secret
_READ_TIMEOUT_S = 60.0
_CAP_S = (60.0, 120.0)
_LONGEST_RETRY_AFTER_S = 3600.0
_GONE_AFTER_S = 23 * 3600.0


@dataclass
class Webhook:
    """The webhook of a bot and the state of the deliveries."""

    url: str
    secret: str = field(repr=False)
    max_connections: int = 40
    ip_address: str = ""
    has_certificate: bool = False
    last_error_at: float | None = None
    last_error: str = ""
    gone_since: float | None = None
    delivered: int = 0


class Webhooks:
    """The deliveries of all bots. Each bot has a task group within a common group."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        """Create the deliveries. The method `start` begins the deliveries."""
        self.set_at: dict[int, float] = {}
        self.answered: asyncio.Queue[tuple[Bot, dict[str, object]]] = asyncio.Queue()
        self._clock = clock
        self._random = random.Random(seed)
        self._hooks: dict[int, Webhook] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._session: ClientSession | None = None

    def get(self, bot_id: int) -> Webhook | None:
        """Return a bot's webhook, or None."""
        return self._hooks.get(bot_id)

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start deliveries in tasks of `group`."""
        self._group = group
        self._session = ClientSession(timeout=ClientTimeout(_READ_TIMEOUT_S))

    async def stop(self) -> None:
        """End all deliveries."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        if self._session is not None:
            await self._session.close()

    async def install(self, bot: Bot, hook: Webhook) -> None:
        """Deliver `bot`'s updates to `hook`.

        Raises:
            RuntimeError: The server has not been started.
        """
        await self.remove(bot)
        self._hooks[bot.id] = hook
        if self._group is None:
            raise RuntimeError("the server has not been started")
        self._tasks[bot.id] = self._group.create_task(self._serve(bot, hook))

    async def remove(self, bot: Bot) -> None:
        """Remove the webhook of a bot and end the deliveries."""
        self._hooks.pop(bot.id, None)
        task = self._tasks.pop(bot.id, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        for update in bot.inbox.pending:
            update.in_flight = False

    async def _serve(self, bot: Bot, hook: Webhook) -> None:
        """Start a task for each queue, with at most `max_connections` concurrent tasks."""
        busy: set[str] = set()
        inbox = bot.inbox
        async with asyncio.TaskGroup() as group:
            while True:
                arrived = inbox.arrived
                inbox.drop_expired()
                for update in inbox.pending:
                    if len(busy) >= hook.max_connections:
                        break
                    if update.queue not in busy:
                        busy.add(update.queue)
                        group.create_task(self._drain(bot, hook, update.queue, busy))
                await arrived.wait()

    async def _drain(self, bot: Bot, hook: Webhook, queue: str, busy: set[str]) -> None:
        try:
            while (update := _next(bot, queue)) is not None:
                await self._deliver(bot, hook, update)
        finally:
            busy.discard(queue)
            bot.inbox.wake()

    async def _deliver(self, bot: Bot, hook: Webhook, update: Update) -> None:
        while update.expires_at > self._clock.now():
            wait = await self._attempt(bot, hook, update)
            if wait is None:
                bot.inbox.remove(update)
                hook.delivered += 1
                return
            update.attempts += 1
            await self._clock.sleep(wait)
        bot.inbox.remove(update)

    async def _attempt(self, bot: Bot, hook: Webhook, update: Update) -> float | None:
        """Send a request. Return None on success, or the seconds until the next attempt."""
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers[SECRET_HEADER] = hook.secret
        body = json.dumps(update.body()).encode()
        assert self._session is not None  # noqa: S101 - the server starts before any webhook is set
        try:
            async with self._session.post(
                hook.url, data=body, headers=headers, allow_redirects=False, ssl=False
            ) as answer:
                text = await answer.content.read(2**20)
                if 200 <= answer.status < 300:
                    self._note_answer(bot, text)
                    hook.gone_since = None
                    return None
                self._failed(hook, f"Wrong response from the webhook: {answer.status} "
                                   f"{answer.reason}")  # fmt: skip
                self._maybe_gone(bot, hook, answer.status)
                return self.retry_delay_s(update, answer.headers.get("Retry-After"))
        except TimeoutError:
            self._failed(hook, "Read timeout expired")
        except (ClientError, OSError):
            self._failed(hook, "Connection refused")
        return self.retry_delay_s(update, None)

    def _note_answer(self, bot: Bot, text: bytes) -> None:
        try:
            wanted = json.loads(text)
        except ValueError:
            return
        if isinstance(wanted, dict) and isinstance(wanted.get("method"), str):
            self.answered.put_nowait((bot, wanted))

    def _failed(self, hook: Webhook, why: str) -> None:
        hook.last_error_at, hook.last_error = self._clock.now(), why

    def _maybe_gone(self, bot: Bot, hook: Webhook, status: int) -> None:
        if status != 410:
            hook.gone_since = None
            return
        now = self._clock.now()
        hook.gone_since = now if hook.gone_since is None else hook.gone_since
        if now - hook.gone_since >= _GONE_AFTER_S:
            self._hooks.pop(bot.id, None)
            task = self._tasks.pop(bot.id, None)
            if task is not None:
                task.cancel()

    def retry_delay_s(self, update: Update, retry_after: str | None) -> float:
        """Return the seconds until the next attempt: 0, 2, 4, 8, …, at most one to two minutes.

        If the response has a header Retry-After, return the seconds in the header, at most an
        hour.
        """
        if retry_after is not None and retry_after.strip().isdecimal():
            return min(float(retry_after), _LONGEST_RETRY_AFTER_S)
        if update.attempts == 0:
            return 0.0
        return min(2.0**update.attempts, self._random.uniform(*_CAP_S))


def _next(bot: Bot, queue: str) -> Update | None:
    return next((update for update in bot.inbox.pending if update.queue == queue), None)
