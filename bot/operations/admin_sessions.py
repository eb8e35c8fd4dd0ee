"""Keys and sessions of the admin page.

A key is the secret in a link that works once and opens a session of an hour. The database stores
one key and one session, as digests with the owner's id.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from bot.store import key_values
from bot.store.engine.database import Tx

KEY_VALID_FOR, _SESSION_VALID_FOR = timedelta(minutes=10), timedelta(hours=1)
_KEY, _SESSION = "admin_key", "admin_session"


async def issue_key_and_end_session(tx: Tx, owner: int, *, now: datetime) -> str:
    """Return a new key for an owner. The key works once, within ten minutes.

    An earlier key is replaced, and an open session ends, even if the key or session belongs to a
    different owner.
    """
    await key_values.remove(tx, _SESSION)
    return await _make_and_store_secret(tx, _KEY, owner, valid_for=KEY_VALID_FOR, now=now)


async def exchange_key_for_session(tx: Tx, key: object, *, now: datetime) -> str | None:
    """Exchange a key for a session of the same owner, and return the secret of the session.

    The session lasts one hour, and the key is deleted. Return None, and change nothing, if the key
    is wrong, expired or used.
    """
    owner = (
        await _owner_if_secret_matches(tx, _KEY, key, now=now) if isinstance(key, str) else None
    )
    if owner is None or not await key_values.remove(tx, _KEY):
        return None
    return await _make_and_store_secret(tx, _SESSION, owner, valid_for=_SESSION_VALID_FOR, now=now)


async def owner_of_session(tx: Tx, secret: str, *, now: datetime) -> int | None:
    """Return the id of the owner whose open session has the secret ``secret``.

    Return None if no open session has this secret.
    """
    return await _owner_if_secret_matches(tx, _SESSION, secret, now=now)


async def end_session(tx: Tx) -> None:
    """End the open session."""
    await key_values.remove(tx, _SESSION)


async def _make_and_store_secret(
    tx: Tx, key: str, owner: int, *, valid_for: timedelta, now: datetime
) -> str:
    secret = secrets.token_urlsafe()
    until = (now + valid_for).timestamp()
    value = {"digest": _digest_of(secret), "until": until, "owner": owner}
    await key_values.put(tx, key, value)
    return secret


async def _owner_if_secret_matches(tx: Tx, key: str, secret: str, *, now: datetime) -> int | None:
    """Return the id of the owner to whom ``secret`` belongs, or None.

    ``key`` names the stored secret: ``_KEY`` for a link, or ``_SESSION``.
    """
    kept = await key_values.get(tx, key)
    if not isinstance(kept, dict) or kept["until"] <= now.timestamp():
        return None
    is_same = hmac.compare_digest(str(kept["digest"]), _digest_of(secret))
    return int(kept["owner"]) if is_same else None


def _digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
