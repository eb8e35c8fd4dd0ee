"""Stories as JSON and back, for the store's columns."""

from typing import Any

from pydantic import TypeAdapter

from bot.domain.model import Story

_stories = TypeAdapter(list[Story])


def dump_stories(stories: list[Story]) -> list[dict[str, Any]]:
    """Return the stories as JSON values."""
    dumped: list[dict[str, Any]] = _stories.dump_python(stories, mode="json")
    return dumped


def load_stories(value: object) -> list[Story]:
    """Return the stories that ``dump_stories`` made ``value`` of."""
    return _stories.validate_python(value)
