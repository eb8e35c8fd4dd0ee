"""The endpoints of the Stories API, and the price of each endpoint in credits."""

from enum import StrEnum

CHECK_COST = 2
"""The price of a profile's stories with the privacy check, in credits."""


class Endpoint(StrEnum):
    """The paths of the paid endpoints that the bot uses."""

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
        """Return the price of a call in credits: 2 with the privacy check, 1 without."""
        return CHECK_COST if self in _CHECKED else 1


BALANCE = "/sys/balance"  # a call of this endpoint is free
_CHECKED = frozenset({Endpoint.USER_STORIES, Endpoint.USER_HIGHLIGHTS})
