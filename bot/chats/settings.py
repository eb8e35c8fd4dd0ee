"""The use cases of a chat: to store the chat, to change settings, and to erase the chat's data."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.options import Options
from bot.domain.records import Chat, Cleared, Question
from bot.store import chats, erasure
from bot.store.engine.database import Database
from bot.updates.unit_of_work import (
    join_or_begin_read,
    join_or_begin_transaction,
    run_before_commit,
)


class Chats:
    """The use cases for the settings of chats. All use cases cost 0 credits."""

    def __init__(self, db: Database, *, now: Callable[[], datetime]) -> None:
        """Create the use cases. The chats are stored in ``db``."""
        self._db = db
        self._now = now

    async def get(self, chat_id: int) -> Chat | None:
        """Return a chat by its current or former id, or None if the database has no such chat."""
        async with join_or_begin_read(self._db) as tx:
            known = await chats.get(tx, chat_id)
            if known is None and (moved_to := await chats.new_id_if_moved(tx, chat_id)):
                known = await chats.get(tx, moved_to)
            return known

    async def insert_or_update_if_changed(
        self, known: Chat | None, chat_id: int, *, kind: str, title: str, language_code: str | None
    ) -> Chat:
        """Return the chat of an update. Insert a missing chat, or update a changed chat.

        ``known`` is the stored chat, or None. A change is committed in a separate transaction.
        """
        if known and known.id != chat_id:
            return known  # the update has the id that the group had before it became a supergroup
        details = (kind, title, language_code or (known.language_code if known else None))
        if known and details == (known.kind, known.title, known.language_code):
            return known
        async with self._db.begin() as tx:
            return await chats.add_or_update(
                tx, chat_id, kind=kind, title=title, now=self._now(), language_code=language_code
            )

    async def ensure_private_chat(self, person: int, *, language_code: str) -> Chat:
        """Return the private chat of a person. Insert a missing chat with the language code."""
        async with join_or_begin_transaction(self._db) as tx:
            await chats.add_private_chat_if_missing(
                tx, person, now=self._now(), language_code=language_code or None
            )
            return (await chats.get_all(tx, [person]))[0]

    async def store_columns_and_return_chat(self, chat_id: int, **values: object) -> Chat | None:
        """Set columns of a chat with the current or former id ``chat_id``.

        Return the changed chat, or None if the database has no such chat.
        """
        async with join_or_begin_transaction(self._db) as tx:
            chat_id = await chats.lock_and_return_current_id(tx, chat_id)
            await chats.change(tx, chat_id, **values)
            return await chats.get(tx, chat_id)

    async def set_defaults_and_return_all(
        self, chat_id: int, changes: Mapping[str, object]
    ) -> Options:
        """Set default options of new subscriptions to JSON values. Return all default options.

        Other defaults stay, even after a concurrent change. ``chat_id`` is the current or former
        id of the chat.
        """
        async with join_or_begin_transaction(self._db) as tx:
            chat_id = await chats.lock_and_return_current_id(tx, chat_id)
            chat = await chats.get(tx, chat_id)
            defaults = Options.from_json(chat.defaults if chat else {}).with_values(changes)
            await chats.change(tx, chat_id, defaults=defaults.to_json())
            return defaults

    async def set_question(
        self, chat_id: int, question: Question | Cleared, *, until: datetime | None = None
    ) -> None:
        """Store the question that the next plain message of a chat can answer, until ``until``.

        If ``question`` is None, the stored question is removed. The write is made at the end of
        the update.
        """
        await run_before_commit(
            self._db, lambda tx: chats.set_question(tx, chat_id, question, until=until)
        )

    async def erase(self, chat_id: int) -> None:
        """Delete the data of a chat with the current or former id ``chat_id``.

        A person in a private chat is also removed as a payer. These data are kept:

        - bills, without the id of the chat and, for a private chat, of the person;
        - permissions and blocks, without the name and the language;
        - the id of the person who added the bot;
        - the counters of the daily limits;
        - broadcasts;
        - unfinished updates, and finished updates without contents (for 25 hours).
        """
        async with join_or_begin_transaction(self._db) as tx:
            current = await chats.new_id_if_moved(tx, chat_id) or chat_id
            await erasure.erase_chat(tx, current, now=self._now())
