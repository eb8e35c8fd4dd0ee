"""Each purpose of a paid call has a name on the page of a person."""

from typing import get_args, get_type_hints

from bot.billing.ledger import Charge
from handlers.people import KINDS


def test_the_page_of_a_person_names_each_purpose_of_a_call() -> None:
    """The cost of the schedule is split among the chats as the cost of alerts."""
    kinds = set(get_args(get_type_hints(Charge)["kind"]))
    assert kinds - {"schedule"} | {"alert"} == KINDS.keys(), "see KINDS in handlers/people.py"
