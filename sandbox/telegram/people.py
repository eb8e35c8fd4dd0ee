"""Persons and bots."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.updates import Inbox


@dataclass(slots=True)
class Person:
    """A user of Telegram. A bot of somebody else is a person with `is_bot`."""

    id: int
    first_name: str
    username: str | None = None
    last_name: str | None = None
    language_code: str | None = None
    deactivated: bool = False
    is_bot: bool = False

    def user(self) -> dict[str, Any]:
        """Return the person as the Bot API's object User."""
        user: dict[str, Any] = {"id": self.id, "is_bot": self.is_bot}
        user["first_name"] = self.first_name
        for name in ("last_name", "username", "language_code"):
            if (value := getattr(self, name)) is not None:
                user[name] = value
        return user


@dataclass(slots=True)
class Profile:
    """The descriptions of a bot in one language."""

    description: str = ""
    short_description: str = ""


@dataclass(slots=True)
class Bot:
    """A bot. The first bot that makes a call is the default bot of all control calls."""

    id: int
    inbox: Inbox
    first_name: str = "Storybell"
    claimed: bool = False  # whether a token with this id has been used
    # False means that the group privacy mode is on, which is BotFather's default.
    reads_all: bool = False
    inline: bool = True
    has_topics: bool = False  # whether private chats have topics; BotFather's "Threaded Mode"
    users_make_topics: bool = False
    last_message_id: int = 0  # all private chats of the bot share this counter
    commands: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    _user: dict[str, Any] | None = None

    @property
    def username(self) -> str:
        """Return the bot's username, which ends in "bot"."""
        return f"storybell_{self.id}_bot"

    def user(self) -> dict[str, Any]:
        """Return the bot as the Bot API's object User, without the additional fields of getMe."""
        if self._user is None or self._user["id"] != self.id:
            self._user = {
                "id": self.id,
                "is_bot": True,
                "first_name": self.first_name,
                "username": self.username,
            }
        return self._user
