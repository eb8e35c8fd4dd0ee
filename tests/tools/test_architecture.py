"""What the architecture page says of the code is so."""

import ast
import dataclasses
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import getclosurevars
from pathlib import Path
from types import FunctionType, ModuleType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from sqlalchemy import Table

from bot.context import Services
from bot.store.engine.database import Database
from bot.store.engine.schema import metadata
from bot.store.retention import all_overdue
from handlers.guard import Guarded

PAGE = Path("docs/architecture.md")
DATA = Path("docs/data.md")
CLEANED_AT_THE_END = {"access_list", "allowances", "cached_answers", "key_values"}
FLOW = re.compile(r"^```flow\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINE = re.compile(
    r"(?P<indent> *)(?P<mark>> )?(?P<name>[\w.]+)"
    r"(?: \((?P<alias>\w+), (?P<giver>[\w.]+)\))?(?: \[(?P<step>\d+)\])?"
)
STEP = re.compile(r"^\| (\d+) \|", re.MULTILINE)
Place = tuple[int, int]


@dataclass(frozen=True)
class Call:
    """A line of a flow; ``alias`` is the name by which ``giver`` handed it to the caller."""

    caller: str | None
    name: str
    alias: str | None = None
    giver: str | None = None


def flows(page: str) -> Iterator[list[Call]]:
    """Yield the lines of each flow, with the one that calls each."""
    for flow in FLOW.findall(page):
        above: list[tuple[int, str]] = []
        lines = []
        for line in flow.splitlines():
            read = LINE.fullmatch(line)
            assert read, line
            assert bool(read["mark"]) == bool(read["giver"]), line
            depth, name = len(read["indent"]), read["name"]
            above = [one for one in above if one[0] < depth]
            caller = above[-1][1] if above else None
            lines.append(Call(caller, name, read["alias"], read["giver"]))
            above.append((depth, name))
        yield lines


CALLS = list(flows(PAGE.read_text()))


def named(name: str) -> Any:
    """Return what a dotted name names."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"no module of {name}")


def function(name: str) -> FunctionType:
    """Return the function of that dotted name, of a handler the one that was decorated."""
    found = named(name)
    if isinstance(found, Guarded):
        assert isinstance(found.run, FunctionType)
        found = getclosurevars(found.run).nonlocals["run"]
    assert isinstance(found, FunctionType), name
    return found


@dataclass(frozen=True)
class Instance:
    """Some object of a class."""

    of: type


def instance_of(hint: object) -> Instance | None:
    """Return an object of a type hint's one class, None where it has none or several."""
    hint = getattr(hint, "__value__", hint)
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        (*kinds,) = (one for one in get_args(hint) if one is not type(None))
        return instance_of(kinds[0]) if len(kinds) == 1 else None
    kind = get_origin(hint) or hint
    return Instance(kind) if isinstance(kind, type) else None


def hints_of(what: object) -> dict[str, Any]:
    try:
        return get_type_hints(what)
    except NameError:  # what only type checkers import
        return {}


class Scope:
    """What the names in a function, a method or a module mean."""

    def __init__(self, what: Any) -> None:
        """Read the source of ``what``."""
        self.tree = ast.parse(textwrap.dedent(inspect.getsource(what)))
        is_module = isinstance(what, ModuleType)
        self.names: dict[str, Any] = dict(vars(what) if is_module else what.__globals__)
        if not is_module:
            for name, hint in hints_of(what).items():
                self.names[name] = instance_of(hint)
            owner, _, _ = what.__qualname__.rpartition(".")
            if owner and "<" not in owner:
                self.names["self"] = Instance(named(f"{what.__module__}.{owner}"))

    def meaning(self, node: ast.expr) -> Any:
        """Return what an expression is, None where that is not known."""
        match node:
            case ast.Name(id=name):
                return self.names.get(name)
            case ast.Await(value=value):
                return self.meaning(value)
            case ast.Call(func=func):
                called = self.meaning(func)
                if isinstance(called, type):
                    return Instance(called)
                return instance_of(hints_of(called).get("return")) if callable(called) else None
            case ast.Attribute(value=value, attr=attr):
                return attribute(self.meaning(value), attr)
            case _:
                return None

    def places(self, wanted: Callable[[ast.expr], bool]) -> list[Place]:
        """Return where such expressions stand, in order."""
        return sorted(
            (node.end_lineno or 0, node.end_col_offset or 0)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name | ast.Attribute)
            and isinstance(node.ctx, ast.Load)
            and wanted(node)
        )

    def uses(self, name: str) -> list[Place]:
        """Return where a function is used; one with a class's name for it, where the class is."""
        called, (owner, _, method) = function(name), name.rpartition(".")
        kind = named(owner)

        def is_it(node: ast.expr) -> bool:
            found = self.meaning(node)
            if found is called:
                return True
            is_given = isinstance(kind, type) and found is kind
            return is_given and method in {"__call__", "process_request"}

        return self.places(is_it)

    def says(self, alias: str) -> list[Place]:
        """Return where something is used under a bare name, or as an attribute of that name."""
        return self.places(
            lambda node: (
                node.id == alias
                if isinstance(node, ast.Name)
                else isinstance(node, ast.Attribute) and node.attr == alias
            )
        )


def attribute(owner: Any, name: str) -> Any:
    """Return what an attribute of a module, a class or an object is."""
    if not isinstance(owner, Instance):
        return getattr(owner, name, None) if isinstance(owner, ModuleType | type) else None
    found = inspect.getattr_static(owner.of, name, None)
    if isinstance(found, property) and found.fget:
        return instance_of(hints_of(found.fget).get("return"))
    if isinstance(found, staticmethod | FunctionType):
        return getattr(owner.of, name)
    return instance_of(hints_of(owner.of).get(name)) or made_in_init(owner.of, name)


def made_in_init(kind: type, name: str) -> Any:
    """Return what ``self.name`` is by the assignment in ``__init__``."""
    init = vars(kind).get("__init__")
    if not isinstance(init, FunctionType) or dataclasses.is_dataclass(kind):
        return None
    scope = Scope(init)
    for node in ast.walk(scope.tree):
        match node:
            case ast.Assign(targets=[ast.Attribute(attr=attr)], value=value) if attr == name:
                return scope.meaning(value)
    return None


def hands_over(giver: str, name: str) -> list[Place]:
    """Return where a function uses another; a module hands over what it decorates."""
    if isinstance(named(giver), ModuleType):
        is_handler = isinstance(named(name), Guarded) and name.startswith(f"{giver}.")
        return [(1, 0)] if is_handler else []
    return Scope(named(giver)).uses(name)


def disorder(lines: list[Call]) -> list[str]:
    """Return what a flow says that the code does not."""
    wrong, last = [], dict[str, tuple[Place, str | None, Place]]()
    for line in lines:
        function(line.name)
        if line.caller is None:
            continue
        caller = Scope(function(line.caller))
        given: Place = (0, 0)
        if line.alias is None or line.giver is None:
            places = caller.uses(line.name)
        else:
            places = caller.says(line.alias)
            handed = hands_over(line.giver, line.name)
            if not handed:
                wrong.append(f"{line.giver} does not hand over {line.name}")
                continue
            given = handed[0]
        before, giver, given_before = last.get(line.caller, ((0, 0), None, (0, 0)))
        at = next((place for place in places if place >= before), None)
        if not places:
            wrong.append(f"{line.caller} does not call {line.name}")
        elif at is None or (at == before and giver == line.giver and given < given_before):
            wrong.append(f"{line.caller} calls {line.name} earlier")
        else:
            last[line.caller] = at, line.giver, given
    return wrong


@pytest.mark.parametrize("lines", CALLS)
def test_the_functions_of_the_flows_call_one_another_so(lines: list[Call]) -> None:
    assert not disorder(lines)


def test_what_stands_at_the_left_edge_begins_there_or_goes_on() -> None:
    seen: set[str] = set()
    for lines in CALLS:
        for number, line in enumerate(lines):
            is_loop = number == 0 or line.name.endswith("._step")
            assert line.caller or is_loop or line.name in seen, line.name
            seen.add(line.name)


def test_each_step_of_a_flow_has_its_row() -> None:
    _, *parts = PAGE.read_text().split("```flow\n")
    for part in parts:
        flow, _, rest = part.partition("```")
        steps = [int(step) for step in re.findall(r"\[(\d+)\]$", flow, re.MULTILINE)]
        assert steps == list(range(1, len(steps) + 1))
        assert [int(row) for row in STEP.findall(rest.partition("\n## ")[0])] == steps


FALSE = {
    "another module's function of that name": (
        "bot.updates.handling.Handling._enqueue_and_commit\n  bot.store.deliveries.change"
    ),
    "another class's method": (
        "bot.outbox.worker.Outbox._send_and_record\n  bot.sending.sender.Sender._send"
    ),
    "against time": (
        "bot.updates.handling.Handling._run_in_unit\n"
        "  bot.updates.handling.Handling._send_replies\n"
        "  bot.updates.handling.Handling._enqueue_and_commit"
    ),
    "a hand-over as a call": (
        "bot.updates.handling.Handling._run_in_unit\n  telegram.ext.Application.process_update"
    ),
    "who hands nothing over": (
        "bot.updates.handling.Handling._run_in_unit\n"
        "  > telegram.ext.Application.process_update (handle, bot.app._application)"
    ),
    "what a handler calls for the handler": (
        "handlers.guard.Guarded.serve\n  > handlers.links._serve_link (run, handlers.links)"
    ),
    "handlers in another order": (
        "telegram.ext.Application.process_update\n"
        "  > bot.context.prepare (handle_update, bot.app._application)\n"
        "  > handlers.admission.stop_refused (handle_update, bot.app._application)"
    ),
}


@pytest.mark.parametrize("text", FALSE.values(), ids=FALSE)
def test_a_false_line_is_seen(text: str) -> None:
    (lines,) = flows(f"```flow\n{text}\n```\n")
    assert disorder(lines)


def test_the_page_tells_both_flows_and_how_each_fails() -> None:
    assert [len(lines) > 20 for lines in CALLS] == [True, False, True, False]


def test_every_room_stands_on_the_page() -> None:
    text = PAGE.read_text()
    for room in Path("bot").iterdir():
        if (room / "__init__.py").exists():
            assert f"bot.{room.name}" in text


def test_a_room_says_what_it_is_and_exports_nothing() -> None:
    """Else whoever imports one of its modules would load the others."""
    for page in Path("bot").glob("*/__init__.py"):
        (says,) = ast.parse(page.read_text()).body
        assert isinstance(says, ast.Expr), page
        assert "Public:" in page.read_text(), page


PUBLIC = [
    pytest.param(
        f"bot.{page.parent.name}.{module}", name, id=f"{page.parent.name}.{module}.{name}"
    )
    for page in sorted(Path("bot").glob("*/__init__.py"))
    for _, _, names in [page.read_text().partition("Public:")]
    for module, name in re.findall(r"``(\w+)\.(\w+)``", names)
]


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_what_a_room_calls_public_is_there(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


TABLES = {
    cells[0].strip("`"): cells[1:]
    for line in DATA.read_text().partition("## The tables")[2].splitlines()
    if line.startswith("| `")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}


def test_the_page_lists_all_tables_where_they_are_defined() -> None:
    defined = {
        (table.name, found.stem)
        for found in Path("bot/store").glob("*.py")
        for table in vars(importlib.import_module(f"bot.store.{found.stem}")).values()
        if isinstance(table, Table) and f'"{table.name}",\n    metadata' in found.read_text()
    }
    assert {name for name, _ in defined} == set(metadata.tables)
    assert {(name, cells[0].strip("`")) for name, cells in TABLES.items()} == defined
    assert list(TABLES) == sorted(TABLES)


def test_who_writes_a_table_imports_its_file() -> None:
    for table, (where, _, writers, _) in TABLES.items():
        for writer in re.findall(r"`([\w.]+)`", writers):
            tree = ast.parse(inspect.getsource(importlib.import_module(f"bot.{writer}")))
            imported = {
                f"{node.module}.{alias.name}" if node.module == "bot.store" else node.module
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            file = where.strip("`")
            assert f"bot.store.{file}" in imported, f"{writer} does not write {table}"


def test_what_the_clean_up_forgets_is_not_kept_for_good() -> None:
    cleaned = {one.table.name for one in all_overdue(datetime.now(UTC))}
    lasting = ("with its", "until", "for good")
    for table, (_, _, _, kept) in TABLES.items():
        is_cleaned = not kept.startswith(lasting) or table in CLEANED_AT_THE_END
        assert (table in cleaned) == is_cleaned, table


def test_handlers_get_no_database() -> None:
    """A transaction of a handler's own would hold where the update's is undone."""
    assert Database not in get_type_hints(Services).values()


def test_the_pure_rooms_load_no_adapter() -> None:
    """A fresh process that imports them has neither database nor network."""
    modules = [
        ".".join(path.with_suffix("").parts)
        for room in ("domain", "scheduling")
        for path in sorted(Path("bot", room).glob("*.py"))
        if path.stem != "__init__"
    ]
    script = (
        "import importlib, sys\n"
        f"for name in {modules}: importlib.import_module(name)\n"
        "print([name for name in ('sqlalchemy', 'telegram', 'aiohttp') if name in sys.modules])\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
