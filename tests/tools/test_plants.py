"""The planted bugs of the soak name the functions that they replace in strings."""

import pytest

from tests.soak.plants import PLANTS


@pytest.mark.parametrize("name", PLANTS)
def test_each_planted_bug_replaces_existing_functions(name: str) -> None:
    missing = [what for where, what, _ in PLANTS[name]() if not hasattr(where, what)]
    assert missing == []
