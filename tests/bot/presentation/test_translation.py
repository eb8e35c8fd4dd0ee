"""Every language is complete and says the same; no word can break a reply."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tdjson
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import NOTHING_FOUND, NothingKeptError
from bot.presentation import html, solar_hijri, translation
from bot.presentation.translation import (
    LANGUAGES,
    LOCALES,
    Safe,
    Translator,
    language_for,
    load_catalogue,
    translator_for,
)
from handlers.admission import STRANGER_CHAT
from handlers.exchange import HOW
from handlers.money import PART
from handlers.settings import QUIET
from tools.catalogues import (
    extract,
    fields_in,
    ids_of,
    message_ids,
    problems,
    twice,
)

calm = settings(deadline=None)  # the machine may be busy with other tests
NOW = datetime(2026, 11, 25, 13, 5, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
TODAY = "{n} story today"
FROM_THE_RIGHT = [code for code, language in LANGUAGES.items() if language.is_rtl]

tdjson.td_execute(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}')


@cache
def template() -> Catalog:
    """Return what the code says, read once for all languages."""
    return extract()


def messages(language: str) -> list[tuple[str, ...]]:
    with (LOCALES / language / "LC_MESSAGES" / "bot.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    return [
        (m.string,) if isinstance(m.string, str) else tuple(m.string or ())
        for m in catalogue
        if m.id
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_code_is_translated_with_the_same_fields_and_tags(
    language: str,
) -> None:
    assert problems(language, template()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_telegram_takes_every_translation(language: str) -> None:
    for form in (form for forms in messages(language) for form in forms):
        request = {
            "@type": "parseTextEntities",
            "text": form,
            "parse_mode": {"@type": "textParseModeHTML"},
        }
        answer = json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}")
        assert answer["@type"] == "formattedText", form


def endings(t: Translator) -> set[str]:
    """What fields end in: times, spans and days, which some languages shorten with a full stop."""
    spans = [timedelta(seconds=8), timedelta(minutes=25), timedelta(hours=3), timedelta(days=2)]
    days = [NOW.replace(month=month) for month in range(1, 13)]
    return {
        *map(t.duration, spans),
        *map(t.day, days),
        t.day_range(NOW, NOW),
        t.date_and_time(NOW),
        t.time(NOW),
        t.percent(0.02),
        t.money(0.5),
        t.relative_time(NOW),
        t.listed(["natgeo", "prada"]),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sign_stands_twice_and_no_blank_whatever_is_told(language: str) -> None:
    t = translator_for(language)
    values, marks = endings(t), dict.fromkeys(map(ord, "\u2068\u2069\u200f"))
    for ids in (ids_of(message) for message in template() if message.id):
        names = {name for text in ids for name in fields_in(text)}
        fields = names - {"n"}
        numbers = (1, 2, 5, 21) if len(ids) > 1 or "n" in names else (1,)
        # The text of a message without fields is the same for each value.
        for value, n in product(values if fields else ("",), numbers):
            text = t(ids[0], **dict.fromkeys(fields, Safe(value)), n=n)
            seen = html.plain(text).translate(marks)
            assert not twice(seen), seen


NUMBERS = (0, 1, 2, 3, 5, 11, 21, 100, 101, 1000, 1.5, 0.8)
NUMERIC = {
    "n", "left", "spent", "done", "total", "megabytes", "most", "count", "speed",
    "profiles", "waiting", "dead_letters", "enough", "shown", "daily_budget", "number", "percent",
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_number_of_each_sentence_is_written_as_the_language_does(language: str) -> None:
    t = translator_for(language)
    for ids in (ids_of(message) for message in template() if message.id):
        names = {name for text in ids for name in fields_in(text)}
        for name, n in product(names & NUMERIC, NUMBERS):
            if name == "n" and isinstance(n, float) != (ids[0] == PART):
                continue  # things are counted whole, but parts of a credit
            told: dict[str, object] = {**dict.fromkeys(names, "x"), "n": 7, name: n}
            text = html.plain(t(ids[0], **told))
            if re.search(f"[=#]{{{name}}}", ids[0]):
                written = str(n)
            else:
                written = t.percent(n) if name == "percent" else t.number(n)
                # A message may contain small numbers of its own.
                is_own = n in range(1000) or t.number(n) == str(n)
                assert is_own or str(n) not in text, text
            in_words = len(ids) > 1 and n in {0, 1, 2}  # "one story", "two stories"
            assert written in text or in_words, text
            if language == "en" and n == 1:
                assert not re.search(r"(?<![=.])\b1 (?!is\b)[a-z]+s\b", text), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_cldr(language: str) -> None:
    with (LOCALES / language / "LC_MESSAGES" / "bot.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    rule = translation.load_catalogue(language).form_of
    locale = Locale.parse(language)
    categories: dict[int, set[str]] = {}
    for n in range(1000):
        categories.setdefault(rule(n), set()).add(locale.plural_form(n))
    assert len(categories) == catalogue.num_plurals
    assert all(len(names) == 1 for names in categories.values())


@pytest.mark.parametrize(
    ("language", "n", "text"),
    [
        ("en", 1, "1 story today"),
        ("en", 1500, "1,500 stories today"),
        ("ru", 1, "1 история сегодня"),
        ("ru", 22, "22 истории сегодня"),
        ("ru", 11, "11 историй сегодня"),
        ("ar", 2, "قصتان اليوم"),
        ("fr", 0, "0 story aujourd'hui"),
    ],
)
def test_things_are_counted_as_each_language_does(language: str, n: int, text: str) -> None:
    assert translator_for(language)(TODAY, n=n) == text


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("pt", "pt_BR"),
        ("pt-br", "pt_BR"),
        ("PT_pt", "pt_BR"),
        ("es-419", "es"),
        ("in", "id"),
        ("kk", "ru"),
        ("be-BY", "ru"),
        ("ca", "es"),
        ("ms", "id"),
        ("ps", "fa"),
        ("xx", "en"),
        ("", "en"),
        (None, "en"),
        ("\ud800", "en"),
    ],
)
def test_each_language_code_finds_its_language(code: str | None, language: str) -> None:
    assert language_for(code) == language
    assert translator_for(code).language == language


@pytest.mark.parametrize(
    ("language", "settings_line", "title"),
    [
        (
            "ar",
            "\u200f\u200e/settings: المنطقة الزمنية وساعات الهدوء والملخص اليومي",
            "هذه المحادثة",
        ),
        (
            "fa",
            "\u200f\u200e/settings: منطقهٔ زمانی، ساعت‌های سکوت، خلاصهٔ روزانه",
            "این گفتگو",
        ),
    ],
)
def test_no_line_of_arabic_or_persian_begins_at_the_left(
    language: str, settings_line: str, title: str
) -> None:
    forms = [
        form for forms in translation.load_catalogue(language).texts.values() for form in forms
    ]
    lines = [line for form in forms for line in form.splitlines()]
    assert settings_line in lines
    assert title in lines
    for line in lines:
        strong = re.sub(r"<[^>]*>|\{[a-z_]+\}|[^\w\u200f]|[\d_]", "", line)
        assert not strong[:1].isascii() or not strong, line


def test_the_direction_of_each_language_is_that_of_cldr() -> None:
    for code, language in LANGUAGES.items():
        assert language.is_rtl == (Locale.parse(code).text_direction == "rtl"), code


@pytest.mark.parametrize("language", FROM_THE_RIGHT)
def test_a_name_alone_begins_at_the_right(language: str) -> None:
    shown = translator_for(language)("<b>{username}</b>", username="natgeo")
    assert shown == "\u200f<b>\u2068natgeo\u2069</b>"


@pytest.mark.parametrize("language", FROM_THE_RIGHT)
def test_latin_words_of_a_list_keep_their_order_and_signs(language: str) -> None:
    forms = [
        form for forms in translation.load_catalogue(language).texts.values() for form in forms
    ]
    listed = [form for form in forms if re.search("[A-Za-z>]\u200f?\u060c", form)]
    assert listed
    assert not [form for form in listed if re.search("[A-Za-z>]\u060c", form)]
    assert not [form for form in forms if re.search("(?<!\u200e)<code>#", form)]


@pytest.mark.parametrize("language", FROM_THE_RIGHT)
def test_a_line_that_begins_with_a_name_begins_at_the_right(language: str) -> None:
    shown = translator_for(language)("{who} is blocked.", who="Ann")
    assert shown.startswith("\u200f")


def test_names_for_a_bold_place_are_bold_and_what_joins_them_is_not() -> None:
    t = translator_for("en")
    assert f"<b>{t.names_inside_bold(['a', 'b'])}</b>" == "<b>a</b> and <b>b</b>"
    assert t.names_inside_bold(["a"]) == "a"


@pytest.mark.parametrize("language", FROM_THE_RIGHT)
def test_the_slash_of_a_command_stays_at_its_left(language: str) -> None:
    t = translator_for(language)
    text = t("Add a name, for example: /why natgeo")
    assert "\u200e/why natgeo" in text
    assert "\u200e<code>/import</code>" in t(HOW)
    assert "\u200e23-7" in t(QUIET)
    shown = t("{names}", names=Safe("<code>#sale</code>"))
    assert shown == "\u2068<code>#sale</code>\u2069"
    assert "\u200e/settings" in t("Did you mean {command}?", command=Safe("/settings"))
    # Telegram takes it for a command all the same.
    request = json.dumps({"@type": "getTextEntities", "text": text})
    found = json.loads(tdjson.td_execute(request.encode()) or b"{}")["entities"]
    assert [one["type"]["@type"] for one in found] == ["textEntityTypeBotCommand"]


@pytest.mark.parametrize("language", FROM_THE_RIGHT)
def test_a_sign_stays_at_the_side_of_what_it_belongs_to(language: str) -> None:
    t = translator_for(language)
    texts = [form for forms in load_catalogue(language).texts.values() for form in forms]
    assert any("\u200e@BotFather" in text for text in texts)
    assert any("\u200e<code>@{bot} natgeo" in text for text in texts)
    assert any("/natgeo/…\u200e" in text for text in texts)
    assert "(\u200e#1234)" in t("{text} (#{number})", text="x", number=1234)
    assert "\u200e<code>#sale</code>" in t(NOTHING_FOUND, terms="#sale")
    assert "\u200e<code>-1001234</code>" in t(STRANGER_CHAT, id=-1001234)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_calls_a_button_as_it_is_labelled(language: str) -> None:
    t = translator_for(language)
    assert t.plain("Keep for /past") in html.plain(t(NothingKeptError.text, username="natgeo"))
    assert not any(
        "[[" in form for forms in load_catalogue(language).texts.values() for form in forms
    )


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "1.5 credits"), ("de", "1,5 Credits"), ("fr", "1,5 crédit"), ("ru", "1,5 кредита"),
     ("uk", "1,5 кредиту"), ("pt_BR", "1,5 crédito"), ("ar", "1.5 وحدة"), ("id", "1,5 kredit")],
)  # fmt: skip
def test_a_fraction_is_counted_as_each_language_does(language: str, text: str) -> None:
    assert f"{text} (" in translator_for(language)(PART, n=1.5, amount="$0.02")


def test_each_language_is_named_in_its_own_words() -> None:
    for code, one in LANGUAGES.items():
        own = Locale.parse(code).get_language_name(code) or "?"
        assert own.casefold() in one.name.casefold()


def test_fields_are_escaped_but_what_is_safe() -> None:
    t = translator_for("en")
    assert t("{a} {b}", a="<b>&", b=Safe("<i>x</i>")) == "&lt;b&gt;&amp; <i>x</i>"
    assert t.plain("{a}", a="<b>&\x00\u202e") == "<b>& "
    assert isinstance(t("x"), Safe)
    assert t("{b}", b=t("{a}", a="&")) == "&amp;"


def test_names_keep_their_direction_to_themselves_but_not_in_addresses_or_code() -> None:
    ar, en = translator_for("ar"), translator_for("en")
    assert en("see {a}", a="אבג") == "see \u2068אבג\u2069"
    assert en("see {a}", a="natgeo") == "see natgeo"
    assert ar("see {a}", a="natgeo_") == "see \u2068natgeo_\u2069"
    assert ar('<a href="{a}">x</a>', a="https://e.x/") == '<a href="https://e.x/">x</a>'
    assert ar("<code>/stories {a}</code>", a="natgeo") == "<code>/stories natgeo</code>"
    assert ar("<code>1</code> {a}", a="natgeo") == "<code>1</code> \u2068natgeo\u2069"


def test_dates_and_spans_in_a_sentence_are_those_of_the_language_and_zone() -> None:
    t = translator_for("es").in_zone(MADRID)
    assert t("{a}, {b}", a=NOW, b=timedelta(minutes=20)) == "25 de noviembre, 14:05, 20 minutos"
    assert t("{a} {b} X={a}", a=1000, b=1.5) == "1.000 1,5 X=1000"
    assert t.language == "es"


@pytest.mark.parametrize(
    ("language", "date", "ago", "span", "number"),
    [
        ("en", "November 25, 2:05\u202fPM", "2 hours ago", "2 days 3 hr", "1,234.5"),
        ("es", "25 de noviembre, 14:05", "hace 2 horas", "2 días y 3 horas", "1.234,5"),
        ("pt_BR", "25 de novembro, 14:05", "há 2 horas", "2 dias e 3 horas", "1.234,5"),
        ("de", "25. November, 14:05 Uhr", "vor 2 Stunden", "2 Tage und 3 Stunden", "1.234,5"),
        ("tr", "25 Kas\u0131m 14:05", "2 saat önce", "2 gün 3 saat", "1.234,5"),
        ("it", "25 novembre, 14:05", "2 ore fa", "2 giorni e 3 ore", "1.234,5"),
        (
            "fr",
            "25 novembre à 14:05",
            "il y a 2 heures",
            "2\xa0jours et 3\xa0heures",
            "1\u202f234,5",
        ),
        ("ru", "25 ноября, 14:05", "2 часа назад", "2 дн. 3 ч", "1\xa0234,5"),
        ("ar", "\u200f25 نوفمبر، 2:05 م", "قبل ساعتين", "يومان و3 ساعات", "1,234.5"),
        ("id", "25 November pukul 14.05", "2 jam yang lalu", "2 hari 3 jam", "1.234,5"),
        ("uk", "25 листопада, 14:05", "2 години тому", "2 дн. 3 год", "1\xa0234,5"),
        (
            "fa",
            "\u200f\u06f4 آذر، \u06f1\u06f4:\u06f0\u06f5",
            "\u06f2 ساعت پیش",
            "\u06f2 روز و \u06f3 ساعت",
            "\u06f1\u066c\u06f2\u06f3\u06f4\u066b\u06f5",
        ),
        ("hi", "25 नवंबर, 2:05 pm", "2 घंटे पहले", "2 दिन 3 घंटे", "1,234.5"),
    ],
)
def test_dates_and_numbers_are_those_of_the_language(
    language: str, date: str, ago: str, span: str, number: str
) -> None:
    t = translator_for(language).in_zone(MADRID)
    assert t.date_and_time(NOW) == date
    assert t.ago(NOW - timedelta(hours=2, minutes=4), NOW) == ago
    assert t.duration(timedelta(days=2, hours=3, minutes=4)).lstrip("\u200f") == span
    assert t.number(1234.5) == number
    assert number[:-2] in t.money(1234.5)
    assert not re.search(r"\$[A-Z]", t.money(1234.5))  # which Telegram makes a link


def test_no_word_for_the_hour_follows_a_day_with_a_year() -> None:
    t = translator_for("de")
    until = t.moment(NOW + timedelta(days=400), NOW)
    blocked = t.plain("Blocked until {until}.", until=until)
    assert blocked == "Gesperrt bis zum 30. Dezember 2027."


def test_spans_name_two_units_and_never_less_than_nothing() -> None:
    t = translator_for("en")
    assert t.duration(timedelta(hours=3, seconds=20)) == "3 hr"
    assert t.duration(timedelta(seconds=59.6)) == "1 min"
    assert translator_for("it").duration(timedelta(hours=1, minutes=1)) == "1 ora e 1 minuto"
    assert t.duration(timedelta(0)) == t.duration(timedelta(-1)) == "0 sec"
    assert t.ago(NOW, NOW) == t.ago(NOW, NOW + timedelta(seconds=59)) == "just now"
    assert t.ago(NOW + timedelta(hours=3), NOW) == "in 3 hours"
    assert t.ago(NOW + timedelta(seconds=1), NOW) == "in a moment"


def test_a_language_without_its_catalogue_speaks_english(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    t = Translator("ru", locales=tmp_path)
    assert (t("just now"), t(TODAY, n=2)) == ("just now", "2 stories today")
    assert [record.getMessage() for record in caplog.records] == ["no catalogue for ru"]


@calm
@given(st.sampled_from(sorted(LANGUAGES)), st.text(), st.dictionaries(st.text(), st.text()))
def test_no_sentence_and_no_field_breaks_a_reply(
    language: str, msgid: str, fields: dict[str, str]
) -> None:
    t = translator_for(language)
    assert t(msgid) == t.plain(msgid)
    rendered = t("{a}", **{**fields, "a": msgid})
    assert not re.search(r"<|\ud800", rendered)
    rendered.encode()


def test_the_extraction_sees_every_way_to_mark_a_sentence() -> None:
    source = """
context.t(N_("a" "b"), x=t("c"))
self.t.plain("d" if y else "e")
t(NN_("one", "many"), n=3, z=t.t("f"))
PAIR = NN_("{n} g", "{n} gs")
unrelated("h"); t(name); (lambda: 1)()
"""
    assert set(message_ids(source)) == {
        "ab",
        "c",
        "d",
        "e",
        ("one", "many"),
        "f",
        ("{n} g", "{n} gs"),
    }


def test_a_day_half_a_year_away_has_its_year() -> None:
    t, now = translator_for("en"), datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert t.moment(now + timedelta(weeks=52), now) == "November 29, 2027"
    assert t.moment(now + timedelta(weeks=4), now).startswith("December 28, 12:00")


@pytest.mark.parametrize(
    ("language", "first", "eleventh"),
    [
        ("fr", "1er novembre", "11 novembre"),
        ("pt_BR", "1º de novembro", "11 de novembro"),
        ("de", "1. November", "11. November"),
    ],
)
def test_the_first_day_of_a_month_is_an_ordinal_number(
    language: str, first: str, eleventh: str
) -> None:
    t, noon = translator_for(language), datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert t.day(noon) == first
    assert t.day(noon.replace(day=11)) == eleventh
    assert t.day_range(noon, noon).startswith(first)


@pytest.mark.parametrize(
    ("day", "solar"),
    [
        (date(1979, 2, 11), (1357, 11, 22)),
        (date(2025, 3, 20), (1403, 12, 30)),  # the last day of a leap year
        (date(2025, 3, 21), (1404, 1, 1)),
        (date(2026, 9, 22), (1405, 6, 31)),
        (date(2029, 3, 19), (1407, 12, 29)),
        (date(2029, 3, 20), (1408, 1, 1)),  # five years after the last leap year
        (date(2030, 3, 20), (1408, 12, 30)),
    ],
)
def test_a_day_of_the_solar_hijri_calendar(day: date, solar: tuple[int, int, int]) -> None:
    assert solar_hijri.solar_hijri(day) == solar


def test_persian_days_are_those_of_the_zone_with_persian_digits() -> None:
    t = translator_for("fa").in_zone(ZoneInfo("Asia/Tehran"))
    late = datetime(2026, 11, 25, 21, 0, tzinfo=UTC)  # after midnight in Tehran
    assert t.day(late) == "\u06f5 آذر"
    assert t.day_range(late, late) == "\u06f5 آذر \u06f1\u06f4\u06f0\u06f5"
    assert (
        t.day_range(late - timedelta(days=30), late)
        == "\u06f5 آبان \u06f1\u06f4\u06f0\u06f5 تا \u06f5 آذر \u06f1\u06f4\u06f0\u06f5"
    )
    assert t.percent(0.02) == "\u06f2\u066a"
    assert t("<code>/past 7d</code> {n}", n=7) == "<code>/past 7d</code> \u06f7"


def test_an_amount_in_a_message_keeps_its_no_break_space() -> None:
    t = translator_for("de")
    assert "0,50\u00a0$" in t(PART, n=1.5, amount=t.money(0.5))
    assert "2\u00a0%" in t(
        "{percent} of today's limit used; it resets at {clock}", percent=t.percent(0.02), clock=""
    )
