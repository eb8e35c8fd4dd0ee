"""The watch, a loop that detects incidents every minute and stores figures every hour.

During an outage of the database, the watch tests writes. If the SQLite file was replaced, the
watch copies the content of the opened file to a new file.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.budget import DAY
from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.domain.incidents import (
    DATABASE_AWAY,
    DATABASE_BACK,
    DATABASE_NOT_SAVED,
    DATABASE_REPLACED,
    KINDS,
    IncidentKind,
    Seen,
    judge_conditions,
)
from bot.domain.model import Unknown
from bot.operations.incidents import Incidents
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.process_name import replica_name
from bot.runtime.workers import NextStepAt, UntilWoken, Worker
from bot.store import budgets, chat_queues, enqueue, fan_outs, key_values, samples, spending
from bot.store import incidents as store
from bot.store.engine.database import Database

_EVERY = timedelta(minutes=1)
# The pause between two test writes while the database is unavailable.
_TRY_EVERY = timedelta(seconds=2)
FILE_EVERY = timedelta(seconds=1)
_RESCUE_EVERY = timedelta(seconds=10)  # the pause after a failure to copy the opened file
# The minimum duration of an outage of the database that is reported.
_PATIENCE = timedelta(seconds=15)
# If a process finds a condition met, the condition counts as met in this process for this time.
# Each process checks every minute.
_MET_FOR = _EVERY * 2.5

_SIGNS: frozenset[IncidentKind] = frozenset(
    {"api_fails", "api_refuses", "price", "telegram", "two_pollers"}
)

Sign = Callable[[], bool | Unknown]


class Watch:
    """Opens and closes incidents by periodic checks, which ``worker`` runs."""

    def __init__(
        self,
        db: Database,
        incidents: Incidents,
        *,
        budget: int,
        check_price: int,
        tells_of_outages: bool = False,
        signs: Mapping[IncidentKind, Sign],
        failed_checks: Callable[[], str | None] = lambda: None,
        disk: Callable[[], tuple[int, int] | None] = lambda: None,
        clock_off: Callable[[], float | None] = lambda: None,
        slow_servers: Callable[[], Sequence[str]] = tuple,
        file_every: timedelta = FILE_EVERY,
        process: str = "",
        metrics: Metrics = UNSEEN,
        now: Callable[[], datetime],
    ) -> None:
        """Create the watch. ``budget`` is in credits per day, and ``check_price`` in credits.

        - ``tells_of_outages``: whether the bot can send messages without a database.
        - ``signs``: for each kind of incident, a function that returns whether an incident is
          active, or None if unknown.
        - ``disk``: returns the free bytes and the total bytes.
        - ``clock_off``: returns the error of the clock in seconds since the last call.
        - ``process``: the key of this process, if several processes share the database.
        """
        self._db = db
        self._incidents = incidents
        self._budget, self._check_price = budget, check_price
        self._tells_of_outages = tells_of_outages
        self._signs = signs
        self._failed_checks = failed_checks
        self._disk = disk
        self._clock_off = clock_off
        self._slow_servers = slow_servers
        self._open = metrics.get_or_create_gauge(
            "incidents_open", "1 while an incident of that kind is open.", "kind"
        )
        self._due = metrics.get_or_create_gauge(
            "outbox_due", "What is due to chats and not sent, as of a minute ago.", "replica"
        )
        self._overdue = metrics.get_or_create_gauge(
            "outbox_oldest_due_seconds", "For how long the first of it is due.", "replica"
        )
        self._now = now
        self._since: dict[str, datetime] = {}
        self._file_every = file_every
        self._process = process
        # The kinds of incidents for which this process has stored that their condition is met.
        self._met: set[IncidentKind] = set()
        self._check_at: datetime | None = None
        self._rescue_told = ""
        self._away_since: datetime | None = None
        self._is_reported = False
        self._why_away = ""
        self.worker = Worker("watch", self._run_due_checks, now=now, longest=_EVERY)
        db.connections.on_outage = self._record_database_outage_and_wake

    def _record_database_outage_and_wake(self) -> None:
        if self._away_since is None:
            self._away_since = self._now()
            self.worker.wake()

    async def _run_due_checks(self) -> NextStepAt | UntilWoken:
        """Run the checks that are due, and return the time of the next step.

        The SQLite file is checked at each step. Incidents are updated once a minute, except during
        an outage of the database.
        """
        now = self._now()
        held = self._db.held
        if held and not held.check_in_place_and_record_replacement():
            return (
                await self._rescue_replaced_file_and_report(now)
                if held.is_replaced.is_set()
                else now + FILE_EVERY
            )
        if self._away_since and not await self._probe_database_and_report_outage(
            self._away_since, now
        ):
            return now + _TRY_EVERY
        if self._check_at is None:
            # The first check is a minute after the start, because the bot is busy at its start.
            self._check_at = now + _EVERY
        elif self._check_at <= now:
            self._check_at = now + _EVERY
            await self.update_incidents(now)
            await self._store_last_hour_if_missing(now)
        return min(now + self._file_every, self._check_at) if held else self._check_at

    async def _rescue_replaced_file_and_report(self, now: datetime) -> NextStepAt:
        """Copy the content of the opened file to a new file after the file was replaced.

        Notify the owners once of a failure, and once of the success. Return the time of the next
        attempt or check.
        """
        file = self._db.file
        try:
            copy = await self._db.rescue()
        except BackupError as error:
            if not self._rescue_told:
                self._rescue_told = DATABASE_NOT_SAVED
                fields = {"file": str(file), "why": str(error)}
                await self._incidents.open_or_close("database", DATABASE_NOT_SAVED, **fields)
            return now + _RESCUE_EVERY
        if self._rescue_told != DATABASE_REPLACED:
            fields = {"file": str(file), "copy": str(copy)}
            is_told = await self._incidents.open_and_notify_owners(
                "database", DATABASE_REPLACED, fields
            )
            if not is_told:
                return now + _RESCUE_EVERY
            self._rescue_told = DATABASE_REPLACED
        return now + self._file_every

    async def _probe_database_and_report_outage(
        self, outage_since: datetime, now: datetime
    ) -> bool:
        """Make a test write. Return whether the write succeeds.

        This process reports an outage of at least 15 seconds at most once. One of the processes
        reports the end of such an outage.

        Raises:
            DatabaseUnavailableError: The test write succeeded, and a later write failed.
        """
        try:
            await self._db.run(lambda tx: key_values.put(tx, "ready", value=True))
        except DatabaseUnavailableError as error:
            self._why_away = str(error)
            if (
                self._tells_of_outages
                and now - outage_since >= _PATIENCE
                and not self._is_reported
            ):
                self._is_reported = True
                await self._incidents.open_or_close("database", DATABASE_AWAY, why=self._why_away)
            return False
        if now - outage_since >= _PATIENCE and await self._db.run(
            lambda tx: store.record_outage_end_if_unreported(
                tx, outage_since=outage_since, now=now
            )
        ):
            fields = {"time": now - outage_since, "why": self._why_away}
            await self._incidents.open_or_close("database", DATABASE_BACK, **fields)
        self._away_since, self._is_reported = None, False
        return True

    async def update_incidents(self, now: datetime) -> None:
        """Check the conditions of incidents. Open, update or close incidents after a change.

        If it is unknown whether a condition is met, the incident does not change. The owners are
        notified as ``Incidents`` describes.
        """
        signs = {kind: sign() for kind, sign in self._signs.items()}
        seen = await self.measure_and_set_gauges(signs, now)
        if seen.failed_checks:
            # If all scheduled checks have failed, the incident is opened even if other calls show
            # that the API works.
            signs["api_fails"] = True
        was_open = {incident.kind: incident for incident in await self._incidents.all_open()}
        for kind in KINDS:
            self._open.labels(kind).set(kind in was_open)
        for one in judge_conditions(seen, is_open=dict.fromkeys(was_open, True), now=now):
            if one.kind in _SIGNS and signs.get(one.kind) is None:
                continue
            before = was_open.get(one.kind)
            is_met = one.text is not None or bool(signs.get(one.kind))
            is_met_elsewhere = await self._record_met_and_return_met_elsewhere(
                one.kind, is_met=is_met, now=now
            )
            if one.text is None and (before is None or is_met or is_met_elsewhere):
                continue
            if before is None or (before.text, before.fields) != (one.text, one.fields):
                await self._incidents.open_or_close(one.kind, one.text, **one.fields)

    async def _record_met_and_return_met_elsewhere(
        self, kind: IncidentKind, *, is_met: bool, now: datetime
    ) -> bool:
        """Store whether this process finds a condition met.

        Return whether another process finds the condition met.

        If only one process uses the database, store nothing and return False.
        """
        if not self._process:
            return False
        if is_met or kind in self._met:
            until = now + _MET_FOR if is_met else now
            await self._db.run(
                lambda tx: store.store_mark_that_condition_is_met(
                    tx, kind, process=self._process, until=until
                )
            )
        if is_met:
            self._met.add(kind)
        else:
            self._met.discard(kind)
        return await self._db.fetch(
            lambda tx: store.is_condition_met_elsewhere(tx, kind, process=self._process, now=now)
        )

    async def measure_and_set_gauges(
        self, signs: Mapping[IncidentKind, bool | Unknown], now: datetime
    ) -> Seen:
        """Return the measured values that decide about incidents, and set the outbox metrics.

        The start of each failure or slowness is stored until its end.
        """
        async with self._db.read() as tx:
            account = await budgets.account_state(tx)
            in_a_day = await spending.spent_between(tx, now - DAY, now)
            backlog = await enqueue.count_backlog(tx, now=now)
            next_at = await chat_queues.next_due_at(tx)
            unwritten = await fan_outs.failing_usernames(tx)
        overdue = (now - next_at).total_seconds() if next_at and backlog.open else 0.0
        self._due.labels(replica_name()).set(backlog.open)
        self._overdue.labels(replica_name()).set(max(0.0, overdue))
        room, slow = self._disk(), self._slow_servers()
        return Seen(
            balance=account.balance,
            spent_in_a_day=in_a_day,
            spent_today=sum(account.spent_by_replies_and_schedule(now.date())),
            budget=self._budget,
            check_price=self._check_price,
            dead_letters=backlog.dead_letters,
            free_bytes=room[0] if room else None,
            disk_bytes=room[1] if room else 0,
            api_fails_since=self._track_condition_and_return_start(
                "api", signs.get("api_fails"), now
            ),
            telegram_fails_since=self._track_condition_and_return_start(
                "telegram", signs.get("telegram"), now
            ),
            failed_checks=self._failed_checks(),
            unwritten=unwritten,
            is_price_absurd=bool(signs.get("price")),
            clock_off_s=self._clock_off(),
            slow_servers=slow,
            slow_since=self._track_condition_and_return_start("slow", bool(slow), now),
        )

    def _track_condition_and_return_start(
        self, condition: str, is_so: bool | Unknown, now: datetime
    ) -> datetime | None:
        """Return the time at which a condition became true, or None if the condition is not true.

        The time is stored while the condition stays true.
        """
        if not is_so:
            self._since.pop(condition, None)
            return None
        return self._since.setdefault(condition, now)

    async def _store_last_hour_if_missing(self, now: datetime) -> None:
        """Store the figures of the last full hour, if the database does not have them yet."""
        hour = now.replace(minute=0, second=0, microsecond=0) - samples.HOUR
        async with self._db.read() as tx:
            if await samples.has_figures_of_hour(tx, hour):
                return
            figures = await samples.measure_hour(tx, hour)
            figures["balance"] = (await budgets.account_state(tx)).balance
        await self._db.run(lambda tx: samples.add(tx, hour, figures))


def fullest_disk_free_and_total(*folders: Path) -> tuple[int, int] | None:
    """Return the free and the total bytes of the disk with the fewest free bytes.

    Only the disks of ``folders`` are compared. Missing and unreadable folders are ignored. Return
    None if all folders are ignored.
    """
    result = []
    for folder in folders:
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            # The folder is missing. The code that writes into the folder reports this error.
            continue
        result.append((usage.free, usage.total))
    return min(result, default=None)
