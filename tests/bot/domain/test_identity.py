"""Who is nobody in particular."""

import pytest
from telegram.constants import ChatID

from bot.domain import identity
from bot.domain.identity import NOBODIES, identifies_no_person


@pytest.mark.parametrize("user_id", [None, *sorted(NOBODIES)])
def test_telegrams_own_senders_are_nobody(user_id: int | None) -> None:
    assert identifies_no_person(user_id)
    assert identifies_no_person(user_id, -1001)


def test_a_person_is_somebody_unless_they_write_as_a_chat() -> None:
    assert not identifies_no_person(100_000_001)
    assert identifies_no_person(100_000_001, -1001)


def test_the_ids_are_those_that_the_library_knows() -> None:
    assert identity.ANONYMOUS_ADMIN == ChatID.ANONYMOUS_ADMIN
    assert identity.WRITES_AS_CHANNEL == ChatID.FAKE_CHANNEL
    assert identity.LINKED_CHANNEL == ChatID.SERVICE_CHAT
