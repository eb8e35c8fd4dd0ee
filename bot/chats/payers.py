"""The payers of chats, and the limits of subscriptions. A payer is responsible for a chat.

A subscription counts towards the limits of its chat and of the payer. The payer of a private chat
is the person in the chat.
"""

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from bot.domain import alert_rules
from bot.domain.access import Mode, Subject
from bot.domain.budget import DAY
from bot.domain.errors import (
    NO_ACCESS_TO_PAY,
    TOO_MANY_FAST_OF_PAYER,
    TOO_MANY_FOLLOWED,
    TOO_MANY_NEW,
    TOO_MANY_NEW_OF_PAYER,
    TOO_MANY_OF_NEWCOMER,
    TOO_MANY_OF_PAYER,
    NoPayerError,
    RightsError,
    SubscriptionError,
    TooManyFastError,
)
from bot.domain.model import Anonymous, Asker, NoMaximum, Now, Unchanged, Unknown
from bot.domain.records import Chat, Cleared
from bot.fetching import snapshots
from bot.fetching.snapshots import EarlierChecksAllowance
from bot.runtime.clock import utc_now
from bot.store import (
    access,
    budgets,
    chat_queues,
    chats,
    ended_subscriptions,
    moves,
    subscriptions,
)
from bot.store.engine.database import Database, Tx
from bot.store.moves import WasClosed
from bot.updates.unit_of_work import join_or_begin_read, join_or_begin_transaction

OF_PAYER = 3
"""All chats of a known payer may together have this multiple of a single chat's limit."""

LEAST_OF_NEWCOMER = 5
"""The smallest limit of subscriptions for all chats of a newcomer together.

The limit is a quarter of a single chat's limit, but at least this number.
"""

_SHOWN = 50  # the maximum number of chats in /usage


@dataclass(frozen=True, slots=True)
class SubscriptionLimits:
    """The limits of a chat: all subscriptions, new subscriptions a day, and fast subscriptions."""

    most: int = 20
    most_new_a_day: int = 10
    most_fast: int = 3

    def most_subscriptions_of_payer(self, *, is_known: bool) -> int:
        """Return how many subscriptions all chats of a payer together may have."""
        if is_known:
            return self.most * OF_PAYER
        return max(LEAST_OF_NEWCOMER, self.most // 4)


class Payers:
    """Sets the payers of chats, and checks the limits of subscriptions, for 0 credits."""

    def __init__(
        self,
        db: Database,
        *,
        limits: SubscriptionLimits,
        mode: Mode = "open",
        owners: Callable[[], AbstractSet[int]] = frozenset,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Create the use cases. ``owners`` returns the people who have no limits as payers."""
        self._db = db
        self.limits = limits
        self._mode = mode
        self._owners = owners
        self._wake = wake
        self._now = now

    # Payers.

    async def record_bot_added_and_set_payer(
        self, chat_id: int, by: int | Unknown, *, kind: str, title: str, language_code: str | None
    ) -> None:
        """Record that a person has added the bot to a group or channel, and set the payer.

        Usually a person with access becomes the payer, unless the subscriptions of the chat exceed
        a limit of the person. Otherwise the chat usually gets no payer. If the person or the
        previous payer is blocked, the previous payer stays. A blocked chat is closed.
        """
        now = self._now()
        async with join_or_begin_transaction(self._db) as tx:
            await chats.add_or_update(
                tx, chat_id, kind=kind, title=title, now=now, language_code=language_code
            )
            await chats.lock(tx, [chat_id])
            before = await chats.get(tx, chat_id)
            old = before.payer if before else None
            is_old_blocked = bool(
                await chats.chats_of_blocked_people_among(tx, [chat_id], now=now)
            )
            has_moved = await chats.was_group_before(tx, chat_id)
            keeps = has_moved and before is not None and before.state == "active"
            is_by_blocked = by is not None and await self._is_blocked(tx, by, now)
            if by is not None and is_by_blocked and old is None and not (is_old_blocked or keeps):
                await _record_blocked_adder(tx, chat_id, by, title=title, now=now)
            await chat_queues.lock(tx, chat_id)
            if not (is_old_blocked or keeps):
                await self._set_payer_after_bot_added(
                    tx, chat_id, old, by, is_blocked=is_by_blocked, now=now
                )
            if await chats.is_blocked(tx, chat_id, now=now):
                await moves.close_chats(tx, [chat_id], now=now)
            elif is_by_blocked:
                # Usually a handler opens the chat after the bot was added. No handler runs for the
                # update of a blocked person, so the chat is opened here.
                await moves.open_unblocked_chats(tx, [chat_id], now=now)
                await snapshots.reschedule_checks_of_chat(tx, chat_id, now=now)
        self._wake()

    async def _set_payer_after_bot_added(
        self,
        tx: Tx,
        chat_id: int,
        old: int | None,
        by: int | Unknown,
        *,
        is_blocked: bool,
        now: datetime,
    ) -> None:
        """Set the payer of a chat after a person has added the bot.

        ``by`` is the id of the person, or None. ``old`` is the previous payer. If the access list
        blocks the person (``is_blocked``), a previous payer stays. The caller has locked the chat
        and the chat queue.
        """
        payer = None
        if is_blocked and old is not None:
            payer = old
        elif by is not None and (is_blocked or await self._may_pay(tx, by, chat_id)):
            await self.lock_new_subscription_counters(tx, chat_id, by)
            is_open_without = is_blocked and not await chats.is_blocked(tx, chat_id, now=now)
            has_room = await self._payer_limit_error(tx, by, chat_id) is None
            if old == by or is_open_without or has_room:
                payer = by
        await self._set_payer_and_restart_or_stop_alerts(tx, chat_id, payer, now)

    async def become_payer(self, chat_id: int, person: int) -> None:
        """Make a person the payer of a chat. A chat with a payer keeps the payer.

        Raises:
            RightsError: The chat has no payer, and the person may not pay.
            SubscriptionError: The subscriptions of the chat would exceed a limit of the person.
            BlockedError: The access list blocks the chat or the responsible person.
        """
        now = self._now()
        async with join_or_begin_transaction(self._db) as tx:
            await self._lock_chat_and_queue(tx, chat_id)
            await chats.raise_if_blocked(tx, chat_id, now=now)
            try:
                await self.ensure_payer_of_locked_chat(tx, chat_id, person)
            except NoPayerError as error:
                raise RightsError(text=NO_ACCESS_TO_PAY) from error
        self._wake()

    async def stop_paying(self, chat_id: int, person: int) -> Chat | Unchanged:
        """Remove a person as the payer of a chat. Alerts stop until the chat has a payer again.

        Return the chat, or None if the person is not the payer or the chat is private.
        """
        async with join_or_begin_transaction(self._db) as tx:
            chat_id = await chats.lock_and_return_current_id(tx, chat_id)
            await chat_queues.lock(tx, chat_id)
            if chat_id > 0 or await chats.payer_of(tx, chat_id) != person:
                return None
            await self._set_payer_and_restart_or_stop_alerts(tx, chat_id, None, self._now())
            return await chats.get(tx, chat_id)

    async def set_payer(self, chat_id: int, person: int) -> None:
        """Make a person the payer of a group or channel, because the bot's owner requests it.

        The access and the limits of the person are not checked. The chat closes if the new payer
        is blocked, and opens if only the block of the previous payer had closed the chat.
        """
        async with join_or_begin_transaction(self._db) as tx:
            chat_id = await chats.lock_and_return_current_id(tx, chat_id)
            await chat_queues.lock(tx, chat_id)
            await self._set_payer_and_restart_or_stop_alerts(tx, chat_id, person, self._now())
        self._wake()

    async def has_payer(self, chat_id: int) -> bool:
        """Return whether a chat has a payer."""
        async with join_or_begin_read(self._db) as tx:
            return await chats.payer_of(tx, chat_id) is not None

    async def raise_if_no_payer(self, asker: Asker) -> None:
        """Refuse a request that has neither a person nor a payer. The cost is 0 credits.

        Answers from the cache need this check, because the ledger checks only paid calls.

        Raises:
            NoPayerError: The request has no person, and its chat and channel have no payer.
        """
        if asker.user_id is not None:
            return
        async with join_or_begin_read(self._db) as tx:
            for chat_id in (asker.as_channel, asker.chat_id):
                current = chat_id and (await chats.new_id_if_moved(tx, chat_id) or chat_id)
                if current and await chats.payer_of(tx, current) is not None:
                    return
        raise NoPayerError

    async def chats_paid_by(self, person: int, *, most: int | NoMaximum = _SHOWN) -> list[Chat]:
        """Return at most ``most`` groups and channels of a payer, or all if ``most`` is None."""
        async with join_or_begin_read(self._db) as tx:
            return await chats.groups_of_payer(tx, person, most=most)

    async def _lock_chat_and_queue(self, tx: Tx, chat_id: int) -> None:
        """Lock a chat and its queue, because a change of the payer changes both rows."""
        await chats.lock(tx, [chat_id])
        await chat_queues.lock(tx, chat_id)

    async def _set_payer_and_restart_or_stop_alerts(
        self,
        tx: Tx,
        chat_id: int,
        payer: int | Cleared,
        now: datetime,
        *,
        profile_ids_to_lock: Collection[str] = (),
    ) -> None:
        """Set or remove the payer of a chat. The caller has locked the chat and the chat queue.

        The followed profiles are locked in the order of the ids, together with
        ``profile_ids_to_lock``, the profiles that the caller will change.
        """
        before = await chats.get(tx, chat_id)
        if before is None or before.payer == payer:
            return
        was_blocked = await chats.is_blocked(tx, chat_id, now=now)
        await chats.set_payer(tx, chat_id, payer)
        allowance = await self.lock_allowance_of_earlier_checks(tx, chat_id)
        if before.payer is None:
            since = alert_rules.alerts_begin_at_second_of(now)
            await subscriptions.set_alerts_start(tx, chat_id=chat_id, since=since)
        if await chats.is_blocked(tx, chat_id, now=now):
            await moves.close_chats(tx, [chat_id], now=now)
        elif was_blocked:
            await moves.open_unblocked_chats(tx, [chat_id], now=now)
        followed = {
            subscription.profile_id for subscription in await subscriptions.of_chat(tx, chat_id)
        }
        if followed:
            changed = followed.union(profile_ids_to_lock)
            await subscriptions.start_or_stop_checks(
                tx, chat_id=chat_id, profile_ids=changed, now=now
            )
            await snapshots.reschedule_checks(tx, followed, now=now, allowance=allowance)

    async def _is_blocked(self, tx: Tx, person: int, now: datetime) -> bool:
        entry = await access.get(tx, Subject("person", str(person)))
        return entry is not None and entry.is_blocked(now)

    async def _may_pay(self, tx: Tx, person: int, chat_id: int) -> bool:
        """Return whether a person may become the payer of a chat.

        The person must have personal access, or the chat must have a permission of its own.
        Otherwise people without an invitation could pay for the groups of a guest.
        """
        owners = self._owners()
        if await access.has_own_access(tx, person, mode=self._mode, owner_ids=owners):
            return True
        chat = await access.get(tx, Subject.of_chat(chat_id))
        return chat is not None and chat.is_allowed_without_adder

    async def _payer_limit_error(
        self, tx: Tx, person: int, chat_id: int
    ) -> SubscriptionError | None:
        """Return an error if a person would exceed a limit as the payer of a chat.

        The error names the limit. Return None if the person would exceed no limit.
        """
        rows = await subscriptions.of_chat(tx, chat_id)
        if person in self._owners() or not rows:
            return None
        count, fast = await subscriptions.count_all_and_fast_of_payer(tx, person)
        most = self.limits.most_subscriptions_of_payer(
            is_known=await access.is_not_newcomer(tx, person)
        )
        if count + len(rows) > most:
            return await self._subscription_limit_error_of_payer(tx, person)
        has_fast = sum(subscription.options.fast for subscription in rows)
        most_fast = self.limits.most_fast * OF_PAYER
        if has_fast and fast + has_fast > most_fast:
            return TooManyFastError(text=TOO_MANY_FAST_OF_PAYER, most=most_fast)
        return None

    # Limits of subscriptions.

    async def payer_or_possible_payer(self, tx: Tx, chat_id: int, by: int | Anonymous) -> int:
        """Return the payer of a chat, or the person ``by``, who would become the payer.

        Raises:
            NoPayerError: The chat has no payer, and ``by`` is None or may not pay.
            SubscriptionError: The subscriptions of the chat would exceed a limit of the person.
        """
        payer = await chats.payer_of(tx, chat_id)
        if payer is not None:
            return payer
        if by is None or not await self._may_pay(tx, by, chat_id):
            raise NoPayerError
        limit_error = await self._payer_limit_error(tx, by, chat_id)
        if limit_error is not None:
            raise limit_error
        return by

    async def ensure_payer_of_locked_chat(
        self,
        tx: Tx,
        chat_id: int,
        by: int | Anonymous,
        *,
        profile_ids_to_lock: Collection[str] = (),
    ) -> int:
        """Return the payer of a chat. If the chat has no payer, ``by`` becomes the payer.

        The caller has locked the chat and the chat's queue, and will subscribe to
        ``profile_ids_to_lock``. The counters of new subscriptions are locked first.

        Raises:
            NoPayerError: The chat has no payer, and ``by`` is None or may not pay.
            SubscriptionError: The subscriptions of the chat would exceed a limit of the person.
        """
        await self.lock_new_subscription_counters(
            tx, chat_id, await chats.payer_of(tx, chat_id) or by
        )
        payer = await self.payer_or_possible_payer(tx, chat_id, by)
        await self._set_payer_and_restart_or_stop_alerts(
            tx, chat_id, payer, self._now(), profile_ids_to_lock=profile_ids_to_lock
        )
        return payer

    async def _subscription_limit_error_of_payer(self, tx: Tx, payer: int) -> SubscriptionError:
        is_known = await access.is_not_newcomer(tx, payer)
        text = TOO_MANY_OF_PAYER if is_known else TOO_MANY_OF_NEWCOMER
        return SubscriptionError(
            text=text, most=self.limits.most_subscriptions_of_payer(is_known=is_known)
        )

    async def raise_if_too_many_subscriptions(
        self, tx: Tx, chat_id: int, payer: int, pending: int = 0
    ) -> None:
        """Check that a chat and its payer may add a subscription.

        ``pending`` is the number of other subscriptions that the same request is about to add.

        Raises:
            SubscriptionError: The limit of the chat or of the payer is reached.
        """
        if await subscriptions.count_of_chat(tx, chat_id) + pending >= self.limits.most:
            raise SubscriptionError(text=TOO_MANY_FOLLOWED, most=self.limits.most)
        if payer in self._owners():
            return
        most = self.limits.most_subscriptions_of_payer(
            is_known=await access.is_not_newcomer(tx, payer)
        )
        count, _ = await subscriptions.count_all_and_fast_of_payer(tx, payer)
        if count + pending >= most:
            raise await self._subscription_limit_error_of_payer(tx, payer)

    async def check_limits_and_counts_as_new(
        self, tx: Tx, chat_id: int, payer: int, username: str, pending: int = 0
    ) -> bool:
        """Check the limits of a new subscription. Return whether the subscription counts as new.

        The daily limits usually do not apply to a subscription that the chat ended in the last 24
        hours. The limit of fast subscriptions is not checked. ``pending`` counts other
        subscriptions of the request.

        Raises:
            SubscriptionError: A limit is reached. The text of the error names the limit.
        """
        now = self._now()
        await self.raise_if_too_many_subscriptions(tx, chat_id, payer, pending)
        if await ended_subscriptions.has_ended(tx, chat_id, username, ended_since=now - DAY):
            restored = await budgets.read_used_allowance(tx, "restored", payer, now.date())
            if restored < self.limits.most * OF_PAYER:
                return False
        begun = await budgets.read_used_allowance(tx, "follows", chat_id, now.date())
        if begun + pending >= self.limits.most_new_a_day:
            raise SubscriptionError(text=TOO_MANY_NEW, most=self.limits.most_new_a_day)
        most = self.limits.most_new_a_day * OF_PAYER
        begun = await budgets.read_used_allowance(tx, "payer", payer, now.date())
        if begun + pending >= most and payer not in self._owners():
            raise SubscriptionError(text=TOO_MANY_NEW_OF_PAYER, most=most)
        return True

    async def lock_new_subscription_counters(
        self, tx: Tx, chat_id: int, payer: int | None
    ) -> None:
        """Lock the counters of today's new and restored subscriptions of a chat and of a payer.

        If ``payer`` is None, only the counter of the chat is locked.
        """
        await _lock_new_subscription_counters(tx, chat_id, payer, self._now())

    async def count_new_or_restored_subscription(
        self, tx: Tx, chat_id: int, payer: int, *, is_new: bool
    ) -> None:
        """Add a subscription to today's counters, which the caller has locked.

        ``is_new`` is the result of ``check_limits_and_counts_as_new``. The limits are not checked.
        """
        counters: list[tuple[budgets.Scope, int]] = [("restored", payer)]
        if is_new:
            counters = [("follows", chat_id), ("payer", payer)]
        await budgets.add_to_counters(tx, self._now().date(), 1, *counters)

    async def lock_allowance_of_earlier_checks(
        self, tx: Tx, chat_id: int
    ) -> EarlierChecksAllowance:
        """Lock the daily counters of a chat and its payer. Return the allowance of earlier checks.

        The allowance is the number of checks that the chat may still move to an earlier time
        today. The caller has locked the queue of the chat, and not yet the profiles.
        """
        return await lock_allowance_of_earlier_checks(
            tx, chat_id, most=self.limits.most, now=self._now()
        )

    async def record_budget_refusal(self, payer: int) -> None:
        """Record that the budget did not allow a subscription of the payer today.

        Nothing is recorded if the payer is a newcomer. The record is committed in a separate
        transaction.
        """
        async with self._db.begin(durable=False) as tx:
            if await access.is_not_newcomer(tx, payer):
                await budgets.add_to_counters(tx, self._now().date(), 1, ("refused", payer))

    async def raise_if_too_many_fast(
        self, tx: Tx, chat_id: int, payer: int | None, pending: int = 0
    ) -> None:
        """Check that a chat and the payer may add a fast subscription.

        ``pending`` other fast subscriptions of the same request count too.

        Raises:
            TooManyFastError: The limit of the chat or of the payer is reached.
        """
        limits = self.limits
        fast = [
            subscription
            for subscription in await subscriptions.of_chat(tx, chat_id)
            if subscription.options.fast
        ]
        if len(fast) + pending >= limits.most_fast:
            raise TooManyFastError(most=limits.most_fast)
        if payer is None or payer in self._owners():
            return
        most = limits.most_fast * OF_PAYER
        _, count = await subscriptions.count_all_and_fast_of_payer(tx, payer)
        if count + pending >= most:
            raise TooManyFastError(text=TOO_MANY_FAST_OF_PAYER, most=most)


async def _record_blocked_adder(
    tx: Tx, chat_id: int, person: int, *, title: str, now: datetime
) -> None:
    """Record that a blocked person has added the bot to a chat without a payer.

    The person becomes responsible, so that the block closes the chat. A permission that does not
    depend on the person is not changed.
    """
    subject = Subject.of_chat(chat_id)
    known = await access.get(tx, subject)
    if known is None or not known.is_allowed_without_adder:
        await access.put(tx, subject, now=now, via="added", added_by=str(person), name=title)


async def _lock_new_subscription_counters(
    tx: Tx, chat_id: int, payer: int | None, now: datetime
) -> None:
    counters: list[tuple[budgets.Scope, int]] = [("follows", chat_id)]
    if payer is not None:
        counters += [("payer", payer), ("restored", payer)]
    await budgets.add_to_counters(tx, now.date(), 0, *counters)


async def lock_allowance_of_earlier_checks(
    tx: Tx, chat_id: int, *, most: int, now: datetime
) -> EarlierChecksAllowance:
    """Lock the daily counters of a chat and its payer. Return the allowance of earlier checks.

    All chats of a payer together may move ``most`` checks to an earlier time in a UTC day. The
    caller has locked the queue of the chat, and not yet the profiles.
    """
    payer = await chats.payer_of(tx, chat_id)
    await _lock_new_subscription_counters(tx, chat_id, payer, now)
    if payer is None:
        # A chat without a payer gets no alerts, so the chat may not cause earlier checks.
        return EarlierChecksAllowance(chat_id, now.date(), 0)
    await budgets.add_to_counters(tx, now.date(), 0, ("earlier", payer))
    used = await budgets.read_used_allowance(tx, "earlier", payer, now.date())
    return EarlierChecksAllowance(payer, now.date(), max(0, most - used))


async def open_chat_and_reschedule_checks(
    tx: Tx,
    chat_id: int,
    *,
    most_earlier_checks: int,
    now: datetime,
    alerts_since: datetime | Now = None,
) -> WasClosed:
    """Reopen a closed chat, and reschedule the checks of the profiles that the chat follows.

    The chats of a payer may together move ``most_earlier_checks`` checks to an earlier time in a
    UTC day. If the chat was open or is not stored, return False.

    Raises:
        BlockedError: The access list blocks the chat or the responsible person.
    """
    await chats.lock(tx, [chat_id])
    await chat_queues.lock(tx, chat_id)
    allowance = await lock_allowance_of_earlier_checks(
        tx, chat_id, most=most_earlier_checks, now=now
    )
    opened = await moves.open_chat(tx, chat_id, now=now, alerts_since=alerts_since)
    if opened:
        await snapshots.reschedule_checks_of_chat(tx, chat_id, now=now, allowance=allowance)
    return opened
