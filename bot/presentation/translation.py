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
    """A language of the bot, with its native name and its language codes in Telegram.

    ``codes`` also has the codes of other languages whose speakers mostly read this language.
    ``is_rtl`` means that the language is written from right to left.
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
"""The languages of the bot by the names of their catalogues.

A person whose language is not in this table gets English texts.
"""

LOCALES = Path(__file__).parents[2] / "locales"
_HALF_A_YEAR = timedelta(days=183)
# The languages in which Babel's short units are misleading, or mixed with long units. For example,
# Indonesians read "1 hr" as a day, and Babel's short form in Italian is "2 giorni 3 h".
_LONG_UNITS = {"ar", "de", "es", "fr", "hi", "id", "it", "pt_BR", "tr"}
# The first day of a month is an ordinal number in these languages. Babel writes a plain 1.
_FIRST_DAYS = {"fr": "1er", "pt_BR": "1º"}
DATE_AND_TIME = N_("{date}, {time}")
TWO_UNITS = N_("{a} {b}")
LABELLED = N_("{label}: {text}")
NOTED = N_("{text} ({note})")
REFERENCE = re.compile(r"\[\[(.+?)\]\]")
"""The pattern of a reference to a button in a text, such as ``[[Keep for /past]]``.

The reference has the English label of the button. People see the translated label.
"""

_PERSIAN_DIGITS = {ord("0") + n: chr(0x6F0 + n) for n in range(10)} | {ord("%"): "\u066a"}
_FIELD = re.compile(r"\{([a-z_]+)\}")
_COMMA_AFTER_LATIN = re.compile(r"(?<=[A-Za-z\d>])،")
_STRONG = frozenset({"L", "R", "AL"})  # the bidirectional classes of letters in Unicode
# A field and the full stop after the field. The full stop is dropped after a value that already
# ends with a full stop, such as "25 Min.".
_FILLED = re.compile(r"\{([a-z_]+)\}((?:</\w+>)*\.?)")
_SIGNED = re.compile(
    r"(?<![\w/<>=])(?:<code>)?(?:/[a-z_]+|\{command\})|\b\d+-\d+"
    r"|(?<!\w)(?:<code>)?@[A-Za-z{]|<code>[#{]|#(?=[\d{])|(?<=/…)"
)
_log = logging.getLogger(__name__)


class Translator:
    """The translations of messages, and the formats of dates and numbers, in one language.

    Call the object to translate a message. ``zone`` is the time zone of dates and times, by
    default UTC.
    """

    def __init__(self, language: str, zone: tzinfo = UTC, *, locales: Path = LOCALES) -> None:
        """Load the catalogue of ``language`` from the folder ``locales``.

        ``language`` is a key of ``LANGUAGES``.
        """
        self.language = language
        self.zone = zone
        self._locale = Locale.parse(language)
        self.is_rtl = LANGUAGES[language].is_rtl
        self._is_persian = language == "fa"
        # The system of digits and separators in numbers. Only in Persian, the bot uses digits
        # other than 0 to 9.
        self._numerals: Literal["default", "latn"] = "default" if self._is_persian else "latn"
        self._own, self._english = load_catalogue(language, locales), load_catalogue("en", LOCALES)

    def in_zone(self, zone: tzinfo) -> "Translator":
        """Return a translator of the same language that shows times in the time zone ``zone``."""
        return _cached_translator(self.language, zone)

    def __call__(self, msgid: str, /, **fields: object) -> Safe:
        """Translate the message ``msgid`` to HTML.

        The values of fields are escaped, unless the values are ``Safe``. Times, durations and
        numbers get the format of the language, except most numbers in URLs and copied texts. A
        number in the field ``percent`` is a part from 0 to 1. The number in the field ``n``
        chooses the plural form.
        """
        return Safe(self._render(msgid, fields, html=True))

    def plain(self, msgid: str, /, **fields: object) -> str:
        """Translate the message ``msgid`` to plain text, for example for a button or a pop-up."""
        return self._render(msgid, fields, html=False)

    def number(self, x: float) -> str:
        """Return the number ``x`` with the separators of the language and at most three decimals.

        The digits are Persian digits if the language is Persian, and 0 to 9 otherwise.
        """
        written = numbers.format_decimal(x, locale=self._locale, numbering_system=self._numerals)
        return self._in_own_digits_for_message(written)

    def percent(self, part: float) -> str:
        """Return ``part``, a number from 0 to 1, as a whole percentage such as "2%".

        The result for a positive number is at least "1%".
        """
        whole = max(round(part, 2), 0.01) if part > 0 else 0.0
        written = numbers.format_percent(
            whole, locale=self._locale, numbering_system=self._numerals
        )
        return self._in_own_digits_for_message(written)

    def listed(self, items: Sequence[str]) -> str:
        """Return the items as one text, such as "a, b, and c"."""
        return format_list(items, locale=self._locale)

    def names(self, names: Iterable[str], show: Callable[[str], Safe] = Safe) -> Safe:
        """Return a list of profile names as one HTML text. ``show`` formats each name."""
        return Safe(self.listed([show(foreign_html(name, rtl=self.is_rtl)) for name in names]))

    def names_inside_bold(self, names: Iterable[str]) -> Safe:
        """Return a list of bold profile names for a place in a message that is already bold.

        The first opening tag and the last closing tag are omitted, because the message has these
        tags.
        """
        return Safe(self.names(names, bold).removeprefix("<b>").removesuffix("</b>"))

    def money(self, amount: float) -> str:
        """Return an amount of US dollars, such as “$1.20”. The Stories API charges in dollars."""
        written = numbers.format_currency(
            amount, "USD", locale=self._locale, numbering_system=self._numerals
        )
        # The French form has "$US", which Telegram would show as a cashtag.
        return self._in_own_digits_for_message(written.replace("$US", "$"))

    def _in_own_digits_for_message(self, formatted: str) -> str:
        """Return a formatted number, with Persian digits if the language is Persian.

        The result is ``Safe``, except in a language that is written from right to left, in which a
        message isolates plain text.
        """
        written = self._in_own_digits(formatted)
        return written if self.is_rtl else Safe(written)

    def date_and_time(self, dt: datetime) -> str:
        """Return the day and the time of day, such as “November 25, 2:05 PM”."""
        return self.plain(DATE_AND_TIME, date=Safe(self.day(dt)), time=Safe(self.time(dt)))

    def moment(self, dt: datetime, now: datetime) -> str:
        """Return the day and the time of day of ``dt``.

        If ``dt`` is more than half a year from ``now``, return the day and the year instead.
        """
        return self.day_range(dt, dt) if abs(dt - now) > _HALF_A_YEAR else self.date_and_time(dt)

    def day(self, dt: datetime) -> str:
        """Return the day, such as “November 25”.

        A day in Persian is a day of the Solar Hijri calendar.
        """
        if self._is_persian:
            _, month, day = solar_hijri.solar_hijri(dt.astimezone(self.zone).date())
            return self._in_own_digits(f"{day} {solar_hijri.MONTHS[month - 1]}")
        return self._with_ordinal(
            dates.format_skeleton("MMMMd", dt, tzinfo=self.zone, locale=self._locale, fuzzy=True)
        )

    def time(self, dt: datetime, zone: tzinfo | None = None) -> str:
        """Return the time of day in ``zone``, such as “2:05 PM”.

        The default of ``zone`` is the time zone of the translator.
        """
        return self._in_own_digits(
            dates.format_time(dt, "short", tzinfo=zone or self.zone, locale=self._locale)
        )

    def relative_time(self, dt: datetime) -> Safe:
        """Return HTML that Telegram's apps show as a time relative to now, as "2 hours ago".

        Old apps of Telegram show the day and the time of day instead.
        """
        at = int(dt.timestamp())
        return Safe(f'<tg-time unix="{at}" format="r">{self.date_and_time(dt)}</tg-time>')

    def day_range(self, first: datetime, last: datetime) -> str:
        """Return the range of days from ``first`` to ``last``, with the years.

        If both times are on the same day, return the single day, such as “November 24, 2024”.
        """
        start, end = self._day_with_year(first), self._day_with_year(last)
        return start if start == end else self.value_range(start, end)

    def _day_with_year(self, dt: datetime) -> str:
        """Return the day with the year, such as “November 25, 2024”."""
        local = dt.astimezone(self.zone)
        if self._is_persian:
            return f"{self.day(dt)} {self._in_own_digits(solar_hijri.solar_hijri(local)[0])}"
        return self._with_ordinal(dates.format_date(local, "long", locale=self._locale))

    def _with_ordinal(self, date: str) -> str:
        """Return ``date`` with an ordinal for the first day of a month, such as “1er novembre”.

        Other days, and dates in languages without such an ordinal, are not changed.
        """
        if self.language in _FIRST_DAYS and date.startswith("1 "):
            return _FIRST_DAYS[self.language] + date.removeprefix("1")
        return date

    def _in_own_digits(self, text: object) -> str:
        """Return ``text`` with Persian digits and percent signs if the language is Persian.

        The conversion is necessary because some functions of Babel always write the digits 0 to 9.
        """
        return str(text).translate(_PERSIAN_DIGITS) if self._is_persian else str(text)

    def labelled(self, label: str, text: str) -> Safe:
        """Return a label and a text as HTML, such as “natgeo: no stories right now”."""
        return self(LABELLED, label=label, text=text)

    def noted(self, text: str, note: str) -> Safe:
        """Return a text and a note as HTML, such as “natgeo: 2 stories (last check: 9:30 AM)”."""
        return self(NOTED, text=text, note=note)

    def isolate(self, markup: Safe) -> Safe:
        """Isolate the writing direction of HTML text, for example of a path or a rule.

        If the language is written from left to right, return the text unchanged.
        """
        return Safe(isolate(markup)) if self.is_rtl else markup

    def value_range(self, start: str, end: str) -> str:
        """Return the range of two formatted values, in the notation of the language."""
        return str(self._locale.interval_formats.get(None, "{0}-{1}")).format(start, end)

    def ago(self, dt: datetime, now: datetime) -> str:
        """Return the time between ``dt`` and ``now``, such as “2 hours ago” or “in 2 hours”.

        For a time of less than a minute, return “just now” or “in a moment”.
        """
        if abs(now - dt) < timedelta(minutes=1):
            return self.plain(N_("just now") if dt <= now else N_("in a moment"))
        return self._in_own_digits(
            dates.format_timedelta(dt - now, add_direction=True, threshold=1, locale=self._locale)
        )

    def duration(self, td: timedelta) -> str:
        """Return a duration in its largest unit and the next smaller unit, such as “3 hr 20 min”.

        The units are days to seconds. A smaller unit with the value 0 is omitted. A negative
        duration is shown as 0 seconds.
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
        text = self._translation_template(msgid, fields.get("n", 1))
        if "{" not in text:
            return text

        def fill(match: re.Match[str]) -> str:
            value = self._field_text(match, fields, html=html)
            shown = (plain(value) if html else value).rstrip("\u2069")
            return value + (match[2].removesuffix(".") if shown.endswith(".") else match[2])

        return _FILLED.sub(fill, text)

    def _translation_template(self, msgid: str, n: object) -> str:
        """Return the translation of the message ``msgid``, without values in place of the fields.

        ``n`` selects the plural form. If the translation is missing, return the English text.
        """
        source = self._own if msgid in self._own.texts else self._english
        forms = source.texts.get(msgid, (msgid,))
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
            return self.number(value) if _is_outside_url_and_code(match) else str(value)
        text = escape(value) if html else clean(str(value))
        return (
            isolate(text)
            if _is_outside_url_and_code(match) and (self.is_rtl or has_rtl(text))
            else text
        )


_Unit = Literal["day", "hour", "minute", "second"]
_UNITS: tuple[tuple[_Unit, int], ...] = (
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)
# Babel changes to a larger unit if the value is at least this number. The number is so large that
# Babel never changes the unit.
_NEVER = 10**9


def _is_outside_url_and_code(match: re.Match[str]) -> bool:
    """Return whether the value of a field may get direction marks and number separators.

    These characters would change a URL, a command or a text that people copy.
    """
    before = match.string[: match.start()]
    return not before.endswith(('="', "=", "/", "#")) and before.count("<code>") == before.count(
        "</code>"
    )


def languages_by_code() -> dict[str, str]:
    """Return a mapping from Telegram's language codes to the keys of ``LANGUAGES``."""
    by_code = {
        code: name for name, language in LANGUAGES.items() for code in language.codes.split()
    }
    return by_code | {name.replace("_", "-").lower(): name for name in LANGUAGES}


_BY_CODE = languages_by_code()


def language_for(code: str | None) -> str:
    """Return the name of the catalogue for a ``language_code`` of Telegram.

    For example, the catalogue for "es-419" is "es". If the bot does not have the language, return
    "en".
    """
    wanted = (code or "en").replace("_", "-").lower()
    return _BY_CODE.get(wanted) or _BY_CODE.get(wanted.partition("-")[0], "en")


# The number of cached translators needs a limit, because a chat can choose any time zone, and each
# pair of a language and a zone has a separate translator.
@lru_cache(maxsize=1000)
def _cached_translator(language: str, zone: tzinfo = UTC) -> Translator:
    return Translator(language, zone)


def translator_for(language_code: str | None) -> Translator:
    """Return the translator for a language code of Telegram, or for a key of ``LANGUAGES``.

    The time zone of the translator is UTC.
    """
    return _cached_translator(language_for(language_code))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The translations of the messages into one language.

    ``texts`` has the singular and plural forms of each message, by the English singular.
    ``form_of`` returns the index of the form for a number.
    """

    texts: dict[str, tuple[str, ...]]
    form_of: Callable[[int], int]


@cache
def load_catalogue(language: str, locales: Path = LOCALES) -> Catalogue:
    """Load the catalogue of ``language`` from the folder ``locales``.

    Messages with a missing or fuzzy translation are omitted. If the file is missing, the catalogue
    is empty. References to buttons are replaced by the translated labels.
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
    """Add marks of the writing direction to a text that is written from right to left.

    The marks keep the order of lines, lists and signs (such as a slash, an @ or a #) around Latin
    letters and fields.
    """
    lines = []
    for line in text.split("\n"):
        before_field, *after = _FIELD.split(plain(line), maxsplit=1)
        strong = filter(_STRONG.__contains__, map(bidirectional, before_field))
        first = next(strong, "L" if after else "")
        lines.append(f"\u200f{line}" if first == "L" else line)
    marked = _COMMA_AFTER_LATIN.sub("\u200f\\g<0>", "\n".join(lines))
    return _SIGNED.sub("\u200e\\g<0>", marked)
