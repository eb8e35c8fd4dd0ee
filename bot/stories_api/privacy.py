"""When a call may skip the API's privacy check, which is half of its price.

By ``auto`` it does while the last lookup or full answer said "public", for a day at most. What
``force=on`` answers for private accounts is not documented; so full answers are compared with the
forced ones before them, and where those hid something on two profiles, the check is paid again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import structlog

from bot.domain.incidents import SetIncident
from bot.domain.model import Story
from bot.domain.records import Known
from bot.domain.sentences import NN_
from bot.store import key_values
from bot.store.engine.database import Database, Tx

log = structlog.get_logger()

SkipCheck = Literal["true", "false", "auto"]
PRIVACY_CHECK = "privacy_check"  # the key of what is known of answers without it

_TRUSTED_FOR = timedelta(days=1)  # how long "public" is believed
_LATE = timedelta(minutes=10)  # so long after it was taken a story may first be shown
WITHIN = timedelta(days=2)  # two profiles that contradict a forced answer, within so long
_ENOUGH = 2
_FELL_BACK = NN_(
    "I skipped the privacy check and missed stories of {n} profile. Every check includes it "
    "again, and costs 2 credits instead of 1. To make this permanent, set "
    "SKIP_PRIVACY_CHECK=false.",
    "I skipped the privacy check and missed stories of {n} profiles. Every check includes it "
    "again, and costs 2 credits instead of 1. To make this permanent, set "
    "SKIP_PRIVACY_CHECK=false.",
)


@dataclass(slots=True)
class Trust:
    """Which profiles contradicted forced answers; since when these are not trusted, if so."""

    contradicted: dict[str, datetime] = field(default_factory=dict)
    fell_back_at: datetime | None = None

    def record_contradiction(self, profile_id: str, now: datetime) -> bool:
        """Record a contradiction; return whether forced answers are not trusted from now on."""
        kept = {one: at for one, at in self.contradicted.items() if at > now - WITHIN}
        self.contradicted = {**kept, profile_id: now}
        if self.fell_back_at is not None or len(self.contradicted) < _ENOUGH:
            return False
        self.fell_back_at = now
        return True


class PrivacyCheck:
    """Decides for each call, and learns from each full answer."""

    def __init__(
        self,
        db: Database,
        mode: SkipCheck,
        *,
        tell: SetIncident | None = None,
        now: Callable[[], datetime],
    ) -> None:
        """Decide by ``mode``; ``tell`` tells the bot's owners, once, that it is paid again."""
        self._db = db
        self.mode = mode
        self._tell = tell
        self._now = now
        self._trust = Trust()

    async def sync_trust(self) -> None:
        """Take over what other replicas, or this one before its restart, found out."""
        if self.mode == "false":  # said for good; ``auto`` begins afresh after it
            async with self._db.begin() as tx:
                await key_values.remove(tx, PRIVACY_CHECK)
        elif self.mode == "auto":
            self._trust = await self._db.fetch(_read_trust)

    def may_skip(self, public_since: datetime | None) -> bool:
        """Return whether a call about an account that was public then may go without the check."""
        if self._trust.fell_back_at is not None or public_since is None:
            return False
        return self._now() - public_since < _TRUSTED_FOR

    async def compare_with_forced(
        self, known: Known, shown: Iterable[Story], new: Iterable[str]
    ) -> None:
        """Compare a full answer with the forced ones since the last: did they lack a story?"""
        if not self._was_forced(known) or known.snapshot_at is None:
            return
        unseen, before = set(new), known.snapshot_at - _LATE
        if any(story.pk in unseen and story.taken_at < before for story in shown):
            await self._record_contradiction(known.profile_id, "a story that it lacked")

    async def compare_with_empty(
        self, profile_id: str, shown: Iterable[Story], *, at: datetime
    ) -> None:
        """Compare a full answer with the forced one just before it, which was empty at ``at``."""
        if any(story.taken_at < at - _LATE for story in shown):
            await self._record_contradiction(profile_id, "a story that it lacked")

    async def record_refusal(self, known: Known) -> None:
        """Record that a full answer says "private" after forced ones were believed."""
        if self._was_forced(known):
            await self._record_contradiction(known.profile_id, "a refusal")

    def _was_forced(self, known: Known) -> bool:
        """Return whether the profile was last asked without the privacy check."""
        if self.mode != "auto" or known.snapshot_at is None or known.checked_at is None:
            return False
        return known.snapshot_at > known.checked_at

    async def _record_contradiction(self, profile_id: str, what: str) -> None:
        log.warning("a forced answer is contradicted", profile=profile_id, by=what)
        now = self._now()
        async with self._db.begin() as tx:
            trust = await _read_trust(tx)
            is_news = trust.record_contradiction(profile_id, now)
            at = {one: moment.isoformat() for one, moment in trust.contradicted.items()}
            since = trust.fell_back_at.isoformat() if trust.fell_back_at else None
            await key_values.put(tx, PRIVACY_CHECK, {"contradicted": at, "fell_back_at": since})
        self._trust = trust
        if is_news and self._tell is not None:
            await self._tell(_FELL_BACK, n=len(trust.contradicted))


async def _read_trust(tx: Tx) -> Trust:
    """Return what is known of forced answers."""
    kept = await key_values.get(tx, PRIVACY_CHECK)
    if not isinstance(kept, dict):
        return Trust()
    since = kept["fell_back_at"]
    return Trust(
        {one: datetime.fromisoformat(at) for one, at in kept["contradicted"].items()},
        datetime.fromisoformat(since) if since else None,
    )
