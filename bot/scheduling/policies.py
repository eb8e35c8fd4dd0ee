"""The rule that decides when a check is due. ``benchmarks.other_policies`` has other rules."""

from collections.abc import Sequence

from bot.scheduling.forecast import ProfileState, hours_to_due, learn_and_count_new_stories
from bot.scheduling.pricing import Demand


class Learned:
    """The bot's rule for the time of the next check of a profile.

    A check is due when the weighted waiting reaches the price of the check, or after the longest
    pause. If ``by_rhythm`` is True, most credits are released by the demand of each hour, and
    scheduled checks update ``rates.Pool``.
    """

    by_rhythm = True

    def learn(
        self, state: ProfileState, demand: Demand, at: float, taken: Sequence[float]
    ) -> None:
        """Update ``state`` after a check at the time ``at``.

        ``taken`` are the sorted times of the stories that the check found. All times are Unix
        seconds.
        """
        learn_and_count_new_stories(state, prior=demand.population, at=at, taken=taken)

    def hours_to_due(  # noqa: PLR0917 - called once per check, and keyword arguments cost time
        self,
        state: ProfileState,
        demand: Demand,
        price: float,
        weight: float,
        cost: float,
        most: float,
    ) -> float:
        """Return the hours from the last check until the next check is due, at most ``most``.

        ``price`` is in subscriber-hours per credit, and ``cost`` in credits per check. A profile
        without ``weight`` (subscriptions) is due after ``most`` hours.
        """
        if weight <= 0:
            return most
        return hours_to_due(state, demand.population, target=price * cost / weight, most=most)
