"""The conditions of the incidents of which the bot's owners are notified, as pure functions.

Each kind has at most one open incident, which is reported once. Only the first message about an
urgent incident makes a sound, and only the end of an urgent incident is reported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, get_args

from bot.domain.model import MEGABYTE
from bot.domain.sentences import N_, NN_

IncidentKind = Literal[
    "api_refuses",  # the API key is invalid, or no credits are left
    "api_fails",
    "backup",
    "balance",
    "budget_80",
    "budget_100",
    "budget_short",
    # The subscription of a person who is not a newcomer was refused, because the budget covers no
    # more profiles.
    "capacity",
    "clock",
    "database",
    "disk",
    "drift",
    "fan_out",
    "parked",
    "price",
    "privacy_check",
    "refused",
    "restore",
    "slow_servers",
    "telegram",
    "two_pollers",
]
KINDS: tuple[IncidentKind, ...] = get_args(IncidentKind)
QUIET: frozenset[IncidentKind] = frozenset(
    {"backup", "budget_80", "capacity", "restore", "slow_servers", "telegram"}
)
"""The kinds of incidents with silent messages."""

LASTING = timedelta(minutes=5)
# The incident "balance" opens if the balance lasts for fewer than ``FEW_DAYS`` days. The incident
# closes if the balance lasts for at least ``ENOUGH_DAYS`` days.
FEW_DAYS, ENOUGH_DAYS = 3.0, 4.0
_ALMOST = 0.8
CLOCK_OFF_S = 60
_LITTLE_BYTES = 300_000_000
LITTLE_PART, BUT_LESS_THAN = 0.03, 2_000_000_000

OUT_OF_SERVICE = N_(
    "The Stories API won't accept my requests: my key is wrong, or my credits are used up. I "
    "can't get any stories until that's fixed. ({why})"
)
_API_FAILS = N_(
    "The Stories API has been failing for over 5 minutes. Nothing is lost; I'll continue when it "
    "answers."
)
_CHECKS_FAIL = N_(
    "All checks for new stories have failed for over half an hour ({why}). I'll keep trying."
)
_TELEGRAM_FAILS = N_("Telegram hasn't accepted my messages for over 5 minutes.")
_SLOW_SERVERS = N_(
    "These servers have been slow for over 5 minutes: {servers}. Photos and "
    "videos from them may come late; everything else works."
)
REFUSED = N_(
    "Telegram is refusing stories, and I don't know why: {words}. They're waiting, and I'll "
    "try again every 15 minutes."
)
_BALANCE_LOW = NN_(
    "The Stories API balance is low: at today's pace, {n} credit will last about {time}.",
    "The Stories API balance is low: at today's pace, {n} credits will last about {time}.",
)
_BUDGET_SPENT = NN_(
    "The daily budget of {n} credit is used up. I won't check profiles or get stories until "
    "midnight (UTC), unless you raise DAILY_BUDGET.",
    "The daily budget of {n} credits is used up. I won't check profiles or get stories until "
    "midnight (UTC), unless you raise DAILY_BUDGET.",
)
_BUDGET_ALMOST = NN_(
    "{percent} of the daily budget of {n} credit has been used.",
    "{percent} of the daily budget of {n} credits has been used.",
)
_GIVEN_UP = N_(
    "Alerts I gave up on, because Telegram didn't answer several tries: {count}. "
    "See /health for details."
)
_NOT_WRITTEN = N_(
    "An error keeps me from sending any alerts about these profiles: {profiles}. I'll keep trying."
)
_DISK_FULL = N_(
    "The disk is nearly full: {megabytes} MB left. Once it's full, I can't answer anyone."
)
_CLOCK_WRONG = N_(
    "The clock of the bot's computer is off by {time}, compared with "
    "Telegram or the Stories API. Please correct it; until then, alerts may "
    "come late."
)
_PRICE = N_(
    "The Stories API reports more than five times its usual price for a "
    "call. I count no more than five times that price; the balance shows "
    "what was really billed."
)
BACKUP_FAILED = N_("The database could not be backed up ({why}). I'll try again every hour.")
RESTORED = N_(
    "I'm running on a copy of my database from {date}. Anything newer is missing from it. "
    "I'll send alerts for whatever is posted from now on, and nothing twice."
)

DATABASE_AWAY = N_(
    "My database isn't working right now: {why}. Until it works again, I can't answer anyone or "
    "send alerts."
)
DATABASE_REPLACED = N_(
    "My database file {file} was moved, deleted or replaced while I was "
    "running, so I've stopped working. Everything in it is saved in {copy}. "
    "Please stop the bot, run <code>storybell restore {copy}</code> and start "
    "the bot again."
)
DATABASE_NOT_SAVED = N_(
    "My database file {file} was moved, deleted or replaced while I was "
    "running, so I've stopped working. I can't save its content yet ({why}). "
    "Please don't stop the bot; I'll keep trying."
)
DATABASE_BACK = N_(
    "My database is working again after {time} ({why}). Everything that had to wait is being "
    "sent now."
)
_BUY = N_("Check STORIES_API_KEY, or buy credits at hikerapi.com.")
_SPEND_LESS = N_("Buy credits at hikerapi.com, or set a lower DAILY_BUDGET.")
_WHO_SPENDS = N_("/spending shows what the credits were spent on, and /people by whom.")
_CHECK = N_("If this lasts, run storybell check on the bot's computer: it says what is wrong.")
ACTIONS = {
    OUT_OF_SERVICE: _BUY,
    _API_FAILS: _CHECK,
    _CHECKS_FAIL: _CHECK,
    _TELEGRAM_FAILS: _CHECK,
    DATABASE_AWAY: _CHECK,
    _BALANCE_LOW: _SPEND_LESS,
    _BUDGET_SPENT: _WHO_SPENDS,
    _BUDGET_ALMOST: _WHO_SPENDS,
    _SLOW_SERVERS: N_("There's nothing for you to do."),
    REFUSED: N_("If this lasts, update the bot: a newer version may know the reason."),
    _NOT_WRITTEN: _CHECK,
    _GIVEN_UP: N_("/admin opens a page on which you can send them again or drop them."),
    _DISK_FULL: N_("Please delete or move files on that disk; then I'll continue on my own."),
    _PRICE: N_("/stop_spending stops every paid call."),
    BACKUP_FAILED: N_("Check BACKUP_DIR and its disk; storybell backup makes one now."),
    RESTORED: N_("The page docs/backup.md lists what may be missing."),
}
"""The sentences that tell the owner what to do, by the message of the incident.

A message without an entry in this table is complete without such a sentence.
"""
CLOSING: dict[IncidentKind, str] = {
    "api_fails": N_("The Stories API is answering again."),
    "api_refuses": N_("The Stories API is accepting my requests again."),
    "backup": N_("Database backups are working again."),
    "balance": N_("The Stories API balance is enough for several days again."),
    "budget_80": N_(
        "This budget warning has ended: the budget is used up, or a new day has begun."
    ),
    "budget_100": N_("The daily budget is available again: checks and stories have resumed."),
    "budget_short": N_("The daily budget is enough again to check all profiles in time."),
    "capacity": N_(
        "Nobody is being turned away for lack of budget anymore: the budget covers new "
        "profiles again, or a new day has begun."
    ),
    "clock": N_("The clock of the bot's computer is right again."),
    "disk": N_("There is enough disk space again."),
    "fan_out": N_("Alerts are arriving again."),
    "parked": N_("Alerts are arriving again."),
    "price": N_("The Stories API reports its usual prices again."),
    "slow_servers": N_("All servers are answering quickly again."),
    "telegram": N_(
        "Telegram is accepting my messages again. Everything that had to wait has been sent, or "
        "is being sent now."
    ),
    "two_pollers": N_("People's messages reach me again."),
}
"""The message at the end of an incident, by kind.

An incident of a kind without an entry in this table has no duration.
"""

Fields = Mapping[str, Any]


class SetIncident(Protocol):
    """A callback that opens or closes an incident."""

    async def __call__(self, sentence: str | None, /, **fields: object) -> None:
        """Open the incident with a message, or close the incident.

        ``sentence`` is the id of the message, and ``fields`` has the values of its fields. If
        ``sentence`` is None, close the incident.
        """


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of the table of incidents.

    ``text`` is the id of a message, and ``fields`` has the values of the message's fields. An
    incident without a duration is closed at the time at which it opens.
    """

    id: int
    kind: str
    text: str
    fields: dict[str, Any]
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """The measured state of the bot at a moment. Money is in credits, and sizes are in bytes.

    A value that could not be measured is None. A time such as ``api_fails_since`` is None if the
    failure does not exist now.
    """

    balance: int | None
    spent_in_a_day: int  # credits spent in the last 24 hours
    spent_today: int
    budget: int
    check_price: int
    dead_letters: int
    free_bytes: int | None
    disk_bytes: int
    api_fails_since: datetime | None
    telegram_fails_since: datetime | None
    # The cause of the failures, if all scheduled checks of the last 30 minutes have failed.
    # Otherwise None.
    failed_checks: str | None = None
    unwritten: Sequence[str] = ()  # the usernames of the profiles whose fan-outs fail
    is_price_absurd: bool = False
    clock_off_s: float | None = None
    slow_servers: Sequence[str] = ()
    slow_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """The result of a check whether an incident of the kind ``kind`` exists.

    ``text`` is the id of the message about the incident, or None if no incident exists.
    """

    kind: IncidentKind
    text: str | None
    fields: dict[str, Any] = field(default_factory=dict)


def judge_conditions(
    seen: Seen, *, is_open: Mapping[str, bool], now: datetime
) -> Iterator[Condition]:
    """Yield the state of each condition that can be evaluated.

    ``is_open`` has, for each kind, whether an incident is open. This function only closes the
    incidents "two_pollers" and "api_refuses", which other parts of the bot open.
    """
    yield _judge_balance(seen, is_open=is_open.get("balance", False))
    yield from _judge_budget(seen)
    count = seen.dead_letters
    yield Condition("parked", _GIVEN_UP if count else None, {"count": count})
    text = _NOT_WRITTEN if seen.unwritten else None
    yield Condition("fan_out", text, {"profiles": ", ".join(seen.unwritten)})
    if seen.free_bytes is not None:
        yield _judge_disk(seen.free_bytes, seen.disk_bytes, is_open=is_open.get("disk", False))
    if seen.clock_off_s is not None:
        text = _CLOCK_WRONG if seen.clock_off_s > CLOCK_OFF_S else None
        off = timedelta(minutes=round(seen.clock_off_s / 60))
        yield Condition("clock", text, {"time": off})
    yield _judge_api(seen, now)
    yield Condition(
        "telegram", _TELEGRAM_FAILS if _is_lasting(seen.telegram_fails_since, now) else None
    )
    text = _SLOW_SERVERS if _is_lasting(seen.slow_since, now) else None
    yield Condition("slow_servers", text, {"servers": ", ".join(seen.slow_servers)})
    yield Condition("price", _PRICE if seen.is_price_absurd else None)
    yield Condition("two_pollers", None)
    yield Condition("api_refuses", None)


def _judge_api(seen: Seen, now: datetime) -> Condition:
    if _is_lasting(seen.api_fails_since, now):
        return Condition("api_fails", _API_FAILS)
    text = _CHECKS_FAIL if seen.failed_checks else None
    return Condition("api_fails", text, {"why": seen.failed_checks} if text else {})


def _judge_balance(seen: Seen, *, is_open: bool) -> Condition:
    # Without spending, the balance cannot run out.
    if seen.balance is None or seen.spent_in_a_day <= 0:
        return Condition("balance", None)
    left = max(0, seen.balance) / seen.spent_in_a_day
    is_low = left < (ENOUGH_DAYS if is_open else FEW_DAYS)
    fields = {"n": seen.balance, "time": timedelta(days=round(left, 1))}
    return Condition("balance", _BALANCE_LOW if is_low else None, fields)


def _judge_budget(seen: Seen) -> Iterator[Condition]:
    is_spent = seen.spent_today > seen.budget - seen.check_price
    is_almost = seen.spent_today >= seen.budget * _ALMOST and not is_spent
    percent = seen.spent_today / seen.budget if seen.budget else 1
    fields = {"n": seen.budget}
    yield Condition("budget_100", _BUDGET_SPENT if is_spent else None, fields)
    text = _BUDGET_ALMOST if is_almost else None
    yield Condition("budget_80", text, {"percent": percent, **fields})


def _judge_disk(free: int, size: int, *, is_open: bool) -> Condition:
    spare = 1.2 if is_open else 1.0
    is_little = free < _LITTLE_BYTES * spare
    is_small_part = free < size * LITTLE_PART * spare and free < BUT_LESS_THAN * spare
    text = _DISK_FULL if is_little or is_small_part else None
    return Condition("disk", text, {"megabytes": free // MEGABYTE})


def _is_lasting(since: datetime | None, now: datetime) -> bool:
    return since is not None and now - since >= LASTING


def fields_to_json(fields: Fields) -> dict[str, Any]:
    """Return the fields of a message as JSON values. Times and time spans are converted."""
    return {name: _to_json(value) for name, value in fields.items()}


def _to_json(value: object) -> object:
    match value:
        case timedelta():
            return {"seconds": value.total_seconds()}
        case datetime():
            return {"at": value.isoformat()}
        case _:
            return value


def fields_from_json(fields: Fields) -> dict[str, Any]:
    """Return the fields of a message from a result of ``fields_to_json``."""
    return {name: _from_json(value) for name, value in fields.items()}


def _from_json(value: object) -> object:
    match value:
        case {"seconds": seconds}:
            return timedelta(seconds=seconds)
        case {"at": at}:
            return datetime.fromisoformat(at)
        case _:
            return value
