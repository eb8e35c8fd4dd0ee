"""The rule by which a check is due; ``benchmarks.rivals`` has others, to be compared with."""

from collections.abc import Sequence

from bot.scheduling.forecast import ProfileState, hours_to_due, learn
from bot.scheduling.pricing import Demand


class Learned:
    """The bot's rule: check when subscribers x expected waiting reaches price x cost.

    ``by_rhythm`` is true when the credits of a day are let out as they are wanted in its hours.
    """

    by_rhythm = True

    def learn(
        self, state: ProfileState, demand: Demand, at: float, taken: Sequence[float]
    ) -> None:
        """Change ``state`` by a check of ``at`` that showed stories ``taken`` then, sorted."""
        learn(state, demand.population, at=at, taken=taken)

    def hours_to_due(  # noqa: PLR0917 - called once a check, and keywords cost time
        self,
        state: ProfileState,
        demand: Demand,
        price: float,
        weight: float,
        cost: float,
        most: float,
    ) -> float:
        """Return after how many hours the next check is due, ``most`` at the latest."""
        if weight <= 0:
            return most
        return hours_to_due(state, demand.population, target=price * cost / weight, most=most)
