"""The soak in small, and the mistakes that `make soak` must find."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak import invariants
from tests.soak.plants import FOUND_BY, PLANTS, planted

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize("name", PLANTS)
def test_a_plant_says_which_invariants_find_it(name: str) -> None:
    assert FOUND_BY[name]
    known = {*vars(invariants), invariants.LEDGER}
    assert known.issuperset(FOUND_BY[name])


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_rough_hours_of_three_seeds_violate_nothing() -> None:
    """Some three minutes of CPU; the weeks are for ``make soak``."""
    words = ["-m", "tests.soak", "--rough", "--seeds", "3", "--at-once", "1"]
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert done.stdout.splitlines()[-1].startswith("soak: 3 seeds, ")
    assert done.stdout.splitlines()[-1].endswith(" 0 violations")
