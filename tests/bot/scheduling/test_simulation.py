"""The simulated clock, held against the polls that it wrote."""

import random
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.other_policies import EntryFrequency, Fixed
from bot.scheduling.forecast import ProfileState
from bot.scheduling.pricing import Demand
from bot.scheduling.simulation import Record, Result, Simulation
from bot.scheduling.waiting_time import DAY, HOUR

DAWN = 20_000 * DAY

histories = st.lists(
    st.lists(st.floats(DAWN, DAWN + 4 * DAY), max_size=30).map(sorted), min_size=1, max_size=6
).filter(any)


def records_of(histories: list[list[float]]) -> list[Record]:
    return [Record(f"p{key}", key % 3, taken) for key, taken in enumerate(histories)]


def by_hand(records: list[Record], result: Result) -> tuple[list[list[float]], int]:
    """Find each story's first look at or after it, out of the polls alone."""
    looks: list[list[float]] = [[] for _ in records]
    for at, key in result.polls:
        looks[key].append(at)
    delays: list[list[float]] = []
    lost = 0
    for record, times in zip(records, looks, strict=True):
        found = []
        for story in record.taken_at:
            place = bisect_left(times, story)
            if place < len(times) and times[place] - story <= DAY:
                found.append(times[place] - story)
            else:
                lost += 1
        delays.append(found)
    return delays, lost


@settings(max_examples=40, deadline=None)
@given(histories, st.floats(1.2, 60), st.sampled_from([1, 2, 3]), st.booleans())
def test_delays_and_losses_are_what_the_polls_say_and_no_day_is_overspent(
    histories: list[list[float]], looks: float, cost: int, learned: bool
) -> None:
    records = records_of(histories)
    budget = looks * cost * len(records)
    rule = None if learned else EntryFrequency()
    result = Simulation(records, budget, cost, rule, warmup=0, record_polls=True).run()
    delays, lost = by_hand(records, result)
    assert result.delays == delays
    assert result.lost == lost
    assert max(result.days) <= budget
    assert sum(result.days) == cost * result.poll_count == cost * len(result.polls)
    spent: dict[float, int] = {}
    for at, _ in result.polls:
        spent[at // DAY] = spent.get(at // DAY, 0) + cost
    assert max(spent.values()) <= budget
    times = [at for at, _ in result.polls]
    assert times == sorted(times)


def steady(profiles: int, days: int = 6) -> list[Record]:
    """Profiles that post every 9 hours, each a little later than the last."""
    return [
        Record(
            f"p{key}",
            1 + key % 4,
            [DAWN + key * 977 + step * 9 * HOUR for step in range(days * 24 // 9)],
        )
        for key in range(profiles)
    ]


@pytest.mark.parametrize("looks", [1.5, 3, 6, 24])
@pytest.mark.parametrize("cost", [1, 2, 3])
def test_nothing_is_lost_and_little_is_left(looks: float, cost: int) -> None:
    budget = looks * cost * 40
    result = Simulation(steady(40), budget, cost, warmup=0).run()
    assert result.lost == 0
    assert min(result.days) >= 0.96 * budget


def test_profile_in_its_minimum_pause_delays_no_profile() -> None:
    stories = [DAWN + step * 40.0 for step in range(2 * 24 * 90)]
    stars = [Record(f"star{key}", 3000, stories) for key in range(4)]
    budget = 240 * 24
    result = Simulation([*stars, *steady(20, days=2)], budget, warmup=0).run()
    assert min(result.days) >= 0.98 * budget


def test_six_hours_without_the_api_lose_nothing() -> None:
    begin = DAWN + 2 * DAY + 7 * HOUR
    plan = Simulation(
        steady(40),
        6 * 40,
        warmup=0,
        outages=[(begin, begin + 6 * HOUR)],
        record_polls=True,
    )
    result = plan.run()
    assert result.lost == 0
    assert not [at for at, _ in result.polls if begin <= at < begin + 6 * HOUR]
    assert max(result.days) <= 240
    # What the outage kept back is spent on the same day.
    assert result.days[2] >= 0.96 * 240


def test_thirty_hours_without_the_api_lose_what_expired_in_them() -> None:
    begin = DAWN + 2 * DAY
    records = steady(10)
    outages = [(begin, begin + 30 * HOUR)]
    result = Simulation(records, 120, warmup=0, outages=outages, record_polls=True).run()
    delays, lost = by_hand(records, result)
    assert result.lost == lost > 0
    assert result.delays == delays
    assert max(result.days) <= 120


def test_the_learned_schedule_is_earlier_where_more_wait() -> None:
    records = steady(30)
    busy = [Record("star", 300, records[0].taken_at), *records[1:]]
    delays = Simulation(busy, 12 * 30, warmup=DAY).run().delays
    star = sum(delays[0]) / len(delays[0])
    assert star < sum(map(sum, delays[1:])) / sum(map(len, delays[1:])) / 4


def test_a_fixed_interval_is_half_of_it_late() -> None:
    result = Simulation(steady(60, days=12), 12 * 60, rule=Fixed(2.0), warmup=DAY).run()
    delays = [delay for each in result.delays for delay in each]
    assert 0.45 * 2 * HOUR < sum(delays) / len(delays) < 0.55 * 2 * HOUR


def test_too_small_a_budget_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fewer than 1\.2 checks"):
        Simulation(steady(10), 11.9).run()
    assert Simulation(steady(10), 12.0, warmup=0).run().poll_count


def test_the_warm_up_does_not_count() -> None:
    records = steady(5)
    result = Simulation(records, 60, warmup=2 * DAY).run()
    judged = sum(story >= DAWN + 2 * DAY for record in records for story in record.taken_at)
    assert sum(map(len, result.delays)) == judged


# From here on the figures are written out: who changes the schedule on purpose changes them here.


def lively(days: float = 3.2) -> list[Record]:
    """Return profiles that post in bursts, by day and by night, at paces of their own."""
    rng = random.Random(11)  # noqa: S311 - a made-up past
    records = []
    for key in range(6):
        at, taken = DAWN + 0.3 * DAY, list[float]()
        while True:
            at += rng.choice((0.05, 0.1, 1.0, 2.0 + key)) * HOUR * rng.uniform(1, 2)
            if at > DAWN + days * DAY:
                break
            if 6 <= at % DAY / HOUR < 23 or key == 3:
                taken.append(at)
        records.append(Record(f"p{key}", 1 + key % 3, taken))
    return [*records, Record("silent", 2, [])]


OUTAGES = [(DAWN + DAY, DAWN + 1.2 * DAY), (DAWN + 2 * DAY, DAWN + 3.6 * DAY)]


@pytest.mark.parametrize(
    ("options", "polls", "lost", "minutes"),
    [
        ({}, [83, 83, 83, 83, 83], 0, 69.106),
        ({"as_rows": True}, [83, 83, 83, 83, 83], 0, 76.377),
        ({"refresh": HOUR / 2}, [83, 83, 83, 83, 83], 0, 67.908),
        ({"minimum": 3 * HOUR}, [51, 56, 56, 56, 56], 0, 91.767),
        ({"outages": OUTAGES}, [83, 83, 0, 83, 83], 34, 336.226),
        ({"rule": EntryFrequency()}, [83, 83, 83, 83, 83], 0, 78.059),
    ],
)
def test_a_short_past_gives_what_it_gave(
    options: dict[str, Any], polls: list[int], lost: int, minutes: float
) -> None:
    result = Simulation(lively(), 7 * 12, warmup=DAY / 2, **options).run()
    delays = [delay for each in result.delays for delay in each]
    assert sum(delays) / len(delays) / 60 == pytest.approx(minutes, abs=0.002)
    assert (result.days, result.lost) == (polls, lost)
    assert result.poll_count == sum(polls)


def test_the_first_checks_are_spread_as_widely_as_the_budget_allows() -> None:
    for budget, cost, hours in ((48.0, 3, 12.0), (32.0, 2, 12.0), (20.0, 2, 19.2)):
        records = [Record(f"p{key}", 1, [DAWN + 5.0 * HOUR]) for key in range(8)]
        begun: dict[int, float] = {}
        for at, key in Simulation(records, budget, cost, record_polls=True).run().polls:
            begun.setdefault(key, at - DAWN)
        wished = [key * 0.6180339887498949 % 1 * hours * HOUR for key in range(8)]
        assert [begun[key] for key in range(8)] == pytest.approx(wished)


def test_there_is_a_day_for_the_last_stories_to_be_seen_or_gone() -> None:
    records = [Record("late", 1, [DAWN + 2 * DAY - 1]), Record("early", 1, [DAWN + 5.0])]
    result = Simulation(records, 24, warmup=0).run()
    assert (result.begin, len(result.days)) == (DAWN, 3)
    nothing = Simulation([Record("silent", 1, [])], 24, warmup=0).run()
    assert (nothing.begin, nothing.days, nothing.delays) == (0.0, [], [[]])
    assert (nothing.poll_count, nothing.lost, nothing.polls) == (0, 0, [])


def test_a_story_of_the_very_end_of_the_warm_up_counts() -> None:
    taken = [DAWN + DAY - 1, DAWN + DAY, DAWN + DAY + 1]
    result = Simulation([Record("one", 1, taken)], 24, warmup=DAY).run()
    assert len(result.delays[0]) == 2
    assert Simulation([], 24).warmup == 7 * DAY
    assert Simulation([], 24).minimum == 60.0
    assert Simulation([], 24).cost == 1


def test_the_states_are_shown_before_it_begins() -> None:
    bound = list[Sequence[ProfileState]]()
    records = lively()
    Simulation(records, 84, bind=bound.append).run()
    (states,) = bound
    assert len(states) == len(records)
    assert all(state.seen_at > DAWN + 4 * DAY for state in states)


def test_nothing_is_kept_of_the_checks_unless_asked() -> None:
    assert Simulation(lively(), 84).run().polls == []


ONE = [Record("one", 1, [DAWN + 5.0])]  # two days


def checks(budget: float, **options: Any) -> list[float]:
    """Return when the one profile is checked, in seconds since the beginning."""
    polls = Simulation(ONE, budget, record_polls=True, **options).run().polls
    return [at - DAWN for at, _ in polls]


def test_a_check_of_the_very_midnight_is_of_the_new_day() -> None:
    plan = Simulation(ONE, 2.4, rule=Fixed(24.0), minimum=DAY, record_polls=True)
    result = plan.run()
    assert result.polls == [(DAWN, 0), (DAWN + DAY, 0)]
    assert result.days == [1, 1]


def test_a_new_day_adds_to_what_the_last_one_left_at_its_own_pace() -> None:
    budget = 6 - 4e-5  # of which each eight hours let out a little less than two
    times = checks(budget, rule=Fixed(0.0), minimum=8 * HOUR)
    left = budget * times[2] / DAY - 3  # after the third check, the last one of the day
    seconds = (1 - left) / (budget - left) * DAY
    assert times[3] == pytest.approx(DAY + seconds, abs=1e-3)
    assert 0.1 < seconds < 0.9


def test_a_check_that_comes_too_soon_by_the_rounding_of_times_comes_a_second_later() -> None:
    cost = 10**7  # in the clock's least step more is let out than the tolerance
    times = checks(23.7 * cost, cost=cost, rule=Fixed(0.1))[1:22]
    late = {round(at - (place + 2) * DAY / 23.7, 3) for place, at in enumerate(times)}
    assert late == {0.0, 1.0}


def test_an_outage_has_its_first_second_and_not_its_last() -> None:
    outages = [(DAWN, DAWN + HOUR / 2)]  # after half an hour it is tried again
    assert checks(2.4, rule=Fixed(24.0), outages=outages)[0] == HOUR / 2


def test_rows_are_due_at_the_millisecond() -> None:
    times = checks(288, rule=Fixed(1 / 7), minimum=HOUR / 7, as_rows=True)
    # The first is borrowed; the second waits for two credits, and each after it for its time.
    assert times[:20] == pytest.approx(
        [0.0, *(600.0 + place * 514.286 for place in range(19))], abs=1e-5
    )


def test_profile_is_checked_as_soon_as_its_minimum_pause_ends() -> None:
    stories = [DAWN + step * 300.0 for step in range(288)]
    records = [*(Record(f"star{key}", 3000, stories) for key in range(2)), Record("idle", 0, [])]
    result = Simulation(records, 300, minimum=HOUR, record_polls=True).run()
    for star in (0, 1):
        times = [at for at, key in result.polls if key == star]
        assert len(times) >= 47
        assert [two - one for one, two in pairwise(times)] == pytest.approx(
            [HOUR] * (len(times) - 1)
        )


class Watching(Fixed):
    """A rule that notes by which survey it learns."""

    def __init__(self, hours: float) -> None:
        super().__init__(hours)
        self.surveys = list[Demand]()

    def learn(
        self, state: ProfileState, demand: Demand, at: float, taken: Sequence[float]
    ) -> None:
        super().learn(state, demand, at, taken)
        self.surveys.append(demand)


@pytest.mark.parametrize(
    ("refresh", "hours"), [(None, [*range(1, 25), 30, 36, 42]), (5 * HOUR, range(5, 46, 5))]
)
def test_all_are_surveyed_each_hour_of_the_first_day_and_each_six_later(
    refresh: float | None, hours: Sequence[int]
) -> None:
    rule = Watching(1.0)
    times = checks(2400, rule=rule, minimum=HOUR, refresh=refresh)
    assert times == [hour * HOUR for hour in range(48)]
    # The check of an hour comes before its survey.
    new = [hour for hour in range(47) if rule.surveys[hour + 1] is not rule.surveys[hour]]
    assert new == list(hours)
