"""What the control API cannot find, and how it reads its requests."""

from typing import Any

from aiohttp import web

from sandbox.telegram.model import Chat, Message
from sandbox.telegram.people import Bot, Person
from sandbox.telegram.world import World


class Unknown(Exception):  # noqa: N818 - an answer, 404
    """There is no such thing."""


async def body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request; empty where there is none.

    Raises:
        ValueError: it is no JSON object.
    """
    if not request.can_read_body:
        return {}
    value = await request.json()
    if not isinstance(value, dict):
        raise ValueError("a JSON object is expected")  # noqa: TRY004  one error for a bad request
    return value


def bot(world: World, wanted: object) -> Bot:
    """The bot of an id; the main bot where none is named."""
    if wanted in {None, "", "bot"}:
        return world.bot
    found = world.bots.get(int(str(wanted)))
    if found is None:
        raise Unknown(f"no such bot: {wanted}")
    return found


def person(world: World, wanted: object) -> Person:
    """The person of an id."""
    found = world.people.get(int(str(wanted)))
    if found is None:
        raise Unknown(f"no such person: {wanted}")
    return found


def chat(world: World, wanted: object, of: Bot | None = None) -> Chat:
    """The chat of an id, a private one with `of` or the main bot."""
    found = world.chat(int(str(wanted)), of or world.bot)
    if found is None:
        raise Unknown(f"no such chat: {wanted}")
    return found


def message(chat: Chat, ident: object, *, deleted: bool = False) -> Message:
    """The message of an id in a chat; with `deleted` also one that was taken out since."""
    found = chat.messages.get(int(str(ident)))
    if found is None or (found.deleted and not deleted):
        raise Unknown(f"no such message: {ident}")
    return found
