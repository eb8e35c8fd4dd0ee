"""Who there is: people and the bots."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.updates import Inbox


@dataclass(slots=True)
class Person:
    """Somebody who uses Telegram."""

    id: int
    first_name: str
    username: str | None = None
    last_name: str | None = None
    language_code: str | None = None
    deactivated: bool = False

    def user(self) -> dict[str, Any]:
        """The Bot API's User."""
        user: dict[str, Any] = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        for name in ("last_name", "username", "language_code"):
            if (value := getattr(self, name)) is not None:
                user[name] = value
        return user


@dataclass(slots=True)
class Profile:
    """How a bot presents itself in one language."""

    description: str = ""
    short_description: str = ""


@dataclass(slots=True)
class Bot:
    """A bot; the first one to call is the one that all control calls mean by default."""

    id: int
    inbox: Inbox
    first_name: str = "Storybell"
    claimed: bool = False  # whether a token with this id has been seen
    reads_all: bool = False  # group privacy mode is on, as BotFather's default is
    inline: bool = True
    has_topics: bool = False  # in private chats; BotFather's "Threaded Mode"
    users_make_topics: bool = False
    last_message_id: int = 0  # private chats share one count
    commands: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    _user: dict[str, Any] | None = None

    @property
    def username(self) -> str:
        """A username as bots have it."""
        return f"storybell_{self.id}_bot"

    def user(self) -> dict[str, Any]:
        """The Bot API's User, without what getMe alone tells."""
        if self._user is None or self._user["id"] != self.id:
            self._user = {
                "id": self.id,
                "is_bot": True,
                "first_name": self.first_name,
                "username": self.username,
            }
        return self._user
