"""The chat page: one static page, its live events, and what it asks beside the control API."""

from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.page import files
from sandbox.page.live import Live

if TYPE_CHECKING:
    from sandbox.app import Sandbox

OFFERED = ("natgeo", "prada", "thirty", "busy", "quiet")  # profiles one publishes as
STATIC = "/page/static/"


def routes(sandbox: "Sandbox") -> list[web.RouteDef]:
    """What the page listener serves for the page.

    `GET /` and `/page/static/…` are the page, `/page/files/{file_id}` the media of messages,
    `/page/world` what it offers, `/page/commands` the bot's menu, `/ws` the live events.
    """
    page = Page(sandbox)
    return [
        web.get("/", page.index),
        web.get(STATIC + "{name:.+}", page.static),
        web.get("/page/files/{file_id}", page.file),
        web.get("/page/world", page.world),
        web.get("/page/commands", page.commands),
        web.patch("/page/users/{user_id:\\d+}", page.speak),
        web.get("/ws", page.live.handle),
    ]


class Page:
    """The handlers, over one sandbox."""

    def __init__(self, sandbox: "Sandbox") -> None:
        """Serve `sandbox`."""
        self._sandbox = sandbox
        self.live = Live(sandbox.telegram.subscribe)

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """The page itself."""
        return files.static_file("index.html")

    async def static(self, request: web.Request) -> web.StreamResponse:
        """A style, script or picture of the page."""
        return files.static_file(request.match_info["name"])

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The bytes behind a file_id."""
        found = self._sandbox.telegram.file_bytes(request.match_info["file_id"])
        if found is None:
            raise web.HTTPNotFound
        data, content_type = found
        return files.media(request, data, content_type)

    async def world(self, _request: web.Request) -> web.Response:
        """The bot, the profiles one may publish as, and things to try."""
        bot = self._sandbox.telegram.bot
        return web.json_response(
            {
                "bot": bot.user() if bot.claimed else None,
                "profiles": [n for n in OFFERED if self._sandbox.instagram.by_username(n)],
                "samples": samples(self._sandbox),
            }
        )

    async def commands(self, request: web.Request) -> web.Response:
        """The bot's commands in a chat, for a language."""
        chat_id = int(request.query["chat_id"])
        language = request.query.get("language_code", "")
        return web.json_response(self._sandbox.telegram.commands_in(chat_id, language))

    async def speak(self, request: web.Request) -> web.Response:
        """Change a person's language; their next update carries it."""
        person = self._sandbox.telegram.people.get(int(request.match_info["user_id"]))
        if person is None:
            raise web.HTTPNotFound
        person.language_code = str((await request.json())["language_code"])
        return web.json_response(person.user())


def samples(sandbox: "Sandbox") -> list[dict[str, str]]:
    """Things to try: what to type, and what one sees then."""
    tries = [
        {"text": "/stories natgeo", "note": "everything that natgeo shows now"},
        {"text": "/stories thirty", "note": "30 stories, as several albums"},
        {"text": "/subscribe busy", "note": "an alert for each new story; busy posts often"},
        {"text": "/help", "note": "all that the bot can do"},
    ]
    natgeo = sandbox.instagram.by_username("natgeo")
    stories = sandbox.instagram.stories_of(natgeo) if natgeo else []
    if stories:
        link = f"https://www.instagram.com/stories/natgeo/{stories[-1].pk}/"
        tries.insert(0, {"text": link, "note": "one story, by its link"})
    return tries
