"""Tests that the architecture page and docs/data.md agree with the code."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_type_hints

import pytest
from sqlalchemy import Table

from bot.context import Services
from bot.store.engine.database import Database
from bot.store.engine.schema import metadata
from bot.store.retention import conditions_of_overdue_rows

PAGE = Path("docs/architecture.md")
DATA = Path("docs/data.md")
CLEANED_AT_THE_END = {"access_list", "allowances", "cached_answers", "key_values"}


def test_every_room_stands_on_the_page() -> None:
    text = PAGE.read_text()
    for room in Path("bot").iterdir():
        if (room / "__init__.py").exists():
            assert f"bot.{room.name}" in text


def test_the_page_can_be_read_in_ten_minutes() -> None:
    assert len(PAGE.read_text().replace("|", " ").split()) <= 2000


def test_each_file_of_a_feature_exists() -> None:
    """A name without a folder belongs to the folder of the name before it."""
    _, _, features = PAGE.read_text().partition("## Where each feature lives")
    for row in re.findall(r"^\| .* \| (.*) \|$", features, re.MULTILINE):
        folder = Path()
        for name in re.findall(r"`([\w/.]+)`", row):
            path = Path(name) if "/" in name else folder / name
            assert path.exists(), path
            folder = path if path.is_dir() else path.parent


def test_each_command_is_in_the_table_of_the_features() -> None:
    _, _, features = PAGE.read_text().partition("## Where each feature lives")
    for file in Path("handlers").glob("*.py"):
        if re.search(r"^@command", file.read_text(), re.MULTILINE):
            assert re.search(rf"\b{file.name}`", features), f"name {file} in a row of {PAGE}"


def test_each_module_of_the_flows_exists() -> None:
    _, _, flows = PAGE.read_text().partition("## A pasted link")
    flows, _, _ = flows.partition("## Where each feature lives")
    names = re.findall(r"`([a-z_]+)\.([a-z_]+)`", flows)
    assert len(names) > 30
    for room, module in names:
        paths = [Path("bot") / room / f"{module}.py", Path(room) / f"{module}.py"]
        assert any(path.exists() for path in paths), f"{room}.{module}"


def test_each_name_of_a_recipe_is_in_its_file() -> None:
    """A recipe names functions and tables as "`one`, `two` and `three` in `file.py`"."""
    text = " ".join(Path("CONTRIBUTING.md").read_text().split())
    found = re.findall(r"((?:`\w+`(?:, | and )?)+) in `([\w/]+/\w+\.py)`", text)
    assert len(found) > 20
    for names, file in found:
        code = Path(file).read_text()
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"\b{name}\b", code), f"{name} is not in {file}"


def test_each_private_name_of_a_recipe_is_in_the_code() -> None:
    names = set(re.findall(r"`(_[A-Za-z]\w+)`", Path("CONTRIBUTING.md").read_text()))
    assert len(names) > 20
    folders = ("bot", "handlers", "tests", "tools")
    files = [file for folder in folders for file in Path(folder).rglob("*.py")]
    code = set(re.findall(r"\b_\w+", "\n".join(file.read_text() for file in files)))
    unknown = names - code
    assert not unknown, f"CONTRIBUTING.md names {sorted(unknown)}, which no file has"


def test_a_decision_is_short_and_listed() -> None:
    index = Path("docs/decisions/index.md").read_text()
    for page in Path("docs/decisions").glob("[0-9]*.md"):
        assert len(page.read_text().splitlines()) <= 25, page
        assert f"({page.name})" in index, page


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


def test_the_page_lists_all_caches() -> None:
    _, _, section = DATA.read_text().partition("## Caches in memory")
    section, _, _ = section.partition("\n## ")
    made = [
        ".".join(path.with_suffix("").parts[1:])
        for path in sorted(Path("bot").rglob("*.py"))
        for _ in re.findall(r"= TimedCache\[.*\]\(|=TimedCache\)", path.read_text())
    ]
    assert re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE) == made


def test_what_the_clean_up_forgets_is_not_kept_for_good() -> None:
    cleaned = {one.table.name for one in conditions_of_overdue_rows(datetime.now(UTC))}
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
