"""Who may do what: one table of every command, button and message that the bot hears.

Pure data, which ``handlers.guard`` puts before each handler. A handler without a row can't be
made.
"""

from collections.abc import Mapping
from enum import Enum, auto


class Right(Enum):
    """What somebody must be to do something; in a private chat all but the last is their own."""

    ANYBODY = auto()
    """Everybody, everywhere."""
    SHOW = auto()
    """In groups all; in channels who may post there: what is shown is there for all to see."""
    CHANGE = auto()
    """Administrators of the group, anonymous ones too; in channels who may post there."""
    OWNER = auto()
    """Who runs the bot (``bot.chats.access``); for others such a command does not exist."""


ANYBODY, SHOW, CHANGE, OWNER = Right

TABLE: Mapping[str, Right] = {
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
    "/spending": OWNER,
    "/stop_spending": OWNER,
    "/resume_spending": OWNER,
    "/allow": OWNER,
    "/invite": OWNER,
    "/block": OWNER,
    "/unblock": OWNER,
    "/people": OWNER,
    "/health": OWNER,
    "/admin": OWNER,
    "/broadcast": OWNER,
    # buttons, by the first word of their data
    "help": SHOW,
    "language": SHOW,
    "language:": CHANGE,
    "live:": SHOW,
    "card:": SHOW,
    "follow:": CHANGE,
    "elsewhere:": SHOW,  # and what the chosen chat needs
    "import": CHANGE,
    "past:": SHOW,
    "files:": SHOW,
    "highlights:": SHOW,
    "highlight:": SHOW,
    "subs:": SHOW,
    "sub:": SHOW,
    "unsub:": CHANGE,
    "undo:": CHANGE,
    "opt:": CHANGE,
    "topic:": CHANGE,
    "mute:": CHANGE,
    "rule:": CHANGE,
    "defaults": CHANGE,
    "set:": CHANGE,
    "erase": CHANGE,
    "run:": SHOW,  # and what the command itself needs
    "many:": SHOW,  # the same
    "people:": OWNER,
    "owner:": OWNER,
    "cast:": OWNER,
    "any other button": ANYBODY,
    # messages
    "a link": SHOW,
    "an answer to our question": SHOW,  # and what the command itself needs
    "an answer: a setting": CHANGE,
    "a file to import": CHANGE,
    "a chosen chat": CHANGE,
    "what asks for nothing": SHOW,
}
