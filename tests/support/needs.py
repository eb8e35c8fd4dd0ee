"""What tests need of the machine that Python has no package of: a browser, Node, PgBouncer."""

import os
import shutil

import pytest

PATH = f"{os.defpath}:/usr/sbin:/usr/local/sbin"


def is_required(name: str) -> bool:
    """Return whether ``REQUIRE_<NAME>`` makes the absence of something a failure."""
    value = os.environ.get(f"REQUIRE_{name.upper()}")  # noqa: TID251 - the tests have no Settings
    return bool(value)


def found(program: str) -> str | None:
    """Return where a program is; Debian's servers are in /usr/sbin."""
    return shutil.which(program) or shutil.which(program, path=PATH)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Return the mark of tests that are skipped without these, or fail where that is required.

    The first of them names the variable.
    """
    missing = [program for program in programs if found(program) is None]
    skipped = bool(missing) and not is_required(programs[0])
    return pytest.mark.skipif(skipped, reason=f"not installed: {', '.join(missing)}")
