"""Who may call the admin page: whoever opened a link of an owner's, within the hour.

Of keys and sessions only digests are stored; of each there is one.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from bot.store import key_values
from bot.store.engine.database import Tx

KEY_VALID_FOR, _SESSION_VALID_FOR = timedelta(minutes=10), timedelta(hours=1)
_KEY, _SESSION = "admin_key", "admin_session"  # of the one-time link, and who used it


async def issue_key(tx: Tx, *, now: datetime) -> str:
    """Issue a key that opens the page once, within ten minutes; it ends what was before."""
    await key_values.remove(tx, _SESSION)
    return await _issue_secret(tx, _KEY, valid_for=KEY_VALID_FOR, now=now)


async def begin(tx: Tx, key: object, *, now: datetime) -> str | None:
    """Exchange a key for a session; return None where it is none (any more)."""
    is_known = isinstance(key, str) and await _is_valid(tx, _KEY, key, now=now)
    if not (is_known and await key_values.remove(tx, _KEY)):
        return None
    return await _issue_secret(tx, _SESSION, valid_for=_SESSION_VALID_FOR, now=now)


async def is_session(tx: Tx, word: str, *, now: datetime) -> bool:
    """Return whether a word is the session that is open."""
    return await _is_valid(tx, _SESSION, word, now=now)


async def end(tx: Tx) -> None:
    """End the session that is open."""
    await key_values.remove(tx, _SESSION)


async def _issue_secret(tx: Tx, key: str, *, valid_for: timedelta, now: datetime) -> str:
    word = secrets.token_urlsafe()
    value = {"digest": _digest_of(word), "until": (now + valid_for).timestamp()}
    await key_values.put(tx, key, value)
    return word


async def _is_valid(tx: Tx, key: str, word: str, *, now: datetime) -> bool:
    """Return whether a word is the key or session that is stored, and still valid."""
    kept = await key_values.get(tx, key)
    if not isinstance(kept, dict) or kept["until"] <= now.timestamp():
        return False
    return hmac.compare_digest(str(kept["digest"]), _digest_of(word))


def _digest_of(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()
