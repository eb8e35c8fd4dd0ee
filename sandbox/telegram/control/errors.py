"""Lookups of the control API by id, and its request bodies."""

from typing import Any

from aiohttp import web

from sandbox.telegram.model import Chat, Message
from sandbox.telegram.people import Bot, Person
from sandbox.telegram.world import World


class Unknown(Exception):  # noqa: N818 - not an error of the program, but a regular response with status 404
    """Raised if an object does not exist."""


async def body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object in a request's body, or an empty object if there is no body.

    Raises:
        ValueError: The body is not a JSON object.
    """
    if not request.can_read_body:
        return {}
    value = await request.json()
    if not isinstance(value, dict):
        raise ValueError("a JSON object is expected")  # noqa: TRY004  all invalid requests raise the same error class
    return value


def bot(world: World, wanted: object) -> Bot:
    """Return the bot with an id, or the main bot if no id is given.

    Raises:
        Unknown: No bot has the id.
    """
    if wanted in {None, "", "bot"}:
        return world.bot
    found = world.bots.get(int(str(wanted)))
    if found is None:
        raise Unknown(f"no such bot: {wanted}")
    return found


def person(world: World, wanted: object) -> Person:
    """Return the person with an id.

    Raises:
        Unknown: No person has the id.
    """
    found = world.people.get(int(str(wanted)))
    if found is None:
        raise Unknown(f"no such person: {wanted}")
    return found


def chat(world: World, wanted: object, of: Bot | None = None) -> Chat:
    """Return the chat with an id.

    For the id of a person, return the private chat with the bot `of`, or with the main bot if `of`
    is not given.

    Raises:
        Unknown: No chat has the id.
    """
    found = world.chat(int(str(wanted)), of or world.bot)
    if found is None:
        raise Unknown(f"no such chat: {wanted}")
    return found


def message(chat: Chat, ident: object, *, deleted: bool = False) -> Message:
    """Return the message with an id in a chat. `deleted` includes deleted messages.

    Raises:
        Unknown: No message has the id.
    """
    found = chat.messages.get(int(str(ident)))
    if found is None or (found.deleted and not deleted):
        raise Unknown(f"no such message: {ident}")
    return found
