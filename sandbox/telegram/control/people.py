"""Control calls that create persons, and that write, edit and delete their messages."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.telegram import entities, happenings
from sandbox.telegram.control import errors as get
from sandbox.telegram.files import Media
from sandbox.telegram.model import Chat, Message
from sandbox.telegram.people import Person
from sandbox.telegram.world import World

Handle = Callable[[web.Request], Awaitable[Any]]
_DETAILS = ("username", "last_name", "language_code", "deactivated", "is_bot")


def table(world: World) -> dict[tuple[str, str], Handle]:
    """Return the handlers by HTTP method and path."""
    calls = People(world)
    return {
        ("POST", "/control/users"): calls.add_user,
        ("GET", "/control/users"): calls.users,
        ("PATCH", "/control/users/{user}"): calls.change_user,
        ("POST", "/control/chats/{chat}/messages"): calls.write,
        ("PATCH", "/control/chats/{chat}/messages/{message}"): calls.edit,
        ("DELETE", "/control/chats/{chat}/messages/{message}"): calls.delete,
    }


class People:
    """The handlers of control calls that act as the persons of a world."""

    def __init__(self, world: World) -> None:
        """Create handlers that change `world`."""
        self._world = world

    async def add_user(self, request: web.Request) -> object:
        """Create a person, or with `is_bot` a bot of somebody else."""
        wanted = await get.body(request)
        details = {name: wanted[name] for name in _DETAILS if wanted.get(name) is not None}
        return self._world.add_person(str(wanted["first_name"]), **details).user()

    async def users(self, _: web.Request) -> object:
        """Return all persons."""
        return [person.user() for person in self._world.people.values()]

    async def change_user(self, request: web.Request) -> object:
        """Change a person's name or language, or deactivate or reactivate the person."""
        person = get.person(self._world, request.match_info["user"])
        wanted = await get.body(request)
        for name in ("first_name", *_DETAILS):
            if name in wanted:
                setattr(person, name, wanted[name])
        for chat in self._world.all_chats():
            chat.clear_cached_object()
        return person.user()

    async def write(self, request: web.Request) -> object:
        """Send a message of a person to a chat."""
        wanted = await get.body(request)
        chat, person = self._chat_and_person(request, wanted)
        message = self._composed(chat, person, wanted)
        chat.started = True
        self._world.add(message)
        told = happenings.send_update(self._world, chat, message)
        happenings.forward_to_discussion_group(self._world, message)
        return {"update_id": told, "message_id": message.id}

    def _chat_and_person(
        self, request: web.Request, wanted: dict[str, Any]
    ) -> tuple[Chat, Person | None]:
        of = get.bot(self._world, wanted.get("bot_id"))
        chat = get.chat(self._world, request.match_info["chat"], of)
        user_id = wanted.get("user_id")
        if user_id is None and chat.person is not None:
            return chat, chat.person
        return chat, None if user_id is None else get.person(self._world, user_id)

    def _composed(self, chat: Chat, person: Person | None, wanted: dict[str, Any]) -> Message:
        sender = None if chat.type == "channel" or person is None else person.user()
        fields = self._world.new_message_fields(chat, sender)
        as_chat = wanted.get("sender_chat_id")
        if chat.type == "channel":
            fields["sender_chat"] = chat.brief()
        elif as_chat is not None:
            fields["sender_chat"] = get.chat(self._world, as_chat).brief()
            fields["from"] = _anonymous(own=int(as_chat) == chat.id)
        if chat.is_direct_messages and person is not None:
            fields["direct_messages_topic"] = {"topic_id": person.id, "user": person.user()}
        reply_to, place = _replied(chat, wanted)
        fields |= place
        fields |= _content(wanted)
        media = None
        for word in ("forward", "file_of"):
            if (source := wanted.get(word)) is not None:
                where = get.chat(self._world, source["chat_id"])
                original = get.message(where, source["message_id"])
                media = original.media
                if word == "forward":
                    fields |= happenings.forwarded_fields(original)
        if (given := wanted.get("file")) is not None:
            media = self._attached(given)
        for name in ("location", "media_group_id", "chat_shared"):
            if wanted.get(name) is not None:
                fields[name] = wanted[name]
        return Message(
            chat, fields["message_id"], fields, self._world.clock.now(), media=media,
            reply_to=reply_to,
        )  # fmt: skip

    def _attached(self, given: dict[str, Any]) -> Media:
        """Return the file that a person attaches to a message.

        The fields of the file are `kind` (photo, voice or document), `base64`, `name` and `type`.

        Raises:
            ValueError: The kind is unknown, or a photo is not a picture.
        """
        kind = given["kind"]
        if kind not in {"photo", "voice", "document"}:
            raise ValueError("kind must be photo, voice or document")
        data = base64.b64decode(given["base64"])
        content = self._world.files.store(data, str(given.get("type", "")))
        if kind == "photo":
            if content.picture is None:
                raise ValueError("this is no picture")
            return Media("photo", content)
        details: dict[str, Any] = {"mime_type": content.mime_type}
        if kind == "voice":
            details["duration"] = int(given.get("duration", 1))
        else:
            details["file_name"] = str(given.get("name", "file"))
        return Media(kind, content, details)

    async def edit(self, request: web.Request) -> object:
        """Edit a message of a person."""
        wanted = await get.body(request)
        chat = get.chat(self._world, request.match_info["chat"])
        message = get.message(chat, request.match_info["message"])
        now = self._world.clock.now()
        message.fields = message.fields | _content(wanted) | {"edit_date": int(now)}
        message.edited_at = now
        self._world.emit_edit(message)
        return {"update_id": happenings.send_update(self._world, chat, message, edited=True)}

    async def delete(self, request: web.Request) -> object:
        """Delete a message of a person. Bots receive no update about the deletion."""
        chat = get.chat(self._world, request.match_info["chat"])
        self._world.delete(get.message(chat, request.match_info["message"]))
        return {"deleted": True}


def _replied(chat: Chat, wanted: dict[str, Any]) -> tuple[Message | None, dict[str, Any]]:
    """Return the message to which a new message replies, and the fields of the thread.

    A message in a forum topic implicitly replies to the first message of the topic.
    """
    thread = int(wanted.get("thread_id") or 0)
    implied = thread if chat.type == "supergroup" else 0
    reply_to = chat.messages.get(int(wanted.get("reply_to") or implied))
    if not thread and reply_to is not None:
        thread = reply_to.thread_of_replies
    if not thread:
        return reply_to, {}
    place: dict[str, Any] = {"message_thread_id": thread}
    return reply_to, place | ({"is_topic_message": True} if chat.has_topics else {})


def _anonymous(*, own: bool) -> dict[str, Any]:
    """Return the field `from` of a message by an anonymous administrator (`own`) or a channel."""
    if own:
        return {"id": 1087968824, "is_bot": True, "first_name": "Group",
                "username": "GroupAnonymousBot"}  # fmt: skip
    return {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}


def _content(wanted: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, marks in (("text", "entities"), ("caption", "caption_entities")):
        if wanted.get(name) is None:
            continue
        raw = str(wanted[name])
        shown, found = entities.formatted(raw, "", wanted.get(marks) or wanted.get("entities"))
        fields[name] = shown
        if found:
            fields[marks] = found
    return fields
