"""The account of the Stories API."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import Clock
from sandbox.stories_api.billing import Billing


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.sampled_from((200, 500)))))
def test_the_books_always_balance(calls: list[tuple[str, int, int]]) -> None:
    billing = Billing(Clock(), balance=1_000)
    charged = [billing.charge(path, cost, status) for path, cost, status in calls]
    assert sum(charged) == billing.total == 1_000 - billing.balance
    assert billing.by_path.total() == billing.total
