"""The actions of buttons and links, and their encoding as text.

The data of a button have the form ``kind:argument:…``, with the prefix ``@<chat>:`` for a
different chat. A link to the bot (``t.me/<bot>?start=…``) contains the same data in the encoding
of ``encode_payload``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.records import EPOCH
from bot.presentation.translation import Translator

DANGER, PRIMARY = "danger", "primary"  # values of ``InlineKeyboardButton.style`` in the Bot API
Button = dict[str, str]
"""A button as an ``InlineKeyboardButton`` of the Bot API."""
Buttons = list[list[Button]]
Page = tuple[str, Buttons]
"""A page of a conversation: its text and its buttons."""

# The chat id has at most 12 digits in base 36, so that it fits into 63 bits.
_ABOUT = re.compile(r"(?:@([0-9a-z]{1,12}):)?(.*)", re.DOTALL)
_SIGNS = {":": "--", ".": "-d", "@": "-a", "-": "-h"}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument of an action.

    ``pattern`` is the regular expression for the text of the argument. ``read`` converts the text
    to the value. If ``optional`` is True, the argument can be missing.
    """

    pattern: str
    read: Callable[[str], object] = str
    optional: bool = False

    @property
    def as_optional(self) -> "Arg":
        """Return an optional copy of the argument. If the argument is missing, its value is None.

        The original argument is not changed.
        """
        return replace(self, optional=True)


_MILLISECOND = timedelta(milliseconds=1)


def _time_from_ms_text(text: str) -> datetime:
    return EPOCH + int(text) * _MILLISECOND


def _argument_text(value: object) -> str:
    """Return the text of an argument. The text of a time is its Unix time in milliseconds."""
    return str((value - EPOCH) // _MILLISECOND if isinstance(value, datetime) else value)


NUMBER = Arg(r"[0-9]{1,18}", int)
MOMENT = Arg(r"[0-9]{1,13}", _time_from_ms_text)
"""A time, with the accuracy of the database."""
PLACE = Arg(r"[0-9]{1,4}", int)
CHAT = Arg(r"-?[0-9]{1,16}", int)
ID = Arg(r"[1-9][0-9]{0,29}")
NAME = Arg(r"[a-z0-9._]{1,30}")
WORD = Arg(r"[a-zA-Z_]{1,20}")
ON_OFF = Arg("on|off")
REST = Arg(r"(?s:.*)")


class Kind:
    """A kind of action with its arguments.

    Call the object with values of the arguments to get the data of a button.
    """

    def __init__(self, word: str, *args: Arg, row: str = "") -> None:
        """Define a kind of action.

        ``word`` is the first part of the button data. ``args`` are the kinds of the arguments.
        ``row`` is the key in the table of rights. By default, the key is made from ``word``.
        """
        self._word = word
        self._args = args
        self.row = row or (f"{word}:" if args and not args[0].optional else word)
        parts = (f"(?::({a.pattern}))?" if a.optional else f":({a.pattern})" for a in args)
        self._pattern = re.compile(word + "".join(parts))

    def __call__(self, *args: object) -> str:
        """Return the data of a button for an action with these values of the arguments."""
        return ":".join([self._word, *map(_argument_text, args)])

    def matches(self, data: object) -> bool:
        """Return whether ``data`` are the data of a button of this kind.

        The chat to which the action applies does not matter.
        """
        return isinstance(data, str) and self.parse_arguments(data) is not None

    def parse_arguments(self, data: str) -> list[object] | None:
        """Return the values of the arguments in ``data``. A missing argument has the value None.

        Return None if ``data`` belong to a different kind of action.
        """
        match = self._pattern.fullmatch(split_off_chat_id(data)[1])
        if match is None:
            return None
        pairs = zip(self._args, match.groups(), strict=True)
        return [None if text is None else arg.read(text) for arg, text in pairs]


CARD = Kind("card", NAME)
FOLLOW = Kind("follow", NAME)
ELSEWHERE = Kind("elsewhere", NUMBER, CHAT.as_optional)
IMPORT = Kind("import", Arg("options|rules").as_optional)
LIST = Kind("list", Arg("page|one|all"), PLACE)
LIVE = Kind("live", NAME)
TRAY = Kind("tray")
PAST = Kind("past", ID)
KEEP = Kind("keep")
FILES = Kind("files", Arg(f"{ID.pattern}|@{NAME.pattern}"))
HIGHLIGHTS = Kind("highlights", NAME, PLACE)
HIGHLIGHT = Kind("highlight", ID, PLACE.as_optional)
SUBSCRIPTIONS = Kind("subs", PLACE, NUMBER.as_optional)
SUBSCRIPTION = Kind("sub", NUMBER, Arg("when|which|how|new").as_optional)
UNSUBSCRIBE = Kind("unsub", NUMBER)
UNDO = Kind("undo", MOMENT)
OPTION = Kind("opt", NUMBER, WORD, WORD)
OPTION_OF_ALL = Kind("all", WORD.as_optional, WORD.as_optional, Arg("save").as_optional)
UNDO_OPTIONS = Kind("restore", MOMENT)
DEFAULT = Kind("defaults", WORD.as_optional, WORD.as_optional)
CHAT_RULES = Kind("rules", Arg("show|save|off|undo"))
OWN_TOPIC = Kind("topic", NUMBER, ON_OFF)
MUTE = Kind("mute", NUMBER)
SETTING = Kind("set", REST)
HELP = Kind("help", WORD.as_optional)
LANGUAGES = Kind("language")
LANGUAGE = Kind("language", WORD)
ERASE = Kind("erase", Arg("yes|no|more").as_optional)
RUN = Kind("run", WORD, NAME.as_optional)
RUN_FOR_MANY = Kind(
    "many", Arg("stories|subscribe|unsubscribe|highlights|rules"), PLACE.as_optional
)
PEOPLE = Kind(
    "people",
    Arg("list|who|limits|limit|block|day|unblock|allow|payers|payer"),
    CHAT,
    Arg(r"[0-9]{1,16}", int).as_optional,
)
OWNER = Kind("owner", Arg("invite|open|no"), CHAT.as_optional)
PROFILE_ID = Kind("profile_id", NAME)
ASK_ACCESS = Kind("ask_access")
MINE = Kind("mine")
LEAVE = Kind("leave", CHAT)
BROADCAST = Kind("cast", Arg("send|no|stop"), NUMBER)
ANY_OTHER = Kind(REST.pattern, row="any other button")


def button(text: str, data: str, style: str | None = None) -> Button:
    """Return a button with the callback data ``data``, which is the result of calling a ``Kind``.

    ``style`` is ``DANGER`` for a destructive action, and ``PRIMARY`` for the main action.
    """
    return {"text": text, "callback_data": data, **({"style": style} if style else {})}


def link_button(text: str, **to: str) -> Button:
    """Return a button without callback data, such as a button that opens a URL.

    ``to`` is one field of ``InlineKeyboardButton`` in the Bot API, such as ``url``.
    """
    return {"text": text, **to}


def back_button(t: Translator, data: str) -> Button:
    """Return the button “Back” with the button data ``data`` of the previous page."""
    return button(t.plain("« Back"), data)


def grid(buttons: Sequence[Button], a_row: int) -> Buttons:
    """Arrange buttons in rows of ``a_row`` buttons. The last row can be shorter."""
    return [list(buttons[i : i + a_row]) for i in range(0, len(buttons), a_row)]


def arrow_buttons(page: int, *, is_last: bool, to: Callable[[int], str]) -> Buttons:
    """Return a row with the buttons that turn the pages of a list, or no row for a single page.

    Pages are numbered from 0. ``to`` returns the button data for a page.
    """
    row = [button("◀️", to(page - 1))] if page > 0 else []
    row += [] if is_last else [button("▶️", to(page + 1))]
    return [row] if row else []


def split_off_chat_id(data: str) -> tuple[int | None, str]:
    """Split button data into the chat to which the action applies, and the remaining data.

    If the action applies to the chat with the button, the chat is None.
    """
    match = _ABOUT.fullmatch(data)
    if match is None or match[1] is None:
        return None, data
    return -int(match[1], 36), match[2]


def buttons_acting_on_chat(buttons: Buttons, chat_id: int) -> Buttons:
    """Return copies of buttons whose actions apply to the group or channel ``chat_id``.

    The copies are for a private chat. Buttons without callback data, such as link buttons, are not
    changed.
    """

    def there(pressed_button: Button) -> Button:
        data = pressed_button.get("callback_data")
        return (
            {**pressed_button, "callback_data": _with_chat(data, chat_id)}
            if data
            else pressed_button
        )

    return [[there(pressed_button) for pressed_button in row] for row in buttons]


def deep_link(bot_name: str, data: str, chat_id: int | None = None) -> str:
    """Return the link that opens a page of the bot in the private chat.

    The page is about the group or channel ``chat_id``, if given. The page must not change
    anything, because any person can write and send the link.
    """
    data = data if chat_id is None or chat_id > 0 else _with_chat(data, chat_id)
    return f"https://t.me/{bot_name}?start={encode_payload(data)}"


def encode_payload(data: str) -> str:
    """Return button data in the form for a link to the bot.

    Each character that Telegram refuses in such links is replaced by two other characters.
    ``decode_payload`` restores the data.
    """
    return "".join(_SIGNS.get(c, c) for c in data)


def decode_payload(payload: str) -> str:
    """Return the button data in the payload of a link to the bot.

    A link to the stories of a profile opens the profile's card instead, because the card costs 0
    credits.
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
