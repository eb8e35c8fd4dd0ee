"""Generate docs/costs.md with the cost of each kind of request: ``python -m tools.costs``.

The bot's own components perform each action, and call the sandbox over HTTP. The credits in the
table are the charges of the sandbox.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr
from telegram.ext import ExtBot

from bot.billing.ledger import Ledger
from bot.chats.past import Past
from bot.chats.payers import Payers, SubscriptionLimits
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain.budget import Limits
from bot.domain.errors import BotError
from bot.domain.links import Link
from bot.domain.model import Asker, Target
from bot.domain.past_search import Search
from bot.fetching.answer_cache import AnswerCache
from bot.fetching.highlights import Highlights
from bot.fetching.on_demand import Viewer
from bot.fetching.poller import Scheduler
from bot.fetching.schedule_state import PollSettings
from bot.runtime.claims import Owner
from bot.sending.topics import Topics
from bot.store import chats, profiles
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from bot.stories_api.privacy import PrivacyCheck, SkipCheck
from bot.telegram.request import AiohttpRequest
from sandbox.app import running
from sandbox.instagram import Profile
from sandbox.state import Sandbox
from sandbox.telegram.world import FIRST_PERSON

PAGE = Path("docs/costs.md")
HEAD = """# What it costs

The Stories API is the paid service from which the bot gets stories. The Stories API bills each
call in credits. [The table](#the-table) lists the credits for each request of a person, and for
each check of a profile. Another page lists [the price of each call](stories-api.md). The section
"What it costs" of the README has the packs of credits, and the cost of a month in dollars.

A check is a call for the stories of a subscribed profile, so that the bot can send alerts. Most of
the credits pay for checks. The setting `DAILY_BUDGET` limits the credits that the bot spends in a
day. With `/spending`, the owner sees what the credits were spent on.

## The bills

The *ledger* is the bot's record of its credits. The *list price* of a call is its price on
[the page of the calls](stories-api.md). After each call, the ledger records these credits:

| result of the call | credits in the ledger |
|---|---|
| no connection to the API | 0 |
| the status 401, 402, 410, 500, 503 or 504 | 0 |
| the status 403 or 404 in an error page of the vendor's network, and not from the API itself | 0 |
| success, or the status 400, 403, 404 or 422 from the API itself | the cost in the answer, at \
most five times the list price. If the answer names no cost, the ledger records the list price |
| no answer to a sent call, or any other status, such as 408, 429 or 502 | the list price, \
because the cost is unknown |

The *balance* is the number of credits that are left in your account at the Stories API. At least
every 5 minutes, the bot asks for the balance. If three balances in a row show that a call of
unknown cost was not billed, the bot gives the credits back: to the day's budget, and to the daily
limit of the person who caused the call.

## The files of stories

The bot downloads the files of stories (photos and videos) from Instagram's servers. These
downloads are free. If a download fails, the bot buys the file from the Stories API for 1 credit.
If the downloads of several files of a profile fail, the bot first buys one of these files. If this
purchase succeeds, the bot also buys the other files.

If the Stories API refuses the file of an alert, for example because the story was deleted, the
credit may be spent. In the next 3 hours, the bot buys no files for alerts with other stories of
the profile. These alerts wait until a free download works, until the API serves the refused file,
or until the 3 hours are over.

A person can also paste the address of a file on Instagram's servers. The bot downloads this file
for free, up to 500 MB a day for each person. If Instagram's server refuses the address
(status 403), for example because the address has expired, the bot buys the file for 1 credit. The
bot sends the bought file if all these conditions are true:

- The answer of the Stories API names the account of the file.
- The account is public.
- The account is not blocked.

If a condition is false, the credit is spent, but the person gets no file. After three answers in a
row without an account, the bot buys no file of a pasted address for a day.

## The table

The rows of the table use these terms:

- `NAME` is the name of a profile (an Instagram account).
- A name is *known* if an answer of the Stories API within the last 30 days contained the name. All
  other names are *new*.
- `CACHE_S` is a [setting](configuration.md), by default 60 seconds. For this time after a paid
  answer, the bot shows the same stories for free.
- A story is *visible* for 24 hours after its post.
- A *privacy check* tests whether an account is private. The rows apply to the default setting
  `SKIP_PRIVACY_CHECK=auto`, unless a row names another value.

The table leaves out two requests. A request in inline mode (`@yourbot natgeo` in any chat) costs
nothing. The button *Look it up: 1 credit* of `/block` costs 1 credit.

For developers: in a clone, `.venv/bin/python -m tools.costs` writes this page. The command makes
each request of the table against the sandbox (the local stand-in for the Stories API), and reads
the bill. A test compares the page with a new run of the command.

| request or check | credits |
|---|---|
"""
MANY = 10**6
ANN, BOB = Asker(1, 1), Asker(2, 2)
ANN_ID = FIRST_PERSON  # the id of the only person in the simulated Telegram


@dataclass(slots=True)
class Shop:
    """One bot and one sandbox with a common clock. The clock can be advanced."""

    sandbox: Sandbox
    db: Database
    viewer: Viewer
    subscribing: Subscribing
    subscriptions: Subscriptions
    scheduler: Scheduler
    highlights: Highlights
    rows: list[tuple[str, int]] = field(default_factory=list)

    async def row(self, what: str, do: Callable[[], Awaitable[Any]]) -> None:
        """Perform an action, and record the charge in credits. The bot may refuse the action."""
        before = self.sandbox.stories_api.billing.total
        with suppress(BotError):
            await do()
        await asyncio.sleep(0.2)  # the cache stores an answer shortly after returning it
        self.rows.append((what, self.sandbox.stories_api.billing.total - before))

    def account(self, name: str, *, stories: int = 1, is_private: bool = False) -> Profile:
        """Create an account with ``stories`` stories."""
        profile = self.sandbox.instagram.add_profile(name, is_private=is_private)
        for _ in range(stories):
            self.sandbox.instagram.publish(profile, 1)
        return profile

    def go_on(self, **span: float) -> None:
        """Advance the clock."""
        self.sandbox.clock.advance(timedelta(**span).total_seconds())

    def topic(self, name: str) -> Callable[[], Awaitable[Any]]:
        """Return a function that subscribes to the account ``name`` in a separate topic."""
        by = Asker(ANN_ID, ANN_ID)
        return lambda: self.subscribing.subscribe_all(Target(ANN_ID), [name], by, own_topic=True)

    def now(self) -> datetime:
        """Return the current time of the sandbox."""
        return datetime.fromtimestamp(self.sandbox.clock.now(), UTC)

    async def poll(self, profile: Profile) -> None:
        """Let the scheduler check a profile now."""
        async with self.db.begin() as tx:
            await profiles.change(tx, profile.pk, due_at=self.now() - timedelta(seconds=1))
        await self.scheduler.make_possible_checks_once()


@asynccontextmanager
async def shop(mode: SkipCheck) -> AsyncIterator[Shop]:
    """Yield a new bot and sandbox."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        sandbox = await stack.enter_async_context(running(seed=7))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        db = await stack.enter_async_context(Database(f"sqlite:///{folder}/costs.db"))
        await db.migrate()

        def now() -> datetime:
            return datetime.fromtimestamp(sandbox.clock.now(), UTC)

        limits = Limits(MANY, 0.5, MANY, MANY)
        ledger = Ledger(db, limits, now=now)
        privacy = PrivacyCheck(db, mode, now=now)
        api = StoriesApi(
            session,
            url=sandbox.urls.stories_api,
            key=SecretStr("k"),
            privacy=privacy,
            rate=MANY,
            now=now,
        )
        answers = await stack.enter_async_context(AnswerCache(db, ledger, now=now))
        polling = PollSettings(credits_a_day=MANY, credits_a_poll=None if mode == "auto" else 2)
        subscriptions = Subscriptions(db, ledger, now=now)
        subscribing = Subscribing(
            db,
            api,
            ledger,
            payers=Payers(db, limits=SubscriptionLimits(most_new_a_day=MANY), now=now),
            polling=polling,
            topics=Topics(db, await stack.enter_async_context(_bot(sandbox)), now=now),
            now=now,
        )
        scheduler = Scheduler(
            db,
            api,
            ledger,
            owner=Owner(),
            settings=polling,
            apply_blocks=subscriptions.apply_profile_blocks,
            at_once=1,
            now=now,
        )
        async with db.begin() as tx:
            for chat in (1, 2, ANN_ID):
                await chats.add_or_update(tx, chat, kind="private", title="", now=now())
        yield Shop(
            sandbox,
            db,
            Viewer(db, api, ledger, answers, now=now),
            subscribing,
            subscriptions,
            scheduler,
            Highlights(db, api, ledger, answers, now=now),
        )


@asynccontextmanager
async def _bot(sandbox: Sandbox) -> AsyncIterator[ExtBot[Any]]:
    """Yield the bot that creates topics, and start its private chat with a person."""
    token = f"{sandbox.telegram.world.bot.id}:{'x' * 30}"
    bot = ExtBot(token, base_url=f"{sandbox.urls.telegram}/bot", request=AiohttpRequest())
    world = sandbox.telegram.world
    world.ensure_private_chat(world.bot, world.add_person("Ann")).started = True
    async with bot:
        yield bot


async def page() -> str:
    """Make each request of the table against the sandbox. Return the page as Markdown."""
    rows: list[tuple[str, int]] = []
    async with shop("auto") as here:
        await _links(here)
        await _names(here)
        await _highlights(here)
        await _subscribing(here)
        rows += here.rows
    modes: tuple[SkipCheck, ...] = ("auto", "false", "true")
    for mode in modes:
        async with shop(mode) as here:
            await _polls(here, mode)
            rows += here.rows
    return HEAD + "\n".join(f"| {what} | {credits_} |" for what, credits_ in rows) + "\n"


async def _links(here: Shop) -> None:
    profile = here.account("linked", stories=2)
    stories = here.sandbox.instagram.stories_of(profile)

    def ask(n: int) -> Callable[[], Awaitable[Any]]:
        pk = stories[n].pk
        return lambda: here.viewer.get_or_fetch_story(Link("story", "linked", pk), ANN)

    await here.row("the link of a story", ask(0))
    await here.row(
        "the link of a story that the bot has shown before, in any chat, while the address of its "
        "file is valid",
        ask(0),
    )
    await here.row(
        "the button *As a file* under a story, while the address of its file is valid", ask(0)
    )
    stories[1].removed = True
    await here.row("the link of a deleted story", ask(1))
    here.go_on(hours=26)
    await here.row("the link of a story that is more than a day old", ask(0))
    refused = Link("story", "natgeo", "5", url="https://www.instagram.com/stories/natgeo/5/")
    await here.row(
        "the link of a story, if the API refuses the link",
        lambda: here.viewer.get_or_fetch_story(refused, ANN),
    )
    await here.row(
        "a link that the API refused within the last five minutes",
        lambda: here.viewer.get_or_fetch_story(refused, BOB),
    )


async def _names(here: Shop) -> None:
    def ask(name: str) -> Callable[[], Awaitable[Any]]:
        return lambda: here.viewer.get_or_fetch_stories(name, ANN)

    for name, trouble in (("walled", "ClientLoginRequired"), ("sick", "error"), ("edge", "edge")):
        here.account(name).trouble = trouble
    here.account("new")
    here.account("hidden", is_private=True)
    here.account("silent", stories=0)
    passing = here.account("passing")
    passing.failures = 1
    await here.row("`/stories NAME`, new name", ask("new"))
    await here.row("`/stories NAME` again, within `CACHE_S` seconds", ask("new"))
    await here.row(
        "the button *As files* under the stories of `/stories`, within `CACHE_S` seconds",
        ask("new"),
    )
    here.go_on(minutes=2)
    await here.row("`/stories NAME` again, after `CACHE_S` seconds", ask("new"))

    async def by_all_ways(name: str) -> None:
        for do in (here.viewer.get_or_fetch_stories, here.highlights.get_or_fetch_of_profile):
            with suppress(BotError):
                await do(name, BOB)
        await here.subscribing.subscribe(Target(2), name, BOB)

    for what, answer, name in (
        ("if no account has the name", "that no account has the name", "no.such.name"),
        ("new name of a private account", "that the account is private", "hidden"),
    ):
        await here.row(f"`/stories NAME`, {what}", ask(name))
        again = f"any command with `NAME`, if the API answered less than five minutes ago {answer}"
        await here.row(again, partial(by_all_ways, name))
    await here.row("`/stories NAME`, new name of an account without stories", ask("silent"))
    here.go_on(minutes=2)
    await here.row(
        "`/stories NAME` again for an account without stories, after `CACHE_S` seconds",
        ask("silent"),
    )
    await here.row(
        "`/stories NAME`, new name, if the first call answers 404 although the account exists",
        ask("passing"),
    )
    here.go_on(minutes=2)
    passing.failures = 1
    await here.row(
        "`/stories NAME`, known name, if the first call answers 404 although the account exists",
        ask("passing"),
    )
    contrary = here.account("contrary")
    await ask("contrary")()
    here.go_on(minutes=2)
    contrary.trouble, contrary.trouble_times = "PrivateAccount", 1
    await here.row(
        "`/stories NAME`, known name, if the first call says *private* although the account is "
        "public",
        ask("contrary"),
    )
    await here.row(
        "`/stories NAME`, if the API called the public account private less than five minutes ago",
        ask("contrary"),
    )
    await here.row(
        "`/stories NAME`, new name, if every call answers 403 for a reason other than privacy",
        ask("walled"),
    )
    await here.row(
        "`/stories NAME`, if every call answered 403 less than five minutes ago", ask("walled")
    )
    await here.row("`/stories NAME`, new name, if every call answers 500", ask("sick"))
    await here.row(
        "`/stories NAME`, new name, if every call gets an error page of the vendor's network",
        ask("edge"),
    )
    for status, trouble, times in (
        ("403", "ClientLoginRequired", 1),
        ("500", "error", 2),
    ):
        here.go_on(minutes=2)
        profile = here.account(f"half.{trouble.lower()}")
        profile.trouble, profile.trouble_times = trouble, times
        await here.row(
            "`/stories NAME`, new name, if only the call for the ID of the profile answers "
            f"{status}",
            ask(profile.username),
        )


async def _highlights(here: Shop) -> None:
    def listed(name: str) -> Callable[[], Awaitable[Any]]:
        return lambda: here.highlights.get_or_fetch_of_profile(name, ANN)

    def opened(pk: str) -> Callable[[], Awaitable[Any]]:
        return lambda: here.highlights.get_or_fetch(pk, ANN)

    owner = here.account("keeper")
    kept = here.sandbox.instagram.add_highlight(
        owner, "Sea", here.sandbox.instagram.stories_of(owner)
    )
    here.account("keeps.secrets", is_private=True)
    await here.row("`/highlights NAME`, new name", listed("keeper"))
    await here.row("`/highlights NAME` again, within an hour", listed("keeper"))
    here.go_on(hours=2)
    await here.row("`/highlights NAME` again, after an hour", listed("keeper"))
    here.sandbox.instagram.rename(owner, "keeper.now")
    here.account("keeper")
    here.go_on(hours=2)
    await here.row(
        "`/highlights NAME`, known name that now belongs to another account",
        listed("keeper"),
    )
    await here.row("`/highlights NAME`, new name of a private account", listed("keeps.secrets"))
    here.go_on(hours=2)
    await here.row(
        "`/highlights NAME` again for a private account, after five minutes",
        listed("keeps.secrets"),
    )
    await here.row("the button or the link of a highlight", opened(kept.pk))
    await here.row(
        "the button or the link of a highlight that the bot has shown within the last day",
        opened(kept.pk),
    )
    await here.row(
        "the button for the next ten stories of a highlight that the bot has shown within the "
        "last day",
        opened(kept.pk),
    )
    await here.row("the link of a highlight that does not exist", opened("17800000000000001"))
    here.sandbox.switches.set("highlight_by_url", "refused")
    await here.row(
        "a highlight, if the plan of the API key does not include highlights",
        opened("17800000000000002"),
    )
    await here.row(
        "any highlight, if the API answered less than an hour ago that the plan does not include "
        "highlights",
        opened("17800000000000003"),
    )


async def _subscribing(here: Shop) -> None:
    def ask(name: str, chat: int, by: Asker) -> Callable[[], Awaitable[Any]]:
        return lambda: here.subscribing.subscribe(Target(chat), name, by)

    async def choose(username: str) -> None:
        (one,) = await here.subscriptions.get_of_username(1, username)
        await here.subscribing.set_options(1, one.id, {"only": "#sale"})
        await here.subscriptions.stored_live_stories(username, chat_id=1)
        await here.subscriptions.explain_each_subscription(Target(1), username)

    async def own_topic(username: str) -> None:
        (one,) = await here.subscriptions.get_of_username(ANN_ID, username)
        for on in (False, True):
            await here.subscribing.move_to_own_topic_or_back(ANN_ID, one.id, on=on)

    for name in ("followed", "one.of.two", "other.of.two"):
        here.account(name)
    here.account("locked.in", is_private=True)
    here.account("with.topic")
    await here.row("`/subscribe NAME`, new name", ask("followed", 1, ANN))
    await here.row(
        "`/subscribe NAME`, if another chat subscribed to `NAME` within the last ten minutes",
        ask("followed", 2, BOB),
    )
    own = here.topic
    await here.row(
        "`/subscribe NAME topic`, in a chat without topics (the bot refuses)", own("with.topic")
    )
    here.sandbox.telegram.world.bot.has_topics = True
    await here.row("`/subscribe NAME topic`, new name, in a chat with topics", own("with.topic"))
    await here.row(
        "the option *In its own topic*, turned off and on again", lambda: own_topic("with.topic")
    )
    await here.row("`/subscribe NAME`, new name of a private account", ask("locked.in", 1, ANN))
    await here.row("`/subscribe NAME`, if no account has the name", ask("nobody.has.it", 1, ANN))
    two = ("one.of.two", "other.of.two")
    await here.row(
        "`/subscribe NAME NAME2`, two new names",
        lambda: here.subscribing.subscribe_all(Target(1), two, ANN),
    )
    await here.row("`/rules` and `/why` for a subscribed profile", lambda: choose("followed"))
    past = Past(here.db, blocked=(), now=here.now)
    searched = Search(("followed",), "followed", "", (), None)
    await here.row("`/past NAME`", lambda: past.find_page_and_store_file_ids(1, 1, searched))


async def _polls(here: Shop, mode: SkipCheck) -> None:
    profile = here.account("polled")
    await here.subscribing.subscribe(Target(1), "polled", ANN)
    here.go_on(minutes=5)
    what = f"a check of a subscribed profile, with `SKIP_PRIVACY_CHECK={mode}`"
    if mode == "auto":
        what = "a check at most a day after the last privacy check of the profile"
    await here.row(what, lambda: here.poll(profile))
    if mode != "auto":
        return
    here.go_on(hours=12)
    here.sandbox.stories_api.configure({"forced_blind": ["polled"]})
    await here.row(
        "a check that finds no stories, although stories of the previous check are less than 24 "
        "hours old. A second call verifies the answer. If the second answer has no stories "
        "either, such a check of the profile costs 1 credit for the next 3 hours",
        lambda: here.poll(profile),
    )
    here.go_on(hours=25)
    await here.row(
        "a check more than a day after the last privacy check of the profile",
        lambda: here.poll(profile),
    )
    here.go_on(hours=1)
    here.sandbox.instagram.publish(profile, 1)
    here.go_on(hours=11)
    await here.poll(profile)
    here.go_on(hours=12.5)
    await here.row(
        "a check more than a day after the last privacy check of the profile, if the check finds "
        "a story that the previous check missed, although the story was already posted",
        lambda: here.poll(profile),
    )
    profile.is_private = True
    here.go_on(hours=25)
    await here.row("the first check after the account became private", lambda: here.poll(profile))
    here.go_on(hours=1)
    await here.row(
        "the second check after the account became private",
        lambda: here.poll(profile),
    )
    here.go_on(hours=1)
    await here.row("each later check of the private account", lambda: here.poll(profile))


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(page()), encoding="utf-8")
