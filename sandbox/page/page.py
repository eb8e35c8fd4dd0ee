"""The chat page: a static page, live events, and the requests of the page to the sandbox."""

import secrets

from aiohttp import web

from sandbox.page import files
from sandbox.page.live import Live
from sandbox.state import Sandbox
from sandbox.telegram.files import Content
from sandbox.telegram.people import Bot
from sandbox.telegram.refusals import Refusal
from sandbox.telegram.world import World

# The profiles that the page offers as authors of new stories.
OFFERED = ("natgeo", "prada", "thirty", "busy", "quiet")
STATIC = "/page/static/"


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    """Return the routes of the page.

    - `GET /` and `/page/static/…` return the page.
    - `/page/files/{file_id}` returns the media of a message.
    - `/page/world` returns the offered profiles and the sample messages.
    - `/page/commands` returns the bot's command menu.
    - `/ws` sends the live events.
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
    """The handlers of the page's requests to a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Serve `sandbox`."""
        self._sandbox = sandbox
        self._world: World = sandbox.telegram.world
        # Identifies this run of the sandbox, because a new run uses the same ids for other
        # objects.
        self._run = secrets.token_hex(8)
        self.live = Live(sandbox.telegram.subscribe)

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """Return the HTML of the page."""
        return files.static_file("index.html")

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Return a style sheet, script or picture of the page."""
        return files.static_file(request.match_info["name"])

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Return the bytes of the file with a file_id."""
        content = _content(self._world, request.match_info["file_id"])
        if content is None:
            raise web.HTTPNotFound
        return files.media(request, content.read(), content.mime_type)

    async def world(self, _request: web.Request) -> web.Response:
        """Return the id of the run, the bot, the offered profiles, and sample messages."""
        return web.json_response(
            {
                "run": self._run,
                "bot": self._world.bot.user(),
                "profiles": [n for n in OFFERED if self._sandbox.instagram.by_username(n)],
                "samples": samples(self._sandbox),
            }
        )

    async def commands(self, request: web.Request) -> web.Response:
        """Return the bot's command menu in a chat, for a language."""
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
    """Return the command menu that Telegram shows to a member of a chat.

    The menu of the narrowest scope has precedence. In each scope, the menu of the member's
    language precedes the menu without a language. Channels have no menu. Source: Bot API,
    BotCommandScope, "Determining list of commands".
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
    """Return sample messages in order, each with the text to type and a note on the result.

    A sample with a chat is for the chat with this title. All other samples are for the private
    chat with the bot.
    """
    tries = [
        {"text": "/stories thirty", "note": "30 stories, as several albums"},
        {"text": "/highlights natgeo", "note": "collections it keeps, as buttons"},
        {"text": "/subscribe busy", "note": "an alert for each new story"},
        {
            "text": "/subscribe prada topic",
            "note": "in Travel club: a topic of its own",
            "chat": "Travel club",
        },
        {"text": "/subscriptions", "note": "options: daily summary, then speed 600 below"},
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
