"""What the bot's owner is told, in the language of each."""

from datetime import UTC, datetime
from typing import Any

from bot.domain.errors import INCIDENT
from bot.operations.owners import Owners
from bot.presentation.translation import translator_for
from bot.store import chats, deliveries
from bot.store.engine.database import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, EVA, NEW = 11, 12, 13  # speaks Russian, has chosen Spanish, never wrote to us


async def test_each_is_told_in_their_language(db: Database) -> None:
    nobody: Any = None
    async with db.begin() as tx:
        for person, code in ((ANN, "ru"), (EVA, "en")):
            await chats.add_or_update(
                tx, person, kind="private", title="", now=NOON, language_code=code
            )
        await chats.change(tx, EVA, language="es")
    owners = Owners(db, nobody, lambda: [ANN, EVA, NEW], wake=lambda: None, now=lambda: NOON)
    async with db.begin() as tx:
        await owners.enqueue(tx, lambda t: t(INCIDENT, incident="a<b"))
        owed = await deliveries.lock_and_return_due(tx, [ANN, EVA, NEW], now=NOON)
    assert {row.target.chat_id: row.fields["text"] for row in owed} == {
        person: translator_for(language)(INCIDENT, incident="a<b")
        for person, language in ((ANN, "ru"), (EVA, "es"), (NEW, "en"))
    }
