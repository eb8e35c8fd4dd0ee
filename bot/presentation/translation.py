"""The bot's languages: gettext catalogues, and the plurals, dates and numbers of CLDR."""

import gettext
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal
from unicodedata import bidirectional

from babel import Locale, dates, numbers
from babel.lists import format_list
from babel.messages.pofile import read_po

from bot.domain.errors import N_
from bot.presentation.html import Safe, bold, clean, escape, foreign, has_rtl, isolate, plain

__all__ = ["LANGUAGES", "N_", "Safe", "Translator", "language_for", "translator_for"]

LANGUAGES: dict[str, str] = {
    "en": "English",
    "es": "Español",
    "pt_BR": "Português (Brasil)",
    "de": "Deutsch",
    "fr": "Français",
    "it": "Italiano",
    "tr": "Türkçe",
    "ru": "Русский",
    "ar": "العربية",
    "id": "Bahasa Indonesia",
    "uk": "Українська",
    "fa": "فارسی",
    "hi": "हिन्दी",
}
"""Each language we speak, in its own words; the keys are the names of the catalogues."""

LOCALES = Path(__file__).parents[2] / "locales"
_BY_CODE = {name.replace("_", "-").lower(): name for name in LANGUAGES}
_BY_BASE = {name.partition("_")[0]: name for name in LANGUAGES}
_OLD_NAMES = {"in": "id"}  # ISO 639 renamed Indonesian; old phones did not hear of it
_FIELD = re.compile(r"\{([a-z_]+)\}")
# With the full stop of its sentence: "25 Min." ends one by itself.
_FILLED = re.compile(r"\{([a-z_]+)\}((?:</\w+>)*\.?)")
_SIGNED = re.compile(r"(?<![\w/<>=])(?:<code>)?(?:/[a-z_]+|\{command\})|\b\d+-\d+")
_log = logging.getLogger(__name__)


class Translator:
    """One language: sentences, dates and numbers; call it for the translation of a message id.

    ``zone`` is where fields that are a datetime are shown; UTC unless given.
    """

    def __init__(self, language: str, zone: tzinfo = UTC, *, locales: Path = LOCALES) -> None:
        """Speak ``language``, a key of ``LANGUAGES``, by its catalogue in ``locales``."""
        self.language = language
        self.zone = zone
        self._locale = Locale.parse(language)
        self._messages, self._plural = catalogue(language, locales)

    @property
    def rtl(self) -> bool:
        """Return whether the language is written from right to left."""
        return self._locale.text_direction == "rtl"

    def in_zone(self, zone: tzinfo) -> "Translator":
        """Return the same language with the dates of ``zone``."""
        return _translator(self.language, zone)

    def __call__(self, msgid: str, /, **fields: object) -> Safe:
        """Return the translation of ``msgid`` as HTML; fields are escaped unless ``Safe``."""
        return Safe(self._render(self._messages.get(msgid, (msgid,))[0], msgid, fields, html=True))

    def plain(self, msgid: str, /, **fields: object) -> str:
        """Return it for where Telegram reads no HTML: buttons, pop-ups, lists of commands."""
        return self._render(self._messages.get(msgid, (msgid,))[0], msgid, fields, html=False)

    def n(self, one: str, many: str, n: int, /, **fields: object) -> Safe:
        """Return the form for ``n`` things, which is also the field ``{n}``."""
        english = one if n == 1 else many
        forms = self._messages.get(one)
        text = forms[min(self._plural(abs(n)), len(forms) - 1)] if forms else english
        return Safe(self._render(text, english, {"n": Safe(self.number(n)), **fields}, html=True))

    def number(self, x: float) -> str:
        """Return ``x`` with the language's separators."""
        return numbers.format_decimal(x, locale=self._locale)

    def percent(self, part: float) -> str:
        """Return a part of 1 in whole percent, as in "2%"; what is there is at least 1%."""
        whole = max(round(part, 2), 0.01) if part > 0 else 0.0
        return numbers.format_percent(whole, locale=self._locale)

    def listed(self, items: Sequence[str]) -> str:
        """Return things one after the other, as in "a, b, and c"."""
        return format_list(items, locale=self._locale)

    def names(self, names: Iterable[str], show: Callable[[str], Safe] = Safe) -> Safe:
        """Return the names of profiles one after the other as HTML, each as ``show`` makes it."""
        return Safe(self.listed([show(foreign(name, rtl=self.rtl)) for name in names]))

    def bold_names(self, names: Iterable[str]) -> Safe:
        """Return the names for a place in bold; what stands between them is not."""
        return Safe(self.names(names, bold).removeprefix("<b>").removesuffix("</b>"))

    def money(self, amount: float) -> str:
        """Return an amount of dollars, in which the Stories API is paid, as in “$1.20”."""
        return numbers.format_currency(amount, "USD", locale=self._locale)

    def date(self, dt: datetime, zone: tzinfo | None = None) -> str:
        """Return day and time of day in ``zone``, as in “Nov 25, 2:05 PM”."""
        joint = self._locale.datetime_formats["medium"]
        return str(joint).format(self.time(dt, zone), self.day(dt, zone))

    def day(self, dt: datetime, zone: tzinfo | None = None) -> str:
        """Return the day in ``zone``, as in “Nov 25”."""
        return dates.format_skeleton(
            "MMMd", dt, tzinfo=zone or self.zone, locale=self._locale, fuzzy=True
        )

    def time(self, dt: datetime, zone: tzinfo | None = None) -> str:
        """Return the time of day in ``zone``, as in “2:05 PM”."""
        return dates.format_time(dt, "short", tzinfo=zone or self.zone, locale=self._locale)

    def moment(self, dt: datetime, zone: tzinfo | None = None) -> Safe:
        """Return a time that stays true: readers see how far it is from when they read it.

        Clients that don't know the tag show what stands in it, which is day and time in ``zone``.
        """
        at = int(dt.timestamp())
        return Safe(f'<tg-time unix="{at}" format="r">{self.date(dt, zone)}</tg-time>')

    def days(self, first: datetime, last: datetime, zone: tzinfo | None = None) -> str:
        """Return the days from one time to another with the year, as in “Nov 24, 2024”."""
        start, end = (at.astimezone(zone or self.zone).date() for at in (first, last))
        return str(dates.format_interval(start, end, "yMMMd", locale=self._locale))

    def apart(self, markup: Safe) -> Safe:
        """Return what is no word of the language, as a path or a rule, in its own direction."""
        return Safe(isolate(markup)) if self.rtl else markup

    def span(self, start: str, end: str) -> str:
        """Return a range between two values that are written already, as in "22:00-7:00"."""
        return str(self._locale.interval_formats.get(None, "{0}-{1}")).format(start, end)

    def ago(self, dt: datetime, now: datetime) -> str:
        """Return how far ``dt`` is from ``now``, as in “2 hours ago”."""
        if abs(now - dt) < timedelta(minutes=1):
            return self.plain(N_("just now") if dt <= now else N_("in a moment"))
        return dates.format_timedelta(
            dt - now, add_direction=True, threshold=1, locale=self._locale
        )

    def duration(self, td: timedelta) -> str:
        """Return a span in its two largest units of day to second: “3 hr 20 min”."""
        left = max(round(td.total_seconds()), 0)
        parts: list[tuple[_Unit, int]] = []
        for unit, size in _UNITS:
            parts.append((unit, left // size * size))
            left %= size
        first = next((i for i, (_, seconds) in enumerate(parts) if seconds), len(parts) - 1)
        shown = [part for part in parts[first : first + 2] if part[1]] or [parts[first]]
        return " ".join(
            dates.format_timedelta(
                seconds, unit, threshold=_NEVER, format="short", locale=self._locale
            )
            for unit, seconds in shown
        )

    def _render(self, text: str, english: str, fields: dict[str, object], *, html: bool) -> str:
        """Fill ``text``; where it lacks a field, the English does its best."""
        if "{" not in text:
            return text
        wanted = set(_FIELD.findall(text))
        if not wanted <= fields.keys():
            _log.warning(
                "text %r (%s) lacks fields %s", english, self.language, wanted - fields.keys()
            )
            text = english

        def fill(match: re.Match[str]) -> str:
            value = self._field(match, fields, html=html)
            shown = (plain(value) if html else value).rstrip("\u2069")
            return value + (match[2].removesuffix(".") if shown.endswith(".") else match[2])

        return _FILLED.sub(fill, text)

    def _field(self, match: re.Match[str], fields: dict[str, object], *, html: bool) -> str:
        value = fields.get(match[1], "…")
        if isinstance(value, datetime):
            return self.date(value)
        if isinstance(value, timedelta):
            return self.duration(value)
        if isinstance(value, Safe) and value.startswith("<code>"):
            return self.apart(value)
        if isinstance(value, (Safe, int, float)):
            return str(value)
        text = escape(value) if html else clean(str(value))
        return isolate(text) if _separates(match) and (self.rtl or has_rtl(text)) else text


_Unit = Literal["day", "hour", "minute", "second"]
_UNITS: tuple[tuple[_Unit, int], ...] = (
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)
_NEVER = 10**9  # Babel goes on to the larger unit from this many on


def _separates(match: re.Match[str]) -> bool:
    """Return whether marks of direction may stand here: not in addresses or what is copied."""
    before = match.string[: match.start()]
    return not before.endswith(('="', "=", "/")) and before.count("<code>") == before.count(
        "</code>"
    )


def language_for(code: str | None) -> str:
    """Return our language for Telegram's ``language_code``: pt → pt_BR, es-419 → es, else en."""
    wanted = (code or "en").replace("_", "-").lower()
    base = wanted.partition("-")[0]
    base = _OLD_NAMES.get(base, base)
    return _BY_CODE.get(wanted) or _BY_BASE.get(base, "en")


@lru_cache(maxsize=1000)  # of languages and zones, of which chats choose whatever they like
def _translator(language: str, zone: tzinfo = UTC) -> Translator:
    return Translator(language, zone)


def translator_for(language_code: str | None) -> Translator:
    """Return the translator for Telegram's ``language_code`` or a key of ``LANGUAGES``."""
    return _translator(language_for(language_code))


@cache
def catalogue(
    language: str, locales: Path = LOCALES
) -> tuple[dict[str, tuple[str, ...]], Callable[[int], int]]:
    """Return the messages of ``language`` by English (singular) id, and its rule of plurals."""
    path = locales / language / "LC_MESSAGES" / "bot.po"
    if not path.is_file():
        if language != "en":
            _log.error("no catalogue for %s", language)
        return {}, lambda n: int(n != 1)
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    is_rtl = Locale.parse(language).text_direction == "rtl"
    messages: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        text = message.string or ""
        forms = (text,) if isinstance(text, str) else tuple(text)
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key and all(forms) and not message.fuzzy:
            messages[key] = tuple(map(_from_the_right, forms)) if is_rtl else forms
    return messages, gettext.c2py(catalogue.plural_expr)


def _from_the_right(text: str) -> str:
    """Begin with a mark every line that a command or a Latin name would turn to the left.

    So would a name that stands alone: its own marks keep it from saying where the line begins.

    Another keeps the slash of each command at its left, and the hours of 23-7 in their order: the
    signs have no direction of their own.
    """
    lines = []
    for line in text.split("\n"):
        letters = _FIELD.sub("", plain(line))
        first = next((d for c in letters if (d := bidirectional(c)) in {"L", "R", "AL"}), "")
        is_bare = not first and _FIELD.search(line)
        lines.append(f"\u200f{line}" if first == "L" or is_bare else line)
    return _SIGNED.sub("\u200e\\g<0>", "\n".join(lines))
