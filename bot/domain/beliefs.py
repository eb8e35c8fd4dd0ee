"""What we believe of Telegram and of the Stories API, and what ``doctor --live`` saw of it; pure.

Each belief has a name, which is the name of a switch of the stand-ins, and a value. The pages
docs/sandbox-fidelity.md and docs/sandbox-stories.md say where the beliefs come from.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

AS_REPORTED = "as told"
PUBLISHED = "as published"


@dataclass(frozen=True, slots=True)
class Belief:
    """One belief: ``believed`` is its value, ``about`` what it is the value of."""

    name: str
    believed: str
    about: str
    service: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of a belief; ``seen`` is None where it could not be tried, ``why`` says so."""

    name: str
    seen: str | None
    why: str = ""

    @property
    def belief(self) -> Belief:
        """Return the belief that was tried."""
        return BELIEFS[self.name]

    @property
    def agrees(self) -> bool | None:
        """Return whether we were right; None where nobody knows."""
        return None if self.seen is None else self.seen == self.belief.believed


@dataclass(slots=True)
class Sights:
    """What was seen so far, by name; each belief is seen once."""

    by_name: dict[str, Sight] = field(default_factory=dict)

    def see(self, name: str, seen: str | None, why: str = "") -> None:
        """Note what was seen; the first sight of a belief counts."""
        self.by_name.setdefault(name, Sight(BELIEFS[name].name, seen, why))

    def skip(self, names: Iterable[str], why: str) -> None:
        """Note that some beliefs could not be tried."""
        for name in names:
            self.see(name, None, why)

    def in_order(self) -> list[Sight]:
        """Return one sight a belief, in the order of the table; what was forgotten, as untried."""
        return [self.by_name.get(name) or Sight(name, None, "not reached") for name in BELIEFS]

    def to_json(self) -> list[dict[str, Any]]:
        """Return what a file holds: names and values, and no secret."""
        return [
            {
                "name": one.name,
                "service": one.belief.service,
                "believed": one.belief.believed,
                "seen": one.seen,
                "agrees": one.agrees,
                "why": one.why,
            }
            for one in self.in_order()
        ]


def _table(service: str, rows: dict[str, tuple[str, str]]) -> dict[str, Belief]:
    return {name: Belief(name, value, about, service) for name, (value, about) in rows.items()}


TELEGRAM = _table(
    "telegram",
    {
        "album_by_upload": ("arrives", "an album whose items are uploaded"),
        "album_by_file_id": ("arrives", "an album whose items are known files"),
        "album_by_url": ("arrives", "an album whose items Telegram fetches from Instagram"),
        "album_with_a_bad_item": ("nothing", "what is in the chat of an album with a bad item"),
        "album_error_words": ("code", "what names the trouble of an album's item"),
        "silent_video_alone": ("animation", "what a video without sound becomes"),
        "silent_video_in_album": ("video", "the same, uploaded in an album"),
        "time_tag": ("entity", "a time that each reader sees in their own zone"),
        "edit_to_the_same": ("refused", "an edit that changes nothing"),
        "reply_to_a_deleted_message": ("sent", "a reply to a message that is gone"),
        "late_callback": ("refused", "an answer to a button that was pressed a minute ago"),
    },
)
STORIES = _table(
    "stories",
    {
        "price_header": ("plain", "how an answer says its price"),
        "bill_of_answers": (AS_REPORTED, "what the balance lost by good answers"),
        "bill_of_404": (AS_REPORTED, "what the balance lost by a 404"),
        "bill_of_403": (AS_REPORTED, "what the balance lost by a 403"),
        "balance_fields": (PUBLISHED, "the fields of the balance"),
        "user_fields": (PUBLISHED, "the fields of a user"),
        "story_fields": (PUBLISHED, "the fields of a story"),
        "story_time": ("iso", "how a story's time is written"),
        "story_order": ("oldest first", "the order of a profile's stories"),
        "force_on_a_public_profile": ("the same", "a public profile without the privacy check"),
        "forced_private": ("empty", "a private profile without the privacy check"),
        "private_refusal": ("PrivateAccount", "the name of the 403 of a private profile"),
        "unknown_user": ("UserNotFound", "the name of the 404 of a profile that is none"),
        "gone_story": ("MediaNotFound", "the name of the 404 of a story that is over"),
        "download_by_id": ("binary", "what a download by id answers"),
        "download_by_story_url": ("binary", "what a download by a story's address answers"),
        "download_by_url": ("binary", "what a download by a file's address answers"),
        "gql_user_stories": ("stories", "what /gql/user/stories answers"),
        "user_highlights": ("list", "what /v1/user/highlights answers"),
        "highlight_by_url": ("highlight", "what /v1/highlight/by/url answers"),
        "price_user_by_username": ("1", "credits of a user by name"),
        "price_user_stories": ("2", "credits of a user's stories by id"),
        "price_user_stories_forced": ("1", "the same without the privacy check"),
        "price_stories_by_username": ("3", "credits of a user's stories by name"),
        "price_stories_by_username_forced": ("2", "the same without the privacy check"),
        "price_story_by_id": ("1", "credits of a story by id"),
        "price_story_by_url": ("1", "credits of a story by its address"),
        "price_download_by_id": ("1", "credits of a download by id"),
        "price_download_by_story_url": ("1", "credits of a download by a story's address"),
        "price_download_by_url": ("1", "credits of a download by a file's address"),
        "price_gql_user_stories": ("1", "credits of /gql/user/stories"),
        "price_user_highlights": ("2", "credits of a user's highlights"),
        "price_highlight_by_url": ("1", "credits of a highlight by its address"),
    },
)
BELIEFS = TELEGRAM | STORIES
