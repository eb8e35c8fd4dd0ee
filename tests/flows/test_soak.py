"""A week of the bot's life with all that can go wrong, and mistakes that it must find."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.plants import PLANTS, planted

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


@pytest.mark.parametrize("name", PLANTS)
def test_a_plant_takes_the_place_of_something_and_is_taken_out_again(name: str) -> None:
    swaps = PLANTS[name]()
    before = [getattr(where, what) for where, what, _ in swaps]
    with planted(name):
        assert all(
            getattr(where, what) is not had
            for (where, what, _), had in zip(swaps, before, strict=True)
        )
    assert [getattr(where, what) for where, what, _ in swaps] == before
