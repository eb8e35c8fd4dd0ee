"""The table of Telegram's answers, in Telegram's own words."""

from datetime import timedelta

import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

from bot.domain.model import Moved, Muted, PermanentFailure, Removed, TryLater
from bot.telegram.outcomes import outcome_of, parse_refusal
from bot.telegram.request import NotSentError, UnknownOutcomeError

FAILED = "Failed to send message"
CHAT = [
    Forbidden("Forbidden: bot was blocked by the user"),
    Forbidden("Forbidden: user is deactivated"),
    Forbidden("Forbidden: bot can't initiate conversation with a user"),
    Forbidden("Forbidden: the bot can't send messages to the bot"),
    Forbidden("Forbidden: bot was kicked from the group chat"),
    Forbidden("Forbidden: bot was kicked from the supergroup chat"),
    Forbidden("Forbidden: bot was kicked from the channel chat"),
    Forbidden("Forbidden: bot is not a member of the supergroup chat"),
    Forbidden("Forbidden: bot is not a member of the channel chat"),
    Forbidden("Forbidden: the group chat was deleted"),
    BadRequest("Bad Request: chat not found"),
    BadRequest("Chat_id is empty"),
    BadRequest("Channel_private"),
    BadRequest("Peer_id_invalid"),
    BadRequest("User_is_blocked"),
    BadRequest("Channel direct messages topic must be specified"),
]
MUTED = [
    ("Have no write access to the chat", Muted("text")),
    ("Not enough rights to send photos to the chat", Muted("photos")),
    ("Not enough rights to send animations to the chat", Muted("gifs")),
    ("Not enough rights to send text messages to the chat", Muted("text")),
    ("Need administrator rights in the channel chat", Muted("posts")),
    ("Chat_write_forbidden", Muted("text")),
    ("Chat_send_media_forbidden", Muted("photos")),
    ("Chat_send_videos_forbidden", Muted("videos")),
    ("Allow_payment_required_5", Muted("text")),
    ("Chat_guest_send_forbidden", Muted("text")),
    ("User_banned_in_channel", Muted("text")),
    ("Chat_forbidden", Muted("text")),
    ("Channel_invalid", Muted("text")),
    ("Channel_public_group_na", Muted("text")),
    ("Topic_closed", Muted("topic", scope="thread")),
]
THREAD = [
    BadRequest("Message thread not found"),
    BadRequest("Topic_deleted"),
    BadRequest("Chat doesn't have topics"),
]
ITEM = [
    BadRequest("Photo_invalid_dimensions"),
    BadRequest("Image_process_failed"),
    BadRequest("Photo_ext_invalid"),
    BadRequest("Wrong file identifier/http url specified"),
    BadRequest("Failed to get http url content"),
    BadRequest("Wrong type of the web page content"),
    BadRequest("File is too big"),
    BadRequest("File of size 10485761 bytes is too big for a photo; the maximum size is 10485760"),
    BadRequest("Message caption is too long"),
    BadRequest("Can't parse entities: unsupported start tag"),
    BadRequest("File must be non-empty"),
    BadRequest("Can't use file of type video as photo"),
    BadRequest("Webpage_curl_failed"),
    BadRequest("Wrong http url specified"),
    BadRequest("Button_data_invalid"),
    BadRequest("Words that nobody has seen"),
    NetworkError("Request Entity Too Large (413)"),
]
UNKNOWN = [
    TimedOut(),
    UnknownOutcomeError("Telegram answered 502"),
    NetworkError("Bad Gateway"),
    NetworkError("Internal Server Error (500)"),
    KeyError("result"),
    OSError("gone"),
]
PARTLY = [
    BadRequest("Group send failed"),
    BadRequest('Failed to send message #1 with the error message "Message was not sent"'),
]
NOT_SENT = [NotSentError("no connection"), Conflict("Conflict: terminated by other getUpdates")]


@pytest.mark.parametrize("error", CHAT)
def test_a_closed_chat_is_given_up(error: Exception) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, PermanentFailure)
    assert outcome.scope == "chat"


@pytest.mark.parametrize(("text", "muted"), MUTED)
def test_a_missing_right_is_no_farewell(text: str, muted: Muted) -> None:
    assert outcome_of(BadRequest(text)) == muted
    assert outcome_of(BadRequest(f'{FAILED} #1 with the error message "{text}"')) == muted


def test_a_new_403_may_pass_as_the_bots_presence_tells() -> None:
    assert outcome_of(Forbidden("Forbidden: something new")) == Muted("text")


@pytest.mark.parametrize("error", THREAD)
def test_a_lost_topic_is_told_from_its_chat(error: Exception) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, PermanentFailure)
    assert outcome.scope == "thread"


@pytest.mark.parametrize("error", ITEM)
def test_a_bad_item_is_only_that(error: Exception) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, PermanentFailure)
    assert outcome.scope == "item"


@pytest.mark.parametrize("error", UNKNOWN)
def test_what_nobody_knows_may_have_arrived(error: Exception) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, TryLater)
    assert outcome.unknown


@pytest.mark.parametrize("error", PARTLY)
def test_an_album_that_failed_may_be_there_in_part_but_its_answer_is_known(
    error: Exception,
) -> None:
    assert outcome_of(error) == TryLater(partly=True, reason=str(error).lower())


@pytest.mark.parametrize("error", [*UNKNOWN[:4], NotSentError("no connection")])
def test_what_telegram_did_not_answer_may_be_an_outage(error: Exception) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, TryLater)
    assert outcome.down


@pytest.mark.parametrize("error", NOT_SENT)
def test_what_was_not_sent_is_known_not_to_be_there(error: Exception) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, TryLater)
    assert not outcome.unknown
    assert outcome.after is None


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RetryAfter(7), 7),
        (RetryAfter(timedelta(seconds=9)), 9),
        (NetworkError("Too Many Requests: retry after 5"), 5),
        (NetworkError("Too Many Requests (429)"), 30),
        (BadRequest("Too many requests: retry after 8"), 8),
        (BadRequest(f'{FAILED} #1 with the error message "Too Many Requests: retry after 8"'), 8),
    ],
)
def test_a_flood_names_its_time_wherever_it_hides(error: Exception, seconds: int) -> None:
    outcome = outcome_of(error)
    assert isinstance(outcome, TryLater)
    assert outcome.after == timedelta(seconds=seconds)
    assert not outcome.unknown
    assert outcome.partly == ("#1" in str(error))


def test_the_rest() -> None:
    assert outcome_of(ChatMigrated(-100)) == Moved(-100)
    assert outcome_of(InvalidToken()) == PermanentFailure("invalid token", scope="bot")


@pytest.mark.parametrize("text", ["Logged out", "Frozen_method_invalid"])
def test_what_is_the_bots_stops_nothing_else_for_good(text: str) -> None:
    outcome = outcome_of(BadRequest(text))
    assert isinstance(outcome, PermanentFailure)
    assert outcome.scope == "bot"


def test_what_was_deleted_at_once_is_no_outage() -> None:
    words = "Internal Server Error: sent message was immediately deleted and can't be returned"
    assert outcome_of(UnknownOutcomeError(words)) == Removed()


@pytest.mark.parametrize(
    ("word", "scope", "item"),
    [
        ("WEBPAGE_CURL_FAILED", "fetch", 2),
        ("WC_CONVERT_URL_INVALID", "fetch", 2),
        ("PHOTO_INVALID_DIMENSIONS", "photo", 2),
        ("IMAGE_PROCESS_FAILED", "photo", 2),
        ("VIDEO_FILE_INVALID", "file", 2),
        ("Wrong file identifier/HTTP URL specified", "any file", None),
        ("MEDIA_INVALID", "any file", None),
        ("FILE_REFERENCE_4_EXPIRED", "any file", 4),
        ("FILE_REFERENCE_EXPIRED", "any file", None),
        ("Words that nobody has seen", None, None),
        ("Message caption is too long", "caption", None),
    ],
)
def test_the_number_of_an_item_is_trusted_for_words_of_its_upload(
    word: str, scope: str | None, item: int | None
) -> None:
    refusal = parse_refusal(BadRequest(f'{FAILED} #3 with the error message "{word}"'))
    assert (refusal.words, refusal.scope, refusal.item) == (word.lower(), scope, item)


def test_what_a_refusal_is_about() -> None:
    assert parse_refusal(BadRequest("Can't parse entities: x")).scope == "caption"
    assert parse_refusal(BadRequest("Button_data_invalid")).scope == "buttons"
    assert parse_refusal(BadRequest("Reply_markup_invalid")).scope == "buttons"
    assert parse_refusal(NetworkError("Request Entity Too Large (413)")).scope == "size"
    assert parse_refusal(BadRequest("Group send failed")).item is None
