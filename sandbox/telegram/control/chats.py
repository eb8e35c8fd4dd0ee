"""Control calls for chats: creation, messages, members, migration, topics and flood limits."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from sandbox.telegram import happenings
from sandbox.telegram.control import errors as get
from sandbox.telegram.model import GENERAL_TOPIC, Chat, Member, Topic
from sandbox.telegram.refusals import Refusal
from sandbox.telegram.services import Services
from sandbox.telegram.world import World

Handle = Callable[[web.Request], Awaitable[Any]]
STATUSES = frozenset({"creator", "administrator", "member", "restricted", "left", "kicked"})
_CHANGES = (
    "title", "username", "permissions", "slow_mode_delay", "is_forum", "deleted", "linked_chat_id",
    "has_hidden_members", "deletes_posts", "is_direct_messages",
)  # fmt: skip


def table(world: World, services: Services) -> dict[tuple[str, str], Handle]:
    """Return the handlers by HTTP method and path."""
    calls = Chats(world, services)
    chat = "/control/chats/{chat}"
    return {
        ("GET", "/control/chats"): calls.all_chats,
        ("POST", "/control/chats"): calls.add_chat,
        ("PATCH", chat): calls.change,
        ("GET", chat + "/messages"): calls.messages,
        ("PUT", chat + "/members/{user}"): calls.set_member,
        ("GET", chat + "/members"): calls.members,
        ("POST", chat + "/migrate"): calls.migrate,
        ("PUT", chat + "/threads/{thread}"): calls.set_thread,
        ("POST", chat + "/threads"): calls.add_thread,
        ("GET", "/control/bots"): calls.bots,
        ("PATCH", "/control/bots/{bot}"): calls.change_bot,
        ("GET", "/control/limits"): calls.limits,
        ("PUT", "/control/limits"): calls.set_limits,
        ("POST", "/control/limits"): calls.set_limits,
        ("GET", "/control/files/{file}"): calls.file,
    }


class Chats:
    """The handlers of control calls that read or change the chats of a world."""

    def __init__(self, world: World, services: Services) -> None:
        """Create handlers that change `world` and the limits of `services`."""
        self._world = world
        self._services = services

    async def all_chats(self, _: web.Request) -> object:
        """Return every chat with its last message."""
        return [self._summary(chat) for chat in self._world.all_chats()]

    def _summary(self, chat: Chat) -> dict[str, Any]:
        bot = chat.bot or self._world.bot
        last = next((m for m in reversed(chat.messages.values()) if not m.deleted), None)
        summary = dict(chat.brief())
        summary["_last_message"] = last.control_view(bot) if last else None
        summary["_bot_status"] = (
            "member" if chat.bot and bot.id not in chat.members else chat.member(bot.id).status
        )
        summary["_topics"] = [
            {"message_thread_id": t.id, "name": t.name, "state": t.state}
            for t in chat.topics.values()
        ]
        summary["_migrated_to"] = chat.migrated_to
        return summary

    async def add_chat(self, request: web.Request) -> object:
        """Create a group, supergroup or channel with the bot.

        In a channel, the bot is an administrator.
        """
        wanted = await get.body(request)
        kind = wanted["type"]
        if kind not in {"group", "supergroup", "channel"}:
            raise ValueError("type must be group, supergroup or channel")
        chat = self._world.add_chat(kind, str(wanted["title"]))
        self._update(chat, wanted)
        for member in wanted.get("members", ()):
            person = get.person(self._world, member["user_id"])
            chat.members[person.id] = _member(member)
        status = wanted.get("bot_status") or ("administrator" if kind == "channel" else "member")
        bot = get.bot(self._world, wanted.get("bot_id"))
        if status != "left":
            chat.members[bot.id] = _member({"status": status} | wanted.get("bot_rights", {}))
        self._world.events.emit("chat", chat_id=chat.id, chat=chat.brief())
        return chat.brief()

    def _update(self, chat: Chat, wanted: dict[str, Any]) -> None:
        if "linked_chat_id" in wanted:
            self._link(chat, wanted["linked_chat_id"])
        for name in _CHANGES:
            if name in wanted:
                setattr(chat, name, wanted[name])
        chat.clear_cached_object()

    def _link(self, chat: Chat, other_id: int | None) -> None:
        """Link a channel and its discussion group, or remove the link."""
        before = self._world.chats.get(chat.linked_chat_id or 0)
        if before is not None:
            before.linked_chat_id = None
        if other_id is None:
            return
        other = get.chat(self._world, other_id)
        if {chat.type, other.type} != {"channel", "supergroup"}:
            raise ValueError("a channel is linked with a supergroup")
        other.linked_chat_id = chat.id

    async def change(self, request: web.Request) -> object:
        """Change a chat.

        A call can change the title, the permissions, the slow mode, the linked chat and whether
        members are hidden. A call can also delete the chat.
        """
        chat = get.chat(self._world, request.match_info["chat"])
        was_deleted = chat.deleted
        self._update(chat, await get.body(request))
        if chat.deleted and not was_deleted and chat.type == "supergroup":
            happenings.remove_and_notify_bots(
                self._world, chat, self._actor(chat, 0, {"status": ""})
            )
        self._world.events.emit("chat", chat_id=chat.id, chat=chat.brief())
        return chat.brief()

    async def messages(self, request: web.Request) -> object:
        """Return the messages of a chat in order.

        By default, only existing messages of the bot are returned. With `from_bot=false`, messages
        of persons and deleted messages are also returned.
        """
        query = request.query
        bot = get.bot(self._world, query.get("bot_id"))
        chat = get.chat(self._world, request.match_info["chat"], bot)
        after = int(query.get("after", 0))
        from_bot = query.get("from_bot", "true").lower() not in {"false", "0", "no"}
        return [
            message.control_view(bot)
            for message in chat.messages.values()
            if message.id > after and not (from_bot and (message.bot is None or message.deleted))
        ]

    async def members(self, request: web.Request) -> object:
        """Return the membership of every member."""
        chat = get.chat(self._world, request.match_info["chat"])
        users = (self._world.user(user_id) for user_id in chat.members)
        return [chat.member_view(user) for user in users if user]

    async def set_member(self, request: web.Request) -> object:
        """Change a membership: promote, demote or remove a member.

        The word `bot`, or the id of a bot, names a bot as the member.
        """
        wanted = await get.body(request)
        ident = request.match_info["user"]
        bot = get.bot(self._world, wanted.get("bot_id"))
        user_id = bot.id if ident == "bot" else int(ident)
        chat = get.chat(self._world, request.match_info["chat"], self._world.bots.get(user_id))
        if self._world.user(user_id) is None:
            raise get.Unknown(f"no such user: {ident}")
        member = _member(wanted)
        if chat.type == "private" and member.status not in {"kicked", "member"}:
            raise ValueError("in a private chat a bot is a member, or kicked (blocked)")
        told = happenings.change_membership(
            self._world, chat, user_id, member, self._actor(chat, user_id, wanted)
        )
        user = self._world.user(user_id)
        return {"update_id": told, "member": chat.member_view(user or {})}

    def _actor(self, chat: Chat, user_id: int, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted.get("by") == _group_bot()["id"]:  # an anonymous administrator makes the change
            return _group_bot()
        if "by" in wanted:
            return get.person(self._world, wanted["by"]).user()
        if chat.person is not None:
            return chat.person.user()
        if user_id in self._world.people and wanted["status"] in {"left", "member"}:
            return self._world.people[user_id].user()
        humans = [i for i in chat.members if i in self._world.people and chat.is_admin(i)]
        others = humans or [i for i in chat.members if i in self._world.people]
        known = others or list(self._world.people)
        return self._world.people[known[0]].user() if known else self._world.bot.user()

    async def migrate(self, request: web.Request) -> object:
        """Migrate a group to a supergroup with a new id."""
        old = get.chat(self._world, request.match_info["chat"])
        if old.type != "group" or old.migrated_to is not None:
            raise ValueError("only a group that has not migrated can migrate")
        members = {user: replace(member) for user, member in old.members.items()}
        new = self._world.add_chat("supergroup", old.title, members=members, migrated_from=old.id)
        new.permissions = dict(old.permissions)
        actor = self._actor(old, 0, {"status": ""})
        left = self._world.add_service_message(old, actor, migrate_to_chat_id=new.id)
        told = happenings.send_update(self._world, old, left)
        old.migrated_to = new.id
        arrived = self._world.add_service_message(new, _group_bot(), migrate_from_chat_id=old.id,
                                      sender_chat=new.brief())  # fmt: skip
        happenings.send_update(self._world, new, arrived)
        happenings.notify_joined_bots(self._world, new, actor)
        self._world.events.emit("chat", chat_id=new.id, chat=new.brief())
        return {"new_chat_id": new.id, "update_id": told}

    async def add_thread(self, request: web.Request) -> object:
        """Create a forum topic. The topic's id is the id of the first message."""
        chat = get.chat(self._world, request.match_info["chat"])
        wanted = await get.body(request)
        return self._new_topic(chat, wanted)

    def _new_topic(self, chat: Chat, wanted: dict[str, Any]) -> object:
        if not chat.has_topics:
            raise ValueError("the chat is no forum")
        actor = self._actor(chat, 0, {"status": ""})
        topic, message = self._world.add_topic(chat, actor, str(wanted["name"]))
        topic.state = str(wanted.get("state", "open"))
        happenings.send_update(self._world, chat, message)
        return _topic_view(topic)

    def _topic_of_number(self, chat: Chat, thread: int, wanted: dict[str, Any]) -> object:
        """Create a topic whose first message has the id `thread`.

        If a message with this id already exists, no first message is created.
        """
        if not chat.is_forum:
            raise ValueError("the chat is no forum, or counts its topics by itself")
        if thread in chat.messages:
            state = str(wanted.get("state", "open"))
            topic = chat.topics[thread] = Topic(thread, str(wanted["name"]), state)
            return _topic_view(topic)
        last, chat.last_message_id = max(chat.last_message_id, thread), thread - 1
        made = self._new_topic(chat, wanted)
        chat.last_message_id = last
        return made

    async def set_thread(self, request: web.Request) -> object:
        """Create, rename, close, reopen or delete a forum topic."""
        chat = get.chat(self._world, request.match_info["chat"])
        wanted = await get.body(request)
        thread = int(request.match_info["thread"])
        state = wanted.get("state", "open")
        if state not in {"open", "closed", "deleted"}:
            raise ValueError("state must be open, closed or deleted")
        topic = chat.topics.get(thread)
        if topic is None and thread == GENERAL_TOPIC and chat.is_forum:
            # Every forum has the General topic.
            topic = chat.topics[thread] = Topic(thread, "General")
        if topic is None:
            return self._topic_of_number(chat, thread, wanted)
        before, topic.state = topic.state, state
        # The deletion of a topic also deletes its messages: td, DeleteForumTopicQuery.
        if state == "deleted":
            for message in chat.messages.values():
                there = {message.id, message.fields.get("message_thread_id")}
                if thread in there and not message.deleted:
                    self._world.delete(message)
        actor = self._actor(chat, 0, {"status": ""})
        if wanted.get("name") not in {None, topic.name}:
            topic.name = str(wanted["name"])
            self._tell_topic(chat, actor, topic, forum_topic_edited={"name": topic.name})
        if before != state == "closed":
            self._tell_topic(chat, actor, topic, forum_topic_closed={})
        if before == "closed" and state == "open":
            self._tell_topic(chat, actor, topic, forum_topic_reopened={})
        return _topic_view(topic)

    def _tell_topic(
        self, chat: Chat, actor: dict[str, Any], topic: Topic, **fields: object
    ) -> None:
        thread = 0 if topic.id == GENERAL_TOPIC else topic.id
        message = self._world.add_service_message(chat, actor, thread, **fields)
        happenings.send_update(self._world, chat, message)

    async def bots(self, _: web.Request) -> object:
        """Return the bots, the main bot first."""
        return [bot.user() | {"_claimed": bot.claimed} for bot in self._world.bots.values()]

    async def change_bot(self, request: web.Request) -> object:
        """Change group privacy, inline mode and private-chat topics of a bot."""
        bot = get.bot(self._world, request.match_info["bot"])
        wanted = await get.body(request)
        bot.reads_all = bool(wanted.get("can_read_all_group_messages", bot.reads_all))
        bot.inline = bool(wanted.get("supports_inline_queries", bot.inline))
        bot.has_topics = bool(wanted.get("has_topics_enabled", bot.has_topics))
        bot.users_make_topics = bool(
            wanted.get("allows_users_to_create_topics", bot.users_make_topics)
        )
        return bot.user()

    async def limits(self, _: web.Request) -> object:
        """Return the active flood limits."""
        return self._services.limits.settings()

    async def set_limits(self, request: web.Request) -> object:
        """Set flood limits by name, or `{"preset": "documented"}`."""
        self._services.limits.configure(await get.body(request))
        return self._services.limits.settings()

    async def file(self, request: web.Request) -> web.Response:
        """Return the bytes of a file for the chat page. The file_id may belong to any bot."""
        for bot in self._world.bots.values():
            try:
                _, content, _ = self._world.files.find(bot, request.match_info["file"])
            except Refusal:
                continue
            return web.Response(body=content.read(), content_type=content.mime_type)
        raise get.Unknown("no such file")


def _member(wanted: dict[str, Any]) -> Member:
    status = wanted["status"]
    if status not in STATUSES:
        raise ValueError(f"status must be one of {', '.join(sorted(STATUSES))}")
    rights = {
        name: bool(value)
        for name, value in wanted.items()
        if name.startswith("can_") or name == "is_member"
    }
    anonymous = bool(wanted.get("is_anonymous", False))
    return Member(status, rights, anonymous, wanted.get("custom_title"))


def _group_bot() -> dict[str, Any]:
    return {"id": 1087968824, "is_bot": True, "first_name": "Group",
            "username": "GroupAnonymousBot"}  # fmt: skip


def _topic_view(topic: Topic) -> dict[str, Any]:
    return {"message_thread_id": topic.id, "name": topic.name, "state": topic.state}
