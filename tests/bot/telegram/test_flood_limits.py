"""The flood limits as arithmetic: the laws that hold wherever the network puts the messages."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.telegram.flood_limits import BotWindow, ChatFlood, Lane
from tests.support.telegram import most_in_a_second

RATE = 20


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10), st.floats(0, 0.3), st.floats(0, 0.4)), min_size=20),
    st.randoms(use_true_random=False),
)
def test_no_second_holds_more_than_the_limit_wherever_the_network_puts_them(
    calls: list[tuple[int, float, float]], chance: random.Random
) -> None:
    window, now = BotWindow(), 100.0
    arrived = []
    for weight, pause, latency in calls:
        now += pause * chance.random()
        while wait := window.drop_old_tickets_and_get_wait_s(now, weight, RATE):
            now += wait
        ticket = window.count_sent(now, weight, RATE)
        arrived.append((now + latency * chance.random(), weight))
        ticket.free_at = now + latency + 1.0
    assert most_in_a_second(arrived) <= RATE


def test_the_rate_is_used_up_and_evenly() -> None:
    window, now = BotWindow(), 0.0
    for _ in range(200):
        while wait := window.drop_old_tickets_and_get_wait_s(now, 1, RATE):
            assert wait <= 1.0
            now += wait
        window.count_sent(now, 1, RATE).free_at = now + 1.001
    assert now == pytest.approx(199 / RATE, rel=0.03)


@pytest.mark.parametrize("lane", ["reply", "alert"])
def test_a_chat_gets_one_a_second_with_a_burst(lane: Lane) -> None:
    flood, now, sent = ChatFlood(), 0.0, []
    for _ in range(60):
        while wait := flood.seconds_to_wait(now, 1, lane, is_group=False):
            now += wait
        flood.count_sent(now, 1, is_group=False)
        sent.append((now, 1))
    assert most_in_a_second(sent[31:]) <= 2
    assert len(sent) / (now + 1) < 2.1
    assert sum(at < 0.1 for at, _ in sent) == {"reply": 31, "alert": 3}[lane]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 10), min_size=5, max_size=40))
def test_a_group_never_gets_more_than_twenty_a_minute(weights: list[int]) -> None:
    flood, now, sent = ChatFlood(), 0.0, []
    for weight in weights:
        while wait := flood.seconds_to_wait(now, weight, "reply", is_group=True):
            now += wait
        flood.count_sent(now, weight, is_group=True)
        sent.append((now, weight))
        assert ChatFlood.load(flood.limits, flood.dump()) == flood
    assert most_in_a_second(sent, 60.0) <= 20
