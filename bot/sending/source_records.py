"""The record of a story: its failed sources, and the answers of the Stories API about the story.

A failed source is tried again after some time.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.alert_rules import MOST_DOUBTS
from bot.domain.model import STORY_LIFE
from bot.domain.records import EPOCH

RECORD_LIFE = STORY_LIFE  # a record is deleted if it was not changed for this time
# If a file has failed, the bot does not use the file in any chat until this time has passed.
FAILED_FOR = timedelta(minutes=10)
# If a failure of a file may be temporary, alerts do not use the file until this time has passed.
_ALERTS_WAIT_FOR = timedelta(seconds=5)
_BUY_AGAIN = timedelta(hours=1)  # minimum time between two purchases of a story for alerts
# If Telegram could not fetch the URL of a story, the bot uploads the file of the story instead of
# using the URL, until this time has passed.
_URL_REFUSED_FOR = timedelta(hours=1)
# If Telegram refuses a file with the same error message in this many chats, alerts with the file
# are postponed in all chats.
_CHATS_OF_A_REFUSAL = 3
_ASKED_AGAIN = timedelta(minutes=15)  # after this time, alerts try a postponed file again


@dataclass(slots=True)
class FileRecord:
    """The failures of a single file of a story.

    A failure is recorded as the error message that people read.
    """

    _failure: str = ""
    _failed_until: datetime = EPOCH
    _alert_failure: str = ""
    _alerts_wait_until: datetime = EPOCH
    _postponed_until: datetime = EPOCH
    _chats_by_words: dict[str, set[int]] = field(default_factory=dict)

    def record_failure(self, message: str, now: datetime) -> None:
        """Record the error message of a failed file.

        For ten minutes, alerts and replies do not use the file.
        """
        self._failure, self._failed_until = message, now + FAILED_FOR

    def record_failure_for_alerts(self, message: str, now: datetime) -> None:
        """Record a failure that may be temporary.

        For 5 seconds, alerts do not use the file. Replies may still use the file.
        """
        self._alert_failure, self._alerts_wait_until = message, now + _ALERTS_WAIT_FOR

    def recent_failure(self, now: datetime) -> str:
        """Return the error message of a failure of the file in the last ten minutes, or ""."""
        return self._failure if now < self._failed_until else ""

    def recent_failure_for_alerts(self, now: datetime) -> str:
        """Return the message of a temporary failure of the file in the last 5 seconds, or ""."""
        return self._alert_failure if now < self._alerts_wait_until else ""

    def record_refusal(self, words: str, chat_id: int, now: datetime) -> None:
        """Record that Telegram refused the file in a chat with the error message ``words``.

        After refusals with the same message in three chats, alerts postpone the file for 15
        minutes.
        """
        chats = self._chats_by_words.setdefault(words, set())
        chats.add(chat_id)
        if len(chats) >= _CHATS_OF_A_REFUSAL:
            self._postponed_until = now + _ASKED_AGAIN

    def is_postponed(self, now: datetime) -> bool:
        """Return whether alerts with the file are postponed in all chats."""
        return now < self._postponed_until


@dataclass(slots=True)
class StoryRecord:
    """The record of a story: its two files, the purchases, the URL, and whether the story is gone.

    ``file`` is the photo or video that Telegram compresses. ``original`` is sent as a document.
    """

    file: FileRecord = field(default_factory=FileRecord)
    original: FileRecord = field(default_factory=FileRecord)
    _bought_until: datetime = EPOCH
    _url_refused_until: datetime = EPOCH
    _times_gone: int = 0

    def file_of(self, *, as_file: bool) -> FileRecord:
        """Return the record ``original`` if ``as_file`` is True, else the record ``file``."""
        return self.original if as_file else self.file

    def record_start_of_purchase(self, now: datetime) -> None:
        """Record that the story is being bought for an alert, before the API is called."""
        self._bought_until = now + _BUY_AGAIN

    def remove_purchase_record(self) -> None:
        """Remove the record of the last purchase, because the API was not called."""
        self._bought_until = EPOCH

    def has_recent_purchase(self, now: datetime) -> bool:
        """Return whether a purchase of the story for an alert began less than an hour ago.

        The purchase may be unfinished, or may have failed.
        """
        return now < self._bought_until

    def record_url_refusal(self, now: datetime) -> None:
        """Record that Telegram could not fetch the URL of the story."""
        self._url_refused_until = now + _URL_REFUSED_FOR

    def is_url_refused(self, now: datetime) -> bool:
        """Return whether Telegram failed to fetch the URL of the story in the last hour."""
        return now < self._url_refused_until

    def count_gone_answer(self) -> None:
        """Count an answer of the API that the story is not available.

        The answers are that the story or its profile does not exist any more, or that the profile
        is private.
        """
        self._times_gone += 1

    @property
    def may_be_gone(self) -> bool:
        """Return whether the API has answered at least once that the story is not available."""
        return self._times_gone > 0

    @property
    def is_gone(self) -> bool:
        """Return whether the API has answered at least twice that the story is not available."""
        return self._times_gone >= MOST_DOUBTS
