"""The Stories API: a paid HTTP service; its wire format is seen in this folder only."""

from bot.stories_api.client import StoriesApi
from bot.stories_api.endpoints import Answer, Balance, Endpoint, cost

__all__ = ["Answer", "Balance", "Endpoint", "StoriesApi", "cost"]
