"""Rows of the store as the rest of the bot knows them: plain values, no table."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, assert_never

from bot.domain.model import Profile, Right, Story, Target
from bot.domain.options import Options, Preferences

State = Literal["active", "private", "gone"]

EPOCH = datetime.fromtimestamp(0, UTC)
"""The time that stands for never, and for due since ever."""
ROWS_A_QUEUE = 60  # so many due deliveries of a chat are read at a time


@dataclass(frozen=True, slots=True)
class Audience:
    """Who waits for a profile: how many chats, what they count, whether all are newcomers.

    Newcomers count where nobody else waits: else a few accounts made today would draw the checks
    of all others to the profiles that they choose.
    """

    chats: int
    weight: float
    fresh: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A profile as we know it; ``chats`` wait for it, whose subscriptions have that ``weight``.

    The last ``refusals`` answers in a row said ``refusal``: that it is private, or gone.
    """

    profile_id: str
    username: str
    full_name: str
    is_verified: bool
    named_at: datetime
    state: State
    state_since: datetime
    snapshot_at: datetime | None
    next_check_at: datetime | None
    failures: int
    weight: float
    chats: int
    forecast: list[Any] | None
    refusal: str = ""
    refusals: int = 0
    checked_at: datetime | None = None
    fresh: bool = False

    @property
    def profile(self) -> Profile:
        """Return who it is."""
        return Profile(
            profile_id=self.profile_id,
            username=self.username,
            full_name=self.full_name,
            is_private=self.state == "private",
            is_verified=self.is_verified,
        )


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat as we know it.

    ``state`` is ``closed`` while the bot is kicked or blocked; ``menu`` is the digest of the menu
    that Telegram shows in this chat alone, if it has one.
    """

    id: int
    kind: str
    title: str
    language: str | None
    language_code: str | None
    zone: str
    quiet_from: int | None
    quiet_to: int | None
    digest_at: int
    defaults: dict[str, object]
    state: Literal["active", "closed"]
    menu: str | None = None

    @property
    def effective_language(self) -> str | None:
        """Return the language to speak there: the chosen one, else as Telegram says."""
        return self.language or self.language_code


_NO_SETTINGS = frozenset({"id", "kind", "title", "state", "menu"})
CHAT_SETTINGS = tuple(name for name in Chat.__dataclass_fields__ if name not in _NO_SETTINGS)
"""The fields of a chat that people set, here or in Telegram; a new field is one of them."""


MAIN = 0  # the thread of what is said outside of topics


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
        """Return how it wants its alerts."""
        return self.preferences.options

    @property
    def paused(self) -> bool:
        """Return whether it is paused, or muted for a while."""
        return self.preferences.paused

    @property
    def paused_until(self) -> datetime | None:
        """Return when its mute ends."""
        return self.preferences.paused_until


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that the bot made for a profile; ``thread_id`` is ``MAIN`` while there is none.

    ``claimed_until`` is until when somebody may be making it.
    """

    profile_id: str
    name: str
    thread_id: int
    claimed_until: datetime | None


REPLY = "reply"  # the notice that holds an answer to somebody, which goes before all alerts
FLOODED = "flooded"  # the reason of an unsent delivery whose album may be in its chat after a 429
MISSED = "missed"  # the notice that stories may have expired before a check
BROADCAST = "broadcast"  # the notice that is a message of the owner's to all


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
    """The notice of a delivery that was given up waits until Telegram answers again."""
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


@dataclass(frozen=True, slots=True)
class Delivery:
    """A story or a notice that is owed.

    ``copies`` counts sends that may have arrived. ``attempts`` counts claims in a row that surely
    sent nothing or have no outcome. ``sending``: the row is claimed and the outcome is not
    recorded. ``is_unreadable``: this version of the code can't read the stored story.
    """

    id: int
    target: Target
    subscription_id: int | None
    story_pk: str | None
    story: Story | None
    username: str
    options: Options
    notice: str | None
    fields: dict[str, Any]
    copies: int
    attempts: int
    sending: bool
    created_at: datetime
    due_at: datetime
    is_unreadable: bool = False
    held: Held = Held.NOTHING
    reason: str = ""

    @property
    def goes_alone(self) -> bool:
        """Return whether it goes in no album: Telegram may have sent one despite its 429."""
        return self.reason == FLOODED


WHOLE = -1
"""The thread of a mute that holds for all of a chat."""


@dataclass(frozen=True, slots=True)
class Mute:
    """What is missing in a chat (``WHOLE``), or in one thread of it, and when we ask again."""

    chat_id: int
    thread_id: int
    missing: Right
    probe_at: datetime
    probes: int

    @property
    def mutes_whole_chat(self) -> bool:
        """Return whether it holds for all of the chat."""
        return self.thread_id == WHOLE


def find_mute(mutes: Iterable[Mute], thread_id: int | None) -> Mute | None:
    """Return what stands against writing to a thread, or to the chat itself."""
    thread_id = thread_id or MAIN
    return next((one for one in mutes if one.mutes_whole_chat or one.thread_id == thread_id), None)


@dataclass(frozen=True, slots=True)
class ChatQueue:
    """A chat with what is due in it, in the order of sending; ``token`` proves the claim.

    ``flood`` is what counts against the limits of its chat, as ``bot.telegram`` reads it, where
    there are replicas.
    """

    chat: Chat
    token: int
    rows: list[Delivery] = field(default_factory=list)
    mutes: tuple[Mute, ...] = ()
    flood: Any | None = None


FileKind = Literal["photo", "video", "document", "animation"]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A story's media as Telegram has it; good until the story's end."""

    kind: FileKind
    file_id: str
    file_unique_id: str
    until: datetime
