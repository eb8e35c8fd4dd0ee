"""The data of the admin page as JSON, and the actions of the buttons on the admin page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from bot.billing.ledger import Ledger
from bot.billing.people import Guest, list_guests_by_cost
from bot.billing.reports import Reports
from bot.chats.access import Access
from bot.domain.access import Subject
from bot.domain.errors import BotError
from bot.domain.incidents import Incident
from bot.fetching import schedule_state
from bot.fetching.feasibility import count_checkable_profiles
from bot.operations import admin_sessions
from bot.operations.incidents import text_with_advice_if_open
from bot.presentation.html import plain
from bot.presentation.translation import translator_for
from bot.store import chats, enqueue, incidents, profiles, samples
from bot.store.engine.database import Database, Tx
from bot.updates.unit_of_work import join_or_begin_read, join_or_begin_transaction

_Json = dict[str, Any]

_DAYS = 30
_SHOWN = 100  # the maximum number of rows in a table of the page
_INCIDENTS = 50
_MOST_CREDITS = 100_000


@dataclass(frozen=True, slots=True)
class CheckAndAlertFigures:
    """The figures about checks, alerts and incidents."""

    profiles: int
    """The number of checked profiles, which is estimated if the number is large."""
    possible: int
    """The number of profiles that the budget allows."""
    delay: timedelta | None
    """The estimated mean time until a new story is detected, or None if unknown."""
    waiting: int
    """The number of deliveries that are due and not sent."""
    dead_letters: int
    """The number of deliveries that are no longer sent."""
    days: list[_Json]
    """The figures of the last 30 days."""
    still_open: list[Incident]
    """The open incidents."""
    last: list[Incident]
    """The 50 newest incidents."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Reads the data of the admin page from the database, and executes the page's actions.

    ``wake`` makes the outbox check for due messages.
    """

    db: Database
    reports: Reports
    ledger: Ledger
    access: Access
    # Credits of a check; None means that the measured mean cost applies.
    credits_a_check: float | None
    credits_for_checks: int  # credits per day that checks get
    credit_price: float  # US dollars
    address: str  # the URL of this bot's web server
    wake: Callable[[], None]
    now: Callable[[], datetime]

    async def issue_admin_link_and_end_session(self, owner: int) -> str:
        """Return a link to the admin page for an owner. The link works once, within ten minutes.

        An earlier link no longer works, and any open session ends.
        """
        async with join_or_begin_transaction(self.db) as tx:
            key = await admin_sessions.issue_key_and_end_session(tx, owner, now=self.now())
        return f"{self.address}/admin#key={key}"

    async def read_check_and_alert_figures(self) -> CheckAndAlertFigures:
        """Return the current figures of checks, alerts and incidents."""
        async with join_or_begin_read(self.db) as tx:
            return await self._read_check_and_alert_figures(tx)

    async def read_state_of_admin_page(self) -> _Json:
        """Return the state of the bot for the admin page, as a JSON object.

        Costs are in credits. The price of a credit is in US dollars. Each table has at most 100
        rows.
        """
        now = self.now()
        spent = await self.reports.read_spending()
        async with join_or_begin_read(self.db) as tx:
            stands = await self._read_check_and_alert_figures(tx)
            people = await list_guests_by_cost(tx, offset=0, limit=_SHOWN, now=now)
            dead_letters = await self._read_dead_letters(tx)
            cost = await schedule_state.read_credits_per_check(tx, self.credits_a_check)
            schedule = [
                _upcoming_check_row(*row, cost)
                for row in await profiles.upcoming_checks_with_last_and_due_time(tx, limit=_SHOWN)
            ]
            figures = {
                "balance": spent.balance,
                "days_left": spent.days_left and round(spent.days_left, 1),
                "budget": spent.budget,
                "spent": spent.budget - spent.left_today,
                "month": spent.month,
                "forecast": spent.forecast,
                "drift": spent.drift,
                "profiles": stands.profiles,
                "possible": stands.possible,
                "delay_s": stands.delay and round(stands.delay.total_seconds()),
                "waiting": stands.waiting,
                "parked": stands.dead_letters,
                "price": self.credit_price,
            }
        return {
            "now": now.isoformat(),
            "stopped": await self.ledger.is_spending_stopped(),
            "figures": figures,
            "incidents": [_incident_row(incident) for incident in stands.last],
            "people": [self._guest_row(guest, now) for guest in people],
            "parked": dead_letters,
            "schedule": schedule,
            "days": stands.days,
        }

    async def do_admin_action(self, wanted: Mapping[str, Any]) -> None:
        """Execute the action of a button of the admin page.

        ``wanted`` has the action (``action``), the id of the chat, person or dead letter (``id``),
        and the limit in credits (``value``).

        Raises:
            BotError: The action, the id or the value is invalid, or the dead letter can't be
                changed.
            RightsError: The action is the block of an owner.
        """
        number = _whole_number(wanted.get("id")) or 0
        subject = Subject.of_chat(number)
        match wanted.get("action"):
            case "stop":
                await self.ledger.set_spending_stopped(stopped=True)
            case "resume":
                await self.ledger.set_spending_stopped(stopped=False)
            case _ if not 0 < abs(number) < 2**52:
                raise BotError("no such button, or no number")
            case "block":
                await self.access.block(subject, until=None, reason="")
            case "unblock":
                await self.access.unblock(subject)
            case "allow":
                await self.access.allow_and_end_block(subject, by=None)
            case "limit":
                await self._set_daily_allowance(subject, wanted.get("value"))
            case "send_again" | "drop" as word:
                await self._resend_or_drop_dead_letter(number, again=word == "send_again")
            case _:
                raise BotError("unknown action")

    async def _resend_or_drop_dead_letter(self, number: int, *, again: bool) -> None:
        """Send a dead letter again if ``again`` is True, or drop the dead letter.

        Raises:
            BotError: The dead letter does not exist any more, or can't be sent again because the
                story has expired or the chat is closed.
        """
        now, act = self.now(), enqueue.reopen_dead_letters if again else enqueue.drop_dead_letters
        if not await self.db.run(lambda tx: act(tx, [number], now=now)):
            raise BotError("no dead letter that can be sent or dropped")
        self.wake()

    async def _set_daily_allowance(self, subject: Subject, value: object) -> None:
        """Set the daily limit of a chat or person, in credits.

        If ``value`` is None, the limit in the settings of the bot applies.

        Raises:
            BotError: The value is neither None nor a whole number from 0 to 100,000.
        """
        credits_ = _whole_number(value)
        if value is not None and (credits_ is None or not 0 <= credits_ <= _MOST_CREDITS):
            raise BotError("not so many credits")
        await self.access.set_daily_allowance(subject, credits_)

    async def _read_dead_letters(self, tx: Tx) -> list[_Json]:
        rows = await enqueue.dead_letters(tx, limit=_SHOWN)
        names = await chats.titles_by_chat(tx, {letter.chat_id for letter in rows})
        return [
            {
                "id": letter.id,
                "chat": names.get(letter.chat_id) or str(letter.chat_id),
                "story": letter.story_pk,
                "copies": letter.copies,
                "reason": letter.reason,
                "at": letter.done_at.isoformat(),
            }
            for letter in rows
        ]

    async def _read_check_and_alert_figures(self, tx: Tx) -> CheckAndAlertFigures:
        now = self.now()
        backlog = await enqueue.count_backlog(tx, now=now)
        cost = await schedule_state.read_credits_per_check(tx, self.credits_a_check)
        counts = await profiles.estimate_profile_counts_by_followers(tx)
        return CheckAndAlertFigures(
            profiles=sum(counts),
            possible=count_checkable_profiles(self.credits_for_checks, cost),
            delay=await profiles.estimate_mean_detection_delay(tx, counts),
            waiting=backlog.open,
            dead_letters=backlog.dead_letters,
            days=_sums_by_day(await samples.figures_since(tx, now - timedelta(days=_DAYS))),
            still_open=await incidents.all_open(tx),
            last=await incidents.latest(tx, limit=_INCIDENTS),
        )

    def _guest_row(self, guest: Guest, now: datetime) -> _Json:
        entry = guest.entry
        state = "guest"
        if guest.id in self.access.owner_ids:
            state = "owner"
        elif entry and entry.is_blocked(now):
            state = "blocked"
        elif entry and entry.is_allowed:
            state = "allowed"
        elif entry and entry.refused_at and self.access.mode != "open":
            state = "asked"
        return {
            "id": guest.id,
            "name": guest.name,
            "state": state,
            "reason": entry.reason if entry else "",
            "until": entry.blocked_until.isoformat() if entry and entry.blocked_until else None,
            "limit": entry.allowance if entry else None,
            "credits": round(
                (guest.millicredits_in_chat + guest.millicredits_elsewhere) / 1000, 1
            ),
            "kinds": {
                kind: round(spent / 1000, 1) for kind, spent in guest.millicredits_by_kind.items()
            },
        }


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _incident_row(incident: Incident) -> _Json:
    t = translator_for("en")
    text = text_with_advice_if_open(t, incident)
    return {
        "id": incident.id,
        "kind": incident.kind,
        "text": plain(text),
        "opened": incident.opened_at.isoformat(),
        "closed": incident.closed_at.isoformat() if incident.closed_at else None,
    }


def _upcoming_check_row(
    name: str, snapshot_at: datetime | None, next_at: datetime, cost: float
) -> _Json:
    """Return a row about an upcoming check.

    The row has the mean delay of an alert in seconds, and the cost of the checks in credits per
    day.
    """
    pause = (next_at - snapshot_at).total_seconds() if snapshot_at else None
    return {
        "profile": name,
        "next": next_at.isoformat(),
        "delay_s": None if pause is None else round(max(0.0, pause) / 2),
        "credits_a_day": None if not pause or pause < 0 else round(86_400 / pause * cost, 1),
    }


def _sums_by_day(hours: list[tuple[datetime, _Json]]) -> list[_Json]:
    """Combine hourly figures into figures of each day (UTC).

    A day has the credits by kind, the number of alerts, the mean delay in seconds of alerts that
    were not deferred, and the largest number of pending messages.
    """
    days: dict[date, _Json] = {}
    for hour, figures in hours:
        day = days.setdefault(
            hour.date(), {"day": hour.date().isoformat(), "spent": {}, "alerts": 0,
                          "timed": 0, "seconds": 0.0, "waiting": 0}
        )  # fmt: skip
        for kind, spent in figures.get("spent", {}).items():
            day["spent"][kind] = day["spent"].get(kind, 0) + spent
        timed = figures.get("timed") or 0
        day["alerts"] += figures.get("alerts") or 0
        day["timed"] += timed
        day["seconds"] += timed * (figures.get("delay_s") or 0.0)
        day["waiting"] = max(day["waiting"], figures.get("waiting") or 0)
    for day in days.values():
        seconds, timed = day.pop("seconds"), day.pop("timed")
        day["delay_s"] = round(seconds / timed) if timed else None
    return list(days.values())
