"""Install what a file of locked requirements lists, and say how far it is.

``python tools/install.py requirements-demo.txt``: by nothing but the standard library, as the very
first thing that make does. In a terminal one line is written over and over.
"""

import re
import subprocess
import sys
from pathlib import Path

_REQUIREMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?==", re.MULTILINE)
_FOUND = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)")
_SIZE = re.compile(r"^\s+Downloading .*\(([\d.]+ [kMG]?B)\)")
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off")


def count(text: str) -> int:
    """Return how many requirements a lock has; some of them are for other systems."""
    return len(_REQUIREMENT.findall(text))


class Progress:
    """What is said while pip works."""

    def __init__(self, total: int, *, over: bool) -> None:
        """Count up to ``total``; write each line ``over`` the one before."""
        self._total, self._over = total, over
        self._done, self._name = 0, ""

    def hear(self, line: str) -> str | None:
        """Return what to say of a line of pip's, if anything."""
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
    """Run pip; what it complains of is shown."""
    lock = Path(sys.argv[1])
    total = count(lock.read_text(encoding="utf-8"))
    say = sys.stdout
    say.write(f"Installing {total} packages of {lock.name} into {Path(sys.prefix).name}\n")
    progress = Progress(total, over=say.isatty())
    words = [sys.executable, *PIP, "--require-hashes", "--no-deps", "-r", str(lock)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as pip:  # noqa: S603 - our own words
        for line in pip.stdout or ():
            if told := progress.hear(line):
                say.write(told)
                say.flush()
    say.write("\r\x1b[K" if say.isatty() else "")
    say.write("Installed.\n" if pip.returncode == 0 else "pip failed; its words stand above.\n")
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main())
