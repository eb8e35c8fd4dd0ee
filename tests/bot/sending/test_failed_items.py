"""The messages about stories that could not be sent."""

from datetime import UTC, datetime

from bot.domain.errors import MEDIA_GONE, MediaTooBigError
from bot.domain.model import Profile, Story
from bot.domain.serialization import dump_stories
from bot.sending import failed_items

NATGEO = Profile("1", "natgeo")
STORIES = [Story(pk, datetime(2026, 11, 25, tzinfo=UTC), "photo", NATGEO) for pk in "1234"]
ALBUM = {"stories": dump_stories(STORIES), "language": "en"}


def test_each_cause_has_one_message_for_all_albums_of_an_answer() -> None:
    failed = dict.fromkeys("123", MEDIA_GONE) | {"4": MediaTooBigError.text}
    gone, big = failed_items.failure_notices_by_cause(ALBUM, failed, reply_to=7)
    assert gone["text"].count(MEDIA_GONE) == 1
    assert ": 3 stories" in gone["text"]
    merged = failed_items.merge_failure_notices(
        gone, failed_items.failure_notices_by_cause(ALBUM, failed, reply_to=7)[0]
    )
    assert merged is not None
    assert ": 6 stories" in merged["text"]
    assert failed_items.merge_failure_notices(gone, big) is None
    assert failed_items.merge_failure_notices({"text": "Hi", "reply_to": 7}, gone) is None
    other_answer = failed_items.failure_notices_by_cause(ALBUM, failed, reply_to=8)[0]
    assert failed_items.merge_failure_notices(gone, other_answer) is None


def test_each_story_that_is_too_big_keeps_its_address() -> None:
    failed = dict.fromkeys("12", MediaTooBigError.text)
    (big,) = failed_items.failure_notices_by_cause(ALBUM, failed)
    assert big["text"].count("<a href=") == 2
