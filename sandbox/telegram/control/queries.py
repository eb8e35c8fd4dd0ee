"""Control calls that the bot has to answer: pressed buttons, inline queries."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.telegram import happenings
from sandbox.telegram.control import errors as get
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
        """A person types @bot and a query."""
        wanted = await get.body(request)
        person = get.person(self._world, wanted["user_id"])
        bot = get.bot(self._world, wanted.get("bot_id"))
        query_id = str(next(self._world.query_ids))
        query: dict[str, Any] = {
            "id": query_id,
            "from": person.user(),
            "query": str(wanted.get("query", ""))[:256],
            "offset": str(wanted.get("offset", "")),
            "chat_type": str(wanted.get("chat_type", "sender")),
        }
        told = bot.inbox.put("inline_query", query, f"inline:{person.id}")
        now = self._world.clock.now()
        self._world.inline[query_id] = InlineQuery(bot, person, now, query["query"])
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
        """A person picks a result."""
        query = self._inline(request)
        wanted = await get.body(request)
        chosen = {
            "result_id": str(wanted["result_id"]),
            "from": query.person.user(),
            "query": query.query,
        }
        told = query.bot.inbox.put("chosen_inline_result", chosen, f"chosen:{query.person.id}")
        return {"update_id": told}
