"""The command: what it prints and refuses."""

import argparse

import pytest

from bot.cli import simulate
from bot.scheduling.simulation import Record

DAWN = 1_767_225_600
PAST = [
    Record(f"profile{key}", 1 + key % 3, [DAWN + 3600.0 * (key + 5 * step) for step in range(60)])
    for key in range(12)
]


def told(
    records: list[Record], capsys: pytest.CaptureFixture[str], *words: str, cost: int = 1
) -> tuple[int, list[list[str]], str]:
    """Return the exit status, the cells of each line but the head, and what was complained of."""
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    arguments = parser.parse_args(["--history", *words])
    status = simulate.simulate_and_return_status(records, arguments, cost=cost, minimum=60.0)
    said = capsys.readouterr()
    lines = said.out.replace(" min", "min").splitlines()[1:]
    return status, [line.split() for line in lines], said.err


def test_a_budget_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    status, [[budget, checks, mean, one, late, lost]], _ = told(PAST, capsys, "--budget", "288")
    assert (status, budget, lost) == (0, "288", "0")
    assert 3000 < int(checks.replace(",", "")) <= 288 * 14
    assert 0 < float(mean.removesuffix("min")) < float(late.removesuffix("min")) < 240
    assert one.endswith("min")


def test_a_range_of_budgets_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    _, rows, _ = told(PAST, capsys, "--budget", "48", "--budget-to", "768")
    assert [row[0] for row in rows] == ["48", "96", "192", "384", "768"]
    delays = [float(row[2].removesuffix("min")) for row in rows]
    assert delays == sorted(delays, reverse=True)


@pytest.mark.parametrize(
    ("words", "cost", "sentence"),
    [
        (["--budget", "14.3"], 1, "takes 15"),
        (["--budget", "28"], 2, "takes 29"),
        (["--budget", "0"], 1, "--budget"),
        (["--budget", "nan"], 1, "--budget"),
        (["--budget", "60", "--budget-to", "60"], 1, "--budget-to"),
        (["--budget", "60", "--budget-to", "nan"], 1, "--budget-to"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    words: list[str], cost: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, rows, complaint = told(PAST, capsys, *words, cost=cost)
    assert (status, rows) == (2, [])
    assert sentence in complaint


ODD = {
    "one profile": [Record("a", 1, [DAWN + 5.0])],
    "nobody waits": [Record("a", 0, [DAWN + 5.0, DAWN + 9e4])],
    "one is silent": [Record("a", 1, [DAWN + 5.0]), Record("b", 4, [])],
    "one second": [Record("a", 2, [DAWN + 5.0] * 500)],
    "a flood": [Record("a", 2, [DAWN + 7.0 * step for step in range(30_000)])],
    "half a subscriber": [Record("a", 0.5, [DAWN + 5.0])],
    "before 1970": [Record("a", 1, [-5.0, 5.0])],
    "same name": [Record("a", 1, [DAWN + 1.0]), Record("a", 1, [DAWN + 2.0])],
}


@pytest.mark.parametrize("checks", [1.2, 1.3, 24.5, 5000])
@pytest.mark.parametrize("name", ODD)
def test_odd_pasts_are_simulated(
    name: str, checks: float, capsys: pytest.CaptureFixture[str]
) -> None:
    status, [row], _ = told(ODD[name], capsys, "--budget", str(checks * len(ODD[name])))
    assert (status, row[-1]) == (0, "0")


def test_quantiles_are_weighted() -> None:
    assert simulate.quantile_minutes([(60, 1), (120, 8), (180, 1)], 0.5) == 2
    assert simulate.quantile_minutes([(60, 1), (120, 8), (180, 1)], 0.95) == 3
    assert simulate.quantile_minutes([], 0.5) is None
    assert simulate.mean_minutes([(60, 3), (180, 1)]) == 1.5
    assert simulate.mean_minutes([]) is None
