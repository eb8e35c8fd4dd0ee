"""The control API of the Telegram side: persons, queries and chats."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.telegram.control import chats, people, queries
from sandbox.telegram.control.errors import Unknown
from sandbox.telegram.services import Services
from sandbox.telegram.world import World

Handle = Callable[[web.Request], Awaitable[Any]]


def routes(world: World, services: Services) -> list[web.RouteDef]:
    """Return all routes of the Telegram side."""
    table = people.table(world) | queries.table(world)
    table |= chats.table(world, services)
    return [web.route(verb, path, _json(handle)) for (verb, path), handle in table.items()]


def _json(handle: Handle) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            result = await handle(request)
            return result if isinstance(result, web.Response) else web.json_response(result)
        except Unknown as error:
            return web.json_response({"error": str(error)}, status=404)
        except (ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
            detail = f"missing {error}" if isinstance(error, KeyError) else str(error)
            return web.json_response({"error": detail}, status=400)

    return answer
