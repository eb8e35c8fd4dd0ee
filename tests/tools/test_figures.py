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
        f"{REFUSALS} bad requests, which the stand-in refuses",
    ],
)
def test_a_count_of_the_readme_is_that_of_the_code(words: str) -> None:
    assert re.search(rf"(?<![\d,]){words}", README)


PROMISE = re.compile(
    r"tests/[\w/]+(?:\.py)?|test_\w+\.py|make [a-z-]+|python -m benchmarks \w+|docs/\w+\.md"
)


def rows(title: str) -> list[list[str]]:
    """Return the cells of the README's table below a title, without its head."""
    table = README.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line[:2] == "| "][1:]


@pytest.mark.parametrize("title", ["What it promises, and how that is tested", "Five figures"])
def test_each_promise_and_figure_names_what_shows_it(title: str) -> None:
    assert rows(title)
    for first, *others in rows(title):
        named = PROMISE.findall(" ".join(others))
        assert named or "the table above" in others[0], first
        folder = next((name for name in named if name.endswith("/")), "")
        for name in named:
            path = name if "/" in name else folder + name
            assert " " in name or (ROOT / path).exists(), f"{first}: {name}"


def test_the_page_of_the_stand_in_counts_its_refusals() -> None:
    assert f" {REFUSALS} refusals" in (ROOT / "docs/sandbox-fidelity.md").read_text()


def test_each_language_has_its_place_in_the_readme() -> None:
    sentence = " ".join(README.split()).partition("The bot has thirteen languages: ")[2]
    named = set(re.split(", | and ", sentence.partition(". ")[0]))
    assert named == {Locale.parse(code).get_display_name("en") for code in LANGUAGES}
