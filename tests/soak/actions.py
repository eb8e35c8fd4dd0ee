"""The base of the users' actions, which are driven by a random generator of their own."""

import random
from collections.abc import Sequence

from tests.soak.journal import Journal
from tests.soak.people import Deed, People
from tests.soak.rates import ORDINARY, Rates
from tests.support.control import Control


class Actions:
    """Actions in the chats of ``people``. The name of the class selects the random numbers."""

    def __init__(
        self,
        people: People,
        control: Control,
        journal: Journal,
        seed: int,
        rates: Rates = ORDINARY,
    ) -> None:
        """Prepare without any action."""
        self._people = people
        self._control = control
        self._journal = journal
        self._rates = rates
        name = type(self).__name__.lower()
        self._chance = random.Random(f"{seed}/{name}")  # noqa: S311 - must be repeatable

    def _add(self, deeds: Sequence[tuple[int, Deed]], rate: int) -> None:
        """Add actions, with weights multiplied by ``rate``, to the actions of the persons."""
        if rate:
            self._people.deeds += [(weight * rate, deed) for weight, deed in deeds]
