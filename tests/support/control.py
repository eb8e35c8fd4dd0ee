"""The sandbox's control API as verbs: what every test that drives the whole bot speaks."""

import asyncio
import contextlib
import inspect
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, overload

from aiohttp import ClientSession

T = TypeVar("T")
Json = dict[str, Any]

# On a machine that does much else. Only a failure takes so long, so who expects one sets less.
PATIENCE_S = float(os.environ.get("PATIENCE_S", "60"))  # noqa: TID251 - the tests have no Settings
# Each poll is a request to the sandbox, in the process that shall get on with the work: often at
# first, and rarely where it takes long. Many that wait at once spent half of the CPU on polls.
_FIRST_POLL_S, _LAST_POLL_S = 0.01, 0.1
_POLLS_GROW = 1.25


def refused(text: str, code: int = 400) -> Json:
    """The fault by which Telegram refuses in these words."""
    prefix = {400: "Bad Request: ", 403: "Forbidden: ", 409: "Conflict: "}.get(code, "")
    return {
        "status": code,
        "body": {"ok": False, "error_code": code, "description": prefix + text},
    }


def flood(seconds: int) -> Json:
    """The fault that answers 429."""
    text = f"Too Many Requests: retry after {seconds}"
    parameters = {"parameters": {"retry_after": seconds}}
    return {
        "status": 429,
        "body": {"ok": False, "error_code": 429, "description": text} | parameters,
    }


@overload
async def wait_for(
    predicate: Callable[[], Awaitable[T | None]], within: float = PATIENCE_S, what: str = ""
) -> T: ...
@overload
async def wait_for(
    predicate: Callable[[], T | None], within: float = PATIENCE_S, what: str = ""
) -> T: ...
async def wait_for(
    predicate: Callable[[], Any], within: float = PATIENCE_S, what: str = ""
) -> Any:
    """Poll until the predicate, plain or async, gives something true; give that back.

    Raises:
        AssertionError: it did not within so many seconds.
    """
    clock = asyncio.get_running_loop().time
    started = clock()
    pause = _FIRST_POLL_S
    while True:
        got = predicate()
        value = await got if inspect.isawaitable(got) else got
        if value:
            return value
        waited = clock() - started
        if waited > within:
            raise AssertionError(f"waited {within} s in vain for {what or predicate}: {value!r}")
        await asyncio.sleep(pause)
        pause = min(max(_LAST_POLL_S, waited / 200), pause * _POLLS_GROW)


def stories_of(messages: list[Json]) -> list[str]:
    """The stories among messages, in order."""
    return [message["_story_pk"] for message in messages if message.get("_story_pk")]


class RefusedError(AssertionError):
    """The control API answered with an error."""


class Control:
    """One sandbox, driven over HTTP. Chats, people and messages go by their numbers."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Speak to the page listener at `url` (its origin)."""
        self._session, self._url = session, url

    async def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """One call of the control API, `path` without `/control`; what it answered.

        Raises:
            RefusedError: the answer was not a 200.
        """
        url = f"{self._url}/control{path}"
        async with self._session.request(method, url, json=body) as answer:
            if answer.status != 200:
                raise RefusedError(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    # people and chats

    async def person(
        self,
        first_name: str = "Ann",
        *,
        username: str | None = None,
        language_code: str = "en",
        started: bool = False,
    ) -> int:
        """A new person; their id, which is also that of their private chat.

        One who has `started` has said so there.
        """
        body: Json = {"first_name": first_name, "language_code": language_code}
        if username is not None:
            body["username"] = username
        person = int((await self.call("POST", "/users", body))["id"])
        if started:
            await self.say(person, "/start")
        return person

    async def chat(
        self,
        kind: str,
        title: str = "Friends",
        *,
        members: Mapping[int, str] | None = None,
        is_forum: bool = False,
        bot_status: str = "member",
        bot_rights: Json | None = None,
    ) -> int:
        """A new `group`, `supergroup` or `channel`; members are given with their status."""
        body: Json = {
            "type": kind,
            "title": title,
            "is_forum": is_forum,
            "members": [
                {"user_id": user, "status": status} for user, status in (members or {}).items()
            ],
            "bot_status": bot_status,
            "bot_rights": bot_rights or {},
        }
        return int((await self.call("POST", "/chats", body))["id"])

    async def name_chat(self, chat: int, username: str) -> None:
        """Give a group or channel a public name."""
        await self.call("PATCH", f"/chats/{chat}", {"username": username})

    async def member(self, chat: int, user: int, status: str) -> None:
        """Give a member, or the bot, another status in a chat."""
        await self.call("PUT", f"/chats/{chat}/members/{user}", {"status": status})

    async def migrate(self, chat: int) -> int:
        """Turn a group into a supergroup; its new id."""
        return int((await self.call("POST", f"/chats/{chat}/migrate"))["new_chat_id"])

    async def thread(self, chat: int, thread: int, name: str, state: str = "open") -> None:
        """Open, close or delete a forum topic."""
        await self.call("PUT", f"/chats/{chat}/threads/{thread}", {"name": name, "state": state})

    async def topics(self, chat: int) -> dict[int, str]:
        """The names of a chat's topics that are open, by their ids."""
        chats = await self.call("GET", "/chats")
        (found,) = [one for one in chats if one["id"] == chat]
        return {
            topic["message_thread_id"]: topic["name"]
            for topic in found["_topics"]
            if topic["state"] == "open"
        }

    async def private_topics(self, *, on: bool) -> None:
        """Let private chats with the bot have topics, or not."""
        await self.call("PATCH", "/bots/bot", {"has_topics_enabled": on})

    # the conversation

    async def say(self, chat: int, text: str, *, user: int | None = None, **more: Any) -> int:
        """A person writes (`user` None: whose private chat it is); the message's id.

        `more`: `entities`, `thread_id`, `reply_to`, `sender_chat_id`, `file`, `location`,
        `media_group_id`.
        """
        body = {"user_id": chat if user is None else user, "text": text, **more}
        return int((await self.call("POST", f"/chats/{chat}/messages", body))["message_id"])

    async def press(self, chat: int, message: int, data: str, *, user: int | None = None) -> str:
        """Press an inline button; the id of the callback query."""
        body = {"user_id": chat if user is None else user, "message_id": message, "data": data}
        return str((await self.call("POST", f"/chats/{chat}/press", body))["callback_query_id"])

    async def callback(self, callback_query_id: str) -> Json:
        """What became of a press: `{"answered", "text"?, "show_alert"?}`."""
        got: Json = await self.call("GET", f"/callbacks/{callback_query_id}")
        return got

    async def inline(self, user: int, query: str, **more: Any) -> str:
        """Type an inline query; its id."""
        body = {"user_id": user, "query": query, **more}
        return str((await self.call("POST", "/inline", body))["inline_query_id"])

    async def typed(self, user: int, query: str, **more: Any) -> Json:
        """Type an inline query; what the bot answers, with the query's id."""
        query_id = await self.inline(user, query, **more)

        async def answered() -> Json | None:
            answer = await self.inline_answer(query_id)
            return answer if answer["answered"] else None

        answer = await wait_for(answered, what=f"the answer to {query!r}")
        return {**answer, "id": query_id}

    async def held(self, user: int, query: str, count: int) -> list[Json]:
        """Type until so many stories are held: what is shown is known a moment later."""
        spaces = iter(" " * n for n in range(1000))  # Telegram answers the same again by itself

        async def known() -> list[Json] | None:
            results: list[Json] = (await self.typed(user, query + next(spaces)))["results"]
            return results if len(results) == count else None

        return await wait_for(known, what=f"{count} results of {query!r}")

    async def inline_answer(self, inline_query_id: str) -> Json:
        """What the bot answered to an inline query."""
        got: Json = await self.call("GET", f"/inline/{inline_query_id}")
        return got

    async def replies(self, chat: int, after: int = 0) -> list[Json]:
        """What the bot wrote into a chat since message `after`, as it stands now."""
        path = f"/chats/{chat}/messages?after={after}&from_bot=true"
        got: list[Json] = await self.call("GET", path)
        return got

    async def wait_replies(
        self, chat: int, count: int = 1, after: int = 0, within: float = PATIENCE_S
    ) -> list[Json]:
        """Wait until the bot has written so many messages since `after`; all it wrote."""

        async def enough() -> list[Json] | None:
            got = await self.replies(chat, after)
            return got if len(got) >= count else None

        return await wait_for(enough, within, f"{count} replies in chat {chat}")

    async def shown(self, chat: int, after: int = 0) -> list[str]:
        """The stories that the bot brought into a chat since message `after`, in order."""
        return stories_of(await self.replies(chat, after))

    async def wait_shown(
        self, chat: int, pks: list[str], after: int = 0, within: float = PATIENCE_S
    ) -> None:
        """Wait until just these stories have come into a chat, in this order."""

        async def are_there() -> bool:
            return await self.shown(chat, after) == pks

        await wait_for(are_there, within, f"the stories {pks} in chat {chat}")

    # Instagram

    async def profile(self, username: str, **fields: Any) -> Json:
        """A new profile; `fields`: `is_private`, `full_name`, `posts_per_day`."""
        got: Json = await self.call("POST", "/profiles", {"username": username, **fields})
        return got

    async def change_profile(self, username: str, /, **fields: Any) -> Json:
        """Change a profile: `username`, `is_private`, `deleted`, `posts_per_day`.

        `trouble` is what it answers from now on (`trouble_times` often, None: until it is null).
        """
        got: Json = await self.call("PATCH", f"/profiles/{username}", fields)
        return got

    async def publish(self, username: str, media_type: int = 1, **fields: Any) -> Json:
        """Publish a story (1 photo, 2 video); the Story as the API shows it.

        `fields`: `taken_at`, `bytes`, `mentions`, `links`, `hashtags`, `locations`,
        `sponsor_tags`, `overrides`, `content_type`, `format`.
        """
        body = {"media_type": media_type, **fields}
        got: Json = await self.call("POST", f"/profiles/{username}/stories", body)
        return got

    async def stories(self, username: str) -> list[Json]:
        """What a profile shows now, seen for free."""
        got: list[Json] = await self.call("GET", f"/profiles/{username}/stories")
        return got

    async def keep(self, username: str, **fields: Any) -> Json:
        """A new highlight; `fields`: `title`, `count`, `days_ago`, `videos`, `live`."""
        got: Json = await self.call("POST", f"/profiles/{username}/highlights", fields)
        return got

    async def drop(self, username: str, pk: str) -> None:
        """Delete a highlight, as its owner would."""
        await self.call("DELETE", f"/profiles/{username}/highlights/{pk}")

    async def take_down(self, username: str, pk: str) -> None:
        """Delete a story, as its owner would."""
        await self.call("DELETE", f"/profiles/{username}/stories/{pk}")

    # the sandbox itself

    async def fault(
        self,
        service: str,
        fault: Json,
        *,
        match: str = "",
        times: int | None = 1,
        after: int = 0,
        every: int = 1,
        host: str = "",
        chat_id: int | None = None,
        source: str = "",
    ) -> int:
        """Put a fault in force (`times` None: until cleared); its id."""
        body = {"service": service, "match": match, "times": times, "after": after, "fault": fault}
        if every != 1:
            body["every"] = every
        if host:
            body["host"] = host
        if chat_id is not None:
            body["chat_id"] = chat_id
        if source:
            body["source"] = source
        return int((await self.call("POST", "/faults", body))["id"])

    async def clear_faults(self, fault_id: int | None = None) -> None:
        """Lift one fault, or all."""
        await self.call("DELETE", "/faults" if fault_id is None else f"/faults/{fault_id}")

    async def state(self) -> Json:
        """`{"now", "billed": {"total", "by_path"}, "calls": {service: n}, "urls"}`."""
        got: Json = await self.call("GET", "/state")
        return got

    async def billed(self, path: str | None = None) -> int:
        """Credits billed in all, or for one path."""
        billed = (await self.state())["billed"]
        return int(billed["total"] if path is None else billed["by_path"].get(path, 0))

    async def billed_for(self, username: str) -> int:
        """Credits billed for requests about one profile, or one of its stories.

        What others follow with the same bot is checked at any moment, and counts in ``billed``.
        """
        ids = {username.lower()}
        with contextlib.suppress(RefusedError):  # nobody has this name
            ids.add((await self.call("GET", f"/profiles/{username}"))["pk"])
            ids |= {story["pk"] for story in await self.stories(username)}

        def is_about(value: object) -> bool:
            return bool(ids & set(re.split(r"[^\w.]+", str(value).lower())))

        log = await self.requests("stories")
        return sum(one["billed"] for one in log if any(map(is_about, one["params"].values())))

    async def requests(
        self, service: str | None = None, *, after: int = 0, path: str = ""
    ) -> list[Json]:
        """The log since entry `after`; of one service, and of paths that contain `path`."""
        query = f"?after={after}" + (f"&service={service}" if service else "")
        got: list[Json] = await self.call("GET", f"/requests{query}")
        return [entry for entry in got if path in entry["path"]]

    async def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on."""
        await self.call("POST", "/clock", {"advance_s": seconds})

    async def stories_api(self, **settings: Any) -> Json:
        """Set `info_format`, `rate`, `balance`, `download_mode` and the like of the service."""
        got: Json = await self.call("POST", "/stories_api", settings)
        return got

    async def privacy_mode(self, *, on: bool) -> None:
        """Say what the bot hears in groups: all messages, or with the mode on those for it."""
        await self.call("PATCH", "/bots/bot", {"can_read_all_group_messages": not on})

    async def link_chats(self, channel: int, group: int | None) -> None:
        """Give a channel its discussion group, or part them."""
        await self.call("PATCH", f"/chats/{channel}", {"linked_chat_id": group})

    async def callback_life(self, seconds: float) -> None:
        """Set for how long the answer to a pressed button is taken."""
        await self.call("POST", "/telegram", {"callback_life_s": seconds})

    async def limits(self, **limits: Any) -> Json:
        """Set Telegram's flood limits."""
        got: Json = await self.call("POST", "/limits", limits)
        return got
