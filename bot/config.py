"""The settings: read once, from the environment and ``.env``.

What is wrong with them is said in sentences, without the values.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AnyHttpUrl,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.errors import SettingsError

DATABASES = frozenset(
    {"sqlite", "sqlite+aiosqlite", "postgres", "postgresql", "postgresql+asyncpg"}
)
DEAREST_CALL = 2  # credits: the stories of a profile with the privacy check
Credits = Annotated[int, Field(ge=0, le=100_000_000)]


class Settings(BaseSettings):
    """Every setting of the bot; the first two are all that ``make run`` needs."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    telegram_token: SecretStr = Field(description="The bot's token, from @BotFather.")
    stories_api_key: SecretStr = Field(description="The key of the Stories API.")

    admin_ids: Annotated[frozenset[int], NoDecode] = Field(
        default=frozenset(),
        description="Telegram ids of the people who run the bot, separated by commas: they see "
        "/spending and are told when something needs them.",
    )
    database_url: SecretStr = Field(
        default=SecretStr("sqlite:///data/storybell.db"),
        description="Where the bot remembers: an SQLite file, or PostgreSQL for several replicas.",
    )
    spool_dir: Path = Field(
        default=Path("data/spool"), description="Where downloads wait for their upload."
    )
    spool_limit_mb: int = Field(
        default=2000, ge=100, description="Megabytes that the spool may hold at once."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="How much is logged."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="JSON lines, or text for people; auto: text on a terminal."
    )

    # Money
    daily_budget: Credits = Field(
        default=1000, description="Credits that the whole bot may spend a day (UTC)."
    )
    reply_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Part of the daily budget set aside for what people ask; the rest is for "
        "alerts. What one part leaves unused, the other may borrow.",
    )
    chat_daily_allowance: Credits = Field(
        default=100, description="Credits that one chat may spend a day by asking."
    )
    person_daily_allowance: Credits = Field(
        default=100, description="Credits that one person may spend a day, over all chats."
    )
    person_burst: int = Field(
        default=20, ge=1, description="Credits that one person may spend within a minute."
    )
    newcomer_allowance: Credits = Field(
        default=30,
        description="Credits that somebody may spend a day whom the bot has not seen on three "
        "days yet.",
    )
    newcomer_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Part of the replies' part of the daily budget that all newcomers together "
        "may spend.",
    )
    minimum_balance: Credits = Field(
        default=0, description="Below this balance of the Stories API only admins are served."
    )
    credit_price: float = Field(
        default=0.001, ge=0, description="Price of one credit, for /spending."
    )
    currency: str = Field(
        default="USD", pattern="^[A-Z]{3}$", description="Currency of the price."
    )
    skip_privacy_check: Literal["true", "false", "auto"] = Field(
        default="auto",
        description="Skip the Stories API's privacy check, which is 1 of the 2 credits of a look. "
        "auto: for polls of profiles that were public within a day, and no more once that hid "
        "something; true: always, but a private account then looks like one without stories; "
        "false: never.",
    )
    canary_username: str = Field(
        default="", description="A profile that always has stories: tells an outage from silence."
    )

    # Following
    max_subscriptions: int = Field(
        default=20, ge=1, description="Profiles that one chat may follow."
    )
    max_new_subscriptions_a_day: int = Field(
        default=10, ge=1, description="Profiles that one chat may newly follow within a day."
    )
    max_fast_subscriptions: int = Field(
        default=3, ge=0, description="Profiles that one chat may have looked at more often."
    )
    poll_floor_s: int = Field(
        default=60, ge=1, description="Seconds between two looks at one profile, at least."
    )
    blocked_profiles: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(),
        description="Ids or names of profiles that the bot never shows, separated by commas.",
    )

    # Viewing
    cache_s: int = Field(
        default=60,
        ge=0,
        description="Seconds that a profile's stories are shown again at no cost.",
    )
    negative_cache_s: int = Field(
        default=300, ge=0, description="Seconds that 'not found' and 'private' are remembered."
    )

    # Telegram
    webhook_url: AnyHttpUrl | None = Field(
        default=None,
        description="Public https address of this bot: with it updates come by webhook, "
        "without it by polling.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="Secret of the webhook; derived from the token when empty."
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="Port of /healthz, /readyz, /metrics and the webhook.",
    )
    host: str = Field(
        default="",
        description="Address that the port is bound to; when empty 127.0.0.1, with a webhook "
        "0.0.0.0.",
    )
    run_roles: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset({"updates", "scheduler", "outbox"}),
        description="What this process does, of updates, scheduler, outbox; several processes may "
        "share the work.",
    )
    cache_chat_id: int | None = Field(
        default=None, description="A chat of yours where media are uploaded first; optional."
    )
    messages_per_second: float = Field(
        default=28, gt=0, le=1000, description="Messages that the bot sends a second, at most."
    )
    paid_broadcast: bool = Field(
        default=False, description="Pay Telegram Stars for alerts above 30 messages a second."
    )

    # Other addresses; for tests, the demo and a Bot API server of your own
    telegram_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.telegram.org"), description="Address of the Bot API."
    )
    stories_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.hikerapi.com"), description="Address of the Stories API."
    )
    stories_api_fallback_url: AnyHttpUrl | None = Field(
        default=None,
        description="A second address of the same Stories API, such as "
        "https://api.instagrapi.com: asked while the edge of the first fails. The key is sent to "
        "these two and to no other.",
    )
    trusted_media_origin: str = Field(
        default="",
        description="One exact origin that media may come from besides Instagram's; for tests.",
    )

    @field_validator("admin_ids", "blocked_profiles", "run_roles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("skip_privacy_check", mode="before")
    @classmethod
    def _flag_or_auto(cls, value: object) -> object:
        words = {"1": "true", "yes": "true", "on": "true", "0": "false", "no": "false"}
        word = str(value).strip().lower()
        return words.get(word, "false" if word == "off" else word)

    @field_validator("run_roles")
    @classmethod
    def _known_roles(cls, value: frozenset[str]) -> frozenset[str]:
        if unknown := value - {"updates", "scheduler", "outbox"}:
            msg = f"unknown: {', '.join(sorted(unknown))}; known are updates, scheduler, outbox"
            raise ValueError(msg)
        return value

    @field_validator("telegram_token")
    @classmethod
    def _token_shape(cls, value: SecretStr) -> SecretStr:
        number, _, rest = value.get_secret_value().partition(":")
        if not (number.isascii() and number.isdigit() and len(rest) >= 30):  # noqa: PLR2004 - as @BotFather makes them
            msg = "does not look like a bot token (digits, a colon, 35 letters)"
            raise ValueError(msg)
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().partition(":")[0] not in DATABASES:
            msg = "must begin with sqlite:// or postgresql://"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _one_call_can_be_paid(self) -> Self:
        for name in ("daily_budget", "person_burst"):
            if getattr(self, name) < DEAREST_CALL:
                msg = f"{name.upper()} is too small for one call: at least {DEAREST_CALL} credits"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _webhook_is_https(self) -> Self:
        if self.webhook_url and self.webhook_url.scheme != "https" and self._is_official_telegram:
            msg = "WEBHOOK_URL must begin with https://"
            raise ValueError(msg)
        return self

    @property
    def bound_to(self) -> str:
        """Return the address that the port is bound to: ours alone unless more is asked."""
        return self.host or ("0.0.0.0" if self.webhook_url else "127.0.0.1")  # noqa: S104 - Telegram comes from outside

    @property
    def _is_official_telegram(self) -> bool:
        return self.telegram_api_url.host == "api.telegram.org"


def load(**overrides: object) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: Something is missing or wrong; its sentences don't show the values.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type] # values are validated by the model
    except ValidationError as error:
        raise SettingsError(
            [
                _sentence(dict(item))
                for item in error.errors(include_input=False, include_url=False)
            ]
        ) from None


def _sentence(item: dict[str, object]) -> str:
    location = item["loc"]
    name = str(location[0]).upper() if isinstance(location, tuple) and location else ""
    if item["type"] == "missing":
        return f"{name} is not set."
    problem = str(item["msg"]).removeprefix("Value error, ")
    return f"{name}: {problem}." if name else f"{problem}."
