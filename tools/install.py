"""Install the packages in a lock file, and show the progress.

``python tools/install.py requirements/demo.txt`` is the first command that make runs, so only the
standard library is available. In a terminal, the progress overwrites a single line.
"""

import re
import subprocess
import sys
from pathlib import Path

_REQUIREMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?==", re.MULTILINE)
_FOUND = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)")
_SIZE = re.compile(r"^\s+Downloading .*\(([\d.]+ [kMG]?B)\)")
_FAILED = (
    "pip failed for the reason above. If an earlier installation was interrupted, run make clean, "
    "then this command again.\n"
)
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off")


def count(text: str) -> int:
    """Return the number of requirements in a lock file.

    Some requirements possibly do not apply to this system.
    """
    return len(_REQUIREMENT.findall(text))


class Progress:
    """The progress messages for lines of pip's output."""

    def __init__(self, total: int, *, over: bool) -> None:
        """Count to ``total`` packages.

        If ``over`` is True, each message overwrites the previous line.
        """
        self._total, self._over = total, over
        self._done, self._name = 0, ""

    def hear(self, line: str) -> str | None:
        """Return the message for a line of pip's output, or None if the line needs no message."""
        if found := _FOUND.match(line):
            self._done, self._name = self._done + 1, found[1]
            return self._said()
        if size := _SIZE.match(line):
            return self._said(f", {size[1]}")
        if line.startswith("Installing collected packages"):
            return self._shown("  putting them in place …")
        return None

    def _said(self, more: str = "") -> str:
        return self._shown(f"  {self._done} of {self._total}: {self._name}{more}")

    def _shown(self, text: str) -> str:
        return f"\r\x1b[K{text}" if self._over else f"{text}\n"


def main() -> int:
    """Run pip. Errors of pip go to stderr. Return pip's exit status."""
    lock = Path(sys.argv[1])
    total = count(lock.read_text(encoding="utf-8"))
    say = sys.stdout
    say.write(f"Installing {total} packages of {lock.name} into {Path(sys.prefix).name}\n")
    progress = Progress(total, over=say.isatty())
    words = [sys.executable, *PIP, "--require-hashes", "--no-deps", "-r", str(lock)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as pip:  # noqa: S603 - fixed commands
        for line in pip.stdout or ():
            if told := progress.hear(line):
                say.write(told)
                say.flush()
    say.write("\r\x1b[K" if say.isatty() else "")
    say.write("Installed.\n" if pip.returncode == 0 else _FAILED)
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main())
