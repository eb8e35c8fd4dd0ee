"""Control calls that require an answer of the bot: pressed buttons and inline queries."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.telegram import happenings
from sandbox.telegram.control import errors as get
from sandbox.telegram.model import Message
from sandbox.telegram.world import CLOUD_FILE, LOCAL_FILE, Callback, InlineQuery, World

Handle = Callable[[web.Request], Awaitable[Any]]


def table(world: World) -> dict[tuple[str, str], Handle]:
    """Return the handlers by HTTP method and path."""
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
    """The handlers of control calls for the queries of a world."""

    def __init__(self, world: World) -> None:
        """Create handlers that change `world`."""
        self._world = world

    async def press(self, request: web.Request) -> object:
        """Press a button as a person. A modified client may send any data."""
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
        """Set the lifetime of callback queries, and whether the server is self-hosted.

        With `local`, the server is self-hosted and accepts files up to 2,000 MiB.
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
        """Return the bot's answer to a pressed button."""
        callback = self._world.callbacks.get(request.match_info["query"])
        if callback is None:
            raise get.Unknown("no such callback query")
        return {"answered": callback.answered, **callback.answer}

    async def ask_inline(self, request: web.Request) -> object:
        """Send an inline query of a person.

        If Telegram's cache has an answer, the bot does not get the query.

        Raises:
            ValueError: Inline mode is off (td, `send_inline_query`).
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
        """Return the bot's answer to an inline query."""
        query = self._inline(request)
        return {"answered": query.answer is not None, **(query.answer or {})}

    async def choose(self, request: web.Request) -> object:
        """Send an inline result to a chat as a person. The result may be of any age.

        The bot gets no call.
        """
        query = self._inline(request)
        wanted = await get.body(request)
        chat = get.chat(self._world, wanted["chat_id"], query.bot)
        results = {one["id"]: one for one in (query.answer or {"results": []})["results"]}
        result = results.get(str(wanted["result_id"]))
        if result is None:
            raise get.Unknown("no such result")
        sender = None if chat.type == "channel" else query.person.user()
        fields = self._world.new_message_fields(chat, sender) | {"via_bot": query.bot.user()}
        for name in ("text", "entities", "caption", "caption_entities"):
            if value := result.get(f"_{name}"):
                fields[name] = value
        if "reply_markup" in result:
            fields["reply_markup"] = result["reply_markup"]
        media = query.media.get(result["id"])
        now = self._world.clock.now()
        message = Message(chat, fields["message_id"], fields, now, media=media, source="file_id")
        self._world.add(message)
        told = happenings.send_update(self._world, chat, message)
        return {"update_id": told, "message_id": message.id}
