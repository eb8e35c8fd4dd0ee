"""Who uses the bot and what that costs, a page at a time."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.billing.ledger import Charge
from bot.billing.people import list_guests_by_cost, read_monthly_costs_of
from bot.domain.access import Subject
from bot.domain.model import Asker
from bot.store import access, acquaintances, chats, usage
from bot.store.engine.database import Database
from bot.store.usage import usage_days
from tests.bot.billing.test_reports import spend
from tests.support.statements import recorded_statements

NOW = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)
MORE_THAN_A_STATEMENT_TAKES = 33_000  # parameters: PostgreSQL's protocol counts in 16 bits


async def test_the_dearest_come_first_and_who_is_on_the_list_only_last(db: Database) -> None:
    await spend(db, NOW - timedelta(days=30), Charge("link", Asker(3, 3)), "two", 2)  # of March
    await spend(db, NOW, Charge("link", Asker(5, 5)), "two", 0)  # nothing was billed
    await spend(db, NOW, Charge("link", Asker(1, 1)), "two", 2)
    for member, times in ((1, 1), (2, 4)):
        for _ in range(times):
            await spend(db, NOW, Charge("stories", Asker(-9, member)), "two", 2)
    async with db.begin() as tx:
        await usage.add(tx, [(-8, usage.Use(millicredits=2500))], day=NOW.date())
        for number, name, days in ((3, "Cem", 2), (4, "Dua", 1), (2, "Bea", 0)):
            since = NOW - timedelta(days=days)
            await access.put(tx, Subject.of_chat(number), now=since, name=name, is_allowed=True)
        everybody = await list_guests_by_cost(tx, offset=0, limit=100, now=NOW)
        pages = [await list_guests_by_cost(tx, offset=n, limit=2, now=NOW) for n in (0, 2, 4, 6)]
        group = await read_monthly_costs_of(tx, -9, now=NOW)
        unknown = await read_monthly_costs_of(tx, 77, now=NOW)
    costs = [(one.id, one.millicredits_in_chat, one.millicredits_elsewhere) for one in everybody]
    assert costs == [
        (-9, 10_000, 0), (2, 0, 8_000), (1, 2_000, 2_000), (-8, 2_500, 0), (4, 0, 0), (3, 0, 0),
    ]  # fmt: skip
    assert [one for page in pages for one in page] == everybody
    assert group == everybody[0]
    assert group.millicredits_by_kind == {"stories": 10_000}
    assert group.by_person == ((2, "Bea", 8_000), (1, "1", 2_000))
    assert (unknown.name, unknown.millicredits_in_chat, unknown.entry) == ("77", 0, None)


async def test_of_a_group_the_five_dearest_members_are_shown_since_the_first(
    sqlite_db: Database,
) -> None:
    first = datetime(2026, 4, 1, tzinfo=UTC)
    for member in range(1, 8):
        await spend(sqlite_db, first, Charge("link", Asker(-9, member)), "two", member)
    last = first - timedelta(milliseconds=1)
    await spend(sqlite_db, last, Charge("link", Asker(-9, 8)), "two", 99)
    async with sqlite_db.begin() as tx:
        await acquaintances.count_day_seen(tx, [7], first.date())
        await acquaintances.update_name(tx, 7, "Gil")
        group = await read_monthly_costs_of(tx, -9, now=NOW)
        [dearest, *_] = await list_guests_by_cost(tx, offset=0, limit=1, now=NOW)
    assert (group.millicredits_in_chat, group.millicredits_elsewhere) == (28_000, 0)
    assert [user for user, _, _ in group.by_person] == [7, 6, 5, 4, 3]
    assert [name for _, name, _ in group.by_person] == ["Gil", "6", "5", "4", "3"]
    assert dearest == group


async def test_a_group_does_not_see_the_name_of_a_hidden_person_or_a_telegram_id(
    db: Database,
) -> None:
    async with db.begin() as tx:
        await chats.add_or_update(tx, -9, kind="supergroup", title="G", now=NOW)
        await chats.set_payer(tx, -9, 7)
        await acquaintances.count_day_seen(tx, [6, 7], NOW.date())
        for person, name in ((6, "Fay"), (7, "Gil")):
            await acquaintances.update_name(tx, person, name)
    for asker in (Asker(-9, None), Asker(-9, None, as_channel=-1005), Asker(-9, 5), Asker(-9, 6)):
        await spend(db, NOW, Charge("stories", asker), "two", 2)
    async with db.begin() as tx:
        group = await read_monthly_costs_of(tx, -9, now=NOW)
    assert (group.millicredits_in_chat, group.by_member) == (8_000, (("Fay", 2_000),))
    assert group.by_person[0] == (7, "Gil", 4_000)  # the owner sees who is billed


async def test_a_page_is_read_where_more_chats_cost_something_than_a_statement_takes(
    db: Database,
) -> None:
    rows = [
        {
            "chat_id": number,
            "day": NOW.date(),
            "items": 0,
            "millicredits": number,
        }
        for number in range(1, MORE_THAN_A_STATEMENT_TAKES + 1)
    ]
    async with db.begin() as tx:
        await tx.execute(sa.insert(usage_days), rows)
        last = await list_guests_by_cost(
            tx, offset=MORE_THAN_A_STATEMENT_TAKES - 2, limit=8, now=NOW
        )
    assert [one.id for one in last] == [2, 1]


async def test_a_page_reads_the_blocks_of_all_groups_at_once(db: Database) -> None:
    async with db.begin() as tx:
        for group, payer in ((-1, 7), (-2, 8), (-3, None), (-4, 8)):
            await chats.add_or_update(tx, group, kind="group", title="", now=NOW)
            await chats.set_payer(tx, group, payer)
        for group, adder in ((-3, "7"), (-4, "7"), (-5, "7"), (-6, "8")):
            subject = Subject("chat", str(group))
            await access.put(tx, subject, now=NOW, is_allowed=True, via="added", added_by=adder)
        for group in (-1, -2):
            await usage.add(tx, [(group, usage.Use(millicredits=1))], day=NOW.date())
        await access.put(tx, Subject("person", "7"), now=NOW, blocked_since=NOW)
        await access.put(tx, Subject("profile", "natgeo"), now=NOW, blocked_since=NOW)
        with recorded_statements() as of_one:
            await read_monthly_costs_of(tx, -1, now=NOW)
        with recorded_statements() as of_page:
            found = await list_guests_by_cost(tx, offset=0, limit=100, now=NOW)
    assert {one.id for one in found if one.is_silenced} == {-1, -3, -5}
    assert {one.id for one in found if not one.is_silenced} == {7, -2, -4, -6}
    assert 0 < len(of_page) <= len(of_one) + 1  # the page itself
