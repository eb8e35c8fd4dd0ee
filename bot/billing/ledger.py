"""The ledger: a reservation before each paid call, a settlement or refund after the call.

A reservation counts as spent until the reservation is closed, so a crash leaves the ledger too
high, never too low. All limits are checked and taken in the transaction of the reservation, so
concurrent calls can't exceed a limit.
"""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar

from bot.billing.drift import KEY as DRIFT
from bot.billing.drift import Drift, Reading
from bot.domain.budget import (
    DAY,
    Allowances,
    Limits,
    Side,
    allowances_for,
    budget_free_at,
    left_by_replies,
    midnight_after,
    side_rule_for,
)
from bot.domain.errors import (
    BUDGET_SPENT,
    CHANNELS_LIMIT_REACHED,
    CHAT_LIMIT_REACHED,
    NEWCOMER_LIMIT_REACHED,
    PAYER_SPENT,
    PERSON_SPENT,
    MediaError,
    NoPayerError,
    PastedLimitError,
    SpendingError,
    SpendingStoppedError,
    StoriesError,
)
from bot.domain.model import Asker
from bot.domain.paid_calls import Balance, Call
from bot.runtime.background import finish_on_cancel
from bot.runtime.concurrency import FairSlots
from bot.store import (
    access,
    acquaintances,
    budgets,
    chats,
    key_values,
    ledger,
    profiles,
    subscriptions,
    usage,
)
from bot.store.budgets import Scope
from bot.store.engine.database import Database, Tx

T = TypeVar("T")

_PRESUMED_AFTER = timedelta(minutes=30)  # longer than the duration of any call
_HABIT_DAYS = 7
SPLIT_AT_ONCE = 500  # the number of profiles in a page, and of chats in a transaction
_SPLIT_ON = "checks split on"  # the key of the day on which the cost of checks was last split
PASTED_A_DAY = 500  # megabytes of pasted files per person and day
CREDITS_OF_CHANNELS = 10  # credits per day and group, for requests in the name of channels
# Concurrent calls of all people, and of each person; the schedule has separate slots.
PAID_AT_ONCE, PAID_OF_EACH = 48, 4


@dataclass(frozen=True, slots=True)
class Charge:
    """The purpose of a paid call, and the asker. A check of the schedule has no asker.

    ``profile_id`` is the profile that the schedule checks: all chats that wait for the profile
    share the cost.
    """

    kind: Literal["link", "stories", "highlight", "subscribe", "media", "schedule"]
    asker: Asker | None = None
    profile_id: str = ""

    @property
    def side(self) -> Side:
        """Return the side of the budget that pays: the replies or the schedule."""
        return _side_of(self.kind)


@dataclass(frozen=True, slots=True)
class Reservation:
    """An open entry of the ledger; ``credits`` count as spent until the entry is closed."""

    id: int
    charge: Charge
    credits: int


@dataclass(frozen=True, slots=True)
class Bill:
    """The credits that the API billed for a call; the reservation counts until the settlement."""

    reservation: Reservation
    credits: int


class Ledger:
    """The ledger of all spent credits. All replicas share the ledger in the database."""

    def __init__(
        self,
        db: Database,
        limits: Limits,
        *,
        owners: Callable[[], AbstractSet[int]] = frozenset,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Store the ledger in ``db``. ``owners`` returns the people without a personal limit."""
        self._db = db
        self.limits = limits
        self._owners = owners
        self._now = now
        # The day, and the hourly habits valid for the day.
        self._habits: tuple[date, list[list[int]]] | None = None
        self._slots = FairSlots(PAID_AT_ONCE, each=PAID_OF_EACH)

    async def spend(self, charge: Charge, call: Call[T]) -> T:
        """Reserve credits, make the call, and settle the bill. Return the value of the call.

        Raises:
            SpendingError: A limit is reached; the API was not called.
            StoriesError: The call failed; the billed credits are settled.
        """
        value, bill = await self.call_unsettled(charge, call)
        await self._close(bill.reservation, bill.credits)
        return value

    async def call_unsettled(self, charge: Charge, call: Call[T]) -> tuple[T, Bill]:
        """Reserve credits and make the call.

        Return the value, and the bill for a later settlement.

        The caller settles the bill in the transaction that stores the value. The bill of a failed
        call is settled here.

        Calls for persons wait for a slot. Each person has few of the slots, so slow calls of a
        person do not delay other persons.

        Raises:
            SpendingError: A limit is reached; the API was not called.
            StoriesError: The call failed; the billed credits are settled.
        """
        asker = charge.asker
        if asker is None:
            return await self._reserve_and_call(charge, call)
        whose = asker.user_id
        if whose is None:
            whose, _ = await self._db.fetch(lambda tx: _payer_of(tx, asker))
        async with self._slots.slot(whose or asker.chat_id):
            return await self._reserve_and_call(charge, call)

    async def _reserve_and_call(self, charge: Charge, call: Call[T]) -> tuple[T, Bill]:
        reservation = await self.reserve(charge, call)
        try:
            answer = await call
        except (StoriesError, MediaError) as error:
            await self._close(reservation, error.credits)
            raise
        except Exception:
            await self._close(reservation, None)
            raise
        return answer.value, Bill(reservation, answer.credits)

    async def reserve(self, charge: Charge, call: Call[object]) -> Reservation:
        """Charge the price of a call to all limits that apply.

        If a limit is reached, charge nothing.

        Raises:
            SpendingError: A limit is reached. The subclass and the text name the limit; ``until``
                is the time from which a retry makes sense.
        """
        return await finish_on_cancel(
            self._reserve(charge, call),
            undo=lambda reservation: self._close(reservation, 0),
        )

    async def _reserve(self, charge: Charge, call: Call[object]) -> Reservation:
        async with self._db.begin() as tx:
            now, nominal, asker = self._now(), call.price, charge.asker
            scopes: list[Scope] = []
            if asker is not None:
                asker = await _with_current_chat(tx, asker)
                asker, scopes = await self._take_allowances(tx, asker, nominal, now)
            is_owner = asker is not None and asker.is_owner
            minimum = None if is_owner else self.limits.minimum_balance
            side, today = charge.side, now.date()
            rule = side_rule_for(side, self.limits, now)
            if not await budgets.take_credits(
                tx, charge.side, now, nominal, rule, minimum=minimum
            ):
                account = await budgets.account_state(tx)
                if not account.may_spend(nominal, minimum=minimum):
                    raise SpendingStoppedError("stopped, or the balance is below the minimum")
                used = account.spent_today(today)
                raise SpendingError(
                    text=BUDGET_SPENT,
                    until=budget_free_at(side, self.limits, used, nominal, now),
                )
            entry_id = await ledger.add(
                tx,
                kind=charge.kind,
                chat_id=asker.chat_id if asker else None,
                user_id=asker.user_id if asker else None,
                operation=call.operation,
                nominal=nominal,
                now=now,
                scopes=scopes,
                is_on_behalf=charge.asker is not None and charge.asker.user_id is None,
            )
        return Reservation(entry_id, charge, nominal)

    async def settle(self, tx: Tx, reservation: Reservation, credits: int | None) -> None:  # noqa: A002 - the field's term
        """Close a reservation with the billed credits, in the caller's transaction. Idempotent.

        If ``credits`` is None, the API did not report the bill. The reservation then counts as
        spent until a later balance shows the bill.
        """
        entry = await ledger.close(tx, reservation.id, credits, now=self._now())
        if entry is None:
            return
        if credits is None:
            credits = reservation.credits  # noqa: A001 - the field's term
        if reservation.charge.profile_id:
            await profiles.add_unsplit(tx, reservation.charge.profile_id, credits)
        if back := reservation.credits - credits:
            await _give_back(tx, entry, back, is_billed=True)

    async def take_megabytes(
        self, asker: Asker, megabytes: int, *, most: int = PASTED_A_DAY
    ) -> None:
        """Count the download of a pasted file URL, which costs no credits.

        Raises:
            PastedLimitError: The person's limit of megabytes a day is exceeded.
            NoPayerError: The request has no person, and the chat has no payer.
        """
        async with self._db.begin() as tx:
            whose = asker.user_id
            if whose is None:
                whose, _ = await _payer_of(tx, asker)
            if whose is None:
                raise NoPayerError
            refusing = await budgets.take_allowances(
                tx, self._now().date(), megabytes, [("pasted", whose, most)]
            )
            if refusing:
                raise PastedLimitError

    async def set_stopped(self, *, stopped: bool) -> None:
        """Set the stop switch, which refuses every paid call in all replicas.

        The balance can still be fetched.
        """
        async with self._db.begin() as tx:
            await budgets.set_stopped(tx, stopped=stopped)

    async def is_stopped(self) -> bool:
        """Return whether the stop switch is on."""
        return (await self._db.fetch(budgets.account_state)).is_stopped

    async def spent_today(self) -> tuple[int, int]:
        """Return the credits that the replies and the schedule have spent today."""
        return (await self._db.fetch(budgets.account_state)).spent_today(self._now().date())

    async def left_by_replies(self, now: datetime) -> float:
        """Return the credits of the replies' share of today that the replies will not need.

        The estimate is based on the habits of the last 7 days. If known persons exist, the
        requests of newcomers are excluded: a hundred accounts made for a single day must not take
        credits from the checks of a week.
        """
        today = now.date()
        async with self._db.read() as tx:
            used, _ = (await budgets.account_state(tx)).spent_today(today)
            if self._habits is None or self._habits[0] != today:
                since = today - timedelta(days=_HABIT_DAYS)
                tells_apart = self.limits.newcomer_allowance is not None
                of_known = tells_apart and await acquaintances.has_known_person(tx)
                hours = await ledger.reply_cost_by_hour(tx, since, before=today, of_known=of_known)
                self._habits = today, list(hours.values())
        return left_by_replies(self.limits, self._habits[1], used=used, now=now)

    async def schedule_room_and_spent(self, tx: Tx, now: datetime) -> tuple[int, int]:
        """Return the credits that the schedule may spend now, and that it has spent today."""
        account = await budgets.account_state(tx)
        replies, schedule = account.spent_today(now.date())
        room = side_rule_for("schedule", self.limits, now).room(mine=schedule, others=replies)
        if account.balance is not None:
            room = min(room, account.balance - self.limits.minimum_balance)
        return 0 if account.is_stopped else max(0, room), schedule

    async def obstacle_to_checks(
        self, tx: Tx, price: int, now: datetime
    ) -> Literal["", "stopped", "budget"]:
        """Return the reason why the schedule may not spend ``price`` credits now, or "".

        The reason "stopped" means that the stop switch is on or the balance is too low.
        """
        account = await budgets.account_state(tx)
        if not account.may_spend(price, minimum=self.limits.minimum_balance):
            return "stopped"
        room, _ = await self.schedule_room_and_spent(tx, now)
        return "budget" if room < price else ""

    async def update_balance(self, ask: Callable[[], Awaitable[Balance]]) -> Balance:
        """Fetch the balance, which is free, and store the credits that can still be spent.

        Calls in flight may already be included in the balance. The stored value assumes that calls
        in flight are not yet billed.
        """
        async with self._db.read() as tx:
            spent = (await budgets.account_state(tx)).spent
            in_flight = await ledger.open_credits(tx)
        balance = await ask()
        async with self._db.begin() as tx:
            is_quiet = not in_flight and (await budgets.account_state(tx)).spent == spent
            if is_quiet:
                reading = Reading(balance.credits, spent, self._now())
                before = await _lock_drift(tx)
                drift = before.after_reading(reading) if before else Drift(reading, reading)
                await key_values.put(tx, DRIFT, drift.to_json())
            await budgets.set_reach(tx, balance.credits - in_flight + spent)
        return balance

    async def take_certain_drift(self) -> Drift | None:
        """Return a certain drift of the balance once, or None without a certain drift.

        The returned drift counts as reported, and the comparison restarts. If the account was
        billed less than the ledger, entries with an unknown bill are refunded first; the drift is
        the rest.
        """
        while True:
            # Each refund has a transaction, because allowances must be locked before the account.
            async with self._db.begin() as tx:
                drift = await _lock_drift(tx)
                if drift is None or not drift.is_certain:
                    return None
                back = await self._give_back_presumed(tx, since=drift.base.at, most=-drift.size)
                drift = drift.after_giving_back(back)
                is_all = not back or not drift.size
                kept = drift.after_report() if is_all else drift
                await key_values.put(tx, DRIFT, kept.to_json())
            if is_all:
                return drift if drift.size else None

    async def _give_back_presumed(self, tx: Tx, *, since: datetime, most: int) -> int:
        """Refund all or part of a call whose bill is unknown. Return the refunded credits."""
        one = await ledger.first_presumed(tx, since) if most > 0 else None
        if one is None:
            return 0
        back = min(int(one.credits), most)
        entry = await ledger.close(tx, one.id, one.credits - back, now=self._now())
        if entry is None:
            return 0
        await _give_back(tx, entry, back)
        return back

    async def maintain(self) -> int:
        """Close the reservations of killed processes, and split the costs of yesterday's checks.

        Return the number of reservations that were presumed spent.
        """
        now = self._now()
        async with self._db.begin() as tx:
            presumed = await ledger.presume_spent(tx, before=now - _PRESUMED_AFTER, now=now)
            await budgets.begin_day(tx, now)
        await self.split_check_costs()
        return presumed

    async def split_check_costs(self) -> None:
        """Split the costs of yesterday's checks among the waiting chats, once a day.

        The split is approximate: each chat that waits now gets the same part, and a kill during
        the split leaves the remaining chats without a part. The entries of the ledger are exact.
        """
        today = self._now().date()
        async with self._db.begin() as tx:
            split_on = await key_values.get(tx, _SPLIT_ON)
            if split_on != today.isoformat():
                await key_values.put(tx, _SPLIT_ON, today.isoformat())
        if split_on in {None, today.isoformat()}:
            return
        after = ""
        while some := await self._db.fetch(
            partial(profiles.ids_with_unsplit, after=after, limit=SPLIT_AT_ONCE)
        ):
            for profile_id in some:
                await self._split_among_waiting(profile_id, today - DAY)
            after = some[-1]

    async def _split_among_waiting(self, profile_id: str, day: date) -> None:
        after: int | None = None
        each: usage.Use | None = None
        while True:
            async with self._db.begin(durable=False) as tx:
                if each is None:
                    each = usage.Use(millicredits=await profiles.take_share(tx, profile_id))
                chat_ids = await subscriptions.waiting_chats(
                    tx, profile_id, after=after, limit=SPLIT_AT_ONCE
                )
                await usage.add(tx, [(one, each) for one in chat_ids], day=day)
            if len(chat_ids) < SPLIT_AT_ONCE:
                return
            after = chat_ids[-1]

    async def _take_allowances(
        self, tx: Tx, asker: Asker, nominal: int, now: datetime
    ) -> tuple[Asker, list[Scope]]:
        """Charge the price of a call to the allowances of the asker.

        Return the asker to be billed, and the charged allowances. A request without a person is
        billed to the payer of the chat.

        Raises:
            SpendingError: A limit is reached.
            NoPayerError: The request has no person, and the chat has no payer.
        """
        billed, is_unknown_channel = asker, False
        if asker.user_id is None:
            payer, is_unknown_channel = await _payer_of(tx, asker)
            if payer is None and asker.chat_id is not None:
                raise NoPayerError
            billed = replace(asker, user_id=payer)
        if asker.is_owner or asker.chat_id is None:
            return billed, []
        limits = await self._allowances_of(tx, billed)
        wanted: list[tuple[Scope, int, int]] = [("chat", asker.chat_id, limits.chat)]
        if billed.user_id is not None and billed.user_id not in self._owners():
            wanted.append(("person", billed.user_id, limits.own))
            if limits.newcomers is not None:
                wanted.append(("newcomer", 0, limits.newcomers))
        if is_unknown_channel:
            wanted.append(("channels", asker.chat_id, CREDITS_OF_CHANNELS))
        refusing = await budgets.take_allowances(tx, now.date(), nominal, wanted)
        if refusing is not None:
            raise _refusal_error(refusing, asker, midnight_after(now))
        return billed, [scope for scope, _, _ in wanted]

    async def _allowances_of(self, tx: Tx, asker: Asker) -> Allowances:
        person, chat, is_known = await access.allowances_of_asker(tx, asker.user_id, asker.chat_id)
        return allowances_for(self.limits, is_known=is_known, of_chat=chat, of_person=person)

    async def _close(self, reservation: Reservation, credits: int | None) -> None:  # noqa: A002 - the field's term
        # The answer may bill more credits than reserved, so a cancellation must not prevent the
        # settlement.
        await finish_on_cancel(self._settle_alone(reservation, credits))

    async def _settle_alone(self, reservation: Reservation, credits: int | None) -> None:  # noqa: A002 - the field's term
        # If this commit is lost, the reservation still counts. Therefore only a bill above the
        # reservation must be durable.
        async with self._db.begin(durable=(credits or 0) > reservation.credits) as tx:
            await self.settle(tx, reservation, credits)


async def _with_current_chat(tx: Tx, asker: Asker) -> Asker:
    """Return the asker with the current id of a migrated chat. Both ids share an allowance."""
    old = asker.chat_id or 0
    moved_to = await chats.moved_to(tx, old) if old < 0 else None
    return replace(asker, chat_id=moved_to) if moved_to else asker


async def _payer_of(tx: Tx, asker: Asker) -> tuple[int | None, bool]:
    """Return the payer of a request without a person, or None if the payer is unknown.

    The payer of the channel in whose name the request was written takes precedence over the payer
    of the chat. The second value is True if the request was written in the name of a channel
    without a known payer.
    """
    if asker.as_channel is not None:
        payer = await chats.payer_of(tx, asker.as_channel)
        if payer is not None:
            return payer, False
    payer = None if asker.chat_id is None else await chats.payer_of(tx, asker.chat_id)
    return payer, asker.as_channel is not None


def _refusal_error(scope: Scope, asker: Asker, until: datetime) -> SpendingError:
    """Return the error for an allowance that is used up."""
    match scope:
        case "person" if asker.user_id is not None:
            return SpendingError(text=PERSON_SPENT, until=until)
        case "person":
            return SpendingError(text=PAYER_SPENT, until=until)
        case "newcomer":
            return SpendingError(text=NEWCOMER_LIMIT_REACHED, until=until)
        case "channels":
            return SpendingError(text=CHANNELS_LIMIT_REACHED, until=until)
        case _:
            return SpendingError(text=CHAT_LIMIT_REACHED, until=until)


async def _give_back(tx: Tx, entry: Any, back: int, *, is_billed: bool = False) -> None:  # noqa: ANN401 - a row of the store's
    """Refund ``back`` credits to the allowances and the budget side that an entry was charged to.

    With ``is_billed``, the API reported a lower bill, so the total spending is also reduced.
    """
    day, subjects = entry.at.date(), {"person": entry.user_id, "newcomer": 0}
    for scope in entry.scopes.split():
        await budgets.give_back_allowance(tx, scope, subjects.get(scope, entry.chat_id), day, back)
    await budgets.give_back_credits(tx, _side_of(entry.kind), day, back, of_balance=is_billed)


def _side_of(kind: str) -> Side:
    return "schedule" if kind == "schedule" else "replies"


async def _lock_drift(tx: Tx) -> Drift | None:
    """Lock the drift for this transaction.

    Return the drift, or None before the first comparison.
    """
    kept = await key_values.lock(tx, DRIFT)
    return Drift.from_json(kept) if isinstance(kept, dict) else None
