"""Notification of the owners at the beginning and the end of each incident.

The table stores all incidents, so that restarts and replicas repeat no message. Urgent messages
make a sound; the rest is silent.
"""

from collections.abc import Callable
from datetime import datetime

import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.incidents import ACTIONS, CLOSING, QUIET, Fields, Incident, IncidentKind
from bot.domain.sentences import N_
from bot.operations.owners import Owners
from bot.presentation.html import Safe, plain
from bot.presentation.translation import Translator, translator_for
from bot.store import incidents as store
from bot.store.engine.database import Database, Tx
from bot.updates.unit_of_work import fetch

log = structlog.get_logger()

_NUMBERED = N_("{text} (#{number})")


class Incidents:
    """Opens and closes incidents."""

    def __init__(self, db: Database, owners: Owners, *, now: Callable[[], datetime]) -> None:
        """Notify ``owners``."""
        self._db = db
        self._owners = owners
        self._now = now

    async def set(self, kind: IncidentKind, sentence: str | None, /, **fields: object) -> None:
        """Open an incident, or close the open incident of the kind if ``sentence`` is None.

        An incident is reported once: if the incident is already open, only the message is updated.
        An incident of a kind without a closing message is closed immediately. If the database is
        unavailable, the owners are notified directly.
        """
        if sentence is None:
            await self._end(kind, fields)
        else:
            await self._open(kind, sentence, fields)

    async def _open(self, kind: IncidentKind, sentence: str, fields: Fields) -> None:
        log.warning("incident", kind=kind, text=in_english(sentence, fields))
        now = self._now()

        async def write(tx: Tx) -> None:
            closed_at = None if kind in CLOSING else now
            number = await store.add(
                tx, kind, sentence, fields, opened_at=now, closed_at=closed_at
            )
            if number is None:
                await store.rephrase(tx, kind, sentence, fields)
            else:
                text = _numbered(sentence, fields, number)
                await self._owners.enqueue(tx, text, silent=kind in QUIET)

        try:
            await self._db.run(write)
        except DatabaseUnavailableError:
            await self._owners.send_at_once(lambda t: plain(incident_text(t, sentence, fields)))
        else:
            self._owners.wake()

    async def _end(self, kind: IncidentKind, fields: Fields) -> None:
        closing = CLOSING[kind]

        async def write(tx: Tx) -> Incident | None:
            ended = await store.close(tx, kind, now=self._now())
            if ended and kind not in QUIET:
                await self._owners.enqueue(tx, _numbered(closing, fields, ended.id), silent=True)
            return ended

        if await self._db.run(write):
            log.info("incident over", kind=kind, text=in_english(closing, fields))
            self._owners.wake()

    async def all_open(self) -> list[Incident]:
        """Return the open incidents."""
        return await fetch(self._db, store.all_open)


def _numbered(sentence: str, fields: Fields, number: int) -> Callable[[Translator], str]:
    """Return a function that renders a sentence with the number of its incident."""
    return lambda t: t(_NUMBERED, text=incident_text(t, sentence, fields), number=number)


def incident_text(t: Translator, sentence: str, fields: Fields) -> Safe:
    """Return the sentence of an incident, followed by what the owner can do."""
    text, action = t(sentence, **fields), ACTIONS.get(sentence)
    return Safe(f"{text} {t(action)}") if action else text


def in_english(sentence: str, fields: Fields) -> str:
    """Return a sentence as plain English text for the log."""
    return plain(incident_text(translator_for("en"), sentence, fields))
