"""The rules for allowed media URLs. Pure code, so that each redirect can be checked."""

from datetime import UTC, datetime, timedelta

from yarl import URL

_SUFFIXES = (".cdninstagram.com", ".fbcdn.net")
HTTPS = 443
_LONGEST = 4096  # the maximum characters of a URL; signed URLs have 560 to 1,060 characters
_MARGIN = timedelta(seconds=60)


class MediaHosts:
    """Instagram's media hosts over https, and a trusted origin for tests and the demo."""

    def __init__(self, trusted_origin: str = "") -> None:
        """Allow ``trusted_origin`` besides Instagram's hosts, unless the string is empty.

        An origin consists of a scheme, a host and a port.
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
    """Return ``url`` as a plain http(s) URL, or None for an invalid URL.

    A URL with a user, a password, spaces or control characters is invalid. Always download the
    returned value, because two parsers may interpret the same text differently.
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
    """Return when a signed URL expires (``oe``, hexadecimal Unix time), or None if unsigned."""
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
