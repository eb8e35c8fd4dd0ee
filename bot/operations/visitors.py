"""Reports to the owners about invited persons and requests for access, at most once an hour."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.access import Entry
from bot.domain.sentences import N_, NN_
from bot.operations.owners import Owners
from bot.presentation.actions import OWNER, PEOPLE, Buttons, button
from bot.presentation.html import truncate_plain
from bot.presentation.translation import Translator
from bot.runtime.workers import NextStepAt
from bot.store import access, key_values
from bot.store.engine.database import Database

EVERY = timedelta(minutes=1)  # the interval between two checks for new persons and chats
_PAUSE = timedelta(hours=1)  # the minimum time between two reports
# The database key of a pair of times. Persons and chats that came before the time at index 0 need
# no report. The time at index 1 is the time of the last report, or 0.
_KEY = "visitors"
_MOST = 10  # the maximum number of names in a report
_LONGEST_NAME = 28
CAME = N_("👋 {name} joined with an invitation.")
ASKS = N_("🚪 {name} is asking for access.")
MORE = NN_("… and {n} more; /people lists them all.", "… and {n} more; /people lists them all.")


class Visitors:
    """Reports new persons and chats to the owners."""

    def __init__(
        self, db: Database, owners: Owners, *, every: timedelta, now: Callable[[], datetime]
    ) -> None:
        """Prepare to send reports to ``owners``. ``every`` is the interval between two checks.

        Persons and chats that were invited or refused before the first check are not reported.
        """
        self._db = db
        self._owners = owners
        self._every = every
        self._now = now

    async def report_new_visitors(self) -> NextStepAt:
        """Report the persons and chats that have used an invitation, or that were refused.

        Reports are at least an hour apart. Blocked persons and chats do not count as refused.
        Return the time of the next check.
        """
        now = self._now()
        async with self._db.begin() as tx:
            await key_values.add(tx, _KEY, [now.timestamp(), 0])
            # The lock prevents a second report by another process.
            seen, last = await key_values.lock_or_add(tx, _KEY) or (now.timestamp(), 0)
            if now.timestamp() - last < _PAUSE.total_seconds():
                return now + self._every
            new = await access.entries_invited_or_refused(
                tx, after=datetime.fromtimestamp(seen, now.tzinfo)
            )
            if new:
                await key_values.put(tx, _KEY, [now.timestamp()] * 2)
                await self._owners.enqueue(
                    tx,
                    lambda t: new_visitors_text(new, t),
                    buttons=lambda t: access_request_buttons(new, t),
                )
        if new:
            self._owners.wake()
        return now + self._every


def new_visitors_text(new: Sequence[Entry], t: Translator) -> str:
    """Return a report with a line for each of at most ten persons and chats.

    If ``new`` has more than ten entries, a last line has the number of the remaining entries.
    """
    lines = [
        t(CAME if entry.is_allowed else ASKS, name=shortened_name_or_id(entry))
        for entry in new[:_MOST]
    ]
    rest = len(new) - _MOST
    return "\n".join([*lines, *([t(MORE, n=rest)] if rest > 0 else [])])


def access_request_buttons(new: Sequence[Entry], t: Translator) -> Buttons:
    """Return two buttons for each person or chat that requests access: allow, and refuse.

    Only the first ten entries of ``new`` get buttons.
    """
    return [
        [
            button(
                t.plain("Let in {name}", name=shortened_name_or_id(entry)),
                PEOPLE("allow", entry.subject),
            ),
            button(t.plain("No"), OWNER("no", entry.subject)),
        ]
        for entry in new[:_MOST]
        if not entry.is_allowed
    ]


def shortened_name_or_id(entry: Entry) -> str:
    """Return the shortened name of a person or chat, or the id if the name is empty.

    The sign 👥 before the name of a chat prevents confusion with a person.
    """
    name = truncate_plain(entry.name, _LONGEST_NAME) or entry.subject
    return f"👥 {name}" if entry.kind == "chat" else name
