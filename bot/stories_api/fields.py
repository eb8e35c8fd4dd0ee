"""The validation of single values in answers.

Only ``id_of`` raises an error for invalid values.
"""

import re
from datetime import UTC, datetime

from bot.stories_api.response import without_unstorable_characters

_LONGEST_URL = 4096
LONGEST_NAME = 200
LONGEST_SECONDS = 86_400.0
_ID = re.compile(r"([0-9]{1,30})(?:_[0-9]{1,30})?")  # a story's id may end with its owner's id
_USERNAME = re.compile(r"[a-z0-9._]{1,30}")
MOST_NUMBER = 2**53
_LEAST_YEAR, _MOST_YEAR = 2010, 2200


def id_of(value: object) -> str:
    """Return an id of up to 30 digits as text. If "_" and the owner's id follow, omit both.

    Raises:
        ValueError: The id is invalid.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**30:
        return str(value)
    if isinstance(value, str) and (match := _ID.fullmatch(value)):
        return match[1]
    raise ValueError("no id")


def id_or_empty(value: object) -> str:
    """Return an id as text, or an empty string for an invalid id."""
    try:
        return id_of(value)
    except ValueError:
        return ""


def name_text(value: object) -> str:
    """Return at most 200 characters of a name. Omit characters that cannot be stored or shown.

    Return "" if the value is not a text.
    """
    return without_unstorable_characters(value)[:LONGEST_NAME] if isinstance(value, str) else ""


def username_of(value: object) -> str:
    """Return a username in lower case, or an empty string for an invalid username."""
    name = value.lower() if isinstance(value, str) else ""
    return name if _USERNAME.fullmatch(name) else ""


def url_of(value: object) -> str | None:
    """Return an http or https URL, or None for an invalid URL.

    A URL is invalid if it has more than 4096 characters, or characters that cannot be stored.
    """
    if (
        not isinstance(value, str)
        or len(value) > _LONGEST_URL
        or without_unstorable_characters(value) != value
    ):
        return None
    return value if value.startswith(("https://", "http://")) else None


def seconds_or_zero(value: object) -> float:
    """Return a duration in seconds, or 0 if the duration is invalid or longer than a day."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    # The comparison comes first, because an integer of over 308 digits can't be converted to a
    # float.
    return float(value) if 0 < value <= LONGEST_SECONDS else 0.0


def time_of(value: object) -> datetime | None:
    """Return a time in UTC from ISO 8601 or Unix time, or None for an invalid time.

    A time without a zone is in UTC. A year before 2010 or after 2200 is invalid.
    """
    try:
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            time = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str):
            time = datetime.fromisoformat(value)
        else:
            return None
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return time if _LEAST_YEAR <= time.year <= _MOST_YEAR else None


def is_true(value: object) -> bool:
    """Return True only if the value is the boolean True."""
    return value is True


def number_or_zero(value: object) -> float:
    """Return a number. Return 0 if the value is not a number between -2**53 and 2**53."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    return float(value) if abs(value) < MOST_NUMBER else 0.0
