"""Logging: a line for each event, as JSON or as text, without secrets."""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Literal

import structlog

# ``_TOKEN`` matches a bot token in a URL. ``_SIGNATURE`` matches the signature in a media URL.
_TOKEN = re.compile(r"\d{5,}:[A-Za-z0-9_-]{30,}")
_SIGNATURE = re.compile(r"([?&](?:oh|_nc_ohc|access_key)=)[^&\s\"']+")
MASK = "•••"


def tracing(trace: str) -> AbstractContextManager[None]:
    """Add a trace id to all log events of the ``with`` block, and of tasks that the block starts.

    The trace id identifies an update (``u…``), a story (``s…``) or a delivery (``d…``).
    """
    return structlog.contextvars.bound_contextvars(trace=trace)


def set_trace(trace: str) -> None:
    """Add a trace id to all further log events of this task, without a ``with`` block."""
    structlog.contextvars.bind_contextvars(trace=trace)


def current_trace() -> str:
    """Return the current trace id, or an empty string."""
    return str(structlog.contextvars.get_contextvars().get("trace", ""))


class Redactor:
    """Masks secrets, bot tokens and URL signatures in texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Store the secrets that have at least 8 characters.

        Shorter secrets are ignored, because they would also mask ordinary words.
        """
        self._secrets = sorted((s for s in secrets if len(s) >= 8), key=len, reverse=True)  # noqa: PLR2004 - see the docstring

    def __call__(self, text: str) -> str:
        """Return ``text`` with all stored secrets, bot tokens and URL signatures masked."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _SIGNATURE.sub(rf"\1{MASK}", _TOKEN.sub(MASK, text))

    def mask_event(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Mask the stored secrets, bot tokens and URL signatures in all values of a log event.

        The event is changed and returned. This method is a structlog processor.
        """
        for key, value in event.items():
            event[key] = self._mask(value)
        return event

    def _mask(self, value: object) -> object:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, int | float | bool | None):
            return value
        return self(str(value))


def set_up_logging(
    *,
    level: str = "INFO",
    style: Literal["auto", "json", "text"] = "auto",
    secrets: Iterable[str] = (),
) -> None:
    """Set up the logging of the bot and its libraries to stderr.

    Secrets of at least 8 characters, bot tokens and URL signatures are masked. The style "auto"
    writes text to a terminal, and JSON to any other output.
    """
    as_text = style == "text" or (style == "auto" and sys.stderr.isatty())
    redact = Redactor(secrets)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if as_text
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact.mask_event,
                last,
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These loggers log URLs with the bot token, or repeat log events of the bot.
    for noisy in ("httpx", "httpcore", "telegram", "aiosqlite", "asyncio", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,  # drops the events below the log level
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
