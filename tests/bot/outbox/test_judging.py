"""What a claim does with rows that are not sent now: put off, introduced, dropped, parked."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.domain.options import Options
from bot.domain.records import Held
from bot.outbox.worker import Outbox
from bot.runtime.metrics import Metrics
from bot.store import chat_queues, chats, subscriptions
from bot.store import deliveries as deliveries_store
from bot.store.deliveries import deliveries
from bot.store.stories import stories
from tests.bot.outbox.test_worker import NO_BOT, Office, claim_alert, found, office
from tests.support.followed import DAY, HOUR, MINUTE, NOON, PRADA, follow, look, rows, story

__all__ = ["office"]  # the fixture


async def due_in(office: Office) -> timedelta | None:
    async with office.db.read() as tx:
        due = await chat_queues.next_due_at(tx)
    return None if due is None else due - office.clock()


async def test_quiet_hours_put_off_alerts_until_they_end(office: Office) -> None:
    async with office.db.begin() as tx:
        await chats.change(tx, -1, quiet_from=12 * 60, quiet_to=12 * 60 + 5)
    await found(office, "1", "2")
    assert await office.outbox.run_once() == 0
    found_rows = await rows(office.db)
    assert [(row.held, row.due_at) for row in found_rows] == [("quiet", NOON + 5 * MINUTE)] * 2
    assert await due_in(office) == 5 * MINUTE
    office.clock.on(5 * MINUTE)
    assert await office.outbox.run_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["1", "2"]]


async def test_a_summary_that_begins_while_an_alert_is_on_its_way_holds_it(office: Office) -> None:
    await found(office, "1")
    claimed = await claim_alert(office.outbox)
    async with office.db.begin() as tx:
        [row] = claimed.batch.rows
        assert row.subscription_id is not None
        await subscriptions.change(tx, row.subscription_id, options=Options(digest=True).to_json())
        await deliveries_store.select_again(tx, -1, now=office.clock())
    await office.outbox.deliver(claimed)
    await office.outbox.run_once()
    assert office.post.albums == []
    [row] = await rows(office.db)
    assert (row.held, row.state) == (Held.DIGEST, "open")


async def test_a_summary_of_several_profiles_comes_at_its_hour(office: Office) -> None:
    options = Options(digest=True)
    async with office.db.begin() as tx:
        await follow(tx, -5, options=options)
        await follow(tx, -5, PRADA, options=options)
        await chats.change(tx, -5, digest_at=13 * 60)
        await chats.set_state(tx, -1, "closed", now=NOON)
        await look(tx, story("1"), story("2"))
        await look(tx, story("9", of=PRADA), of=PRADA)
    assert await office.outbox.run_once() == 0
    assert await due_in(office) == HOUR
    office.clock.on(HOUR)
    while await office.outbox.run_once() or await due_in(office) == timedelta(0):
        pass
    assert office.post.sentences == []
    assert [pks for _, pks, _ in office.post.albums] == [["1", "2"], ["9"]]


async def test_what_was_over_before_it_could_be_sent_is_told_of(office: Office) -> None:
    await found(office, "1", "2")
    office.clock.on(2 * DAY + timedelta(seconds=1))
    while await office.outbox.run_once() or await due_in(office) == timedelta(0):
        pass
    assert [row.state for row in await rows(office.db, notice=None)] == ["dropped"] * 2
    [told] = await rows(office.db, notice="failed")
    assert (told.fields["username"], told.fields["n"], told.state) == ("natgeo", 2, "sent")
    assert office.post.albums == []


async def test_what_can_not_be_read_is_parked_and_counted(office: Office) -> None:
    metrics = Metrics()
    office.outbox = Outbox(
        office.db, NO_BOT, office.post, office.post, metrics=metrics, now=office.clock  # type: ignore[arg-type] # Post stands for both
    )  # fmt: skip
    await found(office, "1", "2", "3")
    await rows(office.db)
    async with office.db.begin() as tx:
        broken = sa.update(stories).where(stories.c.pk.in_(["1", "3"]))
        await tx.execute(broken.values(value={"pk": 1}))
    assert await office.outbox.run_once() == 1
    parked = [(row.story_pk, row.state, row.reason) for row in await rows(office.db)]
    assert parked == [
        ("1", "parked", "unreadable"),
        ("2", "sent", ""),
        ("3", "parked", "unreadable"),
    ]
    assert "delivery_parked_total 2" in metrics.render()


async def test_a_chat_that_can_not_be_judged_keeps_no_other_waiting(office: Office) -> None:
    async with office.db.begin() as tx:
        await follow(tx, -2, PRADA, options=Options(digest=True))
        await look(tx, story("9", of=PRADA), of=PRADA)
        broken = sa.update(deliveries).where(deliveries.c.chat_id == -2)
        await tx.execute(broken.values(created_at=datetime.max.replace(tzinfo=UTC)))
    await found(office, "1")
    assert await office.outbox.run_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["1"]]
    assert await due_in(office) == 15 * MINUTE
    async with office.db.begin() as tx:
        await tx.execute(broken.values(created_at=NOON - DAY))
    office.clock.on(15 * MINUTE)
    assert await office.outbox.run_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["1"], ["9"]]
