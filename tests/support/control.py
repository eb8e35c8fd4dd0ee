"""Client of the sandbox's control API for tests of the complete bot."""

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

# Maximum wait on a busy machine. Only a failure takes so long; tests of failures wait less.
PATIENCE_S = float(os.environ.get("PATIENCE_S", "60"))  # noqa: TID251 - the tests have no Settings
# Each poll is a request to the sandbox, in the same process as the bot. The interval grows,
# because frequent polls of many waiting tests took half of the CPU.
_FIRST_POLL_S, _LAST_POLL_S = 0.01, 0.1
_POLLS_GROW = 1.25


def refused(text: str, code: int = 400) -> Json:
    """Return the fault by which Telegram refuses a call with an error message."""
    prefix = {400: "Bad Request: ", 403: "Forbidden: ", 409: "Conflict: "}.get(code, "")
    return {
        "status": code,
        "body": {"ok": False, "error_code": code, "description": prefix + text},
    }


def flood(seconds: int) -> Json:
    """Return the fault by which Telegram answers with status 429."""
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
    """Poll until the predicate, plain or async, returns a true value. Return the value.

    Raises:
        AssertionError: The value is still false after ``within`` seconds.
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
    """Return the pks of the stories in messages, in order."""
    return [message["_story_pk"] for message in messages if message.get("_story_pk")]


class RefusedError(AssertionError):
    """The control API responded with an error."""


class Control:
    """Client of a sandbox over HTTP. Chats, persons and messages are identified by id."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Connect to the page listener at the origin `url`."""
        self._session, self._url = session, url

    async def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """Call the control API at `path` below `/control`. Return the response's JSON.

        Raises:
            RefusedError: The status of the response is not 200.
        """
        url = f"{self._url}/control{path}"
        async with self._session.request(method, url, json=body) as answer:
            if answer.status != 200:
                raise RefusedError(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    # Persons and chats.

    async def person(
        self,
        first_name: str = "Ann",
        *,
        username: str | None = None,
        language_code: str = "en",
        started: bool = False,
    ) -> int:
        """Create a person. Return the id, which is also the id of the private chat.

        With `started`, the person sends /start.
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
        """Create a `group`, `supergroup` or `channel`. `members` maps users to their status."""
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
        """Set the public name of a group or channel."""
        await self.call("PATCH", f"/chats/{chat}", {"username": username})

    async def member(self, chat: int, user: int, status: str) -> None:
        """Set the status of a member, or of the bot, in a chat."""
        await self.call("PUT", f"/chats/{chat}/members/{user}", {"status": status})

    async def migrate(self, chat: int) -> int:
        """Migrate a group to a supergroup. Return the new id."""
        return int((await self.call("POST", f"/chats/{chat}/migrate"))["new_chat_id"])

    async def thread(self, chat: int, thread: int, name: str, state: str = "open") -> None:
        """Open, close or delete a forum topic."""
        await self.call("PUT", f"/chats/{chat}/threads/{thread}", {"name": name, "state": state})

    async def topics(self, chat: int) -> dict[int, str]:
        """Return the names of a chat's open topics by id."""
        chats = await self.call("GET", "/chats")
        (found,) = [one for one in chats if one["id"] == chat]
        return {
            topic["message_thread_id"]: topic["name"]
            for topic in found["_topics"]
            if topic["state"] == "open"
        }

    async def private_topics(self, *, on: bool) -> None:
        """Enable or disable topics in private chats with the bot."""
        await self.call("PATCH", "/bots/bot", {"has_topics_enabled": on})

    # Messages, buttons and inline queries.

    async def say(self, chat: int, text: str, *, user: int | None = None, **more: Any) -> int:
        """Send a message of a person. Return the message's id.

        `user` defaults to the person of the private chat. `more`: `entities`, `thread_id`,
        `reply_to`, `sender_chat_id`, `file`, `location`, `media_group_id`.
        """
        body = {"user_id": chat if user is None else user, "text": text, **more}
        return int((await self.call("POST", f"/chats/{chat}/messages", body))["message_id"])

    async def press(self, chat: int, message: int, data: str, *, user: int | None = None) -> str:
        """Press an inline button. Return the id of the callback query."""
        body = {"user_id": chat if user is None else user, "message_id": message, "data": data}
        return str((await self.call("POST", f"/chats/{chat}/press", body))["callback_query_id"])

    async def callback(self, callback_query_id: str) -> Json:
        """Return the answer to a press: `{"answered", "text"?, "show_alert"?}`."""
        got: Json = await self.call("GET", f"/callbacks/{callback_query_id}")
        return got

    async def inline(self, user: int, query: str, **more: Any) -> str:
        """Type an inline query. Return the query's id."""
        body = {"user_id": user, "query": query, **more}
        return str((await self.call("POST", "/inline", body))["inline_query_id"])

    async def typed(self, user: int, query: str, **more: Any) -> Json:
        """Type an inline query. Return the bot's answer with the query's id."""
        query_id = await self.inline(user, query, **more)

        async def answered() -> Json | None:
            answer = await self.inline_answer(query_id)
            return answer if answer["answered"] else None

        answer = await wait_for(answered, what=f"the answer to {query!r}")
        return {**answer, "id": query_id}

    async def held(self, user: int, query: str, count: int) -> list[Json]:
        """Type queries until `count` stories are cached, soon after their display."""
        spaces = iter(" " * n for n in range(1000))  # Telegram caches answers to equal queries

        async def known() -> list[Json] | None:
            results: list[Json] = (await self.typed(user, query + next(spaces)))["results"]
            return results if len(results) == count else None

        return await wait_for(known, what=f"{count} results of {query!r}")

    async def inline_answer(self, inline_query_id: str) -> Json:
        """Return the bot's answer to an inline query."""
        got: Json = await self.call("GET", f"/inline/{inline_query_id}")
        return got

    async def replies(self, chat: int, after: int = 0) -> list[Json]:
        """Return the bot's present messages in a chat since message `after`."""
        path = f"/chats/{chat}/messages?after={after}&from_bot=true"
        got: list[Json] = await self.call("GET", path)
        return got

    async def wait_replies(
        self, chat: int, count: int = 1, after: int = 0, within: float = PATIENCE_S
    ) -> list[Json]:
        """Wait until the bot has sent `count` messages since `after`. Return all messages."""

        async def enough() -> list[Json] | None:
            got = await self.replies(chat, after)
            return got if len(got) >= count else None

        return await wait_for(enough, within, f"{count} replies in chat {chat}")

    async def shown(self, chat: int, after: int = 0) -> list[str]:
        """Return the stories that the bot sent to a chat since message `after`, in order."""
        return stories_of(await self.replies(chat, after))

    async def wait_shown(
        self, chat: int, pks: list[str], after: int = 0, within: float = PATIENCE_S
    ) -> None:
        """Wait until a chat contains exactly these stories in this order."""

        async def are_there() -> bool:
            return await self.shown(chat, after) == pks

        await wait_for(are_there, within, f"the stories {pks} in chat {chat}")

    async def wait_flood(self, path: str = "sendPhoto", within: float = PATIENCE_S) -> None:
        """Wait until Telegram answers a call whose path contains `path` with status 429."""

        async def is_refused() -> bool:
            return any(one["status"] == 429 for one in await self.requests("telegram", path=path))

        await wait_for(is_refused, within, f"a 429 to {path}")

    # The simulated Instagram.

    async def profile(self, username: str, **fields: Any) -> Json:
        """Create a profile. `fields`: `is_private`, `full_name`, `posts_per_day`."""
        got: Json = await self.call("POST", "/profiles", {"username": username, **fields})
        return got

    async def change_profile(self, username: str, /, **fields: Any) -> Json:
        """Change a profile: `username`, `is_private`, `deleted`, `posts_per_day`, `trouble`.

        `trouble` is the response of the profile from now on, for `trouble_times` requests, or, if
        None, until `trouble` is set to null.
        """
        got: Json = await self.call("PATCH", f"/profiles/{username}", fields)
        return got

    async def publish(self, username: str, media_type: int = 1, **fields: Any) -> Json:
        """Publish a story (1 photo, 2 video). Return the Story in the API's format.

        `fields`: `taken_at`, `bytes`, `mentions`, `links`, `hashtags`, `locations`,
        `sponsor_tags`, `overrides`, `content_type`, `format`.
        """
        body = {"media_type": media_type, **fields}
        got: Json = await self.call("POST", f"/profiles/{username}/stories", body)
        return got

    async def stories(self, username: str) -> list[Json]:
        """Return the visible stories of a profile, without a charge."""
        got: list[Json] = await self.call("GET", f"/profiles/{username}/stories")
        return got

    async def keep(self, username: str, **fields: Any) -> Json:
        """Create a highlight. `fields`: `title`, `count`, `days_ago`, `videos`, `live`."""
        got: Json = await self.call("POST", f"/profiles/{username}/highlights", fields)
        return got

    async def drop(self, username: str, pk: str) -> None:
        """Delete a highlight as its owner."""
        await self.call("DELETE", f"/profiles/{username}/highlights/{pk}")

    async def take_down(self, username: str, pk: str) -> None:
        """Delete a story as its owner."""
        await self.call("DELETE", f"/profiles/{username}/stories/{pk}")

    # Faults, charges and settings of the sandbox.

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
        """Add a fault. Return its id. With `times` None, the fault stays until it is cleared."""
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
        """Remove a fault, or all faults."""
        await self.call("DELETE", "/faults" if fault_id is None else f"/faults/{fault_id}")

    async def state(self) -> Json:
        """Return `{"now", "billed": {"total", "by_path"}, "calls": {service: n}, "urls"}`."""
        got: Json = await self.call("GET", "/state")
        return got

    async def billed(self, path: str | None = None) -> int:
        """Return the billed credits in total or for one path."""
        billed = (await self.state())["billed"]
        return int(billed["total"] if path is None else billed["by_path"].get(path, 0))

    async def billed_for(self, username: str) -> int:
        """Return the billed credits for requests about a profile or its stories.

        ``billed`` also includes checks of other subscriptions, which may happen at any time.
        """
        ids = {username.lower()}
        with contextlib.suppress(RefusedError):  # the sandbox has no profile with the name
            ids.add((await self.call("GET", f"/profiles/{username}"))["pk"])
            ids |= {story["pk"] for story in await self.stories(username)}

        def is_about(value: object) -> bool:
            return bool(ids & set(re.split(r"[^\w.]+", str(value).lower())))

        log = await self.requests("stories")
        return sum(one["billed"] for one in log if any(map(is_about, one["params"].values())))

    async def requests(
        self, service: str | None = None, *, after: int = 0, path: str = ""
    ) -> list[Json]:
        """Return the log since entry `after`, of one service and of paths that contain `path`."""
        query = f"?after={after}" + (f"&service={service}" if service else "")
        got: list[Json] = await self.call("GET", f"/requests{query}")
        return [entry for entry in got if path in entry["path"]]

    async def advance(self, seconds: float) -> None:
        """Advance the sandbox's clock."""
        await self.call("POST", "/clock", {"advance_s": seconds})

    async def stories_api(self, **settings: Any) -> Json:
        """Set `info_format`, `rate`, `balance`, `download_mode` and other settings of the API."""
        got: Json = await self.call("POST", "/stories_api", settings)
        return got

    async def privacy_mode(self, *, on: bool) -> None:
        """Set group privacy mode. With `on`, the bot receives only messages to the bot."""
        await self.call("PATCH", "/bots/bot", {"can_read_all_group_messages": not on})

    async def link_chats(self, channel: int, group: int | None) -> None:
        """Link a channel to a discussion group, or remove the link."""
        await self.call("PATCH", f"/chats/{channel}", {"linked_chat_id": group})

    async def callback_life(self, seconds: float) -> None:
        """Set the time for which a callback query can be answered."""
        await self.call("POST", "/telegram", {"callback_life_s": seconds})

    async def limits(self, **limits: Any) -> Json:
        """Set Telegram's flood limits."""
        got: Json = await self.call("POST", "/limits", limits)
        return got
