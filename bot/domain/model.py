"""The concepts of the project as values.

Examples are a story, a profile, an album, a target of messages, and the outcome of a send.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

FromNewest: TypeAlias = None
"""In the type of a cursor, the page begins with the newest story."""

AllChats: TypeAlias = None
"""In the type of the id of a chat, all chats are meant."""

Anonymous: TypeAlias = None
"""In the type of a person's id, the sender is anonymous."""

Now: TypeAlias = None
"""In the type of a time, the time is now."""

Unchanged: TypeAlias = None
"""In the type of a result, the call changed nothing."""

NoMaximum: TypeAlias = None
"""In the type of a limit, no limit applies."""

AnyTime: TypeAlias = None
"""In the type of a bound, the time of the last check does not matter."""

TooLong: TypeAlias = None
"""In the type of a wait, the wait would be too long, and nothing is reserved."""

Unknown: TypeAlias = None
"""In the type of a value, the value is not known."""

STORY_LIFE = timedelta(hours=24)
MEGABYTE = 1_000_000
ORIGINAL = "/file"
"""The suffix that is added to a story's id to identify the story's uncompressed file."""

LARGEST_FILE = 50 * 2**20
"""The maximum size of a file that a bot can upload, in bytes.

The "50 MB" in Telegram's documentation are 50 MiB (Bot API server, TDLib).
"""

LARGEST_LOCAL_FILE = 2000 * 2**20
"""The maximum size, in bytes, of an upload to a self-hosted Bot API server with ``--local``."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An Instagram account.

    ``profile_id`` never changes. ``username`` is in lower case, and can change.
    """

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
    """A post that a story shows.

    ``code`` is the part of the URL of the post's page that identifies the post.
    """

    code: str = ""
    username: str = ""
    """The username of the post's author, or an empty string if the API did not send it."""

    @property
    def page_url(self) -> str:
        """Return the URL of the post's page on Instagram.

        If ``code`` is empty, return an empty string.
        """
        return f"https://www.instagram.com/p/{self.code}/" if self.code else ""


@dataclass(frozen=True, slots=True)
class Story:
    """A photo or video that a profile shows for 24 hours after ``taken_at``.

    Only ``pk`` identifies the story, because URLs are signed and expire (parameter ``oe``).
    ``duration`` is in seconds.
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
    """The id of the highlight with the story, or an empty string for a live story.

    A highlight shows its stories also after their 24 hours.
    """

    @property
    def expires_at(self) -> datetime:
        """Return the time at which a live story expires, 24 hours after ``taken_at``."""
        return self.taken_at + STORY_LIFE

    @property
    def page_url(self) -> str:
        """Return the URL of the story's page on Instagram, or of the page of its highlight."""
        if self.highlight:
            return f"https://www.instagram.com/stories/highlights/{self.highlight}/"
        return f"https://www.instagram.com/stories/{self.profile.username}/{self.pk}/"


@dataclass(frozen=True, slots=True)
class Highlight:
    """A collection of stories that a profile shows permanently.

    ``count`` is the number of stories, or 0 if unknown. In a list of highlights, ``stories`` is
    empty, because the list contains only titles.
    """

    pk: str
    title: str
    profile: Profile
    count: int = 0
    stories: tuple[Story, ...] = ()


@dataclass(frozen=True, slots=True)
class Album:
    """A media group of 1 to 10 stories of one or more profiles, oldest first."""

    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """The destination of a message.

    ``thread_id`` is the topic of the chat, or None for messages outside of topics.
    """

    chat_id: int
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """The chat and the person of a request."""

    chat_id: int | None
    """The id of the chat, or None for an inline query and for alerts."""
    user_id: int | None = None
    """The id of the person, or None for an anonymous sender."""
    is_owner: bool = False
    """The value is True for the owners of the bot, and False for the admins of a group."""
    as_channel: int | None = None
    """The id of the channel in whose name a person wrote the request in a group."""


@dataclass(frozen=True, slots=True)
class SentItem:
    """A story that arrived in a chat, with the id of the message that contains the story."""

    pk: str
    message_id: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of a successful send.

    ``items`` are the stories that arrived. ``failed`` maps the id of each other story to the
    reason, which is the id of a message in the catalogues.
    """

    items: tuple[SentItem, ...]
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TryLater:
    """The outcome of a send that must be retried."""

    after: timedelta | None = None
    """The required pause, or None if the bot's own backoff applies."""
    unknown: bool = False
    """Whether the message may have arrived."""
    reason: str = ""
    items: tuple[SentItem, ...] = ()
    """The stories that arrived."""
    partly: bool = False
    """Whether a part of the message can have arrived, although the bot received an answer."""
    down: bool = False
    """Whether Telegram itself can be the cause of the failure, and not the message."""
    chat_refuses: bool = False
    """Whether the chat refused even a call that sends no message."""
    unasked: bool = False
    """Whether the bot itself delayed the message, without a call to Telegram."""
    failed: dict[str, str] = field(default_factory=dict)
    """The ids of the stories that could not be sent, each with the reason."""
    upload_age: timedelta | None = None
    """The time for which another sender has been uploading one of the stories.
    The message waits for the file_id of this upload.
    """


@dataclass(frozen=True, slots=True)
class Moved:
    """The outcome of a send to a group that has become the supergroup ``chat_id``.

    ``items`` are the stories that arrived before Telegram refused the send.
    """

    chat_id: int
    items: tuple[SentItem, ...] = ()


@dataclass(frozen=True, slots=True)
class PermanentFailure:
    """The outcome of a send that Telegram refused, and that an immediate retry can't change.

    ``scope`` names the cause: the message ("item"), the topic, the chat, or the bot's token
    ("bot"). ``items`` are the stories that arrived before the refusal.
    """

    reason: str
    scope: Literal["item", "thread", "chat", "bot"] = "chat"
    items: tuple[SentItem, ...] = ()


Right = Literal[
    "text", "photos", "videos", "documents", "gifs", "media", "posts", "topic", "peace"
]
"""The rights that the bot can lack in a chat.

- ``media`` is the right to send several kinds of media.
- ``posts`` is the right to post in a channel.
- ``topic`` is missing if the topic is closed.
- ``peace`` is missing if another bot removes the posts of this bot.
"""


@dataclass(frozen=True, slots=True)
class Muted:
    """The outcome of a send if the bot lacks a right, which an admin of the chat can grant.

    ``items`` are the stories that arrived. ``failed`` maps the stories that failed for a different
    reason to this reason.
    """

    missing: Right
    scope: Literal["thread", "chat"] = "chat"
    items: tuple[SentItem, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """The outcome of a send if a different bot deleted the sent message immediately.

    ``items`` are the stories that arrived before the deleted message.
    """

    items: tuple[SentItem, ...] = ()


Presence = Literal["may", "may not", "away"] | Moved
"""The status of the bot in a chat.

- "may" means that the bot is allowed to write.
- "may not" means that the bot is not allowed to write, or that Telegram did not answer.
- "away" means that the bot is not in the chat, or can't write to the chat at all.
- ``Moved`` means that the chat has become a supergroup.
"""

Endless: TypeAlias = None
"""In the type of an end, a state such as a pause or a block has no end."""

AskPresence = Callable[[int, Right], Awaitable[Presence]]
"""A callback that asks Telegram for the bot's status in a chat in which the bot lacked a right.

The call costs 0 credits.
"""

Outcome = Sent | Muted | TryLater | Moved | PermanentFailure | Removed
