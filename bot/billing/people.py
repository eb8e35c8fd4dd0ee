"""Who costs how much this month (UTC), by name and by what it was for."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.access import Entry
from bot.store import access, acquaintances, chats, spending
from bot.store.database import Tx
from bot.store.spending import Cost


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody on the list, or who costs something; costs are in thousandths of a credit.

    ``by_kind`` is what was spent in that chat. Of a person ``elsewhere`` is what they asked for in
    groups, of a group ``by_person`` what its members did (id, name, cost), the largest first.
    """

    id: int
    name: str
    entry: Entry | None
    by_kind: Mapping[str, int]
    elsewhere: int
    by_person: tuple[tuple[int, str, int], ...]

    @property
    def total(self) -> int:
        """Return all that was spent in the chat."""
        return sum(self.by_kind.values())


async def guests(tx: Tx, *, now: datetime) -> list[Guest]:
    """Return everybody, who cost most this month first; then those who are on the list only."""
    entries = {int(one.subject): one for one in await access.everybody(tx)}
    costs = await spending.costs(tx, since=now.date().replace(day=1))
    ids = {*entries, *(one.chat_id for one in costs)}
    ids |= {one.user_id for one in costs if one.user_id}
    names = await acquaintances.names(tx, ids) | await chats.titles(tx, ids)
    names |= {number: one.name for number, one in entries.items() if one.name}
    return _together(entries, costs, names)


def _together(
    entries: Mapping[int, Entry], costs: Iterable[Cost], names: Mapping[int, str]
) -> list[Guest]:
    """Join the list with what was spent."""
    by_kind: dict[int, Counter[str]] = {}
    by_person: dict[int, Counter[int]] = {}
    elsewhere: Counter[int] = Counter()
    for one in costs:
        by_kind.setdefault(one.chat_id, Counter())[one.kind] += one.millicredits
        if one.user_id and one.user_id != one.chat_id:
            by_person.setdefault(one.chat_id, Counter())[one.user_id] += one.millicredits
            elsewhere[one.user_id] += one.millicredits
    result = [
        Guest(
            number,
            names.get(number) or str(number),
            entries.get(number),
            dict(by_kind.get(number, {})),
            elsewhere[number],
            tuple(
                (user, names.get(user) or str(user), spent)
                for user, spent in by_person.get(number, Counter()).most_common()
            ),
        )
        for number in {**entries, **dict.fromkeys(by_kind), **dict.fromkeys(elsewhere)}
    ]
    return sorted(result, key=lambda one: -one.total)  # the rest as the list has it
