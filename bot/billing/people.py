"""The costs of persons and chats in this month (UTC), by name and by purpose."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.access import Entry
from bot.store import access, acquaintances, chats, spending
from bot.store.engine.database import Tx

_MEMBERS = 5  # the number of group members to show, highest costs first


@dataclass(frozen=True, slots=True)
class Guest:
    """A person or chat, with the costs of this month in thousandths of a credit."""

    id: int
    name: str
    entry: Entry | None
    """The entry in the access list."""
    millicredits_by_kind: Mapping[str, int]
    """The costs in the chat by purpose."""
    millicredits_elsewhere: int
    """The costs of a person in other chats."""
    by_person: tuple[tuple[int, str, int], ...]
    """The id, name and cost of at most five members of a group, for the owner.
    The payer's cost includes requests without a person.
    """
    by_member: tuple[tuple[str, int], ...] = ()
    """The name and cost of at most five members, for the group.
    Requests without a person are excluded.
    """
    payer: tuple[int, str] | None = None
    """The id and name of the payer of a group or channel."""
    is_silenced: bool = False
    """Whether the chat gets no messages, because the responsible person is blocked."""

    @property
    def millicredits_in_chat(self) -> int:
        """Return the total cost of the chat in thousandths of a credit."""
        return sum(self.millicredits_by_kind.values())


async def list_guests_by_cost(tx: Tx, *, offset: int, limit: int, now: datetime) -> list[Guest]:
    """Return a page of the persons and chats, ordered by their costs this month.

    The highest costs are first. The persons and chats of the access list that have no costs are
    last, newest entry first.
    """
    since = now.date().replace(day=1)
    ids = await spending.ids_of_people_and_chats_by_cost(
        tx, since=since, appended_ids=access.LISTED, offset=offset, limit=limit
    )
    return await _read_monthly_costs(tx, ids, now)


async def read_monthly_costs_of(tx: Tx, person_or_chat_id: int, *, now: datetime) -> Guest:
    """Return a person or chat with the costs of this month.

    If the database has no row for the id, the costs are zero.
    """
    [guest] = await _read_monthly_costs(tx, [person_or_chat_id], now)
    return guest


async def _read_monthly_costs(tx: Tx, ids: Sequence[int], now: datetime) -> list[Guest]:
    since = now.date().replace(day=1)
    by_kind: dict[int, Counter[str]] = {number: Counter() for number in ids}
    by_person: dict[int, Counter[int]] = {number: Counter() for number in ids}
    by_member: dict[int, Counter[int]] = {number: Counter() for number in ids}
    elsewhere: Counter[int] = Counter()
    for cost in await spending.costs_by_asker(tx, since=since, only_ids=ids):
        if cost.chat_id in by_kind:
            by_kind[cost.chat_id][cost.kind] += cost.millicredits
        if cost.user_id and cost.user_id != cost.chat_id:
            elsewhere[cost.user_id] += cost.millicredits
            if cost.chat_id in by_person:
                by_person[cost.chat_id][cost.user_id] += cost.millicredits
                if not cost.is_on_behalf:
                    by_member[cost.chat_id][cost.user_id] += cost.millicredits
    members = {number: by_person[number].most_common(_MEMBERS) for number in ids}
    visible = {number: by_member[number].most_common(_MEMBERS) for number in ids}
    groups = [number for number in ids if number < 0]
    known = await chats.get_all(tx, groups)
    payers = {chat.id: chat.payer for chat in known if chat.payer}
    named = {*ids, *payers.values(), *(user for some in members.values() for user, _ in some)}
    entries = await access.entries_of(tx, named)
    shown = {user for some in visible.values() for user, _ in some}
    stored = await acquaintances.names_by_person(tx, named | shown)
    names = stored | await chats.titles_by_chat(tx, named)
    names |= {number: entry.name for number, entry in entries.items() if entry.name}
    silenced = await chats.chats_of_blocked_people_among(tx, groups, now=now)
    return [
        Guest(
            number,
            names.get(number) or str(number),
            entries.get(number),
            dict(by_kind[number]),
            elsewhere[number],
            tuple((user, names.get(user) or str(user), spent) for user, spent in members[number]),
            tuple((stored[user], spent) for user, spent in visible[number] if user in stored),
            _payer_and_name(payers.get(number), names),
            number in silenced,
        )
        for number in ids
    ]


def _payer_and_name(payer: int | None, names: Mapping[int, str]) -> tuple[int, str] | None:
    return None if payer is None else (payer, names.get(payer) or str(payer))
