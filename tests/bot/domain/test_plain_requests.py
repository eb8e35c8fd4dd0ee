"""Requests in plain words, without a slash."""

import pytest

from bot.domain.plain_requests import Request, request_in


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("stop", Request("unsubscribe")),
        ("@stop", None),
        ("natgeo", None),
        ("free", None),
        ("nat geo", None),
        ("look at that", None),
        ("show me natgeo", Request("stories", ("natgeo",))),
        ("look at @natgeo please", Request("stories", ("natgeo",), is_list=True)),
        ("i want to follow natgeo and prada", Request("subscribe", ("natgeo", "prada"))),
        ("cancel my subscription to natgeo", Request("unsubscribe", ("natgeo",))),
        ("delete everything you know about me", Request("privacy")),
        ("delete natgeo", Request("unsubscribe", ("natgeo",))),
        ("is it free?", Request("price")),
        ("some words that ask for nothing", None),
        (" ".join(["stop"] * 13), None),
        ("", None),
    ],
)
def test_what_a_text_asks_for(text: str, request_: Request | None) -> None:
    assert request_in(text, "en") == request_


def test_words_of_another_language_are_no_request() -> None:
    assert request_in("hilfe", "en") is None or request_in("hilfe", "de") == Request("help")
    assert request_in("помощь", "ru") == Request("help")
    assert request_in("помощь", "de") is None
