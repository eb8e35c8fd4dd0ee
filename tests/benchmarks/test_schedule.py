"""The benchmark of the schedule: what it claims, on a small scale."""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import schedule, traces
from benchmarks.schedule import Job


def mean_of(kind: str, policy: str, looks: float = 12) -> float:
    """Return the weighted minutes of a small world."""
    found = Job(
        kind, equal_weights=False, seed=21, looks=looks, policy=policy, profiles=100, days=14
    ).run()
    assert found is not None
    assert found.lost == 0
    assert found.most_spent <= 1
    assert found.spent > 0.96
    return found.weighted


@pytest.mark.parametrize("kind", ["homogeneous", pytest.param("exciting", marks=pytest.mark.slow)])
def test_learning_comes_near_the_true_intensity_and_far_from_the_rest(kind: str) -> None:
    learned = mean_of(kind, "learned")
    assert learned < 1.25 * mean_of(kind, "true intensity")
    assert learned < mean_of(kind, "fixed") / 2
    assert learned < mean_of(kind, "AIMD")
    assert learned < mean_of(kind, "entry-frequency")


def test_bursts_are_worth_following() -> None:
    assert mean_of("bursty", "learned") < mean_of("bursty", "√-rule") / 1.1


def test_a_law_without_closed_form_has_no_true_rule() -> None:
    assert (
        Job(
            "bursty",
            equal_weights=False,
            seed=1,
            looks=12,
            policy="true intensity",
            profiles=5,
            days=8,
        ).run()
        is None
    )


def test_an_outage_loses_nothing() -> None:
    assert ": 0 lost;" in schedule.outage(1, 40)


@pytest.mark.slow
def test_the_table_has_a_line_for_each_world_and_budget(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = argparse.ArgumentParser()
    schedule.add_arguments(parser)
    args = parser.parse_args(["--profiles", "8", "--days", "9", "--seeds", "1"])
    with ThreadPoolExecutor(1) as pool:
        schedule.table(args, pool)
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("| ") for line in lines) == 1 + 24
    assert "0 stories lost" in lines[-1]


def test_recorded_traces_have_their_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = traces.make("daily", profiles=6, days=9, seed=1).records
    lines = "".join(json.dumps(asdict(record)) + "\n" for record in records)
    (tmp_path / "few.jsonl").write_text(lines, encoding="utf-8")
    with ThreadPoolExecutor(1) as pool:
        schedule.recorded(tmp_path, pool)
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("| few | 48 |")
