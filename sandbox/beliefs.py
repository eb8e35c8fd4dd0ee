"""What we believe of both remote services, each belief a switch: `python -m sandbox --as-seen`.

The first value of a belief is what the sandbox does from the start. `tools.doctor` tries the same
beliefs against the real services and writes what it saw; a sandbox that is given that file
behaves so. docs/sandbox-fidelity.md and docs/sandbox-stories.md name the sources.
"""

import json
from collections.abc import Mapping
from pathlib import Path

PRICES = tuple(map(str, range(10)))
PRICED = {
    "price_user_by_username": ("/v1/user/by/username", False, 1),
    "price_user_stories": ("/v1/user/stories", False, 2),
    "price_user_stories_forced": ("/v1/user/stories", True, 1),
    "price_stories_by_username": ("/v1/user/stories/by/username", False, 3),
    "price_stories_by_username_forced": ("/v1/user/stories/by/username", True, 2),
    "price_story_by_id": ("/v1/story/by/id", False, 1),
    "price_story_by_url": ("/v1/story/by/url", False, 1),
    "price_download_by_id": ("/v1/story/download", False, 1),
    "price_download_by_story_url": ("/v1/story/download/by/story/url", False, 1),
    "price_download_by_url": ("/v1/story/download/by/url", False, 1),
    "price_user_highlights": ("/v1/user/highlights", False, 2),
    "price_highlight_by_url": ("/v1/highlight/by/url", False, 1),
}
"""Path, whether with `force`, and credits, by the name of the belief."""

DOWNLOADS = ("binary", "redirect", "json_url", "json_story", "error")
TELEGRAM: Mapping[str, tuple[str, ...]] = {
    "album_by_upload": ("arrives", "refused"),
    "album_by_file_id": ("arrives", "refused"),
    "album_by_url": ("arrives", "refused"),
    "album_with_a_bad_item": ("nothing", "the others"),
    "album_error_words": ("code", "sentence"),
    "silent_video_alone": ("animation", "video"),
    "silent_video_in_album": ("video", "refused"),
    "silent_video_by_url": ("the first is named", "it is named", "arrives"),
    "time_tag": ("entity", "ignored", "refused"),
    "edit_to_the_same": ("refused", "taken"),
    "reply_to_a_deleted_message": ("sent", "refused"),
    "late_callback": ("refused", "taken"),
}
STORIES: Mapping[str, tuple[str, ...]] = {
    "price_header": ("plain", "json"),
    "bill_of_answers": ("as told", "more"),
    "bill_of_404": ("as told", "free"),
    "bill_of_403": ("as told", "free"),
    "balance_fields": ("as published", "fewer"),
    "user_fields": ("as published", "fewer"),
    "story_fields": ("as published", "fewer"),
    "story_time": ("iso", "unix"),
    "story_order": ("oldest first", "newest first"),
    "force_on_a_public_profile": ("the same", "less"),
    "forced_private": ("empty", "stories", "UserNotFound", "PrivateAccount"),
    "private_refusal": ("PrivateAccount", "ClientForbiddenError"),
    "unknown_user": ("UserNotFound", "AccountNotFound", "NotFoundError"),
    "gone_story": ("MediaNotFound", "StoryNotFound"),
    "download_by_id": DOWNLOADS,
    "download_by_story_url": DOWNLOADS,
    "download_by_url": DOWNLOADS,
    "user_highlights": ("list", "refused"),
    "highlight_by_url": ("highlight", "refused"),
    **{
        name: (str(cost), *(one for one in PRICES if one != str(cost)))
        for name, (_, _, cost) in PRICED.items()
    },
}
BELIEFS = {**TELEGRAM, **STORIES}


class Switches:
    """How each belief is set; `switches["album_by_url"]` is its value."""

    def __init__(self) -> None:
        """All as we believe."""
        self._values = {name: values[0] for name, values in BELIEFS.items()}

    def __getitem__(self, name: str) -> str:
        """The value of a belief."""
        return self._values[name]

    def set(self, name: str, value: str) -> None:
        """Let the sandbox behave so.

        Raises:
            ValueError: there is no such belief, or it has no such value.
        """
        if value not in BELIEFS.get(name, ()):
            known = ", ".join(BELIEFS.get(name, ())) or "it is no belief"
            raise ValueError(f"{name} can't be {value!r}: {known}")
        self._values[name] = value

    def shown(self) -> dict[str, str]:
        """All of them, by name."""
        return dict(self._values)

    def price(self, path: str, *, forced: bool) -> int | None:
        """What a call costs, where that is a belief."""
        for name, (priced, with_force, _) in PRICED.items():
            if (priced, with_force) == (path, forced):
                return int(self._values[name])
        return None


def as_seen(file: Path, switches: Switches) -> list[str]:
    """Set the switches as the doctor's file says; what can't be set, in words.

    Raises:
        ValueError: it is no such file.
    """
    try:
        beliefs = json.loads(file.read_text(encoding="utf-8"))["beliefs"]
        seen = {str(one["name"]): one["seen"] for one in beliefs}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is no file of the doctor: {type(error).__name__}") from None
    strange = []
    for name, value in seen.items():
        if value is None:
            continue  # it was not tried
        try:
            switches.set(name, str(value))
        except ValueError as error:
            strange.append(str(error))
    return strange
