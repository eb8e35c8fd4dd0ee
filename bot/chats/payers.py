"""Payers: the person who is responsible for a chat, and the limits of subscriptions.

Subscriptions count for their chat and for the payer of the chat, whoever typed the command:
nobody gets more by using more chats. A private chat counts for its own person.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from bot.domain import alert_rules
from bot.domain.access import Mode, Subject
from bot.domain.budget import DAY
from bot.domain.errors import (
    TOO_MANY_FAST_OF_PAYER,
    TOO_MANY_FOLLOWED,
    TOO_MANY_NEW,
    TOO_MANY_NEW_OF_PAYER,
    TOO_MANY_OF_NEWCOMER,
    TOO_MANY_OF_PAYER,
    NoPayerError,
    SubscriptionError,
    TooManyFastError,
)
from bot.domain.records import NOBODY, Chat
from bot.fetching import snapshots
from bot.store import access, budgets, chats, ended_subscriptions, moves, subscriptions
from bot.store.engine.database import Database, Tx
from bot.updates.unit_of_work import reading, writing

OF_PAYER = 3
"""All chats of a payer together may have so many times the subscriptions of one chat."""

OF_NEWCOMER, LEAST_OF_NEWCOMER = 4, 5
"""All chats of a newcomer together may have a fourth of the subscriptions of one chat, or five."""

_SHOWN = 50  # chats in /usage


@dataclass(frozen=True, slots=True)
class SubscriptionLimits:
    """How many subscriptions a chat may have, begin within a day, and have fast."""

    most: int = 20
    most_new_a_day: int = 10
    most_fast: int = 3

    def most_of_payer(self, *, is_known: bool) -> int:
        """Return how many subscriptions all chats of a payer may have together."""
        if is_known:
            return self.most * OF_PAYER
        return max(LEAST_OF_NEWCOMER, self.most // OF_NEWCOMER)


class Payers:
    """Sets the payers of chats, and checks the limits of subscriptions."""

    def __init__(
        self,
        db: Database,
        *,
        limits: SubscriptionLimits,
        mode: Mode = "open",
        owners: Callable[[], AbstractSet[int]] = frozenset,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the parts; ``owners`` returns the people whom no limit of a payer holds."""
        self._db = db
        self.limits = limits
        self._mode = mode
        self._owners = owners
        self._wake = wake
        self._now = now

    # who pays

    async def bring(
        self, chat_id: int, by: int | None, *, kind: str, title: str, language_code: str | None
    ) -> Literal["blocked", "nobody", "payer"]:
        """Record that a person has added the bot to a group or channel; return what that means.

        The person becomes the payer, unless the payer before is blocked: then the chat stays
        silent. Without a name, without access, or without room for the subscriptions of the chat,
        nobody becomes the payer. A group that has just become a supergroup keeps its payer.
        """
        now = self._now()
        async with writing(self._db) as tx:
            await chats.add_or_update(
                tx, chat_id, kind=kind, title=title, now=now, language_code=language_code
            )
            await chats.lock(tx, [chat_id])
            before = await chats.get(tx, chat_id)
            old = before.payer if before else None
            is_old_blocked = bool(old) and await self._is_blocked(tx, old or 0, now)
            has_moved = await chats.has_moved_to(tx, chat_id)
            keeps = has_moved and before is not None and before.state == "active"
            if not (is_old_blocked or keeps):
                await self._replace(tx, chat_id, old, by, now)
            if await chats.is_blocked(tx, chat_id, now=now):
                await moves.close_chat(tx, chat_id, now=now)
                return "blocked"
            return "payer" if await chats.payer_of(tx, chat_id) else "nobody"

    async def _replace(
        self, tx: Tx, chat_id: int, old: int | None, by: int | None, now: datetime
    ) -> None:
        """Make the person who adds the bot the payer; a blocked person, too, who silences it."""
        payer = NOBODY
        if by is not None and await self._is_blocked(tx, by, now):
            payer = by
        elif by is not None and await self._may_pay(tx, by, chat_id):
            has_room = old == by or await self._has_room(tx, by, chat_id)
            payer = by if has_room else NOBODY
        await self._set(tx, chat_id, payer, now)

    async def claim(self, chat_id: int, person: int) -> None:
        """Make a person, who administers a chat without a payer, its payer.

        Raises:
            NoPayerError: The person has no access of their own.
            SubscriptionError: The chat has more subscriptions than the person may still have.
            BlockedError: The chat is blocked.
        """
        now = self._now()
        async with writing(self._db) as tx:
            await chats.lock(tx, [chat_id])
            await chats.refuse_blocked(tx, chat_id, now=now)
            await self.ensure(tx, chat_id, person)
        self._wake()

    async def leave(self, chat_id: int, person: int) -> bool:
        """Let a person no longer be the payer of a chat; its alerts stop until somebody is.

        False if the person is not the payer.
        """
        async with writing(self._db) as tx:
            await chats.lock(tx, [chat_id])
            if chat_id > 0 or await chats.payer_of(tx, chat_id) != person:
                return False
            await self._set(tx, chat_id, NOBODY, self._now())
        return True

    async def set_payer(self, chat_id: int, person: int) -> None:
        """Set the payer of a group or channel, as its owner wishes."""
        now = self._now()
        async with writing(self._db) as tx:
            await chats.lock(tx, [chat_id])
            await self._set(tx, chat_id, person, now)
            if await chats.is_blocked(tx, chat_id, now=now):
                await moves.close_chat(tx, chat_id, now=now)
        self._wake()

    async def has_payer(self, chat_id: int) -> bool:
        """Return whether somebody is responsible for a chat."""
        async with reading(self._db) as tx:
            return await chats.payer_of(tx, chat_id) is not None

    async def chats_of(self, person: int) -> list[Chat]:
        """Return groups and channels whose payer a person is."""
        async with reading(self._db) as tx:
            return await chats.of_payer(tx, person, most=_SHOWN)

    async def _set(self, tx: Tx, chat_id: int, payer: int, now: datetime) -> None:
        """Set the payer; alerts that had stopped begin with the stories posted from now on."""
        before = await chats.get(tx, chat_id)
        if before is None or before.payer == payer:
            return
        await chats.set_payer(tx, chat_id, payer)
        if before.payer == NOBODY:
            since = alert_rules.alerts_begin_at(now)
            await subscriptions.restart_alerts(tx, chat_id=chat_id, since=since)
        await subscriptions.switch_checks(tx, chat_id=chat_id, now=now)
        await snapshots.reschedule_checks_of_chat(tx, chat_id, now=now)

    async def _is_blocked(self, tx: Tx, person: int, now: datetime) -> bool:
        entry = await access.get(tx, Subject("person", str(person)))
        return entry is not None and entry.is_blocked(now)

    async def _may_pay(self, tx: Tx, person: int, chat_id: int) -> bool:
        """Return whether a person has access of their own, or the owner has allowed the chat.

        Else a guest could let friends without an invitation pay for many groups.
        """
        if self._mode == "open" or person in self._owners():
            return True
        own = await access.get(tx, Subject("person", str(person)))
        chat = await access.get(tx, Subject.of_chat(chat_id))
        return bool(own and own.is_allowed) or bool(
            chat and chat.is_allowed and chat.via != "added"
        )

    async def _has_room(self, tx: Tx, person: int, chat_id: int) -> bool:
        """Return whether a person may answer for the subscriptions of a chat besides their own."""
        if person in self._owners():
            return True
        count, fast = await subscriptions.count_of_payer(tx, person)
        rows = await subscriptions.of_chat(tx, chat_id)
        most = self.limits.most_of_payer(is_known=await access.is_known(tx, person))
        has_fast = sum(one.options.fast for one in rows)
        most_fast = self.limits.most_fast * OF_PAYER
        return count + len(rows) <= most and (not has_fast or fast + has_fast <= most_fast)

    # limits of subscriptions

    async def payer_for(self, tx: Tx, chat_id: int, by: int | None) -> int:
        """Return the payer of a chat; without one, the person who asks and would become the payer.

        Raises:
            NoPayerError: The person has no name, or no access of their own.
            SubscriptionError: The chat has more subscriptions than the person may still have.
        """
        payer = await chats.payer_of(tx, chat_id)
        if payer is not None:
            return payer
        if by is None or not await self._may_pay(tx, by, chat_id):
            raise NoPayerError
        if not await self._has_room(tx, by, chat_id):
            raise await self._full_error(tx, by)
        return by

    async def ensure(self, tx: Tx, chat_id: int, by: int | None) -> int:
        """Return the payer of a chat that is locked; without one, ``by`` becomes the payer.

        Raises:
            NoPayerError: As ``payer_for``.
            SubscriptionError: As ``payer_for``.
        """
        payer = await self.payer_for(tx, chat_id, by)
        await self._set(tx, chat_id, payer, self._now())
        return payer

    async def _full_error(self, tx: Tx, payer: int) -> SubscriptionError:
        is_known = await access.is_known(tx, payer)
        text = TOO_MANY_OF_PAYER if is_known else TOO_MANY_OF_NEWCOMER
        return SubscriptionError(text=text, most=self.limits.most_of_payer(is_known=is_known))

    async def check_number(self, tx: Tx, chat_id: int, payer: int, pending: int = 0) -> None:
        """Check that a chat and its payer may have one more subscription, besides ``pending``.

        Raises:
            SubscriptionError: One of them has as many as allowed.
        """
        if await subscriptions.count(tx, chat_id) + pending >= self.limits.most:
            raise SubscriptionError(text=TOO_MANY_FOLLOWED, most=self.limits.most)
        if payer in self._owners():
            return
        most = self.limits.most_of_payer(is_known=await access.is_known(tx, payer))
        count, _ = await subscriptions.count_of_payer(tx, payer)
        if count + pending >= most:
            raise await self._full_error(tx, payer)

    async def check_limits(
        self, tx: Tx, chat_id: int, payer: int, username: str, pending: int = 0
    ) -> bool:
        """Check all limits of a new subscription; return whether it counts as new today.

        A profile that the chat has just ended does not.

        Raises:
            SubscriptionError: A limit is reached; its text says which.
        """
        now = self._now()
        await self.check_number(tx, chat_id, payer, pending)
        if await ended_subscriptions.has_ended(tx, chat_id, username, since=now - DAY):
            return False
        begun = await budgets.allowance_used(tx, "follows", chat_id, now.date())
        if begun + pending >= self.limits.most_new_a_day:
            raise SubscriptionError(text=TOO_MANY_NEW, most=self.limits.most_new_a_day)
        most = self.limits.most_new_a_day * OF_PAYER
        begun = await budgets.allowance_used(tx, "payer", payer, now.date())
        if begun + pending >= most and payer not in self._owners():
            raise SubscriptionError(text=TOO_MANY_NEW_OF_PAYER, most=most)
        return True

    async def count_new(self, tx: Tx, chat_id: int, payer: int | None, amount: int) -> None:
        """Count ``amount`` new subscriptions of today.

        Zero only locks the counters: two chats of a payer cannot take the same last place.
        """
        plenty = 10**6  # the limits are checked by ``check_limits``
        wanted: list[tuple[budgets.Scope, int, int]] = [("follows", chat_id, plenty)]
        if payer is not None:
            wanted.append(("payer", payer, plenty))
        await budgets.take_allowances(tx, self._now().date(), amount, wanted)

    async def record_refused(self, payer: int) -> None:
        """Record for the owner that the budget covers no profile more, if the payer is known."""
        plenty = 10**6
        async with self._db.begin(durable=False) as tx:
            if await access.is_known(tx, payer):
                wanted: list[tuple[budgets.Scope, int, int]] = [("refused", payer, plenty)]
                await budgets.take_allowances(tx, self._now().date(), 1, wanted)

    async def check_fast(self, tx: Tx, chat_id: int, payer: int | None, pending: int = 0) -> None:
        """Check that a chat and its payer may have one more fast subscription.

        Raises:
            TooManyFastError: One of them has as many as allowed.
        """
        limits = self.limits
        fast = [one for one in await subscriptions.of_chat(tx, chat_id) if one.options.fast]
        if len(fast) + pending >= limits.most_fast:
            raise TooManyFastError(most=limits.most_fast)
        if payer is None or payer in self._owners():
            return
        most = limits.most_fast * OF_PAYER
        _, count = await subscriptions.count_of_payer(tx, payer)
        if count + pending >= most:
            raise TooManyFastError(text=TOO_MANY_FAST_OF_PAYER, most=most)
