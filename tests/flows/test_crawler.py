"""Every button of every menu is pressed: each says something, and each page has a way back."""

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.dates import get_month_names

from bot.presentation.html import plain
from bot.presentation.translation import LANGUAGES, LOCALES, load_catalogue, translator_for
from handlers.guard import UNKNOWN_BUTTON
from handlers.rights import COMMANDS, OWNER, TABLE
from tests.support.control import Control, Json, wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell, unhurried

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

TIMING = unhurried()  # the pages are tried here, not the flood limits
SETTINGS = {"poll_floor_s": 30}  # of fifty profiles one posts

WRITTEN = (
    *(f"/{word}" for word, one in COMMANDS.items() if one.right is not OWNER),
    "/unsubscribe all", "/subscribe {name}", "/rules {name} only: #sale", "/highlights {name}",
    "/past #sale",
)  # fmt: skip
IN_PRIVATE = ("natgeo", "{name}", "{name}, natgeo", "/story {name}",
              "some words that ask for nothing", "/start card--{start}")  # fmt: skip
OWNERS = ("/people", "/health", "/spending", "/stop_spending", "/resume_spending", "/invite",
             "/admin", "/block 77", "/unblock 77", "/remove_owner 77")  # fmt: skip
ENDS = {"erase:yes"}  # after it there is nothing to go back to; pressed last
WAYS_BACK = ("set:back", "set:zone", "set:quiet", "subs:0", "erase:no",
             "undo:", "help", "people:list:0")  # fmt: skip
ONE_WAY = (
    "live:",
    "run:",
    "past:",
    "card:",
    "follow:",
    "elsewhere:",
)  # these show something new, below
LISTS = ("sub:", "people:who:")  # a page with such buttons is a list, from which all others go on
MARKUP = re.compile(r"(<[^<>]*>|\{[a-z_]+\}|(?<![\w<])/[a-z_]+)|([A-Za-z]{3,})")
NO_WORDS = {  # names
    "natgeo", "prada", "Kept", "crawled", "long", "Boss", "sale", "Lions", "Oceans",
}  # fmt: skip
CITIES = ".*(set:zone|language:)"
NO_BUTTONS = {translator_for(code).plain(UNKNOWN_BUTTON) for code in ("en", "ru")}
REFUSED = "I don't know @crawled_news. Is it spelled right, and am I an admin there?"


def kind_of(data: str) -> str:
    """What a button is, whatever hour, number or place it names."""
    return re.sub(r"[A-Z][A-Za-z_/]+|-?\d+", "#", data)


def bare(data: str) -> str:
    """The data of a button without the chat that it acts on."""
    return re.sub(r"^@[0-9a-z]+:", "", data)


@dataclass
class Place:
    """Where the buttons stand, and who presses them there."""

    chat: int
    user: int
    thread: int | None = None

    @property
    def topic(self) -> Json:
        """What says of a message in which topic it is."""
        return {} if self.thread is None else {"thread_id": self.thread}


@dataclass
class Crawler:
    """Presses what it finds, and what that brings."""

    bell: Bell
    place: Place
    members: tuple[int, ...] = ()  # who press each button before, and may do less
    of_a_kind: int = 2  # buttons that differ in their numbers and places only, and are pressed
    waiting: deque[str] = field(default_factory=deque)
    last: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    pressed: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)

    def find(self, message: Json) -> None:
        """Note the buttons of a message, a few of each kind."""
        thread = message.get("message_thread_id") if message.get("is_topic_message") else None
        assert thread == self.place.thread, message  # of replies, too, Telegram names a thread
        for data in buttons(message).values():
            kind = kind_of(data)
            if "://" in data or self.counts.get(kind, 0) >= self.of_a_kind or data in self.last:
                continue
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.found.add(data)
            (self.last if bare(data) in ENDS else self.waiting).append(data)

    async def ask(self, text: str) -> Json:
        """Write a command; the first message that answers it."""
        place = self.place
        (reply, *_) = await self.bell.ask(place.chat, text, user=place.user, **place.topic)
        return reply

    async def press(self, data: str, user: int) -> tuple[Json | None, list[Json], str]:
        """Press a button of an old message; the message as it is then, what is new, the toast."""
        chat = self.place.chat
        post = await self.bell.old_post(chat, data, **self.place.topic)
        answer = await self.bell.press(chat, post, data, user=user)
        if told := answer.get("text", ""):
            return None, [], told

        async def changed() -> tuple[Json | None, list[Json]] | None:
            now = await self.bell.message(chat, post["message_id"])
            new = await self.bell.control.replies(chat, after=post["message_id"])
            return (
                (now if now["text"] != "…" else None, new) if now["text"] != "…" or new else None
            )

        page, new = await wait_for(changed, what=f"an effect of {data}")
        return page, new, ""

    async def press_what_is_gone(self, data: str) -> None:
        """Press a button twice of a message that is gone meanwhile; it is answered each time."""
        if bare(data) in ENDS:
            return
        chat, user = self.place.chat, self.place.user
        post = await self.bell.old_post(chat, data, **self.place.topic)
        queries = [
            await self.bell.control.press(chat, post["message_id"], data, user=user)
            for _ in range(2)
        ]
        await self.bell.delete(chat, post["message_id"])
        for query in queries:
            await self.bell.answered(query)

    async def crawl(self, commands: tuple[str, ...]) -> set[str]:
        """Press all that these commands lead to; the kinds of what was pressed."""
        for command in commands:
            self.find(await self.ask(command))
        while self.waiting or self.last:
            if not self.waiting and self.place.thread is None:  # perhaps a row of a late album
                for late in await self.bell.control.replies(self.place.chat):
                    self.find(late)
            data = self.waiting.popleft() if self.waiting else self.last.pop(0)
            self.pressed.add(kind_of(bare(data)))
            for member in self.members:
                await self.press(data, member)
            page, new, told = await self.press(data, self.place.user)
            assert told not in NO_BUTTONS, data
            await self.press_what_is_gone(data)
            if page:
                self.judge(page, data)
            for message in (page, *new):
                if message:
                    self.find(message)
        return self.pressed

    def judge(self, page: Json, data: str) -> None:
        """Look for a way on, and back, from a page."""
        what = bare(data)
        if what in ENDS:
            return
        ways = {bare(way) for way in buttons(page).values()}
        assert ways - {what} or what == "subs:0", f"no way on from {data}: {page['text']}"
        leads_back = "all" in ways or any(way.startswith(WAYS_BACK) for way in ways)
        is_top = "set:zone" in ways or "erase" in ways or "subs:0" in ways
        is_list = any(way.startswith(LISTS) for way in ways) or what.startswith("subs:")
        assert leads_back or is_top or is_list or what.startswith(ONE_WAY), (data, page)


async def alerted(crawler: Crawler, name: str) -> None:
    """Subscribe to a profile whose alerts are kept, and let one come; its buttons are crawled."""
    control, place = crawler.bell.control, crawler.place
    await control.profile(name, posts_per_day=0)
    before = (
        datetime.now(UTC).timestamp() - 60
    )  # an alert is of a later second than what was there
    await control.publish(name, taken_at=before)
    ways = buttons(await crawler.ask(f"/subscribe {name}"))
    options = next(way for way in ways.values() if way.startswith("sub:"))
    await crawler.press(f"opt:{options.removeprefix('sub:')}:keep:on", place.user)
    story = await control.publish(name)

    async def alert() -> Json | None:
        shown = await control.replies(place.chat)
        return next((m for m in shown if m.get("_story_pk") == story["pk"]), None)

    crawler.find(await wait_for(alert, what="the alert"))


def commands_with(name: str, *more: str) -> tuple[str, ...]:
    start = name.replace(".", "-d")
    return tuple(text.format(name=name, start=start) for text in (*WRITTEN, *more))


@pytest.mark.slow
async def test_every_button_says_something_and_every_page_has_a_way_back(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    crawler = Crawler(bell, Place(ann, ann), of_a_kind=1)
    names = [f"crawled.{n:02}{'o' * 20}" for n in range(50)]
    await alerted(crawler, names[0])
    await control.keep(names[0], title="Kept", count=12)
    for ten in (names[1:10], names[10:20], names[20:30], names[30:40], names[40:]):
        for name in ten:
            await control.profile(name, posts_per_day=0)
        await bell.ask(ann, f"/subscribe {' '.join(ten)}")
    pressed = await crawler.crawl(commands_with(names[0], *IN_PRIVATE))
    stale = sorted(crawler.found - ENDS)  # all that they are about is erased by now
    for some in (stale[:50], stale[50:]):
        post = await bell.old_post(ann, *some)
        for data in some:
            await bell.press(ann, post, data)
    said = [one.get("text", "") for one in await control.replies(ann)]
    assert not [text for text in said if text.startswith("Something went wrong")]
    assert len(pressed) >= 50, sorted(pressed)
    kinds = {row for row in TABLE if not row.startswith(("/", "a", "what", "plain"))}
    kinds = {row for row in kinds if TABLE[row] is not OWNER}
    missed = {row for row in kinds if not any(data.startswith(row) for data in pressed)}
    # Below, where there are topics; and where there is more than a page, or a file. "keep" is in
    # test_past.py, "tray" in test_talk.py.
    elsewhere = {"topic:", "highlights:", "past:", "import", "list:", "mine", "leave:"}
    assert missed == {*elsewhere, "keep", "tray"}


@pytest.mark.slow
@pytest.mark.parametrize("thread", [None, 7], ids=["group", "topic"])
async def test_the_same_in_a_group_for_its_admin_and_a_member(
    bell: Bell, control: Control, thread: int | None
) -> None:
    boss, ann = await control.person("Boss"), await control.person(language_code="ru")
    members = {boss: "creator", ann: "member"}
    group = await control.chat("supergroup", members=members, is_forum=thread is not None)
    if thread:
        await control.thread(group, thread, "News")
    crawler = Crawler(bell, Place(group, boss, thread), members=(ann,))
    name = f"crawled.group{thread or 0}"
    await alerted(crawler, name)
    pressed = await crawler.crawl(commands_with(name))
    assert len(pressed) >= 45, sorted(pressed)


@pytest.mark.slow
async def test_the_same_of_a_channel_for_who_runs_it_and_a_subscriber(
    bell: Bell, control: Control
) -> None:
    boss, eve = await control.person("Boss"), await control.person("Eve")
    channel = await control.chat(
        "channel", members={boss: "creator", eve: "member"}, bot_status="administrator"
    )
    await bell.answers_for(channel, boss)
    name = "crawled.channel"
    await control.profile(name, posts_per_day=0)
    await control.publish(name)
    in_channel, starts = Crawler(bell, Place(channel, boss)), set[str]()
    await in_channel.ask(f"/subscribe {name}")
    for command in commands_with(name):
        assert not buttons(await in_channel.ask(command))
    await control.name_chat(channel, "crawled_news")
    ours = ("/subscriptions", "/settings", "/language", "/privacy", "/usage", f"/why {name}")
    starts = {f"{command} @crawled_news" for command in ours}
    posted = len(await control.replies(channel))
    in_private = Crawler(bell, Place(boss, boss))
    in_private.counts[kind_of(f"leave:{channel}")] = in_private.of_a_kind  # it ends the alerts
    pressed = await in_private.crawl(tuple(sorted(starts)))
    assert len(pressed) >= 35, sorted(pressed)
    assert len(await control.replies(channel)) == posted
    await in_channel.ask(f"/subscribe {name}")
    for start in sorted(starts):
        (refused, *_) = await bell.ask(eve, start)
        assert refused["text"].startswith(REFUSED), start
    # Buttons of old posts: those of an admin do what they did, a subscriber is told why not.
    for data in sorted(in_private.found):
        if bare(data) in ENDS:
            continue
        _, new, told = await in_channel.press(bare(data), eve)
        assert told, data
        assert not new, data
        await in_channel.press(bare(data), boss)


@pytest.mark.slow
async def test_the_same_for_who_runs_the_bot(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        boss, ann = await box.control.person("Boss"), await box.control.person()
        async with running_bell(tmp_path, box, timing=TIMING, admin_ids=str(boss)) as bell:
            await bell.ask(ann, "/stories natgeo")
            pressed = await Crawler(bell, Place(boss, boss)).crawl(OWNERS)
            assert len(pressed) >= 8, sorted(pressed)


def lengthened(text: str) -> str:
    """A translation into a language of long words: half as long again."""
    return MARKUP.sub(lambda m: m[1] or m[2] + m[2][: len(m[2]) // 2 + 1], text)


def from_the_right(text: str) -> str:
    """A translation into a language that is written from right to left."""
    return MARKUP.sub(lambda m: m[1] or "\u0643" * len(m[2]), text)


def left_over(text: str) -> str:
    """What of a text no catalogue has said."""
    while (less := re.sub("⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = less
    return text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "translated"), [("de", lengthened), ("ar", from_the_right)], ids=["long", "rtl"]
)
async def test_nothing_is_cut_and_nothing_untranslated(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    translated: Callable[[str], str],
) -> None:
    texts = load_catalogue(language, LOCALES).texts
    for msgid, forms in load_catalogue("en", LOCALES).texts.items():
        said = f"⟦{translated(forms[-1])}⟧"
        monkeypatch.setitem(texts, msgid, (said,) * len(texts[msgid]))
    async with sandbox_box() as box:
        boss = await box.control.person("Boss", language_code=language)
        async with running_bell(tmp_path, box, timing=TIMING, admin_ids=str(boss)) as bell:
            crawler = Crawler(bell, Place(boss, boss), of_a_kind=1)
            crawler.counts |= {kind_of(f"language:{code}"): 1 for code in LANGUAGES}
            await alerted(crawler, "crawled.long")
            await box.control.keep("crawled.long", title="Kept", count=12)
            await crawler.crawl((*commands_with("crawled.long", *IN_PRIVATE), *OWNERS))
        log = [one["params"] for one in await box.control.requests("telegram")]
        shown = [one for one in log if one.get("text") != "…"]  # which stands over old buttons
        seen = [str(one[name]) for one in shown for name in ("text", "caption") if one.get(name)]
        for one in shown:
            markup = one.get("reply_markup") or {}
            markup = json.loads(markup) if isinstance(markup, str) else markup
            keys = [key for row in markup.get("inline_keyboard", []) for key in row]
            seen += [key["text"] for key in keys if not re.match(CITIES, str(key))]
    assert len(seen) > 200
    # A button may say in part how its page is set.
    cut = [text for text in seen if text.count("⟦") != text.count("⟧")]
    assert not [text for text in cut if not text.endswith("…⟧")]
    outside = [plain(re.sub("<code>.*?</code>", "", text)) for text in seen if text not in cut]
    rest = [left_over(re.sub(r"https?://\S+|/\w+", "", text)) for text in outside]
    words = {word for text in rest for word in re.findall("[A-Za-z]{3,}", text)}
    assert sorted(words - NO_WORDS - {*get_month_names(locale=language).values()}) == []
