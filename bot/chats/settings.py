"""A chat itself: what Telegram says of it, what was set there, and that all of it is forgotten."""

from collections.abc import Callable
from datetime import datetime

from bot.domain.records import Chat
from bot.store import chats, erasure
from bot.store.engine.database import Database
from bot.updates.unit_of_work import reading, writing


class Chats:
    """The use cases around a chat and its settings; all are free."""

    def __init__(self, db: Database, *, now: Callable[[], datetime]) -> None:
        """Keep chats in ``db``."""
        self._db = db
        self._now = now

    async def get(self, chat_id: int) -> Chat | None:
        """Return a chat, also by the id from which it has moved; None where we know none."""
        async with reading(self._db) as tx:
            known = await chats.get(tx, chat_id)
            if known is None and (moved_to := await chats.moved_to(tx, chat_id)):
                known = await chats.get(tx, moved_to)
            return known

    async def ensure(
        self, known: Chat | None, chat_id: int, *, kind: str, title: str, language_code: str | None
    ) -> Chat:
        """Return the chat that an update comes from; written when Telegram says something new.

        ``known`` is what was known of it.
        """
        if known and known.id != chat_id:
            return known  # what comes late from the old id of a group belongs to the new one
        details = (kind, title, language_code or (known.language_code if known else None))
        if known and details == (known.kind, known.title, known.language_code):
            return known
        async with self._db.begin() as tx:
            return await chats.add_or_update(
                tx, chat_id, kind=kind, title=title, now=self._now(), language_code=language_code
            )

    async def ensure_private(self, person: int) -> Chat:
        """Return the private chat of somebody, also where nothing was known of it."""
        async with writing(self._db) as tx:
            await chats.ensure_private(tx, person, now=self._now())
            return (await chats.get_all(tx, [person]))[0]

    async def change(self, chat_id: int, **values: object) -> Chat | None:
        """Set columns of a chat, as ``store.chats.change`` has them; return it."""
        async with writing(self._db) as tx:
            await chats.change(tx, chat_id, **values)
            return await chats.get(tx, chat_id)

    async def erase(self, chat_id: int) -> None:
        """Forget all about a chat; the bills stay, without whose they were."""
        async with writing(self._db) as tx:
            await erasure.erase_chat(tx, chat_id, now=self._now())
