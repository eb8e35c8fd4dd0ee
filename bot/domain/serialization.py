"""Stories as JSON and back, for the store's columns."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.domain.model import Highlight, Story

STORIES = TypeAdapter(list[Story])
HIGHLIGHTS = TypeAdapter(list[Highlight])


def dump_stories(stories: list[Story]) -> list[dict[str, Any]]:
    """Return the stories as JSON values."""
    dumped: list[dict[str, Any]] = STORIES.dump_python(stories, mode="json")
    return dumped


def load_stories(value: object) -> list[Story]:
    """Return the stories that ``dump_stories`` made ``value`` of."""
    return STORIES.validate_python(value)


def load_each_or_none(values: Sequence[object]) -> list[Story | None]:
    """Return each story, None where its value is no story (any more)."""
    try:
        return list(load_stories(values))
    except ValidationError:
        return [_story_or_none(value) for value in values]


def _story_or_none(value: object) -> Story | None:
    try:
        (story,) = load_stories([value])
    except ValidationError:
        return None
    return story
