"""Rows of the store as plain values, independent of the tables."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, assert_never

from bot.domain.model import Profile, Right, Story, Target
from bot.domain.options import Options, Preferences

State = Literal["active", "private", "gone", "blocked"]
"""The state of a profile; "blocked": the owner has paused the alerts of all who follow it."""

EPOCH = datetime.fromtimestamp(0, UTC)
"""The time that means never, or due immediately."""
ROWS_A_QUEUE = 60  # the number of due deliveries of a chat that are read at a time


@dataclass(frozen=True, slots=True)
class Audience:
    """The subscribers of a profile: number of chats, total weight, and whether all are newcomers.

    The weight of newcomers counts only if all subscribers are newcomers. Otherwise a few new
    accounts could take the checks of everybody else's profiles.
    """

    chats: int
    weight: float
    fresh: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A stored profile. ``due_at`` is the time of the next check.

    ``chats`` is the number of subscribed chats, and ``weight`` is the total weight of their
    subscriptions. ``refusal`` is the last refusal (private or gone), and ``refusals`` is the
    number of equal refusals in a row. ``token`` is the number of the newest claim of the check.
    ``attempts`` is the number of claims without an outcome.
    """

    profile_id: str
    username: str
    full_name: str
    is_verified: bool
    named_at: datetime
    state: State
    state_since: datetime
    snapshot_at: datetime | None
    due_at: datetime | None
    failures: int
    weight: float
    chats: int
    forecast: list[Any] | None
    refusal: str = ""
    refusals: int = 0
    checked_at: datetime | None = None
    fresh: bool = False
    token: int = 0
    attempts: int = 0

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
    """A stored chat.

    - ``state``: ``closed`` while the bot can't or may not write in the chat.
    - ``zone``: None until a person sets the time zone; the hours of the chat are then in UTC.
    - ``quiet_from``, ``quiet_to``, ``digest_at``: minutes after midnight in the zone of the chat.
    - ``menu``: the digest of the chat's own command menu, if the chat has one.
    - ``payer``: the person whose limits apply; None if the chat has no payer, and gets no alerts.
    - ``shows_parts``: whether /usage shows the cost of each member.
    - ``rules``: the rules of the whole chat, as JSON values of ``Options``.
    """

    id: int
    kind: str
    title: str
    language: str | None
    language_code: str | None
    zone: str | None
    quiet_from: int | None
    quiet_to: int | None
    digest_at: int
    defaults: dict[str, object]
    state: Literal["active", "closed"]
    menu: str | None = None
    payer: int | None = None
    shows_parts: bool = False
    rules: dict[str, object] = field(default_factory=dict)

    @property
    def rule_options(self) -> Options:
        """Return the rules of the whole chat as options; the other options have their defaults."""
        return Options.from_json(self.rules)

    @property
    def effective_language(self) -> str | None:
        """Return the language of the chat: the chosen language, else the language of Telegram."""
        return self.language or self.language_code


_NO_SETTINGS = frozenset({"id", "kind", "title", "state", "menu", "payer"})
CHAT_SETTINGS = tuple(name for name in Chat.__dataclass_fields__ if name not in _NO_SETTINGS)
"""The fields of a chat that people set, in the bot or in Telegram; a new field is a setting."""


MAIN = 0  # the thread of messages outside of topics


@dataclass(frozen=True, slots=True)
class Subscription:
    """A chat (and topic) that follows a profile; ``since`` is when the alerts began."""

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
        """Return when the mute ends."""
        return self.preferences.paused_until


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that the bot made for a profile; ``thread_id`` is ``MAIN`` for a missing topic.

    ``claimed_until`` is the end of the lease of a worker that may be creating the topic.
    """

    profile_id: str
    name: str
    thread_id: int
    claimed_until: datetime | None


REPLY = "reply"  # the name of a reply to a person; replies are sent before all alerts
FLOODED = "flooded"  # marks a delivery whose album may have arrived although Telegram answered 429
MISSED = "missed"  # the notice that stories may have expired before a check
BROADCAST = "broadcast"  # the notice of an owner's message to all chats
SUMMARY = "summary"  # the notice that lists the stories of a daily summary
ANSWERED = ("reply_to", "asked")
"""The fields of a reply with the ids of the messages that the reply answers."""
PLACE = "place"  # the field of a listed story: the place of the profile in the summary


class Held(StrEnum):
    """The reason why an open delivery waits until its ``due_at``, or was changed.

    A claim removes the reason.
    """

    NOTHING = ""
    """The delivery waits for its turn in the chat queue."""
    QUIET = "quiet"
    """The chat has quiet hours."""
    DIGEST = "digest"
    """The subscription has a daily summary."""
    MUTED = "muted"
    """A right is missing in the chat or topic."""
    RETRY = "retry"
    """Telegram did not accept the last send, or its answer was lost."""
    UNTOLD = "untold"
    """The notice of a failed delivery waits until Telegram answers again."""
    SUSPECT = "suspect"
    """The delivery may crash the bot: many claims had no outcome."""
    CHANGED = "changed"
    """Settings of the chat changed: the delivery must be selected again before it is sent."""

    @property
    def depends_on_settings(self) -> bool:
        """Return whether a change of the chat, its rights or its subscriptions ends the wait."""
        match self:
            case Held.QUIET | Held.DIGEST | Held.MUTED | Held.CHANGED:
                return True
            case Held.NOTHING | Held.RETRY | Held.UNTOLD | Held.SUSPECT:
                return False
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMessage:
    """A pending message of a chat: a reply, or the base of a delivery.

    ``copies`` is the number of sends that may have arrived. ``attempts`` is the number of
    consecutive claims that certainly sent nothing or have no outcome.
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
        """Return whether a person waits for the message."""
        return self.notice == REPLY

    @property
    def must_be_sent_alone(self) -> bool:
        """Return whether the message must be sent outside of albums.

        Telegram answered 429 to an earlier album with the message, but may have sent the album.
        """
        return self.reason == FLOODED


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(PendingMessage):
    """A row of the outbox: a story, a notice or a reply.

    ``sending`` is True if the row is claimed and has no recorded outcome. ``is_unreadable`` is
    True if this version of the code can't read the stored story.
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
    def is_listed(self) -> bool:
        """Return whether a summary lists the story."""
        return self.summary_place is not None


WHOLE = -1
"""The thread of a mute that applies to the whole chat."""


@dataclass(frozen=True, slots=True)
class Mute:
    """A missing right in a chat (``WHOLE``) or in one thread, and the time of the next check."""

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
    """Return the mute that applies to a thread or to the whole chat, or None.

    None for ``thread_id`` means the messages outside of topics.
    """
    thread_id = thread_id or MAIN
    return next(
        (mute for mute in mutes if mute.mutes_whole_chat or mute.thread_id == thread_id), None
    )


class QueueClaim(Protocol):
    """A claimed chat queue, with the token of the claim and the state of the flood limits."""

    @property
    def chat_id(self) -> int:
        """Return the id of the chat."""

    @property
    def token(self) -> int:
        """Return the token of the claim."""

    @property
    def flood(self) -> Any | None:  # noqa: ANN401 - JSON
        """Return the state of the flood limits, if another process has stored a state."""


@dataclass(frozen=True, slots=True)
class ReplyClaim:
    """A chat queue that the transaction of an update has claimed for its replies."""

    chat_id: int
    token: int
    flood: Any | None = None


@dataclass(frozen=True, slots=True)
class ChatQueue:
    """A chat with its due deliveries in the order of sending; ``token`` proves the claim.

    ``flood`` is the state of the chat's flood limits in the format of ``bot.telegram``, or None
    without replicas.
    """

    chat: Chat
    token: int
    rows: list[Delivery] = field(default_factory=list)
    mutes: tuple[Mute, ...] = ()
    flood: Any | None = None

    @property
    def chat_id(self) -> int:
        """Return the id of the chat."""
        return self.chat.id


FileKind = Literal["photo", "video", "document", "animation"]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """The file of a story at Telegram, used until the story expires."""

    kind: FileKind
    file_id: str
    file_unique_id: str
    until: datetime
