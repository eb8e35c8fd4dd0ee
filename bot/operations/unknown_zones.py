"""Chats whose time zone this machine does not know (any more) are told, once, that UTC counts."""

from datetime import datetime

import structlog

from bot.domain.model import Target
from bot.domain.zones import is_zone
from bot.store import chats, enqueue, key_values
from bot.store.database import Database

log = structlog.get_logger()

_KEY = "unknown_zones"  # names of which the chats have been told


async def tell_chats(db: Database, *, now: datetime) -> int:
    """Tell all open chats with an unknown zone, each once; return how many were told now.

    The choice is kept: it counts again when the name is known again, and then may be told anew.
    """
    notified = 0
    async with db.begin() as tx:
        before = set(await key_values.get(tx, _KEY) or ())
        unknown = {name for name in await chats.zones(tx) if not is_zone(name)}
        for name in sorted(unknown - before):
            for chat_id in await chats.in_zone(tx, name):
                await enqueue.add_notice(tx, Target(chat_id), "zone", {"zone": name}, now=now)
                notified += 1
        if unknown != before:
            await key_values.put(tx, _KEY, sorted(unknown), now=now)
    if notified:
        log.warning("time zones are unknown", zones=sorted(unknown - before), chats=notified)
    return notified
