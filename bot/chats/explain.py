"""Why a chat hears of a profile, or does not: one answer out of what the store knows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain import alert_rules
from bot.domain.model import Story
from bot.domain.records import Chat, Known, Mute, State, Subscription, mute_of
from bot.domain.selection import FILTERED
from bot.fetching import schedule_state
from bot.scheduling.forecast import ProfileState, usual_hours
from bot.store import chats, enqueue, mutes, profiles, stories
from bot.store.database import Tx
from bot.store.enqueue import Tally

LOOKBACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Why:
    """The state of a subscription; the figures are stories of the last two days.

    ``total`` = ``sent`` + ``filtered`` + ``quiet`` + ``digest`` + ``waiting`` + ``muted`` +
    ``failed``; the first of those in ``quiet`` and ``digest`` goes out at ``held_until``.
    ``out_of_budget`` may be the reason why a check is overdue. ``hours`` (UTC) are those in which
    it posts most; ``mute`` is what keeps alerts from the place; ``filtered_by`` the options and
    terms that kept stories back.
    """

    subscription: Subscription
    state: State
    chat_open: bool
    looked_at: datetime | None
    next_look_at: datetime | None
    failures: int
    out_of_budget: bool
    total: int
    sent: int
    filtered: int
    quiet: int
    digest: int
    held_until: datetime | None
    waiting: int
    failed: int
    muted: int = 0
    mute: Mute | None = None
    hours: list[int] = field(default_factory=list)
    filtered_by: tuple[str, ...] = ()
    live: int = 0
    """How many stories are there now, as last seen; ``passing`` of them pass the options."""
    passing: int = 0

    @property
    def expected_delay(self) -> timedelta | None:
        """Return how long a new story waits for the next check, in the mean: half the pause."""
        return delay_of(self)

    @classmethod
    def of(
        cls,
        subscription: Subscription,
        known: Known | None,
        chat: Chat | None,
        tallies: Iterable[Tally],
        *,
        out_of_budget: bool,
        now: datetime,
        hours: list[int] | None = None,
        mute: Mute | None = None,
        live: Sequence[Story] = (),
    ) -> "Why":
        """Sum up what the store says."""
        names = ("sent", "filtered", "quiet", "digest", "muted", "waiting", "failed")
        kinds = dict.fromkeys(names, 0)
        held_until: datetime | None = None
        reasons: list[str] = []
        for tally in tallies:
            kind = _kind(tally)
            kinds[kind] += tally.count
            if kind == "filtered":
                reasons.append(tally.reason.removeprefix(f"{FILTERED}: "))
            if kind in {"quiet", "digest"} and tally.next_due_at > now:
                held_until = min(held_until or tally.next_due_at, tally.next_due_at)
        for kind in ("digest", "quiet", "muted"):
            if kinds[kind]:  # what was found since keeps its place behind them
                kinds[kind] += kinds.pop("waiting", 0)
                kinds["waiting"] = 0
        return cls(
            subscription=subscription,
            state=known.state if known else "active",
            chat_open=chat is not None and chat.state == "active",
            looked_at=known.looked_at if known else None,
            next_look_at=known.next_look_at if known else None,
            failures=known.failures if known else 0,
            out_of_budget=out_of_budget,
            total=sum(kinds.values()),
            held_until=held_until,
            hours=hours or [],
            mute=mute,
            filtered_by=tuple(sorted(reasons)),
            live=len(live),
            passing=sum(alert_rules.passes(story, subscription.options) for story in live),
            **kinds,
        )


def delay_of(known: Known | Why) -> timedelta | None:
    """Return how long a new story waits for the next check, in the mean: half the pause."""
    if known.looked_at is None or known.next_look_at is None:
        return None
    return (known.next_look_at - known.looked_at) / 2


def _kind(tally: Tally) -> str:
    if tally.state == "sent" or tally.reason == "had":  # by what its chat was before
        return "sent"
    if tally.state == "open":
        return tally.held or "waiting"
    return "filtered" if tally.reason.startswith(FILTERED) else "failed"


async def explain(
    tx: Tx, subscription: Subscription, *, out_of_budget: bool, now: datetime
) -> Why:
    """Return what is known of a subscription's alerts."""
    target = subscription.target
    known = await profiles.get(tx, subscription.profile_id)
    state = ProfileState.from_json(known.forecast) if known else ProfileState()
    population = (await schedule_state.load(tx)).schedule.demand.population
    return Why.of(
        subscription,
        known,
        await chats.get(tx, subscription.target.chat_id),
        await enqueue.tally(tx, subscription.id, since=now - LOOKBACK),
        out_of_budget=out_of_budget,
        now=now,
        hours=usual_hours(state, population),
        mute=mute_of(await mutes.of_chat(tx, target.chat_id), target.thread_id),
        live=await stories.live(tx, subscription.profile_id, now=now),
    )
