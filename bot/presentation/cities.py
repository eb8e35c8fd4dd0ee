"""Time zones by the names of cities and countries that people type in any language of the bot.

The names are from Unicode's CLDR (by Babel), from the time zone database, and from ``_MORE``.
"""

import difflib
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global

from bot.domain.zones import is_zone, zone_or_utc
from bot.presentation.translation import LANGUAGES

CHOICE = (
    "UTC", "Europe/London", "Europe/Madrid", "Europe/Berlin", "Europe/Istanbul", "Europe/Moscow",
    "Africa/Cairo", "Africa/Lagos", "Asia/Dubai", "Asia/Kolkata", "Asia/Jakarta", "Asia/Shanghai",
    "Asia/Tokyo", "Australia/Sydney", "America/Sao_Paulo", "America/New_York", "America/Chicago",
    "America/Mexico_City", "America/Los_Angeles", "America/Argentina/Buenos_Aires",
)  # fmt: skip
"""The zones of well-known cities.

If several zones of a country have the same time, the zone of a well-known city is chosen.
"""

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
_OFFERED = 9  # the maximum number of cities that the bot offers at a time
_HALF_HOURS = {
    "+3:30": "Asia/Tehran", "+4:30": "Asia/Kabul", "+5:30": "Asia/Kolkata",
    "+5:45": "Asia/Kathmandu", "+6:30": "Asia/Yangon", "+8:45": "Australia/Eucla",
    "+9:30": "Australia/Darwin", "+12:45": "Pacific/Chatham",
    "-3:30": "America/St_Johns", "-9:30": "Pacific/Marquesas",
}  # fmt: skip
"""The zones for the offsets from UTC that are not whole hours.

The offset +10:30 is missing, because Adelaide in summer and Lord Howe Island in winter have this
offset. If a person types this offset, the bot asks for a city.
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
    "Europe/Kyiv": "Києві, Києв, Киеве, Львов, Харков, Днепр, Дніпрі, Lviv, Odesa, "
    "Odessa, Kharkiv, Dnipro, Львів, Одеса, Харків, Дніпро, Запоріжжя, Вінниця",
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
# The minimum similarity of a misspelled name and a known name. For example, the similarity of
# "barcelna" and "barcelona" is 0.94.
_LIKENESS = 0.84
# The minimum number of letters of a misspelled name. Shorter words are not corrected. For example,
# "test" is not a misspelling of the zone "EST".
_LEAST_SIMILAR = 5
_LONGEST = 64
_COUNTRY_CODE = 2  # the number of letters in a country code
_COUNTRIES = {
    "US": "usa, u.s.a., america",
    "GB": "uk, u.k., england, scotland, wales, great britain, inglaterra, escocia, "
    "großbritannien, schottland, angleterre, écosse, inghilterra, scozia, ingiltere, iskoçya, "
    "англия, шотландия, англія, шотландія, إنجلترا, بريطانيا, inggris, انگلستان, انگلیس, इंग्लैंड",
    "AE": "uae, u.a.e.",
}
"""Names of countries that are missing in CLDR, by country code."""
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
    now right currently based located living staying moved to the same as like from
    ahora actualmente agora gerade jetzt maintenant actuellement adesso ora şu an şimdi
    сейчас теперь зараз тепер родом الآن الان حاليا sekarang lagi gue gw الان اهل ساکن
    अभी main mai hum abhi
"""
"""The words that people write before the name of a city, as in "I live in Berlin"."""
_AFTER_CITY = """
    city time zone timezone area please pls thanks thank you
    por favor porfa gracias obrigado obrigada bitte danke s il vous te plait svp merci
    per favore grazie da de dayım deyim yaşıyorum lütfen teşekkürler пожалуйста спасибо
    لو سمحت فضلك شكرا ya makasih terima kasih будь ласка дякую هستم زندگی میکنم لطفا ممنون
    में मे हूँ हूं रहता रहती से कृपया
    now right currently atm today at the moment ahora actualmente agora gerade jetzt maintenant
    actuellement en ce moment adesso ora şu an şimdi сейчас теперь зараз الآن الان sekarang
    अभी me mein hu hoon rehta rehti se abhi
"""
"""The words that people write after the name of a city, as in "Berlin, please"."""
_BEFORE_PLACE = (
    "i'm in|im in|i am in|i'm now in|i'm currently in|i live in|we live in|i'm from|i am from"
    "|i moved to|i'm based in|vivo en|estoy en|ahora estoy en|soy de|me mudé a|moro em|moro no"
    "|moro na|estou em|estou no|estou na|agora estou em|sou de|vivo em|ich wohne in|wohne in"
    "|ich wohn in|ich lebe in|lebe in|ich bin in|bin in|ich bin gerade in|bin gerade in"
    "|ich bin jetzt in|ich komme aus|j'habite à|jhabite à|j'habite en|j'habite au|je vis à"
    "|je vis en|je suis à|je suis en|je suis au|je suis de|je viens de|abito a|abito in|vivo a"
    "|vivo in|sono a|sono in|sono di|sto a|adesso sono a|я в|я во|я из|я живу в|живу в|живу во"
    "|я сейчас в|сейчас я в|нахожусь в|я нахожусь в|أنا في|انا في|أعيش في|أسكن في|ساكن في"
    "|أنا من|انا من|aku di|saya di|gue di|aku tinggal di|saya tinggal di|tinggal di|aku lagi di"
    "|aku dari|saya dari|я з|я із|я у|я зараз в|я зараз у|я живу у|живу у|мешкаю в|мешкаю у"
    "|من در|من اهل|من الان در|ana fi|man dar|sakin fi"
)
"""The phrases before a place in a statement of the person, as in "I live in Berlin"."""
_AFTER_PLACE = (
    "yaşıyorum|da yaşıyorum|de yaşıyorum|ta yaşıyorum|te yaşıyorum|dayım|deyim|tayım|teyim"
    "|da oturuyorum|de oturuyorum|زندگی میکنم|زندگی می‌کنم|هستم|में हूँ|में हूं|मे हूँ"
    "|में रहता हूँ|में रहती हूँ|में रहता हूं|me hu|me hoon|mein hu|mein hoon|me rehta hu"
    "|me rehti hu|mein rehta hoon|mein rehti hoon|se hu|se hoon|zendegi mikonam|hastam"
)
"""The phrases after a place in a statement of the person, as in "İstanbul'da yaşıyorum"."""
_LOCATIVES = ("da", "de", "ta", "te")
"""The endings of Turkish places, as in "Ankarada"."""
_CLAUSE_END = re.compile(r"[,.;!?\n]+")
_AND = re.compile(r" (?:and|but|so|y|pero|und|aber|et|mais|e|ma|ve|и|но|dan|tapi|та|але|और) ")
_CASES = {
    "е": ("", "а"),
    "і": ("", "а", "я"),
    "и": ("а", "ь", "я"),
    "у": ("", "а"),
    "а": ("", "о"),
    "ы": ("а",),
}
"""The possible endings of the base form, by the last letter of an inflected name.

The names are Russian and Ukrainian.
"""


def zone_named(text: str, *, allows_similar: bool = True) -> str | None:
    """Return the time zone for a city, a country, the name of a zone, or an offset such as UTC+3.

    Only the first 64 characters of a name are read. With ``allows_similar``, a misspelled name can
    match. Return None for an unknown name, and for a country with several times
    (``zones_of_country``).
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
    with_country = (_zone_of_city_and_country(name) for name in names)
    similar = (_zone_of_similar_name(name) for name in names if allows_similar)
    return next((zone for zone in (*with_country, *similar) if zone), None)


def _possible_names(text: str) -> list[str]:
    """Return the parts of a text that can be the name of a city, normalized.

    The parts omit words such as "in" or "please" at both ends. Some languages inflect names, so
    base forms are added.
    """
    words = _normalized(text[:_LONGEST]).split()
    if not words:
        return []
    names = [" ".join(words)]
    while len(words) > 1 and words[0] in _normalized_words(_BEFORE_CITY):
        words = words[1:]
        names.append(" ".join(words))
    while len(words) > 1 and words[-1] in _normalized_words(_AFTER_CITY):
        words = words[:-1]
        names.append(" ".join(words))
    name = names[-1]
    if name.endswith(_LOCATIVES):
        names.append(name[:-2])
    return names + [name[:-1] + end for end in _CASES.get(name[-1], ())]


def zones_in_statement(text: str) -> list[str]:
    """Return the time zones of the place in a statement such as "I live in Berlin".

    Only the first 64 characters are read. A country can have several zones. The list is empty for
    any other text, and for an unknown or misspelled place.
    """
    clauses = _CLAUSE_END.split(text[:_LONGEST])
    for clause in (*clauses, *(_AND.split(clause)[0] for clause in clauses)):
        for name in _possible_names(_place_in_statement(clause)):
            if zone := _zones_by_name().get(name):
                return [zone]
            if zones := _zones_of_exact_country(name):
                return zones
    return []


def _place_in_statement(clause: str) -> str:
    """Return the place in a statement such as "I live in Berlin", normalized, or an empty text.

    The statement begins with a phrase of ``_BEFORE_PLACE`` or ends with a phrase of
    ``_AFTER_PLACE``.
    """
    words = f"{_normalized(clause)} "
    before = next(
        (one for one in _normalized_phrases(_BEFORE_PLACE) if words.startswith(f"{one} ")), ""
    )
    after = next(
        (one for one in _normalized_phrases(_AFTER_PLACE) if words.endswith(f" {one} ")), ""
    )
    is_statement = bool(before or after)
    return words.removeprefix(before).strip().removesuffix(after).strip() if is_statement else ""


@cache
def _normalized_phrases(table: str) -> tuple[str, ...]:
    """Return the normalized phrases of a table, the longest first."""
    return tuple(sorted(map(_normalized, table.split("|")), key=len, reverse=True))


@cache
def _normalized_words(table: str) -> frozenset[str]:
    return frozenset(_normalized(table).split())


def _zone_of_city_and_country(name: str) -> str | None:
    """Return the zone of a city that is followed by its country, as in "paris france".

    Return None for any other text.
    """
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


def suggested_zones(language: str) -> list[str]:
    """Return the zones of the nine cities that the bot offers.

    The cities for the language (``_SUGGESTED``) come first.
    """
    return list(dict.fromkeys((*_SUGGESTED.get(language, ()), *_ANYWHERE)))[:_OFFERED]


def _zone_of_offset(sign: str, hours: int, minutes: str) -> str | None:
    """Return a zone with the given offset from UTC, or None if no such zone is known.

    ``_HALF_HOURS`` has the known offsets that are not whole hours.
    """
    if minutes != "00":
        return _HALF_HOURS.get(f"{sign}{hours}:{minutes}")
    # The names of the zones with a fixed offset have the opposite sign. For example, the time in
    # Etc/GMT-1 is ahead of UTC.
    name = f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"
    return name if is_zone(name) else None


def zones_of_country(text: str) -> list[str]:
    """Return one time zone for each different time in a country.

    ``text`` is the name of the country in any language of the bot. If the name is unknown, return
    an empty list.
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
    # The zones of well-known cities come first, because only the first zone with each different
    # time is returned.
    for zone in (*known, *zones):
        times = tuple(at.astimezone(zone_or_utc(zone)).utcoffset() for at in _SEASONS)
        by_time.setdefault(times, zone)
    return list(by_time.values())


@cache
def _countries_by_name() -> dict[str, str]:
    """Return a mapping from the normalized name of each country to the country code.

    The names are in all languages of the bot.
    """
    names: dict[str, str] = {}
    for code, others in _COUNTRIES.items():
        names.update(dict.fromkeys(map(_normalized, others.split(", ")), code))
    for language in LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == _COUNTRY_CODE and code.isalpha():
                names.setdefault(_normalized(name), code)
    return names


def city_of(zone: str, language: str) -> str:
    """Return the name of a time zone's city in ``language``, a language of the bot.

    If CLDR does not have the name, return the name in the time zone database.
    """
    return _cities_by_zone(language).get(zone) or zone.rpartition("/")[2].replace("_", " ")


@cache
def _cities_by_zone(language: str) -> dict[str, str]:
    """Return a mapping from time zones to the CLDR names of their cities in ``language``."""
    aliases = get_global("zone_aliases")
    locale = Locale.parse(language)
    named = {zone: locale.time_zones[zone].get("city") for zone in locale.time_zones}
    return {str(aliases.get(str(zone), zone)): str(city) for zone, city in named.items() if city}


@cache
def _zones_by_name() -> dict[str, str]:
    """Return a mapping from the normalized names of zones and cities to the time zones.

    If several zones have a city with the same name, the name belongs to the first of these zones.
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
    """Return ``name`` in lower case and without accents.

    Spaces replace apostrophes and the marks - _ . , ; : ! ? ¡ ¿ / in the name.
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in letters if not unicodedata.combining(c) and c != "\u0640")
    return " ".join(re.sub(r"[-_.,;:!?¡¿'\u2019/]+", " ", letters).split())
