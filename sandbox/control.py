"""The control API of the sandbox, used by tests, benchmarks and the chat page."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web

from sandbox.instagram import NameTaken, Profile, Story
from sandbox.state import Sandbox
from sandbox.stories_api.answers import TROUBLES

Body = dict[str, object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_DAY = 86_400.0
_LISTS = ("mentions", "links", "hashtags", "locations", "sponsor_tags")


class Missing(Exception):  # noqa: N818  the name reads better without "Error"
    """Raised if an object that a control call names does not exist."""


@web.middleware
async def plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Convert errors that the caller made to `{"error": "…"}` with status 400, 404 or 409."""
    try:
        return await handler(request)
    except NameTaken as error:
        return web.json_response({"error": str(error)}, status=409)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    except Missing as error:
        return web.json_response({"error": str(error)}, status=404)


async def body_of(request: web.Request) -> Body:
    """Return the JSON object in a request's body, or an empty object if the body is empty.

    Raises:
        ValueError: The body is not a JSON object.
    """
    text = await request.text()
    body = json.loads(text) if text else {}
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004  all invalid bodies raise the same error class
    return body


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    """Return the routes for the sandbox and the simulated Instagram."""
    control = _Control(sandbox)
    return [
        web.get("/control/state", control.state),
        web.get("/control/requests", control.requests),
        web.post("/control/clock", control.advance),
        web.post("/control/faults", control.add_fault),
        web.delete("/control/faults", control.clear_faults),
        web.delete("/control/faults/{id}", control.clear_faults),
        web.post("/control/stories_api", control.configure),
        web.get("/control/beliefs", control.beliefs),
        web.post("/control/beliefs", control.set_beliefs),
        web.post("/control/profiles", control.add_profile),
        web.get("/control/profiles/{username}", control.show_profile),
        web.patch("/control/profiles/{username}", control.change_profile),
        web.get("/control/profiles/{username}/stories", control.show_stories),
        web.post("/control/profiles/{username}/stories", control.publish),
        web.delete("/control/profiles/{username}/stories/{pk}", control.remove_story),
        web.post("/control/profiles/{username}/highlights", control.add_highlight),
        web.delete("/control/profiles/{username}/highlights/{pk}", control.remove_highlight),
    ]


class _Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def state(self, _: web.Request) -> web.Response:
        billing, calls = self._sandbox.stories_api.billing, self._sandbox.log.calls
        return web.json_response(
            {
                "now": self._sandbox.clock.now(),
                "billed": {"total": billing.total, "by_path": dict(billing.by_path)},
                "calls": {name: calls[name] for name in ("stories", "telegram", "cdn")},
                "lost": self._sandbox.telegram.world.lost,
                "urls": vars(self._sandbox.urls),
            }
        )

    async def requests(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        service = request.query.get("service")
        return web.json_response(self._sandbox.log.since(after, service))

    async def advance(self, request: web.Request) -> web.Response:
        seconds = (await body_of(request)).get("advance_s")
        if not isinstance(seconds, int | float):
            raise ValueError("advance_s must be a number of seconds")  # noqa: TRY004  see body_of
        self._sandbox.clock.advance(seconds)
        return web.json_response({"now": self._sandbox.clock.now()})

    async def add_fault(self, request: web.Request) -> web.Response:
        return web.json_response({"id": self._sandbox.faults.add(await body_of(request))})

    async def clear_faults(self, request: web.Request) -> web.Response:
        wanted = request.match_info.get("id")
        self._sandbox.faults.clear(int(wanted) if wanted is not None else None)
        return web.json_response({})

    async def configure(self, request: web.Request) -> web.Response:
        return web.json_response(self._sandbox.stories_api.configure(await body_of(request)))

    async def beliefs(self, _: web.Request) -> web.Response:
        return web.json_response(self._sandbox.switches.current_values())

    async def set_beliefs(self, request: web.Request) -> web.Response:
        for name, value in (await body_of(request)).items():
            self._sandbox.switches.set(name, str(value))
        return web.json_response(self._sandbox.switches.current_values())

    async def add_profile(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        username = body.get("username")
        if not isinstance(username, str) or not username:
            raise ValueError("username must be a string")
        profile = self._sandbox.instagram.add_profile(
            username,
            full_name=str(body.get("full_name", "")),
            is_private=bool(body.get("is_private")),
            is_verified=bool(body.get("is_verified")),
            posts_per_day=_number(body.get("posts_per_day", 0)),
        )
        return web.json_response(self._shown(profile))

    async def show_profile(self, request: web.Request) -> web.Response:
        return web.json_response(self._shown(self._profile(request)))

    async def change_profile(self, request: web.Request) -> web.Response:
        profile, body = self._profile(request), await body_of(request)
        for name in ("is_private", "is_verified", "deleted"):
            if name in body:
                setattr(profile, name, bool(body[name]))
        if "trouble" in body:
            trouble, times = body["trouble"] or "", body.get("trouble_times")
            if trouble and trouble not in TROUBLES:
                raise ValueError(f"trouble must be one of {', '.join(TROUBLES)}, or null")
            profile.trouble = str(trouble)
            profile.trouble_times = times if isinstance(times, int) else None
        if "full_name" in body:
            profile.full_name = str(body["full_name"])
        if "posts_per_day" in body:
            rate = _number(body["posts_per_day"])
            self._sandbox.instagram.set_rhythm(profile, rate)
        if "username" in body:
            self._sandbox.instagram.rename(profile, str(body["username"]))
        return web.json_response(self._shown(profile))

    async def show_stories(self, request: web.Request) -> web.Response:
        shapes = self._sandbox.stories_api.shapes
        stories = self._sandbox.instagram.stories_of(self._profile(request))
        return web.json_response([shapes.story(story) for story in stories])

    async def publish(self, request: web.Request) -> web.Response:
        profile, body = self._profile(request), await body_of(request)
        media_type = body.get("media_type", 1)
        if media_type not in {1, 2} or not isinstance(media_type, int):
            raise ValueError("media_type must be 1 (photo) or 2 (video)")
        details: dict[str, object] = {name: _list(body, name) for name in _LISTS if name in body}
        if body.get("bytes") is not None:
            details["size"] = int(_number(body["bytes"]))
        if isinstance(body.get("overrides"), dict):
            details["overrides"] = body["overrides"]
        if body.get("content_type"):
            details["content_type"] = str(body["content_type"])
        if body.get("format") == "webp":
            details["webp"] = True
        if body.get("silent"):
            details["silent"] = True
        taken_at = _moment(body.get("taken_at"))
        story = self._sandbox.instagram.publish(profile, media_type, taken_at, **details)
        return web.json_response(self._sandbox.stories_api.shapes.story(story))

    async def remove_story(self, request: web.Request) -> web.Response:
        profile = self._profile(request)
        story: Story | None = self._sandbox.instagram.story(request.match_info["pk"])
        if story is None or story.profile is not profile:
            raise Missing("no such story")
        story.removed = True
        return web.json_response({})

    async def add_highlight(self, request: web.Request) -> web.Response:
        """Create a highlight of `count` old stories, with one story per day.

        The last old story is `days_ago` days old. With `live`, the highlight also contains the
        visible stories of the profile.
        """
        profile, body = self._profile(request), await body_of(request)
        world = self._sandbox.instagram
        count, days_ago = int(_number(body.get("count", 3))), _number(body.get("days_ago", 100))
        end = world.clock.now() - days_ago * _DAY
        stories = [
            world.add_past_story(
                profile, 2 if body.get("videos") else 1, end - (count - 1 - k) * _DAY
            )
            for k in range(count)
        ]
        if body.get("live"):
            stories += world.stories_of(profile)
        made = world.add_highlight(profile, str(body.get("title", "Best of")), stories)
        shapes = self._sandbox.stories_api.shapes
        return web.json_response(
            shapes.highlight(made.pk, profile, made.title, made.created_at, made.stories)
        )

    async def remove_highlight(self, request: web.Request) -> web.Response:
        self._profile(request)
        found = self._sandbox.instagram.highlight(request.match_info["pk"])
        if found is None:
            raise Missing("no such highlight")
        found.removed = True
        return web.json_response({})

    def _profile(self, request: web.Request) -> Profile:
        profile = self._sandbox.instagram.by_username(request.match_info["username"])
        if profile is None:
            raise Missing("no such profile")
        return profile

    def _shown(self, profile: Profile) -> Body:
        shown = self._sandbox.stories_api.shapes.user_short(profile)
        return shown | {"posts_per_day": profile.posts_per_day, "deleted": profile.deleted}


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError("a number, zero or more, is needed")
    return value


def _moment(value: object) -> float | None:
    """Return a time, given in unix seconds or in ISO 8601, as unix seconds."""
    if value is None or isinstance(value, int | float):
        return value
    return datetime.fromisoformat(str(value)).timestamp()


def _list(body: Body, name: str) -> list[object]:
    value = body[name]
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list")  # noqa: TRY004  see body_of
    return value
