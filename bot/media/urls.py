"""Which addresses media may come from; pure, so that every hop can be asked."""

from datetime import UTC, datetime, timedelta

from yarl import URL

_SUFFIXES = (".cdninstagram.com", ".fbcdn.net")
HTTPS = 443
_LONGEST = 4096  # characters; signed addresses have 560 to 1,060
_MARGIN = timedelta(seconds=60)


class MediaHosts:
    """Instagram's media hosts over https, and one exact trusted origin (tests, the demo)."""

    def __init__(self, trusted_origin: str = "") -> None:
        """Trust ``trusted_origin`` (scheme, host and port) besides Instagram; empty for none."""
        self._trusted = URL(trusted_origin).origin() if trusted_origin else None

    def allows(self, url: str) -> bool:
        """Return whether ``url`` may be fetched; never raises."""
        parsed = parse(url)
        if parsed is None:
            return False
        if self._trusted is not None and parsed.origin() == self._trusted:
            return True
        host = (parsed.raw_host or "").lower().rstrip(".")
        return parsed.scheme == "https" and parsed.port == HTTPS and host.endswith(_SUFFIXES)


def parse(url: str) -> URL | None:
    """Return ``url`` as a plain http(s) address; None with a login, controls or nonsense in it.

    The value that was judged is the one to fetch: two parsers may disagree about one text.
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
    """Return when a signed address stops working (``oe``, hex Unix time); None if unsigned."""
    parsed = parse(url)
    try:
        return datetime.fromtimestamp(int(parsed.query["oe"], 16), UTC) if parsed else None
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def is_fresh(url: str, now: datetime) -> bool:
    """Return whether ``url`` still works for a minute; an unsigned one does."""
    end = expires_at(url)
    return end is None or end - _MARGIN > now
