"""What time it is, by the machine, Telegram and the Stories API."""

import pytest

from bot.runtime.clock_anchor import ServerClock, choose_correct_time

HOUR, DAY = 3600.0, 86_400.0
AWAY, SILENT = ServerClock(), ServerClock(has_answered=True)


def says(ahead_s: float) -> ServerClock:
    return ServerClock(has_answered=True, ahead_s=ahead_s)


@pytest.mark.parametrize(
    ("telegram", "api", "process_clock_ahead_s", "ahead_s"),
    [
        (says(5), None, None, 0),  # the machine and Telegram agree
        (says(-5), AWAY, None, 0),
        (says(-DAY), says(-DAY - 1), None, -DAY),  # the machine is ahead
        (says(HOUR), says(1), None, 1),  # Telegram is ahead
        (says(1), says(HOUR), None, 0),  # the Stories API is ahead
        (says(HOUR), says(2 * HOUR), None, HOUR),  # no two agree
        (says(-2 * HOUR), None, -2 * HOUR, -2 * HOUR),  # the machine was set wrong
        (says(1), None, -3 * HOUR, 0),  # the machine was asleep
        (SILENT, says(-4), None, 0),  # a Bot API server of one's own
        (SILENT, says(-HOUR), -HOUR, -HOUR),
        (SILENT, AWAY, None, 0),  # nobody tells another time
        (AWAY, says(3), None, 0),
    ],
)
def test_the_time_is_what_two_of_three_tell(
    telegram: ServerClock,
    api: ServerClock | None,
    process_clock_ahead_s: float | None,
    ahead_s: float,
) -> None:
    assert (
        choose_correct_time(telegram, api, process_clock_ahead_s=process_clock_ahead_s).ahead_s
        == ahead_s
    )


@pytest.mark.parametrize("telegram", [says(5.1), says(-HOUR), SILENT, AWAY])
def test_the_stories_api_is_asked_only_where_telegram_does_not_confirm_the_machine(
    telegram: ServerClock,
) -> None:
    assert choose_correct_time(telegram).needs_api
    assert choose_correct_time(telegram).ahead_s is None
    assert not choose_correct_time(telegram, AWAY).needs_api


@pytest.mark.parametrize(
    ("telegram", "api", "words"),
    [
        (says(-HOUR), AWAY, "Telegram tells a time 3600 s from the machine's"),
        (says(-HOUR), SILENT, "the Stories API tells none"),
        (SILENT, says(HOUR), "the Stories API tells a time 3600 s from the machine's"),
        (AWAY, says(HOUR), "and Telegram tells none"),
        (AWAY, AWAY, "Telegram does not answer"),
    ],
)
def test_where_no_two_agree_the_reason_is_said(
    telegram: ServerClock, api: ServerClock, words: str
) -> None:
    decision = choose_correct_time(telegram, api)
    assert decision.ahead_s is None
    assert words in decision.reason
