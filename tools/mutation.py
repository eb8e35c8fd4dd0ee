"""Change one small part of the code at a time, and check that a test fails: ``make mutation``.

Cosmic Ray finds the positions and creates the mutants. Its own runner (write the file, start
pytest, restore the file) takes four seconds of CPU per mutant, and the code has thousands of
mutants. This module uses forks of a process with loaded libraries instead. Each fork imports the
mutant as the module and runs the tests that reach the mutant's lines, the nearest first, until a
test fails. No file is changed.

``mutation.toml`` configures the mutants, and lists the survivors that are not faults, with the
reason. The exit status is 1 if fewer mutants are killed than required, if a survivor is not
listed, if a listed mutant no longer survives, or, before any test, if no mutant makes a listed
change. ``python -m tools.mutation bot/domain/links.py`` tests a package or a module. ``--some 50``
tests only 50 mutants of each package or module.
"""

import argparse
import contextlib
import gc
import hashlib
import importlib
import importlib.machinery
import importlib.util
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from multiprocessing.connection import wait
from pathlib import Path
from types import CodeType
from typing import Any

import coverage
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator
from hypothesis import Phase, settings
from rich.console import Console

Node = Any  # a node of parso, which has incomplete types
CONFIG = Path(__file__).with_suffix(".toml")
LIBRARIES = (  # These libraries are loaded once, and all forks share the loaded libraries.
    "aiosqlite", "alembic.command", "babel.dates", "hypothesis.stateful", "prometheus_client",
    "pydantic_settings", "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite",
    "sqlalchemy.ext.asyncio", "structlog", "telegram.ext", "aiohttp.web", "pytest_asyncio.plugin",
)  # fmt: skip
OURS = ("bot", "handlers", "sandbox", "tests")  # packages that each fork imports again
QUICK = "not campaign and not slow and not long"
# Other plugins are disabled, because the import of a plugin takes longer than most tests.
PYTEST = (
    "-q", "-m", QUICK, "--disable-plugin-autoload", "-p", "pytest_asyncio.plugin",
    "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider",
    "-p", "no:unraisableexception",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # hypothesis is already loaded
)  # fmt: skip
# Stops at the first failure, and prints no details of failures.
BRIEFLY = ("-x", "--tb=no", "--assert=plain", "--timeout=30")
ENOUGH_S = 20.0  # the maximum total CPU seconds of the tests of one mutant
# A mutant is regarded as an endless loop if the tests take more CPU time than this limit: the
# normal CPU time multiplied by the first number, plus the second number in seconds.
LIMIT_TIMES, LIMIT_MORE_S = 4.0, 3.0
NO_TESTS = int(pytest.ExitCode.NO_TESTS_COLLECTED)
# The tests of a mutant are stopped after this number of seconds, even if they use no CPU.
HANGS_S = 120.0
CALLS = ("await_stmt", "atom_expr", "power")


@dataclass(frozen=True)
class Mutant:
    """A mutant: one change at one position of a module."""

    path: Path
    operator: str
    occurrence: int  # the index among all positions of the operator in the module
    lines: range  # the lines of the changed statement
    where: str  # identifies the mutant, even if the code before the mutant changes

    @property
    def module(self) -> str:
        """Return the module's import name."""
        return ".".join(self.path.with_suffix("").parts)

    def code(self) -> str:
        """Return the changed source text.

        If the mutant has no operator, return the original text.
        """
        if not self.operator:
            return self.path.read_text()
        made = mutate_code(self.path.read_text(), _operator(self.operator), self.occurrence)
        return str(made)

    def change(self) -> str:
        """Return the changed line before and after the change, without comments."""
        before, after = self.path.read_text().splitlines(), self.code().splitlines()
        at = next(n for n, pair in enumerate(zip(before, after, strict=False)) if len({*pair}) > 1)
        return f"{_bare(before[at])} → {_bare(after[at])}".strip()


class RemoveCall(Operator):  # type: ignore[misc]
    """An operator that removes a call statement. Cosmic Ray has no such operator."""

    def mutation_positions(self, node: Node) -> Iterator[tuple[Any, Any]]:
        """Yield the position of a statement that consists of a call."""
        if node.type == "simple_stmt" and node.children[0].get_code().strip().endswith(")"):
            called = node.children[0]
            if called.type in CALLS:
                yield called.start_pos, called.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Replace a call statement by ``pass``."""
        del index
        prefix = node.children[0].get_first_leaf().prefix
        node.children[0] = get_ast(f"{prefix}pass")
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        """Return no examples, because only Cosmic Ray's documentation uses examples."""
        return ()


def _bare(line: str) -> str:
    return " ".join(line.partition("  # ")[0].split())


def _operator(name: str) -> Operator:
    return RemoveCall() if name == "RemoveCall" else get_operator(f"core/{name}")()


def mutants_of(path: Path, operators: Sequence[str]) -> Iterator[Mutant]:
    """Yield all mutants of a module, except for types, decorator arguments, logs and ``strict``.

    Other mutation testers also skip logs, for example PIT with ``avoidCallsTo``.
    """
    tree = get_ast(path.read_text())
    nodes = list(ast_nodes(tree))
    seen = Counter[str]()
    for name in (*operators, "RemoveCall"):
        operator, occurrence = _operator(name), -1
        for node in nodes:
            for _ in operator.mutation_positions(node):
                occurrence += 1
                if _is_left_alone(node):
                    continue
                lines = _lines(node)
                where = f"{path} {name} {_scope(node)} {node.get_code(include_prefix=False)}"
                seen[where] += 1
                yield Mutant(path, name, occurrence, lines, f"{where} {seen[where]}")


def _is_left_alone(node: Node) -> bool:
    """Return whether a node is in a type, decorator arguments, a log or a ``strict`` argument."""
    while (parent := node.parent) is not None:
        if _is_log(node) or _is_type_of(parent, node) or parent.type == "decorator":
            return True
        if parent.type == "argument" and parent.children[0].get_code().strip() == "strict":
            return True  # the argument strict= of zip() only asserts that the lengths are equal
        node = parent
    return False


def _is_type_of(parent: Node, node: Node) -> bool:
    if parent.type in ("param", "parameters") and node.type == "operator":
        return True  # the node is a bare * between the parameters of a function
    return (
        (parent.type == "annassign" and node is parent.children[1])
        or (parent.type == "tfpdef" and node is parent.children[2])
        or (parent.type == "funcdef" and node is parent.annotation)
    )


def _is_log(node: Node) -> bool:
    return node.type in ("simple_stmt", *CALLS) and node.get_code().strip().startswith("log.")


def _scope(node: Node) -> str:
    names = []
    scope = node.search_ancestor("funcdef", "classdef")
    while scope is not None:
        names.append(scope.name.value)
        scope = scope.search_ancestor("funcdef", "classdef")
    return ".".join(reversed(names))


def _lines(node: Node) -> range:
    """Return the lines that a test must reach to detect a mutant.

    The lines are those of the statement, or of the head of a compound statement.
    """
    statement = node
    while statement.parent is not None and statement.parent.type not in ("suite", "file_input"):
        statement = statement.parent
    return range(statement.start_pos[0], node.get_last_leaf().start_pos[0] + 1)


def chosen(room: str, most: int, config: dict[str, Any]) -> list[Mutant]:
    """Return the mutants of a package or module.

    If ``most`` is not 0, return at most ``most`` mutants. The seed in ``config`` determines the
    selection. Changes of other code do not change the selection, because each mutant has its own
    hash.
    """
    paths = [Path(room)] if room.endswith(".py") else sorted(Path(room).glob("*.py"))
    found = [one for path in paths for one in mutants_of(path, config["operators"]["used"])]
    if most:
        found.sort(
            key=lambda one: hashlib.sha256(f"{config['seed']} {one.where}".encode()).digest()
        )
    return found[: most or None]


def listed(config: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return the reason for each listed survivor, by module and change."""
    return {
        (one["module"], change): one["why"]
        for one in config.get("equivalent", ())
        for change in one["changes"]
    }


def of_no_line(changes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the changes whose original line is no longer in the module."""
    return [
        (module, change)
        for module, change in changes
        if _before(change) not in {"", *_bare_lines(Path(module))}
    ]


def not_made(changes: Iterable[tuple[str, str]], operators: Sequence[str]) -> set[tuple[str, str]]:
    """Return the changes in ``changes`` that no mutant makes."""
    left = set(changes)
    for path in {Path(module) for module, _ in left if Path(module).exists()}:
        lines = _bare_lines(path)
        before = {_before(change) for module, change in left if module == str(path)}
        for mutant in mutants_of(path, operators):
            if before & {"", *lines[mutant.lines.start - 1 : mutant.lines.stop]}:
                left.discard((str(path), mutant.change()))
    return left


def _before(change: str) -> str:
    return change.partition("→")[0].strip()


@lru_cache
def _bare_lines(path: Path) -> list[str]:
    return [_bare(line) for line in path.read_text().splitlines()] if path.exists() else []


@dataclass(frozen=True)
class Reach:
    """The tests that reach each line, and the CPU time of each test."""

    took: dict[str, float]
    by_line: dict[str, dict[int, list[str]]]

    def tests(self, mutant: Mutant) -> list[str]:
        """Return the tests for a mutant, nearest and fastest first.

        The tests take at most ``ENOUGH_S`` seconds of CPU in total, but at least one test is
        returned. The module's own tests are nearer than other tests of its package. For a
        statement of several lines, tests that reach the last line of the statement are nearer.
        """
        lines = self.by_line.get(str(mutant.path), {})
        room = mutant.path.parent.name
        found = {test for line in mutant.lines for test in lines.get(line, ())}
        if not found:  # Only the import runs the line, so every test of the module is used.
            found = {test for line in lines.values() for test in line}
            found |= {test for test in self.took if test.startswith(f"tests/bot/{room}/")}

        there = {test for line in mutant.lines[-1:] for test in lines.get(line, ())}

        def nearness(test: str) -> tuple[bool, bool, bool, float]:
            is_own = test.startswith(f"tests/bot/{room}/test_{mutant.path.stem}.py::")
            is_near = test.startswith(f"tests/bot/{room}/")
            return not is_own, not is_near, test not in there, self.took[test]

        asked, spent = list[str](), 0.0
        for test in sorted(found, key=nearness):
            if spent + self.took[test] <= ENOUGH_S or not asked:
                asked.append(test)
                spent += self.took[test]
        return asked


class Watched:
    """A pytest plugin that records the covered lines and the CPU time of each test."""

    def __init__(self, rooms: Sequence[str], folder: Path) -> None:
        """Measure the packages ``rooms``. Store databases and results in ``folder``."""
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, source=list(rooms),
            concurrency=["thread", "greenlet"],
        )  # fmt: skip
        self._folder, self._took = folder, dict[str, float]()
        self._failed = set[str]()

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Deselect the tests that require PostgreSQL, and start the measurement.

        Also create the migrated database that the tests copy.
        """
        items[:] = [item for item in items if "postgres_url" not in _fixtures(item)]
        _share_database(self._folder)
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Measure the CPU time of a test, including its fixtures."""
        self._coverage.switch_context(item.nodeid)
        before = time.process_time()
        result = yield
        self._took[item.nodeid] = time.process_time() - before
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the tests that fail without a mutant. Failing tests cannot detect mutants."""
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write the results to reach.json."""
        self._coverage.stop()
        data, root = self._coverage.get_data(), Path.cwd()
        by_line = {
            str(Path(name).relative_to(root)): {
                line: [test for test in tests if test and test not in self._failed]
                for line, tests in data.contexts_by_lineno(name).items()
            }
            for name in data.measured_files()
        }
        seen = {"took": self._took, "by_line": by_line}
        (self._folder / "reach.json").write_text(json.dumps(seen))


def _fixtures(item: pytest.Item) -> set[str]:
    names = set(getattr(item, "fixturenames", ()))
    chosen = getattr(getattr(item, "callspec", None), "params", {}).get("database_url")
    return names - {"postgres_url"} | ({"postgres_url"} if chosen == "postgresql" else set())


class Only:
    """A pytest plugin that runs given tests in the given order."""

    def __init__(self, tests: Sequence[str], folder: Path, took: Mapping[str, float]) -> None:
        """Run ``tests`` in this order.

        ``took`` contains the normal CPU time of each test. ``folder`` contains the migrated
        database.
        """
        self._order = {test: place for place, test in enumerate(tests)}
        self._folder, self._took = folder, took

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        """Disable hypothesis' search for the smallest failing example.

        The search takes long.
        """
        first = (Phase.explicit, Phase.generate)
        settings.register_profile("first", settings.default, phases=first)
        settings.load_profile("first")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """End the process if a test takes far longer than without the mutant."""
        limit = LIMIT_TIMES * self._took[item.nodeid] + LIMIT_MORE_S
        most = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(
            resource.RLIMIT_CPU, (min(int(time.process_time() + limit), most), most)
        )
        return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Select and sort the tests, and let the tests copy the migrated database."""
        items[:] = [item for item in items if item.nodeid in self._order]
        items.sort(key=lambda item: self._order[item.nodeid])
        _share_database(self._folder)


def _share_database(folder: Path) -> None:
    """Let each fork copy one migrated database instead of running the migrations."""
    importlib.import_module("tests.support.database").made_in(folder)


class Broken(importlib.machinery.SourceFileLoader):
    """An import finder and loader that replaces a module by a mutant of the module."""

    def __init__(self, mutant: Mutant) -> None:
        """Prepare to load the source text of the mutant instead of the file."""
        super().__init__(mutant.module, str(mutant.path.resolve()))
        self._code = compile(mutant.code(), self.path, "exec")

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of the mutant's module, or None for any other module."""
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, _: str) -> CodeType:
        """Return the code of the mutant."""
        return self._code


def _quietly(work: Callable[[], int], limit_s: float) -> None:
    """Run ``work`` without output in the current fork. Exit the fork with the result as status."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s) + 1,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code = 1
    with contextlib.suppress(BaseException):  # a mutant whose import fails counts as killed
        code = work()
    os._exit(code)


class Forks:
    """A runner of pytest in parallel forks of this process."""

    def __init__(self, folder: Path, workers: int) -> None:
        """Store the files of the forks in ``folder``.

        Raises:
            RuntimeError: Modules of the project are already imported, so mutants would have no
                effect.
        """
        self._folder, self._workers = folder, workers
        self._fork = multiprocessing.get_context("fork")
        for name in LIBRARIES:
            importlib.import_module(name)
        if loaded := [name for name in sys.modules if name.split(".")[0] in OURS]:
            raise RuntimeError(f"a mutant of what is loaded would not be seen: {loaded}")
        gc.freeze()

    def reach(self, rooms: Sequence[str], tests: Sequence[str]) -> Reach:
        """Run all tests without a mutant. Return the tests that reach each line.

        Raises:
            SystemExit: The tests cannot be run.
        """

        def run() -> int:
            watched = Watched(rooms, self._folder)
            return int(pytest.main([*PYTEST, *tests], plugins=[watched]))

        process = self._fork.Process(target=run)
        process.start()
        process.join()
        if not (file := self._folder / "reach.json").exists():
            raise SystemExit("the tests can't be run")
        seen = json.loads(file.read_text())
        lines = {
            path: {int(line): tests for line, tests in found.items()}
            for path, found in seen["by_line"].items()
        }
        return Reach(seen["took"], lines)

    def results(self, mutants: Sequence[Mutant], reach: Reach) -> Iterator[tuple[Mutant, bool]]:
        """Yield each mutant and whether the mutant survived."""
        waiting, running = list(reversed(mutants)), dict[Any, Any]()
        while waiting or running:
            while waiting and len(running) < self._workers:
                mutant = waiting.pop()
                tests = reach.tests(mutant)
                if not tests:
                    yield mutant, True
                    continue
                limit = LIMIT_TIMES * sum(reach.took[test] for test in tests) + LIMIT_MORE_S
                process = self._fork.Process(
                    target=_quietly, args=(lambda m=mutant, t=tests: self._try(m, t, reach), limit)
                )
                process.start()
                running[process.sentinel] = mutant, process, time.monotonic() + HANGS_S
            for sentinel in wait(running, timeout=1):
                mutant, process, _ = running.pop(sentinel)
                process.join()
                yield mutant, process.exitcode in (0, NO_TESTS)
            for _, process, until in running.values():
                if time.monotonic() > until:
                    process.kill()

    def _try(self, mutant: Mutant, tests: list[str], reach: Reach) -> int:
        sys.meta_path.insert(0, Broken(mutant))
        files = list(dict.fromkeys(test.split("::")[0] for test in tests))
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            options = (*PYTEST, *BRIEFLY, f"--basetemp={folder}/base")
            only = Only(tests, self._folder, reach.took)
            return int(pytest.main([*options, *files], plugins=[only]))


def main() -> int:
    """Test the mutants. Return 0 if enough are killed and every survivor has a reason, else 1."""
    config = tomllib.loads(CONFIG.read_text())
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "only", nargs="*", help="packages or modules; by default, those of the configuration"
    )
    parser.add_argument(
        "--some", type=int, default=0, help="the maximum number of mutants of a package or module"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False, markup=False)
    rooms = dict.fromkeys(asked.only, 0) or config["rooms"]
    mutants = [
        one for room, most in rooms.items() for one in chosen(room, asked.some or most, config)
    ]
    reasons = listed(config)
    tried = {str(one.path) for one in mutants}
    gone = not_made([key for key in reasons if key[0] in tried], config["operators"]["used"])
    for module, change in gone:
        console.print(f"! {module}: {change}  is listed, and no mutant makes it")
    if gone:
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        forks = Forks(Path(folder), asked.workers)
        tests = [f"tests/bot/{name}" for name in config["tests"]["folders"]]
        reach = forks.reach(list(config["rooms"]), tests)
        console.print(f"{len(mutants)} mutants, {len(reach.took)} tests")
        modules = dict.fromkeys(mutant.path for mutant in mutants)
        controls = [Mutant(path, "", 0, range(0), "") for path in modules]
        for control, survived in forks.results(controls, reach):
            if not survived:
                console.print(f"{control.path}: its tests fail where nothing is broken")
                return 1
        survivors, unexplained, used = set[Mutant](), 0, set[tuple[str, str]]()
        for mutant, survived in forks.results(mutants, reach):
            if survived:
                survivors.add(mutant)
                key = str(mutant.path), mutant.change()
                used.add(key)
                unexplained += key not in reasons
                mark = "  " if key in reasons else "! "
                console.print(f"{mark}{mutant.path}: {key[1]}  {reasons.get(key, '')}")
    for room, of_room in groupby(mutants, key=lambda one: one.path.parent):
        whole = list(of_room)
        killed = sum(one not in survivors for one in whole)
        console.print(f"{room}: {killed} of {len(whole)} killed ({killed / len(whole):.1%})")
    stale = [] if asked.only or asked.some else [key for key in reasons if key not in used]
    for module, change in stale:
        console.print(f"! {module}: {change}  is listed, and survives no longer")
    killed_part = 1 - len(survivors) / max(1, len(mutants))
    console.print(f"{killed_part:.1%} killed, {unexplained} survivors without a reason")
    return int(unexplained > 0 or bool(stale) or killed_part < config["least_killed"])


if __name__ == "__main__":
    sys.exit(main())
