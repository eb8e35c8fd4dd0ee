"""The figures that documents and sentences promise, and that other programs hold us to."""

from datetime import timedelta

from bot.domain import alert_rules, budget, command_words, incidents, model

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_what_telegram_takes_and_how_long_a_story_lives() -> None:
    assert model.LARGEST_FILE == 52_428_800  # 50 MiB
    assert model.LARGEST_LOCAL_FILE == 2_097_152_000
    assert timedelta(hours=24) == model.STORY_LIFE
    assert model.MEGABYTE == 1_000_000


def test_what_one_message_may_ask_for() -> None:
    assert (command_words.MOST, command_words.MOST_STORIES) == (10, 100)


def test_how_often_and_how_long_an_alert_is_tried() -> None:
    assert (alert_rules.MAX_COPIES, alert_rules.MAX_ATTEMPTS, alert_rules.MAX_REMOVALS) == (
        3,
        30,
        3,
    )
    assert MINUTE / 2 == alert_rules.STANDSTILL == 2 * alert_rules.REPLY_STANDSTILL
    assert 5 * MINUTE == alert_rules.LATE
    assert 15 * MINUTE == alert_rules.UNTOLD_FOR
    assert MINUTE == alert_rules.BOT_RESTS == alert_rules.LONGEST_WAIT
    assert HOUR == alert_rules.TOPIC_SOUGHT_FOR
    assert 90 * DAY == alert_rules.KEPT_FOR


def test_what_is_spent_and_when_it_is_told() -> None:
    assert budget.NEWCOMERS_PART == 0.03
    assert budget.Limits() == budget.Limits(
        daily_budget=100,
        reply_share=0.5,
        chat_daily_allowance=100,
        person_daily_allowance=100,
        minimum_balance=0,
        newcomer_allowance=None,
        newcomer_share=1.0,
    )
    assert 5 * MINUTE == incidents.LASTING
