"""Combinations of features: two actions in a chat while a story is pending, for all pairs.

Each seed starts at a different position in the list of pairs, so a few seeds cover all pairs.
`met` derives the combined pairs from the recorded events, regardless of the cause.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.soak.expected import DAY, HOUR, MINUTE, Span, Terms, is_quiet
from tests.soak.journal import Done, Journal, Window
from tests.soak.people import People, Place
from tests.soak.promises import Way, Ways
from tests.soak.rates import Rates
from tests.soak.weather import Weather
from tests.support.control import Control, RefusedError

Deed = Callable[[Place, str], Awaitable[None]]
Pair = tuple[str, str]

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Tokyo", "UTC", "Asia/Kolkata")
CHANGING_ZONES = ("America/New_York", "Europe/Berlin")
"""Zones with a clock change during the run."""
STATES = ("summary", "quiet hours", "clock change")
WEATHER = ("crash", "telegram", "stories api")
DEEDS = (
    "hour", "zone", "night", "mute undone", "unsubscribe undone", "pause", "import", "two topics",
    "right", "rules", "silent", "rename", "migration", "removal",
)  # fmt: skip
FEATURES = (*STATES, *DEEDS, *WEATHER)
IMPOSSIBLE: dict[Pair, str] = {
    ("migration", "two topics"): "a group that migrates has no topics",
}
"""Pairs that cannot occur in any chat, with the reason."""
NIGHT_OVER_SUMMARY = 0.5
"""Probability of quiet hours that include the summary's hour."""
MOVED = 0.4
"""Probability of a third action that changes the times of a pending story."""
LONG_S = 27.5 * HOUR
"""The time for which one chat lacks a right: longer than the life of a story."""
DOWN = {"status": 502, "body": "<html>Bad Gateway</html>"}
PAIRS = [pair for pair in combinations(sorted(FEATURES), 2) if pair not in IMPOSSIBLE]


class Meetings:
    """Driver that combines the pairs of a seed in each chat."""

    def __init__(
        self,
        people: People,
        control: Control,
        journal: Journal,
        weather: Weather,
        *,
        seed: int,
        rates: Rates,
    ) -> None:
        """Prepare without any combination."""
        self._people = people
        self._control = control
        self._journal = journal
        self._weather = weather
        self._rates = rates
        self._chance = random.Random(f"{seed}/meetings")  # noqa: S311 - must be repeatable
        pairs = random.Random("meetings").sample(PAIRS, len(PAIRS))  # noqa: S311 - as above
        begin = (seed - 1) * len(pairs) // 4 % len(pairs)
        self._pairs = pairs[begin:] + pairs[:begin]
        self._without_right: Place | None = None
        self._deeds: dict[str, Deed] = {
            "hour": self.set_hour, "zone": self.set_zone, "night": self.set_night,
            "mute undone": self.mute_and_undo, "unsubscribe undone": self.end_and_undo,
            "pause": self.pause, "import": self.import_over, "two topics": self.follow_twice,
            "right": self.take_right, "rules": self.set_rules, "silent": self.be_silent,
            "rename": self.rename, "migration": self.migrate, "removal": self.remove,
            "crash": self.crash, "telegram": self.stop_telegram, "stories api": self.stop_api,
        }  # fmt: skip

    async def live(self, until: float) -> None:
        """Combine the pairs in turn in each chat until the given time."""
        async with asyncio.TaskGroup() as group:
            if until + self._rates.drain_s - self._now() > LONG_S + 4 * HOUR:
                group.create_task(self._lack_right_for_long())
            for place in self._people.places:
                group.create_task(self._live_in(place, until))

    async def _lack_right_for_long(self) -> None:
        """Remove a right in a chat for longer than a story's life, and post affected stories."""
        place = self._chance.choice([p for p in self._people.places if p.kind == "supergroup"])
        right, media_type = self._chance.choice([("can_send_photos", 1), ("can_send_videos", 2)])
        self._without_right = place
        await asyncio.sleep(self._chance.uniform(0.5, 1) * HOUR)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._people.forbid(place, right, LONG_S / HOUR / self._rates.away))
            for _ in range(4):
                await asyncio.sleep(self._chance.uniform(5, 35) * MINUTE)
                try:
                    name = await self._followed(place)
                except RefusedError as error:  # the bot is not in the chat
                    self._journal.note("no meeting", place.chat, error)
                    continue
                await self._control.publish(name, media_type)

    async def _live_in(self, place: Place, until: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, HOUR))
        while self._now() < until - 4 * HOUR:
            pair = self._next_pair(place)
            self._journal.note("meeting", place.chat, *pair)
            try:
                await asyncio.wait_for(self._meet(place, pair), until - self._now())
            except TimeoutError:
                return
            except RefusedError as error:  # the bot is not in the chat, or the button is gone
                self._journal.note("no meeting", place.chat, error)

    def _next_pair(self, place: Place) -> Pair:
        """Return the first possible pair for the chat, and move the pair to the list's end."""
        possible = [pair for pair in self._pairs if all(self._fits(one, place) for one in pair)]
        hours = self._until_clock_change(self._now()) / HOUR
        with_change = [pair for pair in possible if "clock change" in pair]
        if 1 < hours < 14 and with_change:
            possible = with_change
        else:
            possible = [pair for pair in possible if pair not in with_change]
        self._pairs.remove(possible[0])
        self._pairs.append(possible[0])
        return possible[0]

    def _fits(self, feature: str, place: Place) -> bool:
        match feature:
            case "migration":
                return place.kind == "group"
            case "two topics":
                return bool(place.topics)
            case "right":
                return place.kind in {"group", "supergroup"} and place is not self._without_right
        return True

    @staticmethod
    def _until_clock_change(now: float) -> float:
        return min(_next_change(now, zone) - now for zone in CHANGING_ZONES)

    async def _meet(self, place: Place, pair: Pair) -> None:
        """Post a story that is deferred, perform both actions, and wait for the arrival."""
        chance = self._chance
        name = await self._followed(place)
        ready = await self._let_wait(place, name, pair)
        await self._control.publish(name, chance.choice([1, 1, 2]))
        await asyncio.sleep(chance.uniform(1, 50) * MINUTE)
        features = chance.sample(pair, 2)
        if chance.random() < MOVED:
            features.append(chance.choice(["hour", "night"]))
        for feature in features:
            name = self._name_now(name)
            if chance.random() < 0.5:
                await self._control.publish(name, 1)
            if deed := self._deeds.get(feature):
                await deed(place, name)
            await asyncio.sleep(chance.choice([10.0, 6 * MINUTE, chance.uniform(1, 40) * MINUTE]))
            if chance.random() < 0.6:
                await self._say(place, f"/why {self._name_now(name)}")
        await asyncio.sleep(max(0.0, ready - self._now()) + chance.uniform(5, 60) * MINUTE)

    async def _let_wait(self, place: Place, name: str, pair: Pair) -> float:
        """Set summary and quiet hours that defer a story. Return the approximate arrival time."""
        chance, now = self._chance, self._now()
        states = set(pair).intersection(STATES) - {"clock change"}
        states |= {chance.choice(["summary", "summary", "quiet hours"])} if not states else set()
        is_over_night = states == {"summary"} and chance.random() < NIGHT_OVER_SUMMARY
        hours = chance.randint(2, 8)
        if "clock change" in pair:
            zone = min(CHANGING_ZONES, key=lambda one: _next_change(now, one))
            await self._set(place, "zone", zone)
            hours = int((_next_change(now, zone) - now) / HOUR) + chance.randint(1, 6)
        summary = self._hour_in(place, hours)
        if "summary" in states:
            await self._set(place, "digest", str(summary))
        option = "on" if "summary" in states else "off"
        await self._press(place, f"opt:{self._number(place, name)}:digest:{option}")
        if "quiet hours" in states or is_over_night:
            begins, ends = ([-1, 0], [1, 2]) if is_over_night else ([-1, 0, 1], [-2, -1, 0, 1, 2])
            end = (summary + chance.choice(ends)) % 24
            begin = self._hour_in(place, chance.choice(begins))
            await self._set(place, "quiet", f"{begin}-{end}")
            hours += 2
        else:
            await self._set(place, "quiet", "0-0")
        return now + hours * HOUR

    # -- the actions --------------------------------------------------------------------

    async def set_hour(self, place: Place, _: str) -> None:
        """Set another hour of the daily summary, near or far."""
        hours = self._chance.choice([1, 1, self._chance.randint(0, 9)])
        await self._set(place, "digest", str(self._hour_in(place, hours)))

    async def set_zone(self, place: Place, _: str) -> None:
        """Set another time zone."""
        await self._set(place, "zone", self._chance.choice(ZONES))

    async def set_night(self, place: Place, _: str) -> None:
        """Set other quiet hours, or none."""
        begin, end = (self._hour_in(place, n) for n in (self._chance.randint(-2, 2),
                                                        self._chance.randint(3, 9)))  # fmt: skip
        usual = ["22-7", "23-7", "23-8", "0-8"]
        nights = [*["0-0"] * 3, *usual, *[f"{begin}-{end}"] * 2]
        await self._set(place, "quiet", self._chance.choice(nights))

    async def mute_and_undo(self, place: Place, name: str) -> None:
        """Mute a subscription for a day, and undo."""
        number = self._number(place, name)
        await self._press(place, f"mute:{number}")
        await self._hesitate()
        await self._people.press_where(place, f"opt:{number}:pause:undone", exactly=True)

    async def end_and_undo(self, place: Place, name: str) -> None:
        """Unsubscribe, and undo."""
        await self._say(place, f"/unsubscribe {name}")
        await self._hesitate()
        await self._people.press_where(place, "undo:")

    async def pause(self, place: Place, name: str) -> None:
        """Pause a subscription for a while."""
        number = self._number(place, name)
        await self._press(place, f"opt:{number}:pause:on")
        await self._hesitate()
        await self._press(place, f"opt:{number}:pause:off")

    async def import_over(self, place: Place, _: str) -> None:
        """Export subscriptions, and import the file over the same subscriptions."""
        begin = self._now()
        await self._say(place, "/export")
        await asyncio.sleep(20)
        files = [m for m in self._people.messages(place)
                 if m.media is not None and m.media.kind == "document"]  # fmt: skip
        if files:
            body = {"user_id": place.owner, "text": "/import", "reply_to": files[-1].id}
            await self._control.call("POST", f"/chats/{place.chat}/messages", body)
            await asyncio.sleep(20)
            self._did(begin, place, "import")

    async def follow_twice(self, place: Place, name: str) -> None:
        """Subscribe to a profile in two topics."""
        for topic in place.topics[:2]:
            await self._people.write(place, place.owner, f"/subscribe {name}", thread=topic)
            await asyncio.sleep(30)

    async def take_right(self, place: Place, _: str) -> None:
        """Remove a right for some hours."""
        rights = ["can_send_messages", "can_send_photos", "can_send_videos"]
        hours = self._chance.choice([0.2, 1, 1, 3, 3, 26])
        await self._people.forbid(place, self._chance.choice(rights), hours / self._rates.away)

    async def set_rules(self, place: Place, name: str) -> None:
        """Set or remove the rules for alerts."""
        rules = ["not: #sale", "only: photo", "not: link", "off"]
        await self._say(place, f"/rules {name} {self._chance.choice(rules)}")

    async def be_silent(self, place: Place, name: str) -> None:
        """Set or unset silent alerts."""
        value = self._chance.choice(["on", "on", "off"])
        await self._press(place, f"opt:{self._number(place, name)}:silent:{value}")

    async def rename(self, place: Place, name: str) -> None:
        """Rename a profile."""
        begin, base = self._now(), name.partition(".")[0]
        new = f"{base}.{int(begin) % 100_000}"
        await self._control.change_profile(name, username=new)
        names = self._people.names
        names[names.index(name)] = new
        profile = self._journal.sandbox.instagram.by_username(new)
        self._did(begin, place, "rename", profile.pk if profile else "")

    async def migrate(self, place: Place, _: str) -> None:
        """Migrate a group to a supergroup."""
        begin = self._now()
        await self._people.migrate(place)
        self._did(begin, place, "migration")

    async def remove(self, place: Place, _: str) -> None:
        """Remove or block the bot for a short time."""
        begin = self._now()
        away = self._people.leave(place, hours=self._chance.choice([0.2, 2]))
        await away
        self._did(begin, place, "removal")

    async def crash(self, _: Place, __: str) -> None:
        """Kill the process."""
        self._weather.crash_now.set()
        await asyncio.sleep(MINUTE)

    async def stop_telegram(self, place: Place, _: str) -> None:
        """Let sends to the chat fail for some minutes."""
        await self._fail("telegram", match="send", fault=DOWN, chat_id=place.chat)

    async def stop_api(self, _: Place, __: str) -> None:
        """Let the Stories API fail for some minutes."""
        await self._fail("stories", match="", fault={**DOWN, "status": 503})

    async def _fail(self, service: str, **more: Any) -> None:
        body = {"service": service, "times": None, **more}
        number = int((await self._control.call("POST", "/faults", body))["id"])
        window = Window(self._now())
        self._journal.outages[service].append(window)
        await asyncio.sleep(self._chance.uniform(1, 8) * MINUTE)
        await self._control.clear_faults(number)
        window.end = self._now()

    # -- helpers ------------------------------------------------------------------------

    def _now(self) -> float:
        return self._journal.sandbox.clock.now()

    def _did(self, begin: float, place: Place, what: str, profile: str = "") -> None:
        chat = 0 if what == "rename" else place.chat
        self._journal.done.append(Done(begin, self._now(), chat, profile, what))

    async def _hesitate(self) -> None:
        """Wait between an action and its Undo."""
        await asyncio.sleep(self._chance.choice([6.0, 6.0, 90.0, 20 * MINUTE]))

    async def _say(self, place: Place, text: str) -> None:
        await self._people.write(place, place.owner, text)

    async def _set(self, place: Place, what: str, value: str) -> None:
        await self._press(place, f"set:{what}:{value}")

    async def _press(self, place: Place, data: str) -> None:
        """Press a button with the given data on a page of settings."""
        await self._say(place, "/settings")
        await asyncio.sleep(15)
        pages = [m for m in self._people.messages(place) if m.fields.get("reply_markup")]
        if pages and not place.is_away:
            await self._people.press(place, pages[-1], data, user=place.owner)
        await asyncio.sleep(max(15.0, 1.5 * self._rates.terms_s))

    def _terms(self, place: Place) -> list[tuple[str, Terms]]:
        """Return the chat's present subscriptions by profile id."""
        chat = self._journal.chat_now(place.chat)
        return [
            (profile, entries[-1][1])
            for (where, _, profile), entries in sorted(self._journal.terms.items())
            if where == chat and entries[-1][1] is not None
        ]

    def _number(self, place: Place, name: str) -> int:
        """Return the number of a chat's subscription to a profile, or 0 if there is none."""
        profile = self._journal.sandbox.instagram.by_username(name)
        found = [terms.number for pk, terms in self._terms(place) if profile and pk == profile.pk]
        return self._chance.choice(found) if found else 0

    def _name_now(self, name: str) -> str:
        base = name.partition(".")[0]
        return next((one for one in self._people.names if one.partition(".")[0] == base), name)

    async def _followed(self, place: Place) -> str:
        """Return a profile that the chat follows. Subscribe to a profile if there is none."""
        by_pk = self._journal.sandbox.instagram.by_pk
        known = {profile.username for pk, terms in self._terms(place)
                 if not terms.paused and (profile := by_pk(pk))}  # fmt: skip
        if known:
            return self._chance.choice(sorted(known))
        name = self._chance.choice(self._people.names)
        await self._say(place, f"/subscribe {name}")
        await asyncio.sleep(3 * MINUTE)
        return name

    def _hour_in(self, place: Place, hours: int) -> int:
        """Return the local hour of a chat in ``hours`` hours."""
        found = self._terms(place)
        zone = ZoneInfo(found[0][1].zone if found else "UTC")
        return datetime.fromtimestamp(self._now() + hours * HOUR, zone).hour


def _next_change(now: float, zone: str) -> float:
    """Return the next clock change of a zone, within an hour, or infinity if none is near."""
    place, at = ZoneInfo(zone), datetime.fromtimestamp(now, ZoneInfo("UTC"))
    before = at.astimezone(place).utcoffset()
    for hours in range(1, 24 * 8):
        if (at + timedelta(hours=hours)).astimezone(place).utcoffset() != before:
            return now + hours * HOUR
    return float("inf")


# -- combined pairs -------------------------------------------------------------------------


def met(ways: Ways) -> set[Pair]:
    """Return the pairs of features that occurred while the same story was pending for a chat."""
    found: set[Pair] = set()
    by_place: dict[tuple[int, str], set[int]] = defaultdict(set)
    for chat, thread, profile in ways.spans:
        by_place[chat, profile].add(thread)
    for way in ways.all:
        if any(one.terms is not None for one in way.between(way.story.taken_at, way.first)):
            threads = by_place[way.place[0], way.place[2]]
            features = set(_features(ways, way, threads))
            found.update((one, other) for one, other in combinations(sorted(features), 2))
    return found


def _features(ways: Ways, way: Way, threads: set[int]) -> Iterable[str]:
    journal, chat = ways.journal, way.place[0]
    begin = way.story.taken_at
    end = min(way.first, begin + DAY, journal.sandbox.clock.now())
    spans = way.between(begin, end)
    yield from _states(spans, begin, end)
    for before, after in pairwise(spans):
        yield from _changes(before, after)
    if len(threads) > 1:
        yield "two topics"
    if journal.is_unable(chat, begin, end):
        yield "right" if all(s.terms is None or s.terms.is_open for s in spans) else "removal"
    for one in journal.done:
        is_here = not one.chat or journal.chat_now(one.chat) == chat
        if is_here and one.profile in {"", way.place[2]} and one.begin <= end and begin <= one.end:
            yield one.what
    if any(begin <= at <= end for at in journal.crashes):
        yield "crash"
    for kind, feature in (("telegram", "telegram"), ("stories", "stories api")):
        if journal.is_outage(kind, begin, end):
            yield feature


def _states(spans: Iterable[Span], begin: float, end: float) -> Iterable[str]:
    for span in spans:
        terms, first, last = span.terms, max(begin, span.begin), min(end, span.end)
        if terms is None:
            continue
        if terms.summary is not None:
            yield "summary"
        if any(is_quiet(at, terms) for at in (first, (first + last) / 2, last - MINUTE)):
            yield "quiet hours"
        if terms.silent:
            yield "silent"
        if terms.options.get("only") or terms.options.get("without"):
            yield "rules"
        offsets = {datetime.fromtimestamp(at, ZoneInfo(terms.zone)).utcoffset()
                   for at in (first, last)}  # fmt: skip
        if len(offsets) > 1:
            yield "clock change"


def _changes(before: Span, after: Span) -> Iterable[str]:
    old, new = before.terms, after.terms
    if old is None or new is None:
        if before.is_undone or after.is_undone:
            yield "unsubscribe undone"
        return
    if old.zone != new.zone:
        yield "zone"
    if old.quiet != new.quiet:
        yield "night"
    if None not in {old.summary, new.summary} and old.summary != new.summary:
        yield "hour"
    if old.paused != new.paused:
        yield "mute undone" if before.is_undone or after.is_undone else "pause"
    if old.is_open != new.is_open:
        yield "removal"
