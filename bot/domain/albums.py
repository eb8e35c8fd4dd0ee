"""The rules that distribute stories over albums."""

from collections.abc import Iterable

from bot.domain.model import Album, Story

ALBUM_SIZE = 10  # the maximum number of items of an album (Bot API, sendMediaGroup)


def plan_albums(stories: Iterable[Story]) -> list[Album]:
    """Return albums with all distinct stories of ``stories``, the oldest stories first.

    An album has at most 10 stories. The albums are as few and as equal as possible. For example,
    21 stories become 7 + 7 + 7.
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
