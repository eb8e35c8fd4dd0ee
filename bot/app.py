"""The composition root, which registers the handlers and runs all loops of the bot."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import structlog
from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ContextTypes, TypeHandler

import handlers.access
import handlers.broadcast
import handlers.card
import handlers.chat_rules
import handlers.errors
import handlers.exchange
import handlers.files
import handlers.followed_accounts
import handlers.health
import handlers.help
import handlers.highlights
import handlers.inline
import handlers.links
import handlers.members
import handlers.options
import handlers.options_of_all
import handlers.owner
import handlers.past
import handlers.payers
import handlers.people
import handlers.privacy
import handlers.rules
import handlers.settings
import handlers.start
import handlers.stories
import handlers.subscriptions
import handlers.talk
import handlers.unknown
import handlers.usage
import handlers.why
from bot.billing.balance import EVERY as BALANCE_EVERY
from bot.bootstrap import Parts, open_parts
from bot.chats.access import REFRESH as BLOCKS_EVERY
from bot.config import Settings
from bot.context import App, Context, Timing, ensure_chat_and_translator
from bot.domain.errors import DatabaseUnavailableError, TryAgainError
from bot.domain.incidents import IncidentKind
from bot.domain.sentences import N_
from bot.operations import cleanup, preflight
from bot.operations.backups import TRY_EVERY as BACKUPS_EVERY
from bot.operations.menu import LONGEST as MENU_EVERY
from bot.operations.menu import Menu
from bot.operations.visitors import Visitors
from bot.operations.watch import Sign, Watch, fullest_disk_free_and_total
from bot.runtime.clock import Clock, event_loop_time_s
from bot.runtime.workers import NextStepAt, UntilWoken, Worker, wait_until_set
from bot.store import key_values
from bot.store.engine.failures import may_end_soon
from bot.store.engine.lock import locked_sqlite_file
from bot.store.leases import Leader
from bot.stories_api.endpoints import CHECK_COST
from bot.updates.handling import Handling
from bot.updates.inbox import Intake
from bot.updates.inline_queries import InlineQueries
from bot.updates.polling import Polling, TokenRefusedError
from bot.web.admin import AdminPage
from bot.web.server import Web, WebhookReceiver
from bot.web.webhook import Webhook, derive_webhook
from handlers.admission import admit_or_refuse, admit_or_refuse_and_stop
from handlers.commands import digest_of_menu_sources, menus_and_descriptions
from handlers.guard import handlers_of
from handlers.members import cancel_question_and_recheck_chat

BuildAgain: TypeAlias = None
"""In the type of an exit status, all parts must be built again."""
FailureReason = str
"""The reason why the parts can't be built."""
MayRunLoops = bool
"""False if Telegram refuses the token, or if the process is stopping."""
TroubleOrEmpty = str
"""The reason why a part of the bot does not work now, or an empty string."""

log = structlog.get_logger()

# The order sets the precedence. The first handler that matches an update handles the update.
CONVERSATION = (
    handlers.exchange, handlers.followed_accounts,
    handlers.settings,  # The module handles a person's answer to a question of a settings page.
    # The module is early in the list, because most updates are messages with links.
    handlers.links,
    handlers.start, handlers.help, handlers.stories, handlers.files, handlers.highlights,
    handlers.subscriptions, handlers.options, handlers.options_of_all, handlers.past,
    handlers.rules, handlers.chat_rules,
    handlers.why,
    handlers.usage, handlers.payers, handlers.privacy, handlers.owner, handlers.access,
    handlers.people, handlers.health, handlers.broadcast, handlers.members, handlers.card,
    handlers.talk, handlers.unknown,
)  # fmt: skip
_UPDATES = [
    "message", "edited_message", "channel_post", "callback_query", "my_chat_member",
    "inline_query",
]  # fmt: skip
_CONFLICT = N_(
    "Another program is using this bot's token, so people's messages don't "
    "reach me. It may be a second copy of the bot. Please stop it or give it "
    "its own token."
)
_FIRST_LINK = (
    "Nobody runs this bot yet. Open this link in Telegram to become its owner (it works once):\n"
    "    https://t.me/{name}?start={payload}"
)
# The maximum number of webhook connections. The Bot API has the same default.
_MOST_CONNECTIONS = 40
# Seconds that unfinished work gets at a shutdown. The whole shutdown may take 8 seconds.
_DRAIN_S = 6.0
_TRY_AGAIN_S = 5.0
_DATABASE_AGAIN_S = 1.0
WAIT_S = 30.0
"""The maximum duration of two waits at a start, in seconds.

The first wait is for an unavailable database. The second wait is for the release of the SQLite
file by another process.
"""
_CLEAN_EVERY = timedelta(hours=1)
_EMPTY_AGAIN = timedelta(minutes=1)
# The interval at which the bot resumes the subscriptions whose timed pause has ended.
_MUTES_EVERY = timedelta(minutes=15)
# The timeout, in seconds, of the write with which the readiness check tests the database.
_ANSWERS_S = 3.0


Build = Callable[[], AbstractAsyncContextManager[Parts]]


def main(settings: Settings) -> int:
    """Run the bot until SIGTERM or SIGINT arrives, or the bot can't run. Return the exit status.

    An upgrade of the database by a different version also stops the bot. The exit status is 0
    after a stop, and 1 if the bot can't run.

    Raises:
        ExceptionGroup: A loop failed, except if Telegram refuses the token.
    """
    # Exclude the loaded modules from garbage collection. This saves 90 ms in each full collection.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(run(settings))


async def run(
    settings: Settings,
    stop: asyncio.Event | None = None,
    *,
    now: Callable[[], datetime] | None = None,
    timing: Timing | None = None,
) -> int:
    """Run all loops until ``stop`` is set. Return the exit status: 0, or 1 if the bot can't run.

    Without ``stop``, the loops run until SIGTERM or SIGINT arrives. An upgrade of the database by
    a different version also sets ``stop``. If the clock is set back by more than 60 seconds, all
    parts are built again.

    Raises:
        ExceptionGroup: A loop failed, except if Telegram refuses the token.
    """
    stop = stop or _event_set_by_stop_signals()
    timing = timing or Timing()
    # The same clock is used after a restart of the loops, so a correction of the time is kept.
    now = now or Clock()
    build = partial(open_parts, settings, now=now, timing=timing)
    while (status := await _build_and_run_until_stopped(settings, stop, build)) is None:
        if isinstance(now, Clock):
            now.allow_going_back_once()
    return status


async def _build_and_run_until_stopped(
    settings: Settings, stop: asyncio.Event, build: Build
) -> int | BuildAgain:
    """Build the parts, start the web server, and run all loops until ``stop`` is set.

    Return the exit status, or None if the clock went back and all parts must be built again.

    Raises:
        ExceptionGroup: A loop failed, except if Telegram refuses the token.
    """
    async with AsyncExitStack() as stack:
        parts = await _build_parts_with_retries(settings, stack, stop, build)
        if isinstance(parts, str):
            log.error("can't run", reason=parts)
            return int(not stop.is_set())
        running = Running(settings, parts)
        if parts.process_lease:
            parts.process_lease.on_upgrade = stop.set
            parts.process_lease.on_release = running.wake
        stack.push_async_callback(running.web.close)
        try:
            web = await running.web.start(settings.bind_host, settings.port)
        except OSError as error:
            text = f"{error}: check PORT and HOST"
            log.error("the port can't be bound", port=settings.port, reason=text)  # noqa: TRY400 - a traceback is not needed
            return 1
        if not await running.connect_anchor_clock_and_begin(stop):
            # A stop that was requested during the start is not a failure.
            return int(not stop.is_set())
        stack.push_async_callback(running.app.shutdown)
        if parts.clock.went_back.is_set():
            # The clock went back. Build all parts again, because some parts have already used the
            # wrong time.
            return None
        log.info("running", port=web.port, database=settings.database_place)
        status: int | None = 0
        try:
            await running.run_loops(stop)
        except* TokenRefusedError:
            log.error("Telegram refuses the token")  # noqa: TRY400 - a traceback is not needed
            status = 1
        if parts.clock.went_back.is_set() and not stop.is_set():
            status = None
    log.info("stopped")
    return status


class Running:
    """The handlers, the intake of updates, the loops and the web server of a process."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        """Build the handlers, the intake of updates, the loops and the web server.

        No loop and no server is started.
        """
        self._settings = settings
        self._parts = parts
        timing = parts.services.timing
        self._webhook: Webhook | None = None
        if settings.webhook_url:
            self._webhook = derive_webhook(settings.telegram_token)
        self.app = _application(parts)
        handling = Handling(
            parts.db,
            parts.outbox,
            parts.services.replies,
            parts.outage,
            wake=parts.wake,
            replies_are_durable=parts.replies_are_durable,
            now=parts.now,
        )
        self.intake = Intake(
            parts.db,
            parts.bot,
            handling.make_unit_handler(self.app.process_update),
            last_resort=handling.make_unit_handler(
                partial(handlers.errors.answer_given_up_update, chats=parts.services.chats)
            ),
            too_much=handling.make_unit_handler(self._refuse_excess_update),
            said_again=timing.said_again,
            sharing=parts.sharing,
            owner=parts.owner,
            metrics=parts.metrics,
            now=parts.now,
        )
        self.inline = InlineQueries(parts.bot, self._answer_inline)
        self.polling = Polling(
            parts.bot,
            self._enqueue_or_store_updates,
            allowed_updates=_UPDATES,
            must_refuse_updates=lambda: self._must_refuse_updates,
            on_conflict=lambda: parts.incidents.open_or_close("two_pollers", _CONFLICT),
            conflicts=parts.conflicts,
            has_standby=not parts.sharing.is_only_process,
            metrics=parts.metrics,
        )
        self._menu = Menu(
            parts.db,
            partial(menus_and_descriptions, self.app.bot),
            digest_of_menu_sources,
            now=parts.now,
        )
        self._visitors = Visitors(parts.db, parts.owners, every=timing.visitors, now=parts.now)
        self._watch = Watch(
            parts.db,
            parts.incidents,
            budget=settings.daily_budget,
            check_price=CHECK_COST,
            # With several processes, the send of a report first reads the number of processes from
            # the database, and therefore fails in an outage.
            tells_of_outages=parts.sharing.is_only_process,
            signs=self._trouble_signs(),
            failed_checks=lambda: parts.scheduler.failed_checks.cause_if_lasting,
            clock_off=parts.server_clocks.pop_largest_clock_error,
            slow_servers=self._slow_servers,
            disk=partial(fullest_disk_free_and_total, *self._watched_folders()),
            file_every=timing.database_file,
            process="" if parts.sharing.is_only_process else parts.owner.key,
            metrics=parts.metrics,
            now=parts.now,
        )
        self._periodic = self._make_periodic_workers()
        self._set_pause_condition()
        self.has_begun = False
        """True after this process has verified the clock and has done the first database writes.
        """
        self._leader: Leader | None = None
        if not parts.sharing.is_only_process:
            self._leader = Leader(
                parts.db, "polling", self.polling.poll_until_cancelled, now=parts.now
            )
        self.web = Web(
            parts.metrics,
            checks={
                "clock": self._clock_trouble,
                "database": self._test_database_write,
                "updates": self._update_trouble,
                "loops": self._failing_loops_with_reasons,
            },
            receiver=WebhookReceiver(
                self._webhook, self._enqueue_or_store_updates, lambda: self._must_refuse_updates
            )
            if self._webhook
            else None,
            is_open=settings.is_port_reachable_from_outside,
            token=settings.metrics_token,
            are_routes_held=lambda: not self.has_begun,
            routes=AdminPage(
                parts.services.overview.read_state_of_admin_page,
                parts.services.overview.do_admin_action,
                parts.db,
                owners=lambda: parts.services.access.owner_ids,
                now=parts.now,
            ).routes(),
        )

    def _make_periodic_workers(self) -> list[Worker]:
        """Create a worker for each periodic task, for example for backups.

        Each worker has its own asyncio task, so a slow task does not delay the other tasks. The
        clock keeper gets the function that wakes the worker "clock".
        """
        parts, services = self._parts, self._parts.services
        table: list[tuple[str, timedelta, Callable[[], Awaitable[NextStepAt | UntilWoken]]]] = [
            ("balance", BALANCE_EVERY, parts.treasurer.clean_up_and_fetch_balance),
            ("clean-up", _CLEAN_EVERY, self._delete_overdue_and_store_moved_origin),
            ("visitors", services.timing.visitors, self._visitors.report_new_visitors),
            ("access", BLOCKS_EVERY, services.access.end_expired_and_apply_blocks),
            ("clock", services.timing.clock, parts.clock.anchor_if_in_doubt),
            ("menu", MENU_EVERY, self._menu.publish_next_changed_text),
            ("pauses", _MUTES_EVERY, services.subscriptions.resume_ended_pauses),
        ]
        if parts.backups:
            table.append(("backups", BACKUPS_EVERY, parts.backups.make_backup_if_due))
        workers = [Worker(name, step, now=parts.now, longest=every) for name, every, step in table]
        parts.clock.wake = next(worker.wake for worker in workers if worker.name == "clock")
        return workers

    def wake(self) -> None:
        """Wake the loops that claim updates, checks, fan-outs and deliveries."""
        self.intake.worker.wake()
        self._parts.wake()

    def _set_pause_condition(self) -> None:
        """Set the pause condition of each loop that claims work.

        While ``_must_not_claim`` returns True, these loops pause.
        """
        for worker in (self.intake.worker, *self._claiming_workers):
            worker.is_held = self._must_not_claim

    @property
    def _claiming_workers(self) -> list[Worker]:
        """Return the loops that claim checks, deliveries, fan-outs and broadcasts."""
        parts = self._parts
        return [
            parts.scheduler.worker,
            parts.outbox.worker,
            parts.outbox.fan_out.worker,
            parts.services.broadcasts.worker,
        ]

    def _must_not_claim(self) -> bool:
        """Return whether the process must not claim any work now.

        The result is True if the time is in doubt, or if the lease of the process has expired.
        """
        parts = self._parts
        return parts.clock.is_in_doubt() or not parts.owner.has_valid_lease(parts.now())

    @property
    def _must_refuse_updates(self) -> bool:
        """Return whether the bot must refuse updates now, so that Telegram delivers them later."""
        if not self.has_begun or self._parts.clock.is_in_doubt():
            return True
        held = self._parts.db.held
        return self.intake.is_full or bool(held and held.is_replaced.is_set())

    def _trouble_signs(self) -> dict[IncidentKind, Sign]:
        """Return functions that test whether an incident exists now, by the kind of the incident.

        A function returns None if it is unknown whether the incident exists.
        """
        parts, api, treasurer = self._parts, self._parts.api, self._parts.treasurer
        signs: dict[IncidentKind, Sign] = {
            "api_refuses": lambda: (not api.is_in_service) if treasurer.is_answered else None,
            "api_fails": api.seems_down_for_everyone,
            "telegram": lambda: parts.outage.next_trial_at is not None,
            "price": lambda: api.transport.is_price_absurd,
        }
        if self._webhook is None:
            signs["two_pollers"] = lambda: (
                self.polling.has_lasting_rival if self.polling.is_alive else None
            )
        return signs

    def _slow_servers(self) -> list[str]:
        """Return the host names of slow servers: media hosts and the host of the Stories API."""
        parts = self._parts
        api = [self._settings.stories_api_url.host or ""] if parts.scheduler.is_api_slow else []
        return api + parts.slow_media_hosts()

    def _watched_folders(self) -> list[Path]:
        """Return the folders whose free disk space is monitored."""
        folders = [self._settings.spool_dir]
        if self._parts.db.file is not None:
            folders.append(self._parts.db.file.parent)
        if self._parts.backups is not None:
            folders.append(self._settings.backup_folder)
        return folders

    async def connect_anchor_clock_and_begin(self, stop: asyncio.Event) -> MayRunLoops:
        """Connect to Telegram, verify the clock, and begin the work of the process, with retries.

        Return False if Telegram refuses the token, or if ``stop`` is set. If the clock went back
        or the SQLite file was replaced, return True, although the work has not begun.
        """
        while not (stop.is_set() or self._is_file_replaced()):
            try:
                await self.app.initialize()
                if not await self._parts.clock.anchor():
                    await wait_until_set(stop, _TRY_AGAIN_S)
                    continue
                if self._parts.clock.went_back.is_set():
                    return True
                await self._parts.apply_access_and_restored_backup()
                if not self.has_begun:
                    # Count the unfinished updates before ``has_begun`` is set, because this
                    # process stores no update until then.
                    await self.intake.load_open_count()
                self.has_begun = True
                if self._webhook:
                    await self._set_webhook(self._webhook)
                await self._print_owner_link()
            except InvalidToken:
                log.error("Telegram refuses the token")  # noqa: TRY400 - a traceback is not needed
                return False
            except TelegramError as error:
                log.warning("Telegram doesn't answer; trying again", reason=str(error))
                await wait_until_set(stop, _TRY_AGAIN_S)
            except DatabaseUnavailableError as error:
                log.warning("the database doesn't answer; trying again", reason=str(error))
                await wait_until_set(stop, _DATABASE_AGAIN_S)
            else:
                return True
        return not stop.is_set()

    def _is_file_replaced(self) -> bool:
        """Check whether the SQLite file was replaced. Return True if a second check confirms this.

        At least 0.5 seconds must pass between the two checks.
        """
        held = self._parts.db.held
        if held is None:
            return False
        held.check_in_place_and_record_replacement()
        return held.is_replaced.is_set()

    async def _print_owner_link(self) -> None:
        """If the bot has no owner, print the link that makes a person the owner.

        The link is printed to the standard output and is not logged.
        """
        payload = await self._parts.services.access.ensure_owner_link_payload()
        if payload:
            print(_FIRST_LINK.format(name=self.app.bot.username, payload=payload), flush=True)  # noqa: T201 - for the operator at the terminal

    async def run_loops(self, stop: asyncio.Event) -> None:
        """Run all loops until ``stop`` is set, the clock goes back or the SQLite file is replaced.

        At the end, running updates, checks and sends have at most 7 seconds to finish. After a
        replacement of the file, wait for ``stop``.

        Raises:
            ExceptionGroup: A loop failed, for example with ``TokenRefusedError``.
        """
        parts = self._parts
        replaced = parts.db.held.is_replaced if parts.db.held else asyncio.Event()
        async with asyncio.TaskGroup() as group:
            workers = [*self._periodic, parts.services.broadcasts.worker]
            endless = [group.create_task(worker.run()) for worker in workers]
            endless.append(group.create_task(self.inline.answer_until_cancelled()))
            if self._webhook is None:
                endless.append(group.create_task(self._poll_alone_or_as_leader()))
            ending = [
                group.create_task(self.intake.handle_updates_until_stopped()),
                group.create_task(parts.scheduler.make_checks_until_stopped()),
                group.create_task(parts.outbox.fan_out_and_send_until_stopped()),
            ]
            watch = group.create_task(self._watch.worker.run())
            ends = [
                group.create_task(event.wait())
                for event in (stop, parts.clock.went_back, replaced)
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in (*endless, *ends):
                task.cancel()
            parts.scheduler.worker.stop()
            parts.outbox.stop()
            await self.intake.stop_and_wait_for_handlers(_DRAIN_S)
            _, late = await asyncio.wait(ending, timeout=1)
            for task in late:
                task.cancel()
            if replaced.is_set():
                await stop.wait()
            watch.cancel()

    async def _enqueue_or_store_updates(self, updates: Iterable[object]) -> None:
        """Wait for a verified clock. Then queue inline queries, and store the other updates.

        Raises:
            DatabaseUnavailableError: Some of the updates may not be stored.
        """
        await self._parts.clock.wait_until_anchored()
        if others := self.inline.enqueue_queries_return_others(updates):
            await self.intake.store_and_start(others)

    async def _answer_inline(self, update: Update) -> None:
        await handlers.inline.answer_inline_query(update, Context.from_update(update, self.app))

    async def _refuse_excess_update(self, update: Update) -> None:
        """Reply to an update that exceeds the limit of unfinished updates.

        A sender without access to the bot gets the refusal of ``admit_or_refuse`` instead.
        """
        context = Context.from_update(update, self.app)
        if not await admit_or_refuse(context):
            return
        await ensure_chat_and_translator(update, context)
        await handlers.errors.answer_too_many_open_requests(context)

    async def _set_webhook(self, webhook: Webhook) -> None:
        url = str(self._settings.webhook_url).rstrip("/") + webhook.path
        await self.app.bot.set_webhook(
            url,
            secret_token=webhook.secret.get_secret_value(),
            allowed_updates=_UPDATES,
            max_connections=_MOST_CONNECTIONS,
        )

    async def _poll_alone_or_as_leader(self) -> None:
        """Poll for updates.

        With PostgreSQL, only the leader of the processes polls, because Telegram allows a single
        poller.
        """
        if self._leader is None:
            await self.polling.poll_until_cancelled()
        else:
            await self._leader.run()

    async def _clock_trouble(self) -> TroubleOrEmpty:
        return self._parts.clock.trouble

    async def _test_database_write(self) -> TroubleOrEmpty:
        try:
            async with asyncio.timeout(_ANSWERS_S), self._parts.db.begin() as tx:
                await key_values.put(tx, "ready", value=True)
        except TimeoutError:
            return "the database doesn't answer"
        return ""

    async def _update_trouble(self) -> TroubleOrEmpty:
        if not self.app.running and not self.app._initialized:  # noqa: SLF001 - PTB has no public attribute
            return "Telegram has not answered yet"
        polls = self._webhook is None and self._are_polls_expected()
        if polls and self._parts.conflicts.must_pause_and_log_changes():
            return "another program takes the updates; checks and alerts are paused"
        if polls and self.polling.has_lasting_rival:
            return "another program takes the updates"
        if polls and not self.polling.is_alive:
            return "Telegram is silent"
        if trouble := self.intake.worker.trouble:
            return trouble
        return "too many wait" if self.intake.is_full else ""

    def _are_polls_expected(self) -> bool:
        """Return whether polls of this process are expected.

        The result is also True for a former leader that rests because polls failed.
        """
        return self._leader is None or self._leader.is_leading or self._leader.is_resting

    async def _failing_loops_with_reasons(self) -> TroubleOrEmpty:
        """Return the names of the failing loops with the reasons as text, or an empty string."""
        workers = [
            *self._claiming_workers,
            self._watch.worker,
            self.intake.renewer,
            *self._periodic,
        ]
        if self._parts.process_lease is not None:
            workers.append(self._parts.process_lease.worker)
        return ", ".join(
            f"{worker.name}: {worker.trouble}" for worker in workers if worker.trouble
        )

    async def _delete_overdue_and_store_moved_origin(self) -> NextStepAt:
        """Delete expired rows and erased content. Return the time of the next clean-up.

        If the database file was moved, and a day passed without a conflict, store the new place.
        """
        now = self._parts.now()
        await cleanup.delete_overdue_rows(self._parts.db, now=now)
        await self._parts.db.run(self._parts.conflicts.store_moved_origin_if_settled)
        is_empty = await cleanup.complete_pending_checkpoint(self._parts.db)
        return now + (_CLEAN_EVERY if is_empty else _EMPTY_AGAIN)


class Conversation(Application[Any, Context, Any, Any, Any, Any]):
    """The application of python-telegram-bot (PTB), which raises errors that need a retry."""

    async def process_error(
        self,
        update: object,
        error: Exception,
        job: Any = None,  # noqa: ANN401 - PTB's signature
        coroutine: Any = None,  # noqa: ANN401 - PTB's signature
    ) -> bool:
        """Call the error handlers, which notify the person. Return True, so that PTB stops here.

        Raises:
            TryAgainError: ``error`` has this class. The inbox must retry the update.
            DatabaseUnavailableError: ``error`` has this class. The inbox must retry the update.
        """
        if isinstance(error, TryAgainError | DatabaseUnavailableError):
            raise error  # A retry is safe, because no effect of the update was committed.
        await super().process_error(update, error, job, coroutine)
        return True


def _application(parts: Parts) -> App:
    """Return PTB's application with all handlers. The inbox supplies the updates."""
    builder = Application.builder().bot(parts.bot).updater(None)
    builder = builder.application_class(Conversation)
    app: App = builder.context_types(ContextTypes(context=Context)).build()
    app.bot_data["services"] = parts.services
    app.add_handler(TypeHandler(Update, admit_or_refuse_and_stop), group=-3)
    app.add_handler(TypeHandler(Update, ensure_chat_and_translator), group=-2)
    app.add_handler(TypeHandler(Update, cancel_question_and_recheck_chat), group=-1)
    for module in CONVERSATION:
        app.add_handlers(handlers_of(module))
    app.add_error_handler(handlers.errors.roll_back_and_report_error)
    return app


async def _build_parts_with_retries(
    settings: Settings, stack: AsyncExitStack, stop: asyncio.Event, build: Build
) -> Parts | FailureReason:
    """Build the parts of the process. Return the parts, or the reason of a failure as text.

    A failure that may end soon is retried for at most ``WAIT_S`` seconds. The exit of ``stack``
    closes the parts.
    """
    until = event_loop_time_s() + WAIT_S
    is_said = False
    while True:
        trouble = await _raise_limit_and_find_problem(settings)
        text, is_temporary = (trouble.text, trouble.is_temporary) if trouble else ("", False)
        if not trouble:
            try:
                return await _build_parts(settings, stack, build)
            except (DatabaseUnavailableError, OSError) as error:
                text, is_temporary = str(error), may_end_soon(error)
        if not is_temporary or stop.is_set() or event_loop_time_s() >= until:
            return text
        if not is_said:
            log.warning("waiting for the database", seconds=WAIT_S, reason=text)
            is_said = True
        await wait_until_set(stop, _DATABASE_AGAIN_S)


async def _build_parts(settings: Settings, stack: AsyncExitStack, build: Build) -> Parts:
    """Lock the SQLite file, and build the parts of the process.

    The exit of ``stack`` closes the parts and unlocks the file.

    Raises:
        DatabaseUnavailableError: The database is unavailable, must not be used, or is used by
            another process for ``WAIT_S`` seconds.
        OSError: A file or folder can't be used, or PostgreSQL can't be reached.
    """
    url = settings.database_url.get_secret_value()
    if note := preflight.check_file_system_of_sqlite(url):
        log.warning("the database may be damaged", why=note.text)
    async with AsyncExitStack() as begun:
        await begun.enter_async_context(locked_sqlite_file(url, wait=timedelta(seconds=WAIT_S)))
        parts = await begun.enter_async_context(build())
        stack.push_async_exit(begun.pop_all())
        return parts


async def _raise_limit_and_find_problem(
    settings: Settings,
) -> preflight.CheckResult | None:
    """Raise the limit of open files, and test the limit, the spool folder and the database.

    Return the first problem that prevents a start, or None.
    """
    results = (
        preflight.increase_open_files_limit(),
        preflight.check_spool_folder(settings.spool_dir),
        await preflight.check_database(
            settings.database_url.get_secret_value(), settings.spool_dir
        ),
    )
    return next((result for result in results if result.level == "wrong"), None)


def _event_set_by_stop_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop factory, or None if uvloop is not installed."""
    try:
        import uvloop  # noqa: PLC0415 - an optional extra
    except ImportError:
        return None
    return uvloop.new_event_loop
