"""The decision whether a call may skip the API's privacy check, which costs half of the price.

The API's documentation does not say what a call without the check (``force=on``) returns for
private accounts. For this reason, answers with and without the check are compared.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import structlog

from bot.domain.incidents import SetIncident
from bot.domain.model import Story
from bot.domain.records import Known
from bot.domain.sentences import NN_
from bot.runtime.timed_cache import TimedCache
from bot.store import key_values
from bot.store.engine.database import Database, Tx

log = structlog.get_logger()

SkipCheck = Literal["true", "false", "auto"]
Refused: TypeAlias = None
"""In the type of an answer, the answer stated that the account is private."""
PRIVACY_CHECK = "privacy_check"  # the key under which the database stores a ``Trust``

# If an answer states that an account is public, calls may skip the privacy check for this time.
_TRUSTED_FOR = timedelta(days=1)
# The assumed maximum delay between the post of a story and the first answer with the story.
_LATE = timedelta(minutes=10)
CONFIRMED_FOR = timedelta(hours=3)
"""The time for which further empty answers are believed after an empty answer was confirmed."""
# If unchecked answers about two profiles were wrong within this time, unchecked answers are no
# longer trusted.
WITHIN = timedelta(days=2)
_ENOUGH = 2
_FELL_BACK = NN_(
    "Because I skipped the privacy check, I missed stories from {n} profile. "
    "I now do that check every time, which costs 2 credits instead of 1. "
    "To keep it that way, set SKIP_PRIVACY_CHECK=false.",
    "Because I skipped the privacy check, I missed stories from {n} "
    "profiles. I now do that check every time, which costs 2 credits "
    "instead of 1. To keep it that way, set SKIP_PRIVACY_CHECK=false.",
)


@dataclass(slots=True)
class Trust:
    """The bot's trust in unchecked answers, which are answers that skipped the privacy check.

    ``contradicted`` has the time at which the wrong answer of each profile was noticed.
    ``fell_back_at`` is the time at which the trust ended, or None.
    """

    contradicted: dict[str, datetime] = field(default_factory=dict)
    fell_back_at: datetime | None = None

    def record_wrong_unchecked_and_detect_end(self, profile_id: str, now: datetime) -> bool:
        """Record a wrong unchecked answer about a profile. Return whether this ends the trust.

        The trust ends if unchecked answers about two profiles were wrong within two days. Return
        False if the trust has ended before.
        """
        kept = {subject: at for subject, at in self.contradicted.items() if at > now - WITHIN}
        self.contradicted = {**kept, profile_id: now}
        if self.fell_back_at is not None or len(self.contradicted) < _ENOUGH:
            return False
        self.fell_back_at = now
        return True


class PrivacyCheck:
    """Decides for each call whether to skip the API's privacy check.

    The class also records unchecked answers that were wrong. An unchecked answer is the answer to
    a call that skipped the check.
    """

    def __init__(
        self,
        db: Database,
        mode: SkipCheck,
        *,
        tell: SetIncident | None = None,
        now: Callable[[], datetime],
    ) -> None:
        """Set the ``mode``: "true", "false" or "auto" (see ``StoriesApi.stories``).

        In mode "auto", after too many wrong unchecked answers, all calls include the privacy check
        again, and ``tell`` notifies the owners once.
        """
        self._db = db
        self.mode = mode
        self._tell = tell
        self._now = now
        self._trust = Trust()
        self._confirmed_empty = TimedCache[str, bool]()

    async def load_or_delete_trust_in_unchecked(self) -> None:
        """Load from the database whether answers that skipped the privacy check are trusted.

        Any process may have stored the trust. Nothing is loaded except in mode "auto". In mode
        "false", the stored history is deleted.
        """
        if self.mode == "false":
            # Mode "false" deletes the history, so that a later mode "auto" begins without a
            # history.
            async with self._db.begin() as tx:
                await key_values.remove(tx, PRIVACY_CHECK)
        elif self.mode == "auto":
            self._trust = await self._db.fetch(_read_trust_in_unchecked_answers)

    def may_skip_privacy_check(self, last_known_public_at: datetime | None) -> bool:
        """Return whether a call about an account may skip the privacy check in mode "auto".

        The result is True if answers without the check are trusted, and the account was last known
        to be public less than a day ago.
        """
        if self._trust.fell_back_at is not None or last_known_public_at is None:
            return False
        return self._now() - last_known_public_at < _TRUSTED_FOR

    def must_confirm_empty(self, profile_id: str) -> bool:
        """Return whether an empty unchecked answer must be confirmed by an answer with the check.

        The result is False for 3 hours after a confirmation that was empty too.
        """
        return self._confirmed_empty.get(profile_id, now=self._now()) is None

    def record_confirmed_empty(self, profile_id: str) -> None:
        """Record that an answer with the privacy check confirmed an answer without stories.

        For 3 hours, ``must_confirm_empty`` then returns False. Otherwise, a person who deletes a
        story after each check of the profile could make every second check three times as
        expensive.
        """
        self._confirmed_empty.put(profile_id, value=True, until=self._now() + CONFIRMED_FOR)

    def doubts_last_answer(
        self, known: Known, stories: Sequence[Story], new: Collection[str]
    ) -> bool:
        """Return whether a checked answer raises a doubt about an unchecked previous answer.

        The previous answer is in doubt if one of ``stories`` with an id in ``new`` was posted more
        than 10 minutes before the previous answer. ``known`` is the profile as stored before the
        checked answer.
        """
        if not self._was_last_call_unchecked(known) or known.snapshot_at is None:
            return False
        unseen = [story for story in stories if story.pk in new]
        return _has_old_story(unseen, at=known.snapshot_at)

    def doubts_last_answer_after_refusal(self, known: Known) -> bool:
        """Return whether the answer "private" raises a doubt about an unchecked previous answer.

        ``known`` is the profile as stored before the answer "private". If the mode is not "auto",
        return False.
        """
        return self._was_last_call_unchecked(known) and not self.may_skip_privacy_check(
            known.checked_at
        )

    async def record_if_unchecked_was_wrong(
        self,
        profile_id: str,
        *,
        unchecked: Sequence[Story],
        checked: Sequence[Story] | Refused,
        at: datetime,
    ) -> None:
        """Record that an unchecked answer was wrong, if a checked answer contradicts the answer.

        Both answers are of about the moment ``at``. ``checked`` is None if the checked answer was
        that the account is private.
        """
        if checked is None:
            if unchecked:
                await self._record_contradiction(profile_id, "a refusal")
            return
        shown = {story.pk for story in unchecked}
        lacking = [story for story in checked if story.pk not in shown]
        if _has_old_story(lacking, at=at):
            await self._record_contradiction(profile_id, "a story that it lacked")

    def _was_last_call_unchecked(self, known: Known) -> bool:
        """Return whether the mode is "auto" and the last recorded stories are unchecked.

        Recorded stories are unchecked if the stories are newer than the last proof that the
        profile is public. If no proof is stored, return False.
        """
        if self.mode != "auto" or known.snapshot_at is None or known.checked_at is None:
            return False
        return known.snapshot_at > known.checked_at

    async def _record_contradiction(self, profile_id: str, contradiction: str) -> None:
        log.warning("a forced answer is contradicted", profile=profile_id, by=contradiction)
        now = self._now()
        async with self._db.begin() as tx:
            trust = await _read_trust_in_unchecked_answers(tx)
            has_trust_ended = trust.record_wrong_unchecked_and_detect_end(profile_id, now)
            at = {subject: moment.isoformat() for subject, moment in trust.contradicted.items()}
            since = trust.fell_back_at.isoformat() if trust.fell_back_at else None
            await key_values.put(tx, PRIVACY_CHECK, {"contradicted": at, "fell_back_at": since})
        self._trust = trust
        if has_trust_ended and self._tell is not None:
            await self._tell(_FELL_BACK, n=len(trust.contradicted))


def _has_old_story(stories: Sequence[Story], *, at: datetime) -> bool:
    """Return whether a story was posted more than 10 minutes before ``at``."""
    return any(story.taken_at < at - _LATE for story in stories)


async def _read_trust_in_unchecked_answers(tx: Tx) -> Trust:
    """Return the stored trust in answers that skipped the privacy check."""
    kept = await key_values.get(tx, PRIVACY_CHECK)
    if not isinstance(kept, dict):
        return Trust()
    since = kept["fell_back_at"]
    return Trust(
        {subject: datetime.fromisoformat(at) for subject, at in kept["contradicted"].items()},
        datetime.fromisoformat(since) if since else None,
    )
