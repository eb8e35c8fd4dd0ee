"""No secret in a line of the log, whoever wrote it and however it got there."""

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.logging import MASK, Redactor, set_up_logging

TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz0123456"
KEY = "a-secret-key-of-the-api"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    set_up_logging(level="DEBUG", style="json", secrets=[KEY])
    return stream


def test_each_event_is_one_line_of_json(lines: io.StringIO) -> None:
    structlog.get_logger("a").info("look", profile="natgeo\nx", count=2)
    logging.getLogger("b").warning("plain %s", "text")
    first, second = map(json.loads, lines.getvalue().splitlines())
    assert (first["event"], first["count"], first["level"]) == ("look", 2, "info")
    assert second["event"] == "plain text"


@pytest.mark.parametrize(
    "secret",
    [TOKEN, KEY, "https://x.cdninstagram.com/a.jpg?oh=00_SIGNATURE&oe=1", f"/bot{TOKEN}/getMe"],
)
def test_secrets_are_masked_in_texts_fields_and_tracebacks(
    lines: io.StringIO, secret: str
) -> None:
    structlog.get_logger("a").info(f"saw {secret}", where={"deep": [secret]})
    try:
        int(secret)
    except ValueError:
        logging.getLogger("b").exception("failed with %r", secret)
    text = lines.getvalue()
    assert MASK in text
    for hidden in (TOKEN, KEY, "SIGNATURE"):
        assert hidden not in text


def test_what_is_no_secret_stays(lines: io.StringIO) -> None:
    structlog.get_logger("a").info("look", url="https://www.instagram.com/stories/natgeo/1/")
    assert "stories/natgeo/1/" in lines.getvalue()


@given(st.text(), st.text())
def test_a_token_is_masked_wherever_it_stands(before: str, after: str) -> None:
    masked = Redactor()(f"{before} {TOKEN} {after}")
    assert TOKEN not in masked


def test_short_values_are_no_secrets() -> None:
    assert Redactor(["a", ""])("a cat") == "a cat"
