"""Assumptions (beliefs) about both remote services, with switches: `python -m sandbox --as-seen`.

The first value of an assumption is the sandbox's default. `tools.doctor` tests the same
assumptions against the real services and writes the results to a file. A sandbox that is started
with this file behaves like the real services. docs/sandbox-fidelity.md and docs/sandbox-stories.md
name the sources of the assumptions.
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
"""The assumptions about prices. Each has a path, whether `force` is set, and the credits."""

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
    """The current value of each assumption, e.g. `switches["album_by_url"]`."""

    def __init__(self) -> None:
        """Set every assumption to its default value."""
        self._values = {name: values[0] for name, values in BELIEFS.items()}

    def __getitem__(self, name: str) -> str:
        """Return the value of an assumption."""
        return self._values[name]

    def set(self, name: str, value: str) -> None:
        """Set the value of an assumption.

        Raises:
            ValueError: No assumption has the name, or the assumption does not allow the value.
        """
        if value not in BELIEFS.get(name, ()):
            known = ", ".join(BELIEFS.get(name, ())) or "it is no belief"
            raise ValueError(f"{name} can't be {value!r}: {known}")
        self._values[name] = value

    def current_values(self) -> dict[str, str]:
        """Return the values of all assumptions by name."""
        return dict(self._values)

    def price(self, path: str, *, forced: bool) -> int | None:
        """Return the price of a call in credits. Return None if no assumption states the price."""
        for name, (priced, with_force, _) in PRICED.items():
            if (priced, with_force) == (path, forced):
                return int(self._values[name])
        return None


def set_switches_from_file(file: Path, switches: Switches) -> list[str]:
    """Set the switches from a file of `tools.doctor`. Return a message for each rejected entry.

    An entry is rejected if no assumption has the name, or if the assumption does not allow the
    value. An assumption that `tools.doctor` has not tested keeps its value.

    Raises:
        OSError: The file can't be read.
        ValueError: The file does not have the format of `tools.doctor`.
    """
    try:
        beliefs = json.loads(file.read_text(encoding="utf-8"))["beliefs"]
        seen = {str(one["name"]): one["seen"] for one in beliefs}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is no file of the doctor: {type(error).__name__}") from None
    strange = []
    for name, value in seen.items():
        if value is None:
            continue  # the doctor did not test the assumption
        try:
            switches.set(name, str(value))
        except ValueError as error:
            strange.append(str(error))
    return strange
