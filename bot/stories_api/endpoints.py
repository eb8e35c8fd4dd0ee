"""The endpoints of the Stories API, and what a call of each costs."""

from enum import StrEnum

from bot.domain.budget import CHECK_COST


class Endpoint(StrEnum):
    """The path of each paid endpoint that we use."""

    STORY_BY_ID = "/v1/story/by/id"
    STORY_BY_URL = "/v1/story/by/url"
    DOWNLOAD = "/v1/story/download"
    DOWNLOAD_BY_STORY_URL = "/v1/story/download/by/story/url"
    USER_STORIES = "/v1/user/stories"
    USER_BY_USERNAME = "/v1/user/by/username"
    USER_HIGHLIGHTS = "/v1/user/highlights"
    HIGHLIGHT_BY_URL = "/v1/highlight/by/url"

    @property
    def price(self) -> int:
        """Return the credits of a call; two where the privacy check is one of its requests."""
        return CHECK_COST if self in _CHECKED else 1


BALANCE = "/sys/balance"  # free
_CHECKED = frozenset({Endpoint.USER_STORIES, Endpoint.USER_HIGHLIGHTS})
