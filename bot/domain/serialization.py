"""Conversion of stories to JSON and back, for the columns of the store."""

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
    """Restore the stories that ``dump_stories`` converted.

    Raises:
        ValidationError: ``value`` is not a list of stories of this version.
    """
    return STORIES.validate_python(value)


def load_each_or_none(values: Sequence[object]) -> list[Story | None]:
    """Return each story, or None for a value that is no valid story of this version."""
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
