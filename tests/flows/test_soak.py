"""The mistakes that `make soak` must find; the soak itself takes too long for a test."""

import pytest

from tests.soak import invariants
from tests.soak.plants import FOUND_BY, PLANTS, planted


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
