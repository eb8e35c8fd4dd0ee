"""The soak in small, and the mistakes that `make soak` must find."""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import alert_rules
from bot.domain.model import Options
from sandbox.instagram import Profile
from sandbox.instagram import Story as SandboxStory
from tests.soak import contents, invariants
from tests.soak.plants import FOUND_BY, PLANTS, planted
from tests.support.followed import story
from tests.support.preferences import unlike_defaults

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


@pytest.mark.parametrize("option", Options.__dataclass_fields__)
def test_the_soak_lets_pass_what_an_option_lets_pass(option: str) -> None:
    unlike = getattr(unlike_defaults().options, option)
    options = replace(Options(), **{option: unlike})
    profile = Profile("787132", "natgeo", "", random.Random(1))  # noqa: S311 - nothing is drawn
    for kind, tags in (("photo", ()), ("video", ("sale",))):
        ours = story("1", kind=kind, hashtags=tags)
        theirs = SandboxStory(
            "1", profile, ours.taken_at.timestamp(), 2 if kind == "video" else 1, hashtags=[*tags]
        )
        assert contents.passes(theirs, options.values()) == alert_rules.passes(ours, options)


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
