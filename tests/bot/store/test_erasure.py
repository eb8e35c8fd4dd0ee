"""What a chat wants forgotten is gone from every table, and the bill still adds up."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.billing.ledger import Charge, Ledger
from bot.chats.access import Access
from bot.domain.access import Subject
from bot.domain.budget import Limits
from bot.domain.model import Asker, Profile, Target
from bot.domain.options import Preferences
from bot.store import (
    access,
    chats,
    erasure,
    inbox,
    moves,
    profiles,
    spending,
    subscriptions,
    usage,
)
from bot.store.engine.database import Database, all_tables
from bot.updates.queues import QueueAndPerson
from tests.bot.billing.test_ledger import answering
from tests.support.claims import lease_at

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANN, BOB, GROUP = 11, 22, -7
CREATORS = ((access.access_list, "added_by"), (access.invitations, "made_by"))


async def test_nothing_of_an_erased_chat_is_left_but_what_it_cost(db: Database) -> None:
    ledger = Ledger(db, Limits(), now=lambda: NOW)
    for chat in (ANN, BOB):
        async with db.begin() as tx:
            await chats.add_or_update(tx, chat, kind="private", title="canary", now=NOW)
            await profiles.add_or_update_returning_previous(tx, Profile("5", "natgeo"), now=NOW)
            await subscriptions.add(
                tx,
                Target(chat),
                "5",
                preferences=Preferences(),
                alerts_since=NOW,
                created_by=chat,
                now=NOW,
            )
            await usage.add(tx, [(chat, usage.Use(items=1))], day=NOW.date())
        reservation = await ledger.reserve(Charge("link", Asker(chat, chat)), answering())
        async with db.begin() as tx:
            await ledger.settle(tx, reservation, 1)
    later = NOW + timedelta(days=20)
    # The entries are added to the sums by day.
    await Ledger(db, Limits(), now=lambda: later).close_old_reservations_and_split_costs()
    async with db.begin() as tx:
        before = await spending.spent_by_operation(tx, since=NOW.date(), now=later)
        await erasure.erase_chat(tx, ANN, now=NOW)
        after = await spending.spent_by_operation(tx, since=NOW.date(), now=later)
        assert after == before
        for table in all_tables().sorted_tables:
            for name in {"chat_id", "user_id", "created_by"} & set(table.c.keys()):
                found = sa.select(sa.func.count()).where(table.c[name] == ANN)
                assert (await tx.execute(found)).scalar() == 0, f"{table.name}.{name}"
        assert await chats.get(tx, ANN) is None
        assert await chats.get(tx, BOB) is not None
        assert len(await subscriptions.of_chat(tx, BOB)) == 1


def busy_queue(chat_id: int, person: int) -> str:
    """Return the queue of an update that gets the reply about too many requests."""
    return QueueAndPerson(f"chat:{chat_id}", person).busy_reply_queue


@pytest.mark.parametrize(("erased", "erased_rows"), [(GROUP, {2, 3, 4}), (ANN, {1, 3})])
async def test_finished_updates_lose_the_id_of_an_erased_chat(
    db: Database, erased: int, erased_rows: set[int]
) -> None:
    queues = [
        f"chat:{ANN}",
        f"chat:{GROUP}",
        busy_queue(GROUP, ANN),
        busy_queue(GROUP, BOB),
        busy_queue(GROUP * 10, BOB),
        busy_queue(GROUP * 10, ANN * 10),
        busy_queue(GROUP * 10, 100 + ANN),
    ]
    arrivals = [inbox.Arrival(number, queue, "{}") for number, queue in enumerate(queues, 1)]
    async with db.begin() as tx:
        for claimed in await inbox.add_and_return_new(tx, arrivals, now=NOW, lease=lease_at(NOW)):
            assert await inbox.finish(tx, claimed, now=NOW)
        await erasure.erase_chat(tx, erased, now=NOW)
        columns = sa.select(inbox.inbox.c.update_id, inbox.inbox.c.queue)
        found = {row.update_id: row.queue for row in await tx.execute(columns)}
    assert found == {
        number: "" if number in erased_rows else queue for number, queue in enumerate(queues, 1)
    }


async def test_an_erased_person_is_no_longer_the_creator_of_invitations_and_permissions(
    sqlite_db: Database,
) -> None:
    service = Access(sqlite_db, mode="invited", now=lambda: NOW)
    for creator in (ANN, BOB):
        await service.allow_and_end_block(Subject("person", str(creator + 1)), by=creator)
        await service.store_invitation(creator, 1)
    link, _ = await service.store_invitation(ANN, 1)
    async with sqlite_db.begin() as tx:
        await erasure.erase_chat(tx, ANN, now=NOW)
        creators = [table.c[name] for table, name in CREATORS]
        found = [set(await tx.scalars(sa.select(column))) for column in creators]
    assert found == [{"", str(BOB)}] * 2
    assert await service.use_link_and_return_role(link, 33, name="") == "guest"


async def test_an_erased_person_leaves_no_name_and_no_language_in_the_access_list(
    sqlite_db: Database,
) -> None:
    service = Access(sqlite_db, mode="invited", now=lambda: NOW)
    for person in (ANN, BOB):
        subject = Subject("person", str(person))
        assert await service.record_first_refusal(subject, name="Name", language_code="fa")
    async with sqlite_db.begin() as tx:
        await erasure.erase_chat(tx, ANN, now=NOW)
        erased = await access.get(tx, Subject("person", str(ANN)))
        kept = await access.get(tx, Subject("person", str(BOB)))
    assert erased
    assert kept
    assert (erased.name, erased.language_code, erased.refused_at) == ("", "", NOW)
    assert (kept.name, kept.language_code) == ("Name", "fa")


@pytest.mark.parametrize(("added_by", "is_away"), [(ANN, False), (BOB, False), (BOB, True)])
async def test_a_group_with_the_bot_opens_when_its_blocked_payer_is_erased(
    sqlite_db: Database, added_by: int, is_away: bool
) -> None:
    group = -7
    async with sqlite_db.begin() as tx:
        await chats.add_or_update(tx, group, kind="supergroup", title="", now=NOW)
        await chats.set_payer(tx, group, ANN)
        entry = {"is_allowed": True, "via": "added", "added_by": str(added_by)}
        await access.put(tx, Subject("chat", str(group)), now=NOW, **entry)
    service = Access(sqlite_db, mode="open", now=lambda: NOW)
    await service.block(Subject("person", str(ANN)), until=None, reason="")
    async with sqlite_db.begin() as tx:
        if is_away:
            await moves.close_left_chat(tx, group, now=NOW)
        await erasure.erase_chat(tx, ANN, now=NOW)
        found = await chats.get(tx, group)
        assert found is not None
        assert found.payer is None
        # The block of the person who added the bot stays.
        assert found.state == ("closed" if added_by == ANN or is_away else "active")
