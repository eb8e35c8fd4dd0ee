"""Where Telegram takes some calls and not others, no living story is given up, nor an answer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "day",
    [
        "130 s of 502",
        "sendPhoto alone",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                "one chat, 502",
                "two chats, 502",
                "two chats, resets",
                "one chat, lost answers",
                "two chats, 500",
                "hanging sends",
                "every second",
                "every third",
                "every second 500",
                "ten chats",
            )
        ),
    ],
)
def test_nothing_is_lost_where_telegram_takes_some_calls_only(tmp_path: Path, day: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.flows.partial_faults", str(tmp_path), day],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["lost"], figures["untold"], figures["answered"]) == (0, 0, True), figures
    assert figures["most_copies"] <= 3
