"""The outbox against a small model, on both databases: nothing lost, nothing doubled unduly.

The machine plays all that may happen between claim and record: answers of every class, answers
that are lost, also in an outage, crashes before and after the message arrived, chats that move,
close and open; and answers to people, which go before all alerts.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.domain.alert_rules import MAX_ATTEMPTS, MAX_COPIES
from bot.domain.model import Moved, Outcome, PermanentFailure, Sent, SentItem, Target, TryLater
from bot.domain.records import REPLY, Delivery
from bot.fetching import snapshots
from bot.outbox.jobs import AlertJob, Job, ReplyJob, RightsQueryJob, SendJob
from bot.outbox.worker import Outbox
from bot.sending.replies import text_payload
from bot.store import chat_queues, chats, enqueue, moves, subscriptions
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from bot.store.engine.schema import metadata
from bot.telegram.api import TooSoonError
from tests.bot.outbox.test_worker import NO_BOT
from tests.support.followed import HOUR, LONG_AGO, MINUTE, NATGEO, PRADA, Clock, follow, story

T = TypeVar("T")
EXAMPLES = 1000
STEPS = 7
OPEN, DONE = "open", ("sent", "parked", "dropped")


ANSWERS = st.sampled_from(
    ("sent", "sent", "half", "failed", "later", "wait", "lost", "gone", "moved", "chat")
)


class Model:
    """What must be true, in sets: who follows, what each is owed, what stands in the chats."""

    def __init__(self) -> None:
        self.followers: set[tuple[int, str]] = set()  # chat, profile
        self.closed: set[int] = set()
        self.owed: set[tuple[int, str]] = set()  # chat, story
        self.profile_of: dict[str, str] = {}
        self.chat_now: dict[int, int] = {}  # a chat's first id → its id
        self.shown: Counter[tuple[int, str]] = Counter()  # messages that stand in a chat
        self.first: dict[tuple[int, str], list[str]] = {}  # first copies, in their order
        self.risks: Counter[tuple[int, str]] = Counter()  # crashes and lost answers of a row
        self.excused: set[tuple[int, str]] = set()  # ended with a reason
        self.asked: list[tuple[int, str]] = []  # chat, answer that is owed
        self.answered: dict[int, list[str]] = {}  # by chat, as they arrived

    def posted(self, pk: str, profile: str) -> None:
        self.profile_of[pk] = profile
        for chat, followed in self.followers:
            if followed == profile and chat not in self.closed:
                self.owed.add((chat, pk))

    def arrived(self, chat: int, pk: str) -> None:
        if not self.shown[chat, pk]:
            self.first.setdefault((chat, self.profile_of[pk]), []).append(pk)
        self.shown[chat, pk] += 1

    def left(self, chat: int, profile: str) -> None:
        self.followers.discard((chat, profile))
        self.owed = {(c, pk) for c, pk in self.owed if (c, self.profile_of[pk]) != (chat, profile)}


class Down:
    """An outage in which each moment is right for a trial send."""

    async def reserve_next_trial_and_ask_telegram(self) -> bool:
        return True

    def end_pause(self) -> None:
        """Go on; the rules decide when."""


def sends(jobs: list[Job]) -> list[SendJob]:
    """Return the jobs; in these chats no right is missing, so none is a probe."""
    assert not any(isinstance(one, RightsQueryJob) for one in jobs)
    return [one for one in jobs if not isinstance(one, RightsQueryJob)]


def rows_of(job: SendJob) -> tuple[Delivery, ...]:
    """Return the rows of an alert."""
    return job.batch.rows if isinstance(job, AlertJob) else ()


class OutboxMachine(RuleBasedStateMachine):
    """One database, shared by all examples; each has chats and profiles of its own."""

    db: Database
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.clock = Clock()
        self.outbox = Outbox(self.db, NO_BOT, None, None, lease=MINUTE, now=self.clock)  # type: ignore[arg-type] # nothing is sent here
        self.flying: list[SendJob] = []
        self.claimed_at: dict[int, datetime] = {}
        self.stories = 0
        self.answers = 0
        self.was_closed: set[int] = set()  # whose answers nobody waits for
        self.moved = 0

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.runner.run(wait())

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        async with self.db.begin() as tx:
            for table in reversed(metadata.sorted_tables):  # nothing is left of other examples
                await tx.execute(sa.delete(table))
            for chat in (-1, -2):
                self.model.chat_now[chat] = chat
                await chats.add_or_update(tx, chat, kind="group", title="", now=self.clock())
            await follow(tx, -1, NATGEO, now=self.clock())
            self.model.followers.add((-1, "natgeo"))

    # what happens outside

    @rule(chat=st.sampled_from((-1, -2)), profile=st.sampled_from((NATGEO, PRADA)))
    def follow_or_leave(self, chat: int, profile: object) -> None:
        followed = NATGEO if profile is NATGEO else PRADA
        key = (chat, followed.username)
        self.run(self._follow_or_leave(chat, key[1], follows=key in self.model.followers))
        if key in self.model.followers:
            self.model.left(*key)
        elif chat not in self.model.closed:
            self.model.followers.add(key)

    async def _follow_or_leave(self, chat: int, username: str, *, follows: bool) -> None:
        now_id = self.model.chat_now[chat]
        async with self.db.begin() as tx:
            if follows:
                found = await subscriptions.of_chat(tx, now_id, username=username)
                await chat_queues.lock(tx, now_id)
                await subscriptions.remove(tx, [one.id for one in found])
                await chat_queues.reschedule(tx, now_id)
            elif chat not in self.model.closed:
                profile = NATGEO if username == "natgeo" else PRADA
                await follow(tx, now_id, profile, since=LONG_AGO, now=self.clock())

    @rule(profile=st.sampled_from((NATGEO, PRADA)), count=st.integers(1, 3))
    def post(self, profile: object, count: int) -> None:
        followed = NATGEO if profile is NATGEO else PRADA
        found = []
        for _ in range(count):
            self.stories += 1
            taken_at = self.clock() + self.stories * MINUTE / 600
            found.append(story(str(self.stories), taken_at, followed))
        self.run(self._look(snapshots.Snapshot(followed, tuple(found))))
        for one in found:
            self.model.posted(one.pk, followed.username)

    async def _look(self, look: snapshots.Snapshot) -> None:
        async with self.db.begin() as tx:
            await snapshots.record_snapshot_and_enqueue_alerts(tx, look, now=self.clock())
        await self.outbox.fan_out.write_due_fan_outs()

    @rule()
    def time_passes(self) -> None:
        self.clock.on(MINUTE / 2)

    @rule(chat=st.sampled_from((-1, -2)))
    def close_or_open(self, chat: int) -> None:
        self.run(self._close_or_open(self.model.chat_now[chat], is_open=chat in self.model.closed))
        if chat in self.model.closed:  # who comes back hears of what is new only
            self.model.excused |= {key for key in self.model.owed if key[0] == chat}
        self.model.closed ^= {chat}
        self.was_closed.add(chat)

    async def _close_or_open(self, chat: int, *, is_open: bool) -> None:
        async with self.db.begin() as tx:
            change = moves.open_chat if is_open else moves.close_left_chat
            await change(tx, chat, now=self.clock())

    @rule(chat=st.sampled_from((-1, -2)))
    def ask(self, chat: int) -> None:
        """Let an answer be owed that could not be sent at once."""
        if chat in self.model.closed:
            return
        self.answers += 1
        text = f"answer {self.answers}"
        self.run(self._ask(self.model.chat_now[chat], text))
        self.model.asked.append((chat, text))

    async def _ask(self, chat: int, text: str) -> None:
        now = self.clock()
        async with self.db.begin() as tx:
            await chat_queues.lock(tx, chat)
            await enqueue.add_reply(tx, Target(chat), text_payload(text), now=now, due_at=now)
            await chat_queues.make_due(tx, chat, due_at=now, now=now)

    # the outbox

    @rule()
    def claim(self) -> None:
        claimed = sends(self.run(self.outbox.claims.claim_queues_and_build_jobs(5)))
        self._check_claim(claimed)
        self.flying += claimed
        self.claimed_at |= {id(one): self.clock() for one in claimed}

    @rule()
    def claim_one_in_an_outage(self) -> None:
        found = self.run(self.outbox.claims.ask_telegram_and_claim_trial_send(Down()))  # type: ignore[arg-type] # all it needs
        claimed = sends(found)
        assert len(claimed) <= 1
        assert all(len(one.lease.ids) == 1 for one in claimed)
        self._check_claim(claimed)
        self.flying += claimed
        self.claimed_at |= {id(one): self.clock() for one in claimed}

    def _check_claim(self, claimed: list[SendJob]) -> None:
        first_id = {now: first for first, now in self.model.chat_now.items()}
        for one in claimed:
            chat = first_id[one.lease.queue.chat_id]
            assert chat not in self.model.closed
            if isinstance(one, AlertJob):  # alerts come after all answers that are not given up
                owed = [row for row in one.queue.rows if row.notice == REPLY]
                assert all(
                    row.copies >= MAX_COPIES or (row.sending and row.attempts >= MAX_ATTEMPTS)
                    for row in owed
                )
            for row in rows_of(one):
                if row.story_pk:  # else a notice
                    assert (chat, row.story_pk) in self.model.owed

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 3), kind=ANSWERS, in_outage=st.booleans())
    def answer(self, which: int, kind: str, *, in_outage: bool = False) -> None:
        claimed = self.flying.pop(which % len(self.flying))
        if kind not in {"later", "moved"}:
            self._leave(claimed)
        outcome = self._outcome(claimed, kind)
        in_outage = in_outage and kind in {"later", "lost", "gone"}
        self.run(self.outbox.runner.record_outcome(claimed, outcome, in_outage=in_outage))

    def _leave(self, claimed: SendJob) -> None:
        with suppress(TooSoonError):
            self.run(self.outbox.leases.check_and_count_copies(claimed.lease))

    @rule(kind=ANSWERS)
    def send(self, kind: str) -> None:
        """Claim, and be answered before anything else happens."""
        already = len(self.flying)
        self.claim()
        while len(self.flying) > already:
            self.answer(already, kind)

    def _outcome(self, claimed: SendJob, kind: str) -> Outcome:  # noqa: C901, PLR0911 - one line a class of answers
        chat = self._chat(claimed)
        pks = [row.story_pk for row in rows_of(claimed) if row.story_pk]
        if isinstance(claimed, ReplyJob):
            return self._outcome_of_answer(claimed, chat, str(claimed.reply.fields["text"]), kind)
        if not pks:
            return Sent((SentItem("", 1),))
        if not claimed.lease.is_counted and kind not in {"later", "moved"}:
            return TryLater(unknown=True, reason="the lease was lost")
        items = tuple(SentItem(pk, number) for number, pk in enumerate(pks, 1))
        match kind:
            case "later":
                return TryLater(reason="not sent")
            case "wait":
                return TryLater(MINUTE / 3, reason="flood")
            case "lost":
                self._arrive(chat, pks)
                self.model.risks.update((chat, pk) for pk in pks)
                return TryLater(unknown=True)
            case "gone":
                self.model.risks.update((chat, pk) for pk in pks)
                return TryLater(unknown=True)
            case "half":
                self._arrive(chat, pks[:1])
                self.model.risks.update((chat, pk) for pk in pks[1:])
                return TryLater(unknown=True, items=items[:1])
            case "failed":
                self._arrive(chat, pks[1:])
                self.model.excused.add((chat, pks[0]))
                return Sent(items[1:], {pks[0]: "This can't be sent."})
            case "chat":
                if self._is_ours(claimed):
                    self.model.closed.add(chat)
                    self.was_closed.add(chat)
                return PermanentFailure("kicked")
            case "moved" if self._is_ours(claimed):
                self.moved += 1
                self.model.chat_now[chat] = -1000 * self.moved + chat
                self.flying = [one for one in self.flying if self._chat(one) != chat]
                return Moved(self.model.chat_now[chat])
        self._arrive(chat, pks)
        return Sent(items)

    def _outcome_of_answer(self, claimed: SendJob, chat: int, text: str, kind: str) -> Outcome:
        """What comes of an answer; in a chat that is closed or moves no more is asked of it."""
        if not claimed.lease.is_counted and kind != "later":
            return TryLater(unknown=True, reason="the lease was lost")
        if kind == "later":
            return TryLater(reason="not sent")
        if kind == "wait":
            return TryLater(MINUTE / 3, reason="flood")
        if kind != "gone":
            self.model.answered.setdefault(chat, []).append(text)
        return TryLater(unknown=True) if kind in {"gone", "lost"} else Sent((SentItem("", 1),))

    def _chat(self, claimed: SendJob) -> int:
        """The first id of the chat, whatever it was when it was claimed."""
        lane_id = claimed.lease.queue.chat_id
        return lane_id if lane_id in (-1, -2) else -(-lane_id % 1000)

    def _arrive(self, chat: int, pks: list[str]) -> None:
        for pk in pks:
            self.model.arrived(chat, pk)

    def _is_ours(self, claimed: SendJob) -> bool:
        async def token() -> int | None:
            async with self.db.read() as tx:
                lane = chat_queues.queues
                query = sa.select(lane.c.token).where(
                    lane.c.chat_id == claimed.lease.queue.chat_id
                )
                return (await tx.execute(query)).scalar()

        return self.run(token()) == claimed.lease.queue.token

    @rule(profile=st.sampled_from((NATGEO, PRADA)))
    def stumble(self, profile: object) -> None:
        """Fail to send one, and find the next one meanwhile: it must not overtake."""
        self.post(profile, 1)
        self.send("later")
        self.post(profile, 1)
        self.send("sent")

    @rule(times=st.integers(2, 5), arrives=st.booleans())
    def crash_in_a_loop(self, times: int, *, arrives: bool) -> None:
        """Die again and again right after the claim."""
        for _ in range(times):
            self.claim()
            self.crash(arrives=arrives)

    @precondition(lambda self: self.flying)
    @rule(arrives=st.booleans())
    def crash(self, *, arrives: bool) -> None:
        """Die with all that is on its way; the leases end."""
        for claimed in self.flying:
            chat = self._chat(claimed)
            pks = [row.story_pk for row in rows_of(claimed) if row.story_pk]
            self.model.risks.update((chat, pk) for pk in pks)
            if arrives:
                self._leave(claimed)
            if claimed.lease.is_counted:
                self._arrive(chat, pks)
            if claimed.lease.is_counted and isinstance(claimed, ReplyJob) and arrives:
                text = str(claimed.reply.fields["text"])
                self.model.answered.setdefault(chat, []).append(text)
        self.flying = []
        self.clock.on(MINUTE)

    # what must hold

    @invariant()
    def one_at_a_time_into_a_chat(self) -> None:
        held = [one.lease.queue.chat_id for one in self.flying if self._is_held(one)]
        assert len(held) == len(set(held))

    def _is_held(self, claimed: SendJob) -> bool:
        return self.claimed_at[id(claimed)] + MINUTE > self.clock()

    @invariant()
    def copies_are_bounded(self) -> None:
        for key, count in self.model.shown.items():
            assert count <= 3
            assert count - 1 <= self.model.risks[key]
        for said in self.model.answered.values():
            assert (
                max(Counter(text for text in said if "answer " in text).values(), default=0) <= 3
            )

    def teardown(self) -> None:
        """Let everything arrive; then nothing may be missing."""
        if not self.model.chat_now:
            return
        for chat in list(self.model.closed):
            self.close_or_open(chat)
        self.flying = []
        for _ in range(40):
            self.clock.on(HOUR / 4)
            claimed = sends(self.run(self.outbox.claims.claim_queues_and_build_jobs(5)))
            self._check_claim(claimed)
            for one in claimed:
                self._leave(one)
                self.run(
                    self.outbox.runner.record_outcome(
                        one, self._outcome(one, "sent"), in_outage=False
                    )
                )
            if not claimed and self.run(self.db.fetch(chat_queues.next_due_at)) is None:
                break
        self.run(self._check())

    async def _check(self) -> None:
        async with self.db.read() as tx:
            table = deliveries
            rows = (await tx.execute(sa.select(table).where(table.c.story_pk.is_not(None)))).all()
        first_id = {now: first for first, now in self.model.chat_now.items()}
        states = {(first_id[row.chat_id], row.story_pk): row for row in rows}
        for key in self.model.owed:
            row = states[key]
            assert row.state in DONE, row
            if row.state == "sent":
                assert self.model.shown[key], row
            elif row.state == "parked":
                assert self.model.risks[key] > 1, row
            else:
                assert row.reason, row
                assert key in self.model.excused
        for chat, text in self.model.asked:
            told = self.model.answered.get(chat, [])
            is_given_up = any("three times" in said for said in told)
            assert text in told or is_given_up or chat in self.was_closed, text
        for chat, told in self.model.answered.items():
            firsts = [text for text in dict.fromkeys(told) if text.startswith("answer ")]
            numbers = [int(text.split()[1]) for text in firsts]
            assert numbers == sorted(numbers), (chat, told)
        for (chat, _), shown in self.model.first.items():
            # What may have arrived waits alone for its repeat.
            firsts = [pk for pk in shown if not self.model.risks[chat, pk]]
            assert firsts == sorted(firsts, key=int)


def _wait_for_no_disk(database: Database) -> None:
    """Make commits fast: no power is cut here."""
    hurry = "PRAGMA synchronous=OFF" if database.is_sqlite else "SET synchronous_commit=off"

    @sa.event.listens_for(database._engine.sync_engine, "connect")  # noqa: SLF001 - for speed alone
    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(hurry)
        cursor.close()
        connection.commit()  # ends the transaction that PostgreSQL's driver began


@pytest.mark.campaign
@pytest.mark.timeout(300)
def test_the_outbox_does_as_the_model_says(database_url: str) -> None:
    with asyncio.Runner() as runner:
        database = Database(database_url)
        _wait_for_no_disk(database)
        runner.run(database.migrate())
        OutboxMachine.db, OutboxMachine.runner = database, runner
        try:
            run_state_machine_as_test(
                OutboxMachine,
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    derandomize=True,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.__aexit__(None, None, None))
