"""Control calls that the bot has to answer: pressed buttons, inline queries."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.telegram import happenings
from sandbox.telegram.control import errors as get
from sandbox.telegram.model import Message
from sandbox.telegram.world import CLOUD_FILE, LOCAL_FILE, Callback, InlineQuery, World

Handle = Callable[[web.Request], Awaitable[Any]]


def table(world: World) -> dict[tuple[str, str], Handle]:
    """The routes, by verb and path."""
    calls = Queries(world)
    return {
        ("POST", "/control/chats/{chat}/press"): calls.press,
        ("GET", "/control/callbacks/{query}"): calls.callback,
        ("POST", "/control/telegram"): calls.configure,
        ("POST", "/control/inline"): calls.ask_inline,
        ("GET", "/control/inline/{query}"): calls.inline,
        ("POST", "/control/inline/{query}/choose"): calls.choose,
    }


class Queries:
    """The handlers, over one world."""

    def __init__(self, world: World) -> None:
        """They change `world`."""
        self._world = world

    async def press(self, request: web.Request) -> object:
        """A person presses a button, or a client of theirs sends any data whatever."""
        wanted = await get.body(request)
        of = get.bot(self._world, wanted.get("bot_id"))
        chat = get.chat(self._world, request.match_info["chat"], of)
        person = get.person(self._world, wanted["user_id"])
        message = get.message(chat, wanted["message_id"], deleted=True)
        data = str(wanted["data"])
        query_id = str(next(self._world.query_ids))
        bot, told = happenings.press(chat, person.user(), message, data, query_id)
        self._world.callbacks[query_id] = Callback(bot, self._world.clock.now())
        return {"update_id": told, "callback_query_id": query_id}

    async def configure(self, request: web.Request) -> object:
        """Set for how long the answer to a pressed button is taken, and whose server this is.

        `local` is a Bot API server of one's own, which takes files up to 2,000 MiB.
        """
        wanted = await get.body(request)
        self._world.callback_life_s = float(
            wanted.get("callback_life_s", self._world.callback_life_s)
        )
        if "local" in wanted:
            self._world.largest_file = LOCAL_FILE if wanted["local"] else CLOUD_FILE
        return {
            "callback_life_s": self._world.callback_life_s,
            "largest_file": self._world.largest_file,
        }

    async def callback(self, request: web.Request) -> object:
        """What the bot answered to a press."""
        callback = self._world.callbacks.get(request.match_info["query"])
        if callback is None:
            raise get.Unknown("no such callback query")
        return {"answered": callback.answered, **callback.answer}

    async def ask_inline(self, request: web.Request) -> object:
        """A person types @bot and a query; what Telegram has cached does not ask the bot.

        Raises:
            ValueError: inline mode is off (td, `send_inline_query`).
        """
        wanted = await get.body(request)
        person = get.person(self._world, wanted["user_id"])
        bot = get.bot(self._world, wanted.get("bot_id"))
        if not bot.inline:
            raise ValueError("Bot doesn't support inline queries")
        now, query_id = self._world.clock.now(), str(next(self._world.query_ids))
        text, offset = str(wanted.get("query", ""))[:256], str(wanted.get("offset", ""))
        for whose in (person.id, 0):
            good_until, known_id = self._world.cached.get((bot.id, text, offset, whose), (0.0, ""))
            if good_until > now:
                return {"update_id": None, "inline_query_id": known_id}
        query: dict[str, Any] = {
            "id": query_id,
            "from": person.user(),
            "query": text,
            "offset": offset,
            "chat_type": str(wanted.get("chat_type", "sender")),
        }
        told = bot.inbox.put("inline_query", query, f"inline:{person.id}")
        self._world.inline[query_id] = InlineQuery(bot, person, now, text, offset)
        return {"update_id": told, "inline_query_id": query_id}

    def _inline(self, request: web.Request) -> InlineQuery:
        query = self._world.inline.get(request.match_info["query"])
        if query is None:
            raise get.Unknown("no such inline query")
        return query

    async def inline(self, request: web.Request) -> object:
        """What the bot answered to an inline query."""
        query = self._inline(request)
        return {"answered": query.answer is not None, **(query.answer or {})}

    async def choose(self, request: web.Request) -> object:
        """A person sends a result into a chat, however old; the bot is not asked."""
        query = self._inline(request)
        wanted = await get.body(request)
        chat = get.chat(self._world, wanted["chat_id"], query.bot)
        results = {one["id"]: one for one in (query.answer or {"results": []})["results"]}
        result = results.get(str(wanted["result_id"]))
        if result is None:
            raise get.Unknown("no such result")
        sender = None if chat.type == "channel" else query.person.user()
        fields = self._world.head(chat, sender) | {"via_bot": query.bot.user()}
        for name in ("text", "entities", "caption", "caption_entities"):
            if value := result.get(f"_{name}"):
                fields[name] = value
        if "reply_markup" in result:
            fields["reply_markup"] = result["reply_markup"]
        media = query.media.get(result["id"])
        now = self._world.clock.now()
        message = Message(chat, fields["message_id"], fields, now, media=media, source="file_id")
        self._world.add(message)
        told = happenings.tell(self._world, chat, message)
        return {"update_id": told, "message_id": message.id}
