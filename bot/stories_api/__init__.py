"""The adapter to the Stories API, a paid HTTP service; its wire format is seen here only.

In: an id, a name or an address. Out: what was asked for with the credits that it was billed, or
a ``StoriesError`` that knows them as well.
"""

from bot.stories_api.client import StoriesApi
from bot.stories_api.endpoints import Answer, Balance, Endpoint, cost

__all__ = ["Answer", "Balance", "Endpoint", "StoriesApi", "cost"]
