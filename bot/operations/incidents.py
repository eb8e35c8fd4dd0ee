"""What the owners are told of trouble: once when it begins, and once when it is over.

One table holds it all, so that no restart and no replica says anything twice. What is urgent is
said at once and rings; the rest comes by the daily summary of the owner's own chat.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.incidents import CLOSING, QUIET, Fields, Incident, IncidentKind
from bot.domain.sentences import N_
from bot.domain.zones import zone_of
from bot.operations.owners import Owners
from bot.presentation.html import Safe
from bot.presentation.translation import Translator, translator_for
from bot.runtime.workers import Worker
from bot.store import chats, key_values
from bot.store import incidents as store
from bot.store.engine.database import Database, Tx

log = structlog.get_logger()

_SUMMARY = N_("What happened")
_NUMBERED = N_("{text} (#{number})")
_LINE = N_("{at}: {text}")
_OVER = N_("Ended: {at}.")
_NOTED = "summary:"  # the key of the time up to which an owner has had the summary
_WATCH_EVERY = timedelta(minutes=1)
_DEFAULT_HOUR = 9 * 60  # minutes after midnight, for an owner whose chat is not known


class Incidents:
    """Opens and closes incidents; ``summaries`` brings what could wait."""

    def __init__(self, db: Database, owners: Owners, *, now: Callable[[], datetime]) -> None:
        """Tell ``owners``."""
        self._db = db
        self._owners = owners
        self._now = now
        self.summaries = Worker(
            "summary for owners", self._summarise, now=now, longest=_WATCH_EVERY
        )

    async def set(self, kind: IncidentKind, sentence: str | None, /, **fields: object) -> None:
        """Open an incident, or end the open one of its kind where ``sentence`` is None.

        An incident is told once: of one that is open already only the fields change. A kind
        without a closing sentence is closed at once. It is told without a database, too.
        """
        if sentence is None:
            await self._end(kind, fields)
        else:
            await self._begin(kind, sentence, fields)

    async def _begin(self, kind: IncidentKind, sentence: str, fields: Fields) -> None:
        log.warning("incident", kind=kind, text=in_english(sentence, fields))
        is_urgent, now = kind not in QUIET, self._now()

        async def write(tx: Tx) -> None:
            number = await store.add(
                tx, kind, sentence, fields,
                is_urgent=is_urgent, opened_at=now, closed_at=None if kind in CLOSING else now,
            )  # fmt: skip
            if number is None:
                await store.rephrase(tx, kind, sentence, fields)
            elif is_urgent:
                await self._owners.owe(tx, _numbered(sentence, fields, number))

        try:
            await self._db.run(write)
        except DatabaseUnavailableError:
            await self._owners.say(sentence, fields)
        else:
            self._owners.wake()

    async def _end(self, kind: IncidentKind, fields: Fields) -> None:
        closing = CLOSING[kind]

        async def write(tx: Tx) -> Incident | None:
            ended = await store.close(tx, kind, now=self._now())
            if ended and ended.is_urgent:
                await self._owners.owe(tx, _numbered(closing, fields, ended.id), silent=True)
            return ended

        if await self._db.run(write):
            log.info("incident over", kind=kind, text=in_english(closing, fields))
            self._owners.wake()

    async def past(
        self, kind: IncidentKind, sentence: str, /, *, since: datetime, **fields: object
    ) -> None:
        """Write an incident that is over, with ``fields`` of both sentences; its end is said."""
        closing = CLOSING[kind]
        log.warning("incident over", kind=kind, text=in_english(closing, fields))

        async def write(tx: Tx) -> None:
            number = await store.add(
                tx, kind, sentence, fields,
                is_urgent=True, opened_at=since, closed_at=self._now(),
            )  # fmt: skip
            if number is not None:
                await self._owners.owe(tx, _numbered(closing, fields, number))

        await self._db.run(write)
        self._owners.wake()

    async def all_open(self) -> list[Incident]:
        """Return what is wrong now."""
        return await self._db.fetch(store.all_open)

    async def _summarise(self) -> None:
        """Bring each owner, at the time of their chat's daily summary, what could wait."""
        now, is_due = self._now(), False
        for owner in self._owners.ids:
            async with self._db.begin() as tx:
                is_due |= await self._summarise_for(tx, owner, now)
        if is_due:
            self._owners.wake()

    async def _summarise_for(self, tx: Tx, owner: int, now: datetime) -> bool:
        chat = await chats.get(tx, owner)
        minutes = chat.digest_at if chat else _DEFAULT_HOUR
        due_at = latest(minutes, chat.zone if chat else "UTC", now)
        kept = await key_values.get(tx, f"{_NOTED}{owner}")
        if kept is None:  # the first day begins now
            await key_values.put(tx, f"{_NOTED}{owner}", now.isoformat())
            return False
        since = datetime.fromisoformat(str(kept))
        if since >= due_at:
            return False
        await key_values.put(tx, f"{_NOTED}{owner}", now.isoformat())
        incidents = await store.changed_since(tx, since, kinds=QUIET)
        if not incidents:
            return False
        await self._owners.owe(tx, lambda t: summary(incidents, t), silent=True, only=owner)
        return True


def _numbered(sentence: str, fields: Fields, number: int) -> Callable[[Translator], str]:
    """Return how to say a sentence with the number by which /health knows the incident."""
    return lambda t: t(_NUMBERED, text=t(sentence, **fields), number=number)


def in_english(sentence: str, fields: Fields) -> str:
    """Return a sentence as the log and the admin page say it."""
    return translator_for("en").plain(sentence, **fields)


def summary(incidents: Sequence[Incident], t: Translator) -> str:
    """Return what happened, a line each."""
    lines = [f"<b>{t(_SUMMARY)}</b>"]
    for one in incidents:
        text = t(_NUMBERED, text=t(one.text, **one.fields), number=one.id)
        line = t(_LINE, at=one.opened_at, text=text)
        over = t(_OVER, at=one.closed_at) if one.closed_at else ""
        lines.append(f"• {line} {over}".rstrip())
    return Safe("\n".join(lines))


def latest(minutes: int, zone: str, now: datetime) -> datetime:
    """Return when it was last so many minutes after midnight in a zone."""
    local = now.astimezone(zone_of(zone))
    due = local.replace(hour=minutes // 60, minute=minutes % 60, second=0, microsecond=0)
    return due if due <= local else due - timedelta(days=1)
