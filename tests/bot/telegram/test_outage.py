"""The pause of an outage: how it begins, for which process, and how it ends."""

from datetime import timedelta

import pytest

from bot.domain.model import Outcome, PermanentFailure, Sent, SentItem, Target, TryLater
from bot.telegram.api import TooSoonError
from bot.telegram.outage import LAST_TRIAL_S, Outage, Pause, shows_telegram_is_up
from bot.telegram.outcomes import outcome_of
from tests.support.followed import NOON, Clock
from tests.support.sandbox import Box, sandbox_box
from tests.support.telegram import bot_at

LOST = TryLater(unknown=True, down=True)
DOWN = {"status": 502}
SECOND = timedelta(seconds=1)


async def getme(box: Box) -> int:
    return len(await box.control.requests("telegram", path="/getMe"))


async def test_it_begins_when_getme_fails_too_in_this_process_alone() -> None:
    clock = Clock()
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        one, other = (Outage(bot, now=clock) for _ in range(2))
        assert not one.is_on()
        await box.control.fault("telegram", DOWN, match="getMe", times=None)
        assert await one.record_outcome_and_detect_outage(1, LOST)
        assert one.is_on()
        assert not other.is_on()  # another replica may reach Telegram
        assert not await one.reserve_next_trial_and_ask_telegram()  # not so soon
        clock.on(5 * SECOND)
        assert not await one.reserve_next_trial_and_ask_telegram()
        await box.control.clear_faults()
        clock.on(10 * SECOND)
        assert await one.reserve_next_trial_and_ask_telegram()
        assert not await one.reserve_next_trial_and_ask_telegram()  # one at a time
        one.end_pause()
        assert not one.is_on()
        assert one.next_trial_at is None


@pytest.mark.parametrize("between", [None, Sent(()), PermanentFailure("kicked"), TryLater(SECOND)])
async def test_three_chats_without_an_answer_between_begin_it(
    between: Sent | PermanentFailure | TryLater | None,
) -> None:
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        outage = Outage(bot, now=Clock())
        assert not await outage.record_outcome_and_detect_outage(1, LOST)
        assert not await outage.record_outcome_and_detect_outage(1, LOST)
        assert not await outage.record_outcome_and_detect_outage(2, TryLater(down=True))
        assert not await outage.record_outcome_and_detect_outage(
            3, TryLater(reason="media unavailable")
        )
        if between:
            assert not await outage.record_outcome_and_detect_outage(3, between)
        assert await outage.record_outcome_and_detect_outage(3, LOST) == (between is None)


async def test_a_call_that_leaves_nothing_tells_whether_sends_are_taken() -> None:
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        outage = Outage(bot, now=Clock())
        assert await outage.send_typing_and_see_if_accepted(
            Target(99)
        )  # refused, which is an answer
        await box.control.fault("telegram", DOWN, match="sendChatAction", times=None)
        assert not await outage.send_typing_and_see_if_accepted(Target(99))


def test_trials_come_ever_later_and_a_minute_at_most() -> None:
    pause = Pause.starting(NOON)
    waits = []
    for _ in range(12):
        pause = pause.with_one_more_trial(NOON)
        waits.append(pause.next_at - NOON.timestamp())
    assert waits == sorted(waits)
    assert waits[0] == 10
    assert waits[-1] == LAST_TRIAL_S


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Sent(()), True),
        (PermanentFailure("kicked"), True),
        (TryLater(SECOND), True),
        (TryLater(SECOND, unknown=True), False),  # it may be how a data centre fails
        (TryLater(unknown=True, items=(SentItem("1", 5),)), True),
        (outcome_of(TooSoonError(SECOND)), False),  # Telegram was not asked
        (LOST, False),
    ],
)
def test_a_429_of_unknown_outcome_is_no_answer(outcome: Outcome, *, expected: bool) -> None:
    assert shows_telegram_is_up(outcome) == expected


async def test_one_chat_a_second_is_asked_and_few_wait_for_it() -> None:
    clock = Clock()
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        outage = Outage(bot, now=clock)
        second = timedelta(seconds=1)
        waits = [outage.reserve_turn_and_return_wait() for _ in range(8)]
        assert waits == [*(n * second for n in range(6)), None, None]
        clock.on(second)
        assert outage.reserve_turn_and_return_wait() == 5 * second
