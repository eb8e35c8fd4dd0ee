"""Who calls the admin page from Telegram: its signature. Pure.

Telegram, "Validating data received via the Mini App": the fields without ``hash``, sorted, one a
line, under HMAC-SHA-256 by a key that is the token's HMAC by ``WebAppData``.
https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from pydantic import SecretStr

_OLDEST = timedelta(hours=1)
_AHEAD = timedelta(minutes=1)  # by so much clocks may differ
_LONGEST = 4096  # characters
TELEGRAM, OWN = "tma", "Bearer"  # the schemes of the Authorization header


def signed_by_telegram(init_data: str, token: SecretStr, now: datetime) -> int | None:
    """Return the id of the person who opened the Mini App; None: not signed so, or too old."""
    if len(init_data) > _LONGEST:
        return None
    try:
        pairs = parse_qsl(
            init_data, keep_blank_values=True, strict_parsing=True, max_num_fields=32
        )
    except ValueError:
        return None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        return None  # a field that is there twice is no data of Telegram's
    given = fields.pop("hash", "")
    given_bytes = given.encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(given_bytes, hash_of(fields, token).encode()):
        return None
    if not _is_fresh(fields.get("auth_date", ""), now):
        return None
    return _person(fields.get("user", ""))


def hash_of(fields: Mapping[str, str], token: SecretStr) -> str:
    """Return Telegram's signature of the fields of a Mini App."""
    key = hmac.digest(b"WebAppData", token.get_secret_value().encode(), "sha256")
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return hmac.new(key, lines.encode("utf-8", "surrogateescape"), "sha256").hexdigest()


def _is_fresh(auth_date: str, now: datetime) -> bool:
    if not (auth_date.isascii() and auth_date.isdecimal() and len(auth_date) < 12):  # noqa: PLR2004 - digits
        return False
    age = now.timestamp() - int(auth_date)
    return -_AHEAD.total_seconds() <= age <= _OLDEST.total_seconds()


def _person(user: str) -> int | None:
    try:
        result = json.loads(user)
    except ValueError:
        return None
    number = result.get("id") if isinstance(result, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None
