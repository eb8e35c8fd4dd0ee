"""What is wrong with the settings is said in sentences, and never with a value."""

from pathlib import Path

import pytest

from bot.config import load
from bot.domain.errors import SettingsError

TOKEN = "123456:AAabcdefghijklmnopqrstuvwxyz0123456"
GOOD = {"telegram_token": TOKEN, "stories_api_key": "key-canary"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TELEGRAM_TOKEN", raising=False)
    monkeypatch.delenv("STORIES_API_KEY", raising=False)


def test_two_settings_are_enough() -> None:
    settings = load(**GOOD)
    assert settings.stories_api_key.get_secret_value() == "key-canary"
    assert TOKEN not in repr(settings)
    assert "key-canary" not in str(settings)


def test_the_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(
        f"TELEGRAM_TOKEN={TOKEN}\nSTORIES_API_KEY=k\nPORT=81\nADMIN_IDS=1, 2\n"
    )
    monkeypatch.setenv("PORT", "82")
    settings = load()
    assert (settings.port, settings.admin_ids) == (82, frozenset({1, 2}))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"telegram_token": "nonsense-canary"}, "TELEGRAM_TOKEN: does not look like a bot token"),
        ({"stories_api_key": None}, "STORIES_API_KEY"),
        ({"daily_budget": -4}, "DAILY_BUDGET: Input should be greater than or equal to 0"),
        ({"daily_budget": 1}, "DAILY_BUDGET is too small for one call"),
        ({"person_burst": 1}, "PERSON_BURST is too small for one call"),
        ({"skip_privacy_check": "canary"}, "SKIP_PRIVACY_CHECK"),
        ({"reply_share": "canary"}, "REPLY_SHARE"),
        ({"webhook_url": "http://canary.example"}, "WEBHOOK_URL must begin with https"),
        ({"run_roles": "updates,tea"}, "RUN_ROLES: unknown: tea"),
        ({"log_level": "canary"}, "LOG_LEVEL"),
        ({"admin_ids": "canary"}, "ADMIN_IDS"),
    ],
)
def test_a_wrong_setting_has_its_sentence(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(**GOOD | wrong)
    assert sentence in caught.value.sentences[0]
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_is_missing_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.sentences == ["TELEGRAM_TOKEN is not set.", "STORIES_API_KEY is not set."]


@pytest.mark.parametrize(
    ("word", "mode"),
    [("auto", "auto"), ("TRUE", "true"), ("1", "true"), (True, "true"), (False, "false")],
)
def test_the_privacy_check_takes_a_flag_or_auto(word: object, mode: str) -> None:
    assert load(**GOOD, skip_privacy_check=word).skip_privacy_check == mode
