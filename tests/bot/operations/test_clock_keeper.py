"""The clock of the process, kept right by the clocks of servers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from telegram.error import NetworkError

from bot.operations.clock_keeper import ClockKeeper
from bot.runtime.clock import STORIES_API, TELEGRAM, Clock, ServerClocks, event_loop_time_s
from bot.store.engine.database import Database

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR_S = 3600.0


class World:
    """A machine, Telegram and the Stories API, each with a clock of its own."""

    def __init__(
        self,
        db: Database,
        machine_s: float = 0.0,
        telegram_s: float | None = 0.0,
        api_s: float | None = 0.0,
    ) -> None:
        self.machine_s, self.telegram_s, self.api_s = machine_s, telegram_s, api_s
        self.asked: list[str] = []
        self.clock = Clock(machine=lambda: self.true() + self.machine_s)
        self.server_clocks = ServerClocks(self.clock)
        self.keeper = ClockKeeper(
            db,
            self.clock,
            self.server_clocks,
            ask_telegram=lambda: self.ask(TELEGRAM, self.telegram_s),
            ask_api=lambda: self.ask(STORIES_API, self.api_s),
        )

    @staticmethod
    def true() -> float:
        return NOON.timestamp() + event_loop_time_s()

    async def ask(self, who: str, ahead_s: float | None) -> None:
        self.asked.append(who)
        if ahead_s is None and who == TELEGRAM:
            raise NetworkError("no answer")
        if ahead_s is not None:
            self.server_clocks.record_time(who, datetime.fromtimestamp(self.true() + ahead_s, UTC))

    @property
    def error_s(self) -> int:
        return round(self.clock().timestamp() - self.true())


@pytest.fixture
async def world(sqlite_db: Database) -> World:
    return World(sqlite_db)


async def test_one_call_anchors_a_clock_that_is_right(world: World) -> None:
    assert world.keeper.is_in_doubt()
    assert await world.keeper.anchor()
    assert not world.keeper.trouble
    assert world.asked == [TELEGRAM]
    await world.keeper.anchor_if_in_doubt()
    assert world.asked == [TELEGRAM]


async def test_a_clock_that_was_never_right_is_corrected_before_it_is_used(
    sqlite_db: Database,
) -> None:
    world = World(sqlite_db, machine_s=25 * HOUR_S)
    assert await world.keeper.anchor()
    assert abs(world.error_s) <= 1
    assert world.asked == [TELEGRAM, STORIES_API]


@pytest.mark.parametrize(
    "lost", [{"telegram_s": -HOUR_S, "api_s": None}, {"telegram_s": None, "api_s": HOUR_S}]
)
async def test_without_a_decision_the_reason_is_told_and_it_is_tried_again(
    world: World, lost: dict[str, float | None]
) -> None:
    before = dict(vars(world))
    vars(world).update(lost)
    due = await world.keeper.anchor_if_in_doubt()
    assert world.keeper.is_in_doubt()
    assert world.keeper.trouble
    assert due - world.clock() <= timedelta(seconds=5)
    vars(world).update({name: before[name] for name in lost})
    world.server_clocks.forget()
    await world.keeper.anchor_if_in_doubt()
    assert not world.keeper.trouble


@pytest.mark.parametrize("step_s", [-2 * HOUR_S, -60.0, 2.0, 2 * HOUR_S])
async def test_a_machine_that_is_set_wrong_sets_nothing_wrong(world: World, step_s: float) -> None:
    await world.keeper.anchor()
    woken = list[bool]()
    world.keeper.wake = lambda: woken.append(True)
    for machine_s in (step_s, 0.0):
        world.machine_s = machine_s
        assert world.keeper.is_in_doubt()
        await world.keeper.anchor_if_in_doubt()
        assert not world.keeper.is_in_doubt()
        assert abs(world.error_s) <= 3
    assert len(woken) == 2
    assert not world.keeper.went_back.is_set()


@pytest.mark.parametrize("wrong", ["machine_s", "telegram_s", "api_s"])
async def test_one_wrong_clock_of_three_is_outvoted(sqlite_db: Database, wrong: str) -> None:
    world = World(sqlite_db, **{wrong: -7 * HOUR_S})
    assert await world.keeper.anchor()
    assert abs(world.error_s) <= 1


@pytest.mark.parametrize(("back_s", "begins_anew"), [(59.0, False), (62.0, True)])
async def test_after_a_long_correction_backwards_the_process_begins_anew(
    world: World, back_s: float, begins_anew: bool
) -> None:
    await world.keeper.anchor()
    before = world.clock()
    world.machine_s = world.telegram_s = -back_s
    assert world.keeper.is_in_doubt()
    await world.keeper.anchor_if_in_doubt()
    assert world.clock() >= before
    assert world.keeper.went_back.is_set() == begins_anew


async def test_what_all_others_contradict_is_doubted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.keeper.anchor()
    monkeypatch.setattr(world.keeper, "_may_doubt_at", 0.0)
    world.telegram_s = world.api_s = 3 * HOUR_S  # as after a pause of the whole machine
    await world.ask(TELEGRAM, world.telegram_s)
    await world.keeper.anchor_if_in_doubt()
    assert abs(world.error_s - 3 * HOUR_S) <= 1


Told = Callable[[], datetime]


@pytest.mark.parametrize("now", [lambda: NOON])
async def test_a_time_that_is_told_is_never_in_doubt(sqlite_db: Database, now: Told) -> None:
    async def never() -> None:
        raise AssertionError

    keeper = ClockKeeper(sqlite_db, now, ServerClocks(now), ask_telegram=never, ask_api=never)
    assert await keeper.anchor()
    assert not keeper.is_in_doubt()
    await keeper.wait_until_anchored()
