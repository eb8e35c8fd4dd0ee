"""The parsing and comparison of times of day, in minutes after midnight.

Examples of parsed texts are "23-7" and "9:30 pm". People mix languages, so the words of all
languages are read in every chat.
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
from bot.domain.zones import zone_or_utc

_DAY = 24 * 60
_NOON = 12
# The maximum number of words, times and signs in a text that is read as a span of hours, such as
# "9 pm - 7 am". A longer text is prose.
_LONGEST_SPAN = 30

# A time has a colon, a full stop, "h" or a word between the hour and the minutes, as in
# "9 Uhr 30". The minutes can be missing.
_TIME = re.compile(r"(\d{1,2})(?:\s?(?:[:.]|h(?:eures?)?|uhr)\s?(\d{2}))?")
_TOKEN = re.compile(rf"(?<![a-z\d]){_TIME.pattern}(?!\d)|[a-z]+\d+|\d+|[^\W\d_]+|\S")

# The hours after noon in each part of the day, as a range on a clock face (0 to 11) without its
# end. For example, "night" has the range 6 to 12, so that "3 at night" is before noon.
_AFTER_NOON = {
    "am": (12, 12), "morning": (12, 12), "midnight": (12, 12), "pm": (0, 12), "afternoon": (0, 12),
    "evening": (1, 12), "night": (6, 12), "day": (0, 10), "noon": (0, 10),
}  # fmt: skip
# The parts of the day that must follow an hour from 1 to 12. Any other part of the day can also
# follow a later hour, as in "22 Uhr abends".
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
    "circa": "every day|each day|cada día|todos los días|todos os dias|chaque jour|tous les jours"
    "|каждый день|кожен день|كل يوم|setiap hari|tiap hari|हर दिन|har din|где-то|десь-то|kira-kira"
    "|aşağı yukarı|más o menos|mais ou menos|plus ou moins|più o meno|mehr oder weniger|par là",
}
"""The phrases that have several words or marks, by the word that replaces these phrases."""

_PARTS = {
    "am": "am ص",
    "pm": "pm م",
    "morning": """
        morning mañana madrugada manhã früh morgens vormittags matin mattina mattino sabah sabahı
        утра утром ранку зранку вранці صباح صباحا الصباح فجرا الفجر pagi subuh صبح بامداد सुबह सवेरे
        subah savere sobh
    """,
    "afternoon": "afternoon tarde nachmittags pomeriggio عصر عصرا العصر sore asr",
    "evening": """
        evening abends soir sera akşam вечера вечером вечора ввечері увечері مساء المساء غروب शाम
        shaam sham
    """,
    "night": """
        night noche noite nachts nuit notte gece ночи ночью ночі вночі ليلا الليل malam شب रात
        raat shab
    """,
    "day": "дня днём день вдень удень siang दोपहर",
    "noon": """
        noon midday mediodía mittags midi mezzogiorno öğle öğlen öğleden полдень полудень ظهر ظهرا
        الظهر
    """,
    "midnight": "midnight medianoche mitternacht minuit mezzanotte полночь північ опівночі",
}
"""The words for each part of a day, in all languages."""

# The words for the hours from one to twelve, as parts of regular expressions. Some words, such as
# Spanish "once", have another meaning, and are read only beside other words.
_NUMBERS = (
    "one|uma|una|une|eins|bir|одну|первого|першої|першій|перша|першу|واحدة|الواحدة|وحدة|satu|یک|एक",
    (
        "two|dos|duas|zwei|deux|due|iki|два|двух|второго|дві|двох|другої|другій|друга|другу|الثانية"
        "|تنتين|اثنين|dua|دو|दो"
    ),
    (
        "three|tres|três|drei|trois|tre|üç|три|трех|третьего|трьох|третьої|третій|третя|третю|ثلاثة"
        "|تلاتة|الثالثة|tiga|سه|तीन"
    ),
    (
        "four|cuatro|quatro|vier|quatre|quattro|dört|dörd|четыре|четырех|четвертого|чотири|чотирьох"
        "|четвертої|четвертій|четверта|четверту|أربعة|الرابعة|empat|چهار|चार"
    ),
    (
        "five|cinco|fünf|cinq|cinque|beş|пять|пяти|пятого|п'ять|п'яти|п'ятої|п'ятій|п'ята|п'яту|خمسة"
        "|الخامسة|lima|پنج|पाँच|पांच"
    ),
    (
        "six|seis|sechs|sei|altı|шесть|шести|шестого|шість|шостої|шостій|шоста|шосту|ستة|السادسة|enam"
        "|شش|छह|छः"
    ),
    (
        "seven|siete|sete|sieben|sept|sette|yedi|семь|семи|седьмого|сім|сьомої|сьомій|сьома|сьому|سبعة"
        "|السابعة|tujuh|هفت|सात"
    ),
    (
        "eight|ocho|oito|acht|huit|otto|sekiz|восемь|восьми|восьмого|вісім|восьмої|восьмій|восьма|восьму"
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
# The words for the hours from thirteen to twenty-three.
_LATER_NUMBERS = {
    13: "thirteen|trece|treze|dreizehn|treize|tredici|on üç|тринадцать|тринадцати|тринадцять"
    "|тринадцята|тринадцятій|тринадцятої|tiga belas|سیزده",
    14: "fourteen|catorce|catorze|quatorze|vierzehn|quattordici|on dört|четырнадцать|четырнадцати"
    "|чотирнадцять|чотирнадцята|чотирнадцятій|чотирнадцятої|empat belas|چهارده",
    15: "fifteen|quince|quinze|fünfzehn|quindici|on beş|пятнадцать|пятнадцати|п'ятнадцять"
    "|п'ятнадцята|п'ятнадцятій|п'ятнадцятої|lima belas|پانزده",
    16: "sixteen|dieciséis|dezesseis|dezasseis|sechzehn|seize|sedici|on altı|шестнадцать"
    "|шестнадцати|шістнадцять|шістнадцята|шістнадцятій|шістнадцятої|enam belas|شانزده",
    17: "seventeen|diecisiete|dezessete|dezassete|siebzehn|dix[- ]sept|diciassette|on yedi"
    "|семнадцать|семнадцати|сімнадцять|сімнадцята|сімнадцятій|сімнадцятої|tujuh belas|هفده",
    18: "eighteen|dieciocho|dezoito|achtzehn|dix[- ]huit|diciotto|on sekiz|восемнадцать"
    "|восемнадцати|вісімнадцять|вісімнадцята|вісімнадцятій|вісімнадцятої|delapan belas|هجده",
    19: "nineteen|diecinueve|dezenove|dezanove|neunzehn|dix[- ]neuf|diciannove|on dokuz"
    "|девятнадцать|девятнадцати|дев'ятнадцять|дев'ятнадцята|дев'ятнадцятій|дев'ятнадцятої"
    "|sembilan belas|نوزده",
    20: "twenty|veinte|vinte|zwanzig|vingt|venti|yirmi|двадцать|двадцати|двадцять|двадцята"
    "|двадцятій|двадцятої|dua puluh|بیست",
    21: "twenty[- ]one|veintiuna|veintiún|vinte e uma|einundzwanzig|vingt[- ]et[- ]une"
    "|ventuno|yirmi bir|двадцать один|двадцати одного|двадцять перша|двадцять першій"
    "|двадцять першої|dua puluh satu|بیست و یک",
    22: "twenty[- ]two|veintidós|vinte e duas|zweiundzwanzig|vingt[- ]deux|ventidue|yirmi iki"
    "|двадцать два|двадцати двух|двадцять друга|двадцять другій|двадцять другої|dua puluh dua"
    "|بیست و دو",
    23: "twenty[- ]three|veintitrés|vinte e três|dreiundzwanzig|vingt[- ]trois|ventitré|yirmi üç"
    "|двадцать три|двадцати трех|двадцять третя|двадцять третій|двадцять третьої"
    "|dua puluh tiga|بیست و سه",
}
_MINUTES = {
    25: "twenty[- ]five|veinticinco|vinte e cinco|fünfundzwanzig|vingt[- ]cinq|venticinque"
    "|yirmi beş|двадцать пять|двадцять п'ять|dua puluh lima",
    30: "thirty|treinta|trinta|dreißig|trente|trenta|otuz|тридцать|тридцять|tiga puluh|سی",
    35: "thirty[- ]five|treinta y cinco|trinta e cinco|trente[- ]cinq|trentacinque|otuz beş",
    40: "forty|cuarenta|quarenta|vierzig|quarante|quaranta|kırk|сорок|empat puluh|چهل",
    45: "forty[- ]five|cuarenta y cinco|quarenta e cinco|fünfundvierzig|quarante[- ]cinq"
    "|quarantacinque|kırk beş|сорок пять|сорок п'ять|empat puluh lima|چهل و پنج",
    50: "fifty|cincuenta|cinquenta|fünfzig|cinquante|cinquanta|elli|пятьдесят|п'ятдесят"
    "|lima puluh|پنجاه",
    55: "fifty[- ]five|cincuenta y cinco|cinquenta e cinco|cinquante[- ]cinq|cinquantacinque",
}
"""The words for the minutes after an hour, by minute.

The minutes 10, 15 and 20 have the words of the hours.
"""
_MINUTES_ALONE = {"10", "15", "20", *map(str, _MINUTES)}
"""The minutes that can follow an hour directly, as in "seven ten"."""
_BETWEEN_TIMES = "between|entre|zwischen|tra|fra|между|між|antara|arası|arasında|بین|بين"
_QUARTERS_BEFORE = {
    (0, 15): "quarter past|quarter after|viertel nach|чверть по|सवा|sava|sawa",
    (-1, 45): "quarter to|quarter till|quarter of|quarter before|viertel vor|dreiviertel"
    "|без четверти|за чверть|15 para as?|um quarto para as?|(?:1 )?ربع به|पौने|paune",
    (-1, 15): "viertel|четверть|чверть на",
}
"""The words for a quarter that people write before the hour, as in "quarter past seven".

The key has the hours to add to the hour, and the minutes. For example, Russian "четверть восьмого"
means 7:15.
"""
_QUARTERS_AFTER = {
    (0, 15): "y cuarto|e um quarto|e un quarto|et quart|والربع|و الربع|وربع|و ربع"
    "|lewat seperempat|lebih seperempat|(?:y?[iu] )?çeyrek geçe",
    (-1, 45): "menos cuarto|menos um quarto|meno un quarto|moins le quart|moins quart|إلا ربع"
    "|إلا الربع|الا ربع|الا الربع|kurang seperempat|(?:y?[ea] )?çeyrek (?:kala|var)",
}
"""The words for a quarter that people write after the hour, as in Spanish "siete y cuarto".

The keys have the form of ``_QUARTERS_BEFORE``.
"""
_WORKING_HOURS = ((7, 8, 9), (3, 4, 5))
"""The hours, in words, of the start and the end of a working day, as in "nine to five"."""
_IN_WORDS = "\ue000"  # this sign follows the digits that replace a number word such as "seven"
_TURKISH_ENDINGS = "den|dan|ten|tan|de|da|te|ta|ye|ya|e|a|y?[iu](?= ceyrek)"
_HALF_PAST = "half past|half|साढ़े|sadhe|saadhe"
_HALF_TO = "halb|половина|половину|половине|половині|пол|пів на|setengah"
_AND_A_HALF = (
    "and a half|y media|e meia|e mezza|e mezzo|et demie|et demi|buçukta|buçuktan|buçuğa|buçuk"
    "|thirty|y treinta|e trinta|dreißig|trente|e trenta|otuz|тридцать|тридцять"
    "|с половиной|والنصف|ونصف|ونص|و النصف|و نصف|و نص|و نیم|ونیم"
)

_TO = """
    - – — ~ → to till until and a à as às al hasta y até e bis und alle et jusqu ile ten tan
    den dan до по и і та й إلى حتى و sampai hingga ke dan تا الی से se और
"""
"""The words and signs between the start and the end of a span, as in "23-7" and "9 to 5"."""

_OTHERS = """
    , . ? ! at from between o clock oclock hour hours hr hrs h in the of de la las los
    del el en a à desde entre hora horas à às as da do das um uhr von ab zwischen in der du
    le l vers des heure heures alle dalle ore ora all dall dell delle di tra fra saat saatte
    saatleri arası arasında kadar ye ya e te ta da de в во с со часов часа час ч о об между
    у з із від годин година годині години год між г في من الساعة ساعة بين عند jam pukul pada
    every each daily cada jeden tag täglich chaque ogni giorno her gün каждый каждое ежедневно
    щодня кожен هر روز रोज़ हर roz har around about roughly approximately approx maybe perhaps
    probably like ish or so some ~
    gegen circa ca etwa ungefähr so rund vielleicht herum rum sobre eso tipo más menos o
    aproximadamente quizás tal vez como pico unas lá pelas pela por volta torno mais ou talvez umas
    aí environ autour aux alentours peu près plus moins les genre verso intorno
    più meno forse tipo gibi civarı civarında sularında sularına yaklaşık falan filan aşağı yukarı
    около примерно приблизительно районе где то ближе к часиков наверное десь близько приблизно
    орієнтовно біля мабуть حوالي تقريبا قرابة نحو يمكن حدود حدودا حدودای تقریبا نزدیک طرفای شاید
    sekitar sekitaran kira kurang lebih an mungkin так लगभग करीब आसपास आस पास शायद aas paas aaspaas
    के karib lagbhag baje ke shayad tak
    dari antara wib ساعت از در बजे तक के बीच
"""
"""The words that people write around a time of day and that do not change the time."""


def parse_start_and_end_minute(text: str) -> tuple[int, int] | None:
    """Return the start and the end of a span of hours, in minutes after midnight.

    Return None if the text is not a span such as "23-7". Missing parts of the day can be guessed
    if the text has no digits, so that "nine to five" ends at 17:00.
    """
    tokens = _tokens(text)
    if len(tokens) > _LONGEST_SPAN:
        return None
    has_digits = any(map(str.isdecimal, text))
    for place, token in enumerate(tokens):
        if token in _words(_TO):
            start = _minute_of_day_in(tokens[:place])
            end = _minute_of_day_in(tokens[place + 1 :])
            if start is not None and end is not None:
                has_part = not _part_of_day_by_word().keys().isdisjoint(tokens[:place])
                if has_digits or has_part or start < end or start >= (_NOON + 1) * 60:
                    return start, end
                return _shift_start_or_end_by_12_hours(start, end)
    return None


def _shift_start_or_end_by_12_hours(start: int, end: int) -> tuple[int, int]:
    """Add 12 hours to the end of a working day, or to the start of any other span of hours.

    A working day is a span such as "nine to five". The given end must not be after the given
    start. Return the new span in minutes after midnight.
    """
    starts, ends = _WORKING_HOURS
    if start // 60 in starts and end // 60 in ends:
        return start, end + _DAY // 2
    return (start + _DAY // 2) % _DAY, end


def parse_minute_of_day(text: str) -> int | None:
    """Return the time of day that a text names, in minutes after midnight.

    Return None if the text is not a time of day such as "9:30 pm".
    """
    return _minute_of_day_in(_tokens(text))


def has_only_time_words(word: str) -> bool:
    """Return whether ``word`` consists only of words and numbers of times, as in "9 बजे"."""
    tokens = _tokens(word)
    known = _words(_TO) | _words(_OTHERS) | _part_of_day_by_word().keys()
    others = [token for token in tokens if not (token in known or _TIME.fullmatch(token))]
    return bool(tokens) and not others


def is_within(at: datetime, hours: tuple[int, int] | None, zone: str | None) -> bool:
    """Return whether the time of day at the moment ``at`` is in a span of hours.

    ``hours`` has the start and the end (exclusive) in minutes after midnight in ``zone``. The span
    can include midnight. If ``hours`` is None, return False.
    """
    if hours is None:
        return False
    local = at.astimezone(zone_or_utc(zone))
    return hours_contain(hours, local.hour * 60 + local.minute)


def hours_contain(hours: tuple[int, int], minute: int) -> bool:
    """Return whether the time of day ``minute`` is in a span of hours.

    ``hours`` has the start and the end (exclusive), in minutes after midnight. The span can
    include midnight. Equal times mean an empty span.
    """
    begin, end = hours
    if begin == end:
        return False
    if begin < end:
        return begin <= minute < end
    return minute >= begin or minute < end


def _tokens(text: str) -> list[str]:
    """Return the words, times and signs of a text, normalized like the tables of this module."""
    plain = re.sub(r"\b([ap])\.?\s?m\b\.?", r"\1m", _without_marks(normalize_typed(text)))
    for phrase, word in _words_by_phrase().items():
        plain = plain.replace(phrase, f" {word} ")
    return [match[0] for match in _TOKEN.finditer(_with_spoken_hours_as_digits(plain))]


@cache
def _words_by_phrase() -> dict[str, str]:
    """Return a mapping from each phrase of ``_PHRASES``, without marks, to the equivalent word."""
    return {
        _without_marks(phrase): word
        for word, phrases in _PHRASES.items()
        for phrase in phrases.split("|")
    }


def _with_spoken_hours_as_digits(plain: str) -> str:
    """Return a text with digits in place of hours in words, as in "8:30" for "half past eight".

    ``plain`` is a result of ``_without_marks``.
    """
    plain = re.sub(r"\bпол(?=[а-я]+ого)", "пол ", plain)  # Russian "half to" without a blank
    plain = _number_pattern().sub(_digits_of_spoken_hour, plain)
    plain = _with_spoken_minutes_as_digits(plain).replace(_IN_WORDS, "")
    plain = _with_spoken_quarters_as_digits(plain)
    half_to, half_past, and_a_half = _half_patterns()
    plain = half_to.sub(lambda found: f"{int(found[1]) - 1 or _NOON}:30", plain)
    plain = half_past.sub(r"\1:30", plain)
    return and_a_half.sub(r"\1:30", plain)


def _digits_of_spoken_hour(found: re.Match[str]) -> str:
    """Return the digits for a number word such as "seven", and the Turkish ending of this word.

    The sign ``_IN_WORDS`` follows the digits.
    """
    number = next(
        number
        for number, word in zip(_numbers_in_pattern_order(), found.groups(), strict=False)
        if word
    )
    return f"{number}{_IN_WORDS} {found['ending'] or ''}".rstrip()


def _with_spoken_minutes_as_digits(plain: str) -> str:
    """Return a text with a time such as "seven fifteen" or "sete e quinze" as "7:15".

    ``plain`` has the numbers as digits, with ``_IN_WORDS`` after digits that replaced a number
    word.
    """
    is_span = re.search(rf"(?<!\w)(?:{_without_marks(_BETWEEN_TIMES)})(?!\w)", plain)
    joining = "" if is_span else "(?: (?:y|e|et|и|و))?"
    units = "(?: ?(?:h|heures?|uhr|ore|horas?|часов|часа|годин|saat))?"
    pattern = rf"(?<![\d:.])(1?\d|2[0-3]){_IN_WORDS}?{units}({joining}) (\d\d){_IN_WORDS}"

    def time_of(found: re.Match[str]) -> str:
        hour, word, minutes = found.groups()
        is_read = minutes in _MINUTES_ALONE and not (word and minutes == "10")
        return f"{hour}:{minutes}" if is_read else found[0]

    return re.sub(pattern, time_of, plain)


def _with_spoken_quarters_as_digits(plain: str) -> str:
    """Return a text with digits for the quarters of hours, as "7:15" for "quarter past 7"."""
    for (more, minutes), pattern in _quarter_patterns():

        def time_of(found: re.Match[str], more: int = more, minutes: int = minutes) -> str:
            return f"{int(found[1]) + more or _NOON}:{minutes}"

        plain = pattern.sub(time_of, plain)
    return plain


@cache
def _quarter_patterns() -> tuple[tuple[tuple[int, int], re.Pattern[str]], ...]:
    """Return the patterns of quarters in words, such as "quarter past 7", each with its key.

    The key is from ``_QUARTERS_BEFORE`` or ``_QUARTERS_AFTER``, and gives the meaning of the
    words.
    """
    hour = r"(1?\d|2[0-3])(?![:.]?\d)"
    units = "(?: ?(?:h|heures?|uhr|ore|час[а-я]*))?"
    before = [
        (
            key,
            re.compile(
                rf"(?<!\w)(?:{_without_marks(words)}) (?:(?:le|the|as|las|الساعه) )?{hour}"
            ),
        )
        for key, words in _QUARTERS_BEFORE.items()
    ]
    after = [
        (key, re.compile(rf"(?<!\d){hour}{units} ?(?:{_without_marks(words)})(?!\w)"))
        for key, words in _QUARTERS_AFTER.items()
    ]
    return (*before, *after)


@cache
def _numbers_in_pattern_order() -> tuple[int, ...]:
    """Return the numbers to which the groups of ``_number_pattern`` belong, in the same order."""
    return (*sorted(_MINUTES, reverse=True), *range(23, 0, -1))


@cache
def _number_pattern() -> re.Pattern[str]:
    """Return a pattern with a group for the words of each number (``_numbers_in_pattern_order``).

    A word directly after a number is not an hour, because Turkish "ten" means "from".
    """
    words_by_number = dict(enumerate(_NUMBERS, 1)) | _LATER_NUMBERS | _MINUTES
    hours = "|".join(
        f"({_without_marks(words_by_number[number])})" for number in _numbers_in_pattern_order()
    )
    return re.compile(rf"(?<!\w)(?<!\d )(?:{hours})(?P<ending>{_TURKISH_ENDINGS})?(?!\w)")


@cache
def _half_patterns() -> tuple[re.Pattern[str], ...]:
    """Return the patterns of half hours, as "halb neun", "half past 8" and "huit et demie"."""
    hour = r"(1?\d|2[0-3])(?![:.]?\d)"
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


def _minute_of_day_in(tokens: Sequence[str]) -> int | None:
    """Return the time of day that ``tokens`` name, in minutes after midnight.

    Return None if ``tokens`` are not exactly one time of day.
    """
    times: list[re.Match[str]] = []
    parts: list[str] = []
    for token in tokens:
        if token in _part_of_day_by_word():
            parts.append(_part_of_day_by_word()[token])
        elif match := _TIME.fullmatch(token):
            times.append(match)
        elif token not in _words(_OTHERS):
            return None
    match times, parts:
        case [time], []:
            return _minute_of_day(time[1], time[2], None)
        case [time], [part]:
            return _minute_of_day(time[1], time[2], part)
        case [], [part]:
            return _ALONE.get(part)
        case _:
            return None


def _minute_of_day(hour: str, minute: str | None, part: str | None) -> int | None:
    """Return the time of day of an hour, minutes and a part of the day, in minutes after midnight.

    24:00 is the same time as 0:00. Return None if the combination is impossible.
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
def _part_of_day_by_word() -> dict[str, str]:
    """Return a dictionary from words to parts of the day, such as from "pagi" to "morning".

    The parts of the day are the keys of ``_PARTS``.
    """
    found: dict[str, str] = {}
    for part, words in _PARTS.items():
        found.update(dict.fromkeys(_without_marks(words).split(), part))
    return found
