"""A week of the bot's life with all that can go wrong, and mistakes that it must find."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def soak(*words: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.soak", *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_seeds_violate_nothing() -> None:
    status, said = soak("--seeds", "3")
    assert status == 0, said
    assert said.splitlines()[-1].startswith("soak: 3 seeds, 21 days, "), said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_seed_can_be_repeated() -> None:
    said = [soak("--seeds", "1", "--days", "2")[1] for _ in range(2)]
    first, second = (text.partition("event log ")[2].split(",")[0] for text in said)
    assert first == second, said
    assert first
