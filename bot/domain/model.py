"""The words of the project as values: what a story, a profile, an album, an outcome is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

STORY_LIFE = timedelta(hours=24)
MEGABYTE = 1_000_000
ORIGINAL = "/file"
"""The suffix of a story's id under which its uncompressed file is known."""

LARGEST_FILE = 50 * 2**20
LARGEST_LOCAL_FILE = 2000 * 2**20  # of a Bot API server of one's own, with --local
"""Bytes that a bot may upload: "50 MB" are 50 MiB (Bot API server, TDLib)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An Instagram account; ``profile_id`` is for ever, ``username`` (lower case) may change."""

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
    """A post that a story shows; ``code`` is that of its page."""

    code: str = ""
    username: str = ""
    """The author's username, where the answer names it."""

    @property
    def page_url(self) -> str:
        """Return the post's page on Instagram, empty where it is not known."""
        return f"https://www.instagram.com/p/{self.code}/" if self.code else ""


@dataclass(frozen=True, slots=True)
class Story:
    """One photo or video, alive for 24 hours after ``taken_at``; its identity is ``pk`` alone.

    ``media_url`` is None when the API named no file; addresses are signed and expire (``oe``),
    so they are never an identity.
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
    """The id of the highlight that it was found in, which shows it after its day."""

    @property
    def expires_at(self) -> datetime:
        """Return when Instagram stops showing it."""
        return self.taken_at + STORY_LIFE

    @property
    def page_url(self) -> str:
        """Return the story's page on Instagram, or that of the highlight that keeps it."""
        if self.highlight:
            return f"https://www.instagram.com/stories/highlights/{self.highlight}/"
        return f"https://www.instagram.com/stories/{self.profile.username}/{self.pk}/"


@dataclass(frozen=True, slots=True)
class Highlight:
    """A collection of stories that a profile keeps; ``count`` is 0 where the answer did not say.

    ``stories`` is empty in a list of highlights, which holds their titles only.
    """

    pk: str
    title: str
    profile: Profile
    count: int = 0
    stories: tuple[Story, ...] = ()


@dataclass(frozen=True, slots=True)
class Album:
    """What goes out as one media group: 1-10 stories of one or more profiles, oldest first."""

    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: a chat and, in a forum, the topic (``thread_id``)."""

    chat_id: int
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks and pays: the chat, the person (None for channels and the schedule).

    ``is_owner`` is true for the bot's owners (``ADMIN_IDS``), not for a group's admins.
    """

    chat_id: int | None
    user_id: int | None = None
    is_owner: bool = False


@dataclass(frozen=True, slots=True)
class SentItem:
    """One story that arrived, and its message."""

    pk: str
    message_id: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The items arrived; ``failed`` maps a story that could not be sent to the sentence why.

    The sentence is a message id of the catalogues.
    """

    items: tuple[SentItem, ...]
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not now. ``after`` is what Telegram asked for, None to back off by our own rule.

    ``unknown`` is true when the message may have arrived although no answer was seen; ``items``
    did arrive. ``partly``: an answer came, and some of it may be there all the same. ``down``: it
    may be Telegram that fails, not this message. ``chat_refuses``: nothing was sent, since the
    chat accepted not even a call without a message. ``failed`` as in ``Sent``.
    """

    after: timedelta | None = None
    unknown: bool = False
    reason: str = ""
    items: tuple[SentItem, ...] = ()
    partly: bool = False
    down: bool = False
    chat_refuses: bool = False
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moved:
    """The group became a supergroup: all goes to ``chat_id``, but ``items``, which did arrive."""

    chat_id: int
    items: tuple[SentItem, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It will never work; ``scope`` says for what (``bot``: the token is bad).

    ``items`` did arrive before.
    """

    reason: str
    scope: Literal["item", "thread", "chat", "bot"] = "chat"
    items: tuple[SentItem, ...] = ()


Right = Literal[
    "text", "photos", "videos", "documents", "gifs", "media", "posts", "topic", "peace"
]
"""What the bot may be missing; ``media``: several kinds of them; ``posts``: in channels.

``topic``: it, or General, is closed. ``peace``: another bot removes what it posts.
"""


@dataclass(frozen=True, slots=True)
class Muted:
    """The bot is there but may not send this; it may again when somebody gives the right back.

    ``items`` did arrive: only what needs the right did not. ``failed`` as in ``Sent``.
    """

    missing: Right
    scope: Literal["thread", "chat"] = "chat"
    items: tuple[SentItem, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """It was in the chat, and another bot there deleted it at once; ``items`` arrived before."""

    items: tuple[SentItem, ...] = ()


Presence = Literal["may", "may not", "away"] | Moved
"""How the bot stands in a chat: it may write, may not, or is not there; or the chat has moved."""

AskPresence = Callable[[int, Right], Awaitable[Presence]]
"""Asks Telegram how the bot stands in a chat where that right was missing; free."""

Outcome = Sent | Muted | TryLater | Moved | GiveUp | Removed
