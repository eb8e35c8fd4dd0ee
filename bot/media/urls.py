"""The rules for media URLs that may be downloaded. The rules are also applied to each redirect."""

from datetime import UTC, datetime, timedelta

from yarl import URL

_SUFFIXES = (".cdninstagram.com", ".fbcdn.net")
HTTPS = 443
_LONGEST = 4096  # maximum characters of a URL; signed URLs have 560 to 1,060 characters
_MARGIN = timedelta(seconds=60)


class MediaHosts:
    """The allowed media hosts: Instagram's hosts with https, and an origin for tests and demo."""

    def __init__(self, trusted_origin: str = "") -> None:
        """Allow ``trusted_origin`` in addition to Instagram's hosts.

        An origin consists of a scheme, a host and a port. An empty string allows no further
        origin.
        """
        self._trusted = URL(trusted_origin).origin() if trusted_origin else None

    def allows(self, url: str) -> bool:
        """Return whether ``url`` may be downloaded. Never raises an error."""
        parsed = parse(url)
        if parsed is None:
            return False
        if self._trusted is not None and parsed.origin() == self._trusted:
            return True
        host = (parsed.raw_host or "").lower().rstrip(".")
        return parsed.scheme == "https" and parsed.port == HTTPS and host.endswith(_SUFFIXES)


def parse(url: str) -> URL | None:
    """Return ``url`` as a plain http(s) URL, or None if the URL is invalid.

    A URL is invalid if the URL has a user, a password, spaces, control characters, backslashes,
    non-ASCII characters or more than 4,096 characters. Always download the returned value, because
    two parsers may interpret the same text differently.
    """
    if len(url) > _LONGEST or "\\" in url or not url.isascii() or not url.isprintable():
        return None
    try:
        parsed = URL(url, encoded=True)
        usable = (
            parsed.scheme in {"http", "https"}
            and bool(parsed.raw_host)
            and parsed.port is not None
            and parsed.raw_user is None
            and parsed.raw_password is None
            and " " not in url
        )
    except ValueError:
        return None
    return parsed if usable else None


def expires_at(url: str) -> datetime | None:
    """Return when a signed URL expires, or None if the URL is invalid or not signed.

    The parameter ``oe`` contains the hexadecimal Unix time.
    """
    parsed = parse(url)
    try:
        return datetime.fromtimestamp(int(parsed.query["oe"], 16), UTC) if parsed else None
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def is_fresh(url: str, now: datetime) -> bool:
    """Return whether ``url`` is valid for at least 60 more seconds.

    An unsigned URL is always valid.
    """
    end = expires_at(url)
    return end is None or end - _MARGIN > now
