"""The rules that distribute stories over albums."""

from collections.abc import Iterable

from bot.domain.model import Album, Story

ALBUM_SIZE = 10  # the maximum number of items of an album (Bot API, sendMediaGroup)


def plan_albums(stories: Iterable[Story]) -> list[Album]:
    """Return albums with all distinct stories of ``stories``, the oldest stories first.

    Stories with the same ``pk`` are the same story. An album has at most 10 stories. The number of
    albums is the smallest possible number. The stories are distributed as evenly as possible. If
    the albums cannot have equal sizes, the earlier albums are larger. For example, 11 stories are
    distributed as 6 + 5, and 21 stories as 7 + 7 + 7.
    """
    unique = {story.pk: story for story in stories}
    ordered = sorted(unique.values(), key=lambda story: (story.taken_at, len(story.pk), story.pk))
    count = -(-len(ordered) // ALBUM_SIZE)
    albums: list[Album] = []
    start = 0
    for index in range(count):
        size = (len(ordered) - start + count - index - 1) // (count - index)
        albums.append(Album(tuple(ordered[start : start + size])))
        start += size
    return albums
