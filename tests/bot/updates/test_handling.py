"""An update is done after its commit, whatever becomes of its replies."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from telegram import Update

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Target
from bot.runtime.claims import Owner
from bot.runtime.metrics import Metrics
from bot.runtime.sharing import ONE_PROCESS
from bot.sending.replies import text_payload
from bot.store.engine.database import Database
from bot.updates import unit_of_work
from bot.updates.handling import Handling
from bot.updates.inbox import Intake
from bot.updates.unit_of_work import Reply
from tests.bot.updates.test_inbox import BOT, message
from tests.support.claims import lease_at
from tests.support.control import wait_for

UNKNOWN = Target(5)  # a chat that is not in the database


@dataclass
class FailingReplies:
    """Replies of which the first fails."""

    asked: list[str] = field(default_factory=list)

    async def send(self, _target: Target, payload: dict[str, Any]) -> None:
        self.asked.append(payload["text"])
        if len(self.asked) == 1:
            raise DatabaseUnavailableError("the files can't be looked up")


def handling_of(db: Database, replies: Any) -> Handling:
    leases = SimpleNamespace(new_lease=lambda: lease_at(datetime.now(UTC)))
    outbox: Any = SimpleNamespace(leases=leases)
    outage: Any = SimpleNamespace(is_on=lambda: False)
    return Handling(
        db,
        outbox,
        replies,
        outage,
        wake=lambda: None,
        replies_are_durable=False,
        now=lambda: datetime.now(UTC),
    )


async def test_a_failed_reply_to_an_unknown_chat_keeps_the_update_done(
    sqlite_db: Database,
) -> None:
    replies, metrics = FailingReplies(), Metrics()
    called: list[str] = []

    async def call() -> None:
        called.append("after the replies")

    async def handle(_: Update) -> None:
        unit = unit_of_work.current_unit()
        assert unit is not None
        unit.replies += [Reply(UNKNOWN, text_payload(text)) for text in ("one", "two")]
        unit.calls_after_replies.append(call)

    handler = handling_of(sqlite_db, replies).make_unit_handler(handle)
    intake = Intake(sqlite_db, BOT, handler, owner=Owner(), sharing=ONE_PROCESS, metrics=metrics)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(intake.handle_updates_until_stopped())
        await intake.store_and_start([message(1, UNKNOWN.chat_id)])
        await wait_for(
            lambda: 'result="' in metrics.prometheus_text(), what="the end of the update"
        )
        await intake.stop_and_wait_for_handlers(5)
        await task
    assert replies.asked == ["one", "two"]
    assert called
    assert "inbox_open 0.0" in metrics.prometheus_text()
    assert 'updates_total{result="handled"} 1.0' in metrics.prometheus_text()
