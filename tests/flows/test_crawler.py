"""Every button of every menu is pressed: each says something, and each page has a way back."""

import re
from collections import deque

import pytest

from tests.support.control import Control, Json, wait_for
from tests.support.storybell import Bell, buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMANDS = (
    "/start", "/help", "/settings", "/timezone", "/language", "/subscriptions", "/unsubscribe",
    "/unsubscribe all", "/why", "/preview", "/privacy", "crawled.one", "/story crawled.one",
    "some words that ask for nothing", "/subscribe crawled.one",
)  # fmt: skip
OF_A_KIND = 2  # buttons that differ in their numbers and places only, and are pressed
ENDS = {"erase:yes"}  # after it there is nothing to go back to; pressed last
WAYS_BACK = ("set:back", "set:zone", "set:clock", "set:quiet", "subs:0", "erase:back", "erase:no",
             "unsub:no", "undo:")  # fmt: skip
ONE_WAY = ("stories:", "live:", "run:")  # these show something new, below


def kind_of(data: str) -> str:
    """What a button is, whatever hour, number or place it names."""
    return re.sub(r"[A-Z][A-Za-z_/]+|-?\d+", "#", data)


async def press(bell: Bell, chat: int, data: str) -> tuple[Json | None, list[Json], str]:
    """Press a button of an old message; the message as it is then, what is new, the toast."""
    post = await bell.old_post(chat, data)
    answer = await bell.press(chat, post, data)
    told = answer.get("text", "")

    async def changed() -> tuple[Json | None, list[Json]] | None:
        now = await bell.message(chat, post["message_id"])
        new = await bell.control.replies(chat, after=post["message_id"])
        return (now if now["text"] != "…" else None, new) if now["text"] != "…" or new else None

    if told:
        return None, [], told
    page, new = await wait_for(changed, what=f"an effect of {data}")
    return page, new, told


async def crawl(bell: Bell, chat: int) -> set[str]:
    """Press all; what was pressed."""
    waiting: deque[str] = deque()
    counts: dict[str, int] = {}
    last: list[str] = []

    def found(message: Json) -> None:
        for data in buttons(message).values():
            kind = kind_of(data)
            if "://" in data or counts.get(kind, 0) >= OF_A_KIND or data in last:
                continue
            counts[kind] = counts.get(kind, 0) + 1
            (last if data in ENDS else waiting).append(data)

    for command in COMMANDS:
        (reply, *_) = await bell.ask(chat, command)
        found(reply)
    pressed = set()
    while waiting or last:
        data = waiting.popleft() if waiting else last.pop()
        pressed.add(kind_of(data))
        page, new, told = await press(bell, chat, data)
        assert page or new or told, data
        if page and data not in ENDS:
            ways = set(buttons(page).values())
            assert ways - {data} or data == "subs:0", f"no way on from {data}: {page['text']}"
            leads_back = any(way.startswith(WAYS_BACK) for way in ways)
            is_top = "set:zone" in ways or "erase" in ways or "subs:0" in ways
            is_list = any(way.startswith("sub:") for way in ways) or data.startswith("subs:")
            assert leads_back or is_top or is_list or data.startswith(ONE_WAY), data
        for message in (page, *new):
            if message:
                found(message)
    return pressed


async def test_every_button_says_something_and_every_page_has_a_way_back(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("crawled.one")
    await control.publish("crawled.one")
    await bell.ask(ann, "/subscribe crawled.one")
    pressed = await crawl(bell, ann)
    assert len(pressed) >= 45, sorted(pressed)
