"""The counts that the README tells are those of the code."""

import re
from pathlib import Path

import pytest
from babel import Locale

from bot.presentation.translation import LANGUAGES
from tests.bot.stories_api.test_failures import RAW, STATUSES
from tests.bot.stories_api.test_transport import CALLS, FAULTS
from tests.flows.test_vendor import FAULTS as VENDOR_FAULTS
from tests.sandbox.telegram.refusal_table import BAD_REQUESTS, FORBIDDEN

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
REFUSALS = len(BAD_REQUESTS) + len(FORBIDDEN)


@pytest.mark.parametrize(
    "words",
    [
        f"{len(STATUSES) * len(RAW)} pairs of status and body",
        f"{len(FAULTS) * len(CALLS)} faults of the wire",
        f"{len(VENDOR_FAULTS)} faults of a vendor",
        f"{REFUSALS} refusals in the server's words",
    ],
)
def test_a_count_of_the_readme_is_that_of_the_code(words: str) -> None:
    assert re.search(rf"(?<![\d,]){words}", README)


def test_the_page_of_the_stand_in_counts_its_refusals() -> None:
    assert f" {REFUSALS} refusals" in (ROOT / "docs/sandbox-fidelity.md").read_text()


def test_each_language_has_its_place_in_the_readme() -> None:
    sentence = " ".join(README.split()).partition("The bot has thirteen languages: ")[2]
    named = set(re.split(", | and ", sentence.partition(". ")[0]))
    assert named == {Locale.parse(code).get_display_name("en") for code in LANGUAGES}
