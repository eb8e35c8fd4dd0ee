"""Rules for packing stories into albums."""

from collections.abc import Iterable

from bot.domain.model import Album, Story

ALBUM_SIZE = 10  # Bot API, sendMediaGroup: at most 10 items


def plan_albums(stories: Iterable[Story]) -> list[Album]:
    """Distribute distinct stories over the fewest albums, as even as possible, oldest first.

    If the number is uneven, the earlier albums are larger: 11 → 6 + 5, 21 → 7 + 7 + 7.
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
