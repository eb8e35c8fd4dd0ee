"""Programs without a Python package that tests require: a browser, Node, PgBouncer."""

import os
import shutil

import pytest

PATH = f"{os.defpath}:/usr/sbin:/usr/local/sbin"


def is_required(name: str) -> bool:
    """Return whether ``REQUIRE_<NAME>`` turns a missing program into a failure."""
    value = os.environ.get(f"REQUIRE_{name.upper()}")  # noqa: TID251 - the tests have no Settings
    return bool(value)


def found(program: str) -> str | None:
    """Return the path of a program. Debian's servers are in /usr/sbin."""
    return shutil.which(program) or shutil.which(program, path=PATH)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Return a mark that skips tests without these programs.

    If ``REQUIRE_<NAME>`` of the first program is set, the tests run and fail instead.
    """
    missing = [program for program in programs if found(program) is None]
    skipped = bool(missing) and not is_required(programs[0])
    return pytest.mark.skipif(skipped, reason=f"not installed: {', '.join(missing)}")
