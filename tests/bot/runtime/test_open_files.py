"""The limit of open files (``ulimit -n``): refused at the start, and never taken for an outage."""

import errno
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bot.domain.model import TryLater
from bot.runtime.open_files import is_open_files_limit_reached
from bot.telegram.outcomes import outcome_of
from bot.telegram.request import TooManyFilesError

LOW = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from bot.operations.preflight import increase_open_files_limit
found = increase_open_files_limit()
print(found.level, found.text, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def found(soft: int, hard: int) -> str:
    code = LOW.format(soft=soft, hard=hard)
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_limit_that_cannot_be_raised_is_refused_with_what_to_do() -> None:
    said = found(64, 64)
    assert said.startswith("wrong The bot may open 64 files at once and needs 256")
    assert "ulimit -n" in said


def test_a_soft_limit_is_raised_at_the_start() -> None:
    assert found(64, 1024).split()[0] == "ok"
    assert found(64, 1024).split()[-1] == "1024"


@pytest.fixture
def no_file_left() -> Iterator[None]:
    """Let this process open no more files."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("no_file_left")
def test_the_cause_is_seen_behind_a_name_that_was_not_found() -> None:
    assert is_open_files_limit_reached(OSError(-3, "Temporary failure in name resolution"))


def test_a_name_that_was_not_found_alone_is_no_limit() -> None:
    assert not is_open_files_limit_reached(OSError(-3, "Temporary failure in name resolution"))
    assert is_open_files_limit_reached(OSError(errno.EMFILE, "Too many open files"))


def test_the_limit_is_no_outage_of_telegram() -> None:
    outcome = outcome_of(TooManyFilesError("this process has too many open files (EMFILE)"))
    assert isinstance(outcome, TryLater)
    assert not outcome.down
    assert not outcome.unknown
    assert "emfile" in outcome.reason
