"""What the architecture page says of the code is so."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, get_type_hints

import pytest

from bot.context import Services
from bot.store.engine.database import Database

PAGE = Path("docs/architecture.md")
FLOW = re.compile(r"^```flow\n(.*?)^```", re.MULTILINE | re.DOTALL)


def calls() -> Iterator[tuple[str | None, str]]:
    """Yield each function of the flows with the one that calls it."""
    for flow in FLOW.findall(PAGE.read_text()):
        above: list[tuple[int, str]] = []
        for line in flow.splitlines():
            depth, name = len(line) - len(line.lstrip()), line.strip()
            above = [one for one in above if one[0] < depth]
            yield above[-1][1] if above else None, name
            above.append((depth, name))


def function(name: str) -> FunctionType:
    """Return the function of that dotted name."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        assert isinstance(found, FunctionType), name
        return found
    raise AssertionError(f"no module of {name}")


def named_in(source: str) -> set[str]:
    """Return all names and attributes that a piece of code uses."""
    nodes = list(ast.walk(ast.parse(textwrap.dedent(source))))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }


@pytest.mark.parametrize(("caller", "called"), list(calls()))
def test_the_functions_of_the_flows_call_one_another_so(caller: str | None, called: str) -> None:
    function(called)
    if caller is not None:
        assert called.rpartition(".")[2] in named_in(inspect.getsource(function(caller)))


def test_the_page_tells_both_flows() -> None:
    flows = FLOW.findall(PAGE.read_text())
    assert len(flows) == 2
    assert all(len(flow.splitlines()) > 15 for flow in flows)


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
