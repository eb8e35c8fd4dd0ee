"""What is said while packages are installed."""

import re
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def test_the_lock_names_the_extras_that_its_packages_want() -> None:
    """Else pip looks for them anew, takes a release of today, and refuses it for its hash."""
    lock = (ROOT / "requirements/dev.txt").read_text()
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
