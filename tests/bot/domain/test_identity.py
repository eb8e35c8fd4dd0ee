"""Who is nobody in particular."""

import pytest
from telegram.constants import ChatID

from bot.domain import identity
from bot.domain.identity import NOBODIES, names_no_person


@pytest.mark.parametrize("user_id", [None, *sorted(NOBODIES)])
def test_telegrams_own_senders_are_nobody(user_id: int | None) -> None:
    assert names_no_person(user_id)
    assert names_no_person(user_id, -1001)


def test_a_person_is_somebody_unless_they_write_as_a_chat() -> None:
    assert not names_no_person(100_000_001)
    assert names_no_person(100_000_001, -1001)


def test_the_ids_are_those_that_the_library_knows() -> None:
    assert identity.ANONYMOUS_ADMIN == ChatID.ANONYMOUS_ADMIN
    assert identity.WRITES_AS_CHANNEL == ChatID.FAKE_CHANNEL
    assert identity.LINKED_CHANNEL == ChatID.SERVICE_CHAT
