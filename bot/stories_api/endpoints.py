"""The endpoints of the Stories API, and the price of each endpoint in credits."""

from enum import StrEnum

CHECK_COST = 2
"""The price in credits of a call that fetches a profile's stories with the privacy check."""
# The price if the profile is given by username, because the API must first find the id.
_CHECK_BY_NAME_COST = 3


class Endpoint(StrEnum):
    """The paths of the paid endpoints that the bot uses."""

    STORY_BY_ID = "/v1/story/by/id"
    STORY_BY_URL = "/v1/story/by/url"
    DOWNLOAD = "/v1/story/download"
    DOWNLOAD_BY_STORY_URL = "/v1/story/download/by/story/url"
    DOWNLOAD_BY_FILE_URL = "/v1/story/download/by/url"
    USER_STORIES = "/v1/user/stories"
    USER_STORIES_BY_USERNAME = "/v1/user/stories/by/username"
    USER_BY_USERNAME = "/v1/user/by/username"
    USER_HIGHLIGHTS = "/v1/user/highlights"
    HIGHLIGHT_BY_URL = "/v1/highlight/by/url"

    @property
    def price(self) -> int:
        """Return the price of a call in credits, including any privacy check of the endpoint."""
        return _PRICES.get(self, 1)


BALANCE = "/sys/balance"  # a call of this endpoint costs 0 credits
_PRICES = {
    Endpoint.USER_STORIES: CHECK_COST,
    Endpoint.USER_HIGHLIGHTS: CHECK_COST,
    Endpoint.USER_STORIES_BY_USERNAME: _CHECK_BY_NAME_COST,
}
