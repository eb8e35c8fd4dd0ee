"""The benchmark of the ledger says whether a race passed a limit."""

import argparse
import json

import pytest

from benchmarks import ledger


@pytest.mark.parametrize("form", ["--json", ""])
def test_no_race_passes_the_limit(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    ledger.add_arguments(parser)
    small = ["--calls", "8", "--together", "2", "--races", "20"]
    assert ledger.main(parser.parse_args([*small, form] if form else small)) == 0
    out = capsys.readouterr().out
    if form:
        results = json.loads(out)
        assert [(r["database"], r["served"], r["overshoot"]) for r in results] == [
            ("sqlite", 1, 0),
            ("postgresql", 1, 0),
        ]
    else:
        assert "Overshoot" in out
