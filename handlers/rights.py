"""Who may do what: one table of every command, button and message that the bot hears.

Pure data, which ``handlers.guard`` puts before each handler. A handler without a row can't be
made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class ChatKind(Enum):
    """Where somebody acts; a forum is a group."""

    PRIVATE = auto()
    GROUP = auto()
    CHANNEL = auto()


class Need(Enum):
    """What somebody must be to do something."""

    NOTHING = auto()
    ADMIN = auto()
    """An administrator of the group, an anonymous one too; of a channel, who may post there."""
    OPERATOR = auto()
    """Who runs the bot (``bot.chats.access``); for others such a command does not exist."""


class Role(Enum):
    """Who somebody is, where they act."""

    PERSON = auto()  # in their own private chat
    MEMBER = auto()  # of a group
    ADMIN = auto()  # of a group, or of a channel with the right to post
    ANONYMOUS_ADMIN = auto()  # writes in the group's own name
    AS_CHANNEL = auto()  # writes in the name of a channel: nobody in particular
    SUBSCRIBER = auto()  # of a channel, or an administrator who may not post there
    OPERATOR = auto()  # wherever they are


MAY: Mapping[Need, frozenset[Role]] = {
    Need.NOTHING: frozenset(Role),
    Need.ADMIN: frozenset({Role.PERSON, Role.ADMIN, Role.ANONYMOUS_ADMIN}),
    Need.OPERATOR: frozenset({Role.OPERATOR}),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one thing needs in each kind of chat."""

    private: Need
    group: Need
    channel: Need

    def need(self, kind: ChatKind) -> Need:
        """Return what it needs there."""
        return {
            ChatKind.PRIVATE: self.private,
            ChatKind.GROUP: self.group,
            ChatKind.CHANNEL: self.channel,
        }[kind]


# In a channel also what only shows something writes for all to see.
SHOW = Row(Need.NOTHING, Need.NOTHING, Need.ADMIN)
CHANGE = Row(Need.ADMIN, Need.ADMIN, Need.ADMIN)
OPERATE = Row(Need.OPERATOR, Need.OPERATOR, Need.OPERATOR)
ANYBODY = Row(Need.NOTHING, Need.NOTHING, Need.NOTHING)

TABLE: Mapping[str, Row] = {
    # commands
    "/start": SHOW,
    "/help": SHOW,
    "/language": SHOW,
    "/stories": SHOW,
    "/subscribe": CHANGE,
    "/subscriptions": SHOW,
    "/unsubscribe": CHANGE,
    "/why": SHOW,
    "/past": SHOW,
    "/highlights": SHOW,
    "/rules": CHANGE,
    "/export": SHOW,
    "/import": CHANGE,
    "/settings": SHOW,
    "/timezone": CHANGE,
    "/usage": SHOW,
    "/privacy": SHOW,
    "/spending": OPERATE,
    "/stop_spending": OPERATE,
    "/resume_spending": OPERATE,
    "/allow": OPERATE,
    "/invite": OPERATE,
    "/block": OPERATE,
    "/unblock": OPERATE,
    "/people": OPERATE,
    "/health": OPERATE,
    "/admin": OPERATE,
    "/broadcast": OPERATE,
    # buttons, by the first word of their data
    "help": SHOW,
    "do:": SHOW,  # and what the command itself needs
    "language": SHOW,
    "language:": CHANGE,
    "stories:": SHOW,
    "live:": SHOW,
    "past:": SHOW,
    "files:": SHOW,
    "highlights:": SHOW,
    "highlight:": SHOW,
    "subs:": SHOW,
    "sub:": SHOW,
    "unsub:": CHANGE,
    "undo:": CHANGE,
    "restore:": CHANGE,
    "opt:": CHANGE,
    "topic:": CHANGE,
    "mute:": CHANGE,
    "rule:": CHANGE,
    "defaults": CHANGE,
    "set:": CHANGE,
    "erase": CHANGE,
    "run:": SHOW,  # and what the command itself needs
    "many:": SHOW,  # the same
    "people:": OPERATE,
    "owner:": OPERATE,
    "cast:": OPERATE,
    "any other button": ANYBODY,
    # messages
    "a link": SHOW,
    "an answer to our question": SHOW,
    "an answer: whose highlights": SHOW,
    "an answer: whom to subscribe to": CHANGE,
    "an answer: a setting": CHANGE,
    "a file to import": CHANGE,
    "what asks for nothing": SHOW,
}


def allows(row: Row, kind: ChatKind, role: Role) -> bool:
    """Return whether somebody may do this there."""
    return role in MAY[row.need(kind)]
