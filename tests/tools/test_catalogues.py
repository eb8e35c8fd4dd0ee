"""What the check of the catalogues finds: each planted fault; and that all texts fit Telegram."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tdjson
from babel.messages.catalog import Catalog

from bot.presentation import html
from bot.presentation.html import Safe
from bot.presentation.translation import LANGUAGES, LOCALES, Language, Translator, translator_for
from tests.support import languages
from tools import catalogues
from tools.catalogues import carry_over, extract, is_english, lengths_in
from tools.notes import NOTES

LONG = "w" * 30
FIELDS: dict[str, object] = {
    "until": datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "to": datetime(2026, 12, 31, tzinfo=UTC),
    "from_": datetime(2026, 12, 31, tzinfo=UTC), "delay": timedelta(hours=23, minutes=59),
    "url": "https://www.instagram.com/stories/" + "w" * 300, "profile": Safe(f"<b>{LONG}</b>"),
    "names": Safe(", ".join(f"<b>{LONG}</b>" for _ in range(20))), "n": 1_234_567,
    "hours": ", ".join(["12:59 PM"] * 24), "options": ", ".join([LONG] * 3), "why": LONG * 4,
    "when": Safe('<tg-time unix="1700000000" format="r">Nov 14, 10:13 PM</tg-time>'),
    "bars": Safe("<code>▁▂▃▄▅▆▇</code>"), "command": Safe("/subscriptions"),
}  # fmt: skip


@cache
def template() -> Catalog:
    """Return what the code says, read once for all languages."""
    return extract()


def catalogue(language: str, text: str | tuple[str, ...], msgid: Any) -> Catalog:
    made = catalogues.new_catalogue(language)
    made.add(msgid, text)
    return made


def faults(language: str, msgid: Any, text: str | tuple[str, ...]) -> list[str]:
    made = catalogue(language, text, msgid)
    (message,) = catalogues.messages(made)
    return list(catalogues.wrong_in(message, made))


@pytest.mark.parametrize(
    ("language", "msgid", "text", "fault"),
    [
        ("es", "Send /export now", "Manda /exportar ahora", "a translated command"),
        (
            "es",
            "Like <code>natgeo</code>",
            "Como <code>natgeografía</code>",
            "a translated <code>",
        ),
        ("ru", "« Back", "Назад", "a lost sign «"),
        ("ru", "🔔 News", "Новости", "a lost sign 🔔"),
        ("ru", "Open on Instagram", "Открыть эту историю в Инстаграме", "characters where 24"),
        ("ar", "Hi {username}", "مرحبا /{username}", "can't be kept apart"),
        ("ru", "A daily summary", "Дайджест дня", "the banned word 'дайджест'"),
        ("es", "Hello {name}", "Hola", "other fields"),
        ("es", "{percent} used", "{percent} % usado", "a percent sign"),
        ("de", "Until {time}.", "Bis {time}..", "'..' twice in a row"),
        ("ar", "One, two", "واحد،، اثنان", "'،،' twice in a row"),
        ("fr", "<b>Yes</b>! No", "<b>Oui !</b> ! Non", "twice in a row"),
        ("ru", "One two", "Раз  два", "'  ' twice in a row"),
        ("fr", "When: now", "Quand : maintenant", "without its unbreakable blank"),
        ("fr", "“Now”", "«Maintenant\u00a0»", "without its unbreakable blank"),
        ("es", "Tap <b>[[Subscribe]]</b>", "Toca <b>Suscribirse</b>", "other buttons"),
        ("es", "Tap <b>Subscribe</b>", "Toca <b>Suscribirse</b>", "must be references"),
        ("es", "Tap Subscribe.", "Toca Suscribirse.", "must be references"),
        ("es", "Turn on [[Not there]]", "Activa [[Not there]]", "must be references, and buttons"),
        ("ru", "Send me 23-7", "Пришлите 23/7", "an example that the bot can't read"),
        ("de", "Send me 23-7", "Schick mir 22-7", "an example that the bot can't read"),
        ("id", "Like 9:30", "Seperti 9_30", "an example that the bot can't read"),
        ("de", "Found {n} stories", "{n} Storys gefunden", "without plural forms"),
        ("hi", "Zone: {zone}.", "ज़ोन: {zone}।", "a danda that reads as a 1"),
        ("hi", "Write <code>all</code>.", "<code>all</code>।", "a danda that reads as a 1"),
    ],
)
def test_a_planted_fault_is_found(language: str, msgid: str, text: str, fault: str) -> None:
    assert any(fault in found for found in faults(language, msgid, text))


def test_a_form_for_one_that_serves_21_tells_its_number() -> None:
    ids = ("{n} story", "{n} stories")
    assert faults("ru", ids, ("одна история", "{n} истории", "{n} историй"))
    assert not faults("ru", ids, ("{n} история", "{n} истории", "{n} историй"))
    assert not faults("es", ids, ("una historia", "{n} historias"))


def test_a_word_of_the_glossary_that_no_sentence_uses_is_found() -> None:
    page = "| English | here |\n|---|---|\n| profile | perfil |\n| alert | aviso, alerta |\n"
    made = catalogue("es", "Los perfiles mandan avisos", "Profiles send alerts")
    assert not list(catalogues.glossary_faults(made, page))
    made = catalogue("es", "Las cuentas mandan avisos", "Profiles send alerts")
    told = "'perfil' for 'profile' is in 0 of 1 sentences"
    assert list(catalogues.glossary_faults(made, page)) == [told]


def test_an_update_changes_nothing_where_nothing_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in LOCALES.rglob("*.po*")}
    shutil.copytree(LOCALES, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("tools.catalogues.LOCALES", tmp_path)
    catalogues.save(template(), tmp_path / "bot.pot")
    catalogues.update(template())
    for path, contents in before.items():
        assert (tmp_path / path.relative_to(LOCALES)).read_bytes() == contents


@pytest.mark.parametrize("code", ["he", "ur", "fil", "bn", "zh"])
def test_a_new_language_is_one_catalogue_and_one_line(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.catalogues.LOCALES", tmp_path)
    language = Language(code, is_rtl=code in {"he", "ur"})
    monkeypatch.setattr("tools.catalogues.LANGUAGES", {code: language})
    monkeypatch.setitem(LANGUAGES, code, language)
    catalogues.update(template())
    made = catalogues.load(code)
    for message in catalogues.messages(made):
        text = catalogues.ids_of(message)[-1]
        message.string = (text,) * made.num_plurals if message.pluralizable else text
    catalogues.save(made, tmp_path / code / "LC_MESSAGES/bot.po")
    assert catalogues.problems(code, template()) == [f"{code}: most of it is English"]
    t = Translator(code, locales=tmp_path)
    for n in (1, 2, 21, 1000):
        assert html.plain(t("{n} story today", n=n)).endswith(f"{t.number(n)} stories today")
    assert t.duration(timedelta(days=2)) != t.duration(timedelta(hours=2))


def test_a_catalogue_that_is_english_is_found() -> None:
    made = catalogues.new_catalogue("es")
    for number in range(8):
        made.add(f"Some words {number}", f"Some words {number}")
    assert is_english(made)


def test_what_stands_on_buttons_and_in_the_menu_is_known() -> None:
    source = """
COMMANDS = {"x": Command(menu=N_("An entry"))}
TOGGLES = {"a": N_("A toggle")}
def page(t):
    text = N_("By a name")
    return t(N_("A sentence")), button(t.plain(N_("A button"))), (
        button(t.plain(text)))
"""
    assert lengths_in(source) == {
        "An entry": 32, "A toggle": 24, "By a name": 24, "A button": 24,
    }  # fmt: skip


def test_rewording_keeps_the_translation_and_marks_it() -> None:
    made = catalogue("es", "Hola {name}", "Hello {name}")
    assert carry_over(made, "Hello {name}", "Hi {name}")
    (message,) = catalogues.messages(made)
    assert (message.id, message.string) == ("Hi {name}", "Hola {name}")
    assert catalogues.REWORDED in message.flags
    assert not carry_over(made, "Not there", "Nor there")


def test_an_update_keeps_the_translation_of_a_sentence_that_grew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.catalogues.LOCALES", tmp_path)
    old = "Which hours shall be quiet? Send me 23-7."
    catalogues.save(catalogue("es", "¿Qué horas de silencio? 23-7.", old), tmp_path / "es.po")
    monkeypatch.setattr("tools.catalogues._path", lambda language: tmp_path / f"{language}.po")
    grown = catalogues.new_catalogue(None)
    grown.add(f"{old} Or send off.")
    catalogues.update(grown)
    (message,) = catalogues.messages(catalogues.load("es"))
    assert (message.id, message.string) == (f"{old} Or send off.", "¿Qué horas de silencio? 23-7.")
    assert catalogues.REWORDED in message.flags


@pytest.mark.parametrize("language", languages.EACH)
def test_every_text_with_the_longest_fields_is_taken_by_telegram(language: str) -> None:
    t = translator_for(language)
    for message in catalogues.messages(template()):
        ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        names = {name.strip("{}") for text in ids for name in catalogues.FIELD.findall(text)}
        shown = t(ids[0], **{name: FIELDS.get(name, LONG) for name in names})
        query = {
            "@type": "parseTextEntities",
            "text": shown,
            "parse_mode": {"@type": "textParseModeHTML"},
        }
        parsed = json.loads(tdjson.td_execute(json.dumps(query).encode()) or b"{}")
        assert parsed["@type"] != "error", (shown, parsed)
        assert len(parsed["text"]) <= 4096, shown


def test_each_note_for_translators_is_of_a_message_and_stands_in_the_template() -> None:
    noted = {catalogues.id_of(message): message for message in catalogues.messages(template())}
    assert NOTES.keys() <= noted.keys()
    told = noted["Silent"].auto_comments
    assert told == ["A button: 24 characters at most.", NOTES["Silent"]]
