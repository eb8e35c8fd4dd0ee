"""Check the format, lint, types and tests of one module.

``python -m tools.check bot/media/sniff.py`` runs the test files that are named after the module,
such as ``tests/bot/media/test_sniff.py``. If the module is a test file, the file itself is run.
Further arguments are passed to pytest.
"""

import subprocess
import sys
from pathlib import Path


def find_tests(module: Path) -> list[Path]:
    """Return the test files that are named after a module.

    If the module is a test file, return the module.
    """
    if module.name.startswith("test_"):
        return [module]
    folder = Path("tests", *module.parts[:-1])
    mirror = folder / f"test_{module.stem}.py"
    return [mirror] if mirror.exists() else sorted(Path("tests").rglob(f"test_{module.stem}.py"))


def main(arguments: list[str]) -> int:
    """Run the checks in sequence, and stop at the first failure. Return the exit status."""
    if not arguments or not Path(arguments[0]).is_file():
        sys.stderr.write("Name a module: make check FILE=bot/media/sniff.py\n")
        return 2
    module, *options = arguments
    commands = [["ruff", "format", module], ["ruff", "check", module], ["mypy", module]]
    if tests := find_tests(Path(module)):
        commands.append(["pytest", "-q", *map(str, tests), *options])
    else:
        sys.stdout.write(f"no tests are named after {module}\n")
    for command in commands:
        status = subprocess.run([sys.executable, "-m", *command], check=False).returncode  # noqa: S603 - fixed commands
        if status:
            return status
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
