"""The construction of all parts of the bot from the settings, in the order of the layers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Any

import aiohttp
import structlog
from telegram.ext import ExtBot

from bot.billing.balance import Treasurer
from bot.billing.ledger import Ledger
from bot.billing.reports import Reports
from bot.chats.access import Access
from bot.chats.past import Past
from bot.chats.payers import Payers, SubscriptionLimits
from bot.chats.presence import ChatPresence
from bot.chats.settings import Chats
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.config import Settings, secret_text_or_empty
from bot.context import Services, Timing
from bot.domain.budget import OF_NEWCOMER, Limits
from bot.domain.incidents import OUT_OF_SERVICE, REFUSED
from bot.domain.model import LARGEST_FILE, LARGEST_LOCAL_FILE, MEGABYTE
from bot.fetching.answer_cache import AnswerCache
from bot.fetching.downloads import Downloads
from bot.fetching.feasibility import BudgetWatch
from bot.fetching.highlights import Highlights
from bot.fetching.on_demand import Viewer
from bot.fetching.poller import Scheduler
from bot.fetching.schedule_state import PollSettings
from bot.media.download import Media, PublicResolver
from bot.media.spool import Spool
from bot.operations import backups
from bot.operations.backups import Backups
from bot.operations.broadcast import Broadcasts
from bot.operations.clock_keeper import ClockKeeper
from bot.operations.incidents import Incidents
from bot.operations.overview import Overview
from bot.operations.owners import Owners
from bot.operations.preflight import SPOOL_MB, record_that_tables_exist
from bot.outbox.worker import Outbox
from bot.runtime.claims import Owner
from bot.runtime.clock import Clock, ServerClocks, event_loop_time_s
from bot.runtime.metrics import Metrics
from bot.runtime.proxies import connector
from bot.runtime.sharing import ONE_PROCESS, SEVERAL_PROCESSES, Sharing
from bot.sending.replies import Replies
from bot.sending.sender import Sender
from bot.sending.topics import Topics
from bot.store import claimed_tables
from bot.store.copies import transfer
from bot.store.engine.database import Database
from bot.store.upgrades import (
    ProcessLease,
    Replicas,
    end_other_versions_and_migrate,
    process_lease,
)
from bot.stories_api.client import StoriesApi
from bot.stories_api.privacy import PrivacyCheck
from bot.telegram.admins import Admins
from bot.telegram.limit_state import ChatFloods
from bot.telegram.outage import Outage
from bot.telegram.presence import fetch_presence
from bot.telegram.rate_limiter import Pacing
from bot.telegram.request import AiohttpRequest
from bot.updates.conflicts import PollConflicts, load_or_store_origin_of_database

log = structlog.get_logger()

_NEWCOMER_SHARE = 0.5  # the part of the budget for replies that all newcomers together may spend
# An idle connection to the Stories API is closed after this many seconds, before the server closes
# the connection, so that no call uses a closed connection.
_IDLE_S = 10
# The maximum numbers of connections. The bot makes fewer concurrent requests, so connections are
# left for other servers if a server is slow.
_TO_TELEGRAM, _TO_MEDIA, _TO_API = 320, 256, 128


@dataclass(frozen=True, slots=True)
class Parts:
    """The objects that the loops of the process share."""

    bot: ExtBot[Any]
    db: Database
    sharing: Sharing
    replies_are_durable: bool
    services: Services
    treasurer: Treasurer
    scheduler: Scheduler
    outbox: Outbox
    outage: Outage
    conflicts: PollConflicts
    metrics: Metrics
    incidents: Incidents
    backups: Backups | None
    owners: Owners
    api: StoriesApi
    now: Callable[[], datetime]
    clock: ClockKeeper
    server_clocks: ServerClocks
    owner: Owner
    process_lease: ProcessLease | None
    apply_access_and_restored_backup: Callable[[], Awaitable[None]]
    """Does the database writes of a start. Call this function after the clock is verified."""
    slow_media_hosts: Callable[[], list[str]]
    wake: Callable[[], None]
    """Wakes the schedule and the outbox, because new work may be due."""


@asynccontextmanager
async def open_parts(
    settings: Settings,
    *,
    now: Callable[[], datetime] | None = None,
    timing: Timing | None = None,
) -> AsyncIterator[Parts]:
    """Migrate the database, and build all parts. At the end of the block, close the parts.

    ``now`` is by default a new ``bot.runtime.clock.Clock``.

    Raises:
        DatabaseUnavailableError: The database is unavailable or must not be used.
        OSError: A file or folder can't be used, or PostgreSQL can't be reached.
    """
    timing = timing or Timing()
    metrics, now = Metrics(), now or Clock()
    server_clocks = ServerClocks(now)

    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(
            Database(
                settings.database_url.get_secret_value(),
                direct_url=secret_text_or_empty(settings.database_direct_url),
                pool_size=settings.database_pool,
            )
        )
        # Only one process may use an SQLite file. PostgreSQL allows several processes.
        sharing = ONE_PROCESS if db.is_sqlite else SEVERAL_PROCESSES
        await _migrate_and_watch_database(db, sharing, bot_id=settings.bot_id)
        clock = ClockKeeper(
            db,
            now,
            server_clocks,
            ask_telegram=lambda: bot.get_me(),  # noqa: PLW0108 - ``bot`` is assigned below
            ask_api=lambda: api.transport.request_server_date(),  # noqa: PLW0108 - ``api`` is assigned below
            every=timing.clock,
            follows_database=not db.is_sqlite,
        )
        await clock.correct_by_database_clock()
        owner, ours = await _acquire_lease_or_release_claims(
            db, stack, bot_id=settings.bot_id, now=now
        )
        spool = stack.enter_context(Spool(settings.spool_dir, limit=SPOOL_MB * MEGABYTE))
        record_that_tables_exist(db, settings.spool_dir)
        to_media = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=connector(
                    secret_text_or_empty(settings.media_proxy),
                    resolver=PublicResolver(),
                    limit=_TO_MEDIA,
                ),
                trust_env=False,
            )
        )
        to_api = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=connector(
                    secret_text_or_empty(settings.stories_api_proxy),
                    keepalive_timeout=_IDLE_S,
                    limit=_TO_API,
                )
            )
        )
        floods = ChatFloods(
            event_loop_time_s if db.is_sqlite else lambda: now().timestamp(), timing.chat_limits
        )
        count_processes = None if db.is_sqlite else Replicas(db).count
        bot = _make_bot(settings, metrics, floods, count_processes, server_clocks)

        def wake() -> None:
            """Wake the schedule and the outbox, because new work may be due."""
            scheduler.worker.wake()
            outbox.wake()

        access = Access(
            db,
            mode=settings.access,
            owner_ids=settings.admin_ids,
            blocked_profiles=settings.blocked_profiles,
            token=settings.telegram_token,
            wake=wake,
            now=now,
        )

        owners = Owners(db, bot, lambda: access.owner_ids, wake=wake, now=now)
        incidents = Incidents(db, owners, now=now)
        largest = LARGEST_LOCAL_FILE if settings.telegram_local else LARGEST_FILE
        media = Media(to_media, spool, trusted_origin=settings.trusted_media_origin, now=now)
        ledger = Ledger(
            db,
            Limits(
                daily_budget=settings.daily_budget,
                reply_share=settings.reply_share,
                chat_daily_allowance=settings.chat_daily_allowance,
                person_daily_allowance=settings.person_daily_allowance,
                minimum_balance=settings.minimum_balance,
                newcomer_allowance=ceil(settings.person_daily_allowance * OF_NEWCOMER),
                newcomer_share=_NEWCOMER_SHARE,
            ),
            owners=lambda: access.owner_ids,
            now=now,
        )
        privacy = PrivacyCheck(
            db,
            settings.skip_privacy_check,
            tell=partial(incidents.open_or_close, "privacy_check"),
            now=now,
        )
        api = StoriesApi(
            to_api,
            url=str(settings.stories_api_url).rstrip("/"),
            key=settings.stories_api_key,
            privacy=privacy,
            replicas=count_processes,
            fetch_media=media.fetch,
            largest_file=largest,
            metrics=metrics,
            on_out_of_service=lambda error: incidents.open_or_close(
                "api_refuses", OUT_OF_SERVICE, why=str(error)
            ),
            now=now,
        )
        api.transport.on_server_time = server_clocks.record_time
        answers = await stack.enter_async_context(AnswerCache(db, ledger, wake=wake, now=now))
        sender = Sender(
            bot,
            media,
            db,
            fallback=Downloads(
                api, ledger, spool, partial(media.fetch, max_bytes=largest), access.blocked, now
            ),
            largest_file=largest,
            tell=lambda words: incidents.open_or_close("refused", REFUSED, words=words),
            now=now,
        )
        replies = Replies(bot, sender, blocked=access.blocked)
        topics = Topics(db, bot, now=now)
        outage = Outage(bot, now=now, metrics=metrics)
        conflicts = await load_or_store_origin_of_database(db, now=now)
        ask_presence = partial(fetch_presence, bot)
        outbox = Outbox(
            db,
            bot,
            sender,
            replies,
            outage=outage,
            is_paused=conflicts.must_pause_and_log_changes,
            presence=ask_presence,
            topics=topics,
            owners=lambda: access.owner_ids,
            floods=None if db.is_sqlite else floods,
            sharing=sharing,
            owner=owner,
            metrics=metrics,
            now=now,
        )
        reports = Reports(db, ledger.limits, now)
        polling = PollSettings(
            credits_a_day=round(settings.daily_budget * (1 - settings.reply_share)),
            credits_a_poll={"true": 1.0, "false": 2.0}.get(settings.skip_privacy_check),
            floor=timedelta(seconds=settings.poll_floor_s),
            blocked=access.blocked,
        )
        payers = Payers(
            db,
            limits=SubscriptionLimits(
                most=settings.max_subscriptions,
                most_new_a_day=settings.max_new_subscriptions_a_day,
            ),
            mode=settings.access,
            owners=lambda: access.owner_ids,
            wake=wake,
            now=now,
        )
        subscriptions = Subscriptions(
            db,
            ledger,
            api=api,
            is_paused=conflicts.must_pause_and_log_changes,
            blocked=access.blocked,
            most_earlier_checks=settings.max_subscriptions,
            wake=wake,
            now=now,
        )
        services = Services(
            chats=Chats(db, now=now),
            viewer=Viewer(
                db,
                api,
                ledger,
                answers,
                now=now,
                fresh_for=timedelta(seconds=settings.cache_s),
                blocked=access.blocked,
            ),
            subscribing=Subscribing(
                db,
                api,
                ledger,
                payers=payers,
                polling=polling,
                topics=topics,
                wake=wake,
                now=now,
            ),
            subscriptions=subscriptions,
            payers=payers,
            highlights=Highlights(db, api, ledger, answers, now=now, blocked=access.blocked),
            past=Past(db, blocked=access.blocked, now=now),
            replies=replies,
            topics=topics,
            presence=ChatPresence(
                db,
                ask_presence,
                most_earlier_checks=settings.max_subscriptions,
                wake=outbox.wake,
                now=now,
            ),
            ledger=ledger,
            reports=reports,
            overview=Overview(
                db,
                reports,
                ledger,
                access,
                credits_a_check=polling.credits_a_poll,
                credits_for_checks=polling.credits_a_day,
                credit_price=settings.credit_price,
                address=str(settings.public_url or f"http://127.0.0.1:{settings.port}").rstrip(
                    "/"
                ),
                wake=outbox.wake,
                now=now,
            ),
            broadcasts=Broadcasts(db, wake=outbox.wake, now=now),
            admins=Admins(),
            access=access,
            now=now,
            credit_price=settings.credit_price,
            has_public_page=settings.public_url is not None,
            timing=timing,
        )
        scheduler = Scheduler(
            db,
            api,
            ledger,
            settings=polling,
            apply_blocks=partial(_load_and_apply_profile_blocks, access, subscriptions),
            is_paused=conflicts.must_pause_and_log_changes,
            sharing=sharing,
            owner=owner,
            budget_watch=BudgetWatch(
                partial(incidents.open_or_close, "budget_short"),
                partial(incidents.open_or_close, "capacity"),
                credit_price=settings.credit_price,
            ),
            wake=outbox.wake,
            metrics=metrics,
            now=now,
        )

        async def apply_access_and_restored_backup() -> None:
            """Apply the access settings. Make a restored backup the live database."""
            await access.apply_access_settings()
            await backups.make_live_and_report_if_restored(db, incidents, now=now())

        yield Parts(
            bot=bot,
            db=db,
            sharing=sharing,
            # Replies need a durable commit on PostgreSQL, because the server may crash while the
            # bot continues to run.
            replies_are_durable=not db.is_sqlite,
            services=services,
            treasurer=Treasurer(
                api,
                ledger,
                tell=partial(incidents.open_or_close, "drift"),
                credit_price=settings.credit_price,
                metrics=metrics,
                now=now,
            ),
            scheduler=scheduler,
            outbox=outbox,
            outage=outage,
            conflicts=conflicts,
            metrics=metrics,
            incidents=incidents,
            backups=Backups(
                db,
                settings.backup_folder,
                incidents,
                every=timedelta(hours=settings.backup_hours),
                metrics=metrics,
                now=now,
            )
            if db.is_sqlite and settings.backup_hours
            else None,
            owners=owners,
            api=api,
            now=now,
            clock=clock,
            server_clocks=server_clocks,
            owner=owner,
            process_lease=ours,
            slow_media_hosts=media.slow_hosts.slow_host_names,
            apply_access_and_restored_backup=apply_access_and_restored_backup,
            wake=wake,
        )


async def _migrate_and_watch_database(db: Database, sharing: Sharing, *, bot_id: int) -> None:
    """Migrate the tables to this version, and begin to detect a replacement of the SQLite file.

    Raises:
        DatabaseUnavailableError: The database is unavailable, was changed by a newer version, was
            moved to PostgreSQL, or is used by an older version or by a bot with another id.
    """
    if sharing.is_only_process:
        await db.migrate()
    else:
        await end_other_versions_and_migrate(db, bot_id=bot_id)
    await db.start_detecting_replacement()
    await transfer.raise_if_moved(db)


async def _acquire_lease_or_release_claims(
    db: Database, stack: AsyncExitStack, *, bot_id: int, now: Callable[[], datetime]
) -> tuple[Owner, ProcessLease | None]:
    """Create the owner of this process's claims, and acquire the lease of the process.

    With PostgreSQL, the exit of ``stack`` releases the claims and the lease. With SQLite, the
    lease is None, and the claims of earlier processes are released now.

    Raises:
        DatabaseUnavailableError: The database is unavailable, a different version upgrades the
            database or has upgraded the database in the last day, or a different bot uses or
            recently used the database.
    """
    owner = Owner()
    if not db.is_sqlite:
        lease = process_lease(db, owner, bot_id=bot_id, now=now)
        return owner, await stack.enter_async_context(lease)
    await db.run(claimed_tables.release_claims_of_owner)
    return owner, None


async def _load_and_apply_profile_blocks(access: Access, subscriptions: Subscriptions) -> None:
    """Load the blocked profiles from the database, and apply the blocks to the subscriptions."""
    await access.load_blocked_and_owners()
    await subscriptions.apply_profile_blocks()


def _make_bot(
    settings: Settings,
    metrics: Metrics,
    floods: ChatFloods,
    replicas: Callable[[], Awaitable[int]] | None,
    server_clocks: ServerClocks,
) -> ExtBot[Any]:
    url = str(settings.telegram_api_url).rstrip("/")
    token = settings.telegram_token.get_secret_value()
    proxy = secret_text_or_empty(settings.telegram_proxy)
    return ExtBot(
        token,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=AiohttpRequest(
            connections=_TO_TELEGRAM,
            metrics=metrics,
            proxy=proxy,
            on_server_time=server_clocks.record_time,
        ),
        get_updates_request=AiohttpRequest(connections=1, proxy=proxy),
        rate_limiter=Pacing(settings.messages_per_second, floods=floods, replicas=replicas),
    )
