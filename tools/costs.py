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

The table at the end lists the credits that each request of a person costs, and the credits that
each check of a subscribed profile costs. `.venv/bin/python -m tools.costs` in a clone writes this
page: the command makes each request against the sandbox (the stand-in of the Stories API) and
reads the bill. A test compares the page with a new run. The prices of single calls are on
[the page of the calls](stories-api.md).

Most of the credits pay for checks of subscribed profiles. `DAILY_BUDGET` limits the credits of a
day, and `/spending` shows the owner where the credits went. The section "What it costs" of the
README has the packs of credits, and the cost of a month in dollars.

The bot has a ledger: a record of the credits of each call.

- An answer of the Stories API can report its own cost. The ledger then records this cost, but at
  most five times the price of the call.
- If an answer reports no cost, the ledger records the price.
- Answers with the status 401, 402, 410, 500, 503 or 504 are free. HTML pages of the vendor's
  network (its edge) with the status 403 or 404 are also free.
- If there is no answer, the cost is unknown. The cost is also unknown after other failures, such
  as the status 408, 429 or 502. The ledger then records the price. If three balances in a row show
  that the call was not billed, the credits return to the day's budget and to the daily limit of
  the person.

The bot loads the files of stories (photos and videos) from Instagram's servers at no cost. If the
address of a file fails, the bot buys the file from the Stories API for 1 credit. If the files of
several stories of a profile fail, the bot buys one file first. The bot buys the other files only
if the first purchase succeeds.

People can also paste the address of a file on Instagram's servers. The bot loads this file at no
cost. A person may load 500 MB a day in this way. If Instagram's server refuses an address that has
a signature (403), the bot buys the file for 1 credit. The bot sends the bought file only if the
answer of the Stories API names the account of the file, and the account is public and not blocked.
If three answers in a row name no account, the bot buys no file of a pasted address for a day.

In the table, `NAME` is the name of a profile. Unless a row says otherwise, the setting
`SKIP_PRIVACY_CHECK` has its default value, `auto` ([settings](configuration.md)).

| what | credits |
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
        await self.scheduler.run_once()


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
        "the link of the same story again, from any chat, while the address of its file is valid",
        ask(0),
    )
    await here.row("the original of that story, by the button *As a file*", ask(0))
    stories[1].removed = True
    await here.row("the link of a deleted story", ask(1))
    here.go_on(hours=26)
    await here.row("the link of a story older than a day", ask(0))


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
    await here.row("`/stories NAME`, for a name not looked up in 30 days", ask("new"))
    await here.row("`/stories NAME` again within `CACHE_S` seconds", ask("new"))
    await here.row(
        "the originals of these stories within `CACHE_S` seconds, by the button *As files*",
        ask("new"),
    )
    here.go_on(minutes=2)
    await here.row("`/stories NAME` again after `CACHE_S` seconds", ask("new"))

    async def by_all_ways(name: str) -> None:
        for do in (here.viewer.get_or_fetch_stories, here.highlights.get_or_fetch_of_profile):
            with suppress(BotError):
                await do(name, BOB)
        await here.subscribing.subscribe(Target(2), name, BOB)

    for what, name in (
        ("a name without an account", "no.such.name"),
        ("a private account", "hidden"),
    ):
        await here.row(f"`/stories NAME`, for {what}", ask(name))
        again = f"{what} again within five minutes, by any command, from any chat"
        await here.row(again, partial(by_all_ways, name))
    refused = Link("story", "natgeo", "5", url="https://www.instagram.com/stories/natgeo/5/")
    await here.row(
        "the link of a story that the API refuses",
        lambda: here.viewer.get_or_fetch_story(refused, ANN),
    )
    await here.row(
        "the refused link again within five minutes",
        lambda: here.viewer.get_or_fetch_story(refused, BOB),
    )
    await here.row("`/stories NAME`, for an account without stories", ask("silent"))
    here.go_on(minutes=2)
    await here.row("the account without stories again after `CACHE_S` seconds", ask("silent"))
    await here.row(
        "`/stories NAME`, if the first lookup of an existing account answers 404", ask("passing")
    )
    here.go_on(minutes=2)
    passing.failures = 1
    await here.row(
        "`/stories NAME` for a looked-up name, if the first call answers 404", ask("passing")
    )
    contrary = here.account("contrary")
    await ask("contrary")()
    here.go_on(minutes=2)
    contrary.trouble, contrary.trouble_times = "PrivateAccount", 1
    await here.row(
        "`/stories NAME` for a looked-up name, if the API calls a public account private",
        ask("contrary"),
    )
    await here.row("the public account called private again within five minutes", ask("contrary"))
    await here.row(
        "`/stories NAME`, if every call answers 403 for a reason other than privacy", ask("walled")
    )
    await here.row("the account that answers 403 again within five minutes", ask("walled"))
    await here.row("`/stories NAME`, if every call answers 500", ask("sick"))
    await here.row(
        "`/stories NAME`, if every call answers with an error page of the edge", ask("edge")
    )
    for what, trouble, times in (
        ("`/stories NAME`, if only the lookup of the name answers 403", "ClientLoginRequired", 1),
        ("`/stories NAME`, if only the lookup of the name answers 500", "error", 2),
    ):
        here.go_on(minutes=2)
        profile = here.account(f"half.{trouble.lower()}")
        profile.trouble, profile.trouble_times = trouble, times
        await here.row(what, ask(profile.username))


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
    await here.row("`/highlights NAME`, for a name not looked up in 30 days", listed("keeper"))
    await here.row("`/highlights NAME` again within an hour", listed("keeper"))
    here.go_on(hours=2)
    await here.row("`/highlights NAME` again after an hour", listed("keeper"))
    here.sandbox.instagram.rename(owner, "keeper.now")
    here.account("keeper")
    here.go_on(hours=2)
    await here.row(
        "`/highlights NAME`, for a looked-up name that now belongs to another account",
        listed("keeper"),
    )
    await here.row("`/highlights` of a private account", listed("keeps.secrets"))
    here.go_on(hours=2)
    await here.row(
        "`/highlights` of the private account again after five minutes", listed("keeps.secrets")
    )
    await here.row("a highlight, by its button or link", opened(kept.pk))
    await here.row(
        "the highlight again within a day, also for its next ten stories", opened(kept.pk)
    )
    await here.row("a highlight that does not exist", opened("17800000000000001"))
    here.sandbox.switches.set("highlight_by_url", "refused")
    await here.row(
        "a highlight, if the plan of the API key has no highlights", opened("17800000000000002")
    )
    await here.row(
        "another highlight within an hour, with the same plan", opened("17800000000000003")
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
            await here.subscribing.set_own_topic(ANN_ID, one.id, on=on)

    for name in ("followed", "one.of.two", "other.of.two"):
        here.account(name)
    here.account("locked.in", is_private=True)
    here.account("with.topic")
    await here.row(
        "`/subscribe NAME`, for a name not looked up in 30 days", ask("followed", 1, ANN)
    )
    await here.row("`/subscribe NAME` from another chat soon after", ask("followed", 2, BOB))
    own = here.topic
    await here.row("`/subscribe NAME topic`, in a chat without topics", own("with.topic"))
    here.sandbox.telegram.world.bot.has_topics = True
    await here.row(
        "`/subscribe NAME topic`, for a name not looked up in 30 days", own("with.topic")
    )
    await here.row("the option *In its own topic*, off and on", lambda: own_topic("with.topic"))
    await here.row("`/subscribe` to a private account", ask("locked.in", 1, ANN))
    await here.row("`/subscribe` to a name without an account", ask("nobody.has.it", 1, ANN))
    two = ("one.of.two", "other.of.two")
    await here.row(
        "`/subscribe A B`, for two names not looked up in 30 days",
        lambda: here.subscribing.subscribe_all(Target(1), two, ANN),
    )
    await here.row("`/rules` and `/why` for a subscribed profile", lambda: choose("followed"))
    past = Past(here.db, blocked=(), now=here.now)
    searched = Search(("followed",), "followed", "", (), None)
    await here.row("`/past NAME`", lambda: past.find_and_store_file_ids(1, 1, searched))


async def _polls(here: Shop, mode: SkipCheck) -> None:
    profile = here.account("polled")
    await here.subscribing.subscribe(Target(1), "polled", ANN)
    here.go_on(minutes=5)
    await here.row(
        f"a check of a subscribed profile, `SKIP_PRIVACY_CHECK={mode}`", lambda: here.poll(profile)
    )
    if mode != "auto":
        return
    here.go_on(hours=12)
    here.sandbox.stories_api.configure({"forced_blind": ["polled"]})
    await here.row(
        "a check that finds no stories although the bot knows live stories",
        lambda: here.poll(profile),
    )
    here.go_on(hours=25)
    await here.row(
        "a check more than a day after the last privacy check", lambda: here.poll(profile)
    )
    profile.is_private = True
    here.go_on(hours=25)
    await here.row("the first check of an account that became private", lambda: here.poll(profile))
    here.go_on(hours=1)
    await here.row(
        "the second check of this account, after which the account counts as private",
        lambda: here.poll(profile),
    )
    here.go_on(hours=1)
    await here.row("each later check of this account", lambda: here.poll(profile))


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(page()), encoding="utf-8")
