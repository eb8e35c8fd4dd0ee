"""Show that new flows fail on older code: ``python -m tools.red COMMIT [pytest arguments]``.

The flows that were written since COMMIT run twice on today's sandbox: against COMMIT's bot,
handlers and catalogues, where each must fail, and against today's, where each must pass. A flow
that could not even be imported there shows nothing, and is named apart. A flow that holds what
stood before as well is marked ``stands`` and left out.
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

BOT = ("bot", "handlers", "locales")  # what is taken from the older commit
FLOWS = "tests/flows"
LEFT_OUT = "stands"
IN_VAIN_S = "15"  # how long a flow waits on older code for what will not come


def main(commit: str, *arguments: str) -> int:
    """Run the flows that are new since ``commit`` on both; return 0 when each tells them apart."""
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
    """Give a folder with the bot of ``commit``, and all else as it is now."""
    with tempfile.TemporaryDirectory() as folder:
        _copy_all_but(Path(folder), BOT)
        with tarfile.open(fileobj=io.BytesIO(git("archive", commit, *BOT))) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def _copy_all_but(folder: Path, left_out: tuple[str, ...]) -> None:
    """Copy what git tracks or would track, as it is now."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode()
    for name in filter(None, listed.split("\0")):
        path = Path(name)
        if path.parts[0] not in left_out and path.is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, folder / path)


def git(*words: str, allow_failure: bool = False) -> bytes:
    """Run git; return what it says.

    Raises:
        SystemExit: It failed, which was not allowed.
    """
    done = subprocess.run(["git", *words], check=False, capture_output=True)  # noqa: S603, S607 - git
    if done.returncode and not allow_failure:
        raise SystemExit(done.stderr.decode())
    return done.stdout


def new_flows(commit: str) -> Iterator[str]:
    """Yield the tests that ``commit`` does not have, as pytest names them."""
    for path in sorted(Path(FLOWS).rglob("test_*.py")):
        known = set(flows_in(git("show", f"{commit}:{path}", allow_failure=True)))
        for name in flows_in(path.read_text()):
            if name not in known:
                yield f"{path}::{name}"


def flows_in(source: str | bytes) -> Iterator[str]:
    """Yield the names of the test functions in a module, without those marked ``stands``."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = {ast.unparse(mark) for mark in node.decorator_list}
            if node.name.startswith("test_") and f"pytest.mark.{LEFT_OUT}" not in marks:
                yield node.name


def outcomes(flows: list[str], folder: Path, *arguments: str) -> dict[str, str]:
    """Run ``flows`` in ``folder``; return by flow whether all of its cases passed.

    Each value is ``passed``, ``failed`` or ``can't be run`` (an import or a fixture failed).
    """
    found: dict[str, str] = {}
    # Module by module: one that can't be imported there would keep pytest from running the others.
    for _, of_module in groupby(flows, key=lambda flow: flow.partition("::")[0]):
        found |= _outcomes_of_module(list(of_module), folder, *arguments)
    return found


def _outcomes_of_module(flows: list[str], folder: Path, *arguments: str) -> dict[str, str]:
    report = folder / ".red.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
    command += ["--continue-on-collection-errors", "--tb=no", f"--junitxml={report}", *arguments]
    patience = {} if folder == Path.cwd() else {"PATIENCE_S": IN_VAIN_S}
    hurry = os.environ | patience  # noqa: TID251 - to be handed on
    subprocess.run(  # noqa: S603 - our own pytest
        [*command, *flows], cwd=folder, env=hurry, check=False, stdout=subprocess.DEVNULL
    )
    found: dict[str, str] = {}
    if not report.exists():  # nothing could be collected
        return dict.fromkeys(flows, "can't be run")
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it just now
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
