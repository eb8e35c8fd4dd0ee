"""The chat page: one static page, its live events, and what it asks beside the control API."""

import secrets

from aiohttp import web

from sandbox.page import files
from sandbox.page.live import Live
from sandbox.state import Sandbox
from sandbox.telegram.files import Content
from sandbox.telegram.people import Bot
from sandbox.telegram.refusals import Refusal
from sandbox.telegram.world import World

OFFERED = ("natgeo", "prada", "thirty", "busy", "quiet")  # profiles one publishes as
STATIC = "/page/static/"


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
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
        web.get("/ws", page.live.handle),
    ]


class Page:
    """The handlers, over one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Serve `sandbox`."""
        self._sandbox = sandbox
        self._world: World = sandbox.telegram.world
        self._run = secrets.token_hex(8)  # people's ids begin anew with each run
        self.live = Live(sandbox.telegram.subscribe)

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """The page itself."""
        return files.static_file("index.html")

    async def static(self, request: web.Request) -> web.StreamResponse:
        """A style, script or picture of the page."""
        return files.static_file(request.match_info["name"])

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The bytes behind a file_id."""
        content = _content(self._world, request.match_info["file_id"])
        if content is None:
            raise web.HTTPNotFound
        return files.media(request, content.read(), content.mime_type)

    async def world(self, _request: web.Request) -> web.Response:
        """Which run this is, the bot, the profiles one may publish as, and things to try."""
        return web.json_response(
            {
                "run": self._run,
                "bot": self._world.bot.user(),
                "profiles": [n for n in OFFERED if self._sandbox.instagram.by_username(n)],
                "samples": samples(self._sandbox),
            }
        )

    async def commands(self, request: web.Request) -> web.Response:
        """The bot's commands in a chat, for a language."""
        chat = self._world.chat(int(request.query["chat_id"]), self._world.bot)
        if chat is None:
            raise web.HTTPNotFound
        language = request.query.get("language_code", "")[:2]
        return web.json_response(menu(self._world.bot, chat.type, chat.id, language))


def _content(world: World, file_id: str) -> Content | None:
    for bot in world.bots.values():
        try:
            return world.files.find(bot, file_id)[1]
        except Refusal:
            continue
    return None


def menu(bot: Bot, chat_type: str, chat_id: int, language: str) -> list[dict[str, object]]:
    """A member's commands: the narrowest scope first, in each the language before none.

    Bot API, BotCommandScope, "Determining list of commands". Channels have no menu.
    """
    if chat_type == "channel":
        return []
    kind = "all_private_chats" if chat_type == "private" else "all_group_chats"
    for scope in (f"chat:{chat_id}", kind, "default"):
        for spoken in dict.fromkeys((language, "")):
            if commands := bot.commands.get((scope, spoken)):
                return list(commands)
    return []


def samples(sandbox: Sandbox) -> list[dict[str, str]]:
    """Things to try, in their order: what to type, and what one sees then."""
    tries = [
        {"text": "/stories thirty", "note": "30 stories, as several albums"},
        {"text": "/highlights natgeo", "note": "collections it keeps, as buttons"},
        {"text": "/subscribe busy", "note": "an alert for each new story"},
        {"text": "/subscribe prada topic", "note": "in Travel club: a topic of its own"},
        {"text": "/subscriptions", "note": "options: daily summary, then +1 day below"},
        {"text": "/stories locked", "note": "a private profile; nobody.here is none at all"},
        {"text": "/stories bigvideo", "note": "a video too big for Telegram"},
        {"text": "/why busy", "note": "when it is checked, and why nothing came"},
        {"text": "/spending", "note": "what it costs: you run this bot"},
    ]
    natgeo = sandbox.instagram.by_username("natgeo")
    stories = sandbox.instagram.stories_of(natgeo) if natgeo else []
    if stories:
        link = f"https://www.instagram.com/stories/natgeo/{stories[-1].pk}/"
        tries.insert(0, {"text": link, "note": "one story, by its link"})
    return tries
