"""The table of rights: the right that each command, button and message needs.

``handlers.guard`` checks the right, and raises an error for a handler without a row. The row of a
command also has the texts for the help.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from bot.domain.sentences import N_


class Right(Enum):
    """The right that a handler needs. In a private chat, only OWNER can be missing."""

    ANYBODY = auto()
    """All people in all chats."""
    SHOW = auto()
    """All members of a group. In channels, only admins with the right to post.

    Subscribers of a channel see each post, so only admins may cause an answer.
    """
    CHANGE = auto()
    """Admins of a group, including anonymous admins. In channels, admins who may post."""
    OWNER = auto()
    """Owners of the bot (``bot.chats.access``). For other people the command is unknown."""


ANYBODY, SHOW, CHANGE, OWNER = Right


@dataclass(frozen=True, slots=True)
class Command:
    """The right that a command needs, and the texts for the help and Telegram's menu.

    ``section`` is the section of the help that shows the texts ``line`` and ``more``.
    """

    right: Right
    section: str = ""
    line: str = ""
    more: tuple[str, ...] = ()
    menu: str = ""

    @property
    def accepts_name(self) -> bool:
        """Return whether a profile name may follow the command, according to the help line."""
        return "<i>name</i>" in self.line


COMMANDS: Mapping[str, Command] = {
    "start": Command(SHOW),
    "stories": Command(
        SHOW,
        "see",
        N_("/stories <i>name</i>: all stories from a profile"),
        (
            N_("/stories <i>name</i> 3: only the latest three"),
            N_("/stories: which of your subscriptions had stories when I last checked"),
        ),
        menu=N_("Show a profile's stories"),
    ),
    "subscribe": Command(
        CHANGE,
        "alerts",
        N_("/subscribe <i>name</i>: an alert here for every new story"),
        (
            N_("/subscribe <i>name name name</i>: several at once"),
            N_("/subscribe <i>name</i> fast: the same, checked more often"),
            N_("/subscribe <i>name</i> topic: its alerts in a topic of their own"),
        ),
        menu=N_("Get alerts for new stories"),
    ),
    "subscriptions": Command(
        SHOW,
        "alerts",
        N_("/subscriptions: this chat's subscriptions and their options"),
        menu=N_("This chat's subscriptions"),
    ),
    "highlights": Command(
        SHOW,
        "see",
        N_("/highlights <i>name</i>: a profile's highlights"),
        menu=N_("Show a profile's highlights"),
    ),
    "unsubscribe": Command(CHANGE, "alerts", N_("/unsubscribe <i>name</i>: stop the alerts")),
    "why": Command(
        SHOW, "alerts", N_("/why <i>name</i>: when I last checked, and when I'll check next")
    ),
    "rules": Command(
        CHANGE,
        "alerts",
        N_("/rules <i>name</i>: choose which of its stories you get"),
        (N_("/rules all: the same for all profiles here at once"),),
    ),
    "past": Command(
        SHOW,
        "alerts",
        N_("/past <i>name</i>: see again the stories I've sent here"),
        (N_("/past #sale 30d: search these stories by hashtag, place, website or name"),),
    ),
    "settings": Command(
        SHOW,
        "chat",
        N_("/settings: time zone, quiet hours, daily summary"),
        menu=N_("Time zone, quiet hours, summary"),
    ),
    "timezone": Command(CHANGE, "chat", N_("/timezone <i>city</i>: set the time zone")),
    "language": Command(SHOW, "chat", N_("/language: choose a language")),
    "usage": Command(SHOW, "chat", N_("/usage: today's limit and this month's cost")),
    "export": Command(
        SHOW,
        "chat",
        N_("/export and /import: save your subscriptions to a file, or load them from one"),
        (
            N_(
                "/import: add profiles from <code>following.json</code>, the list in your "
                "Instagram data"
            ),
        ),
    ),
    "import": Command(CHANGE),  # the help line of /export describes /import
    "privacy": Command(SHOW, "chat", N_("/privacy: what I store, and how to delete it")),
    "help": Command(SHOW, menu=N_("Help: what I can do")),
    "health": Command(OWNER, menu=N_("Problems and current status")),
    "people": Command(OWNER, menu=N_("People and costs")),
    "invite": Command(OWNER, menu=N_("Create an invitation link")),
    "admin": Command(OWNER, menu=N_("The admin page")),
    "broadcast": Command(OWNER, menu=N_("Message all chats")),
    "spending": Command(OWNER, menu=N_("The bot's spending")),
    "stop_spending": Command(OWNER, menu=N_("Stop all spending")),
    "resume_spending": Command(OWNER, menu=N_("Resume spending")),
    # These commands are not in the menu, because owners rarely use them.
    "allow": Command(OWNER),
    "block": Command(OWNER),
    "unblock": Command(OWNER),
    "remove_owner": Command(OWNER),
}
"""The commands in the order of the help and of the menu. The menu has only the daily commands.

Pages of settings, subscriptions and help have buttons for many of the other commands.
"""

TABLE: Mapping[str, Right] = {
    **{f"/{word}": command.right for word, command in COMMANDS.items()},
    # The key of a button is the first word of the button's callback data.
    "help": SHOW,
    "language": SHOW,
    "language:": CHANGE,
    "live:": SHOW,
    "tray": SHOW,
    "card:": SHOW,
    "follow:": CHANGE,
    "elsewhere:": SHOW,  # the right in the chosen chat is also checked
    "import": CHANGE,
    "list:": CHANGE,
    "past:": SHOW,
    "keep": CHANGE,
    "files:": SHOW,
    "highlights:": SHOW,
    "highlight:": SHOW,
    "subs:": SHOW,
    "sub:": SHOW,
    "unsub:": CHANGE,
    "undo:": CHANGE,
    "opt:": CHANGE,
    "all": CHANGE,
    "restore:": CHANGE,
    "rules:": CHANGE,
    "topic:": CHANGE,
    "mute:": CHANGE,
    "defaults": CHANGE,
    "set:": CHANGE,
    "erase": CHANGE,
    "mine": CHANGE,
    # This button works only in a private chat, where each person has the right ``CHANGE``. The
    # button ends only the responsibility of the person who presses the button.
    "leave:": CHANGE,
    # The next two buttons run a command. The right that the command requires is checked too.
    "run:": SHOW,
    "many:": SHOW,
    "people:": OWNER,
    "owner:": OWNER,
    "profile_id:": OWNER,
    "cast:": OWNER,
    "any other button": ANYBODY,
    # The following keys describe kinds of messages. Some of these messages request a command. The
    # right that the command requires is checked too.
    "a link": SHOW,
    "an answer to our question": SHOW,
    "an answer: a setting": CHANGE,
    "a command as a caption": SHOW,
    "a file to import": CHANGE,
    "a chosen chat": CHANGE,
    "what asks for nothing": SHOW,
    "plain words to the bot": SHOW,
}
