"""The languages of the bot: translations by gettext, and plurals, dates and numbers by CLDR."""

import gettext
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple
from unicodedata import bidirectional

from babel import Locale, dates, numbers
from babel.lists import format_list
from babel.messages.pofile import read_po

from bot.domain.foreign_text import clean
from bot.domain.sentences import N_
from bot.presentation import solar_hijri
from bot.presentation.html import Safe, bold, escape, foreign_html, has_rtl, isolate, plain

__all__ = ["LANGUAGES", "N_", "Safe", "Translator", "language_for", "translator_for"]


class Language(NamedTuple):
    """A language of the bot with its native name and its language codes in Telegram.

    ``codes`` lists further codes of the language, and codes of languages whose speakers mostly
    read this language. ``is_rtl`` means that the language is written from right to left. The value
    is not taken from Babel, because Babel would load 1 MB of data for each language.
    """

    name: str
    codes: str = ""
    is_rtl: bool = False


LANGUAGES = {
    "en": Language("English"),
    "es": Language("Español", "ca gl eu"),
    "pt_BR": Language("Português (Brasil)", "pt"),
    "de": Language("Deutsch"),
    "fr": Language("Français"),
    "it": Language("Italiano"),
    "tr": Language("Türkçe"),
    "ru": Language("Русский", "kk uz ky be tg"),
    "ar": Language("العربية", is_rtl=True),
    "id": Language("Bahasa Indonesia", "in ms"),  # old phones send "in" for Indonesian
    "uk": Language("Українська"),
    "fa": Language("فارسی", "ps", is_rtl=True),
    "hi": Language("हिन्दी"),
}
"""The languages by the names of their catalogues.

A person with any other language gets English.
"""

LOCALES = Path(__file__).parents[2] / "locales"
_HALF_A_YEAR = timedelta(days=183)
# In these languages Babel's short units are misleading or mixed. For example, "1 hr" is read as a
# day in Indonesian, and Italian has "2 giorni 3 h".
_LONG_UNITS = {"ar", "de", "es", "fr", "hi", "id", "it", "pt_BR", "tr"}
DATE_AND_TIME = N_("{date}, {time}")
TWO_UNITS = N_("{a} {b}")
LABELLED = N_("{label}: {text}")
NOTED = N_("{text} ({note})")
REFERENCE = re.compile(r"\[\[(.+?)\]\]")
"""A reference to a button in a text, by the button's English label.

People see the translated label.
"""

_PERSIAN_DIGITS = {ord("0") + n: chr(0x6F0 + n) for n in range(10)} | {ord("%"): "\u066a"}
_FIELD = re.compile(r"\{([a-z_]+)\}")
_STRONG = frozenset({"L", "R", "AL"})  # the bidirectional classes of letters in Unicode
# A field and the full stop after it. A value such as "25 Min." already ends with a full stop.
_FILLED = re.compile(r"\{([a-z_]+)\}((?:</\w+>)*\.?)")
_SIGNED = re.compile(
    r"(?<![\w/<>=])(?:<code>)?(?:/[a-z_]+|\{command\})|\b\d+-\d+"
    r"|(?<!\w)(?:<code>)?@[A-Za-z{]|#(?=[\d{])|(?<=/…)"
)
_log = logging.getLogger(__name__)


class Translator:
    """The translations, dates and numbers of one language. Call the object to translate a message.

    ``zone`` is the time zone in which dates and times are shown. The default is UTC.
    """

    def __init__(self, language: str, zone: tzinfo = UTC, *, locales: Path = LOCALES) -> None:
        """Load the catalogue of ``language`` from ``locales``.

        ``language`` is a key of ``LANGUAGES``.
        """
        self.language = language
        self.zone = zone
        self._locale = Locale.parse(language)
        self.is_rtl = LANGUAGES[language].is_rtl
        self._is_persian = language == "fa"
        # The number system of digits and separators. The bot uses digits other than 0 to 9 only in
        # Persian.
        self._numerals: Literal["default", "latn"] = "default" if self._is_persian else "latn"
        self._own, self._english = catalogue(language, locales), catalogue("en", LOCALES)

    def in_zone(self, zone: tzinfo) -> "Translator":
        """Return a translator of the same language that shows times in the time zone ``zone``."""
        return _cached_translator(self.language, zone)

    def __call__(self, msgid: str, /, **fields: object) -> Safe:
        """Translate the message ``msgid`` to HTML. Fields are escaped, except ``Safe`` fields.

        A message marked with ``NN_`` has a plural form, which the field ``n`` chooses. The default
        of ``n`` is 1.
        """
        return Safe(self._render(msgid, fields, html=True))

    def plain(self, msgid: str, /, **fields: object) -> str:
        """Translate the message ``msgid`` to plain text, for example for a button or a pop-up."""
        return self._render(msgid, fields, html=False)

    def number(self, x: float) -> str:
        """Return ``x`` with the separators of the language."""
        return self._in_own_digits(
            numbers.format_decimal(x, locale=self._locale, numbering_system=self._numerals)
        )

    def percent(self, part: float) -> str:
        """Return ``part``, a number from 0 to 1, as a whole percentage such as "2%".

        A positive part is at least "1%".
        """
        whole = max(round(part, 2), 0.01) if part > 0 else 0.0
        return self._in_own_digits(
            numbers.format_percent(whole, locale=self._locale, numbering_system=self._numerals)
        )

    def listed(self, items: Sequence[str]) -> str:
        """Return the items as one text, such as "a, b, and c"."""
        return format_list(items, locale=self._locale)

    def names(self, names: Iterable[str], show: Callable[[str], Safe] = Safe) -> Safe:
        """Return a list of profile names as one HTML text. ``show`` formats each name."""
        return Safe(self.listed([show(foreign_html(name, rtl=self.is_rtl)) for name in names]))

    def bold_names(self, names: Iterable[str]) -> Safe:
        """Return a list of bold names for a place in a message that is already bold.

        The first opening tag and the last closing tag are omitted.
        """
        return Safe(self.names(names, bold).removeprefix("<b>").removesuffix("</b>"))

    def money(self, amount: float) -> str:
        """Return an amount of US dollars, such as “$1.20”. The Stories API charges in dollars."""
        written = numbers.format_currency(
            amount, "USD", locale=self._locale, numbering_system=self._numerals
        )
        written = self._in_own_digits(written)
        return written.replace("$US", "$")  # French: Telegram would show "$US" as a cashtag

    def date_and_time(self, dt: datetime) -> str:
        """Return the day and the time of day, such as “November 25, 2:05 PM”."""
        return self.plain(DATE_AND_TIME, date=Safe(self.day(dt)), time=Safe(self.time(dt)))

    def moment(self, dt: datetime, now: datetime) -> str:
        """Return the day and the time of day.

        If the day is more than half a year away, return the day with the year, without the time.
        """
        return self.day_range(dt, dt) if abs(dt - now) > _HALF_A_YEAR else self.date_and_time(dt)

    def day(self, dt: datetime) -> str:
        """Return the day, such as “November 25”. In Persian, use the Solar Hijri calendar."""
        if self._is_persian:
            _, month, day = solar_hijri.solar_hijri(dt.astimezone(self.zone).date())
            return self._in_own_digits(f"{day} {solar_hijri.MONTHS[month - 1]}")
        return dates.format_skeleton(
            "MMMMd", dt, tzinfo=self.zone, locale=self._locale, fuzzy=True
        )

    def time(self, dt: datetime, zone: tzinfo | None = None) -> str:
        """Return the time of day in ``zone``, such as “2:05 PM”."""
        return self._in_own_digits(
            dates.format_time(dt, "short", tzinfo=zone or self.zone, locale=self._locale)
        )

    def relative_time(self, dt: datetime) -> Safe:
        """Return a time that Telegram's apps show relative to now, such as "2 hours ago".

        Old apps show the day and the time of day instead.
        """
        at = int(dt.timestamp())
        return Safe(f'<tg-time unix="{at}" format="r">{self.date_and_time(dt)}</tg-time>')

    def day_range(self, first: datetime, last: datetime) -> str:
        """Return a range of days with the year. A single day looks like “November 24, 2024”."""
        start, end = self._day_with_year(first), self._day_with_year(last)
        return start if start == end else self.value_range(start, end)

    def _day_with_year(self, dt: datetime) -> str:
        """Return the day with the year, such as “November 25, 2024”."""
        local = dt.astimezone(self.zone)
        if self._is_persian:
            return f"{self.day(dt)} {self._in_own_digits(solar_hijri.solar_hijri(local)[0])}"
        return dates.format_date(local, "long", locale=self._locale)

    def _in_own_digits(self, text: object) -> str:
        """Return ``text`` with Persian digits if the language is Persian. Babel writes 0 to 9."""
        return str(text).translate(_PERSIAN_DIGITS) if self._is_persian else str(text)

    def labelled(self, label: str, text: str) -> Safe:
        """Return a label and a text as HTML, such as “natgeo: no stories right now”."""
        return self(LABELLED, label=label, text=text)

    def noted(self, text: str, note: str) -> Safe:
        """Return a text and a note as HTML, such as “natgeo: 2 stories (last check: 9:30 AM)”."""
        return self(NOTED, text=text, note=note)

    def isolate(self, markup: Safe) -> Safe:
        """Isolate text that has its own writing direction, for example a path or a rule.

        In a language that is written from left to right, return the text unchanged.
        """
        return Safe(isolate(markup)) if self.is_rtl else markup

    def value_range(self, start: str, end: str) -> str:
        """Return the range of two formatted values, such as "22:00-7:00"."""
        return str(self._locale.interval_formats.get(None, "{0}-{1}")).format(start, end)

    def ago(self, dt: datetime, now: datetime) -> str:
        """Return the time from ``dt`` to ``now``, such as “2 hours ago”."""
        if abs(now - dt) < timedelta(minutes=1):
            return self.plain(N_("just now") if dt <= now else N_("in a moment"))
        return self._in_own_digits(
            dates.format_timedelta(dt - now, add_direction=True, threshold=1, locale=self._locale)
        )

    def duration(self, td: timedelta) -> str:
        """Return a duration in its largest unit and the next smaller unit: “3 hr 20 min”.

        The units are days, hours, minutes and seconds. A unit with the value 0 is omitted. A
        negative duration counts as 0 seconds.
        """
        style: Literal["long", "short"] = "long" if self.language in _LONG_UNITS else "short"
        left = max(round(td.total_seconds()), 0)
        parts: list[tuple[_Unit, int]] = []
        for unit, size in _UNITS:
            parts.append((unit, left // size * size))
            left %= size
        first = next((i for i, (_, seconds) in enumerate(parts) if seconds), len(parts) - 1)
        shown = [part for part in parts[first : first + 2] if part[1]] or [parts[first]]
        written = [
            self._in_own_digits(
                dates.format_timedelta(
                    seconds, unit, threshold=_NEVER, format=style, locale=self._locale
                )
            )
            for unit, seconds in shown
        ]
        if len(written) == 1:
            return written[0]
        return self.plain(TWO_UNITS, a=Safe(written[0]), b=Safe(written[1]))

    def _render(self, msgid: str, fields: dict[str, object], *, html: bool) -> str:
        text = self._text(msgid, fields)
        if "{" not in text:
            return text

        def fill(match: re.Match[str]) -> str:
            value = self._field_text(match, fields, html=html)
            shown = (plain(value) if html else value).rstrip("\u2069")
            return value + (match[2].removesuffix(".") if shown.endswith(".") else match[2])

        return _FILLED.sub(fill, text)

    def _text(self, msgid: str, fields: dict[str, object]) -> str:
        """Return the translation of ``msgid``.

        If the translation is missing, return the English text. If the English text is also
        missing, return ``msgid``.
        """
        source = self._own if msgid in self._own.texts else self._english
        forms, n = source.texts.get(msgid, (msgid,)), fields.get("n", 1)
        if len(forms) == 1 or not isinstance(n, (int, float)):
            return forms[0]
        return forms[source.form_of(abs(int(n)))]

    def _field_text(self, match: re.Match[str], fields: dict[str, object], *, html: bool) -> str:
        value = fields.get(match[1], "…")
        if isinstance(value, datetime):
            return self.date_and_time(value)
        if isinstance(value, timedelta):
            return self.duration(value)
        if isinstance(value, Safe):
            return self.isolate(value) if value.startswith("<code>") else value
        if isinstance(value, (int, float)):
            if match[1] == "percent":
                return self.percent(value)
            return self.number(value) if _is_prose(match) else str(value)
        text = escape(value) if html else clean(str(value))
        return isolate(text) if _is_prose(match) and (self.is_rtl or has_rtl(text)) else text


_Unit = Literal["day", "hour", "minute", "second"]
_UNITS: tuple[tuple[_Unit, int], ...] = (
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)
# Babel switches to a larger unit at this number. It is so large that Babel never switches.
_NEVER = 10**9


def _is_prose(match: re.Match[str]) -> bool:
    """Return whether a field may get marks and separators. A URL or a text to copy may not."""
    before = match.string[: match.start()]
    return not before.endswith(('="', "=", "/", "#")) and before.count("<code>") == before.count(
        "</code>"
    )


def languages_by_code() -> dict[str, str]:
    """Return the language of each language code of Telegram."""
    by_code = {
        code: name for name, language in LANGUAGES.items() for code in language.codes.split()
    }
    return by_code | {name.replace("_", "-").lower(): name for name in LANGUAGES}


_BY_CODE = languages_by_code()


def language_for(code: str | None) -> str:
    """Return the catalogue for Telegram's ``language_code``, such as es for es-419.

    If the bot has no such language, return English.
    """
    wanted = (code or "en").replace("_", "-").lower()
    return _BY_CODE.get(wanted) or _BY_CODE.get(wanted.partition("-")[0], "en")


# A chat may choose any time zone, so the number of cached pairs of language and zone needs a
# limit.
@lru_cache(maxsize=1000)
def _cached_translator(language: str, zone: tzinfo = UTC) -> Translator:
    return Translator(language, zone)


def translator_for(language_code: str | None) -> Translator:
    """Return the translator for a language code of Telegram, or for a key of ``LANGUAGES``."""
    return _cached_translator(language_for(language_code))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The forms of each message, by the English singular.

    The catalogue also has the rule that chooses the form for a number.
    """

    texts: dict[str, tuple[str, ...]]
    form_of: Callable[[int], int]


@cache
def catalogue(language: str, locales: Path = LOCALES) -> Catalogue:
    """Load the catalogue of ``language``.

    References to buttons are replaced by translated labels. Messages without a translation, or
    with a fuzzy translation, are omitted. If the file is missing, the catalogue is empty.
    """
    path = locales / language / "LC_MESSAGES" / "bot.po"
    if not path.is_file():
        if language != "en":
            _log.error("no catalogue for %s", language)
        return Catalogue({}, lambda n: int(n != 1))
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    texts: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        text = message.string or ""
        forms = (text,) if isinstance(text, str) else tuple(text)
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key and all(forms) and not message.fuzzy:
            texts[key] = forms

    def resolve_references(text: str) -> str:
        named = REFERENCE.sub(lambda match: texts.get(match[1], (match[1],))[0], text)
        return _mark_rtl_lines(named) if LANGUAGES[language].is_rtl else named

    finished = {key: tuple(map(resolve_references, forms)) for key, forms in texts.items()}
    return Catalogue(finished, gettext.c2py(catalogue.plural_expr))


def _mark_rtl_lines(text: str) -> str:
    """Add a right-to-left mark before every line that starts with a command or a Latin name.

    A line with only a name also needs the mark, because characters around the name hide its
    direction. A second mark keeps the slash at the left of each command, and the order of 23-7. A
    slash and a hyphen have no direction of their own.
    """
    lines = []
    for line in text.split("\n"):
        letters = _FIELD.sub("", plain(line))
        strong = filter(_STRONG.__contains__, map(bidirectional, letters))
        first = next(strong, "")
        is_bare = not first and _FIELD.search(line)
        lines.append(f"\u200f{line}" if first == "L" or is_bare else line)
    return _SIGNED.sub("\u200e\\g<0>", "\n".join(lines))
