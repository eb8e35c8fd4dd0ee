"""Logs: one line an event, as JSON or for people, without a secret in any of them."""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Literal

import structlog

# A bot token in an address, and the signature of a media file: known by their shape alone.
_TOKEN = re.compile(r"\d{5,}:[A-Za-z0-9_-]{30,}")
_SIGNATURE = re.compile(r"([?&](?:oh|_nc_ohc|access_key)=)[^&\s\"']+")
MASK = "•••"


def tracing(trace: str) -> AbstractContextManager[None]:
    """Put one id on all that is logged within: of an update (``u…``) or of a story (``s…``).

    Tasks that are begun within have it as well. It is how a line of the log is followed from what
    came in to what went out.
    """
    return structlog.contextvars.bound_contextvars(trace=trace)


def set_trace(trace: str) -> None:
    """Put one id on all that this task logs from here on, as ``tracing`` does on a block."""
    structlog.contextvars.bind_contextvars(trace=trace)


def current_trace() -> str:
    """Return the id that is on what is logged now; empty where there is none."""
    return str(structlog.contextvars.get_contextvars().get("trace", ""))


class Redactor:
    """Masks the given secrets, bot tokens and signatures of addresses in texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Remember ``secrets``; short ones are left out, they would hide ordinary words."""
        self._secrets = sorted((s for s in secrets if len(s) >= 8), key=len, reverse=True)  # noqa: PLR2004 - as said

    def __call__(self, text: str) -> str:
        """Return ``text`` with the secrets masked."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _SIGNATURE.sub(rf"\1{MASK}", _TOKEN.sub(MASK, text))

    def mask_event(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Mask every text of a log event (a structlog processor)."""
        for key, value in event.items():
            event[key] = self._mask(value)
        return event

    def _mask(self, value: object) -> object:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, int | float | bool | None):
            return value
        return self(str(value))


def set_up(
    *,
    level: str = "INFO",
    style: Literal["auto", "json", "text"] = "auto",
    secrets: Iterable[str] = (),
) -> None:
    """Send all logging of the process, ours and the libraries', to stderr through one pipe."""
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
    # These name addresses with the token in them, or repeat what we log ourselves.
    for noisy in ("httpx", "httpcore", "telegram", "aiosqlite", "asyncio", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,  # what is not shown costs nothing more
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
