"""Who is an administrator where: asked of Telegram, and remembered for a minute."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from telegram import Bot, ChatMember
from telegram.error import TelegramError

log = structlog.get_logger()

TRUST_FOR = timedelta(seconds=60)  # a demoted admin is refused at the latest after this
RIGHTS = {ChatMember.OWNER, ChatMember.ADMINISTRATOR}
REMEMBERED = 1000


class Admins:
    """Remembers for a minute who is an administrator where; asks Telegram otherwise."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._known: dict[tuple[int, int], tuple[bool, datetime]] = {}

    async def has(self, bot: Bot, chat_id: int, user_id: int, *, now: datetime) -> bool:
        """Tell whether the person administers the chat; no when Telegram doesn't say."""
        key = (chat_id, user_id)
        known, until = self._known.get(key, (False, now))
        if until > now:
            return known
        try:
            member = await bot.get_chat_member(chat_id, user_id)
        except TelegramError:
            return False
        if len(self._known) >= REMEMBERED:
            self._known = {k: v for k, v in self._known.items() if v[1] > now}
        self._known[key] = (member.status in RIGHTS, now + TRUST_FOR)
        return member.status in RIGHTS


class Operators:
    """The people who run the bot: told when something needs them."""

    def __init__(self, bot: Bot, ids: Iterable[int]) -> None:
        """Write to ``ids``; each must have started the bot once, else Telegram refuses."""
        self._bot = bot
        self._ids = sorted(ids)

    async def tell(self, sentence: str) -> None:
        """Send one sentence to each."""
        log.warning("operators told", sentence=sentence)
        for chat_id in self._ids:
            try:
                await self._bot.send_message(chat_id, sentence)
            except TelegramError as error:
                log.warning("can't tell an operator", reason=str(error))
