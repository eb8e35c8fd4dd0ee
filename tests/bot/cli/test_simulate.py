"""The command: what it prints, writes and refuses."""

import argparse
import csv
import gzip
import json
from pathlib import Path

import pytest

from bot.cli import simulate
from bot.scheduling.simulation import Record

DAWN = 1_767_225_600


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    lines = [
        {
            "username": f"profile{key}",
            "subscribers": 1 + key % 3,
            "taken_at": [DAWN + 3600 * (key + 5 * step) for step in range(60)],
        }
        for key in range(12)
    ]
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("policy", simulate.POLICIES)
def test_json_says_it_all(trace: Path, policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--budget", "144", "--policy", policy, "--json"]
    assert simulate.main(options("--trace", str(trace), *arguments)) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["profiles"] == 12
    assert found["stories_lost"] == 0
    assert found["delay_median_minutes"] <= found["delay_p95_minutes"]
    assert 0 < found["delay_mean_minutes"] < 240
    assert sum(found["credits_by_day"].values()) == found["looks"]
    assert max(found["credits_by_day"].values()) <= 144
    assert min(found["credits_by_day"]) == "2026-01-01"


def test_the_table_names_what_it_shows(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(options("--trace", str(trace), "--budget", "288", "--cost", "2")) == 0
    shown = capsys.readouterr().out
    for text in ("delay, median", "stories lost", "one subscriber", "2026-01-03", "2 a look"):
        assert text in shown


def test_a_range_of_budgets_is_a_table(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    range_ = ["--budget", "48", "--budget-to", "768"]
    assert simulate.main(options("--trace", str(trace), *range_)) == 0
    shown = capsys.readouterr().out
    for text in ("48", "96", "192", "384", "768", "more or less", "stories lost"):
        assert text in shown
    assert simulate.main(options("--trace", str(trace), *range_, "--json")) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    delays = [each["delay_mean_minutes"] for each in found]
    assert len(delays) == 5
    assert delays == sorted(delays, reverse=True)


def test_a_gzipped_trace_is_the_same(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zipped = trace.with_suffix(".jsonl.gz")
    zipped.write_bytes(gzip.compress(trace.read_bytes()))
    answers = []
    for path in (trace, zipped):
        assert simulate.main(options("--trace", str(path), "--budget", "60", "--json")) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


def test_polls_name_each_look(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    polls = tmp_path / "polls.csv"
    arguments = ["--budget", "60", "--polls", str(polls), "--json"]
    assert simulate.main(options("--trace", str(trace), *arguments)) == 0
    with polls.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == json.loads(capsys.readouterr().out)["looks"]
    assert {row["username"] for row in rows} == {f"profile{key}" for key in range(12)}
    times = [float(row["unix_time"]) for row in rows]
    assert times == sorted(times)
    assert times[0] >= DAWN


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--budget", "14.3"], "takes 15"),
        (["--budget", "28", "--cost", "2"], "takes 29"),
        (["--budget", "0"], "--budget"),
        (["--budget", "nan"], "--budget"),
        (["--budget", "60", "--budget-to", "60"], "--budget-to"),
        (["--budget", "60", "--budget-to", "nan"], "--budget-to"),
        (["--budget", "60", "--budget-to", "90", "--polls", "polls.csv"], "--polls"),
        (["--budget", "60", "--cost", "0"], "--cost"),
        (["--budget", "60", "--warmup-days", "-1"], "--warmup-days"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    trace: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate.main(options("--trace", str(trace), *arguments)) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert not shown.out


@pytest.mark.parametrize(
    "text",
    [
        "[]\n",
        "nonsense\n",
        '{"username": "a", "subscribers": 1}\n',
        '{"username": "a", "subscribers": -1, "taken_at": [5]}\n',
        '{"username": "a", "subscribers": 1, "taken_at": [NaN]}\n',
        '{"username": "a", "subscribers": 1, "taken_at": ["x"]}\n',
        "\xff",
        "",
        '{"username": "a", "subscribers": 1, "taken_at": []}\n',
    ],
)
def test_a_bad_trace_is_refused_with_a_sentence(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(text.encode("latin-1"))
    assert simulate.main(options("--trace", str(path), "--budget", "60")) == 2
    assert capsys.readouterr().err.strip()


def test_a_missing_file_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "none.jsonl"
    assert simulate.main(options("--trace", str(missing), "--budget", "60")) == 2
    assert "can't be read" in capsys.readouterr().err


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


@pytest.mark.parametrize("looks", [1.2, 1.3, 24.5, 5000])
@pytest.mark.parametrize("name", ODD)
def test_odd_pasts_are_simulated(
    name: str, looks: float, capsys: pytest.CaptureFixture[str]
) -> None:
    records = ODD[name]
    budget = looks * len(records)
    arguments = ["--history", "--budget", str(budget), "--warmup-days", "0", "--json"]
    assert simulate.run(records, options(*arguments)) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["stories_lost"] == 0
    assert found["stories"] == sum(len(record.taken_at) for record in records)
    assert max(found["credits_by_day"].values()) <= budget


def test_taken_at_needs_no_order(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('\n{"username": "a", "subscribers": 1, "taken_at": [9, 5, 7]}\n\n')
    assert list(simulate.read_trace(path)) == [Record("a", 1, [5, 7, 9])]


def test_the_plot_is_a_picture(trace: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="an optional extra")
    picture = tmp_path / "plot.png"
    arguments = ["--budget", "60", "--plot", str(picture), "--json"]
    assert simulate.main(options("--trace", str(trace), *arguments)) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_place_that_cannot_be_written_is_a_sentence(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--budget", "60", "--polls", str(tmp_path / "none" / "polls.csv")]
    assert simulate.main(options("--trace", str(trace), *arguments)) == 1
    assert "Can't write" in capsys.readouterr().err


def test_quantiles_are_weighted() -> None:
    assert simulate.quantile([(60, 1), (120, 8), (180, 1)], 0.5) == 2
    assert simulate.quantile([(60, 1), (120, 8), (180, 1)], 0.95) == 3
    assert simulate.quantile([], 0.5) is None
    assert simulate.mean([(60, 3), (180, 1)]) == 1.5
    assert simulate.mean([]) is None


def test_an_exported_trace_has_no_names_and_gives_the_same(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, again = tmp_path / "first.jsonl", tmp_path / "again.jsonl"
    named = trace.read_text(encoding="utf-8").replace("profile", "somebody")
    trace.write_text(named, encoding="utf-8")
    answers = []
    for source, written in ((trace, first), (first, again)):
        arguments = ["--budget", "60", "--json", "--export-trace", str(written)]
        assert simulate.main(options("--trace", str(source), *arguments)) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]
    assert "somebody" not in first.read_text(encoding="utf-8")
    assert first.read_bytes() == again.read_bytes()
