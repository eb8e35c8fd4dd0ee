"""The JSON objects of the Stories API."""

import random
from datetime import UTC, datetime

from sandbox import media
from sandbox.cdn import Cdn
from sandbox.instagram import Instagram, Profile, Story

_BOX = {"x": 0.0, "y": 0.0, "width": 0.0, "height": 0.0}


class Shapes:
    """The builder of profile and story objects. Each object has newly signed links."""

    def __init__(self, instagram: Instagram, cdn: Cdn, seed: int = 0) -> None:
        """Create a builder for the objects of `instagram`, with links to `cdn`."""
        self._instagram, self._cdn = instagram, cdn
        self._rng = random.Random(f"{seed}/shapes")

    def user_short(self, profile: Profile) -> dict[str, object]:
        """Return a profile as a `UserShort` object."""
        return {
            "pk": profile.pk,
            "id": profile.pk,
            "username": profile.username,
            "full_name": profile.full_name,
            "profile_pic_url": self._cdn.link("avatar", profile.pk),
            "profile_pic_url_hd": None,
            "is_private": profile.is_private,
            "is_verified": profile.is_verified,
        }

    def user(self, profile: Profile) -> dict[str, object]:
        """Return a profile as a `User` object, as in the responses of the user endpoints."""
        picture = self._cdn.link("avatar", profile.pk)
        return {
            **self.user_short(profile),
            "profile_pic_url": picture,
            "profile_pic_url_hd": picture,
            "media_count": 0,
            "follower_count": int(profile.pk) % 1_000_003,
            "following_count": int(profile.pk) % 997,
            "biography": "",
            "bio_links": [],
            "external_url": None,
            "account_type": 2 if profile.is_verified else 1,
            "is_business": profile.is_verified,
            "category": None,
        }

    def story(self, story: Story) -> dict[str, object]:
        """Return a `Story` object. The duration of a video varies slightly between calls."""
        is_video = story.media_type == 2
        seconds = media.seconds_of(story.variant) if is_video else 0.0
        drawn: dict[str, object] = {
            "pk": story.pk,
            "id": story.id,
            "code": story.code,
            "taken_at": f"{datetime.fromtimestamp(int(story.taken_at), UTC):%Y-%m-%dT%H:%M:%SZ}",
            "media_type": story.media_type,
            "product_type": "story",
            "thumbnail_url": self._cdn.link("poster" if is_video else "photo", story.pk),
            "user": self.user_short(story.profile),
            "video_url": self._cdn.link("video", story.pk) if is_video else None,
            "video_duration": self._rng.choice((seconds, seconds - 0.034000396728515625))
            if is_video
            else 0.0,
            "sponsor_tags": [self._person(name) for name in story.sponsor_tags],
            "mentions": [_given(m) or {"user": self._person(m), **_BOX} for m in story.mentions],
            "links": [_given(link) or _link(link) for link in story.links],
            "hashtags": [_given(tag) or _hashtag(tag) for tag in story.hashtags],
            "locations": [_given(place) or _location(place) for place in story.locations],
            "stickers": [],
            "medias": [],
        }
        return drawn | story.overrides

    def highlight(
        self, pk: str, profile: Profile, title: str, created_at: float, stories: list[Story]
    ) -> dict[str, object]:
        """Return a `Highlight` object without its items."""
        return {
            "pk": pk,
            "id": f"highlight:{pk}",
            "title": title,
            "user": self.user_short(profile),
            "created_at": f"{datetime.fromtimestamp(int(created_at), UTC):%Y-%m-%dT%H:%M:%SZ}",
            "is_pinned_highlight": False,
            "media_count": len(stories),
            "media_ids": [story.pk for story in stories],
            "items": [],
        }

    def _person(self, name: object) -> dict[str, object]:
        if isinstance(name, dict):
            return name
        profile = self._instagram.by_username(str(name))
        if profile is not None:
            return self.user_short(profile)
        pk = str(random.Random(f"stranger/{name}").randrange(10**9, 6 * 10**10))
        return {
            "pk": pk,
            "id": pk,
            "username": str(name),
            "full_name": "",
            "profile_pic_url": None,
            "profile_pic_url_hd": None,
            "is_private": False,
            "is_verified": False,
        }


def _given(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) else None


def _link(url: object) -> dict[str, object]:
    return {
        "webUri": str(url),
        "x": 0.5126011,
        "y": 0.5168225,
        "z": 0.0,
        "width": 0.50998676,
        "height": 0.25875,
        "rotation": 0.0,
    }


def _hashtag(name: object) -> dict[str, object]:
    tag = str(name).removeprefix("#")
    pk = str(random.Random(f"hashtag/{tag}").randrange(10**16, 10**17))
    return {
        "hashtag": {"id": pk, "name": tag, "media_count": None, "profile_pic_url": None},
        **_BOX,
    }


def _location(name: object) -> dict[str, object]:
    pk = random.Random(f"location/{name}").randrange(10**8, 10**9)
    place = {
        "pk": pk,
        "name": str(name),
        "phone": "",
        "website": "",
        "category": "",
        "hours": {},
        "address": "",
        "city": "",
        "zip": "",
        "lng": 9.19,
        "lat": 45.4642,
        "external_id": None,
        "external_id_source": None,
    }
    return {"location": place, **_BOX}
