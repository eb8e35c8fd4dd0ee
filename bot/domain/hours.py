"""The parsing and comparison of times of day, in minutes after midnight.

Examples of parsed texts are "23-7" and "9:30 pm". In every chat, the words of all languages of the
bot are read, because people mix languages. Accents and vowel marks are ignored, because people
often omit these marks.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from bot.domain.foreign_text import (
    APOSTROPHE,
    fold_for_comparison,
    normalize_typed,
    remove_format_characters,
)
from bot.domain.zones import zone_of

_DAY = 24 * 60
_NOON = 12

# A time has a colon, a full stop, "h" or a word between the hour and the minutes, as in
# "9 Uhr 30". The minutes can be missing.
_TIME = re.compile(r"(\d{1,2})(?:\s?(?:[:.]|h(?:eures?)?|uhr)\s?(\d{2}))?")
_TOKEN = re.compile(rf"(?<![a-z\d]){_TIME.pattern}(?!\d)|[a-z]+\d+|[^\W\d_]+|\S")

# For each part of the day: the first hour that is after noon, and the hour after the last hour
# that is after noon. The hours are on a clock face, from 0 to 11. For example, "9 at night" is
# after noon, and "3 at night" is before noon.
_AFTER_NOON = {
    "am": (12, 12), "morning": (12, 12), "midnight": (12, 12), "pm": (0, 12), "afternoon": (0, 12),
    "evening": (1, 12), "night": (6, 12), "day": (0, 10), "noon": (0, 10),
}  # fmt: skip
# These words are valid only after an hour from 1 to 12. Other words are also valid after a later
# hour, as in "22 Uhr abends".
_EXACT = {"am", "pm"}
_ALONE = {"noon": 12 * 60, "midnight": 0}

_PHRASES = {
    "morning": "am morgen|öğleden önce|قبل الظهر|قبل از ظهر|قبلازظهر",
    "afternoon": "am nachmittag|après-midi|après midi|öğleden sonra|после обеда|після обіду"
    "|بعد الظهر|بعد از ظهر|بعدازظهر|दोपहर बाद",
    "evening": "am abend",
    "night": "in der nacht",
    "noon": "am mittag|meio-dia|meio dia|tengah hari",
    "midnight": "meia-noite|meia noite|gece yarısı|منتصف الليل|tengah malam|نیمه شب|نیمهشب"
    "|आधी रात",
    "sampai": "s/d|s.d.|s.d",
}
"""The phrases that have several words or marks, by the word that replaces these phrases."""

_PARTS = {
    "am": "am ص",
    "pm": "pm م",
    "morning": """
        morning mañana madrugada manhã früh morgens vormittags matin mattina mattino sabah sabahı
        утра утром ранку зранку вранці صباح صباحا الصباح فجرا الفجر pagi subuh صبح بامداد सुबह सवेरे
    """,
    "afternoon": "afternoon tarde nachmittags pomeriggio عصر عصرا العصر sore",
    "evening": """
        evening abends soir sera akşam вечера вечером вечора ввечері увечері مساء المساء غروب शाम
    """,
    "night": """
        night noche noite nachts nuit notte gece ночи ночью ночі вночі ليلا الليل malam شب रात
    """,
    "day": "дня днём день вдень удень siang दोपहर",
    "noon": """
        noon midday mediodía mittags midi mezzogiorno öğle öğlen öğleden полдень полудень ظهر ظهرا
        الظهر
    """,
    "midnight": "midnight medianoche mitternacht minuit mezzanotte полночь північ опівночі",
}
"""The words for each part of a day, in all languages."""

# The words for the hours from one to twelve, as parts of regular expressions. Spanish "once",
# Turkish "on" and the Persian word for nine are read only beside other words, because "once" and
# "on" are also English words, and the Persian word also means "no".
_NUMBERS = (
    "one|uma|una|une|eins|bir|одну|первого|першої|першій|перша|واحدة|الواحدة|وحدة|satu|یک|एक",
    (
        "two|dos|duas|zwei|deux|due|iki|два|двух|второго|дві|двох|другої|другій|друга|الثانية"
        "|تنتين|اثنين|dua|دو|दो"
    ),
    (
        "three|tres|três|drei|trois|tre|üç|три|трех|третьего|трьох|третьої|третій|третя|ثلاثة"
        "|تلاتة|الثالثة|tiga|سه|तीन"
    ),
    (
        "four|cuatro|quatro|vier|quatre|quattro|dört|dörd|четыре|четырех|четвертого|чотири|чотирьох"
        "|четвертої|четвертій|четверта|أربعة|الرابعة|empat|چهار|चार"
    ),
    (
        "five|cinco|fünf|cinq|cinque|beş|пять|пяти|пятого|п'ять|п'яти|п'ятої|п'ятій|п'ята|خمسة"
        "|الخامسة|lima|پنج|पाँच|पांच"
    ),
    (
        "six|seis|sechs|sei|altı|шесть|шести|шестого|шість|шостої|шостій|шоста|ستة|السادسة|enam"
        "|شش|छह|छः"
    ),
    (
        "seven|siete|sete|sieben|sept|sette|yedi|семь|семи|седьмого|сім|сьомої|сьомій|сьома|سبعة"
        "|السابعة|tujuh|هفت|सात"
    ),
    (
        "eight|ocho|oito|acht|huit|otto|sekiz|восемь|восьми|восьмого|вісім|восьмої|восьмій|восьма"
        "|ثمانية|الثامنة|delapan|هشت|आठ"
    ),
    (
        "nine|nueve|nove|neun|neuf|dokuz|девять|девяти|девятого|дев'ять|дев'яти|дев'ятої|дев'ятій"
        r"|дев'ята|дев'яту|تسعة|التاسعة|sembilan|نه(?= \w)|(?<=\w )نه|नौ"
    ),
    (
        r"ten|diez|dez|zehn|dix|dieci|(?<=\w )on(?!e)|on(?=d?an?|\sb)|десять|десяти|десятого"
        "|десятої|десятій|десята|десяту|عشرة|العاشرة|sepuluh|ده|दस"
    ),
    (
        "eleven|(?<=las )once|(?<=de )once|once(?= (?:de|y))|onze|elf|undici|on bir|одиннадцать"
        "|одиннадцати|одиннадцатого|одинадцять|одинадцятої|одинадцятій|одинадцята|одинадцяту"
        "|الحادية عشرة|الحادية عشر|sebelas|یازده|ग्यारह"
    ),
    (
        "twelve|doce|doze|zwölf|douze|dodici|on iki|двенадцать|двенадцати|двенадцатого|дванадцять"
        "|дванадцятої|дванадцятій|дванадцята|дванадцяту|الثانية عشرة|الثانية عشر|dua belas|دوازده"
        "|बारह"
    ),
)
_TURKISH_ENDINGS = "den|dan|ten|tan|de|da|te|ta|ye|ya|e|a"
_HALF_PAST = "half past|half|साढ़े|sadhe|saadhe"
_HALF_TO = "halb|половина|половину|половине|половині|пол|пів на|setengah"
_AND_A_HALF = (
    "and a half|y media|e meia|e mezza|e mezzo|et demie|et demi|buçukta|buçuktan|buçuğa|buçuk"
    "|thirty|y treinta|e trinta|dreißig|trente|e trenta|otuz|тридцать|тридцять"
    "|с половиной|والنصف|ونصف|ونص|و النصف|و نصف|و نص|و نیم|ونیم"
)

_TO = """
    - – — ~ → to till until and a à as às al hasta y até e bis und alle et jusqu ile ten tan
    den dan до по и і та й إلى حتى و sampai hingga ke dan تا الی से और
"""
"""The words and signs between the start and the end of a span, as in "23-7" and "9 to 5"."""

_OTHERS = """
    , . ? ! at from between o clock oclock hour hours hr hrs h in the of de la las los
    del el en a à desde entre hora horas à às as da do das um uhr von ab zwischen in der du
    le l vers des heure heures alle dalle ore ora all dall dell delle di tra fra saat saatte
    saatleri arası arasında kadar ye ya e te ta da de в во с со часов часа час ч о об между
    у з із від годин година годині години год між г في من الساعة ساعة بين عند jam pukul pada
    around about gegen circa sekitar около примерно близько приблизно حوالي تقريبا حدود लगभग
    dari antara wib ساعت از در बजे तक के बीच
"""
"""The words that people write around a time of day and that do not change the time."""


def parse_hours(text: str) -> tuple[int, int] | None:
    """Return the start and the end of a span of hours, in minutes after midnight.

    If the start is in words without a part of the day, and would not be before the end, 12 hours
    are added to the start: "from eleven to seven in the morning" begins at 23:00, and "from twelve
    to six" at midnight. This rule does not apply to a text with digits. Return None if the text is
    not a span such as "23-7".
    """
    tokens = _tokens(text)
    has_digits = any(map(str.isdecimal, text))
    for place, token in enumerate(tokens):
        if token in _words(_TO):
            start = _minute_of(tokens[:place])
            end = _minute_of(tokens[place + 1 :])
            if start is not None and end is not None:
                has_part = not _part_by_word().keys().isdisjoint(tokens[:place])
                if end <= start and not (has_digits or has_part):
                    start = (start + _DAY // 2) % _DAY
                return start, end
    return None


def parse_hour(text: str) -> int | None:
    """Return the time of day that a text names, in minutes after midnight.

    Return None if the text is not a time of day such as "9:30 pm".
    """
    return _minute_of(_tokens(text))


def is_about_time(word: str) -> bool:
    """Return whether ``word`` consists only of words and numbers of times, as in "9 बजे"."""
    tokens = _tokens(word)
    known = _words(_TO) | _words(_OTHERS) | _part_by_word().keys()
    others = [token for token in tokens if not (token in known or _TIME.fullmatch(token))]
    return bool(tokens) and not others


def is_within(at: datetime, hours: tuple[int, int] | None, zone: str | None) -> bool:
    """Return whether the time ``at`` is within ``hours`` of the day in the time zone ``zone``.

    ``hours`` has the first minute of the hours, and the minute after their last minute. Both are
    minutes after midnight. The hours can include midnight. Return False if ``hours`` is None, or
    if both minutes are equal.
    """
    if hours is None:
        return False
    local = at.astimezone(zone_of(zone))
    return contains(hours, local.hour * 60 + local.minute)


def contains(hours: tuple[int, int], minute: int) -> bool:
    """Return whether the time of day ``minute`` is within ``hours``, as in ``is_within``."""
    begin, end = hours
    if begin == end:
        return False
    if begin < end:
        return begin <= minute < end
    return minute >= begin or minute < end


def _tokens(text: str) -> list[str]:
    """Return the words, times and signs of a text, in the form of the tables of this module."""
    plain = re.sub(r"\b([ap])\.?\s?m\b\.?", r"\1m", _without_marks(normalize_typed(text)))
    for word, phrases in _PHRASES.items():
        for phrase in phrases.split("|"):
            plain = plain.replace(_without_marks(phrase), f" {word} ")
    return [match[0] for match in _TOKEN.finditer(_with_digits(plain))]


def _with_digits(plain: str) -> str:
    """Return a text with digits in place of hours in words, as in "8:30" for "half past eight".

    ``plain`` is a result of ``_without_marks``.
    """
    plain = re.sub(r"\bпол(?=[а-я]+ого)", "пол ", plain)  # Russian "half to" without a blank
    plain = _number_pattern().sub(_digits_of, plain)
    half_to, half_past, and_a_half = _half_patterns()
    plain = half_to.sub(lambda found: f"{int(found[1]) - 1 or _NOON}:30", plain)
    plain = half_past.sub(r"\1:30", plain)
    return and_a_half.sub(r"\1:30", plain)


def _digits_of(found: re.Match[str]) -> str:
    """Return the digits for an hour in words, and the Turkish ending of the word."""
    hours = found.groups()[:_NOON]  # from twelve to one
    number = next(_NOON - place for place, word in enumerate(hours) if word)
    return f"{number} {found['ending'] or ''}".rstrip()


@cache
def _number_pattern() -> re.Pattern[str]:
    """Return a pattern with a group for each hour in words, from twelve to one.

    The longer words come first, as Turkish "on bir" (eleven) before "on" (ten). A word directly
    after a number is no hour, because Turkish "ten" means "from", as in "23'ten 7'ye".
    """
    hours = "|".join(f"({_without_marks(words)})" for words in reversed(_NUMBERS))
    return re.compile(rf"(?<!\w)(?<!\d )(?:{hours})(?P<ending>{_TURKISH_ENDINGS})?(?!\w)")


@cache
def _half_patterns() -> tuple[re.Pattern[str], ...]:
    """Return the patterns of halves: as "halb neun", "half past eight" and "huit et demie"."""
    hour = r"(1?\d)(?![:.]?\d)"
    half_to, half_past, and_a_half = map(_without_marks, (_HALF_TO, _HALF_PAST, _AND_A_HALF))
    return (
        re.compile(rf"(?<!\w)(?:{half_to}) ?{hour}"),
        re.compile(rf"(?<!\w)(?:{half_past}) ?{hour}"),
        re.compile(rf"(?<!\d){hour}(?: ?(?:h|heures?|uhr|ore|часов))? ?(?:{and_a_half})(?!\w)"),
    )


def _without_marks(text: str) -> str:
    """Return the result of ``fold_for_comparison``, without any combining marks and joiners.

    Each apostrophe becomes a blank, because apostrophes separate words, as in "dall'8".
    """
    letters = unicodedata.normalize("NFD", fold_for_comparison(APOSTROPHE.sub(" ", text)))
    kept = [char for char in letters if not unicodedata.category(char).startswith("M")]
    return remove_format_characters("".join(kept))


def _minute_of(tokens: Sequence[str]) -> int | None:
    """Return the time of day that ``tokens`` name, in minutes after midnight.

    Return None if ``tokens`` are not exactly one time of day.
    """
    times: list[re.Match[str]] = []
    parts: list[str] = []
    for token in tokens:
        if token in _part_by_word():
            parts.append(_part_by_word()[token])
        elif match := _TIME.fullmatch(token):
            times.append(match)
        elif token not in _words(_OTHERS):
            return None
    match times, parts:
        case [time], []:
            return _minutes(time[1], time[2], None)
        case [time], [part]:
            return _minutes(time[1], time[2], part)
        case [], [part]:
            return _ALONE.get(part)
        case _:
            return None


def _minutes(hour: str, minute: str | None, part: str | None) -> int | None:
    """Return the minutes after midnight of an hour, a minute and a part of the day.

    24:00 is the same time as 0:00. Return None if the time is impossible.
    """
    written = int(hour)
    minutes = int(minute or 0)
    hours = written
    if part:
        first, last = _AFTER_NOON[part]
        hours = written % _NOON
        if first <= hours < last:
            hours += _NOON
        is_half = 1 <= written <= _NOON
        if not is_half and (part in _EXACT or written != hours):
            return None
    total = hours * 60 + minutes
    if total > _DAY or minutes >= 60:  # noqa: PLR2004 - minutes of an hour
        return None
    return total % _DAY


@cache
def _words(table: str) -> frozenset[str]:
    return frozenset(_without_marks(table).split())


@cache
def _part_by_word() -> dict[str, str]:
    """Return a mapping from each word for a part of the day to the part (a key of ``_PARTS``)."""
    found: dict[str, str] = {}
    for part, words in _PARTS.items():
        found.update(dict.fromkeys(_without_marks(words).split(), part))
    return found
