"""Errors have a sentence, and know what they cost."""

from datetime import UTC, datetime

import pytest

from bot.domain.errors import (
    BUDGET_SPENT,
    BotError,
    DatabaseUnavailableError,
    MediaError,
    ProfilePrivateError,
    SettingsError,
    SpendingError,
    StoriesError,
    name_account_in_errors,
)


def test_a_sentence_names_an_account_only_where_its_name_is_known() -> None:
    nameless = ProfilePrivateError()
    assert nameless.msgid == ProfilePrivateError.nameless
    nameless.set_missing_username("natgeo")
    nameless.set_missing_username("nike")  # the answer's own name counts
    assert nameless.msgid == ProfilePrivateError.text
    assert nameless.fields == {"username": "natgeo"}
    assert BotError().msgid == BotError.text


def test_what_is_not_said_cost_nothing_and_has_the_name_of_its_kind() -> None:
    error = ProfilePrivateError()
    assert (str(error), error.credits) == ("ProfilePrivateError", 0)
    assert StoriesError("why", credits=None).credits is None


def test_what_fails_inside_says_whose_account_it_is_about() -> None:
    with pytest.raises(ProfilePrivateError) as raised, name_account_in_errors("natgeo"):
        raise ProfilePrivateError
    assert raised.value.fields == {"username": "natgeo"}
    with pytest.raises(MediaError) as other, name_account_in_errors("natgeo"):
        raise MediaError
    assert other.value.fields == {}


def test_what_may_not_be_spent_says_until_when() -> None:
    until = datetime(2026, 3, 2, tzinfo=UTC)
    error = SpendingError("why", text=BUDGET_SPENT, until=until, credits=3)
    assert (str(error), error.msgid, error.until) == ("why", BUDGET_SPENT, until)
    assert error.fields == {"until": until, "credits": 3}


def test_wrong_settings_are_one_sentence_each() -> None:
    error = SettingsError(["One is wrong.", "Two are wrong."])
    assert str(error) == "One is wrong.; Two are wrong."
    assert error.sentences == ["One is wrong.", "Two are wrong."]


def test_a_database_that_is_gone_is_an_outage_and_no_fault_of_the_code() -> None:
    assert DatabaseUnavailableError.is_outage
