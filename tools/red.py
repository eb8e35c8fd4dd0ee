"""Show that new flow tests fail on older code: ``python -m tools.red COMMIT [pytest arguments]``.

The flow tests that were added since COMMIT run twice on the present sandbox. With the bot,
handlers and catalogues of COMMIT, each of these tests must fail. With the present code, each of
these tests must pass. A test that cannot be imported with the older code proves nothing and is
listed separately. Tests of older behaviour are marked ``stands`` and skipped.
"""

import ast
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console

BOT = ("bot", "handlers", "locales")  # the folders that are taken from the older commit
FLOWS = "tests/flows"
LEFT_OUT = "stands"
# The maximum seconds for which a test waits for an event that does not happen with older code.
IN_VAIN_S = "15"


def main(commit: str, *arguments: str) -> int:
    """Run the new flow tests on both versions.

    Return 0 if each test fails with the older code and passes with the present code.
    """
    console = Console(soft_wrap=True, highlight=False)
    flows = list(new_flows(commit))
    if not flows:
        console.print(f"no new flows since {commit}")
        return 1
    with unpacked(commit) as old:
        before = outcomes(flows, old, *arguments)
        after = outcomes(flows, Path.cwd(), *arguments)
    wrong = 0
    for flow in sorted(before | after):
        was, now = before.get(flow, "not collected"), after.get(flow, "not collected")
        shows = was == "failed" and now == "passed"
        wrong += not shows
        console.print(f"{'  ' if shows else '! '}{flow}: {was} before, {now} now")
    console.print(f"{len(after)} flows, {len(after) - wrong} red before and green now")
    return int(wrong > 0)


@contextmanager
def unpacked(commit: str) -> Iterator[Path]:
    """Yield a folder with the bot of ``commit`` and all other files of the present version."""
    with tempfile.TemporaryDirectory() as folder:
        _copy_all_but(Path(folder), BOT)
        with tarfile.open(fileobj=io.BytesIO(git("archive", commit, *BOT))) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def _copy_all_but(folder: Path, left_out: tuple[str, ...]) -> None:
    """Copy the tracked and untracked files of the working tree into a folder.

    Ignored files and the folders ``left_out`` are not copied.
    """
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode()
    for name in filter(None, listed.split("\0")):
        path = Path(name)
        if path.parts[0] not in left_out and path.is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, folder / path)


def git(*words: str, allow_failure: bool = False) -> bytes:
    """Run git and return its output.

    Raises:
        SystemExit: git failed, and ``allow_failure`` is false.
    """
    done = subprocess.run(["git", *words], check=False, capture_output=True)  # noqa: S603, S607 - runs git
    if done.returncode and not allow_failure:
        raise SystemExit(done.stderr.decode())
    return done.stdout


def new_flows(commit: str) -> Iterator[str]:
    """Yield the node ids of the flow tests that are missing in ``commit``."""
    for path in sorted(Path(FLOWS).rglob("test_*.py")):
        known = set(flows_in(git("show", f"{commit}:{path}", allow_failure=True)))
        for name in flows_in(path.read_text()):
            if name not in known:
                yield f"{path}::{name}"


def flows_in(source: str | bytes) -> Iterator[str]:
    """Yield the names of the test functions in a module, without tests marked ``stands``."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = {ast.unparse(mark) for mark in node.decorator_list}
            if node.name.startswith("test_") and f"pytest.mark.{LEFT_OUT}" not in marks:
                yield node.name


def outcomes(flows: list[str], folder: Path, *arguments: str) -> dict[str, str]:
    """Run ``flows`` in ``folder``. Return the outcome of each flow over all of its cases.

    The outcome is ``passed``, ``failed`` or ``can't be run``. A flow can't be run if an import or
    a fixture failed.
    """
    found: dict[str, str] = {}
    # Each module has a separate pytest run, because an import error would prevent the tests of
    # other modules.
    for _, of_module in groupby(flows, key=lambda flow: flow.partition("::")[0]):
        found |= _outcomes_of_module(list(of_module), folder, *arguments)
    return found


def _outcomes_of_module(flows: list[str], folder: Path, *arguments: str) -> dict[str, str]:
    report = folder / ".red.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
    command += ["--continue-on-collection-errors", "--tb=no", f"--junitxml={report}", *arguments]
    patience = {} if folder == Path.cwd() else {"PATIENCE_S": IN_VAIN_S}
    hurry = os.environ | patience  # noqa: TID251 - passed to the child process
    subprocess.run(  # noqa: S603 - fixed commands
        [*command, *flows], cwd=folder, env=hurry, check=False, stdout=subprocess.DEVNULL
    )
    found: dict[str, str] = {}
    if not report.exists():  # pytest has collected no test
        return dict.fromkeys(flows, "can't be run")
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by pytest
        module = case.get("classname", "").replace(".", "/") + ".py"
        flow = f"{module}::{case.get('name', '').partition('[')[0]}"
        if case.find("failure") is not None:
            found[flow] = "failed"
        elif case.find("error") is not None:
            found.setdefault(flow, "can't be run")
        elif case.find("skipped") is None:
            found.setdefault(flow, "passed")
    report.unlink()
    return found


if __name__ == "__main__":
    if not sys.argv[1:]:
        raise SystemExit("which commit? make red BASE=<commit>")
    raise SystemExit(main(*sys.argv[1:]))
