"""Run the tests on every supported Python on this machine: ``make test-all``.

Each Python has a separate environment in .cache. All environments are created from the same lock
file. Dependencies are also resolved for the next Python, even if it is not installed, to detect
incompatible packages early.
"""

import os
import subprocess
import sys
from pathlib import Path

UV = str(Path(sys.executable).with_name("uv"))
ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
NEXT = "3.14"
NOT_FOUND = "not installed here"
TIERS = (  # The selections of tests that make test and make test-slow run.
    ("-n", "3", "--dist", "loadfile", "-m", "not campaign and not slow and not long"),
    ("-n", "2", "--dist", "worksteal", "--hypothesis-profile=thorough",
     "-m", "(campaign or slow or hypothesis) and not long"),
)  # fmt: skip


def main(wanted: list[str]) -> int:
    """Test on each installed Python of ``PYTHONS``. ``wanted`` contains arguments for pytest.

    Return 0 if all tests pass and the dependencies can be resolved for the next Python. In all
    other cases, return 1. If none of the Pythons is installed, also return 1.
    """
    results = {python: tested(python, wanted) for python in PYTHONS}
    words = ("--python-version", NEXT, "--all-extras", "--group", "dev", "pyproject.toml")
    resolved = succeeds(UV, "pip", "compile", "--quiet", *words, "--output-file", os.devnull)
    results[f"{NEXT} (resolved only)"] = "ok" if resolved else "FAILED"
    for python, result in results.items():
        sys.stdout.write(f"Python {python}: {result}\n")
    found = [result for result in results.values() if result != NOT_FOUND]
    return int("FAILED" in found or len(found) < 2)  # noqa: PLR2004 - at least one installed Python and the next Python


def tested(python: str, more: list[str]) -> str:
    """Create the environment of a Python, and run the tests there. Return the result as a word.

    If ``more`` contains arguments for pytest, only the first tier of tests runs.
    """
    if not is_installed(python):
        return NOT_FOUND
    place = ROOT / ".cache" / f"python-{python}"
    program = str(place / "bin/python")
    made = succeeds(UV, "venv", "--quiet", "--allow-existing",
                    "--python", python, str(place)) and succeeds(
        UV, "pip", "install", "--quiet", "--python", program, "--require-hashes",
        "--requirement", "requirements/dev.txt")  # fmt: skip
    tiers = TIERS[:1] if more else TIERS
    is_good = made and all(succeeds(program, "-m", "pytest", *tier, *more) for tier in tiers)
    return "ok" if is_good else "FAILED"


def is_installed(python: str) -> bool:
    """Return whether a Python of the given version is installed."""
    find = [UV, "python", "find", "--no-python-downloads", "--system", python]
    return subprocess.run(find, capture_output=True, check=False).returncode == 0  # noqa: S603 - uv with fixed arguments


def succeeds(*words: str) -> bool:
    """Run a command. Return whether the command succeeded."""
    return subprocess.run(words, cwd=ROOT, check=False).returncode == 0  # noqa: S603 - fixed commands


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
