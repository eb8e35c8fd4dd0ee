"""The answers of the Stories API, by path and parameters."""

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from yarl import URL

from sandbox.beliefs import Switches
from sandbox.cdn import Cdn, blob_of
from sandbox.instagram import Highlight, Instagram, Profile, Story, is_alive
from sandbox.media import Blob
from sandbox.stories_api.billing import Billing
from sandbox.stories_api.shapes import Shapes

HOSTS = frozenset({"instagram.com", "www.instagram.com", "m.instagram.com"})
NONE_AS = ("empty", "StoryNotFound", "MediaNotFound", "NotFoundError")
EDGE_PAGE = (
    "<!DOCTYPE html><html><head><title>Attention Required!</title></head><body></body></html>"
)
TROUBLES: dict[str, tuple[int, dict[str, object]]] = {
    "error": (
        500,
        {"detail": "expected string or bytes-like object", "exc_type": "InternalError"},
    ),
    "ClientForbiddenError": (
        403,
        {"detail": "403 Client Error: Forbidden", "exc_type": "ClientForbiddenError"},
    ),
    "ClientLoginRequired": (
        403,
        {"detail": "login_required", "exc_type": "ClientLoginRequired"},
    ),
    "PleaseWaitFewMinutes": (
        403,
        {
            "detail": "Please wait a few minutes before you try again.",
            "exc_type": "PleaseWaitFewMinutes",
        },
    ),
    "nameless": (403, {"detail": "Forbidden"}),
    "UserNotFound": (404, {"detail": "User not found", "exc_type": "UserNotFound"}),
    "MediaNotFound": (404, {"detail": "Not found ({})", "exc_type": "MediaNotFound"}),
    "PrivateAccount": (
        403,
        {"detail": "User hid data using privacy settings", "exc_type": "PrivateAccount"},
    ),
    "edge": (403, {}),
}
"""The responses to every request about an account with a trouble (`Profile.trouble`)."""

_STORY_ID = re.compile(r"(\d{5,30})(?:_\d{1,30})?")
_HIGHLIGHT = "18"  # a profile's default highlight has a pk of this prefix and the profile's pk
_SHARED = re.compile(r"(highlight|story):(\d{5,30})")


class Refusal(Exception):  # noqa: N818  not an error of the program, but a regular response with a status other than 200
    """A response with a status other than 200, in the API's usual format."""

    def __init__(self, status: int, detail: str, exc_type: str) -> None:
        """Store the status and the body."""
        super().__init__(detail)
        self.status = status
        self.body: dict[str, object] = {"detail": detail}
        if exc_type:
            self.body["exc_type"] = exc_type


class EdgePage(Exception):  # noqa: N818  not an error of the program, but a regular response of the edge server
    """A page of the edge server in front of the service."""

    html = EDGE_PAGE


class Redirect(Exception):  # noqa: N818  not an error of the program, but a regular response with a redirect
    """A redirect to another URL."""

    def __init__(self, url: str) -> None:
        """Store the URL."""
        super().__init__(url)
        self.url = url


class Answers:
    """The data behind the paths. The server has already checked prices, keys and parameters."""

    def __init__(
        self,
        instagram: Instagram,
        cdn: Cdn,
        billing: Billing,
        shapes: Shapes,
        switches: Switches,
    ) -> None:
        """Answer requests about `instagram` with links to `cdn`."""
        self._switches = switches
        self.none_as = "empty"
        self.forced_blind: set[str] = set()
        self._instagram, self._cdn, self._shapes = instagram, cdn, shapes
        self._by_path: dict[str, Callable[[dict[str, object]], object]] = {
            "/v1/story/by/id": lambda v: self._shown(self._story(_pk(v["id"]))),
            "/v1/story/by/url": lambda v: self._shown(self._story(_pk_of_link(v["url"]))),
            "/v1/story/download": lambda v: self._download(
                self._story(_pk(v["id"])), "download_by_id"
            ),
            "/v1/story/download/by/story/url": lambda v: self._download(
                self._story(_pk_of_link(v["url"])), "download_by_story_url"
            ),
            "/v1/story/download/by/url": lambda v: self._file(str(v["url"])),
            "/v1/user/stories": lambda v: self._stories(self._by_pk(v["user_id"]), v),
            "/v1/user/stories/by/username": lambda v: self._stories(
                self._by_username(v["username"]), v
            ),
            "/v1/user/highlights": lambda v: self._highlights(self._by_pk(v["user_id"]), v),
            "/v1/highlight/by/url": lambda v: self._highlight(str(v["url"])),
            "/v1/user/by/username": lambda v: self._user(self._by_username(v["username"])),
            "/v1/user/by/id": lambda v: self._user(self._by_pk(v["id"])),
            "/v1/share/by/url": lambda v: _share(str(v["url"])),
            "/sys/balance": lambda _: self._fewer(
                "balance_fields", billing.statement(), "currency", "amount"
            ),
        }

    def answer(self, path: str, values: dict[str, object]) -> object:
        """Return the content of a response with status 200: an object for JSON, or a `Blob`.

        Raises:
            Refusal: The status is 400, 403, 404 or 500.
            Redirect: The media are at the CDN.
            EdgePage: The profile's trouble is a page of the edge server.
        """
        return self._by_path[path](values)

    def _by_username(self, username: object) -> Profile:
        return self._seen(self._instagram.by_username(str(username)))

    def _by_pk(self, pk: object) -> Profile:
        if not re.fullmatch(r"[0-9]{1,30}", str(pk)):
            raise Refusal(400, "Invalid user id", "ValidationError")
        return self._seen(self._instagram.by_pk(str(pk)))

    def _stories(self, profile: Profile, values: dict[str, object]) -> list[dict[str, object]]:
        stories = self._visible(profile, values)
        if not stories and self.none_as != "empty":
            raise Refusal(404, "Not found ({})", self.none_as)
        amount = values["amount"]
        if isinstance(amount, int) and amount > 0:
            stories = stories[:amount]
        if self._switches["story_order"] != "oldest first":
            stories = stories[::-1]
        return [self._shown(story) for story in stories]

    def _shown(self, story: Story) -> dict[str, object]:
        drawn = self._fewer("story_fields", self._shapes.story(story), "hashtags", "stickers")
        if self._switches["story_time"] == "unix":
            drawn["taken_at"] = int(story.taken_at)
        return drawn

    def _user(self, profile: Profile) -> dict[str, object]:
        return self._fewer("user_fields", self._shapes.user(profile), "is_verified")

    def _fewer(self, belief: str, drawn: dict[str, object], *names: str) -> dict[str, object]:
        """Return an object without the named fields if the assumption is set to "fewer"."""
        left_out = names if self._switches[belief] == "fewer" else ()
        return {name: value for name, value in drawn.items() if name not in left_out}

    def _served(self, belief: str) -> None:
        if self._switches[belief] == "refused":
            raise Refusal(404, "Not Found", "")

    def _highlights(self, profile: Profile, values: dict[str, object]) -> list[dict[str, object]]:
        self._served("user_highlights")
        self._visible(profile, values)
        amount = values["amount"]
        made = self._instagram.highlights_of(profile)
        shown = [self._kept(profile)] if made is None else [self._made(one) for one in made]
        return shown[: amount if isinstance(amount, int) and amount > 0 else None]

    def _highlight(self, url: str) -> dict[str, object]:
        self._served("highlight_by_url")
        parts = _path_parts(url)
        if len(parts) < 3 or parts[:2] != ["stories", "highlights"]:
            raise Refusal(400, "Url is not a link to a highlight", "ValidationError")
        pk = _pk(parts[2])
        made = self._instagram.highlight(pk)
        if made is not None:
            self._visible(self._seen(made.profile), {"force": False})
            return self._made(made) | {"items": [self._shown(one) for one in made.stories]}
        owner = self._instagram.by_pk(pk.removeprefix(_HIGHLIGHT))
        if owner is None:
            raise Refusal(404, "Highlight not found", "HighlightNotFound")
        profile = self._seen(owner)
        stories = self._visible(profile, {"force": False})
        shown: list[object] = [self._shown(story) for story in stories]
        return self._kept(profile) | {"items": shown}

    def _kept(self, profile: Profile) -> dict[str, object]:
        """Return the default highlight of a profile without highlights.

        The default highlight contains the visible stories of the profile.
        """
        pk, stories = _HIGHLIGHT + profile.pk, self._instagram.stories_of(profile)
        return self._shapes.highlight(pk, profile, "Best of", 1_704_067_200, stories)

    def _made(self, one: Highlight) -> dict[str, object]:
        return self._shapes.highlight(one.pk, one.profile, one.title, one.created_at, one.stories)

    def _visible(self, profile: Profile, values: dict[str, object]) -> list[Story]:
        """Return the visible stories of a profile. `force` skips the privacy check."""
        less = self._switches["force_on_a_public_profile"] == "less"
        if values["force"] and (
            profile.username in self.forced_blind or (less and not profile.is_private)
        ):
            return []
        if not profile.is_private:
            return self._instagram.stories_of(profile)
        refusal = self._switches["private_refusal"]
        shown = self._switches["forced_private"] if values["force"] else refusal
        if shown == "stories":
            return self._instagram.stories_of(profile)
        if shown == "empty":
            return []
        status, body = TROUBLES[shown]
        raise Refusal(status, str(body["detail"]), shown)

    def _story(self, pk: str) -> Story:
        story = self._instagram.story(pk)
        if (
            story is None
            or story.profile.deleted
            or not is_alive(story, self._instagram.clock.now())
        ):
            raise Refusal(404, f"Not found ({{'pk': '{pk}'}})", self._switches["gone_story"])
        _raise_trouble(story.profile)
        if story.profile.is_private:
            raise Refusal(403, "User hid data using privacy settings", "PrivateAccount")
        return story

    def _download(self, story: Story, belief: str) -> object:
        kind = "video" if story.media_type == 2 else "photo"
        return self._handed_over(
            lambda: self._cdn.link(kind, story.pk), blob_of(story, kind), story, belief
        )

    def _file(self, url: str) -> object:
        """Return the file of a CDN link while the link is valid."""
        try:
            parsed = URL(url)
        except ValueError:
            parsed = URL()
        if not url.startswith(self._cdn.origin + "/"):
            raise Refusal(400, "Url is not a link to a media file", "ValidationError")
        if self._cdn.refusal(parsed.path, list(parsed.query.items())) is not None:
            raise Refusal(404, "Media is unavailable", "MediaUnavailable")
        found = self._cdn.parse_path(parsed.path)
        story = self._instagram.story(found[1]) if found else None
        blob = self._cdn.blob(parsed.path)
        return self._handed_over(lambda: url, blob, story, "download_by_url")

    def _handed_over(
        self, link: Callable[[], str], blob: Blob | None, story: Story | None, belief: str
    ) -> object:
        mode = self._switches[belief]
        if mode == "redirect":
            raise Redirect(link())
        if mode == "json_url":
            return link()
        if mode == "json_story" and story is not None:
            return self._shown(story)
        if mode == "error" or blob is None:
            raise Refusal(500, "Instagram did not respond in time", "InstagramServerError")
        return blob

    def _seen(self, profile: Profile | None) -> Profile:
        """Return a profile that exists and has no trouble. Count down its `failures`.

        Raises:
            Refusal: The profile is missing, deleted, flaky or in trouble.
            EdgePage: The profile's trouble is a page of the edge server.
        """
        if profile is not None and not profile.deleted:
            _raise_trouble(profile)
            if profile.failures == 0:
                return profile
            profile.failures -= 1
        raise Refusal(404, "User not found", self._switches["unknown_user"])


def _raise_trouble(profile: Profile) -> None:
    """If a profile has a trouble, count down `trouble_times` and raise the response.

    Raises:
        Refusal: The profile has a trouble.
        EdgePage: The profile's trouble is a page of the edge server.
    """
    trouble = profile.trouble
    if not trouble:
        return
    if profile.trouble_times is not None:
        profile.trouble_times -= 1
        if profile.trouble_times <= 0:
            profile.trouble, profile.trouble_times = "", None
    if trouble == "edge":
        raise EdgePage
    status, body = TROUBLES[trouble]
    raise Refusal(status, str(body["detail"]), str(body.get("exc_type", "")))


def _pk(story_id: object) -> str:
    found = _STORY_ID.fullmatch(str(story_id))
    if found is None or not found[0].isascii():
        raise Refusal(400, "Invalid story id", "ValidationError")
    return found[1]


def _pk_of_link(url: object) -> str:
    """Return the pk in a story link.

    The pk is found by its position in the link, because a username may also be a number.
    """
    parts = _path_parts(str(url))
    if len(parts) >= 2 and parts[0] == "s":
        raise Refusal(400, "Call /v1/share/by/url for this link first", "ValidationError")
    if len(parts) < 3 or parts[0] != "stories" or parts[1] == "highlights":
        raise Refusal(400, "Url is not a link to a story", "ValidationError")
    return _pk(parts[2])


def _share(url: str) -> dict[str, object]:
    parts = _path_parts(url)
    if len(parts) < 2 or parts[0] != "s":
        raise Refusal(400, "Url is not a share link", "ValidationError")
    try:
        raw = base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_")
        found = _SHARED.fullmatch(raw.decode("ascii"))
    except (binascii.Error, ValueError):
        found = None
    if found is None:
        raise Refusal(400, "Share code cannot be read", "ValidationError")
    return {"pk": found[2], "type": found[1]}


def _path_parts(url: str) -> list[str]:
    try:
        parsed = urlsplit(url if "://" in url else f"https://{url}")
        host = (parsed.hostname or "").removesuffix(".")
    except ValueError:
        host, parsed = "", urlsplit("")
    if host not in HOSTS:
        raise Refusal(400, "Url is not a link to Instagram", "ValidationError")
    return [part for part in parsed.path.split("/") if part]
