"""What is wrong with the settings is said in sentences, and never with a value."""

from pathlib import Path

import pytest

from bot.config import Settings, load, secrets_of, unknown_variables_and_suggestions
from bot.domain.errors import SettingsError
from bot.store.engine.database import Database

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
        ({"stories_api_key": "k\ncanary"}, "STORIES_API_KEY: must be letters, digits and signs"),
        ({"stories_api_key": " \n"}, "STORIES_API_KEY: must not be empty"),
        ({"metrics_token": "can\xe9ary"}, "METRICS_TOKEN: must be letters, digits and signs"),
        ({"telegram_token": f"{TOKEN} canary"}, "TELEGRAM_TOKEN: must be letters, digits and"),
        ({"admin_ids": str(2**52)}, "ADMIN_IDS: must be the IDs of people, which are smaller"),
        ({"cache_s": 10**20}, "CACHE_S: must be less than or equal to 86400."),
        ({"poll_floor_s": 10**20}, "POLL_FLOOR_S: must be less than or equal to 86400."),
        ({"max_subscriptions": 10**20}, "MAX_SUBSCRIPTIONS: must be less than or equal to"),
        ({"max_new_subscriptions_a_day": 10**20}, "MAX_NEW_SUBSCRIPTIONS_A_DAY: must be less"),
        ({"daily_budget": -4}, "DAILY_BUDGET: must be greater than or equal to 0."),
        ({"daily_budget": 1}, "DAILY_BUDGET is too small for one call"),
        ({"skip_privacy_check": "canary"}, "SKIP_PRIVACY_CHECK"),
        ({"reply_share": "canary"}, "REPLY_SHARE"),
        ({"webhook_url": "http://canary.example"}, "WEBHOOK_URL must begin with https"),
        ({"log_level": "canary"}, "LOG_LEVEL"),
        ({"admin_ids": "canary"}, "ADMIN_IDS: must be a valid integer"),
        ({"admin_ids": "7,-1001234"}, "ADMIN_IDS: must be the IDs of people, which are positive"),
        (
            {"telegram_proxy": "ftp://canary:1"},
            "TELEGRAM_PROXY: must be http://host:port",
        ),
        ({"media_proxy": "socks5://canary"}, "MEDIA_PROXY: must be http://host:port or socks5"),
        ({"telegram_local": True}, "TELEGRAM_LOCAL needs TELEGRAM_API_URL"),
        ({"port": "canary"}, "PORT: must be a valid integer"),
        ({"port": 65536}, "PORT: must be less than or equal to 65535."),
        ({"credit_price": "inf"}, "CREDIT_PRICE: must be a finite number."),
        ({"database_url": "mysql://canary"}, "DATABASE_URL: must begin with sqlite://"),
        ({"database_url": "sqlite:///x.db?timeout=canary"}, "DATABASE_URL: timeout must be"),
        ({"database_url": "sqlite:///x#.db?timeout=nan"}, "DATABASE_URL: timeout must be"),
        ({"database_url": "sqlite:///x.db?timeout=inf"}, "DATABASE_URL: timeout must be"),
        (
            {"database_url": "sqlite:///x.db?mode=canary"},
            "DATABASE_URL: the parameter mode is",
        ),
        ({"database_url": "sqlite://canary.db"}, "DATABASE_URL: must be sqlite:/// and the path"),
        ({"database_url": "sqlite:///can\udcffary.db"}, "DATABASE_URL: can't be read: it holds a"),
        ({"database_url": "sqlite:///can\0ary.db"}, "DATABASE_URL: can't be read: it holds a"),
        ({"database_url": "sqlite:///~/canary.db"}, "DATABASE_URL: must be the whole path: ~"),
        ({"database_url": "sqlite:////~/canary.db"}, "DATABASE_URL: must be the whole path: ~"),
        ({"database_url": "sqlite:///$HOME/canary.db"}, "DATABASE_URL: must be the whole path"),
        ({"backup_dir": "~/canary"}, "BACKUP_DIR: must be the whole path: ~ and $HOME are not"),
        ({"spool_dir": "$HOME/canary"}, "SPOOL_DIR: must be the whole path: ~ and $HOME are"),
        ({"database_url": "sqlite:////"}, "DATABASE_URL: must be sqlite:/// and the path"),
        (
            {"database_url": "postgresql://h/x?pgbouncer=canary"},
            "DATABASE_URL: the parameter pgbouncer is not supported: remove it.",
        ),
        ({"database_url": "postgresql://h/x?timeout=3"}, "DATABASE_URL: the parameter timeout"),
        ({"database_url": "postgresql://h/x?port=canary"}, "DATABASE_URL: can't be read"),
        ({"database_url": "postgresql://u:1?canary@h/x?a=b"}, "DATABASE_URL: can't be read"),
        ({"database_url": "postgresql:///x?host=a,b&port=1,2,3"}, "DATABASE_URL: must have one"),
        ({"database_url": "postgresql:///x?host=a,b"}, "DATABASE_URL: must have one port"),
        ({"database_url": "postgresql:///x?host=a:1:2&host=b"}, "DATABASE_URL: must have one"),
        ({"database_url": "postgresql://u@h:/x"}, "DATABASE_URL: can't be read"),
        ({"database_url": "postgresql:///x?host=a,,b&port=1,2,3"}, "DATABASE_URL: must have one"),
        ({"database_url": "postgresql://h/x?sslmode=canary"}, "DATABASE_URL: sslmode must be one"),
        ({"database_url": "postgresql://h/x?ssl=true"}, "DATABASE_URL: ssl must be one of"),
        ({"database_url": "postgresql:///x?user=a&user=b"}, "DATABASE_URL: the parameter user is"),
        ({"database_url": "postgresql:canary"}, "DATABASE_URL: must begin with sqlite://"),
        ({"database_url": "postgresql://u:ca/nary@h/x"}, "DATABASE_URL: can't be read"),
        ({"webhook_url": "https://canary.example:5000"}, "WEBHOOK_URL: Telegram calls the ports"),
        ({"trusted_media_origin": "canary"}, "TRUSTED_MEDIA_ORIGIN: must be an address"),
        ({"stories_api_url": "http://canary.example"}, "STORIES_API_URL: must begin with https"),
    ],
)
def test_a_wrong_setting_has_its_sentence(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(**GOOD | wrong)
    assert sentence in caught.value.sentences[0]
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_line_break_at_the_end_of_a_secret_is_removed() -> None:
    settings = load(telegram_token=f"{TOKEN}\n", stories_api_key=" k\r\n")
    assert settings.telegram_token.get_secret_value() == TOKEN
    assert settings.stories_api_key.get_secret_value() == "k"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        load()
    token, key = caught.value.sentences
    assert token.startswith("TELEGRAM_TOKEN is not set (https://t.me/BotFather")
    assert key.startswith("STORIES_API_KEY is not set (sign up at https://hikerapi.com)")
    for sentence in (token, key):
        assert sentence.endswith(
            ": set the variable, or run storybell setup (in a clone: make setup)."
        )


def test_the_advice_about_a_missing_setting_names_the_file_that_was_named(tmp_path: Path) -> None:
    """``storybell setup`` alone would write ./.env, which a service does not read."""
    file = tmp_path / "service.env"
    file.write_text("PORT=8001\n")
    with pytest.raises(SettingsError) as caught:
        load(file)
    for sentence in caught.value.sentences:
        assert sentence.endswith(f": set the variable, or run storybell --env-file {file} setup.")


@pytest.mark.parametrize("name", Settings.model_fields)
@pytest.mark.parametrize("value", ["-5", "canary", "1e400", "[]", "9" * 20, None, "nan", "a b"])
def test_no_sentence_shows_a_value(name: str, value: object) -> None:
    """Whatever stands in whichever setting, the sentence names it, and ends as one."""
    try:
        load(**GOOD | {name: value})
    except SettingsError as error:
        for sentence in error.sentences:
            assert sentence.startswith(name.upper()) or "canary" not in sentence
            assert sentence.endswith(".")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:1", "[::1]:80"])
def test_on_this_machine_the_stories_api_may_be_plain(host: str) -> None:
    assert load(**GOOD, stories_api_url=f"http://{host}").stories_api_url.scheme == "http"


def test_a_file_of_settings_that_is_no_text_is_one_sentence() -> None:
    Path(".env").write_bytes(b"PORT=\xff\xfe\n")
    with pytest.raises(SettingsError) as caught:
        load(**GOOD)
    assert caught.value.sentences == [".env can't be read: it is no text in UTF-8."]


def test_what_is_no_setting_is_named_with_the_nearest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("# money\nDAILY_BUGDET=5\nexport PORT=80\nQWERTY=1\n")
    monkeypatch.setenv("MAX_SUBSCRIPTION", "3")
    monkeypatch.setenv("HOSTNAME", "machine")
    assert unknown_variables_and_suggestions() == [
        ("DAILY_BUGDET", "DAILY_BUDGET"), ("QWERTY", ""), ("MAX_SUBSCRIPTION", "MAX_SUBSCRIPTIONS")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "is_open"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),  # noqa: S104 - as in a container
        ({"webhook_url": "https://bot.example"}, True),
        ({"webhook_url": "https://bot.example", "host": "127.0.0.1"}, False),
    ],
)
def test_a_port_that_others_can_reach_is_open(changed: dict[str, object], is_open: bool) -> None:
    assert load(**GOOD | changed).is_port_reachable_from_outside == is_open


@pytest.mark.parametrize(
    "url", ["postgresql://u:pass:word-x@h/db", "postgresql://h/db?user=u&password=pass:word-x"]
)
def test_the_password_of_a_url_is_a_secret(url: str) -> None:
    assert "pass:word-x" in secrets_of(load(**GOOD, database_url=url))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////var/x y#.db?timeout=0.2",
        "postgres://u@h/db?sslmode=require&channel_binding=require&connect_timeout=10",
        "postgresql://h/db?user=u&password=p%40",
        "postgresql://u@/db?host=/run/postgresql&port=5433",
        "postgresql://u@/db?host=a:5432&host=b:5433",
        "postgresql://u@/db?host=a,b&port=5432,5433",
    ],
)
def test_the_database_opens_every_url_that_the_settings_accept(url: str) -> None:
    settings = load(**GOOD, database_url=url)
    assert Database(settings.database_url.get_secret_value()).url.get_backend_name()


def test_the_printed_file_of_the_database_is_the_opened_file() -> None:
    url = "sqlite:////srv/my%20bot/s.db"
    settings = load(**GOOD, database_url=url)
    assert settings.database_place == str(Database(url).file) == "/srv/my bot/s.db"
    assert settings.backup_folder == Path("/srv/my bot/backups")


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://user:pass@word-y@proxy:3128", "pass@word-y"),
        ("http://user:pass%3Aword@proxy:3128", "pass%3Aword"),
        ("http://user:pass%3Aword@proxy:3128", "pass:word"),
    ],
)
def test_the_password_of_a_proxy_is_a_secret(url: str, secret: str) -> None:
    assert secret in secrets_of(load(**GOOD, media_proxy=url))
