"""The endpoints of the Stories API, and the price of each in credits."""

from enum import StrEnum

CHECK_COST = 2
"""The credits of a profile's stories with the privacy check."""


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
        """Return the credits of a call; 2 where the call includes the privacy check."""
        return CHECK_COST if self in _CHECKED else 1


BALANCE = "/sys/balance"  # free
_CHECKED = frozenset({Endpoint.USER_STORIES, Endpoint.USER_HIGHLIGHTS})
