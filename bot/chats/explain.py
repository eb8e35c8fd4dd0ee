"""Why a chat hears of a profile, or does not: one answer out of what the store knows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import options
from bot.domain.records import RETRY, Known, Mute, Subscription, find_mute
from bot.domain.selection import FILTERED
from bot.store import chats, enqueue, mutes, profiles, stories
from bot.store.engine.database import Tx
from bot.store.enqueue import Tally

LOOKBACK = timedelta(days=2)
KINDS = ("sent", "filtered", "quiet", "digest", "waiting", "muted", "failed")
"""What may have become of a story; each stands for one of them."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the stories of two days: how many of each of ``KINDS``.

    The first of those that are held goes out at ``held_until``; ``filtered_by`` are the options
    and terms that kept stories back.
    """

    counts: Mapping[str, int]
    held_until: datetime | None
    filtered_by: tuple[str, ...]

    @property
    def total(self) -> int:
        """Return how many stories were found."""
        return sum(self.counts.values())

    @classmethod
    def from_tallies(cls, tallies: Iterable[Tally], *, now: datetime) -> "Outcomes":
        """Sum up what the store counted."""
        counts = dict.fromkeys(KINDS, 0)
        held: list[datetime] = []
        reasons: set[str] = set()
        for tally in tallies:
            kind = _outcome_of(tally)
            counts[kind] += tally.count
            if kind == "filtered":
                reasons.add(tally.reason.removeprefix(f"{FILTERED}: "))
            if kind in {"quiet", "digest"} and tally.next_due_at > now:
                held.append(tally.next_due_at)
        for kind in ("digest", "quiet", "muted"):
            if counts[kind]:  # what was found since keeps its place behind them
                counts[kind] += counts["waiting"]
                counts["waiting"] = 0
        return cls(counts, min(held, default=None), tuple(sorted(reasons)))


@dataclass(frozen=True, slots=True)
class Why:
    """The state of a subscription.

    ``out_of_budget`` may be the reason why a check is overdue; ``mute`` is what keeps alerts from
    the place.
    """

    subscription: Subscription
    profile: Known | None
    outcomes: Outcomes
    chat_open: bool
    out_of_budget: bool
    mute: Mute | None
    live: int
    """How many stories are there now, as last seen; ``passing`` of them pass the options."""
    passing: int


def mean_delay_of(known: Known) -> timedelta | None:
    """Return how long a new story waits for the next check, in the mean: half the pause."""
    if known.snapshot_at is None or known.next_check_at is None:
        return None
    return (known.next_check_at - known.snapshot_at) / 2


def _outcome_of(tally: Tally) -> str:
    if tally.state == "sent" or tally.reason == "had":  # by what its chat was before
        return "sent"
    if tally.state == "open":
        return "waiting" if tally.held in {"", RETRY} else tally.held
    return "filtered" if tally.reason.startswith(FILTERED) else "failed"


async def explain(
    tx: Tx, subscription: Subscription, *, out_of_budget: bool, now: datetime
) -> Why:
    """Return what is known of a subscription's alerts."""
    target = subscription.target
    known = await profiles.get(tx, subscription.profile_id)
    chat = await chats.get(tx, target.chat_id)
    live = await stories.live(tx, subscription.profile_id, now=now)
    tallies = await enqueue.tally_subscription(tx, subscription.id, since=now - LOOKBACK)
    return Why(
        subscription=subscription,
        profile=known,
        outcomes=Outcomes.from_tallies(tallies, now=now),
        chat_open=chat is not None and chat.state == "active",
        out_of_budget=out_of_budget,
        mute=find_mute(await mutes.of_chat(tx, target.chat_id), target.thread_id),
        live=len(live),
        passing=sum(not options.held_back_by(story, subscription.options) for story in live),
    )
