"""Errors have a sentence, and know what they cost."""

from bot.domain.errors import BotError, ProfilePrivateError, StoriesError


def test_a_sentence_names_an_account_only_where_its_name_is_known() -> None:
    nameless = ProfilePrivateError()
    assert nameless.sentence == ProfilePrivateError.nameless
    nameless.about("natgeo")
    nameless.about("nike")  # the answer's own name counts
    assert nameless.sentence == ProfilePrivateError.text
    assert nameless.fields == {"username": "natgeo"}
    assert BotError().sentence == BotError.text


def test_what_is_not_said_cost_nothing_and_has_the_name_of_its_kind() -> None:
    error = ProfilePrivateError()
    assert (str(error), error.credits) == ("ProfilePrivateError", 0)
    assert StoriesError("why", credits=None).credits is None
