"""The ledger of the paid calls of the Stories API.

A reservation counts as spent until the bill is known, also after a crash. The limits of credits
are checked in the transaction of the reservation, so concurrent reservations can't exceed a limit.
"""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar, cast

from bot.billing.drift import KEY as DRIFT
from bot.billing.drift import Drift, Reading
from bot.domain.budget import (
    DAY,
    Limits,
    Side,
    allowances_for,
    budget_free_at,
    midnight_after,
    reply_credits_left_for_schedule,
    side_rule_for,
)
from bot.domain.errors import (
    BUDGET_SPENT,
    CHANNELS_LIMIT_REACHED,
    CHAT_LIMIT_REACHED,
    NEWCOMER_LIMIT_REACHED,
    PAYER_SPENT,
    PERSON_LIMIT_REACHED,
    MediaError,
    NoPayerError,
    PastedLimitError,
    SpendingError,
    SpendingStoppedError,
    StoriesError,
)
from bot.domain.model import Asker, Unknown
from bot.domain.paid_calls import Balance, PaidCall
from bot.runtime.background import finish_on_cancel
from bot.runtime.clock import utc_now
from bot.runtime.concurrency import FairSlots
from bot.store import (
    access,
    acquaintances,
    budgets,
    chats,
    key_values,
    ledger,
    profiles,
    spending,
    subscriptions,
    usage,
)
from bot.store.budgets import Scope
from bot.store.engine.database import Database, Tx
from bot.store.ledger import ClosedCount

T = TypeVar("T")

# The maximum age of a reservation whose call can still be running. The credits of an older
# reservation count as spent.
_PRESUMED_AFTER = timedelta(minutes=30)
_HABIT_DAYS = 7
# If the costs of checks are split among the chats, at most this number of profiles is read at
# once, and the costs of at most this number of chats are written in a transaction.
SPLIT_AT_ONCE = 500
# The database key of the day on which the costs of checks were last split among the chats.
_SPLIT_ON = "checks split on"
# The maximum size of the files that a person may paste per day, in megabytes.
PASTED_A_DAY = 500
# The limit of a group, in credits per day, for requests in the name of channels. If the payer of
# the channel is known, this limit does not apply.
CREDITS_OF_CHANNELS = 10
# The maximum number of concurrent paid calls in a process: for all people together, and for each
# person. Calls that the schedule pays for do not count.
PAID_AT_ONCE, PAID_OF_EACH = 48, 4


@dataclass(frozen=True, slots=True)
class Charge:
    """The purpose of a paid call, and the person or chat that requests the call.

    The schedule pays for calls without an ``asker``. All chats that wait for stories of the
    profile ``profile_id`` share the cost of such a call.
    """

    kind: Literal["link", "stories", "highlight", "subscribe", "media", "schedule"]
    asker: Asker | None = None
    profile_id: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation in the ledger. ``credits`` count as spent until the bill is known."""

    id: int
    charge: Charge
    credits: int


@dataclass(frozen=True, slots=True)
class Bill:
    """The credits that the API billed for a call whose reservation is not settled yet."""

    reservation: Reservation
    credits: int


class Ledger:
    """The ledger of all spent credits. All processes share the ledger in the database."""

    def __init__(
        self,
        db: Database,
        limits: Limits,
        *,
        owners: Callable[[], AbstractSet[int]] = frozenset,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Create the ledger, which is stored in the database ``db``.

        ``owners`` returns the ids of the bot's owners, who usually have no personal limits.
        """
        self._db = db
        self.limits = limits
        self._owners = owners
        self._now = now
        # A cache of today's date, and of the credits that replies cost in each hour of each of the
        # previous days.
        self._habits: tuple[date, list[list[int]]] | None = None
        self._slots = FairSlots(PAID_AT_ONCE, each=PAID_OF_EACH)

    async def reserve_call_and_settle(self, charge: Charge, call: PaidCall[T]) -> T:
        """Reserve credits, make the call, and settle the bill. Return the value of the call.

        Raises:
            SpendingError: A limit is reached, spending is stopped, or nobody pays. No call was
                made.
            StoriesError: The call failed. The reservation is closed.
            MediaError: A download failed. The reservation is closed.
        """
        value, bill = await self.reserve_and_call_unsettled(charge, call)
        await self._settle_despite_cancellation(bill.reservation, bill.credits)
        return value

    async def reserve_and_call_unsettled(
        self, charge: Charge, call: PaidCall[T]
    ) -> tuple[T, Bill]:
        """Reserve credits and make the call. Return the value of the call and the bill.

        The caller must settle the bill in the transaction that stores the value. A call with an
        ``asker`` waits for a free slot.

        Raises:
            SpendingError: A limit is reached, spending is stopped, or nobody pays. No call was
                made.
            StoriesError: The call failed. The reservation is closed.
            MediaError: A download failed. The reservation is closed.
        """
        asker = charge.asker
        if asker is None:
            return await self._call_without_settling(charge, call)
        whose = asker.user_id
        if whose is None:
            whose, _ = await self._db.fetch(lambda tx: _payer_and_lacks_channel_payer(tx, asker))
        async with self._slots.slot(whose or asker.chat_id):
            return await self._call_without_settling(charge, call)

    async def _call_without_settling(self, charge: Charge, call: PaidCall[T]) -> tuple[T, Bill]:
        reservation = await self.reserve(charge, call)
        try:
            answer = await call
        except (StoriesError, MediaError) as error:
            await self._settle_despite_cancellation(reservation, error.credits)
            raise
        except Exception:
            await self._settle_despite_cancellation(reservation, None)
            raise
        return answer.value, Bill(reservation, answer.credits)

    async def reserve(self, charge: Charge, call: PaidCall[object]) -> Reservation:
        """Reserve the price of a call within all limits, or raise an error and reserve nothing.

        Raises:
            SpendingStoppedError: Spending is stopped, or the balance is too low.
            NoPayerError: The request has no person, and its channel and chat have no payer.
            SpendingError: A limit is reached. A retry can succeed from the time ``until``.
        """
        return await finish_on_cancel(
            self._reserve(charge, call),
            undo=lambda reservation: self._settle_despite_cancellation(reservation, 0),
        )

    async def _reserve(self, charge: Charge, call: PaidCall[object]) -> Reservation:
        async with self._db.begin() as tx:
            now, nominal, asker = self._now(), call.price, charge.asker
            scopes: list[Scope] = []
            if asker is not None:
                asker = await _with_migrated_chat_id(tx, asker)
                asker, scopes = await self._charge_allowances(tx, asker, nominal, now)
            is_owner = asker is not None and asker.is_owner
            minimum = None if is_owner else self.limits.minimum_balance
            side = budget_side_of_calls(charge.kind)
            rule = side_rule_for(side, self.limits, now)
            account = await budgets.take_credits_or_return_account(
                tx, side, now, nominal, rule, minimum=minimum
            )
            if account is not None:
                if not account.allows_spending(nominal, minimum=minimum):
                    raise SpendingStoppedError("stopped, or the balance is below the minimum")
                used = account.spent_by_replies_and_schedule(now.date())
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

    async def settle(self, tx: Tx, reservation: Reservation, credits: int | Unknown) -> None:  # noqa: A002 - the field's term
        """Close a reservation with the billed credits, in the caller's transaction.

        Unbilled credits are refunded, and a larger bill is charged in full. If ``credits`` is None
        (unknown), the reserved credits count as spent. A recorded bill is not changed.
        """
        entry = await ledger.close(tx, reservation.id, credits, now=self._now())
        if entry is None:
            return
        if credits is None:
            credits = reservation.credits  # noqa: A001 - the field's term
        if reservation.charge.profile_id:
            await profiles.add_unsplit_credits(tx, reservation.charge.profile_id, credits)
        if back := reservation.credits - credits:
            await _refund(tx, entry, back, is_billed=True, now=self._now())

    async def count_pasted_megabytes(
        self, asker: Asker, megabytes: int, *, most: int = PASTED_A_DAY
    ) -> None:
        """Count the size of a pasted file towards the person's daily limit, for 0 credits.

        ``most`` is the limit in megabytes per day. If no person is known, the payer's
        limit counts.

        Raises:
            PastedLimitError: The limit is exceeded.
            NoPayerError: The request has no person, and its channel and chat have no payer.
        """
        async with self._db.begin() as tx:
            whose = asker.user_id
            if whose is None:
                whose, _ = await _payer_and_lacks_channel_payer(tx, asker)
            if whose is None:
                raise NoPayerError
            refusing = await budgets.take_allowances_or_return_exceeded(
                tx, self._now().date(), megabytes, [("pasted", whose, most)]
            )
            if refusing:
                raise PastedLimitError

    async def set_spending_stopped(self, *, stopped: bool) -> None:
        """Turn the stop switch for paid calls on or off.

        While the stop switch is on, every process refuses paid calls. The balance can still be
        fetched, because this call costs 0 credits.
        """
        async with self._db.begin() as tx:
            await budgets.set_spending_stopped(tx, stopped=stopped)

    async def is_spending_stopped(self) -> bool:
        """Return whether the stop switch for paid calls is on."""
        return (await self._db.fetch(budgets.account_state)).is_stopped

    async def spent_by_replies_and_schedule(self) -> tuple[int, int]:
        """Return today's spending on replies and today's spending of the schedule, in credits."""
        return (await self._db.fetch(budgets.account_state)).spent_by_replies_and_schedule(
            self._now().date()
        )

    async def reply_credits_left_for_schedule(self, now: datetime) -> float:
        """Estimate how many credits of today's budget for replies will not be spent.

        The estimate uses the spending of the last 7 days. If newcomers have a limit of their own,
        and the bot has known persons (``has_known_person``), earlier requests of newcomers do not
        count.
        """
        today = now.date()
        async with self._db.read() as tx:
            used, _ = (await budgets.account_state(tx)).spent_by_replies_and_schedule(today)
            if self._habits is None or self._habits[0] != today:
                since = today - timedelta(days=_HABIT_DAYS)
                tells_apart = self.limits.newcomer_allowance is not None
                of_known = tells_apart and await acquaintances.has_known_person(tx)
                hours = await ledger.reply_cost_by_hour(
                    tx, since, before=today, only_known_people=of_known
                )
                self._habits = today, list(hours.values())
        return reply_credits_left_for_schedule(self.limits, self._habits[1], used=used, now=now)

    async def schedule_credits_left_and_spent(self, tx: Tx, now: datetime) -> tuple[int, int]:
        """Return the schedule's remaining credits of today, and its spent credits of today."""
        account = await budgets.account_state(tx)
        replies, schedule = account.spent_by_replies_and_schedule(now.date())
        room = side_rule_for("schedule", self.limits, now).credits_left(
            own_spending=schedule, spending_of_others=replies
        )
        if account.balance is not None:
            room = min(room, account.balance - self.limits.minimum_balance)
        return 0 if account.is_stopped else max(0, room), schedule

    async def obstacle_to_checks(
        self, tx: Tx, price: int, now: datetime
    ) -> Literal["", "stopped", "budget"]:
        """Return the reason why the schedule must not spend ``price`` credits now.

        "stopped" means the stop switch or a low balance. "budget" means that too few credits are
        left for the schedule today. An empty string means no obstacle.
        """
        account = await budgets.account_state(tx)
        if not account.allows_spending(price, minimum=self.limits.minimum_balance):
            return "stopped"
        room, _ = await self.schedule_credits_left_and_spent(tx, now)
        return "budget" if room < price else ""

    async def fetch_and_store_balance(self, ask: Callable[[], Awaitable[Balance]]) -> Balance:
        """Fetch the balance for 0 credits, and update the credits that can still be spent.

        The cost of calls in flight is subtracted. If no call was in flight, the balance is also
        compared with the ledger.

        Raises:
            StoriesError: ``ask`` could not fetch the balance.
        """
        async with self._db.read() as tx:
            spent = (await budgets.account_state(tx)).spent
            in_flight = await ledger.reserved_credits(tx)
        balance = await ask()
        async with self._db.begin() as tx:
            is_quiet = not in_flight and (await budgets.account_state(tx)).spent == spent
            if is_quiet:
                reading = Reading(balance.credits, spent, self._now())
                before = await _lock_drift(tx)
                drift = before.after_reading(reading) if before else Drift(reading, reading)
                await key_values.put(tx, DRIFT, drift.to_json())
            await budgets.set_spent_at_zero_balance(tx, balance.credits - in_flight + spent)
        return balance

    async def refund_and_pop_confirmed_drift(self) -> Drift | None:
        """Return the confirmed difference between the balance and the ledger, once, or None.

        If the API billed less than the ledger counted, the credits of calls with an unknown bill
        are refunded first. The result is the remaining difference.
        """
        while True:
            # Each refund has its own transaction, because all transactions must lock the limits
            # before the account, and a second refund would lock limits after the account.
            async with self._db.begin() as tx:
                drift = await _lock_drift(tx)
                if drift is None or not drift.is_confirmed:
                    return None
                back = await self._refund_first_unknown_bill(
                    tx, since=drift.base.at, most=-drift.size
                )
                drift = drift.after_refund(back)
                is_all = not back or not drift.size
                kept = drift.after_report() if is_all else drift
                await key_values.put(tx, DRIFT, kept.to_json())
            if is_all:
                return drift if drift.size else None

    async def _refund_first_unknown_bill(self, tx: Tx, *, since: datetime, most: int) -> int:
        """Refund credits of a call whose bill is unknown. Return the number of refunded credits.

        The call is the first such call since the time ``since``. At most ``most`` credits are
        refunded.
        """
        presumed = await ledger.first_presumed_spent(tx, since) if most > 0 else None
        if presumed is None:
            return 0
        back = min(int(presumed.credits), most)
        entry = await ledger.close(tx, presumed.id, presumed.credits - back, now=self._now())
        if entry is None:
            return 0
        await _refund(tx, entry, back, is_billed=False, now=self._now())
        return back

    async def close_old_reservations_and_split_costs(self) -> ClosedCount:
        """Close reservations older than 30 minutes, and split the costs of checks among chats.

        The credits of closed reservations count as spent. Return the number of closed
        reservations. The other daily and hourly work of the ledger is also done.
        """
        now = self._now()
        async with self._db.begin() as tx:
            presumed = await ledger.presume_old_reservations_spent(
                tx, before=now - _PRESUMED_AFTER, now=now
            )
            await budgets.begin_day_if_behind(tx, now)
        while await self._db.run(partial(spending.add_next_hour_to_sums, now=now), durable=False):
            pass
        await self.split_check_costs_among_chats_daily()
        return presumed

    async def split_check_costs_among_chats_daily(self) -> None:
        """Split the costs of checks among the subscribed chats, at most once a day (UTC).

        Each chat that waits for stories of a profile gets an equal part, as usage of yesterday.
        The split is approximate, unlike the entries of the ledger.
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
            partial(profiles.ids_with_unsplit_credits, after=after, limit=SPLIT_AT_ONCE)
        ):
            for profile_id in some:
                await self._split_cost_of_profile_among_chats(profile_id, record_on=today - DAY)
            after = some[-1]

    async def _split_cost_of_profile_among_chats(
        self, profile_id: str, *, record_on: date
    ) -> None:
        after: int | None = None
        each: usage.Use | None = None
        while True:
            async with self._db.begin(durable=False) as tx:
                if each is None:
                    each = usage.Use(
                        millicredits=await profiles.pop_unsplit_millicredits_per_chat(
                            tx, profile_id
                        )
                    )
                chat_ids = await subscriptions.waiting_chat_ids(
                    tx, profile_id, after=after, limit=SPLIT_AT_ONCE
                )
                await usage.add(tx, [(chat_id, each) for chat_id in chat_ids], day=record_on)
            if len(chat_ids) < SPLIT_AT_ONCE:
                return
            after = chat_ids[-1]

    async def _charge_allowances(
        self, tx: Tx, asker: Asker, nominal: int, now: datetime
    ) -> tuple[Asker, list[Scope]]:
        """Charge the price of a call to the daily limits of the chat and of the person who pays.

        Return the asker with the id of this person, and the names of the charged limits. A request
        of an owner, and a request without a chat, are not charged.

        Raises:
            SpendingError: A limit is reached.
            NoPayerError: The request has no person, and its channel and chat have no payer.
        """
        billed, is_unknown_channel = asker, False
        if asker.user_id is None:
            payer, is_unknown_channel = await _payer_and_lacks_channel_payer(tx, asker)
            if payer is None and asker.chat_id is not None:
                raise NoPayerError
            billed = replace(asker, user_id=payer)
        if asker.is_owner or asker.chat_id is None:
            return billed, []
        of_person, of_chat, is_known = await access.person_and_chat_allowance_and_is_known(
            tx, billed.user_id, billed.chat_id
        )
        limits = allowances_for(
            self.limits, is_known=is_known, of_chat=of_chat, of_person=of_person
        )
        wanted: list[tuple[Scope, int, int]] = [("chat", asker.chat_id, limits.chat)]
        # The admins of an owner's channel can write in its name in any number of groups. Therefore
        # all these requests count against one limit, the limit of the owner as a person.
        has_limit = asker.as_channel is not None or billed.user_id not in self._owners()
        if billed.user_id is not None and has_limit:
            wanted.append(("person", billed.user_id, limits.own))
            if limits.newcomers is not None:
                wanted.append(("newcomer", 0, limits.newcomers))
        if is_unknown_channel:
            wanted.append(("channels", asker.chat_id, CREDITS_OF_CHANNELS))
        refusing = await budgets.take_allowances_or_return_exceeded(
            tx, now.date(), nominal, wanted
        )
        if refusing is not None:
            raise _refusal_error(refusing, asker, midnight_after(now))
        return billed, [scope for scope, _, _ in wanted]

    async def _settle_despite_cancellation(
        self, reservation: Reservation, billed: int | Unknown
    ) -> None:
        # The bill must be recorded even if the task is cancelled, because the API can bill more
        # credits than were reserved.
        await finish_on_cancel(self._settle_in_own_transaction(reservation, billed))

    async def _settle_in_own_transaction(
        self, reservation: Reservation, billed: int | Unknown
    ) -> None:
        # If a power failure undoes this commit, the reservation still counts as spent. The commit
        # must therefore be durable only if the bill exceeds the reservation.
        async with self._db.begin(durable=(billed or 0) > reservation.credits) as tx:
            await self.settle(tx, reservation, billed)


async def _with_migrated_chat_id(tx: Tx, asker: Asker) -> Asker:
    """Return the asker with the new id of the chat, if the chat has become a supergroup.

    With the new id, requests from before and after this change count towards the same limit.
    """
    old = asker.chat_id or 0
    moved_to = await chats.new_id_if_moved(tx, old) if old < 0 else None
    return replace(asker, chat_id=moved_to) if moved_to else asker


async def _payer_and_lacks_channel_payer(tx: Tx, asker: Asker) -> tuple[int | None, bool]:
    """Return the id of the payer of a request that no person has sent, or None.

    The second value is True if the request is in the name of a channel without a known payer. The
    payer of the chat then pays.
    """
    if asker.as_channel is not None:
        payer = await chats.payer_of(tx, asker.as_channel)
        if payer is not None:
            return payer, False
    payer = None if asker.chat_id is None else await chats.payer_of(tx, asker.chat_id)
    return payer, asker.as_channel is not None


def _refusal_error(scope: Scope, asker: Asker, until: datetime) -> SpendingError:
    """Return the error for a daily limit that is used up. ``scope`` names the limit."""
    match scope:
        case "person" if asker.user_id is not None:
            return SpendingError(text=PERSON_LIMIT_REACHED, until=until, is_own=True)
        case "person":
            return SpendingError(text=PAYER_SPENT, until=until)
        case "newcomer":
            return SpendingError(text=NEWCOMER_LIMIT_REACHED, until=until)
        case "channels":
            return SpendingError(text=CHANNELS_LIMIT_REACHED, until=until)
        case _:
            return SpendingError(text=CHAT_LIMIT_REACHED, until=until)


async def _refund(
    tx: Tx, entry: ledger.ClosedEntry, back: int, *, is_billed: bool, now: datetime
) -> None:
    """Refund ``back`` credits of a ledger entry to the limits that the entry was charged to.

    A negative ``back`` is a charge. If the bill is known (``is_billed``), the total spending of
    the bot changes too.
    """
    day = entry.at.date()
    subjects: dict[str, Any] = {"person": entry.user_id, "newcomer": 0}
    for scope in cast("list[Scope]", entry.scopes.split()):
        await budgets.give_back_allowance(tx, scope, subjects.get(scope, entry.chat_id), day, back)
    await budgets.give_back_credits(
        tx, budget_side_of_calls(entry.kind), day, back, of_balance=is_billed
    )
    await spending.correct_sums(tx, entry.at, entry.operation, -back, now=now)


def budget_side_of_calls(kind: str) -> Side:
    """Return which part of the budget pays for the calls of a kind."""
    return "schedule" if kind == "schedule" else "replies"


async def _lock_drift(tx: Tx) -> Drift | None:
    """Lock and return the stored difference between the balance and the ledger.

    The lock lasts until the end of the transaction. Return None if the balance and the ledger have
    never been compared.
    """
    kept = await key_values.lock_or_add(tx, DRIFT)
    return Drift.from_json(kept) if isinstance(kept, dict) else None
