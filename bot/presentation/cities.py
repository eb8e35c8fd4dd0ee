"""Cities and time zones, by the names that people type in any language of the bot.

The names are from Unicode's CLDR (by Babel) and from the time zone database. Both have only a city
or two per zone, so ``_MORE`` adds other large cities.
"""

import difflib
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global

from bot.domain.zones import is_zone, zone_of
from bot.presentation.translation import LANGUAGES

CHOICE = (
    "UTC", "Europe/London", "Europe/Madrid", "Europe/Berlin", "Europe/Istanbul", "Europe/Moscow",
    "Africa/Cairo", "Africa/Lagos", "Asia/Dubai", "Asia/Kolkata", "Asia/Jakarta", "Asia/Shanghai",
    "Asia/Tokyo", "Australia/Sydney", "America/Sao_Paulo", "America/New_York", "America/Chicago",
    "America/Mexico_City", "America/Los_Angeles", "America/Argentina/Buenos_Aires",
)  # fmt: skip
"""Well-known cities. If several zones have the same time, the zone of such a city is preferred."""

_SUGGESTED = {
    "en": ("Europe/London", "America/New_York", "America/Los_Angeles"),
    "es": ("Europe/Madrid", "America/Mexico_City", "America/Bogota", "America/Lima",
           "America/Argentina/Buenos_Aires", "America/Santiago"),
    "pt_BR": ("America/Sao_Paulo", "America/Manaus", "Europe/Lisbon"),
    "de": ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich"),
    "fr": ("Europe/Paris", "Europe/Brussels", "America/Toronto", "Africa/Algiers"),
    "it": ("Europe/Rome",),
    "tr": ("Europe/Istanbul", "Europe/Berlin"),
    "ru": ("Europe/Moscow", "Asia/Yekaterinburg", "Asia/Novosibirsk", "Asia/Almaty"),
    "ar": ("Africa/Cairo", "Asia/Riyadh", "Asia/Dubai", "Asia/Baghdad", "Africa/Casablanca"),
    "id": ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"),
    "uk": ("Europe/Kyiv", "Europe/Warsaw", "Europe/Berlin"),
    "fa": ("Asia/Tehran", "Asia/Kabul", "Asia/Dubai"),
    "hi": ("Asia/Kolkata", "Asia/Dubai"),
}  # fmt: skip
_ANYWHERE = (
    "Europe/London", "Europe/Berlin", "Europe/Moscow", "Asia/Dubai", "Asia/Kolkata", "Asia/Tokyo",
    "America/Sao_Paulo", "America/New_York", "America/Los_Angeles",
)  # fmt: skip
_OFFERED = 9  # the number of cities to offer on a page
_HALF_HOURS = {
    "+3:30": "Asia/Tehran", "+4:30": "Asia/Kabul", "+5:30": "Asia/Kolkata",
    "+5:45": "Asia/Kathmandu", "+6:30": "Asia/Yangon", "+8:45": "Australia/Eucla",
    "+9:30": "Australia/Darwin", "+12:45": "Pacific/Chatham",
    "-3:30": "America/St_Johns", "-9:30": "Pacific/Marquesas",
}  # fmt: skip
"""Zones by offsets of parts of an hour.

The zone database has fixed zones only for whole hours. +10:30 is left out, because the offset is
Adelaide's in summer and Lord Howe's in winter. The bot then asks for a city.
"""

_MORE = {
    "America/New_York": "Washington, Boston, Miami, Atlanta, Philadelphia, Orlando, NYC",
    "America/Denver": "Salt Lake City",
    "America/Chicago": "Houston, Dallas, Austin, San Antonio, New Orleans",
    "America/Los_Angeles": "San Francisco, San Diego, Seattle, Las Vegas, Portland, LA",
    "America/Toronto": "Montreal, Ottawa, Montréal",
    "America/Sao_Paulo": "Rio de Janeiro, Rio, Brasilia, Brasília, Belo Horizonte, Curitiba, "
    "Porto Alegre",
    "America/Bahia": "Salvador",
    "America/Mexico_City": "Guadalajara, Puebla, CDMX, Ciudad de México",
    "America/Bogota": "Medellin, Cali",
    "Europe/Madrid": "Barcelona, Valencia, Sevilla, Seville, Барселона",
    "Europe/Berlin": "Munich, München, Hamburg, Frankfurt, Köln, Cologne, Мюнхен, Stuttgart, "
    "Düsseldorf, Leipzig, Dresden, Hannover, Nürnberg, Bremen, Monaco di Baviera",
    "Europe/Vienna": "Graz, Salzburg, Linz, Innsbruck",
    "Europe/Zurich": "Genf, Genève, Geneva, Ginevra, Basel, Bâle, Bern, Lausanne",
    "Europe/London": "Manchester, Birmingham, Edinburgh, Glasgow",
    "Europe/Rome": "Milan, Milano, Naples, Napoli, Turin, Милан, Torino, Mailand, Neapel, "
    "Firenze, Florenz, Bologna, Palermo, Genova, Bari, Catania, Verona, Venezia, Venedig",
    "Europe/Paris": "Lyon, Marseille, Toulouse, Nice, Nantes, Bordeaux, Lille, Strasbourg, "
    "Montpellier, Rennes, Lione, Marsiglia, Nizza",
    "Europe/Lisbon": "Porto",
    "Europe/Istanbul": "Ankara, Izmir, Анкара, أنقرة, Bursa, Antalya, Adana, Konya, "
    "Gaziantep, Trabzon",
    "Europe/Moscow": "Saint Petersburg, St Petersburg, Санкт-Петербург, Петербург, Питер, СПб, "
    "Мск, Москве, Москву, Питере, Казань, Kazan, Сочи, Sochi, "
    "Нижний Новгород, Краснодар, Ростов-на-Дону",
    "Europe/Kyiv": "Києві, Киеве, Lviv, Odesa, Odessa, Kharkiv, Dnipro, Львів, Одеса, Харків, "
    "Дніпро, Запоріжжя, Вінниця",
    "Asia/Yekaterinburg": "Уфа, Челябинск, Пермь, Тюмень",
    "Asia/Kolkata": "Mumbai, Delhi, New Delhi, Bangalore, Bengaluru, Chennai, Hyderabad, India, "
    "Pune, मुंबई, दिल्ली, नई दिल्ली, बेंगलुरु, चेन्नई, हैदराबाद, पुणे, भारत",
    "Asia/Dubai": "Abu Dhabi, أبوظبي, أبو ظبي",
    "Asia/Riyadh": "Jeddah, Mecca, Medina, جدة, مكة, المدينة",
    "Asia/Tehran": "Mashhad, Isfahan, Shiraz, Tabriz, مشهد, اصفهان, شیراز, تبریز, کرج, قم",
    "Africa/Cairo": "Alexandria, Giza, الإسكندرية, الجيزة",
    "Asia/Jakarta": "Bandung, Surabaya, Semarang, Yogyakarta, Medan, Palembang, WIB",
    "Asia/Makassar": "Denpasar, Bali, WITA",
    "Asia/Jayapura": "WIT",
    "Asia/Shanghai": "Beijing, Shenzhen, Guangzhou, Пекин, بكين, Peking, Pékin, Pechino, Pekin",
    "Asia/Tokyo": "Osaka, Kyoto",
    "Asia/Karachi": "Lahore, Islamabad",
    "Asia/Ho_Chi_Minh": "Hanoi, Saigon",
    "Australia/Sydney": "Canberra",
}

_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?")
_SEASONS = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))
_LIKENESS = 0.84  # minimum similarity of a name; "barcelna" has 0.94 to "barcelona"
_LEAST_SIMILAR = 5  # letters of a misspelled name; "test" resembles the zone "EST"
_LONGEST = 64
_COUNTRY_CODE = 2  # the number of letters in a country code
_COUNTRIES = {
    "US": "usa, u.s.a., america",
    "GB": "uk, u.k., england, scotland, wales, great britain, inglaterra, escocia, "
    "großbritannien, schottland, angleterre, écosse, inghilterra, scozia, ingiltere, iskoçya, "
    "англия, шотландия, англія, шотландія, إنجلترا, بريطانيا, inggris, انگلستان, انگلیس, इंग्लैंड",
    "AE": "uae, u.a.e.",
}
"""Names of countries that CLDR does not have."""
_BEFORE_CITY = """
    in at from near i m im am we are live my city time zone is it s its use set to hi hello ok
    en desde vivo estoy soy mi ciudad es hora de la
    em no na moro estou sou minha cidade fica e
    ich bin wohne lebe wir aus bei meine stadt ist
    je j habite suis vis a au ma ville est c
    abito sono sto mia citta dal di da
    ben
    я мы живу нахожусь мой город это в во из у
    أنا أعيش أسكن ساكن مدينتي مدينة في من
    saya aku tinggal kota di dari
    мешкаю живемо моє місто із з
    من شهر در از
    मैं मेरा शहर
"""
"""The words that people write before the name of a city, as in "I live in Berlin"."""
_AFTER_CITY = """
    city time zone timezone area please pls thanks thank you
    por favor porfa gracias obrigado obrigada bitte danke s il vous te plait svp merci
    per favore grazie da de dayım deyim yaşıyorum lütfen teşekkürler пожалуйста спасибо
    لو سمحت فضلك شكرا ya makasih terima kasih будь ласка дякую هستم زندگی میکنم لطفا ممنون
    में मे हूँ हूं रहता रहती से कृपया
"""
"""The words that people write after the name of a city, as in "Berlin, please"."""


def zone_named(text: str) -> str | None:
    """Return the time zone for a city, a country, the name of a zone, or an offset such as UTC+3.

    The country may follow the city ("Paris, France"). Words such as "I live in" and "please" may
    surround the name. A misspelled name matches a very similar name. Only the first 64 characters
    count.
    Return None for an unknown name, for a city that is not in the country after it, and for a
    country with several times. For such a country, use ``zones_of_country``.
    """
    if match := _OFFSET.fullmatch(text.strip().casefold()):
        return _zone_of_offset(match[1], int(match[2]), match[3] or "00")
    names = _possible_names(text)
    known = _zones_by_name()
    for name in names:
        if name in known:
            return known[name]
        if zones := _zones_of_exact_country(name):
            return zones[0] if len(zones) == 1 else None
    with_country = (_zone_with_country(name) for name in names)
    similar = (_zone_of_similar_name(name) for name in names)
    return next((zone for zone in (*with_country, *similar) if zone), None)


def _possible_names(text: str) -> list[str]:
    """Return a text, and the text with fewer and fewer of the words around a city, normalized."""
    words = _normalized(text[:_LONGEST]).split()
    if not words:
        return []
    names = [" ".join(words)]
    while len(words) > 1 and words[0] in _words_of(_BEFORE_CITY):
        words = words[1:]
        names.append(" ".join(words))
    while len(words) > 1 and words[-1] in _words_of(_AFTER_CITY):
        words = words[:-1]
        names.append(" ".join(words))
    return names


@cache
def _words_of(table: str) -> frozenset[str]:
    return frozenset(_normalized(table).split())


def _zone_with_country(name: str) -> str | None:
    """Return the zone of a city with its country, as in "paris france", or None."""
    words = name.split()
    for end in range(1, len(words)):
        code = _countries_by_name().get(" ".join(words[end:]))
        zone = _zones_by_name().get(" ".join(words[:end]))
        if code and zone and get_global("zone_territories").get(zone) == code:
            return zone
    return None


def _zone_of_similar_name(name: str) -> str | None:
    if len(name) < _LEAST_SIMILAR:
        return None
    known = _zones_by_name()
    near = difflib.get_close_matches(name, known, n=1, cutoff=_LIKENESS)
    return known[near[0]] if near else None


def suggested(language: str) -> list[str]:
    """Return the zones of nine cities to offer. Cities where the language is spoken come first."""
    return list(dict.fromkeys((*_SUGGESTED.get(language, ()), *_ANYWHERE)))[:_OFFERED]


def _zone_of_offset(sign: str, hours: int, minutes: str) -> str | None:
    """Return a zone with this offset from UTC, or None for an unknown offset.

    ``_HALF_HOURS`` has the known offsets with parts of an hour.
    """
    if minutes != "00":
        return _HALF_HOURS.get(f"{sign}{hours}:{minutes}")
    # The names of these zones have the opposite sign. For example, Etc/GMT-1 is ahead of UTC.
    name = f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"
    return name if is_zone(name) else None


def zones_of_country(text: str) -> list[str]:
    """Return one time zone for each different time in a country.

    ``text`` is the name of the country in a language of the bot. For an unknown name, return an
    empty list.
    """
    found = map(_zones_of_exact_country, _possible_names(text))
    return next((zones for zones in found if zones), [])


def _zones_of_exact_country(name: str) -> list[str]:
    code = _countries_by_name().get(name)
    if code is None:
        return []
    places = get_global("zone_territories")
    zones = sorted(zone for zone, place in places.items() if place == code and is_zone(zone))
    known = [zone for zone in (*CHOICE, *_MORE) if zone in zones]
    by_time: dict[tuple[timedelta | None, ...], str] = {}
    for zone in (*known, *zones):  # well-known cities first, and one city for each time
        times = tuple(at.astimezone(zone_of(zone)).utcoffset() for at in _SEASONS)
        by_time.setdefault(times, zone)
    return list(by_time.values())


@cache
def _countries_by_name() -> dict[str, str]:
    """Return the codes of countries by name. The names are in all languages of the bot."""
    names: dict[str, str] = {}
    for code, others in _COUNTRIES.items():
        names.update(dict.fromkeys(map(_normalized, others.split(", ")), code))
    for language in LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == _COUNTRY_CODE and code.isalpha():
                names.setdefault(_normalized(name), code)
    return names


def city_of(zone: str, language: str) -> str:
    """Return the name of a time zone's city in a language of the bot."""
    return _cities_by_zone(language).get(zone) or zone.rpartition("/")[2].replace("_", " ")


@cache
def _cities_by_zone(language: str) -> dict[str, str]:
    """Return the names of cities in a language, by time zone. CLDR has these names."""
    aliases = get_global("zone_aliases")
    locale = Locale.parse(language)
    named = {zone: locale.time_zones[zone].get("city") for zone in locale.time_zones}
    return {str(aliases.get(str(zone), zone)): str(city) for zone, city in named.items() if city}


@cache
def _zones_by_name() -> dict[str, str]:
    """Return the time zones by the normalized name of their city.

    If several zones have the same name, the first zone counts.
    """
    result: dict[str, str] = {}

    def add(name: str, zone: str) -> None:
        if is_zone(zone):
            result.setdefault(_normalized(name), zone)

    for zone in (*CHOICE, *sorted(available_timezones())):
        add(zone, zone)
        if "/" in zone and not zone.startswith("Etc/"):
            add(zone.rpartition("/")[2], zone)
    for language in LANGUAGES:
        for zone, city in _cities_by_zone(language).items():
            add(city, zone)
    for zone, cities in _MORE.items():
        for city in cities.split(", "):
            add(city, zone)
    return result


def _normalized(name: str) -> str:
    """Return ``name`` in lower case, without accents, and with spaces for punctuation."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in letters if not unicodedata.combining(c) and c != "\u0640")
    return " ".join(re.sub(r"[-_.,;:!?¡¿'\u2019/]+", " ", letters).split())
