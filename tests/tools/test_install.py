"""What is said while packages are installed."""

import re
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.install import Progress, count

ROOT = Path(__file__).parents[2]
PIP = """Collecting aiohttp==3.14.3 (from -r requirements-demo.txt (line 1))
  Downloading aiohttp-3.14.3-cp311-manylinux.whl (1.7 MB)
Requirement already satisfied: rich==14.2.0 in ./.venv/lib
Some other line
Installing collected packages: aiohttp
"""


def test_each_package_is_counted_and_its_size_told() -> None:
    progress = Progress(2, over=False)
    said = [told for line in PIP.splitlines() if (told := progress.hear(line))]
    assert said == [
        "  1 of 2: aiohttp\n",
        "  1 of 2: aiohttp, 1.7 MB\n",
        "  2 of 2: rich\n",
        "  putting them in place …\n",
    ]


def test_the_locks_are_counted() -> None:
    lock = "a==1 \\\n    --hash=sha256:1\nb[c]==2 ; python_version < '4' \\\n    --hash=sha256:2\n"
    assert count(lock) == 2
    assert count((ROOT / "requirements-demo.txt").read_text()) > 20


def test_the_lock_names_the_extras_that_its_packages_want() -> None:
    """Else pip looks for them anew, takes a release of today, and refuses it for its hash."""
    lock = (ROOT / "requirements-dev.txt").read_text()
    names = re.findall(r"^([\w.-]+(?:\[[^\]]*\])?)==", lock, re.MULTILINE)
    pinned = [Requirement(name) for name in names]
    locked = {canonicalize_name(one.name): one.extras for one in pinned}
    missing = []
    for name in locked:
        for wanted in map(Requirement, _wishes(name)):
            applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            if applies and not wanted.extras <= locked.get(canonicalize_name(wanted.name), set()):
                missing.append(f"{name} wants {wanted}")
    assert not missing


def _wishes(name: str) -> list[str]:
    try:
        return distribution(name).requires or []
    except ModuleNotFoundError:  # for other systems
        return []
