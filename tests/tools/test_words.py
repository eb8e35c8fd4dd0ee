"""Words that the project gave up for the field's terms stay out of its names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# What to say instead stands in the glossary of docs/architecture.md.
GIVEN_UP = {
    *("look", "looks", "view", "views", "hearer", "hearers", "owed", "parked", "take_off"),
    *("land", "lands", "landed", "flight", "flights", "way", "ways", "parcel", "parcels"),
    *("trip", "trips", "combined", "to_the_end", "purse", "purses", "pace", "paces"),
    *("operator", "operators", "lanes", "hold", "holds", "settle", "settled", "keep"),
    *("keeps", "unsure", "put_back"),
    *("leave", "leaves", "told", "spoken", "found", "gate", "gates", "note", "notes"),
}
OWNED = {
    "EndPointNotFound": "python-telegram-bot",
}
"""Names that others own."""
LEDGER = {"bot/billing/ledger.py", "bot/store/spending.py"}
TERMS = {
    "settle": LEDGER | {"bot/fetching/answer_cache.py", "bot/fetching/poller.py"},
    "_settle_alone": LEDGER,
    "keep": {"bot/domain/options.py", "bot/outbox/results.py", "handlers/options.py"},
}
"""Terms of the glossary, and the only modules that may use them: the ledger's, and an option's."""


def names_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names that a module gives, and those of the attributes that it uses."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute():
                yield node.lineno, node.attr
            case ast.keyword(arg=str()):
                yield node.lineno, node.arg or ""
            case ast.alias():
                yield node.lineno, node.asname or node.name
            case ast.MatchAs(name=str()) | ast.MatchStar(name=str()):
                yield node.lineno, node.name or ""


def given_up_in(name: str) -> list[str]:
    """Return the words of a name that have been given up."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2]).lower().strip("_")
    plain = plain.replace("in_flight", "")  # the field's own
    return sorted(word for word in GIVEN_UP if f"_{word}_" in f"_{plain}_")


def is_allowed(path: str, name: str) -> bool:
    """Return whether a name may hold such a word there."""
    return name in OWNED or path in TERMS.get(name, ())


def leftovers() -> list[tuple[str, str, str]]:
    """Return place, name and word of each name that holds a word that has been given up."""
    return [
        (f"{path}:{line}", name, word)
        for room in ("bot", "handlers")
        for path in sorted(Path(room).rglob("*.py"))
        if "migrations" not in path.parts
        for line, name in [(0, path.stem), *names_in(ast.parse(path.read_text()))]
        for word in given_up_in(name)
        if not is_allowed(path.as_posix(), name)
    ]


def test_no_name_holds_a_word_that_was_given_up() -> None:
    assert not leftovers()


def test_such_a_word_is_seen_wherever_it_stands() -> None:
    assert given_up_in("PurseLeft") == ["purse"]
    assert given_up_in("_put_back_all") == ["put_back"]
    assert given_up_in("way") == ["way"]
    assert given_up_in("flight") == ["flight"]
    assert not given_up_in("_in_flight")
    assert not given_up_in("always_landing")


def test_what_is_allowed_is_still_there() -> None:
    names = {
        (path.as_posix(), name)
        for room in ("bot", "handlers")
        for path in Path(room).rglob("*.py")
        for _, name in names_in(ast.parse(path.read_text()))
    }
    allowed = {(path, name) for name, paths in TERMS.items() for path in paths}
    unused = [name for name in OWNED if name not in {one for _, one in names}]
    assert not unused
    assert {name for _, name in allowed & names} == set(TERMS)
