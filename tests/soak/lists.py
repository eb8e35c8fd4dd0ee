"""Users of lists: imports, Instagram's list, [Send them all], `/past`, rules of all, the bill.

Each action records what a person sees before and after. `answers` defines the required results.
"""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.model import Message
from tests.soak.actions import Actions
from tests.soak.journal import HOUR, Asked, Imported
from tests.soak.people import Place

PAGE_S = 25.0  # seconds from a message to the next press
ANSWER_S = 100.0  # seconds until all messages of an answer are in the chat
INSTAGRAM = "https://www.instagram.com"
SEARCHES = (
    "{}", "{} 7d", "{} 2", "@{}", "#sale", "#dawn 30d", "{} video 7d", "{} link", "{} #sale",
    "mention:@star07", "place:paris", "nike.com", "photo", "video 1d", "nike.com #sale",
)  # fmt: skip
OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {"silent": True}, {"media": "photo"}, {"keep": True}, {"digest": True},
    {"files": True, "keep": True}, {"only": "#sale"}, {"without": "link mention"},
)  # fmt: skip
"""Options that a file sets, in the form of /export."""
ON_A_PAGE = 6
FIRST_HOUR, HOURS = 9, 3
"""The hours of the first summaries, soon after the start of a run."""


@dataclass(eq=False)
class Untouched:
    """Names that nobody has, so that a lookup of the name shows a mistake."""

    count: int = field(default=0)

    def next(self) -> str:
        """Return a new name."""
        self.count += 1
        return f"untapped{self.count}x"


class Lists(Actions):
    """Actions of users of lists."""

    def __init__(self, *of_actions: Any) -> None:
        """Prepare without any action."""
        super().__init__(*of_actions)
        self._untouched = Untouched()
        self._busy: set[int] = set()

    def join(self) -> None:
        """Add the actions to the persons' actions, unless the rates exclude them."""
        deeds = [
            (5, self.search), (4, self.open_tray), (3, self.bring_file),
            (2, self.bring_followed), (3, self.read_bill), (2, self.undo_rules),
        ]  # fmt: skip
        self._add(deeds, self._rates.lists)

    async def begin(self) -> None:
        """Let each chat keep its stories, and half of the chats have summaries, if often asked."""
        if not self._rates.has_summaries:
            return
        for number, place in enumerate(self._people.places):
            hour = FIRST_HOUR + number % HOURS
            presses = ["defaults", "defaults:keep:on"]
            presses += ["defaults:digest:on"] * (number % 2 == 0)
            for data in [*presses, "", "set:digest", f"set:digest:{hour}"]:
                if data in {"defaults", ""}:
                    await self._say(place, "/settings")
                    await asyncio.sleep(self._rates.settled_s)
                if data:
                    await self._people.press_where(place, data, exactly=True)
                    await asyncio.sleep(self._rates.settled_s)

    # -- /past, /stories ------------------------------------------------------------------

    async def search(self, place: Place) -> None:
        """Search the kept stories of a chat."""
        words = self._chance.choice(SEARCHES).format(self._followed(place))
        await self._say(place, f"/past {words}")
        await asyncio.sleep(ANSWER_S)

    async def open_tray(self, place: Place) -> None:
        """Request the live stories of all subscriptions of a chat."""
        begin = self._now()
        await self._say(place, "/stories")
        await asyncio.sleep(PAGE_S)
        await self._press(place, begin, "tray")
        await asyncio.sleep(ANSWER_S)

    # -- lists ----------------------------------------------------------------------------

    async def bring_file(self, place: Place) -> None:
        """Import a file of the form of /export, and answer the questions about it."""
        place = self._without_topics(place, "private", "group", "supergroup")
        if not self._begin(place):
            return
        before, begin = await self._export(place), self._now()
        wanted = self._file()
        file = _document(json.dumps(wanted).encode(), "storybell.json")
        pressed: set[str] = set()
        if await self._send(place, file):
            await asyncio.sleep(ANSWER_S)
            for data in ("import:options", "import:rules"):
                if self._chance.random() < 0.7 and await self._press(place, begin, data):
                    pressed.add(data)
                    await asyncio.sleep(PAGE_S)
            await self._end(place, Imported(
                begin, place.chat, "file", wanted, pressed, before, self._texts(place, begin)
            ))  # fmt: skip
        self._busy.discard(place.owner)

    def _file(self) -> dict[str, Any]:
        """Return a file: known profiles with options, perhaps an absent one, perhaps rules."""
        chance = self._chance
        names = chance.sample(self._people.names, chance.choice([1, 2, 4]))
        names += [f"absent{chance.randrange(10**6)}x"] * (chance.random() < 0.3)
        rows = [
            {"username": name, "options": chance.choice(OPTIONS), "paused": chance.random() < 0.2,
             "paused_until": None}
            for name in names
        ]  # fmt: skip
        wanted: dict[str, Any] = {"storybell": 1, "subscriptions": rows}
        if chance.random() < 0.5:
            wanted["rules"] = chance.choice([{"only": "#sale"}, {"without": "link"}])
        return wanted

    async def bring_followed(self, place: Place) -> None:
        """Send Instagram's list of followed accounts, and tap one account or a page."""
        place = self._without_topics(place, "private")
        if not self._begin(place):
            return
        chance = self._chance
        before, begin = await self._export(place), self._now()
        names = [*chance.sample(self._people.names, 6),
                 *(self._untouched.next() for _ in range(4))]  # fmt: skip
        chance.shuffle(names)
        rows = [
            {"title": "", "string_list_data": [{"href": f"{INSTAGRAM}/_u/{name}", "value": name}]}
            for name in names
        ]
        content = json.dumps({"relationships_following": rows}).encode()
        if await self._send(place, _document(content, "following.json")):
            await asyncio.sleep(PAGE_S)
            at = chance.choice([-1, *range(ON_A_PAGE)])
            data = "list:all:0" if at < 0 else f"list:one:{at}"
            tapped = names[:ON_A_PAGE] if at < 0 else names[at : at + 1]
            if not await self._press(place, begin, data):
                tapped = []
            await asyncio.sleep(ANSWER_S)
            wanted = {"subscriptions": [{"username": name} for name in tapped]}
            await self._end(place, Imported(
                begin, place.chat, "followed", wanted, set(), before, self._texts(place, begin),
                [name for name in names if name not in tapped],
            ))  # fmt: skip
        self._busy.discard(place.owner)

    def _without_topics(self, place: Place, *kinds: str) -> Place:
        """Return the chat, or a random chat, of these kinds and without topics."""
        there = [one for one in self._people.places if one.kind in kinds and not one.topics]
        return place if place in there else self._chance.choice(there)

    async def _end(self, place: Place, imported: Imported) -> None:
        """Record an import with the subscriptions afterwards."""
        imported.after = await self._export(place)
        imported.end = self._now()
        self._journal.imported.append(imported)

    def _begin(self, place: Place) -> bool:
        """Return whether a person begins to bring a list, one list at a time."""
        if place.is_away or place.owner in self._busy:
            return False
        self._busy.add(place.owner)
        return True

    async def _export(self, place: Place) -> dict[str, Any] | None:
        """Return the subscriptions in a file of /export, or None if the bot does not answer."""
        begin = self._now()
        await self._say(place, "/export")
        await asyncio.sleep(PAGE_S)
        for message in self._since(place, begin):
            media = message.media
            # A story can also arrive as a document.
            if media is not None and media.kind == "document" and media.content.story_pk is None:
                found: dict[str, Any] = json.loads(media.content.read())
                return found
            if "no subscriptions" in str(message.fields.get("text")):
                return {"subscriptions": []}
        return None

    async def _send(self, place: Place, file: dict[str, Any]) -> bool:
        """Send a file with the caption /import. Return whether the bot received the file."""
        now = self._now()
        body = {"user_id": place.owner, "text": "", "caption": "/import", "file": file}
        said = await self._control.call("POST", f"/chats/{place.chat}/messages", body)
        if said["update_id"] is None:
            return False
        number = int(said["message_id"])
        self._journal.ask(Asked(now, place.chat, "/import", number, user=place.owner))
        return True

    # -- rules ----------------------------------------------------------------------------

    async def undo_rules(self, place: Place) -> None:
        """Set rules of the whole chat, and undo after some stories."""
        begin = self._now()
        await self._say(place, "/rules all only: #sale")
        await asyncio.sleep(PAGE_S)
        if await self._press(place, begin, "rules:save"):
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * HOUR)
            await self._press(place, begin, "rules:undo")

    # -- the bill -------------------------------------------------------------------------

    async def read_bill(self, place: Place) -> None:
        """Request the usage of a chat, perhaps after a change of the setting for the parts."""
        is_group = place.kind not in {"private", "channel"}
        if is_group and self._chance.random() < 0.5:
            begin = self._now()
            await self._say(place, "/settings")
            await asyncio.sleep(PAGE_S)
            await self._press(place, begin, self._chance.choice(["set:parts:on", "set:parts:off"]))
            await asyncio.sleep(PAGE_S)
        await self._say(place, "/usage")

    # -- helpers --------------------------------------------------------------------------

    def _followed(self, place: Place) -> str:
        """Return a profile that the chat follows, or any profile if there is none."""
        chat = self._journal.chat_now(place.chat)
        by_pk = self._journal.sandbox.instagram.by_pk
        whom = {one.profile for one in self._journal.followed.values() if one.chat == chat}
        found = sorted(profile.username for pk in whom if (profile := by_pk(pk)))
        return self._chance.choice(found or self._people.names)

    def _now(self) -> float:
        return self._journal.sandbox.clock.now()

    async def _say(self, place: Place, text: str) -> None:
        await self._people.write(place, place.owner, text, thread=self._people.topic_of(place))

    def _since(self, place: Place, begin: float) -> list[Message]:
        return [one for one in self._people.messages(place) if one.sent_at >= begin]

    def _texts(self, place: Place, begin: float) -> str:
        """Return all texts that the bot wrote in a chat since a time."""
        found = self._since(place, begin)
        return "\n".join(str(one.fields.get("text", "")) for one in found)

    async def _press(self, place: Place, begin: float, data: str) -> bool:
        """Press a button of a message since ``begin``. Return False if there is none."""
        there = [
            message
            for message, found in self._people.buttons(place)
            if found == data and message.sent_at >= begin
        ]
        if not there or place.is_away:
            return False
        await self._people.press(place, there[-1], data, user=place.owner)
        return True


def _document(content: bytes, name: str) -> dict[str, Any]:
    body = base64.b64encode(content).decode()
    return {"kind": "document", "base64": body, "type": "application/json", "name": name}
