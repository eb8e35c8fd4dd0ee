"""The catalogues of translations: ``python -m tools.catalogues extract | update | check``.

``extract`` collects the message ids of the code in locales/bot.pot, ``update`` brings them into
every language's bot.po (English needs no translator and is filled in), ``check`` tells what is
missing or wrong and fails if anything is.
"""

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from bot.presentation.translation import LANGUAGES, LOCALES

ROOT = LOCALES.parent
FOLDERS = ("bot", "handlers")
TEMPLATE = LOCALES / "bot.pot"
_WRITTEN = datetime(2026, 11, 25, tzinfo=UTC)  # one date for all, so that only texts make a diff
_SINGLE, _PLURAL = {"t", "plain", "N_"}, {"n"}
_FIELD = re.compile(r"\{[a-z_]+\}")
_TAG = re.compile(r"<[^<>]*>")

# What Babel lacks, or orders otherwise than CLDR: zero, one, two, few, many, other.
_PLURAL_FORMS = {
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 "
    ": n%100>=11 ? 4 : 5);",
    "id": "nplurals=1; plural=0;",
}

Id = str | tuple[str, str]


def message_ids(source: str) -> Iterator[Id]:
    """Return the message ids in Python ``source``: what t(), plain(), n() and N_() are given.

    ``(N_("one"), N_("many"))`` is a pair for n().
    """
    seen: set[ast.expr] = set()  # an N_() in a pair is none of its own
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(args=[one, many, *_]) if _name(node) in _PLURAL:
                pair = (one, many)
            case ast.Tuple(elts=[one, many]) if _name(one) == _name(many) == "N_":
                pair = (one, many)
            case ast.Call(args=[text, *_]) if _name(node) in _SINGLE and node not in seen:
                yield from _texts(text)
                continue
            case _:
                continue
        seen.update(pair)
        yield from zip(_texts(one), _texts(many), strict=False)


def _name(node: ast.expr) -> str:
    """Return what a call calls."""
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
    """Return the template: every message id of the code with the files that use it."""
    template = _new(None)
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    for path in files:
        place = path.relative_to(ROOT).as_posix()
        for msgid in message_ids(path.read_text(encoding="utf-8")):
            template.add(msgid, locations=[(place, 0)])
    return template


def load(language: str) -> Catalog:
    """Return the catalogue of ``language``; an empty one if there is none yet."""
    path = _path(language)
    if not path.is_file():
        return _new(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def save(catalogue: Catalog, path: Path) -> None:
    """Write a catalogue so that equal contents are equal bytes."""
    catalogue.creation_date = catalogue.revision_date = _WRITTEN
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file, catalogue, width=99, sort_output=True, include_lineno=False, ignore_obsolete=True
        )


def update(template: Catalog) -> None:
    """Bring the message ids of ``template`` into every catalogue; what the code dropped goes."""
    wanted = {_key(message) for message in _messages(template)}
    for language in LANGUAGES:
        catalogue = load(language)
        for message in list(_messages(catalogue)):
            if _key(message) not in wanted:
                catalogue.delete(message.id)
        # A copy for each: update() puts the template's own messages into the catalogue.
        catalogue.update(deepcopy(template), no_fuzzy_matching=True)
        if language == "en":
            for message in _messages(catalogue):
                message.string = message.id
        save(catalogue, _path(language))


def problems(language: str, template: Catalog) -> list[str]:
    """Return what is wrong with the catalogue of ``language``, a sentence each."""
    catalogue = load(language)
    wanted = {_key(message) for message in _messages(template)}
    found = [
        f"{language}: missing: {key!r}" for key in wanted - {_key(m) for m in _messages(catalogue)}
    ]
    found += [f"{language}: obsolete: {key!r}" for key in catalogue.obsolete]
    for message in _messages(catalogue):
        key = _key(message)
        if key not in wanted:
            found.append(f"{language}: obsolete: {key!r}")
        elif message.fuzzy:
            found.append(f"{language}: fuzzy: {key!r}")
        else:
            found += [f"{language}: {wrong}: {key!r}" for wrong in _wrong(message, catalogue)]
    return sorted(found)


def _wrong(message: Message, catalogue: Catalog) -> Iterator[str]:
    """Say how a translation differs from its id where it must not."""
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    if len(forms) != (catalogue.num_plurals if message.pluralizable else 1) or not all(forms):
        yield "not translated"
        return
    fields = {name for text in ids for name in _FIELD.findall(text)}
    for form in forms:
        # "one story", "two stories" may say their number in words.
        left = fields ^ set(_FIELD.findall(form)) - ({"{n}"} if message.pluralizable else set())
        if left - ({"{n}"} if message.pluralizable else set()):
            yield f"other fields {sorted(left)}"
        if Counter(_TAG.findall(form)) != Counter(_TAG.findall(ids[-1])):
            yield "other tags"
        if len(form) - len(form.lstrip()) != len(ids[-1]) - len(ids[-1].lstrip()):
            yield "other blanks at the start"


def _messages(catalogue: Iterable[Message]) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _key(message: Message) -> Id:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def _new(language: str | None) -> Catalog:
    name = f"{LANGUAGES[language]} ({language})" if language else "template"
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
    if language in _PLURAL_FORMS:
        catalogue.mime_headers = [("Plural-Forms", _PLURAL_FORMS[language])]
    return catalogue


def _path(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "bot.po"


def main() -> int:
    """Do what the command line asks; 1 if a check found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["extract", "update", "check"])
    task = parser.parse_args().task
    template = extract()
    if task == "extract":
        save(template, TEMPLATE)
    elif task == "update":
        save(template, TEMPLATE)
        update(template)
    found = [line for language in LANGUAGES for line in problems(language, template)]
    sys.stdout.write("".join(f"{line}\n" for line in found if task == "check"))
    return int(task == "check" and bool(found))


if __name__ == "__main__":
    sys.exit(main())
