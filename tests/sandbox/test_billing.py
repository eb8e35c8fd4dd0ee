"""The account of the Stories API."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import Clock
from sandbox.stories_api.billing import Billing


@pytest.mark.parametrize(
    ("status", "billed"),
    [(200, 2), (302, 2), (400, 2), (403, 2), (404, 2), (422, 2)]
    + [(s, 0) for s in (0, 401, 402, 405, 410, 429, 500, 502, 503, 504)],
)
def test_who_pays_for_which_answer(status: int, billed: int) -> None:
    billing = Billing(Clock(), balance=10)
    assert billing.charge("/p", 2, status) == billed
    assert (billing.total, billing.balance) == (billed, 10 - billed)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.sampled_from((200, 500)))))
def test_the_books_always_balance(calls: list[tuple[str, int, int]]) -> None:
    billing = Billing(Clock(), balance=1_000)
    charged = [billing.charge(path, cost, status) for path, cost, status in calls]
    assert sum(charged) == billing.total == 1_000 - billing.balance
    assert billing.by_path.total() == billing.total


def test_a_limit_lets_so_many_through_a_second() -> None:
    clock = Clock()
    billing = Billing(clock)
    assert [billing.admit() for _ in range(100)] == [0.0] * 100
    billing.limit(3)
    waits = [billing.admit() for _ in range(4)]
    assert waits[:3] == [0.0] * 3
    assert 0 < waits[3] <= 1 / 3
    clock.advance(1)
    assert [billing.admit() > 0 for _ in range(4)] == [False, False, False, True]
