"""Three replicas under load lose nothing, whatever dies: processes, connections, the database."""

from pathlib import Path

import pytest

from tests.flows.three_replicas import Size, live, say

SMALL = Size(seconds=75, kills=10, stops=3, cuts=8, restarts=2)
WHOLE = Size(seconds=1500, kills=200, stops=50, cuts=100, restarts=10)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "size",
    [
        pytest.param(SMALL, marks=pytest.mark.slow, id="small"),
        pytest.param(WHOLE, marks=pytest.mark.long, id="whole"),
    ],
)
async def test_nothing_is_lost_whatever_dies(tmp_path: Path, size: Size) -> None:
    toll = await live(tmp_path, size)
    say(toll)
    assert not toll.lost
    assert not toll.unexplained
    assert toll.repeats <= toll.answers_lost + toll.unrecorded
    assert not toll.stale
    assert not toll.wrong_marks
    assert not toll.exits
    assert toll.bill <= toll.ledger <= toll.bill + toll.open_nominal
    assert len(toll.unexplained_calls) <= toll.not_kept  # their bills were not written either
    assert not toll.disordered
