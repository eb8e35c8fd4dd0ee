"""The concepts of the project as values: story, profile, album, target, outcome of a send."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

STORY_LIFE = timedelta(hours=24)
MEGABYTE = 1_000_000
ORIGINAL = "/file"
"""The suffix of a story's id that identifies its uncompressed file."""

LARGEST_FILE = 50 * 2**20
"""The largest upload of a bot in bytes: "50 MB" are 50 MiB (Bot API server, TDLib)."""

LARGEST_LOCAL_FILE = 2000 * 2**20
"""The largest upload in bytes to a self-hosted Bot API server with ``--local``."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An Instagram account; ``profile_id`` is permanent, ``username`` (lower case) may change."""

    profile_id: str
    username: str
    full_name: str = ""
    is_private: bool = False
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Sticker:
    """A link sticker on a story."""

    link: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reshared:
    """A post that a story shows; ``code`` is the code of the post's page."""

    code: str = ""
    username: str = ""
    """The author's username, if the answer contains it."""

    @property
    def page_url(self) -> str:
        """Return the URL of the post's page on Instagram, or "" if ``code`` is empty."""
        return f"https://www.instagram.com/p/{self.code}/" if self.code else ""


@dataclass(frozen=True, slots=True)
class Story:
    """One photo or video that lives for 24 hours after ``taken_at``; its identity is ``pk`` alone.

    ``duration`` is in seconds. ``media_url`` is None if the API named no file. URLs are signed and
    expire (``oe``), so a URL is never an identity.
    """

    pk: str
    taken_at: datetime
    kind: Literal["photo", "video"]
    profile: Profile
    media_url: str | None = None
    duration: float = 0.0
    mentions: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()
    stickers: tuple[Sticker, ...] = ()
    reshared: tuple[Reshared, ...] = ()
    music: tuple[str, ...] = ()
    highlight: str = ""
    """The id of the highlight with the story; a highlight shows the story after its day."""

    @property
    def expires_at(self) -> datetime:
        """Return when Instagram stops showing the story."""
        return self.taken_at + STORY_LIFE

    @property
    def page_url(self) -> str:
        """Return the URL of the story's page on Instagram, or of the page of its highlight."""
        if self.highlight:
            return f"https://www.instagram.com/stories/highlights/{self.highlight}/"
        return f"https://www.instagram.com/stories/{self.profile.username}/{self.pk}/"


@dataclass(frozen=True, slots=True)
class Highlight:
    """A collection of stories that a profile keeps; ``count`` is 0 if the answer had no count.

    ``stories`` is empty in a list of highlights, because the list contains only titles.
    """

    pk: str
    title: str
    profile: Profile
    count: int = 0
    stories: tuple[Story, ...] = ()


@dataclass(frozen=True, slots=True)
class Album:
    """A media group: 1-10 stories of one or more profiles, oldest first."""

    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """The destination of a message: a chat and, in a forum, the topic (``thread_id``)."""

    chat_id: int
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """The chat and the person of a request. The person is None if the sender is anonymous.

    ``chat_id`` is None for an inline query and for alerts. ``is_owner`` is true for the bot's
    owners (from ``ADMIN_IDS`` or an owner link), not for a group's admins.
    ``as_channel`` is the id of a channel if a person writes in a group in the name of the channel.
    """

    chat_id: int | None
    user_id: int | None = None
    is_owner: bool = False
    as_channel: int | None = None


@dataclass(frozen=True, slots=True)
class SentItem:
    """A story that arrived in a chat, and the message with the story."""

    pk: str
    message_id: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of a successful send.

    ``failed`` maps a story that could not be sent to the reason, a message id of the catalogues.
    """

    items: tuple[SentItem, ...]
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TryLater:
    """The outcome of a send that must be retried.

    - ``after``: the pause that Telegram requested; None: the bot's own backoff applies.
    - ``unknown``: no answer was received, so the message may have arrived.
    - ``items``: the items that arrived.
    - ``partly``: an answer was received, and a part of the message may have arrived.
    - ``down``: the cause may be a failure of Telegram, not the message.
    - ``chat_refuses``: nothing was sent, because the chat refused even a call without a message.
    - ``unasked``: the bot itself delayed the message, and Telegram was not asked.
    - ``failed``: the same as in ``Sent``.
    """

    after: timedelta | None = None
    unknown: bool = False
    reason: str = ""
    items: tuple[SentItem, ...] = ()
    partly: bool = False
    down: bool = False
    chat_refuses: bool = False
    unasked: bool = False
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moved:
    """The outcome of a send to a group that became the supergroup ``chat_id``.

    ``items`` arrived before the refusal.
    """

    chat_id: int
    items: tuple[SentItem, ...] = ()


@dataclass(frozen=True, slots=True)
class PermanentFailure:
    """The outcome of a send that can never succeed. ``scope`` names the cause.

    The scope ``bot`` means a bad token. ``items`` are the items that arrived before the failure.
    """

    reason: str
    scope: Literal["item", "thread", "chat", "bot"] = "chat"
    items: tuple[SentItem, ...] = ()


Right = Literal[
    "text", "photos", "videos", "documents", "gifs", "media", "posts", "topic", "peace"
]
"""The rights that the bot may lack.

``media`` means several kinds of media, and ``posts`` means posts in channels. ``topic`` is missing
if the topic is closed. ``peace`` is missing if another bot removes the posts.
"""


@dataclass(frozen=True, slots=True)
class Muted:
    """The outcome of a send for which the bot lacks a right that an admin can grant.

    ``items`` are the items that arrived. The items that need the right did not arrive. ``failed``
    is the same as in ``Sent``.
    """

    missing: Right
    scope: Literal["thread", "chat"] = "chat"
    items: tuple[SentItem, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """The outcome of a send whose message was deleted at once by another bot.

    ``items`` arrived before this message.
    """

    items: tuple[SentItem, ...] = ()


Presence = Literal["may", "may not", "away"] | Moved
"""The bot's status in a chat: it may write, may not write or is absent, or the chat has moved."""

AskPresence = Callable[[int, Right], Awaitable[Presence]]
"""A callback that asks Telegram for the bot's presence in a chat that lacked a right; free."""

Outcome = Sent | Muted | TryLater | Moved | PermanentFailure | Removed
