"""The words with which people ask for a pause, or for a time without alerts.

The words of all languages are used in every chat, because these words beside a profile name have
no different meaning.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from bot.domain.everyday_words import normalize_word, normalized_phrases

_PAUSE_WORDS = """
    silence mute muted muting unmute pause paused unpause snooze snoozed suspend
    silencia silenciar siléncialo silénciame pausa pausar pausá páusalo pausame suspende suspender
    silencie pause suspenda suspende pausieren pausiere pausier stummschalten stumm aussetzen
    suspends suspendre suspendez muet silenziare silenzia sospendi sospendere
    sustur susturun sessize duraklat duraklatın пауза паузу паузе приостанови приостановите
    заглуши заглушите اكتم كتم jeda bisukan dijeda
    призупини призупиніть заглуши مکث म्यूट पॉज़ पॉज
"""
_HOLDING_PHRASES = (
    "on hold|hold|take a break from|break from|take break from|put on ice|en espera|em espera"
    "|sur pause|en pause|auf eis|beklemeye|tunda dulu|ara ver|ara verelim|ara verin"
)
"""The phrases for a pause whose words alone can have another meaning."""
_FOR_NOW_PHRASES = (
    "for today|por hoy|por hoje|für heute|pour aujourd'hui|per oggi|bugünlük|на сегодня|لليوم"
    "|untuk hari ini|на сьогодні|برای امروز|आज के लिए|aaj ke liye"
    "|for an hour|por una hora|por uma hora|für eine stunde|pour une heure|pendant une heure"
    "|pour une journée|per un'ora|bir saatliğine|на час|لساعة|untuk sejam|на годину|برای یک ساعت"
    "|एक घंटे|ek ghante|for now|for a while|for a bit|for some time|temporarily|for the moment"
    "|por ahora|por un tiempo|por un rato|un tiempo|por enquanto|por um tempo|um tempo"
    "|vorerst|vorläufig|erstmal|erst mal|eine weile|eine zeit lang|pour l'instant"
    "|pour le moment|temporairement|quelque temps|per ora|per un po'|per un po|per un periodo"
    "|şimdilik|bir süre|bir süreliğine|пока что|на время|временно|на какое-то время"
    "|مؤقتا|لفترة|حاليا|sementara|sebentar|dulu|тимчасово|поки що|на деякий час|на якийсь час"
    "|فعلا|موقتا|یه مدت|یک مدت|फ़िलहाल|फिलहाल|कुछ समय|कुछ दिन|filhal|kuch din"
)
"""The phrases for a time, usually without an exact end."""
_TODAY_PHRASES = (
    "today|tonight|hoy|hoje|heute|aujourd'hui|oggi|bugün|bugünlük|сегодня|اليوم|لليوم|hari ini"
    "|сьогодні|امروز|आज|aaj|emrooz"
)
_UNITS = """
    hour hours hrs day days week weeks weekend month months hora horas día días dia dias semana
    semanas mes meses mês stunde stunden tag tage tagen woche wochen monat monate monaten
    heure heures jour jours semaine semaines mois ora ore giorno giorni settimana settimane mese
    mesi saat saatliğine gün günlüğüne hafta haftalığına ay aylığına час часа часов день дня дней
    неделя неделю недели недель месяц месяца месяцев ساعة ساعات ساعتين يوم أيام ايام يومين أسبوع
    اسبوع أسابيع أسبوعين شهر أشهر jam hari minggu pekan bulan година годину години годин день дні
    днів тиждень тижні тижнів місяць місяці місяців ساعت روز هفته ماه घंटे घंटा दिन हफ़्ते हफ्ते
    हफ़्ता हफ्ता महीने महीना ghante din hafte hafta mahine
"""
_SPANS = """
    seminggu sebulan sehari sejam haftalığına günlüğüne aylığına أسبوعين يومين ساعتين
"""
"""The words for a span of time that need no number."""
_LONG_UNITS = """
    week month semana mes mês woche monat semaine mois settimana mese hafta ay неделю месяц أسبوع
    اسبوع شهر тиждень місяць هفته ماه हफ़्ते हफ्ते महीने hafte mahine
"""
"""The units that are a span of time after an article, as in "a week"."""
_NUMBERS = """
    one two three four five six seven ten couple few several
    uno dos tres cuatro cinco seis siete diez unos unas par um dois duas três quatro sete dez
    zwei drei vier fünf sechs sieben zehn paar einige deux trois quatre cinq six sept dix
    quelques due tre quattro cinque sei sette dieci alcuni alcune qualche iki üç dört beş altı yedi
    on birkaç
    два две три четыре пять шесть семь десять пару несколько ثلاثة ثلاث أربعة خمسة سبعة عشرة كم
    dua tiga empat lima enam tujuh sepuluh beberapa дві чотири п'ять шість сім кілька декілька
    دو سه چهار پنج شش هفت ده چند दो तीन चार पाँच पांच सात दस कुछ do teen char paanch saat kuch
"""
_ARTICLES = "a an one un una um uma ein eine einen une uno bir одну один на یک یه एक ek"
_AROUND_SPANS = """
    for of the next por durante unos unas für lang pour pendant durant per boyunca на لمدة selama
    برای के लिए liye only just maybe about sólo solo só nur seulement juste sadece только только
    فقط hanya cuma тільки
"""


def has_pause_word(words: Sequence[str]) -> bool:
    """Return whether normalized words ask to pause or to resume alerts, as in "mute natgeo"."""
    return not _words(_PAUSE_WORDS).isdisjoint(words) or _has_phrase(words, _HOLDING_PHRASES)


def has_today(words: Sequence[str]) -> bool:
    """Return whether normalized words have a word such as "today"."""
    return _has_phrase(words, _TODAY_PHRASES)


def has_span(words: Sequence[str]) -> bool:
    """Return whether normalized words have a span of time, such as "2 days" or "for now"."""
    if _has_phrase(words, _FOR_NOW_PHRASES) or not _words(_SPANS).isdisjoint(words):
        return True
    return any(_is_span(first, second) for first, second in pairwise(words))


def is_only_span(words: Sequence[str]) -> bool:
    """Return whether normalized words are a span of time, as "2 days" or "for a week".

    A phrase of ``_FOR_NOW_PHRASES``, such as "for now", does not count as a span of time.
    """
    if _has_phrase(words, _FOR_NOW_PHRASES) or not has_span(words):
        return False
    known = _words(_SPANS + _UNITS + _NUMBERS + _ARTICLES + _AROUND_SPANS)
    return all(word in known or word.isdecimal() for word in words)


def _is_span(first: str, second: str) -> bool:
    if second in _words(_UNITS) and (first.isdecimal() or first in _words(_NUMBERS)):
        return True
    return second in _words(_LONG_UNITS) and first in _words(_ARTICLES)


def _has_phrase(words: Sequence[str], table: str) -> bool:
    text = f" {' '.join(words)} "
    return any(f" {phrase} " in text for phrase in _phrases(table))


@cache
def _words(table: str) -> frozenset[str]:
    return frozenset(map(normalize_word, table.split()))


@cache
def _phrases(table: str) -> frozenset[str]:
    return normalized_phrases([table])
