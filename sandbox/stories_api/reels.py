"""The second version's envelope: a reel of items in Instagram's own inner shape."""

from sandbox import media
from sandbox.cdn import Cdn
from sandbox.instagram import Profile, Story
from sandbox.posting import DAY
from sandbox.stories_api.shapes import Shapes

LARGEST_EXACT = 2**53  # JavaScript's; `safe_int` turns what is above into text


class Reels:
    """Draws reels with links that are signed anew each time."""

    def __init__(self, cdn: Cdn, shapes: Shapes) -> None:
        """Draw with links into `cdn`."""
        self._cdn, self._shapes = cdn, shapes

    def envelope(
        self, profile: Profile, stories: list[Story], *, safe_int: bool
    ) -> dict[str, object]:
        """The whole answer; no stories are a `reel` of null, and still a success."""
        reel = self._reel(profile, stories) if stories else None
        drawn: dict[str, object] = {"broadcast": None, "reel": reel, "status": "ok"}
        return _safe(drawn) if safe_int else drawn

    def _reel(self, profile: Profile, stories: list[Story]) -> dict[str, object]:
        latest = int(stories[-1].taken_at)
        return {
            "id": int(profile.pk),
            "strong_id__": profile.pk,
            "latest_reel_media": latest,
            "expiring_at": latest + int(DAY),
            "user": self._shapes.user_short(profile),
            "items": [self._item(story) for story in stories],
            "media_count": len(stories),
            "media_ids": [int(story.pk) for story in stories],
        }

    def _item(self, story: Story) -> dict[str, object]:
        is_video = story.media_type == 2
        width, height = (720, 1280) if is_video else (1080, 1920)
        still = self._cdn.link("poster" if is_video else "photo", story.pk)
        shown = self._shapes.story(story)
        item: dict[str, object] = {
            "pk": int(story.pk),
            "id": story.id,
            "code": story.code,
            "taken_at": int(story.taken_at),
            "expiring_at": int(story.taken_at) + int(DAY),
            "media_type": story.media_type,
            "product_type": "story",
            "caption": None,
            "original_width": width,
            "original_height": height,
            "image_versions2": {"candidates": [{"url": still, "width": width, "height": height}]},
            "is_paid_partnership": bool(story.sponsor_tags),
            "user": shown["user"],
            "reel_mentions": shown["mentions"],
            "story_link_stickers": [
                {"story_link": {"url": link["webUri"]}}
                for link in _objects(shown["links"])
                if "webUri" in link
            ],
            "story_hashtags": shown["hashtags"],
            "story_locations": shown["locations"],
        }
        if is_video:
            item["has_audio"] = True
            item["video_duration"] = media.seconds_of(story.variant)
            url = self._cdn.link("video", story.pk)
            item["video_versions"] = [{"type": 101, "width": 720, "height": 1280, "url": url}]
        return item


def _objects(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _safe(value: dict[str, object]) -> dict[str, object]:
    return {name: _safe_value(inner) for name, inner in value.items()}


def _safe_value(value: object) -> object:
    if isinstance(value, dict):
        return _safe(value)
    if isinstance(value, list):
        return [_safe_value(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > LARGEST_EXACT:
        return str(value)
    return value
