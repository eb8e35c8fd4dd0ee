"""What counts as a new flow, and how its outcome is read."""

from pathlib import Path

from tools.red import flows_in, outcomes

MODULE = """
import pytest

def test_one(): ...

@pytest.mark.stands
def test_two(): ...

async def test_three(): ...

def helper(): ...
"""

RUN = """
import pytest

def test_right(): pass

@pytest.mark.parametrize("n", [1, 2])
def test_wrong(n): assert n == 1

@pytest.fixture
def broken(): raise RuntimeError

def test_unable(broken): pass
"""


def test_a_flow_that_stands_is_left_out() -> None:
    assert list(flows_in(MODULE)) == ["test_one", "test_three"]


def test_a_flow_fails_where_one_of_its_cases_fails(tmp_path: Path) -> None:
    (tmp_path / "test_run.py").write_text(RUN)
    assert outcomes(["test_run.py"], tmp_path) == {
        "test_run.py::test_right": "passed",
        "test_run.py::test_wrong": "failed",
        "test_run.py::test_unable": "can't be run",
    }
