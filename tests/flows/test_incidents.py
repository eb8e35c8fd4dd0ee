"""The owner is told of trouble once, and when it is over; what can wait makes no sound."""

import json
import subprocess
import sys
from typing import Any

import pytest

LIVES_S = 350  # real seconds that the two days may take on a slow machine; 60 of its CPU are usual

Told = list[dict[str, Any]]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Live through two days of trouble, in a process with a clock of its own."""
    folder = tmp_path_factory.mktemp("days")
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.flows.incident_days", str(folder)],
        capture_output=True,
        text=True,
        timeout=LIVES_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def of(days: dict[str, Any], words: str) -> Told:
    return [one for one in days["told"] if words in one["text"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("daily budget of 100 credits is used up", "daily budget is available again"),
        ("The Stories API balance is low", ""),
        ("The Stories API has been failing", "The Stories API is answering again"),
        ("more than five times its usual price", "reports its usual prices again"),
    ],
)
def test_urgent_incident_notifies_once_and_its_end_is_silent(
    days: dict[str, Any], begin: str, end: str
) -> None:
    told = of(days, begin)
    assert [one["rings"] for one in told] == [True], days["told"]
    if end:
        assert [one["rings"] for one in of(days, end)] == [False], days["told"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "begin",
    ["% of the daily budget of 100 credits has been used", "Telegram hasn't accepted my messages"],
)
def test_minor_incident_is_reported_once_silently(days: dict[str, Any], begin: str) -> None:
    assert [one["rings"] for one in of(days, begin)] == [False], days["told"]


@pytest.mark.slow
def test_health_says_what_is_wrong_and_what_was(days: dict[str, Any]) -> None:
    assert "⚠️" in days["health"]
    assert "daily budget of 100 credits is used up" in days["health"]
    assert "of 100 credits" in days["health"]
    assert "Earlier problems" in days["calm"]
    assert "The Stories API has been failing" in days["calm"]
