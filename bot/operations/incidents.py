"""Messages to the owners at the beginning of each incident, and at the end of urgent incidents.

The database stores the incidents, so a restart or a second process usually repeats no message. The
kinds in ``QUIET`` are not urgent.
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
from bot.updates.unit_of_work import join_or_begin_read

log = structlog.get_logger()

_NUMBERED = N_("{text} (#{number})")


class Incidents:
    """Opens and closes incidents, and notifies the owners."""

    def __init__(self, db: Database, owners: Owners, *, now: Callable[[], datetime]) -> None:
        """Set the dependencies. ``owners`` sends messages to the owners."""
        self._db = db
        self._owners = owners
        self._now = now

    async def open_or_close(
        self, kind: IncidentKind, sentence: str | None, /, **fields: object
    ) -> None:
        """Open an incident with the message ``sentence``, and notify the owners once.

        If ``sentence`` is None, close the open incident of the kind, if any. The owners are
        notified of the end of urgent incidents only.

        Raises:
            DatabaseUnavailableError: The incident can't be closed.
            KeyError: ``sentence`` is None, and the kind has no closing message.
        """
        if sentence is None:
            await self._close_and_notify_owners(kind, fields)
        else:
            await self.open_and_notify_owners(kind, sentence, fields)

    async def open_and_notify_owners(
        self, kind: IncidentKind, sentence: str, fields: Fields
    ) -> bool:
        """Open an incident, and notify the owners, as ``open_or_close`` does.

        Return False if a direct message failed, because Telegram could not be reached.
        """
        log.warning("incident", kind=kind, text=english_log_text(sentence, fields))
        now = self._now()

        async def write(tx: Tx) -> None:
            closed_at = None if kind in CLOSING else now
            number = await store.add(
                tx, kind, sentence, fields, opened_at=now, closed_at=closed_at
            )
            if number is None:
                await store.change_text_of_open(tx, kind, sentence, fields)
            else:
                text = _numbered_renderer(sentence, fields, number)
                await self._owners.enqueue(tx, text, silent=kind in QUIET)

        try:
            await self._db.run(write)
        except DatabaseUnavailableError:
            return await self._owners.send_at_once(
                lambda t: plain(text_with_advice(t, sentence, fields))
            )
        self._owners.wake()
        return True

    async def _close_and_notify_owners(self, kind: IncidentKind, fields: Fields) -> None:
        closing = CLOSING[kind]

        async def write(tx: Tx) -> Incident | None:
            ended = await store.close(tx, kind, now=self._now())
            if ended and kind not in QUIET:
                await self._owners.enqueue(
                    tx, _numbered_renderer(closing, fields, ended.id), silent=True
                )
            return ended

        if await self._db.run(write):
            log.info("incident over", kind=kind, text=english_log_text(closing, fields))
            self._owners.wake()

    async def all_open(self) -> list[Incident]:
        """Return all open incidents, oldest first."""
        async with join_or_begin_read(self._db) as tx:
            return await store.all_open(tx)


def _numbered_renderer(sentence: str, fields: Fields, number: int) -> Callable[[Translator], str]:
    """Return a function that renders the message of an incident with the incident's number."""
    return lambda t: t(_NUMBERED, text=text_with_advice(t, sentence, fields), number=number)


def text_with_advice(t: Translator, sentence: str, fields: Fields) -> Safe:
    """Return the message of an incident, followed by the advice in ``ACTIONS`` if any."""
    text, action = t(sentence, **fields), ACTIONS.get(sentence)
    return Safe(f"{text} {t(action)}") if action else text


def text_with_advice_if_open(t: Translator, incident: Incident) -> Safe:
    """Return the message of an incident.

    If the incident is open, the advice in ``ACTIONS`` follows, if any.
    """
    if incident.closed_at:
        return t(incident.text, **incident.fields)
    return text_with_advice(t, incident.text, incident.fields)


def english_log_text(sentence: str, fields: Fields) -> str:
    """Return the message and the advice of an incident as plain English text for the log."""
    return plain(text_with_advice(translator_for("en"), sentence, fields))
