"""The watch over a real database: said once, in other words when it changes, and over once."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from structlog.testing import capture_logs
from telegram.ext import ExtBot

from bot.fetching import snapshots
from bot.operations.incidents import Incidents
from bot.operations.owners import Owners
from bot.operations.watch import Watch, fullest_disk_free_and_total
from bot.outbox.fan_out import FanOut
from bot.runtime.metrics import Metrics
from bot.runtime.process_name import replica_name
from bot.store import incidents as store
from bot.store import samples
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from tests.support.followed import NATGEO, NOON, follow, story

BOSS = 7
MB = 1_000_000


class Machine:
    """A disk that fills, a clock, and a watch that begins anew at each look."""

    def __init__(self, db: Database, *, process: str = "") -> None:
        self.db, self.now, self.free = db, NOON, 9_000 * MB
        self.process = process
        self.signs: dict[Any, Any] = {}
        self.failed_checks: str | None = None
        self.metrics = Metrics()

    async def look(self) -> list[str]:
        """Look once; all that the admin is owed."""
        bot: Any = ExtBot("1:a-token-that-is-never-used-0123456789")
        owners = Owners(self.db, bot, lambda: [BOSS], wake=lambda: None, now=lambda: self.now)
        incidents = Incidents(self.db, owners, now=lambda: self.now)
        watch = Watch(
            self.db, incidents, budget=1000, check_price=2, signs=self.signs,
            failed_checks=lambda: self.failed_checks,
            disk=lambda: (self.free, 10_000 * MB), metrics=self.metrics, now=lambda: self.now,
            process=self.process,
        )  # fmt: skip
        await watch.update_incidents(self.now)
        async with self.db.read() as tx:
            rows = await tx.execute(sa.select(deliveries.c.fields).order_by(deliveries.c.id))
            return [row.fields["text"] for row in rows]


async def test_a_disk_that_fills_is_told_once_and_when_it_has_room(db: Database) -> None:
    machine = Machine(db)
    assert await machine.look() == []
    machine.free = 200 * MB
    (told,) = await machine.look()
    assert told.startswith("The disk is nearly full: 200 MB left.")
    machine.free = 100 * MB
    assert await machine.look() == [told]
    async with db.read() as tx:
        (one,) = await store.all_open(tx)
    assert one.fields == {"megabytes": 100}  # what /health shows is of now
    machine.free = 9_000 * MB
    (_, over) = await machine.look()
    assert over == f"There is enough disk space again. (#{one.id})"
    assert len(await machine.look()) == 2


async def test_a_disk_that_fills_at_one_process_is_told_once_and_its_end_too(
    db: Database,
) -> None:
    full, empty = Machine(db, process="one"), Machine(db, process="other")
    full.free = 200 * MB
    (told,) = await full.look()
    for _ in range(2):
        assert await empty.look() == [told]
        assert await full.look() == [told]
    full.free = 9_000 * MB
    assert len(await full.look()) == 2
    assert len(await empty.look()) == 2


async def test_a_process_that_has_ended_keeps_no_incident_open(db: Database) -> None:
    full, empty = Machine(db, process="one"), Machine(db, process="other")
    full.free = 200 * MB
    await full.look()
    empty.now += timedelta(minutes=2)
    assert len(await empty.look()) == 1
    empty.now += timedelta(minutes=1)
    assert len(await empty.look()) == 2


async def test_how_much_is_due_and_for_how_long_is_in_the_metrics(db: Database) -> None:
    machine = Machine(db)

    async def figures() -> list[float | None]:
        await machine.look()
        read = machine.metrics.registry.get_sample_value
        names = ("outbox_due", "outbox_oldest_due_seconds")
        return [read(one, {"replica": replica_name()}) for one in names]

    assert await figures() == [0, 0]
    machine.free = 200 * MB
    await machine.look()  # which owes the admin a sentence, that nobody sends here
    machine.now += timedelta(seconds=90)
    assert await figures() == [1, 90]


async def test_who_does_not_meet_telegram_closes_nothing(db: Database) -> None:
    async with db.begin() as tx:
        await store.add(tx, "telegram", "It fails.", {}, opened_at=NOON)
        await store.add(tx, "two_pollers", "Two.", {}, opened_at=NOON)
    machine = Machine(db)
    await machine.look()
    machine.signs = {"two_pollers": lambda: None, "telegram": lambda: True}
    await machine.look()
    async with db.read() as tx:
        assert [one.kind for one in await store.all_open(tx)] == ["telegram", "two_pollers"]
    machine.signs = {"two_pollers": lambda: False, "telegram": lambda: False}
    assert await machine.look() == ["People's messages reach me again. (#2)"]


async def test_failed_checks_are_told_and_only_who_met_an_answer_ends_that(db: Database) -> None:
    machine = Machine(db)
    machine.signs = {"api_fails": lambda: None}
    machine.failed_checks = "/v1/user/stories: 429"
    (told,) = await machine.look()
    assert told.startswith("All checks for new stories have failed for over half an hour (/v1/")
    machine.failed_checks = None
    assert await machine.look() == [told]  # another replica, or a new start, knows of no answer
    machine.signs = {"api_fails": lambda: False}
    assert (await machine.look())[1].startswith("The Stories API is answering again.")


async def test_of_one_kind_one_is_open_whoever_opens_it(db: Database) -> None:
    async with db.begin() as tx:
        first = await store.add(tx, "disk", "Full.", {}, opened_at=NOON)
        assert await store.add(tx, "disk", "Full.", {}, opened_at=NOON) is None
        ended = await store.close(tx, "disk", now=NOON)
        assert ended is not None
        assert ended.id == first
        assert await store.close(tx, "disk", now=NOON) is None
        assert await store.add(tx, "disk", "Full.", {}, opened_at=NOON)


async def test_an_hour_is_written_once(db: Database) -> None:
    async with db.begin() as tx:
        figures = await samples.measure_hour(tx, NOON)
        await samples.add(tx, NOON, figures)
        await samples.add(tx, NOON, {})
        assert await samples.figures_since(tx, NOON) == [(NOON, figures)]
    nothing = {"alerts": 0, "timed": 0, "delay_s": None, "waiting": 0, "parked": 0}
    assert figures == {"spent": {}, **nothing}


def test_a_folder_that_is_not_there_tells_nothing(tmp_path: Any) -> None:
    assert fullest_disk_free_and_total(tmp_path / "none") is None
    assert fullest_disk_free_and_total(tmp_path, tmp_path / "none") is not None


async def test_a_profile_whose_alerts_can_not_be_written_is_told_after_five_attempts(
    sqlite_db: Database,
) -> None:
    machine = Machine(sqlite_db)
    refuse = "CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN NEW.story_pk = '1' "
    async with sqlite_db.begin() as tx:
        await follow(tx, 1)
        await tx.exec_driver_sql(refuse + "BEGIN SELECT RAISE(ABORT, 'refused'); END")
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(NATGEO, (story("1"),)), now=NOON
        )
    fan_out = FanOut(sqlite_db, lambda: None, now=lambda: machine.now)
    with capture_logs():
        for _ in range(5):
            assert await machine.look() == []
            machine.now += timedelta(seconds=5)
            await fan_out.write_due_fan_outs()
    (told,) = await machine.look()
    assert "alerts about these profiles: natgeo." in told
    async with sqlite_db.begin() as tx:
        await tx.exec_driver_sql("DROP TRIGGER refuse")
    machine.now += timedelta(seconds=5)
    await fan_out.write_due_fan_outs()
    async with sqlite_db.begin() as tx:
        await tx.execute(sa.delete(deliveries).where(deliveries.c.story_pk.is_not(None)))
    assert await machine.look() == [told, "Alerts are arriving again. (#1)"]
