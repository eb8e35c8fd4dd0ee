"""Users of all features: highlights, past stories, files, rules, topics, several profiles.

An action consists of a few messages and presses of a person in a chat. `invariants` defines the
required results. An action for another part of the bot is a method in this module and a line in
`join`.
"""

import asyncio
from typing import Any

from tests.soak.actions import Actions
from tests.soak.contents import wishes
from tests.soak.people import Place

A_WHILE = 25.0  # seconds from a message to the next press
TITLES = ("Sea", "Lions 🦁", "", "Everything that was ever shown here, in order")
DEFAULTS = ("keep", "files", "digest", "")
"""Default options of new subscriptions, in turn for each chat."""


class Fans(Actions):
    """Actions of users of all features."""

    def __init__(self, *of_actions: Any) -> None:
        """Prepare without any action."""
        super().__init__(*of_actions)
        self._highlights: dict[str, list[dict[str, Any]]] = {}

    def join(self) -> None:
        """Add the actions to the persons' actions, unless the rates exclude them."""
        deeds = [
            (6, self.look_through), (4, self.open_link), (2, self.change_highlights),
            (6, self.look_back), (4, self.want_files), (7, self.set_rules), (3, self.tap_rules),
            (4, self.follow_several), (3, self.show_several), (3, self.paste_list),
            (4, self.choose), (2, self.forbid_kind), (2, self.set_chat_rules),
            (5, self.follow_in_topic), (2, self.delete_topic), (2, self.let_make_topics),
        ]  # fmt: skip
        self._add(deeds, self._rates.fans)

    async def begin(self) -> None:
        """Create highlights of profiles, default options of chats, and some topics."""
        if not self._rates.fans:
            return
        await self._control.private_topics(on=True)
        for place in self._people.places[::2]:
            if place.kind == "private":
                await self._say(place, "/start")
                place.topics = [await self._topic(place, name) for name in ("News", "Friends")]
            elif place.kind == "forum":
                await self.let_make_topics(place)
        for name in self._people.names:
            for _ in range(self._chance.choice([1, 1, 2, 5])):
                await self._keep(name)
        for number, place in enumerate(self._people.places):
            if wanted := DEFAULTS[number % len(DEFAULTS)]:
                await self._say(place, "/settings")
                for data in ("defaults", f"defaults:{wanted}:on"):
                    await asyncio.sleep(self._rates.settled_s / 4)
                    await self._people.press_where(place, data, exactly=True)

    # -- highlights ---------------------------------------------------------------------

    async def look_through(self, place: Place) -> None:
        """Request a profile's highlights, open a highlight, and request the next page."""
        await self._say(place, f"/highlights {self._name()}")
        await asyncio.sleep(A_WHILE)
        if place.kind == "channel":  # without buttons; the text names the private chat
            await self._open_in_private(place)
        elif await self._press(place, "highlight:"):
            await asyncio.sleep(A_WHILE)
            await self._press(place, "highlight:", ends=":10")

    async def _open_in_private(self, place: Place) -> None:
        known = [one for found in self._highlights.values() for one in found]
        alone = Place(place.owner, "private", place.owner, [place.owner])
        link = f"https://www.instagram.com/stories/highlights/{self._chance.choice(known)['pk']}/"
        await self._say(alone, f"/highlights {link}")

    async def open_link(self, place: Place) -> None:
        """Paste the link of a highlight, which may be deleted."""
        known = [one for found in self._highlights.values() for one in found]
        link = f"https://www.instagram.com/stories/highlights/{self._chance.choice(known)['pk']}/"
        words = "/stories " if place.kind == "channel" or self._chance.random() < 0.3 else ""
        await self._say(place, words + link)

    async def change_highlights(self, _: Place) -> None:
        """Create or delete a highlight."""
        name = self._chance.choice(sorted(self._highlights))
        known = self._highlights[name]
        there = [one for one in known if not one.get("dropped")]
        if len(there) > 1 and self._chance.random() < 0.5:
            gone = self._chance.choice(there)
            gone["dropped"] = True
            await self._control.drop(name, str(gone["pk"]))
        else:
            await self._keep(name)

    async def _keep(self, name: str) -> None:
        one = await self._control.keep(
            name,
            title=self._chance.choice(TITLES),
            count=self._chance.choice([1, 3, 10, 13, 23]),
            videos=self._chance.random() < 0.3,
            live=self._chance.random() < 0.3,
        )
        self._highlights.setdefault(name, []).append(one)
        self._journal.highlights.update(str(pk) for pk in one["media_ids"])

    # -- past stories, files ------------------------------------------------------------

    async def look_back(self, place: Place) -> None:
        """Request sent stories of some or all days. Press for the next page, or keep stories."""
        searches = ["", "{}", "photo", "{} 7d", "{} 2", "#sale", "{} video 7d", "mention:@star07"]
        words = self._chance.choice(searches).format(self._name())
        await self._say(place, f"/past {words}".strip())
        await asyncio.sleep(A_WHILE)
        has_more = any(data.startswith("past:") for _, data in self._people.buttons(place))
        if not words:
            await self._press(place, "run:past:")
        else:  # a next page exists only if more than 30 kept stories match
            await self._press(place, "past:" if has_more else "keep")

    async def want_files(self, place: Place) -> None:
        """Press for the original file of a story, or for the files of all stories of a profile.

        A channel has no buttons for files.
        """
        if place.kind == "channel":
            return
        if place.kind == "private" and self._chance.random() < 0.5:
            await self._say(place, f"/start stories_{self._name()}")
            await asyncio.sleep(A_WHILE)
            await self._press(place, "files:@")
        else:
            await self._say(place, f"/stories {self._name()} 1")  # an album has no button
            await asyncio.sleep(A_WHILE)
            await self._press(place, "files:")

    # -- rules and options --------------------------------------------------------------

    async def set_rules(self, place: Place) -> None:
        """Set or remove the rules for a profile's alerts."""
        off = ["/rules {name} off", "/rules {name} everything", "/rules {name}"]
        text = self._chance.choice([*wishes(self._chance).values(), *off])
        await self._say(place, text.format(name=self._followed(place)))

    async def set_chat_rules(self, place: Place) -> None:
        """Set the rules of the whole chat and confirm, or undo; or remove the rules."""
        off = ["/rules all off"] * 3
        text = self._chance.choice([*wishes(self._chance).values(), *off])
        await self._say(place, text.format(name="all"))
        await asyncio.sleep(A_WHILE)
        await self._press(place, "rules:", ends=self._chance.choice([":save", ":save", ":undo"]))

    async def tap_rules(self, place: Place) -> None:
        """Remove rules by a button, if the button exists."""
        await self._say(place, f"/rules {self._followed(place)}")
        await asyncio.sleep(A_WHILE)
        await self._press(place, "opt:", ends=":rules:off")

    async def choose(self, place: Place) -> None:
        """Change an option for the format of alerts."""
        await self._say(place, "/subscriptions")
        await asyncio.sleep(A_WHILE)
        what = self._chance.choice(
            ["keep", "keep", "files", "files", "caption", "spoiler", "protect", "fast"]
        )
        await self._people.tap_option(place, what)

    async def forbid_kind(self, place: Place) -> None:
        """Remove the members' right to send a kind of media for a while, without an update."""
        right = self._chance.choice(
            ["can_send_documents", "can_send_documents", "can_send_photos", "can_send_videos"]
        )
        await self._people.forbid(place, right, self._chance.uniform(1, 8))

    # -- topics -------------------------------------------------------------------------

    async def follow_in_topic(self, place: Place) -> None:
        """Subscribe to a profile in a separate topic, in this chat or in a chat with topics."""
        there = [one for one in self._people.places if one.topics]
        place = place if place.topics else self._chance.choice(there)
        await self._say(place, f"/subscribe {self._name()} topic")

    async def delete_topic(self, _: Place) -> None:
        """Delete a topic that the bot has created, in any chat."""
        world = self._journal.sandbox.telegram.world
        made = [
            (place, topic)
            for place in self._people.places
            if place.topics and not place.is_away and (chat := world.chat(place.chat, world.bot))
            for topic in chat.topics.values()
            if topic.made_by == world.bot.id and topic.state != "deleted"
        ]
        if made:
            place, topic = self._chance.choice(made)
            await self._control.thread(place.chat, topic.id, topic.name, "deleted")

    async def let_make_topics(self, place: Place) -> None:
        """Grant or revoke the bot's right to create topics in a forum."""
        if place.kind != "forum":
            place = self._chance.choice([p for p in self._people.places if p.kind == "forum"])
        if place.is_away:
            return
        bot = self._journal.sandbox.telegram.world.bot.id
        right = {"can_manage_topics": self._chance.random() < 0.7}
        path = f"/chats/{place.chat}/members/{bot}"
        await self._control.call("PUT", path, {"status": "administrator", **right})

    async def _topic(self, place: Place, name: str) -> int:
        made = await self._control.call("POST", f"/chats/{place.chat}/threads", {"name": name})
        return int(made["message_thread_id"])

    # -- several profiles ---------------------------------------------------------------

    async def follow_several(self, place: Place) -> None:
        """Subscribe to several profiles by a single message."""
        words = [*self._names(), *self._chance.choice([[], [], ["fast"]])]
        await self._say(place, f"/subscribe {' '.join(words)}")

    async def show_several(self, place: Place) -> None:
        """Request the stories of several profiles, perhaps only the latest of each."""
        last = self._chance.choice(["", " 1", " 3"])
        await self._say(place, f"/stories {', '.join(self._names(3))}{last}")

    async def paste_list(self, place: Place) -> None:
        """Send a list of names, and press a button below the list."""
        if place.kind != "private":
            await self.follow_several(place)
            return
        between = self._chance.choice([", ", "\n", "\n- "])
        await self._say(place, between.join(self._names()))
        await asyncio.sleep(A_WHILE)
        await self._press(place, "many:", ends=self._chance.choice([":subscribe", ":stories"]))

    # -- helpers ------------------------------------------------------------------------

    def _name(self) -> str:
        return self._chance.choice(self._people.names)

    def _names(self, most: int = 11) -> list[str]:
        count = self._chance.choice([2, 2, 3, 5, 11])
        return self._chance.sample(self._people.names, min(count, most))

    def _followed(self, place: Place) -> str:
        """Return a profile that the chat follows, or any profile if there is none."""
        chat = self._journal.chat_now(place.chat)
        by_pk = self._journal.sandbox.instagram.by_pk
        whom = {one.profile for one in self._journal.followed.values() if one.chat == chat}
        found = sorted(profile.username for pk in whom if (profile := by_pk(pk)))
        return self._chance.choice(found) if found else self._name()

    async def _say(self, place: Place, text: str) -> None:
        await self._people.write(place, place.owner, text, thread=self._people.topic_of(place))

    async def _press(self, place: Place, begins: str, *, ends: str = "") -> bool:
        return await self._people.press_where(place, begins, ends=ends)
