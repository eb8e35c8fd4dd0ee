"""The persons of a run: chats of all kinds, and messages, presses, removals and returns."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bot.domain.options import RULES, Options
from handlers.options import SECTIONS
from sandbox.telegram.model import Chat, Message
from tests.soak.journal import HOUR, Asked, Journal, Window
from tests.soak.rates import ORDINARY, Rates
from tests.support.control import Control, RefusedError

FOLLOWED = 4  # initial subscriptions per chat
KINDS = ("group", "supergroup", "forum", "channel")
# The button that opens the page of a subscription. The buttons of its sections have more words.
_SUBSCRIPTION = re.compile(r"sub:\d+")
HANDS = 30  # concurrent actions; some take hours
DAY = 24 * HOUR
Deed = Callable[["Place"], Awaitable[None]]
"""An action of a person in a chat."""

TROUBLES: tuple[tuple[str, int | None], ...] = (
    ("error", None), ("ClientForbiddenError", None), ("ClientLoginRequired", None),
    ("PleaseWaitFewMinutes", None), ("nameless", None), ("edge", None), ("PrivateAccount", None),
    ("UserNotFound", 1), ("UserNotFound", 2), ("MediaNotFound", 1),
)  # fmt: skip
"""Errors of one account and their number (None: for hours). No error is a proof."""


@dataclass(eq=False)
class Place:
    """A chat with owner and members."""

    chat: int
    kind: str
    owner: int
    members: list[int]
    topics: list[int] = field(default_factory=list)
    is_away: bool = False  # the bot is blocked or removed


class People:
    """All persons, driven by a random generator."""

    def __init__(
        self, control: Control, journal: Journal, seed: int, rates: Rates = ORDINARY
    ) -> None:
        """Prepare without any persons."""
        self._rates = rates
        self._control = control
        self._journal = journal
        self._chance = random.Random(f"{seed}/people")  # noqa: S311 - must be repeatable
        self.places: list[Place] = []
        self.names: list[str] = []
        self.deeds: list[tuple[int, Deed]] = [
            (rates.probes, self.probe), (14, self.press_any),
            (10, self.ask_stories), (10, self.paste),
            (7, self.subscribe), (5, self.unsubscribe), (6, self.ask_why), (5, self.look_round),
            (5, self.set_quiet), (4, self.set_option), (rates.leaves, self.leave),
            (3, self.migrate),
            (3, self.mute), (3, self.change_rights), (3, self.close_topic), (4, self.hide),
            (3, self.take_down), (3, self.flood), (6, self.trouble),
        ]  # fmt: skip
        """The actions with their relative weights. Other modules may add actions."""
        if rates.meetings:
            self.deeds = [
                (rates.probes, self.probe), (2, self.ask_stories), (2, self.paste),
                (1, self.subscribe), (2, self.look_round),
            ]  # fmt: skip
        self._asked = 0

    # -- the start ----------------------------------------------------------------------

    async def found(self) -> None:
        """Create profiles and chats."""
        chance = self._chance
        for number in range(self._rates.profiles):
            name = f"star{number:02}"
            rate = self._rates.posts * chance.choice([0, 0.5, 1, 1, 2, 2, 3, 4, 6])
            await self._control.profile(name, posts_per_day=rate)
            self.names.append(name)
        private, *others = self._rates.places
        for number in range(private):
            person = await self._control.person(f"P{number}")
            self.places.append(Place(person, "private", person, [person]))
        for kind, count in zip(KINDS, others, strict=True):
            for number in range(count):
                await self._found(kind, number)

    async def settle(self) -> None:
        """Subscribe each chat to some profiles."""
        chance = self._chance
        for place in self.places:
            for name in chance.sample(self.names, FOLLOWED):
                await self.write(place, place.owner, f"/subscribe {name}")
                await asyncio.sleep(self._rates.settled_s)
        if self._rates.quiet:
            for place in self.places[::3]:
                await self._be_quiet(place, ["set:quiet", "set:quiet:0-8"])

    async def _found(self, kind: str, number: int) -> None:
        owner, other, third = [await self._control.person(f"{kind}{number}{c}") for c in "abc"]
        members = {owner: "creator", other: "administrator", third: "member"}
        is_forum = kind == "forum"
        chat = await self._control.chat(
            "supergroup" if is_forum else kind, f"{kind} {number}", members=members,
            is_forum=is_forum, bot_status="left",
        )  # fmt: skip
        standing = {"status": "administrator" if kind == "channel" else "member", "by": owner}
        await self._control.call("PUT", f"/chats/{chat}/members/bot", standing)
        place = Place(chat, kind, owner, [owner, other, third])
        if is_forum:
            place.topics = [100, 200, 300]
            for topic in place.topics:
                await self._control.thread(chat, topic, f"topic {topic}")
        self.places.append(place)

    # -- the actions --------------------------------------------------------------------

    async def live(self, until: float) -> None:
        """Perform actions in turn until the given time."""
        weights = [weight for weight, _ in self.deeds]
        clock = self._journal.sandbox.clock
        while True:
            wait = self._chance.expovariate(self._rates.deeds / HANDS / DAY)
            await asyncio.sleep(min(wait, until - clock.now()))
            if clock.now() >= until:
                return
            (_, deed), place = (
                self._chance.choices(self.deeds, weights)[0],
                self._chance.choice(self.places),
            )
            self._journal.note("deed", deed.__name__, place.chat)
            await deed(place)

    async def write(
        self, place: Place, user: int, text: str, token: str = "", thread: int = 0
    ) -> None:
        """Write to a chat. If the bot receives the message, an answer is required.

        A person who has blocked the bot writes nothing. Telegram refuses such a message with
        ``YOU_BLOCKED_USER``.
        """
        if self._has_blocked_bot(place):
            return
        now = self._journal.sandbox.clock.now()
        body: dict[str, Any] = {"user_id": user, "text": self._addressed(place, text)}
        if thread:
            body["thread_id"] = thread
        said = await self._control.call("POST", f"/chats/{place.chat}/messages", body)
        if said["update_id"] is not None:
            number = int(said["message_id"])
            self._journal.ask(Asked(now, place.chat, text, number, token=token, user=user))

    def _has_blocked_bot(self, place: Place) -> bool:
        """Return whether a place is a private chat with a person who has blocked the bot."""
        world = self._journal.sandbox.telegram.world
        chat = world.chat(place.chat, world.bot)
        if chat is None or chat.type != "private":
            return False
        return chat.member(world.bot.id).status == "kicked"

    def _addressed(self, place: Place, text: str) -> str:
        """Return a command with the bot's name, which the bot receives in every group.

        With group privacy, a bot receives a command without a name only if the bot wrote last.
        """
        is_group = place.kind not in {"private", "channel"}
        if not (self._rates.meetings and is_group and text.startswith("/")):
            return text
        command, space, words = text.partition(" ")
        return f"{command}@{self._journal.sandbox.telegram.world.bot.username}{space}{words}"

    async def probe(self, place: Place) -> None:
        """Send a command with a unique answer."""
        self._asked += 1
        token = f"nobody{self._asked}x"
        await self.write(place, place.owner, f"/unsubscribe {token}", token, self.topic_of(place))

    async def press_any(self, place: Place) -> None:
        """Press a random button of a recent message."""
        found = [m for m in self.messages(place) if m.fields.get("reply_markup")]
        if not found or place.is_away:
            return
        message = self._chance.choice(found[-6:])
        keys = [k for row in message.fields["reply_markup"]["inline_keyboard"] for k in row]
        keys = [k["callback_data"] for k in keys if "callback_data" in k]
        if keys:
            await self.press(place, message, self._chance.choice(keys))

    async def press(
        self, place: Place, message: Message, data: str, *, user: int | None = None
    ) -> None:
        """Press a button, as ``user`` or as a random person."""
        if user is None:
            is_owner = self._chance.random() < 0.8
            user = place.owner if is_owner else self._chance.choice(place.members)
        now = self._journal.sandbox.clock.now()
        try:
            query = await self._control.press(place.chat, message.id, data, user=user)
        except RefusedError:  # the buttons have changed
            return
        self._journal.ask(Asked(now, place.chat, data, message.id, query=query, user=user))

    async def ask_stories(self, place: Place) -> None:
        """Request a profile's stories."""
        name = self._chance.choice(self.names)
        await self.write(place, place.owner, f"/stories {name}", thread=self.topic_of(place))

    async def paste(self, place: Place) -> None:
        """Paste a link of a present or past story. Skip channels, where only commands work."""
        if place.kind == "channel":
            return
        name = self._chance.choice(self.names)
        stories = [s for s in self._journal.stories.values() if s.profile.username == name][-5:]
        if stories:
            pk = self._chance.choice(stories).pk
            link = f"https://www.instagram.com/stories/{name}/{pk}/"
            await self.write(place, self._chance.choice(place.members), link)

    async def subscribe(self, place: Place) -> None:
        """Subscribe to another profile."""
        name = self._chance.choice(self.names)
        await self.write(place, place.owner, f"/subscribe {name}", thread=self.topic_of(place))

    async def unsubscribe(self, place: Place) -> None:
        """Unsubscribe from a profile by the button of the question."""
        name = self._chance.choice(self.names)
        await self.write(place, place.owner, f"/unsubscribe {name}")
        await asyncio.sleep(30)
        await self.press_where(place, "unsub:")

    async def ask_why(self, place: Place) -> None:
        """Request the check times of a profile."""
        await self.write(place, place.owner, f"/why {self._chance.choice(self.names)}")

    async def look_round(self, place: Place) -> None:
        """Send a command that only displays information."""
        words = ["/help", "/start", "/subscriptions", "/settings", "/language", "/privacy"]
        await self.write(place, place.owner, self._chance.choice(words))

    async def set_quiet(self, place: Place) -> None:
        """Set quiet hours, the hour of the summary, or the zone, by buttons."""
        chance = self._chance
        ways = [
            ["set:quiet", "set:quiet:" + chance.choice(["22-7", "23-7", "23-8", "0-8"])],
            ["set:quiet", "set:quiet:0-0"],
            ["set:digest", f"set:digest:{chance.randrange(24)}"],
            ["set:zone", chance.choice(["set:zone:Asia/Tokyo", "set:zone:America/New_York"])],
        ]
        await self._be_quiet(place, chance.choice(ways))

    async def _be_quiet(self, place: Place, way: list[str]) -> None:
        await self.write(place, place.owner, "/settings")
        for data in way:
            await asyncio.sleep(20)
            await self.press_where(place, data, exactly=True)

    async def set_option(self, place: Place) -> None:
        """Change an option of a subscription: the summary, a filter, a pause."""
        await self.write(place, place.owner, "/subscriptions")
        await asyncio.sleep(20)
        # The rules have no button here: people write the rules.
        with_button = [name for name in Options.__dataclass_fields__ if name not in RULES]
        await self.tap_option(place, self._chance.choice(["digest", "pause", *with_button]))

    async def tap_option(self, place: Place, option: str) -> None:
        """Open the page of a subscription that has the option, and tap the option."""
        found = sorted({data for _, data in self.buttons(place) if _SUBSCRIPTION.fullmatch(data)})
        if not found:
            return
        data = self._chance.choice(found)
        section = next((name for name, (_, shown) in SECTIONS.items() if option in shown), "when")
        for page in (data, f"{data}:{section}"):
            await self.press_where(place, page, exactly=True)
            await asyncio.sleep(20)
        await self.press_where(place, f"opt:{data.partition(':')[2]}:{option}")

    async def leave(self, place: Place, *, hours: float | None = None) -> None:
        """Block or remove the bot for some hours."""
        if place.is_away:
            return
        world = self._journal.sandbox.telegram.world
        status = "kicked" if place.kind in {"private", "channel"} else "left"
        place.is_away = True
        window = self._begin(place)
        await self._control.member(place.chat, world.bot.id, status)
        if hours is None:
            hours = self._chance.uniform(0.2, 20) * self._rates.away
        await asyncio.sleep(hours * HOUR)
        back = "administrator" if place.kind == "channel" else "member"
        await self._control.member(place.chat, world.bot.id, back)
        place.is_away = False
        window.end = self._journal.sandbox.clock.now()

    async def migrate(self, place: Place) -> None:
        """Migrate a group to a supergroup."""
        if place.kind != "group" or place.is_away:
            return
        place.chat = await self._control.migrate(place.chat)
        place.kind = "supergroup"

    async def mute(self, place: Place) -> None:
        """Remove the members' right to write for some hours."""
        await self.forbid(place, "can_send_messages", self._chance.uniform(1, 8))

    async def forbid(self, place: Place, right: str, hours: float) -> None:
        """Remove a right of the members for some hours, without an update."""
        if place.kind not in {"group", "supergroup"} or place.is_away:
            return
        chat, window = place.chat, self._begin(place)
        await self._control.call("PATCH", f"/chats/{chat}", {"permissions": {right: False}})
        await asyncio.sleep(hours * HOUR * self._rates.away)
        await self._control.call("PATCH", f"/chats/{place.chat}", {"permissions": {right: True}})
        window.end = self._journal.sandbox.clock.now()

    async def change_rights(self, place: Place) -> None:
        """Make a member an administrator, or an administrator a member."""
        if place.kind in {"private", "channel"}:
            return
        other = place.members[1]
        status = self._chance.choice(["administrator", "member"])
        await self._control.member(place.chat, other, status)

    async def close_topic(self, place: Place) -> None:
        """Close a topic of a forum for some hours, or delete the topic."""
        if not place.topics:
            return
        topic = self._chance.choice(place.topics)
        if self._chance.random() < 0.3 and len(place.topics) > 1:
            place.topics.remove(topic)
            await self._control.thread(place.chat, topic, f"topic {topic}", "deleted")
            return
        window = Window(self._journal.sandbox.clock.now())
        self._journal.closed_topics[place.chat, topic].append(window)
        await self._control.thread(place.chat, topic, f"topic {topic}", "closed")
        await asyncio.sleep(self._chance.uniform(1, 12) * HOUR * self._rates.away)
        if topic in place.topics:
            await self._control.thread(place.chat, topic, f"topic {topic}", "open")
        window.end = self._journal.sandbox.clock.now()

    async def hide(self, _: Place) -> None:
        """Make a profile private or deleted for some hours."""
        name = self._chance.choice(self.names)
        what = self._chance.choice(["is_private", "deleted"])
        windows = self._journal.hidden[name]
        if windows and windows[-1].end == float("inf"):
            return
        windows.append(Window(self._journal.sandbox.clock.now()))
        await self._control.change_profile(name, **{what: True})
        await asyncio.sleep(self._chance.uniform(0.5, 20) * HOUR * self._rates.away)
        await self._control.change_profile(name, **{what: False})
        windows[-1].end = self._journal.sandbox.clock.now()

    async def trouble(self, _: Place) -> None:
        """Let a public account return errors."""
        name = self._chance.choice(self.names)
        what, times = self._chance.choice(TROUBLES)
        windows = self._journal.troubled[name]
        if windows and windows[-1].end == float("inf"):
            return
        windows.append(Window(self._journal.sandbox.clock.now()))
        await self._control.change_profile(name, trouble=what, trouble_times=times)
        await asyncio.sleep(self._chance.uniform(0.2, 12) * HOUR)
        await self._control.change_profile(name, trouble=None)
        windows[-1].end = self._journal.sandbox.clock.now()

    async def take_down(self, _: Place) -> None:
        """Delete a story as its owner."""
        name = self._chance.choice(self.names)
        for story in await self._control.stories(name):
            await self._control.take_down(name, str(story["pk"]))
            break

    async def flood(self, place: Place) -> None:
        """Send four commands at once."""
        for _ in range(4):
            await self.probe(place)

    # -- helpers ------------------------------------------------------------------------

    def _begin(self, place: Place) -> Window:
        chat = self._journal.chat_now(place.chat)
        window = Window(self._journal.sandbox.clock.now())
        self._journal.unable[chat].append(window)
        return window

    def topic_of(self, place: Place) -> int:
        """Return a topic of a forum, or 0 in other chats."""
        return self._chance.choice(place.topics) if place.topics else 0

    def messages(self, place: Place) -> list[Message]:
        """Return the bot's latest messages in a chat."""
        world = self._journal.sandbox.telegram.world
        chat: Chat | None = world.chat(place.chat, world.bot)
        messages = list(chat.messages.values())[-60:] if chat else []
        return [m for m in messages if m.bot is not None and not m.deleted]

    def buttons(self, place: Place) -> list[tuple[Message, str]]:
        """Return the buttons in a chat with the callback data."""
        return [
            (message, key["callback_data"])
            for message in self.messages(place)
            if message.fields.get("reply_markup")
            for row in message.fields["reply_markup"]["inline_keyboard"]
            for key in row
            if "callback_data" in key
        ]

    async def press_where(
        self, place: Place, begins: str, *, ends: str = "", exactly: bool = False
    ) -> bool:
        """Press the last button whose data fit; return False if no button fits.

        A chat may lack a button at times. An invariant reports a kind of button that is never
        found (``every_button_was_found``).
        """
        if place.is_away:
            return False
        found = [
            (message, data)
            for message, data in self.buttons(place)
            if data == begins or (not exactly and data.startswith(begins) and data.endswith(ends))
        ]
        self._journal.note_button(begins + ends, is_found=bool(found))
        if not found:
            return False
        message, data = found[-1]
        await self.press(place, message, data)
        return True


class Crowd:
    """Concurrent persons, so that an action of several hours blocks no other action."""

    def __init__(self, people: People) -> None:
        """Run actions of `people` concurrently."""
        self._people = people

    async def live(self, until: float) -> None:
        """Run actions until the given time, and wait for all actions."""
        async with asyncio.TaskGroup() as group:
            for number in range(HANDS):
                group.create_task(self._one(number, until))

    async def _one(self, number: int, until: float) -> None:
        await asyncio.sleep(number)
        try:
            await self._people.live(until)
        except RefusedError as error:
            raise AssertionError(f"the sandbox refused a deed: {error}") from error
