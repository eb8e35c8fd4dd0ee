"""The actions of buttons and links as data: every kind of action, and their serialisation.

The data of a button are ``kind:argument:…``, with the prefix ``@<chat>:`` for an action on another
chat than the button's own chat. A link (``t.me/<bot>?start=…``) contains the same data; characters
that Telegram refuses in links are replaced.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.domain.sentences import N_
from bot.presentation.translation import Translator

DANGER, PRIMARY = "danger", "primary"  # Bot API, InlineKeyboardButton.style
Button = dict[str, str]
"""Bot API, InlineKeyboardButton."""
Buttons = list[list[Button]]
Page = tuple[str, Buttons]
"""A page of the conversation: its text and its buttons."""

# The number has at most 12 digits in base 36, so that it fits into 63 bits.
_ABOUT = re.compile(r"(?:@([0-9a-z]{1,12}):)?(.*)", re.DOTALL)
_SIGNS = {":": "--", ".": "-d", "@": "-a"}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument of an action, with the pattern and the conversion of its text."""

    pattern: str
    read: Callable[[str], object] = str
    optional: bool = False

    @property
    def maybe(self) -> "Arg":
        """Return an optional copy of the argument; a missing argument is None."""
        return replace(self, optional=True)


NUMBER = Arg(r"[0-9]{1,18}", int)
PLACE = Arg(r"[0-9]{1,4}", int)
CHAT = Arg(r"-?[0-9]{1,16}", int)
ID = Arg(r"[1-9][0-9]{0,29}")
NAME = Arg(r"[a-z0-9._]{1,30}")
WORD = Arg(r"[a-zA-Z_]{1,20}")
ON_OFF = Arg("on|off")
REST = Arg(r"(?s:.*)")


class Kind:
    """A kind of action with its arguments; calling the kind returns the data of a button."""

    def __init__(self, word: str, *args: Arg, row: str = "") -> None:
        """Define a kind; ``row`` is its name in the table of rights (default: from ``word``)."""
        self._word = word
        self._args = args
        self.row = row or (f"{word}:" if args and not args[0].optional else word)
        parts = (f"(?::({a.pattern}))?" if a.optional else f":({a.pattern})" for a in args)
        self._pattern = re.compile(word + "".join(parts))

    def __call__(self, *args: object) -> str:
        """Return the data of a button for this action."""
        return ":".join([self._word, *map(str, args)])

    def matches(self, data: object) -> bool:
        """Return whether button data, for any chat, are of this kind."""
        return isinstance(data, str) and self.read(data) is not None

    def read(self, data: str) -> list[object] | None:
        """Return the arguments in ``data``, or None if the data are of another kind."""
        match = self._pattern.fullmatch(split_chat(data)[1])
        if match is None:
            return None
        pairs = zip(self._args, match.groups(), strict=True)
        return [None if text is None else arg.read(text) for arg, text in pairs]


CARD = Kind("card", NAME)
FOLLOW = Kind("follow", NAME)
ELSEWHERE = Kind("elsewhere", NUMBER, CHAT.maybe)
IMPORT = Kind("import", Arg("options|rules").maybe)
LIST = Kind("list", Arg("page|one|all"), PLACE)
LIVE = Kind("live", NAME)
TRAY = Kind("tray")
PAST = Kind("past", ID)
KEEP = Kind("keep")
FILES = Kind("files", Arg(f"{ID.pattern}|@{NAME.pattern}"))
HIGHLIGHTS = Kind("highlights", NAME, PLACE)
HIGHLIGHT = Kind("highlight", ID, PLACE.maybe)
SUBSCRIPTIONS = Kind("subs", PLACE, NUMBER.maybe)
SUBSCRIPTION = Kind("sub", NUMBER, Arg("when|which|how|new").maybe)
UNSUBSCRIBE = Kind("unsub", NUMBER)
UNDO = Kind("undo", Arg(r"[0-9]{1,10}", int))
OPTION = Kind("opt", NUMBER, WORD, WORD)
DEFAULT = Kind("defaults", WORD.maybe, WORD.maybe)
CHAT_RULES = Kind("rules", Arg("show|save|off|undo"))
OWN_TOPIC = Kind("topic", NUMBER, ON_OFF)
MUTE = Kind("mute", NUMBER)
SETTING = Kind("set", REST)
HELP = Kind("help", WORD.maybe)
LANGUAGES = Kind("language")
LANGUAGE = Kind("language", WORD)
ERASE = Kind("erase", Arg("yes|no|more").maybe)
RUN = Kind("run", WORD, NAME.maybe)
RUN_FOR_MANY = Kind("many", Arg("stories|subscribe|unsubscribe|highlights|rules"), PLACE.maybe)
PEOPLE = Kind(
    "people",
    Arg("list|who|limits|limit|block|day|unblock|allow|payers|payer"),
    CHAT,
    Arg(r"[0-9]{1,16}", int).maybe,
)
OWNER = Kind("owner", Arg("invite|open|no"), CHAT.maybe)
PROFILE_ID = Kind("profile_id", NAME)
ASK_ACCESS = Kind("ask_access")
MINE = Kind("mine")
LEAVE = Kind("leave", CHAT)
BROADCAST = Kind("cast", Arg("send|no|stop"), NUMBER)
ANY_OTHER = Kind(REST.pattern, row="any other button")


def button(text: str, data: str, style: str | None = None) -> Button:
    """Return a button for ``data``, the data of a kind above.

    ``style``: ``DANGER`` for destructive actions, ``PRIMARY`` for the most wanted action.
    """
    return {"text": text, "callback_data": data, **({"style": style} if style else {})}


def link_button(text: str, **to: str) -> Button:
    """Return a button with a link: ``url``, or another field of the Bot API."""
    return {"text": text, **to}


def back(t: Translator, data: str) -> Button:
    """Return the button that leads to the previous page."""
    return button(t.plain(N_("« Back")), data)


def grid(buttons: Sequence[Button], a_row: int) -> Buttons:
    """Return buttons in rows of ``a_row``."""
    return [list(buttons[i : i + a_row]) for i in range(0, len(buttons), a_row)]


def arrows(page: int, *, is_last: bool, to: Callable[[int], str]) -> Buttons:
    """Return the row that turns the pages of a list; empty for a single page."""
    row = [button("◀️", to(page - 1))] if page > 0 else []
    row += [] if is_last else [button("▶️", to(page + 1))]
    return [row] if row else []


def split_chat(data: str) -> tuple[int | None, str]:
    """Return the chat of button data (None: the button's own chat) and the remaining data."""
    match = _ABOUT.fullmatch(data)
    if match is None or match[1] is None:
        return None, data
    return -int(match[1], 36), match[2]


def for_chat(buttons: Buttons, chat_id: int) -> Buttons:
    """Make buttons in a private chat act on a group or channel."""

    def there(one: Button) -> Button:
        data = one.get("callback_data")
        return {**one, "callback_data": _with_chat(data, chat_id)} if data else one

    return [[there(one) for one in row] for row in buttons]


def link_to(bot_name: str, data: str, chat_id: int | None = None) -> str:
    """Return the link that opens a page in the private chat, about a group or channel if given.

    A link can only open a page, because any person can make a link and send it to any other
    person.
    """
    data = data if chat_id is None or chat_id > 0 else _with_chat(data, chat_id)
    return f"https://t.me/{bot_name}?start={payload_of(data)}"


def payload_of(data: str) -> str:
    """Encode button data for a link of Telegram; ``read_payload`` decodes the result."""
    return "".join(_SIGNS.get(c, c) for c in data)


def read_payload(payload: str) -> str:
    """Decode the data of a link of ``link_to``.

    A handwritten link to the stories of a profile leads to the card, which is free.
    """
    payload = re.sub("^stories(_|--)", "card--", payload)
    signs = {written: sign for sign, written in _SIGNS.items()}
    return re.sub("-.", lambda match: signs.get(match[0], "?"), payload)


def _with_chat(data: str, chat_id: int) -> str:
    number, digits = abs(chat_id), ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return f"@{digits or '0'}:{data}"
