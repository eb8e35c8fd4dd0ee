"""The whole table of rights, walked through real HTTP: who may do what, and where.

Each cell is one person in one chat who does one thing. What is refused is said in a sentence or a
pop-up, and does nothing; the operator's commands do not exist for others.
"""

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import CONVERSATION
from bot.domain.options import TEXTS, Options
from handlers import help, members, options, stories  # noqa: A004 - the command's name
from handlers.guard import UNKNOWN_BUTTON, Guarded, command, handlers_of
from handlers.rights import ANYBODY, COMMANDS, OWNER, SHOW, TABLE
from handlers.settings import QUIET
from tests.support.control import Json
from tests.support.storybell import NO_CHECKS, TOKEN, Bell, storybell

pytestmark = pytest.mark.jumps

NAME = f"storybell_{TOKEN.partition(':')[0]}_bot"
AT_ONCE = 8
EACH = 4  # of so many cells one is tried at least, before all are
REFUSALS = {
    "Only admins of this group can change that.",
    "Only admins who can post in this channel can do that.",
}
CAPTIONS = {"a file to import": "/import", "a command as a caption": "/usage"}
WORDS = {
    "a link": "https://www.instagram.com/stories/highlights/17895/",
    "what asks for nothing": "Such lovely weather today",
}
BUTTONS = {
    "language:": ("language:es", "language:xx"),
    "live:": ("live:quiet",),
    "tray": ("tray",),
    "card:": ("card:quiet",),
    "follow:": ("follow:quiet",),
    "elsewhere:": ("elsewhere:1",),
    "import": ("import",),
    "list:": ("list:one:0", "list:all:0", "list:page:1"),
    "subs:": ("subs:0",),
    "sub:": ("sub:1",),
    "unsub:": ("unsub:1", "unsub:2"),
    "help": ("help", "help:alerts"),
    "files:": ("files:3770000000000000000", "files:@natgeo"),
    "highlights:": ("highlights:natgeo:0",),
    "highlight:": ("highlight:18787132", "highlight:18787132:10"),
    "past:": ("past:3770000000000000000",),
    "keep": ("keep",),
    "opt:": ("opt:1:pause:on", "opt:1:silent:on", "opt:1:rules:off"),
    "all": ("all", "all:silent:on", "all:silent:on:save"),
    "restore:": ("restore:1700000000000",),
    "defaults": ("defaults", "defaults:silent"),
    "set:": ("set:back", "set:zone:Asia/Tokyo", "set:quiet:0-0", "set:parts:on"),
    "people:": ("people:list:0", "people:who:1", "people:limit:1:10", "people:block:1"),
    "owner:": ("owner:invite", "owner:open", "owner:no:1"),
    "profile_id:": ("profile_id:natgeo",),
    "cast:": ("cast:send:1", "cast:no:1", "cast:stop:1"),
    "erase": ("erase", "erase:yes", "erase:no"),
    "mine": ("mine",),
    "leave:": ("leave:-1001",),
    "mute:": ("mute:1",),
    "rules:": ("rules:show", "rules:off", "rules:save", "rules:undo"),
    "topic:": ("topic:1:on", "topic:1:off"),
    "undo:": ("undo:1700000000",),
    "run:": ("run:why:quiet", "run:usage", "run:subscribe:quiet"),
    "many:": ("many:stories", "many:subscribe"),
    "language": ("language",),
    "any other button": ("invented",),
}
QUESTION, SETTING = "an answer to our question", "an answer: a setting"
CHOSEN = "a chosen chat"
REQUEST = "plain words to the bot"
REPLIES = {
    QUESTION: (stories.ASK, "no name?"),
    SETTING: (QUIET, "23-7"),
    REQUEST: ("…", "settings"),
}
"""The text of the bot, and the reply of a person."""
NOT_IN_CHANNELS = {"a link", QUESTION, SETTING}  # posts with links are not for us
ONLY_GROUPS = {REQUEST}
ONLY_PRIVATE = {"what asks for nothing", CHOSEN}  # in groups people talk with each other


class Role(Enum):
    """Who somebody is, where they act."""

    PERSON = auto()  # in their own private chat
    MEMBER = auto()  # of a group
    ADMIN = auto()  # of a group, or of a channel with the right to post
    ANONYMOUS_ADMIN = auto()  # writes in the group's own name
    AS_CHANNEL = auto()  # writes in the name of a channel: nobody in particular
    SUBSCRIBER = auto()  # of a channel, or an administrator who may not post there
    OPERATOR = auto()  # wherever they are; else a member or a subscriber


WRITERS = (Role.MEMBER, Role.ADMIN, Role.ANONYMOUS_ADMIN, Role.AS_CHANNEL, Role.OPERATOR)


@dataclass(frozen=True)
class Cell:
    """Somebody does something somewhere."""

    name: str
    data: str | None  # of a button
    kind: str  # private, group, forum, channel
    role: Role

    def __str__(self) -> str:
        return f"{self.data or self.name} in {self.kind} by {self.role.name}"


def cells() -> Iterator[Cell]:
    """Every command, message and button, by everybody who can do it, everywhere."""
    for name in TABLE:
        examples: tuple[str | None, ...] = BUTTONS.get(name, (None,))
        for data, kind in itertools.product(examples, ("private", "group", "forum", "channel")):
            for role in _roles(kind, pressed=data is not None):
                if kind == "channel" and name in NOT_IN_CHANNELS:
                    continue
                if kind != "private" and name in ONLY_PRIVATE:
                    continue
                if kind in {"private", "channel"} and name in ONLY_GROUPS:
                    continue
                yield Cell(name, data, kind, role)


def sample() -> Iterator[Cell]:
    """Take the first cell of each row and of each role in each kind of chat, and each fourth."""
    met: set[object] = set()
    for number, cell in enumerate(cells()):
        new = {cell.name, (cell.kind, cell.role)} - met
        if new or number % EACH == 0:
            met |= new
            yield cell


def _roles(kind: str, *, pressed: bool) -> tuple[Role, ...]:
    if kind == "private":
        return (Role.PERSON, Role.OPERATOR)
    if kind != "channel":
        return WRITERS
    return (Role.SUBSCRIBER, Role.ADMIN, Role.OPERATOR) if pressed else (Role.ADMIN,)


def allows(name: str, kind: str, role: Role) -> bool:
    """Whether the table lets somebody do what a row is of."""
    right = TABLE[name]
    if right is OWNER:
        return role is Role.OPERATOR
    if kind == "private" or right is ANYBODY or (right is SHOW and kind != "channel"):
        return True
    return role in {Role.ADMIN, Role.ANONYMOUS_ADMIN}


def is_let(cell: Cell) -> bool:
    """Whether the table lets them."""
    is_change = cell.data == "run:subscribe:quiet"
    return allows("/subscribe" if is_change else cell.name, cell.kind, cell.role)


def bare(msgid: str) -> str:
    """A sentence as Telegram shows it."""
    return re.sub("<[^>]+>", "", msgid)


class Walk:
    """The walk over the table, with one bot."""

    def __init__(self, bell: Bell, owners: Sequence[int], document: Json, greeting: Json) -> None:
        """``document`` is a message with a file that people send; ``greeting`` begins chats."""
        self.bell, self.control = bell, bell.control
        self._owners = iter(owners)
        self._document = {"chat_id": owners[0], "message_id": document["message_id"]}
        self._greeting = {"chat_id": owners[0], "message_id": greeting["message_id"]}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def step(self, cell: Cell) -> str | None:
        """Do it; what is wrong with what became of it."""
        async with self._turn:
            chat, person = await self._scene(cell)
            act = self._write if cell.data is None else self._press
            try:
                got = await act(cell, chat, person)
            except AssertionError as error:
                got = str(error)
        wanted = "done" if is_let(cell) else "refused"
        if wanted == "refused" and TABLE[cell.name] is OWNER:
            is_command = cell.kind == "private" and cell.data is None
            wanted = "unknown" if is_command else "silence"
        return None if got == wanted else f"{cell}: {got}, not {wanted}"

    async def _scene(self, cell: Cell) -> tuple[int, int]:
        by_operator = cell.role is Role.OPERATOR
        person = next(self._owners) if by_operator else await self.control.person()
        if cell.kind == "private":
            # The bot ignores its own text, and the private chat exists from now on.
            body = {"user_id": person, "forward": self._greeting}
            await self.control.call("POST", f"/chats/{person}/messages", body)
            return person, person
        status = "member"
        if cell.role in {Role.ADMIN, Role.ANONYMOUS_ADMIN}:
            status = "administrator"
        kind = {"forum": "supergroup"}.get(cell.kind, cell.kind)
        chat = await self.control.chat(
            kind,
            members={person: status},
            is_forum=cell.kind == "forum",
            bot_status="administrator" if kind == "channel" else "member",
        )
        if cell.kind == "forum":
            await self.control.thread(chat, 2, "News")
        return chat, person

    async def _press(self, cell: Cell, chat: int, person: int) -> str:
        data = cell.data or ""
        post = await self.bell.old_post(chat, data)
        before = await self.control.replies(chat)
        query = await self.control.press(chat, post["message_id"], data, user=person)
        answer = await self.bell.answered(query, 60)
        if answer.get("text") not in REFUSALS:
            is_for_others = TABLE[cell.name] is OWNER and not is_let(cell)
            is_unknown = answer.get("text") == UNKNOWN_BUTTON
            return "silence" if is_for_others and is_unknown else "done"
        after = await self.control.replies(chat)
        return "refused" if after == before else f"refused, and {after}"

    async def _write(self, cell: Cell, chat: int, person: int) -> str:
        more: dict[str, Any] = {"thread_id": 2} if cell.kind == "forum" else {}
        if cell.role is Role.ANONYMOUS_ADMIN:
            more["sender_chat_id"] = chat
        elif cell.role is Role.AS_CHANNEL:
            more["sender_chat_id"] = await self.control.chat("channel", "Somebody's")
        text = WORDS.get(cell.name, f"{cell.name}@{NAME}")
        if cell.name in REPLIES:
            # A person without the right for a question may reply to the question of another.
            replied, text = REPLIES[cell.name]
            post = await self.bell.old_post(chat, text=bare(replied))
            more["reply_to"] = post["message_id"]
        elif cell.name == CHOSEN:
            text, more["chat_shared"] = "", {"request_id": 1, "chat_id": -1001}
        elif cell.name in CAPTIONS:
            text, more["file_of"] = "", self._document
            more["caption"] = CAPTIONS[cell.name]
        message = await self.control.say(chat, text, user=person, **more)
        hidden = TABLE[cell.name] is OWNER and not is_let(cell)
        if hidden and cell.kind != "private":
            await self.control.say(chat, f"/help@{NAME}", user=person, **more)
        (reply, *rest) = await self.control.wait_replies(chat, 1, after=message)
        said = reply.get("text", "")
        if said in REFUSALS:
            return "refused"
        if said.startswith(f"I don't know the command {cell.name}."):
            return "unknown"
        is_help = ("all stories from a profile" in said) and cell.name != "/help"
        return "silence" if is_help and not rest else "done"


@contextlib.asynccontextmanager
async def walking(folder: Path) -> AsyncIterator[Walk]:
    """Run the bot, with its owners."""
    first = 100_000_001  # the sandbox's first person; each step has an operator of its own
    owners = range(first, first + sum(cell.role is Role.OPERATOR for cell in cells()))
    plenty = {"daily_budget": 100_000, "person_daily_allowance": 100_000}
    values = {"messages_per_second": 1000, "admin_ids": list(owners)} | NO_CHECKS | plenty
    async with storybell(folder, **values) as bell:
        await bell.control.privacy_mode(on=False)
        await bell.control.callback_life(60)  # a busy machine is not what is tried here
        assert [await bell.control.person("Operator") for _ in owners] == list(owners)
        (greeting,) = await bell.ask(first, "/help")
        yield Walk(bell, owners, await _document(bell, first), greeting)


async def _document(bell: Bell, chat: int) -> Json:
    form = aiohttp.FormData({"chat_id": str(chat)})
    body = json.dumps({"subscriptions": []})
    form.add_field("document", body, filename="storybell.json", content_type="application/json")
    url = f"{bell.box.urls.telegram}/bot{TOKEN}/sendDocument"
    async with bell.box.session.post(url, data=form) as answer:
        sent: Json = (await answer.json())["result"]
    return sent


async def walk(folder: Path, tried: Sequence[Cell]) -> list[str]:
    """Take these steps of the table; what is wrong."""
    async with walking(folder) as steps:
        found = await asyncio.gather(*(steps.step(cell) for cell in tried))
    return [wrong for wrong in found if wrong]


async def test_a_part_of_the_table_holds(tmp_path: Path) -> None:
    tried = list(sample())
    assert {cell.name for cell in tried} == set(TABLE)
    assert await walk(tmp_path, tried) == []


@pytest.mark.slow
@pytest.mark.timeout(900)  # a thousand cells
async def test_the_table_holds_for_everybody_everywhere(tmp_path: Path) -> None:
    tried = list(cells())
    assert len(tried) >= 500
    assert await walk(tmp_path, tried) == []


def test_every_handler_has_a_row_and_every_row_a_handler() -> None:
    heard = [handler for module in CONVERSATION for handler in handlers_of(module)]
    ours = [one.callback for one in heard if isinstance(one.callback, Guarded)]
    told = handlers_of(members)  # what Telegram itself tells
    assert [one for one in heard if not isinstance(one.callback, Guarded)] == told
    assert {one.name for one in ours} == set(TABLE), "a row without a handler in CONVERSATION"
    assert len(ours) == len(TABLE)


def test_every_command_stands_in_the_readme_and_in_the_help_or_the_menu() -> None:
    helped = " ".join(one.line for one in COMMANDS.values())
    said = {word for word, one in COMMANDS.items() if one.menu or f"/{word}" in helped}
    # Who is on the page of people gets these by its buttons; all begin with /start.
    assert COMMANDS.keys() - said == {"start", "allow", "block", "unblock", "remove_owner"}, (
        "give it a line of the help, or an entry of the menu: in its row in handlers/rights.py"
    )
    readme = set(re.findall(r"`/(\w+)", Path("README.md").read_text(encoding="utf-8")))
    assert COMMANDS.keys() - readme <= {"start", "help"}, "write its row in README.md"


def test_the_lines_of_a_command_stand_in_a_section_of_the_help() -> None:
    written = {one.section for one in COMMANDS.values() if one.line}
    assert written <= help.SECTIONS.keys(), "its section in handlers/rights.py is none of the help"


def test_every_option_has_a_button_or_is_typed() -> None:
    paged = {name for _, names in options.SECTIONS.values() for name in names}
    assert Options.__dataclass_fields__.keys() == paged | TEXTS.keys(), (
        "give it a page in SECTIONS of handlers/options.py; what is typed stands in TEXTS"
    )
    assert paged == set(options.ALL), "its words: in TOGGLES of handlers/options.py, or in WORDS"


def test_what_a_member_may_do_in_a_group() -> None:
    allowed = {name for name in TABLE if allows(name, "group", Role.MEMBER)}
    assert allowed == {name for name, right in TABLE.items() if right in {ANYBODY, SHOW}}
    assert allowed == {
        "/start", "/help", "/language", "/stories", "/subscriptions", "/why", "/past",
        "/highlights", "/export", "/settings", "/usage", "/privacy",
        "help", "language", "live:", "card:", "elsewhere:", "past:", "files:", "highlights:",
        "tray", "highlight:", "subs:", "sub:", "run:", "many:", "any other button",
        "a link", "an answer to our question", "what asks for nothing",
        "plain words to the bot", "a command as a caption",
    }, "if a group's members may do more now, or less, and it is meant, list it"  # fmt: skip


def test_a_subscriber_of_a_channel_may_do_nothing() -> None:
    allowed = {name for name in TABLE if allows(name, "channel", Role.SUBSCRIBER)}
    assert allowed == {"any other button"}  # which does nothing


def test_a_handler_without_a_row_is_refused_when_it_is_made() -> None:
    with pytest.raises(LookupError, match="no row"):
        command("invented")(stories.fetch_and_enqueue_named_stories.run)
