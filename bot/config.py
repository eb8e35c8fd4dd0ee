"""The settings, read once from the environment and ``.env``.

Errors are reported as sentences without the values.
"""

import difflib
import ipaddress
import os
import stat
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from pydantic import (
    AnyHttpUrl,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.database_urls import NOT_REPLACED, problem_of_url
from bot.domain.errors import SettingsError
from bot.domain.packs import DEFAULT_BUDGET
from bot.stories_api.endpoints import CHECK_COST

_WEBHOOK_PORTS = frozenset({443, 80, 88, 8443})  # the ports that setWebhook of the Bot API allows
ENV_FILE = ".env"
OTHERS = frozenset({"COMPOSE_PROFILES", "POSTGRES_PASSWORD", "DOMAIN", "REPLICAS"})
"""The names of the variables of compose.yaml, which ``.env`` may also contain."""
_PROXIES = frozenset({"http", "socks5"})
MOST_CREDITS = 100_000_000
Credits = Annotated[int, Field(ge=0, le=MOST_CREDITS)]
_DAY_S = 86_400
_MOST_SUBSCRIPTIONS = 1_000_000
_ID_LIMIT = 2**52  # According to the Bot API, an id has at most 52 significant bits.


class Settings(BaseSettings):
    """All settings of the bot. Only the first two settings are required."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    telegram_token: SecretStr = Field(
        description="The bot's token. To get a token, send `/newbot` to @BotFather in Telegram."
    )
    stories_api_key: SecretStr = Field(
        description="The key of the Stories API, the paid service from which the bot gets stories."
    )

    admin_ids: Annotated[frozenset[int], NoDecode] = Field(
        default=frozenset(),
        description="The Telegram IDs of the [owners](access.md#owners) of the bot, separated "
        "by commas, for example `123,456`. Owners have commands such as `/spending`, and get "
        "messages about faults of the bot. If the bot has no owner, each start prints a link. "
        "The person who opens the link becomes an owner. `/people` shows the IDs of people. If "
        "the bot refuses a person, the refusal contains the person's ID.",
    )
    access: Literal["invited", "open"] = Field(
        default="invited",
        description="`invited`: the bot serves people who were invited or allowed, and the "
        "groups and channels to which these people add the bot. `open`: the bot serves "
        "everybody. With both values, owners can block people and chats ([who may use the "
        "bot](access.md)).",
    )
    database_url: SecretStr = Field(
        default=SecretStr("sqlite:///data/storybell.db"),
        description="The address of the database: an SQLite file, or PostgreSQL "
        "(`postgresql://USER:PASSWORD@HOST:PORT/NAME`). [Several processes](replicas.md) of "
        "the bot need PostgreSQL. In the password, write `@` as `%40`, `/` as `%2F` and `:` "
        "as `%3A`.",
    )
    database_direct_url: SecretStr | None = Field(
        default=None,
        description="The address of the PostgreSQL server itself. If `DATABASE_URL` leads to a "
        "connection pooler (PgBouncer 1.21 or newer) in transaction mode, set this address, "
        "because upgrades of the tables need a direct connection to the server.",
    )
    database_pool: int = Field(
        default=20,
        ge=3,
        le=500,
        description="The largest number of connections to PostgreSQL that each process of the "
        "bot opens.",
    )
    backup_dir: Path | None = Field(
        default=None,
        description="The folder for the backups of the SQLite file. Each bot needs a folder "
        "of its own. If the setting is empty, the folder is `backups` beside the SQLite file.",
    )
    backup_hours: int = Field(
        default=24,
        ge=0,
        le=24 * 30,
        description="The hours between two backups of the SQLite file. 0 means no backups. "
        "For PostgreSQL, the bot makes no backups: [use `pg_dump`](backup.md#postgresql).",
    )
    spool_dir: Path = Field(
        default=Path("data/spool"),
        description="The folder for files that the bot has downloaded, but not yet uploaded "
        "to Telegram.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="The log has the events of this level and of the levels above. The levels "
        "are, from the lowest to the highest: `DEBUG`, `INFO`, `WARNING`, `ERROR`.",
    )

    # Budget
    daily_budget: Credits = Field(
        default=DEFAULT_BUDGET,
        description="The most credits that the whole bot may spend in a day.",
    )
    reply_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A number from 0 to 1: the part of the daily budget that pays for "
        "questions. The rest pays for checks, and for files that the bot buys for alerts. "
        "Each part may borrow unused credits of the other part.",
    )
    chat_daily_allowance: Credits = Field(
        default=100,
        description="The most credits that the questions in one chat may cost in a day.",
    )
    person_daily_allowance: Credits = Field(
        default=100,
        description="The most credits that the questions of one person in all chats may cost "
        "in a day. A question of an anonymous admin counts for the [person who is responsible "
        "for the chat](access.md#who-pays-limits-follow-the-person). "
        "[Newcomers](access.md#newcomers) have a lower limit.",
    )
    minimum_balance: Credits = Field(
        default=0,
        description="The credits that must remain in your account at the Stories API after a "
        "call. Only questions of owners may use these last credits.",
    )
    credit_price: float = Field(
        default=0.001,
        ge=0,
        allow_inf_nan=False,
        description="The price of one credit in US dollars. With this price, the bot computes "
        "costs in dollars, for example in `/spending`.",
    )
    skip_privacy_check: Literal["true", "false", "auto"] = Field(
        default="auto",
        description="The privacy check of the Stories API tests whether an account is "
        "private. A call for the stories of a profile costs 2 credits with the privacy check, "
        "and 1 credit without. `auto`: the bot skips the privacy check if the profile was "
        "public in the last 24 hours. If answers without the privacy check were wrong about "
        "two profiles within two days, each later call includes the privacy check. `true`: "
        "the bot always skips the privacy check. A private account then looks like an account "
        "without stories. `false`: the bot never skips the privacy check.",
    )

    # Subscriptions
    max_subscriptions: int = Field(
        default=20,
        ge=1,
        le=_MOST_SUBSCRIPTIONS,
        description="The most subscriptions of one chat. All chats [for which one person is "
        "responsible](access.md#limits-of-subscriptions) may together have three times as "
        "many subscriptions.",
    )
    max_new_subscriptions_a_day: int = Field(
        default=10,
        ge=1,
        le=_MOST_SUBSCRIPTIONS,
        description="The most new subscriptions of one chat in a day. All chats [for which "
        "one person is responsible](access.md#limits-of-subscriptions) may together have "
        "three times as many new subscriptions in a day.",
    )
    poll_floor_s: int = Field(
        default=60,
        ge=1,
        le=_DAY_S,
        description="The least number of seconds between two checks of the same profile.",
    )
    blocked_profiles: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(),
        description="The names or IDs of profiles whose stories the bot never shows, "
        "separated by commas.",
    )

    # Viewing
    cache_s: int = Field(
        default=60,
        ge=0,
        le=_DAY_S,
        description="For this number of seconds after a paid call for the stories of a "
        "profile, the bot shows the same stories again without a paid call.",
    )

    # Telegram
    webhook_url: AnyHttpUrl | None = Field(
        default=None,
        description="The public `https` address of the bot. If this address is set, Telegram "
        "sends the updates (messages and other events) to this address. Such an address is "
        "called a [webhook](proxy.md). If this address is not set, the bot asks Telegram for "
        "updates (polling).",
    )
    public_url: AnyHttpUrl | None = Field(
        default=None,
        description="The public `https` address of the bot's web server. If this address is "
        "set, the links of [`/admin`](admin.md) work on all machines. If this address is not "
        "set, the links work only on the bot's machine.",
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="The port of the bot's web server. The server has the addresses "
        "`/healthz`, `/readyz` and `/metrics` ([watch](watch.md)), the admin page and the "
        "webhook.",
    )
    host: str = Field(
        default="",
        description="The IP address on which the web server listens. If `HOST` is empty, the "
        "IP address depends on the webhook: `0.0.0.0` if `WEBHOOK_URL` is set, and "
        "`127.0.0.1` if `WEBHOOK_URL` is not set.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="A secret word of your choice. If other machines can reach `PORT`, only "
        "requests with this word get `/metrics` and the reasons in `/readyz` ([the "
        "command](watch.md)).",
    )
    messages_per_second: float = Field(
        default=28, gt=0, le=1000, description="The most messages that the bot sends in a second."
    )

    # Addresses for tests, the demo and a private Bot API server
    telegram_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.telegram.org"),
        description="The address of Telegram's Bot API. Change the address only if you run [a "
        "Bot API server of your own](networks.md#your-own-bot-api-server).",
    )
    telegram_local: bool = Field(
        default=False,
        description="If `TELEGRAM_API_URL` is the address of your own Bot API server with the "
        "option `--local`, set `true`. With `true`, the bot sends files up to 2,000 MB. With "
        "`false`, the bot sends files up to 50 MB.",
    )
    stories_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.hikerapi.com"),
        description="The address of the Stories API.",
    )
    telegram_proxy: SecretStr | None = Field(
        default=None,
        description="The address of a proxy for calls to Telegram: `http://HOST:PORT` or "
        "`socks5://USER:PASSWORD@HOST:PORT` ([blocked networks](networks.md)).",
    )
    stories_api_proxy: SecretStr | None = Field(
        default=None,
        description="The address of a proxy for calls to the Stories API, in the form of "
        "`TELEGRAM_PROXY`.",
    )
    media_proxy: SecretStr | None = Field(
        default=None,
        description="The address of a proxy for downloads of photos and videos, in the form "
        "of `TELEGRAM_PROXY`. The bot itself resolves the host names of the photos and "
        "videos, so the proxy must accept IP addresses.",
    )
    trusted_media_origin: str = Field(
        default="",
        description="For tests only: the address of one more server from which the bot may "
        "load photos and videos, for example `http://127.0.0.1:8083`. If the setting is "
        "empty, the bot loads photos and videos only from Instagram's servers.",
    )

    @field_validator("admin_ids", "blocked_profiles", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("admin_ids")
    @classmethod
    def _check_admin_ids(cls, value: frozenset[int]) -> frozenset[int]:
        if any(number <= 0 for number in value):
            raise ValueError("must be the IDs of people, which are positive; not of a group")
        if any(number >= _ID_LIMIT for number in value):
            raise ValueError("must be the IDs of people, which are smaller numbers")
        return value

    @field_validator("telegram_token", "stories_api_key", "metrics_token")
    @classmethod
    def _strip_and_check_secret(cls, value: SecretStr | None) -> SecretStr | None:
        """Remove spaces and line breaks at both ends, because files of secrets often have both.

        Raises:
            ValueError: The secret is empty, or is not printable ASCII without spaces.
        """
        if value is None:
            return None
        text = value.get_secret_value().strip()
        if not text:
            raise ValueError("must not be empty")
        # The secrets are sent in headers and URLs, which allow only printable ASCII without
        # spaces.
        if not (text.isascii() and text.isprintable() and " " not in text):
            raise ValueError("must be letters, digits and signs of ASCII, without spaces")
        return SecretStr(text)

    @field_validator("telegram_token")
    @classmethod
    def _check_token(cls, value: SecretStr) -> SecretStr:
        number, _, rest = value.get_secret_value().partition(":")
        if not (number.isascii() and number.isdigit() and len(rest) >= 30):  # noqa: PLR2004 - the length of @BotFather's tokens
            raise ValueError("does not look like a bot token (digits, a colon, 35 letters)")
        return value

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        if problem := problem_of_url(value.get_secret_value()):
            raise ValueError(problem)
        return value

    @field_validator("backup_dir", "spool_dir")
    @classmethod
    def _refuse_path_for_shell(cls, value: Path | None) -> Path | None:
        """Refuse a path that only a shell expands, for example ``~/backups``.

        Raises:
            ValueError: The path begins with ``~`` or ``$``.
        """
        if str(value or "").startswith(("~", "$")):
            raise ValueError(NOT_REPLACED)
        return value

    @field_validator("telegram_proxy", "stories_api_proxy", "media_proxy")
    @classmethod
    def _check_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            parts = urlsplit(value.get_secret_value()) if value else None
            is_good = parts is None or (
                parts.scheme in _PROXIES and bool(parts.hostname) and bool(parts.port)
            )
        except ValueError:
            is_good = False
        if not is_good:
            raise ValueError("must be http://host:port or socks5://host:port")
        return value

    @field_validator("trusted_media_origin")
    @classmethod
    def _check_media_origin(cls, value: str) -> str:
        if value and not (value.startswith(("http://", "https://")) and urlsplit(value).hostname):
            raise ValueError("must be an address that begins with https:// or http://")
        return value

    @field_validator("stories_api_url")
    @classmethod
    def _check_stories_api_url(cls, value: AnyHttpUrl) -> AnyHttpUrl:
        if value.scheme != "https" and not _is_loopback(value.host or ""):
            raise ValueError("must begin with https://, or anybody on the way could read the key")
        return value

    @model_validator(mode="after")
    def _check_budget(self) -> Self:
        if self.daily_budget < CHECK_COST:
            raise ValueError(
                f"DAILY_BUDGET is too small for one call: at least {CHECK_COST} credits"
            )
        return self

    @model_validator(mode="after")
    def _check_telegram_local(self) -> Self:
        if self.telegram_local and self._is_official_telegram:
            raise ValueError(
                "TELEGRAM_LOCAL needs TELEGRAM_API_URL, the address of your own server"
            )
        return self

    @model_validator(mode="after")
    def _check_webhook(self) -> Self:
        if self.webhook_url and self.webhook_url.scheme != "https" and self._is_official_telegram:
            raise ValueError("WEBHOOK_URL must begin with https://")
        port = self.webhook_url.port if self.webhook_url else 443
        if self._is_official_telegram and port not in _WEBHOOK_PORTS:
            raise ValueError("WEBHOOK_URL: Telegram calls the ports 443, 80, 88 and 8443 only")
        if self.public_url and self.public_url.scheme != "https" and self._is_official_telegram:
            raise ValueError("PUBLIC_URL must begin with https://")
        return self

    @property
    def bind_host(self) -> str:
        """Return the address on which the web server listens.

        The default is localhost without a webhook, and all interfaces with a webhook.
        """
        return self.host or ("0.0.0.0" if self.webhook_url else "127.0.0.1")  # noqa: S104 - Telegram connects from outside of this machine

    @property
    def bot_id(self) -> int:
        """Return the id of the bot, which is the first part of the bot's token."""
        return int(self.telegram_token.get_secret_value().partition(":")[0])

    @property
    def is_sqlite(self) -> bool:
        """Return whether the database is an SQLite file or an SQLite database in memory."""
        return self.database_url.get_secret_value().startswith("sqlite")

    @property
    def backup_folder(self) -> Path:
        """Return the folder of the backups.

        The default is the folder ``backups`` beside the SQLite file. Without an SQLite file, the
        default is ``data/backups``.
        """
        beside = Path(self._sqlite_file).parent if self._sqlite_file else Path("data")
        return self.backup_dir or beside / "backups"

    @property
    def _sqlite_file(self) -> str:
        """Return the path of the SQLite file, or "" for PostgreSQL or a database in memory."""
        scheme, _, rest = self.database_url.get_secret_value().partition(":///")
        file = unquote(rest.partition("?")[0])
        return file if scheme.startswith("sqlite") and file != ":memory:" else ""

    @property
    def database_place(self) -> str:
        """Return the absolute path of the SQLite file, or PostgreSQL's address without secrets.

        For SQLite in memory, return "in memory".
        """
        if self._sqlite_file:
            return str(Path(self._sqlite_file).absolute())
        parts = urlsplit(self.database_url.get_secret_value())
        if self.is_sqlite:
            return "in memory"
        port = f":{parts.port}" if parts.port else ""
        return f"postgresql://{parts.hostname or ''}{port}{parts.path}"

    @property
    def is_port_reachable_from_outside(self) -> bool:
        """Return whether other machines can reach the port of the web server."""
        return not _is_loopback(self.bind_host)

    @property
    def _is_official_telegram(self) -> bool:
        return self.telegram_api_url.host == "api.telegram.org"


def secret_text_or_empty(secret: SecretStr | None) -> str:
    """Return the text of a secret setting, or an empty string for None."""
    return secret.get_secret_value() if secret else ""


def secrets_of(settings: Settings) -> list[str]:
    """Return the secret values of the settings, which must not appear in any log.

    Of a URL, only the passwords are returned. A secret can be an empty string.
    """
    addresses = (
        settings.database_url,
        settings.database_direct_url,
        settings.telegram_proxy,
        settings.stories_api_proxy,
        settings.media_proxy,
    )
    secrets = [
        settings.telegram_token.get_secret_value(),
        settings.stories_api_key.get_secret_value(),
        secret_text_or_empty(settings.metrics_token),
    ]
    for address in addresses:
        secrets += _passwords_in(secret_text_or_empty(address))
    return secrets


def _passwords_in(url: str) -> list[str]:
    """Return the passwords in the user information and in the query of a URL.

    Each password is returned twice: as written in the URL, and percent-decoded.
    """
    address, _, query = url.partition("//")[2].partition("?")
    found = [address.rpartition("@")[0].partition(":")[2]]
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name == "password":
            found.append(value)
    return [*found, *map(unquote, found)]


def load(env_file: Path | None = None, /, **overrides: object) -> Settings:
    """Read the settings from the environment and from a settings file.

    ``env_file`` must exist. By default, the file is ``.env``, which may be missing. ``overrides``
    have precedence over all other settings. ``_env_file=None`` in ``overrides`` means no settings
    file.

    Raises:
        SettingsError: A setting is missing or invalid, or the settings file can't be read. The
            error message shows no values.
    """
    if env_file is not None:
        if not _is_regular_file(env_file):
            raise SettingsError([f"There is no file {env_file.absolute()}."])
        overrides = {"_env_file": env_file, **overrides}
    file = overrides.get("_env_file", ENV_FILE)
    if file is not None:
        _read_env_file(Path(str(file)))  # raises SettingsError for a file that can't be read
    try:
        return Settings(**overrides)  # type: ignore[arg-type] # pydantic validates the values
    except ValidationError as error:
        raise SettingsError(
            [
                _error_sentence(dict(item), env_file)
                for item in error.errors(include_input=False, include_url=False)
            ]
        ) from None


def unknown_variables_and_suggestions(env_file: Path | None = None) -> list[tuple[str, str]]:
    """Return the names of unknown variables, each with the name of the most similar setting or "".

    All unknown variables in ``env_file`` (default: ``.env``) are returned. An unknown variable of
    the environment is returned only if a setting is similar.

    Raises:
        SettingsError: ``env_file`` exists, but can't be read.
    """
    file = env_file or Path(ENV_FILE)
    names = [name.upper() for name in Settings.model_fields]
    known = {*names, *OTHERS}
    unknown = []
    for name, where in [(n, file.name) for n in _read_env_file(file)] + [
        (n, "")
        for n in os.environ  # noqa: TID251 - only this module reads the environment
    ]:
        near = difflib.get_close_matches(name.upper(), names, n=1, cutoff=0.7 if where else 0.88)
        if name.upper() not in known and (where or near):
            unknown.append((name, near[0] if near else ""))
    return list(dict.fromkeys(unknown))


def _is_regular_file(file: Path) -> bool:
    """Return whether the path is a regular file.

    Raises:
        SettingsError: The folder of the file can't be read.
    """
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise SettingsError([f"{file.absolute()} can't be read: {error.strerror}."]) from None


def _read_env_file(file: Path) -> dict[str, str]:
    """Return the names and values of a settings file, or an empty dict if the path is not a file.

    Raises:
        SettingsError: The file or its folder can't be read.
    """
    if not _is_regular_file(file):
        return {}
    try:
        return {name: value or "" for name, value in dotenv_values(file).items()}
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise SettingsError([f"{file} can't be read: {reason}."]) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_SOURCES = {
    "TELEGRAM_TOKEN": " (https://t.me/BotFather gives one to whoever sends /newbot)",
    "STORIES_API_KEY": " (sign up at https://hikerapi.com)",
}
"""The hints about the sources of the values of the required settings."""


def _error_sentence(item: dict[str, Any], env_file_of_advice: Path | None) -> str:
    """Return a sentence about an error that pydantic has found in the settings.

    If a setting is missing, the sentence recommends a command that sets the setting.
    """
    name = str(item["loc"][0]).upper() if item["loc"] else ""
    if item["type"] == "missing":
        advice = "storybell setup (in a clone: make setup)"
        if env_file_of_advice is not None:
            advice = f"storybell --env-file {env_file_of_advice} setup"
        where = _SOURCES.get(name, "")
        return f"{name} is not set{where}: set the variable, or run {advice}."
    problem = item["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return f"{name}: {problem}." if name else f"{problem}."
