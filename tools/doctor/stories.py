"""Tests of the sandbox's assumptions about the Stories API. Each call is charged.

The tests call the API without the bot's client, so that they see the raw responses.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp
from pydantic import SecretStr
from yarl import URL

from bot.media.sniff import detect_media_kind
from bot.stories_api.endpoints import BALANCE
from bot.stories_api.response import MalformedBodyError, billed_credits_in, decode_json, read_body
from sandbox.beliefs import PRICED, STORIES
from sandbox.telegram.sniff import film
from tools.doctor.sights import Sights

_DEADLINE_S = 60.0
_LARGEST = 60_000_000  # the maximum number of bytes of a download that is examined
# The maximum number of reads of the balance; the service updates the balance with a delay.
_LAG_TRIES = 6
_STORY_FIELDS = frozenset(
    [
        "pk",
        "id",
        "code",
        "taken_at",
        "media_type",
        "product_type",
        "thumbnail_url",
        "user",
        "video_url",
        "video_duration",
        "sponsor_tags",
        "mentions",
        "links",
        "hashtags",
        "locations",
        "stickers",
        "medias",
    ]
)
_USER_FIELDS = frozenset(
    ["pk", "username", "full_name", "is_private", "profile_pic_url", "is_verified", "media_count"]
)
_BALANCE_FIELDS = frozenset(["requests", "rate", "currency", "amount"])
_GONE_STORY = "2500000000000000000"  # a story of February 2021, which has expired
GOOD, NOT_THERE, PRIVATE = "bill_of_answers", "bill_of_404", "bill_of_403"


ASKED = (*PRICED, "price_user_by_username", "price_story_by_id")
"""The names of the prices of all calls. Two calls are also made for objects that do not exist."""
ASKED_OF_A_PRIVATE_ONE = (
    "price_user_by_username", "price_user_stories", "price_user_stories_forced",
)  # fmt: skip


def price_of_all(*, private: bool) -> int:
    """Return the cost of a whole trial in credits at the assumed prices."""
    asked = ASKED + (ASKED_OF_A_PRIVATE_ONE if private else ())
    return sum(PRICED[belief][2] for belief in asked)


@dataclass(frozen=True, slots=True)
class Said:
    """A response: the status, the stated price, the body, and the body's JSON value or None."""

    status: int
    price: str
    body: bytes
    value: Any
    is_redirect: bool

    @property
    def complaint(self) -> str:
        """Return the name of the error in the body.

        If the body names no error, return the status.
        """
        name = self.value.get("exc_type") if isinstance(self.value, dict) else None
        return str(name or self.status)[:40]

    @property
    def form(self) -> str:
        """Return the format of the stated price: "json" or "plain".

        Return an empty string if the response states no price.
        """
        return ("json" if self.price.lstrip().startswith("{") else "plain") if self.price else ""

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Return the JSON objects in the list of the body.

        If the body is not a list, return an empty list.
        """
        value = self.value if isinstance(self.value, list) else []
        return [one for one in value if isinstance(one, dict)]


# The maximum number of bytes that Telegram fetches by URL; Bot API, "Sending files".
_LARGEST_BY_URL = 20 * 2**20


@dataclass(slots=True)
class StoriesTrial:
    """Tests of the assumptions about the Stories API, by the stories of a public profile."""

    session: aiohttp.ClientSession
    url: str
    key: SecretStr
    sights: Sights
    lag_s: float = 5.0
    _counted: int = 0
    spent: list[tuple[str, int]] = field(default_factory=list)
    """The path and the credits of each call.

    If a response states no credits, the assumed credits are used.
    """
    photos: list[str] = field(default_factory=list)
    """The URLs of photos of the profile. Telegram can fetch these photos."""
    silent: str = ""
    """The URL of a video of the profile without an audio track.

    The URL is an empty string if the profile has no such video.
    """

    async def run(self, username: str, private: str) -> None:
        """Test all assumptions, by calls for the profile ``username``.

        If ``private`` is not empty, also test the assumptions about private profiles, by calls for
        this private profile.

        Raises:
            aiohttp.ClientError: The service is unreachable.
            TimeoutError: The service does not respond.
        """
        before = await self._balance()
        await self._profile(username)
        before = await self._compare(GOOD, before)
        await self._what_is_not_there()
        before = await self._compare(NOT_THERE, before)
        if private:
            await self._private(private, before)
        else:
            self.sights.skip(
                (PRIVATE, "private_refusal", "forced_private"), "no private profile was named"
            )

    async def _profile(self, username: str) -> None:
        said = await self._ask("price_user_by_username", username=username)
        user = said.value if said.status == HTTPStatus.OK else None
        if not isinstance(user, dict) or "pk" not in user:
            self.sights.skip(STORIES, f"the profile was answered by {said.complaint}")
            return
        self._see_fields("user_fields", user, _USER_FIELDS)
        self.sights.see("price_header", said.form or "none")
        pk = str(user["pk"])
        stories = (await self._ask("price_user_stories", user_id=pk)).objects
        forced = (await self._ask("price_user_stories_forced", user_id=pk)).objects
        await self._ask("price_stories_by_username", username=username)
        await self._ask("price_stories_by_username_forced", username=username)
        await self._highlights(pk)
        if not stories:
            self.sights.skip(STORIES, f"{username} has no stories now")
            return
        ids = {str(story.get("pk")) for story in stories}
        is_same = ids <= {str(story.get("pk")) for story in forced}
        self.sights.see("force_on_a_public_profile", "the same" if is_same else "less")
        self._see_stories(stories)
        self.silent = await self._silent(stories)
        await self._story(username, stories[-1])

    def _see_stories(self, stories: list[dict[str, Any]]) -> None:
        self._see_fields("story_fields", stories[0], _STORY_FIELDS)
        time = stories[0].get("taken_at")
        self.sights.see("story_time", "iso" if isinstance(time, str) else "unix")
        pks = [int(story["pk"]) for story in stories if str(story.get("pk")).isdigit()]
        if len(pks) > 1:
            is_oldest = pks == sorted(pks)
            self.sights.see("story_order", "oldest first" if is_oldest else "newest first")
        else:
            self.sights.see("story_order", None, "one story has no order")
        photos = (story.get("thumbnail_url") for story in stories if not story.get("video_url"))
        self.photos = [str(photo) for photo in photos if photo]

    async def _silent(self, stories: list[dict[str, Any]]) -> str:
        for address in (str(story["video_url"]) for story in stories if story.get("video_url")):
            async with self.session.get(address) as answer:
                data = await answer.content.read(_LARGEST_BY_URL)
            shown = film(data)
            if shown and not shown.has_sound:
                return address
        return ""

    async def _story(self, username: str, story: dict[str, Any]) -> None:
        pk = str(story["pk"])
        page = f"https://www.instagram.com/stories/{username}/{pk}/"
        file = str(story.get("video_url") or story.get("thumbnail_url"))
        await self._ask("price_story_by_id", id=pk)
        await self._ask("price_story_by_url", url=page)
        for call, belief, params in (
            ("price_download_by_id", "download_by_id", {"id": pk}),
            ("price_download_by_story_url", "download_by_story_url", {"url": page}),
            ("price_download_by_url", "download_by_url", {"url": file}),
        ):
            self.sights.see(belief, _shape_of_download(await self._ask(call, **params)))

    async def _highlights(self, pk: str) -> None:
        said = await self._ask("price_user_highlights", user_id=pk)
        is_list = said.status == HTTPStatus.OK and isinstance(said.value, list)
        self.sights.see("user_highlights", "list" if is_list else "refused", said.complaint)
        kept = str(said.objects[0].get("pk", "")) if said.objects else ""
        if not kept:
            why = "there is no highlight to open"
            self.sights.skip(("highlight_by_url", "price_highlight_by_url"), why)
            return
        page = f"https://www.instagram.com/stories/highlights/{kept}/"
        said = await self._ask("price_highlight_by_url", url=page)
        is_one = said.status == HTTPStatus.OK and isinstance(said.value, dict)
        is_one = is_one and isinstance(said.value.get("items"), list)
        self.sights.see("highlight_by_url", "highlight" if is_one else "refused", said.complaint)

    async def _what_is_not_there(self) -> None:
        nobody = f"sb_{secrets.token_hex(12)}"
        self.sights.see(
            "unknown_user", (await self._ask("price_user_by_username", username=nobody)).complaint
        )
        self.sights.see(
            "gone_story", (await self._ask("price_story_by_id", id=_GONE_STORY)).complaint
        )

    async def _private(self, username: str, before: int) -> None:
        user = (await self._ask("price_user_by_username", username=username)).value
        if not isinstance(user, dict) or not user.get("is_private"):
            self.sights.skip(
                (PRIVATE, "private_refusal", "forced_private"), f"{username} is not private"
            )
            return
        pk = str(user["pk"])
        before = await self._compare(GOOD, before)
        self.sights.see(
            "private_refusal", (await self._ask("price_user_stories", user_id=pk)).complaint
        )
        await self._compare(PRIVATE, before)
        said = await self._ask("price_user_stories_forced", user_id=pk)
        if isinstance(said.value, list):
            self.sights.see("forced_private", "stories" if said.value else "empty")
        else:
            self.sights.see("forced_private", said.complaint)

    def _see_fields(self, belief: str, value: dict[str, Any], fields: Iterable[str]) -> None:
        missing = sorted(name for name in fields if name not in value)
        self.sights.see(belief, "fewer" if missing else "as published", ", ".join(missing))

    async def _balance(self) -> int:
        said = await self._call(BALANCE)
        value = said.value if isinstance(said.value, dict) else {}
        if said.status != HTTPStatus.OK or "requests" not in value:
            raise aiohttp.ClientError(f"{BALANCE} answered {said.complaint}")
        self._see_fields("balance_fields", value, _BALANCE_FIELDS)
        return int(value["requests"])

    async def _compare(self, belief: str, before: int) -> int:
        """Compare the decrease of the balance with the stated prices, and start a new count.

        ``before`` is the balance before the calls. Return the current balance.
        """
        announced, now = sum(price for _, price in self.spent[self._counted :]), before
        for attempt in range(_LAG_TRIES):
            now = await self._balance()
            if before - now == announced:
                break
            if attempt < _LAG_TRIES - 1:
                await asyncio.sleep(self.lag_s)
        lost = before - now
        seen = (
            "as told"
            if lost == announced
            else "more"
            if lost > announced
            else "less"
            if lost
            else "free"
        )
        self.sights.see(belief, seen, f"told {announced}, billed {lost}")
        self._counted = len(self.spent)
        return now

    async def _ask(self, belief: str, **params: str) -> Said:
        """Make a call and compare its price with the assumed price."""
        path, is_forced, believed = PRICED[belief]
        said = await self._call(path, **params, **({"force": "on"} if is_forced else {}))
        price = billed_credits_in({"x-hiker-info": said.price}) if said.price else None
        self.spent.append((path, believed if price is None else price))
        if price is None:
            self.sights.see(belief, None, f"{path} did not say its price")
        else:
            self.sights.see(belief, str(price))
        return said

    async def _call(self, path: str, **params: str) -> Said:
        headers = {"x-access-key": self.key.get_secret_value(), "User-Agent": "Storybell/1.0"}
        async with self.session.get(
            URL(self.url).joinpath(path.lstrip("/")).with_query(params),
            headers=headers,
            allow_redirects=False,  # a host to which the service redirects must not get the key
            timeout=aiohttp.ClientTimeout(total=_DEADLINE_S),
        ) as response:
            body = await read_body(response, _LARGEST)
            price = response.headers.get("x-hiker-info", "")
            return Said(response.status, price, body, _json(body), "Location" in response.headers)


def _json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return decode_json(body)
    except MalformedBodyError:
        return None


def _shape_of_download(said: Said) -> str:
    """Return the format of a download response."""
    shapes: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("redirect", lambda: said.is_redirect),
        ("error", lambda: said.status != HTTPStatus.OK),
        ("binary", lambda: detect_media_kind(said.body[:4096]) is not None),
        ("json_url", lambda: isinstance(said.value, str)),
        ("json_story", lambda: isinstance(said.value, dict) and "pk" in said.value),
    )
    return next((name for name, fits in shapes if fits()), "other")
