"""Manage the translation catalogues: ``python -m tools.catalogues extract | update | check``.

``extract`` collects the message ids of the code in locales/bot.pot. ``update`` merges the message
ids into the bot.po of every language; English is filled in automatically. ``check`` prints missing
and invalid translations, and texts that the code joins from parts, and fails if there are any.
``reword OLD NEW`` keeps the translations of a message after a change of the English text, and
marks the translations as ``reworded`` until a translator has checked them.
"""

import argparse
import ast
import gettext
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from babel.plural import to_gettext

from bot.domain.foreign_text import normalize_typed
from bot.domain.hours import parse_minute_of_day, parse_start_and_end_minute
from bot.presentation.translation import LANGUAGES, LOCALES, REFERENCE
from tools import joined_texts
from tools.notes import NOTES

ROOT = LOCALES.parent
FOLDERS = ("bot", "handlers")
TEMPLATE = LOCALES / "bot.pot"
# The date in the header of each catalogue; a fixed date keeps the header unchanged.
_WRITTEN = datetime(2026, 11, 25, tzinfo=UTC)
_SINGLE = {"t", "plain", "N_"}
REWORDED = "reworded"
"""The flag of a translation whose English text was changed, and that nobody has checked since."""

# The number of characters that phones show on a button and in the menu, not counting fields.
BUTTON, MENU_ENTRY = 24, 32
BUTTONS = ("link_button", "button")  # the names of the functions that create a button
BUTTONS_IN = frozenset({"TOGGLES", "MEDIA", "CAPTIONS", "PAUSES"})

_COMMAND = re.compile(r"(?<![\w<])/[a-z_]+")
_CODE = re.compile(r"<code>[^<]*</code>")
_BARE_FIELD = re.compile(r"[/=]\{[a-z_]+\}")
_BANNED = re.compile(r"^- ~~(.+?)~~", re.MULTILINE)
_WORDS = re.compile(r"^\| ([^|-]+) \| ([^|]+) \|$", re.MULTILINE)
_NAMED = re.compile(r"(?:<b>|“|[Tt]ap )([^<>”]+?)(?:</b>|”|[.,:])")
FIELD = re.compile(r"\{[a-z_]+\}")
# A count in a sentence; a count after a label and a colon does not match.
_COUNTED = re.compile(r"(?<!: )\{n\}")
# An example of a time or a range of hours that a person can send.
_EXAMPLE = re.compile(r"\b\d+[:-]\d+\b")
# A time in a translation, which may have a different mark between the numbers.
_WRITTEN_TIME = re.compile(r"(?<![\d/])\d+[^\w\s]\d+(?!\d)")
# Matches a danda after a digit, a Latin letter or a field, where the danda reads as a 1 or an l.
_DANDA = re.compile(r"(?:[0-9A-Za-z}]|</code>|</i>)(?:</\w+>)*\u0964")
_TAG = re.compile(r"<[^<>]*>")
# Matches a missing no-break space in French, but not "9:30" or "« Retour".
_UNBOUND = re.compile("[^\\s:;!?][:;!?»](?!\\w)|[^\u00a0\u202f\\S][:;!?»]|«(?![\u00a0\u202f]).*»")
_TWICE = re.compile(r"([.,:;!?…؟،؛।])[ \u00a0\u202f]?\1(?!\.)|(?<=\S)  ")

Id = str | tuple[str, str]


def message_ids(source: str) -> Iterator[Id]:
    """Yield the message ids in a source text.

    The ids are the arguments of t(), plain(), N_(), NN_() and say_message().
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(args=[one, many]) if _name(node) == "NN_":
                yield from zip(_texts(one), _texts(many), strict=True)
            case ast.Call(args=[text, *_]) if _name(node) in _SINGLE:
                yield from _texts(text)
            case ast.Call(args=[_, text, *_]) if _name(node) == "say_message":
                yield from _texts(text)


def _name(node: ast.expr) -> str:
    """Return the name of a called function, or an empty string for any other expression."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name
        case _:
            return ""


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from _texts(body)
            yield from _texts(other)
        case ast.Call(args=[marked]) if _name(node) == "N_":
            yield from _texts(marked)


def extract() -> Catalog:
    """Return the template: every message id in the code, with the files that use the id."""
    template = new_catalogue(None)
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    for path in files:
        place = path.relative_to(ROOT).as_posix()
        for msgid in message_ids(path.read_text(encoding="utf-8")):
            template.add(msgid, locations=[(place, 0)], auto_comments=comments(msgid))
    return template


def comments(msgid: Id) -> list[str]:
    """Return the comments on a message for translators: the maximum length, and the meaning."""
    english = msgid if isinstance(msgid, str) else msgid[0]
    place = {BUTTON: "A button", MENU_ENTRY: "The menu of commands"}.get(lengths().get(english, 0))
    told = [f"{place}: {lengths()[english]} characters at most."] if place else []
    return [*told, NOTES[english]] if english in NOTES else told


def load(language: str) -> Catalog:
    """Return the catalogue of ``language``, or an empty catalogue if the file does not exist."""
    path = _path(language)
    if not path.is_file():
        return new_catalogue(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def save(catalogue: Catalog, path: Path) -> None:
    """Write a catalogue so that equal contents produce equal bytes."""
    catalogue.creation_date = catalogue.revision_date = _WRITTEN
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file, catalogue, width=99, sort_output=True, include_lineno=False, ignore_obsolete=True
        )


def update(template: Catalog) -> None:
    """Merge the message ids of ``template`` into every catalogue, and delete obsolete messages.

    A translation is kept after a small change of its English text, in the same way as by
    ``reword``.
    """
    wanted = {id_of(message) for message in messages(template)}
    for language in LANGUAGES:
        catalogue = load(language)
        had = {id_of(message) for message in messages(catalogue)}
        gone = {_english(key): type(key) for key in had - wanted}
        for new in wanted - had:
            alike = [text for text, kind in gone.items() if kind is type(new)]
            if near := get_close_matches(_english(new), alike, n=1):
                carry_over(catalogue, near[0], _english(new))
        for message in list(messages(catalogue)):
            if id_of(message) not in wanted:
                catalogue.delete(message.id)
        # Each language needs a copy of the template, because update() puts the messages of the
        # template into the catalogue.
        catalogue.update(deepcopy(template), no_fuzzy_matching=True)
        if language == "en":
            for message in messages(catalogue):
                message.string = message.id
                message.flags.discard(REWORDED)
        save(catalogue, _path(language))


def _english(key: Id) -> str:
    return key if isinstance(key, str) else key[0]


def reword(old: str, new: str) -> list[str]:
    """Move the translations of ``old`` to ``new``. Return the languages that had a translation."""
    found = []
    for language in LANGUAGES:
        catalogue = load(language)
        if carry_over(catalogue, old, new):
            save(catalogue, _path(language))
            found.append(language)
    return found


def carry_over(catalogue: Catalog, old: str, new: str) -> bool:
    """Move the translation of ``old`` to ``new``.

    The translation is marked for review. Return False if ``old`` has no translation. If a message
    has a plural, ``old`` and ``new`` are the singular texts.
    """
    before = next((m for m in messages(catalogue) if id_of(m) == old or id_of(m)[0] == old), None)
    after = next((m for m in messages(catalogue) if id_of(m) == new or id_of(m)[0] == new), None)
    if (
        before is None
        or not before.string
        or isinstance(before.id, str) is not isinstance(after.id if after else before.id, str)
    ):
        return False
    ids: Id = new if isinstance(before.id, str) else (new, before.id[1])
    catalogue.delete(before.id)
    catalogue.add(after.id if after else ids, before.string, flags={REWORDED})
    return True


def problems(language: str, template: Catalog) -> list[str]:
    """Return a message for each problem in the catalogue of ``language``."""
    catalogue = load(language)
    wanted = {id_of(message) for message in messages(template)}
    found = [
        f"{language}: missing: {key!r}" for key in wanted - {id_of(m) for m in messages(catalogue)}
    ]
    found += [f"{language}: obsolete: {key!r}" for key in catalogue.obsolete]
    for message in messages(catalogue):
        key = id_of(message)
        if key not in wanted:
            found.append(f"{language}: obsolete: {key!r}")
        elif message.fuzzy:
            found.append(f"{language}: fuzzy: {key!r}")
        elif REWORDED in message.flags:
            found.append(f"{language}: reworded, to be looked at: {key!r}")
        else:
            found += [f"{language}: {wrong}: {key!r}" for wrong in wrong_in(message, catalogue)]
    if is_english(catalogue):
        found.append(f"{language}: most of it is English")
    found += [f"{language}: {wrong}" for wrong in glossary_faults(catalogue, glossary(language))]
    return sorted(found)


def glossary_faults(catalogue: Catalog, page: str) -> Iterator[str]:
    """Yield the terms of a glossary page that most translations do not use.

    Differences in word endings are ignored.
    """
    for english, here in _WORDS.findall(page)[1:]:  # the first match is the row of column headings
        term = re.compile(rf"(?<![\w/]){re.escape(english)}", re.IGNORECASE)
        said = [m.string for m in messages(catalogue) if term.search(ids_of(m)[0])]
        words = [form.split() for form in re.split("[,،] ", here.casefold())]
        stems = [[word[: max(3, len(word) * 2 // 3)] for word in form] for form in words]
        used = sum(
            any(all(s in str(text).casefold() for s in form) for form in stems) for text in said
        )
        if 2 * used < len(said):
            yield f"{here!r} for {english!r} is in {used} of {len(said)} sentences"


def is_english(catalogue: Catalog) -> bool:
    """Return whether more than a quarter of a translated catalogue is still in English."""
    if str(catalogue.locale) == "en":
        return False
    told = [m for m in messages(catalogue) if m.string]
    same = sum(m.string == m.id for m in told if len(ids_of(m)[0].split()) > 1)
    return bool(told) and same > len(told) / 4


def wrong_in(message: Message, catalogue: Catalog) -> Iterator[str]:
    """Yield the invalid differences between a translation and its English message."""
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    if len(forms) != (catalogue.num_plurals if message.pluralizable else 1) or not all(forms):
        yield "not translated"
        return
    fields = {name for text in ids for name in FIELD.findall(text)}
    for form in forms:
        # A plural form is allowed to spell out the number, for example "one story".
        left = fields ^ set(FIELD.findall(form)) - ({"{n}"} if message.pluralizable else set())
        if left - ({"{n}"} if message.pluralizable else set()):
            yield f"other fields {sorted(left)}"
        if Counter(_TAG.findall(form)) != Counter(_TAG.findall(ids[-1])):
            yield "other tags"
        if len(form) - len(form.lstrip()) != len(ids[-1]) - len(ids[-1].lstrip()):
            yield "other blanks at the start"
        yield from _faults(form, ids[-1], str(catalogue.locale))
        yield from _reading_faults(form, ids[-1])
        yield from _button_faults(form, ids[-1])
    yield from _number_faults(message, catalogue, forms)
    yield from _length_faults(ids[0], forms)


def twice(text: str) -> str:
    """Return a punctuation mark or blank that occurs twice in a row, or an empty string."""
    found = _TWICE.search(text)
    return found[0] if found else ""


def _faults(form: str, english: str, language: str) -> Iterator[str]:
    """Yield the errors in a translated sentence.

    Changes of parts that must not be translated are also errors.
    """
    if twice(_TAG.sub("", form)):
        yield f"{twice(_TAG.sub('', form))!r} twice in a row"
    if language == "fr" and _UNBOUND.search(_TAG.sub("", _CODE.sub("", form))):
        yield "a sign without its unbreakable blank"
    if Counter(_COMMAND.findall(form)) != Counter(_COMMAND.findall(english)):
        yield "a translated command"
    if _CODE.findall(form) != _CODE.findall(english):
        yield "a translated <code>"
    if form.count("%") != english.count("%"):
        yield "a percent sign that the field brings itself, or a lost one"
    lost = set(_signs(english)) - set(_signs(form))
    if lost:
        yield f"a lost sign {' '.join(sorted(lost))}"
    bare = [set(_BARE_FIELD.findall(_TAG.sub("", _CODE.sub("", t)))) for t in (form, english)]
    if Locale.parse(language).text_direction == "rtl" and bare[0] - bare[1]:
        yield "a field that can't be kept apart from the text around it"
    plain_text = FIELD.sub("", _TAG.sub("", form))
    for word in _BANNED.findall(glossary(language)):
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", plain_text, re.IGNORECASE):
            yield f"the banned word {word!r}"


def _reading_faults(form: str, english: str) -> Iterator[str]:
    """Yield the errors that mislead a reader.

    It is an error if the bot can't read an example in the translation, or if a danda looks like a
    digit or a letter.
    """
    for example in _EXAMPLE.findall(english):
        read = _read_time(example)
        if read not in map(_read_time, _WRITTEN_TIME.findall(normalize_typed(form))):
            yield f"an example that the bot can't read in place of {example!r}"
    if _DANDA.search(form):
        yield "a danda that reads as a 1 or an l"


def _read_time(text: str) -> int | tuple[int, int] | None:
    """Return the range of hours or the time of day that the bot reads in a text."""
    hours = parse_start_and_end_minute(text)
    return parse_minute_of_day(text) if hours is None else hours


def _button_faults(form: str, english: str) -> Iterator[str]:
    """Yield an error if a sentence names a button without a reference to the button's text."""
    buttons = {text for text, most in lengths().items() if most == BUTTON}
    named = REFERENCE.findall(english)
    if Counter(REFERENCE.findall(form)) != Counter(named):
        yield "other buttons"
    if wrong := set(named) - buttons or buttons.intersection(_NAMED.findall(english)):
        yield f"{sorted(wrong)} must be references, and buttons"


def _number_faults(message: Message, catalogue: Catalog, forms: tuple[str, ...]) -> Iterator[str]:
    """Yield an error if a plural form omits the number, but applies to more than one number.

    For example, in some languages the form for 1 also applies to 21.
    """
    if not message.pluralizable:
        if _COUNTED.search(str(message.id)):
            yield "a counted field without plural forms"
        return
    form_of = gettext.c2py(catalogue.plural_expr)
    for number, form in enumerate(forms):
        others = [n for n in range(200) if form_of(n) == number]
        if len(others) > 1 and "{n}" not in form and "{n}" in message.id[1]:
            yield f"a form without its number, which serves {others[1]}"


def _length_faults(english: str, forms: tuple[str, ...]) -> Iterator[str]:
    """Yield an error if a text is too long for a button or the menu."""
    most = lengths().get(english)
    for form in forms if most else ():
        shown = len(FIELD.sub("", form))
        if most and shown > most:
            yield f"{shown} characters where {most} are shown"


def _signs(text: str) -> Iterator[str]:
    """Yield the emoji and arrows of a text, without modifiers."""
    for char in text:
        if char in "\u00ab\u2713" or unicodedata.category(char) == "So":
            yield char


@cache
def glossary(language: str) -> str:
    """Return the glossary page of a language, or an empty string if the page does not exist."""
    path = ROOT / "docs" / "glossary" / f"{language}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@cache
def lengths() -> dict[str, int]:
    """Return the maximum length in characters of each message on buttons and in the menu."""
    found: dict[str, int] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for msgid, most in lengths_in(path.read_text(encoding="utf-8")).items():
                found[msgid] = min(most, found.get(msgid, most))
    return found


def lengths_in(source: str) -> dict[str, int]:
    """Return the message ids of ``source`` for buttons and the menu, with their maximum lengths.

    The texts are found as follows:

    - Button texts are the arguments of the functions in ``BUTTONS``. An argument can also be a
      name to which the same function assigns a text.
    - Button texts are also the values of the dictionaries in ``BUTTONS_IN``.
    - Menu texts are the values of ``menu=``.
    """
    found: dict[str, int] = {}
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in BUTTONS_IN:
                found |= dict.fromkeys(_marked(value), BUTTON)
            case ast.keyword(arg="menu", value=value):
                found |= dict.fromkeys(_marked(value), MENU_ENTRY)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found |= dict.fromkeys(_on_buttons(node), BUTTON)
    return found


def _on_buttons(function: ast.AST) -> Iterator[str]:
    named: dict[str, list[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            targets = node.targets[0]
            names = targets.elts if isinstance(targets, ast.Tuple) else [targets]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for name, value in zip(names, values, strict=False):
                if isinstance(name, ast.Name):
                    named.setdefault(name.id, []).extend(_marked(value))
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _name(node) in BUTTONS and node.args:
            yield from _marked(node.args[0])
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Name):
                    yield from named.get(part.id, ())


def _marked(node: ast.AST) -> list[str]:
    """Return the texts in all t(), plain(), N_() and NN_() calls within a syntax tree node."""
    return [
        text
        for part in ast.walk(node)
        if isinstance(part, ast.Call) and _name(part) in {*_SINGLE, "NN_"} and part.args
        for text in _texts(part.args[0])
    ]


def joined_in_code() -> Iterator[str]:
    """Yield a message for each text that the code joins from translated parts."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            for line, fault in joined_texts.findings(path.read_text(encoding="utf-8")):
                yield f"{place}:{line}: {fault}"


def fields_in(text: str) -> list[str]:
    """Return the names of the fields of a message, in order."""
    return [field.strip("{}") for field in FIELD.findall(text)]


def ids_of(message: Message) -> tuple[str, ...]:
    """Return the English texts of a message: the singular, and the plural if it exists."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def messages(catalogue: Iterable[Message]) -> Iterator[Message]:
    """Yield the messages of a catalogue, but not the header, which has no id."""
    return (message for message in catalogue if message.id)


def id_of(message: Message) -> Id:
    """Return the id of a message: a text, or a pair of singular and plural."""
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def new_catalogue(language: str | None) -> Catalog:
    """Return an empty catalogue of a language, or an empty template if the language is None."""
    name = f"{LANGUAGES[language].name} ({language})" if language else "template"
    catalogue = Catalog(
        locale=language,
        project="Storybell",
        version="1",
        msgid_bugs_address="the issues of the project",
        last_translator="the Storybell authors",
        language_team=name,
        header_comment=f"# Storybell, {name}: kept by python -m tools.catalogues update",
        creation_date=_WRITTEN,
        revision_date=_WRITTEN,
        fuzzy=False,
    )
    rule = Locale.parse(language).plural_form if language else None
    # Babel's plural rules are out of date. The CLDR's rules are used, except if the CLDR has forms
    # that only fractions and millions need.
    if rule and {rule(n) for n in range(1000)} == rule.tags | {"other"}:
        catalogue.mime_headers = [("Plural-Forms", to_gettext(rule))]
    return catalogue


def _path(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "bot.po"


def main() -> int:
    """Run the command line. Return 1 if a check found a problem, or else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["extract", "update", "check", "reword"])
    parser.add_argument("texts", nargs="*", help="for reword: the old English and the new")
    chosen = parser.parse_args()
    task = chosen.task
    if task == "reword":
        if len(chosen.texts) != 2:  # noqa: PLR2004 - the two texts are the old and the new English text
            parser.error("reword takes the old English and the new")
        sys.stdout.write(f"kept in {', '.join(reword(*chosen.texts)) or 'no language'}\n")
        return 0
    template = extract()
    if task == "extract":
        save(template, TEMPLATE)
    elif task == "update":
        save(template, TEMPLATE)
        update(template)
    found = [line for language in LANGUAGES for line in problems(language, template)]
    found += dict.fromkeys(joined_in_code())
    sys.stdout.write("".join(f"{line}\n" for line in found if task == "check"))
    return int(task == "check" and bool(found))


if __name__ == "__main__":
    sys.exit(main())
