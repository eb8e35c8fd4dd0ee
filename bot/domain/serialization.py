"""The conversion of stories and highlights to JSON and back, because the database stores JSON."""

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
    """Return the stories from a result of ``dump_stories``.

    Raises:
        ValidationError: ``value`` is not a list of stories in the format of this version.
    """
    return STORIES.validate_python(value)


def load_each_or_none(values: Sequence[object]) -> list[Story | None]:
    """Return the story of each value, in the order of the values.

    For a value that is not a story in the format of this version, the result has None.
    """
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
