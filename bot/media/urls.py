"""The rules that decide which media URLs may be downloaded.

The rules are also applied to the target of each redirect.
"""

from datetime import UTC, datetime, timedelta

from yarl import URL

_SUFFIXES = (".cdninstagram.com", ".fbcdn.net")
HTTPS = 443
# The maximum number of characters of a URL. The signed URLs of Instagram have 560 to 1,060.
_LONGEST = 4096
_MARGIN = timedelta(seconds=60)


class MediaHosts:
    """The hosts from which media may be downloaded.

    Downloads are allowed from Instagram's hosts with https, and from a further origin for tests
    and the demo.
    """

    def __init__(self, trusted_origin: str = "") -> None:
        """Allow Instagram's hosts and ``trusted_origin``.

        An origin consists of a scheme, a host and a port. If ``trusted_origin`` is an empty
        string, only Instagram's hosts are allowed.
        """
        self._trusted = URL(trusted_origin).origin() if trusted_origin else None

    def allows(self, url: str) -> bool:
        """Return whether ``url`` may be downloaded. An invalid URL does not raise an error."""
        parsed = parse(url)
        if parsed is None:
            return False
        if self._trusted is not None and parsed.origin() == self._trusted:
            return True
        host = (parsed.raw_host or "").lower().rstrip(".")
        return parsed.scheme == "https" and parsed.port == HTTPS and host.endswith(_SUFFIXES)


def parse(url: str) -> URL | None:
    """Return ``url`` as a plain http(s) URL, or None if the URL is invalid.

    For example, a URL with a password or with non-ASCII characters is invalid. The caller must
    download the returned value, because a second parser could interpret ``url`` differently.
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
    except (ValueError, IndexError):  # yarl raises IndexError for "https://[a]@"
        return None
    return parsed if usable else None


def expires_at(url: str) -> datetime | None:
    """Return the time at which a signed URL expires.

    The parameter ``oe`` of the URL contains this time as a hexadecimal Unix time (source:
    docs/sandbox-stories.md). Return None if the URL is invalid or not signed.
    """
    parsed = parse(url)
    try:
        return datetime.fromtimestamp(int(parsed.query["oe"], 16), UTC) if parsed else None
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def is_unexpired(url: str, now: datetime) -> bool:
    """Return whether ``url`` expires later than 60 seconds after ``now``.

    Return True for a URL without a signature, which does not expire, and for an invalid URL.
    """
    end = expires_at(url)
    return end is None or end - _MARGIN > now
