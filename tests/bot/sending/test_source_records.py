"""The decisions about the sources of a story: what is tried again, and when."""

from datetime import timedelta

import pytest

from bot.sending.source_records import FileRecord, StoryRecord
from tests.support.followed import NOON

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def test_a_failure_holds_for_everybody_and_an_alert_failure_for_alerts() -> None:
    record = FileRecord()
    record.record_failure("too large", NOON)
    record.record_failure_for_alerts("slow", NOON)
    assert record.recent_failure(NOON + 10 * MINUTE - SECOND) == "too large"
    assert record.recent_failure(NOON + 10 * MINUTE) == ""
    assert record.recent_failure_for_alerts(NOON + 4 * SECOND) == "slow"
    assert record.recent_failure_for_alerts(NOON + 5 * SECOND) == ""


@pytest.mark.parametrize(
    ("refusals", "is_postponed"),
    [
        ([("A", 1), ("A", 2), ("A", 3)], True),
        ([("A", 1), ("A", 2), ("A", 2)], False),
        ([("A", 1), ("A", 2), ("B", 3)], False),
        ([("A", 1), ("B", 1), ("A", 2), ("B", 2), ("A", 3)], True),
    ],
)
def test_three_chats_with_the_same_refusal_postpone_a_file(
    refusals: list[tuple[str, int]], is_postponed: bool
) -> None:
    record = FileRecord()
    for words, chat_id in refusals:
        record.record_refusal(words, chat_id, NOON)
    assert record.is_postponed(NOON + 15 * MINUTE - SECOND) == is_postponed
    assert not record.is_postponed(NOON + 15 * MINUTE)
    record.record_refusal("A", 9, NOON + HOUR)  # the attempt after the pause is refused, too
    assert record.is_postponed(NOON + HOUR) == (len({c for w, c in refusals if w == "A"}) > 1)


def test_alerts_buy_a_story_once_an_hour_unless_the_purchase_is_cancelled() -> None:
    record = StoryRecord()
    record.record_start_of_purchase(NOON)
    assert record.has_recent_purchase(NOON + HOUR - SECOND)
    assert not record.has_recent_purchase(NOON + HOUR)
    record.record_start_of_purchase(NOON + HOUR)
    record.remove_purchase_record()
    assert not record.has_recent_purchase(NOON + HOUR)


def test_the_url_of_a_story_is_tried_again_after_an_hour() -> None:
    record = StoryRecord()
    assert not record.is_url_refused(NOON)
    record.record_url_refusal(NOON)
    assert record.is_url_refused(NOON + HOUR - SECOND)
    assert not record.is_url_refused(NOON + HOUR)


def test_a_story_is_gone_after_the_second_answer() -> None:
    record = StoryRecord()
    seen = [(record.may_be_gone, record.is_gone)]
    for _ in range(2):
        record.count_gone_answer()
        seen.append((record.may_be_gone, record.is_gone))
    assert seen == [(False, False), (True, False), (True, True)]


def test_the_original_and_the_compressed_file_fail_apart() -> None:
    record = StoryRecord()
    record.file_of(as_file=True).record_failure("too large", NOON)
    assert record.file_of(as_file=True).recent_failure(NOON)
    assert not record.file_of(as_file=False).recent_failure(NOON)
