"""The place of inline queries: the newest of each person, behind nobody else, never too late."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from telegram import Bot, Update
from telegram.error import TelegramError

from bot.updates.inline_queries import InlineQueries
from sandbox.jumping import JumpingLoop

BOT = Bot("1:token")


def typed(number: int, person: int, text: str) -> dict[str, Any]:
    sender = {"id": person, "is_bot": False, "first_name": "A"}
    query = {"id": str(number), "from": sender, "query": text, "offset": ""}
    return {"update_id": number, "inline_query": query}


def lived(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Live through a scene on a clock that jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(scene())


class Counter:
    """Answers queries, each as slowly as its text says in seconds."""

    def __init__(self) -> None:
        """Begin with nothing answered."""
        self.answered: list[str] = []
        self.queries = InlineQueries(BOT, self._answer)

    async def _answer(self, update: Update) -> None:
        assert update.inline_query
        text = update.inline_query.query
        if "refused" in text:
            raise TelegramError("query is too old")
        if "broken" in text:
            raise ZeroDivisionError
        await asyncio.sleep(float(text.partition(" ")[0] or 0))
        self.answered.append(text)

    async def at_work(self, scene: Callable[[], Awaitable[None]]) -> None:
        """Run while a scene is played."""
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self.queries.answer_until_cancelled())
            await asyncio.sleep(0.1)
            await scene()
            running.cancel()


def test_of_what_a_person_types_meanwhile_only_the_newest_is_answered() -> None:
    async def scene() -> None:
        one = Counter()

        async def play() -> None:
            for number, text in enumerate(("1 n", "1 na", "1 nat", "1 natg")):
                one.queries.enqueue_queries_return_others([typed(number, 5, text)])
                await asyncio.sleep(0.1)
            await asyncio.sleep(5)

        await one.at_work(play)
        assert one.answered == ["1 n", "1 natg"]

    lived(scene)


def test_who_types_without_end_keeps_nobody_waiting() -> None:
    async def scene() -> None:
        one = Counter()

        async def play() -> None:
            for number in range(1_000):
                one.queries.enqueue_queries_return_others([typed(number, 5, f"1 {number}")])
            one.queries.enqueue_queries_return_others([typed(2_000, 6, "1 of another")])
            await asyncio.sleep(1.5)
            assert one.answered == ["1 999", "1 of another"]

        await one.at_work(play)

    lived(scene)


def test_what_waits_for_ten_seconds_is_dropped_and_what_takes_longer_is_cut() -> None:
    async def scene() -> None:
        one = Counter()

        async def play() -> None:
            # All places are taken for nine seconds, then for the one that is left to each.
            one.queries.enqueue_queries_return_others([typed(n, n, "9 slow") for n in range(4)])
            one.queries.enqueue_queries_return_others([typed(n, n, "2 late") for n in range(4, 8)])
            one.queries.enqueue_queries_return_others(
                [typed(n, n, "0 too late") for n in range(8, 1_000)]
            )
            await asyncio.sleep(30)
            one.queries.enqueue_queries_return_others([typed(2_000, 9, "0 again")])
            await asyncio.sleep(1)

        await one.at_work(play)
        assert one.answered == ["9 slow"] * 4 + ["0 again"]

    lived(scene)


def test_no_more_than_a_thousand_people_wait_at_a_time() -> None:
    async def scene() -> None:
        one = Counter()

        async def play() -> None:
            one.queries.enqueue_queries_return_others([typed(n, n, "0 x") for n in range(1_500)])
            await asyncio.sleep(5)
            assert len(one.answered) == 1_000
            one.queries.enqueue_queries_return_others([typed(3_000, 1_400, "0 y")])
            await asyncio.sleep(1)
            assert one.answered[-1] == "0 y"

        await one.at_work(play)

    lived(scene)


def test_no_failure_ends_it_and_nonsense_is_let_go() -> None:
    async def scene() -> None:
        one = Counter()
        message = {"update_id": 1, "message": {}}

        async def play() -> None:
            values: tuple[Any, ...] = (
                None,
                5,
                {},
                {"from": {"id": "x"}},
                {"from": {"id": float("inf")}},
            )
            nonsense = [{"inline_query": value} for value in values]
            nonsense.append(typed(1, 10**26, "0 of nobody"))
            assert one.queries.enqueue_queries_return_others([message, *nonsense, 7]) == [
                message,
                7,
            ]
            for number, text in enumerate(("0 refused", "0 broken", "0 fine")):
                one.queries.enqueue_queries_return_others([typed(number, 5, text)])
                await asyncio.sleep(1)

        await one.at_work(play)
        assert one.answered == ["0 fine"]

    lived(scene)


def test_what_comes_before_it_begins_or_while_the_bot_stops_keeps_nothing_else_out() -> None:
    async def scene() -> None:
        one = Counter()
        message = {"update_id": 1, "message": {}}
        assert one.queries.enqueue_queries_return_others([typed(2, 5, "0 x"), message]) == [
            message
        ]

        async def play() -> None:
            one.queries.enqueue_queries_return_others([typed(3, 5, "5 under way")])
            await asyncio.sleep(0.1)

        await one.at_work(play)
        assert one.queries.enqueue_queries_return_others([typed(4, 5, "0 x"), message]) == [
            message
        ]
        await asyncio.sleep(10)
        assert one.answered == []

    lived(scene)
