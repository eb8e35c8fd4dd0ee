"""The rows of the database as plain values that do not depend on the tables."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias, assert_never

from bot.domain.hours import hours_contain
from bot.domain.model import Profile, Right, Story, Target
from bot.domain.options import Options, Preferences

NotFollowed: TypeAlias = None
"""In the type of the id of a subscription, the chat does not follow the profile."""

NoUndo: TypeAlias = None
"""In the type of an ``UndoKey``, the change cannot be undone."""

Cleared: TypeAlias = None
"""In the type of a new value, the stored value is cleared."""

UndoKey = datetime
"""The time of a change, which identifies the change for *Undo*."""

ChangedCount = int
"""The number of changed subscriptions."""

State = Literal["active", "private", "gone", "blocked"]
"""The state of a profile.

"blocked" means that the bot's owner has paused the alerts of all subscriptions to the profile.
"""

EPOCH = datetime.fromtimestamp(0, UTC)
"""The time that means "never" in the past, or "immediately" as a due time."""
Question = dict[str, Any]
"""A question of the bot in a private chat. The next plain message can be the answer.

The handlers decide about the content of the question, which is stored as JSON.
"""
ROWS_A_QUEUE = 60  # the maximum number of due deliveries of a chat that are read at a time


@dataclass(frozen=True, slots=True)
class SubscriberCount:
    """The counted subscribers of a profile."""

    chats: int
    """The number of chats that wait for alerts of the profile."""
    weight: float
    """The total weight of the subscriptions of these chats.

    If a subscriber is not a newcomer, subscriptions of newcomers have no weight. New accounts can
    therefore not take the checks away from known people.
    """
    fresh: bool
    """Whether all subscribers are newcomers."""


@dataclass(frozen=True, slots=True)
class Known:
    """A stored profile."""

    profile_id: str
    username: str
    full_name: str
    is_verified: bool
    named_at: datetime
    state: State
    state_since: datetime
    snapshot_at: datetime | None
    due_at: datetime | None
    """The time of the next check."""
    failures: int
    weight: float
    """The total weight of the profile's subscriptions."""
    chats: int
    """The number of chats that wait for alerts of the profile."""
    forecast: list[Any] | None
    refusal: str = ""
    """The last refusal of the API (private or gone)."""
    refusals: int = 0
    """The number of equal refusals in a row."""
    checked_at: datetime | None = None
    fresh: bool = False
    token: int = 0
    """The number of the newest claim of the profile's check."""
    attempts: int = 0
    """The number of claims without an outcome."""

    @property
    def profile(self) -> Profile:
        """Return the profile as a domain value."""
        return Profile(
            profile_id=self.profile_id,
            username=self.username,
            full_name=self.full_name,
            is_private=self.state == "private",
            is_verified=self.is_verified,
        )


@dataclass(frozen=True, slots=True)
class Chat:
    """A stored chat."""

    id: int
    kind: str
    title: str
    language: str | None
    language_code: str | None
    zone: str | None
    """The time zone. None means UTC, until a person sets the time zone."""
    quiet_from: int | None
    """The start of the quiet hours, in minutes after midnight in the time zone."""
    quiet_to: int | None
    """The end of the quiet hours, in minutes after midnight in the time zone."""
    digest_at: int
    """The time of the daily summary, in minutes after midnight in the time zone."""
    defaults: dict[str, object]
    state: Literal["active", "closed"]
    """The value is "closed" while the bot can't write to the chat, or the access list blocks the
    chat or the responsible person.
    """
    menu: str | None = None
    """The hash of the chat's own command menu."""
    payer: int | None = None
    """The person whose limits apply. A chat without a payer gets no alerts."""
    shows_parts: bool = False
    """Whether /usage shows the cost of each member."""
    rules: dict[str, object] = field(default_factory=dict)
    """The rules of the whole chat, as JSON values of ``Options``."""

    @property
    def rule_options(self) -> Options:
        """Return the rules of the whole chat as options.

        All options except the rules have their default values.
        """
        return Options.from_json(self.rules)

    @property
    def summary_minute_after_quiet_hours(self) -> int:
        """Return the time of day of the daily summary, in minutes after midnight.

        The time is in the time zone of the chat. A summary that is due in quiet hours is sent at
        the end of the quiet hours.
        """
        if self.quiet_from is None or self.quiet_to is None:
            return self.digest_at
        is_quiet = hours_contain((self.quiet_from, self.quiet_to), self.digest_at)
        return self.quiet_to if is_quiet else self.digest_at

    @property
    def effective_language(self) -> str | None:
        """Return the language that a person has chosen for the chat.

        If no person has chosen a language, return the language code from Telegram, or None if no
        code is known.
        """
        return self.language or self.language_code


_NO_SETTINGS = frozenset({"id", "kind", "title", "state", "menu", "payer"})
CHAT_SETTINGS = tuple(name for name in Chat.__dataclass_fields__ if name not in _NO_SETTINGS)
"""The fields of a chat that people set, in the bot or in Telegram.

A new field of ``Chat`` is also a setting, unless ``_NO_SETTINGS`` has its name.
"""


MAIN = 0  # the thread id of the messages outside of topics


@dataclass(frozen=True, slots=True)
class Subscription:
    """The subscription of a chat or topic to a profile.

    ``since`` is the time from which posted stories are sent. ``created_by`` is the person who made
    the subscription.
    """

    id: int
    target: Target
    profile_id: str
    username: str
    state: State
    preferences: Preferences
    since: datetime
    created_by: int | None
    created_at: datetime
    in_own_topic: bool = False

    @property
    def options(self) -> Options:
        """Return the alert options of the subscription."""
        return self.preferences.options

    @property
    def paused(self) -> bool:
        """Return whether the subscription is paused or muted."""
        return self.preferences.paused

    @property
    def paused_until(self) -> datetime | None:
        """Return the time at which the mute ends, or None if the subscription is not muted."""
        return self.preferences.paused_until


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that the bot made for a profile.

    A missing topic has the ``thread_id`` ``MAIN``. ``claimed_until`` is the end of the lease of a
    worker that creates the topic, or None.
    """

    profile_id: str
    name: str
    thread_id: int
    claimed_until: datetime | None


REPLY = "reply"  # the notice name of replies to people, which are sent before all alerts
# The ``reason`` of a delivery whose album may have arrived, although Telegram responded to
# the album with the status 429.
FLOODED = "flooded"
# This reason replaces ``FLOODED`` if settings or rights of the chat have also deferred the
# delivery.
FLOODED_AND_DEFERRED = "flooded, deferred"
MISSED = "missed"  # the name of the notice about stories that may have expired before a check
BROADCAST = "broadcast"  # the name of the notice with an owner's message to all chats
SUMMARY = "summary"  # the name of the notice that lists the stories of a daily summary
ANSWERED = ("reply_to", "asked")
"""The fields of a reply that have the ids of the messages that the reply answers."""
# The name of the field that marks a delivery whose story is listed in a daily summary. The value
# of the field is the place of the story's profile in the summary.
PLACE = "place"


class Held(StrEnum):
    """The reason why a pending delivery waits until its ``due_at``, or must be selected again.

    The reason is removed when a worker claims the delivery.
    """

    NOTHING = ""
    """The delivery waits for its turn in the chat queue, or for a retry."""
    QUIET = "quiet"
    """The delivery waits for the end of the chat's quiet hours."""
    DIGEST = "digest"
    """The delivery waits for the daily summary of the subscription."""
    MUTED = "muted"
    """The delivery waits for a right that the bot lacks in the chat or topic."""
    RETRY = "retry"
    """The delivery waits for a retry, and a failure of Telegram can be the cause of the wait.

    A delivery that waits for a retry for a different reason has ``NOTHING``.
    """
    UNTOLD = "untold"
    """The delivery is a notice of a failed delivery, and waits until Telegram answers again.

    The wait lasts for at most ``alert_rules.UNTOLD_FOR``.
    """
    SUSPECT = "suspect"
    """The delivery is suspected to crash the bot, because many claims had no success."""
    CHANGED = "changed"
    """Settings of the chat have changed, so that the delivery must be selected again."""

    @property
    def depends_on_settings(self) -> bool:
        """Return whether changed settings, rights or subscriptions can end the delivery's wait.

        The result is also True for ``CHANGED``.
        """
        match self:
            case Held.QUIET | Held.DIGEST | Held.MUTED | Held.CHANGED:
                return True
            case Held.NOTHING | Held.RETRY | Held.UNTOLD | Held.SUSPECT:
                return False
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMessage:
    """A pending message to a chat. This class is also the base class of deliveries.

    ``copies`` is the number of sends that may have arrived. ``attempts`` is the number of
    consecutive claims whose send failed or has no recorded outcome.
    """

    id: int
    target: Target
    notice: str | None
    fields: dict[str, Any]
    created_at: datetime
    copies: int = 0
    attempts: int = 0
    reason: str = ""

    @property
    def is_reply(self) -> bool:
        """Return whether the message is a reply, so that a person waits for the message."""
        return self.notice == REPLY

    @property
    def must_be_sent_alone(self) -> bool:
        """Return whether the message must not be sent in an album.

        Telegram answered an earlier album of the message with the status 429, and may nevertheless
        have sent the album.
        """
        return self.reason in {FLOODED, FLOODED_AND_DEFERRED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(PendingMessage):
    """A row of the outbox, which is a story, a notice or a reply.

    ``sending`` means that the row is claimed without a recorded outcome. ``is_unreadable`` means
    that this version can't read the story. ``held`` is the reason for a wait.
    """

    subscription_id: int | None
    story_pk: str | None
    story: Story | None
    username: str
    options: Options
    due_at: datetime
    sending: bool = False
    is_unreadable: bool = False
    held: Held = Held.NOTHING

    @property
    def summary_place(self) -> int | None:
        """Return the place of the story's profile in the summary that lists the story.

        Return None if no summary lists the story.
        """
        return None if self.notice else self.fields.get(PLACE)

    @property
    def is_silent(self) -> bool:
        """Return whether the subscription is silent, or a summary lists the story.

        Such a delivery is sent without a sound.
        """
        return self.options.silent or self.is_listed_in_summary

    @property
    def is_listed_in_summary(self) -> bool:
        """Return whether a summary lists the story."""
        return self.summary_place is not None


WHOLE = -1
"""The thread id of a mute that applies to the whole chat."""


@dataclass(frozen=True, slots=True)
class Mute:
    """A right that the bot lacks in a whole chat or in one thread of a chat.

    ``thread_id`` is ``WHOLE`` for the whole chat. ``probe_at`` is the time of the next check,
    after ``probes`` failed checks.
    """

    chat_id: int
    thread_id: int
    missing: Right
    probe_at: datetime
    probes: int

    @property
    def mutes_whole_chat(self) -> bool:
        """Return whether the mute applies to the whole chat."""
        return self.thread_id == WHOLE


def find_mute(mutes: Iterable[Mute], thread_id: int | None) -> Mute | None:
    """Return the first mute that applies to a thread, or None if no mute applies.

    A mute of the whole chat applies to each thread. If ``thread_id`` is None, the mute must apply
    to the messages outside of topics.
    """
    thread_id = thread_id or MAIN
    return next(
        (mute for mute in mutes if mute.mutes_whole_chat or mute.thread_id == thread_id), None
    )


FloodLimitState = dict[str, Any]
"""The state of the flood limits of a chat, in the JSON format of ``bot.telegram``."""


class QueueClaim(Protocol):
    """A claimed chat queue, with the token of the claim and the state of the flood limits."""

    @property
    def chat_id(self) -> int:
        """Return the id of the chat."""

    @property
    def token(self) -> int:
        """Return the token of the claim."""

    @property
    def stored_flood_state(self) -> FloodLimitState | None:
        """Return the newest stored state of the chat's flood limits, or None.

        The state was stored by this process or by another process.
        """


@dataclass(frozen=True, slots=True)
class ReplyClaim:
    """The claim of a chat queue, so that the replies to an update can be sent.

    The claim is made in the transaction of the update.
    """

    chat_id: int
    token: int
    stored_flood_state: FloodLimitState | None = None


@dataclass(frozen=True, slots=True)
class ChatQueue:
    """A chat with due deliveries, in the order of the queue.

    ``token`` proves the claim of the queue. ``stored_flood_state`` is the newest stored state of
    the chat's flood limits, or None.
    """

    chat: Chat
    token: int
    rows: list[Delivery] = field(default_factory=list)
    mutes: tuple[Mute, ...] = ()
    stored_flood_state: FloodLimitState | None = None

    @property
    def chat_id(self) -> int:
        """Return the id of the chat."""
        return self.chat.id


FileKind = Literal["photo", "video", "document", "animation"]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """The file of a story on Telegram's servers, which is used until the time ``until``."""

    kind: FileKind
    file_id: str
    file_unique_id: str
    until: datetime
