"""The soak in small, and the mistakes that `make soak` must find."""

import itertools
import math
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sandbox.instagram import Story
from sandbox.requestlog import RequestLog
from sandbox.state import Sandbox
from sandbox.telegram.call import METHODS
from tests.flows.test_summaries import SETTINGS, summary_at_its_hour
from tests.soak import answers, invariants, promises, summaries
from tests.soak.command import violations_by_plant
from tests.soak.expected import DAY, HOUR, Span, Terms, due
from tests.soak.fans import Fans
from tests.soak.journal import Journal, Row, pk_of
from tests.soak.people import People, Place
from tests.soak.plants import (
    FOUND_BY,
    PLANTS,
    TOGETHER,
    WHERE_FEATURES_MEET,
    WHERE_PEOPLE_ASK,
    groups,
    planted,
)
from tests.soak.unknown import FIELDS, SentFile, is_unknown, watch_sends
from tests.support.control import wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import NO_CHECKS, buttons, storybell

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PLANTS)
def test_a_plant_takes_the_place_of_something_and_is_taken_out_again(name: str) -> None:
    swaps = PLANTS[name]()
    before = [getattr(where, what) for where, what, _ in swaps]
    with planted(name):
        assert all(
            getattr(where, what) is not had
            for (where, what, _), had in zip(swaps, before, strict=True)
        )
    assert [getattr(where, what) for where, what, _ in swaps] == before


@pytest.mark.parametrize("name", PLANTS)
def test_a_plant_says_which_invariants_find_it(name: str) -> None:
    assert FOUND_BY[name]
    judges = (invariants, promises, summaries, answers)
    known = {name for one in judges for name in vars(one)} | {invariants.LEDGER}
    assert known.issuperset(FOUND_BY[name])


def test_each_plant_is_in_one_group() -> None:
    assert sorted(itertools.chain.from_iterable(groups())) == sorted(PLANTS)


@pytest.mark.parametrize("names", TOGETHER)
def test_plants_of_a_group_are_found_in_the_same_runs_by_different_invariants(
    names: tuple[str, ...],
) -> None:
    finders = [one for name in names for one in FOUND_BY[name]]
    assert len(finders) == len(set(finders))
    assert len({(name in WHERE_PEOPLE_ASK, WHERE_FEATURES_MEET.get(name)) for name in names}) == 1


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_rough_hours_of_three_seeds_violate_nothing() -> None:
    """Some three minutes of CPU; the weeks are for ``make soak``."""
    words = ["-m", "tests.soak", "--rough", "--seeds", "3", "--at-once", "1"]
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert done.stdout.splitlines()[-1].startswith("soak: 3 seeds, ")
    assert done.stdout.splitlines()[-1].endswith(" 0 violations")


MORNING = datetime(2026, 3, 7, 6, 0, tzinfo=UTC).timestamp()  # 7:00 in Berlin
AT_NINE = Terms(zone="Europe/Berlin", summary=540)


def _always(terms: Terms | None) -> Span:
    return Span(MORNING - 9 * DAY, MORNING + 9 * DAY, terms)


@pytest.mark.parametrize(
    ("terms", "posted", "at"),
    [
        (AT_NINE, 0.5, 2),  # in the summary of the same morning
        (AT_NINE, 3.5, 26),  # in that of the next
        (replace(AT_NINE, quiet=(23 * 60, 10 * 60)), 0.5, 3),  # at the end of quiet hours
        (replace(AT_NINE, quiet=(8 * 60, 9 * 60)), 1.5, 2),  # which end with the summary's hour
        (replace(AT_NINE, summary=None), 0.5, 0.75),  # as soon as it was found
        (replace(AT_NINE, summary=None, quiet=(23 * 60, 480)), 0.5, 1),
        (replace(AT_NINE, zone="America/New_York"), 22.5, 31),  # the clocks are put forward
    ],
)  # fmt: skip
def test_a_story_is_expected_at_once_or_with_the_summary_or_after_quiet_hours(
    terms: Terms, posted: float, at: float
) -> None:
    taken = MORNING + posted * HOUR
    found = due(taken, taken + HOUR / 4, [_always(terms)], 60.0)
    assert found is not None
    assert (found.latest - MORNING) / HOUR == at


def test_a_story_that_waits_goes_by_the_hours_that_were_set_last() -> None:
    changed = MORNING + 3 * HOUR
    spans = [
        _always(replace(AT_NINE, summary=1200))._replace(end=changed),
        _always(replace(AT_NINE, summary=720))._replace(begin=changed),
    ]
    found = due(MORNING, MORNING + 600, spans, 60.0)
    assert found is not None
    assert (found.latest - MORNING) / HOUR == 5  # 12:00 in Berlin


@pytest.mark.parametrize(
    ("summary", "at"),
    [(8 * 60, 1.25), (20 * 60, 13)],  # deferred to 9:00, perhaps with the story; at 20:00
)
def test_a_deferred_summary_may_include_a_story_found_in_the_same_quiet_hours(
    summary: int, at: float
) -> None:
    terms = replace(AT_NINE, quiet=(7 * 60, 9 * 60), summary=summary)
    taken = MORNING + 1.25 * HOUR  # 8:15 in Berlin
    spans = [_always(terms)]
    story = cast("Story", SimpleNamespace(taken_at=taken))
    way = promises.Way((1, 0, "star"), story, taken + 60, spans, None)
    earliest = promises._comes_at(way, taken + 600, 60.0)  # noqa: SLF001 - a pure decision
    assert earliest is not None
    assert (earliest - MORNING) / HOUR == at


def test_a_story_that_no_check_has_found_is_not_due_in_quiet_hours() -> None:
    nights = _always(replace(AT_NINE, summary=None, quiet=(0, 480)))
    assert due(MORNING, math.inf, [nights], 60.0) is None


def test_a_kind_of_button_that_nobody_ever_finds_is_a_violation() -> None:
    journal = Journal(cast("Sandbox", SimpleNamespace(log=RequestLog())))
    for _ in range(invariants.SOUGHT_OFTEN):
        journal.note_button("renamed:7", is_found=False)
        journal.note_button("undo:7", is_found=False)
        journal.note_button("opt:7:pause:undone", is_found=False)
        journal.note_button("rare:7", is_found=False)
    journal.note_button("undo:8", is_found=True)
    journal.note_button("opt:7:pause", is_found=True)
    journal.sought["rare:#"] -= 1
    assert invariants.every_button_was_found(journal) == [
        "20 times nobody found a button opt:#:pause:undone",
        "20 times nobody found a button renamed:#",
    ]


def test_an_invariant_that_is_violated_without_plants_finds_no_plant() -> None:
    order, rules = "stories_came_in_order: 1 2", "rules_decided: 3"
    names = ["disorder", "ignored-rules", "lost-replies"]
    assert violations_by_plant(names, [order, rules], []) == {
        "disorder": order,
        "ignored-rules": rules,
    }
    assert violations_by_plant(names, [order, rules], ["rules_decided: 4"]) == {"disorder": order}


@pytest.mark.parametrize("is_undone", [True, False])
def test_only_undo_restores_ended_deliveries(is_undone: bool) -> None:
    ended, back = MORNING + HOUR / 2, MORNING + HOUR
    spans = [
        _always(AT_NINE)._replace(end=ended),
        Span(ended, back, None, is_undone=is_undone),
        _always(AT_NINE)._replace(begin=back),
    ]
    found = due(MORNING, MORNING + 60, spans, 60.0)
    assert (found is not None) == is_undone
    assert found is None or (found.latest - MORNING) / HOUR == 2


@pytest.mark.parametrize("is_late", [True, False])
def test_undo_restores_no_delivery_of_an_expired_story(is_late: bool) -> None:
    ended, back = MORNING + HOUR, MORNING + DAY + (HOUR if is_late else -HOUR)
    terms = Terms("UTC", None, None)
    spans = [
        _always(terms)._replace(end=ended),
        Span(ended, back, None, is_undone=True),
        _always(terms)._replace(begin=back),
    ]
    found = due(ended + 60 - HOUR, ended + 2 * HOUR, spans, 60.0)
    assert (found is None) == is_late


@pytest.mark.parametrize(
    ("price", "reply", "is_paid"),
    [(1, 0, True), (2, 0, False), (1, 5, True), (1, 10, False)],
)
async def test_checks_before_summaries_cost_the_present_price_and_leave_credits_for_replies(
    price: int, reply: int, is_paid: bool
) -> None:
    async with sandbox_box() as box:
        journal = Journal(box.parts)  # 320 credits a day
        midnight = MORNING // DAY * DAY
        for number in range(8):
            journal.terms[1, 0, str(number)] = [(0.0, Terms(summary=0))]
        looked = [midnight - HOUR + 60 * number for number in range(8)]
        journal.looked_at = looked
        journal.bills = [(midnight - 20 * HOUR, 303 - 8 * price)]
        journal.bills += [(at, price) for at in looked]
        journal.replies = [(midnight - 1.5 * DAY, 40), (midnight - DAY - HOUR / 2, reply)]
        assert promises.Ways(journal).can_pay(midnight) == is_paid


async def test_a_person_who_has_blocked_the_bot_writes_nothing(tmp_path: Path) -> None:
    async with storybell(tmp_path, **NO_CHECKS) as bell:
        control, bot = bell.control, bell.box.parts.telegram.world.bot.id
        ann = await control.person()
        journal = Journal(bell.box.parts)
        people = People(control, journal, seed=1)
        place = Place(ann, "private", ann, [ann])
        await people.write(place, ann, "/help")
        await control.member(ann, bot, "kicked")
        await people.write(place, ann, "/settings")
        await control.member(ann, bot, "member")
        await people.write(place, ann, "/start")
        assert [one.text for one in journal.asked] == ["/help", "/start"]


@pytest.mark.jumps
@pytest.mark.parametrize("kind", ["private", "group", "channel"])
async def test_a_person_of_the_soak_who_wants_files_finds_the_button(
    tmp_path: Path, kind: str
) -> None:
    async with storybell(tmp_path, **NO_CHECKS) as bell:
        control, times = bell.control, 6
        await control.profile("posted", posts_per_day=0)
        for _ in range(2):
            await control.publish("posted")
        ann = chat = await control.person()
        if kind != "private":
            chat = await control.chat(kind, members={ann: "creator"}, bot_status="administrator")
        journal = Journal(bell.box.parts)
        people = People(control, journal, seed=1)
        people.names.append("posted")
        fans = Fans(people, control, journal, 1)
        await bell.ask(ann, "/help")
        for _ in range(times):
            await fans.want_files(Place(chat, kind, ann, [ann]))
            await bell.settled()
        sent = [one for one in await control.replies(chat) if "document" in one]
        # A channel has no such button.
        found = 0 if kind == "channel" else times
        assert journal.pressed == journal.sought
        assert journal.pressed["files:"] + journal.pressed["files:@"] == found
        assert bool(sent) == (kind != "channel")


async def test_a_chat_that_returns_between_two_reads_has_restarted_its_alerts(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **NO_CHECKS) as bell:
        control, bot = bell.control, bell.box.parts.telegram.world.bot.id
        await control.profile("returned", posts_per_day=0)
        ann = await control.person()
        await bell.ask(ann, "/subscribe returned")
        journal = Journal(bell.box.parts)
        for _ in range(2):
            journal.read_terms(tmp_path / "bot.db")
        for status in ("kicked", "member"):
            await control.member(ann, bot, status)
            await bell.settled()
        journal.read_terms(tmp_path / "bot.db")
        (spans,) = journal.spans().values()
        assert [one.terms and one.terms.is_open for one in spans] == [True, False, True]
        begin, end = spans[0].begin, spans[1].end
        before = [spans[0]._replace(begin=begin - DAY), *spans[1:]]
        assert due(begin - HOUR, end + HOUR, before, 60.0) is None
        assert due(end + HOUR, end + 2 * HOUR, before, 60.0) is not None


async def test_a_story_that_rules_excluded_is_explained_after_the_end_of_its_subscription(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, poll_floor_s=1) as bell:
        control, parts = bell.control, bell.box.parts
        await control.profile("excluded", posts_per_day=0)
        ann = await control.person()
        await bell.ask(ann, "/subscribe excluded")
        await bell.ask(ann, "/rules excluded only: #sale")
        pk = str((await control.publish("excluded"))["pk"])
        journal = Journal(parts)

        def row() -> Row | None:
            journal.read_tables(tmp_path / "bot.db")
            return next((one for one in journal.rows.values() if one.pk == pk and one.done), None)

        before = await wait_for(row, what="the decision")
        assert before.reason.startswith(invariants.FILTERED)
        await bell.ask(ann, "/unsubscribe excluded")
        after = row()
        assert after is not None
        assert (after.sub, after.reason) == (before.sub, before.reason)
        assert not journal.followed
        profile = parts.instagram.by_username("excluded")
        assert profile is not None
        journal.stories = {one.pk: one for one in profile.stories}
        assert invariants.rules_decided(journal) == []
        assert before.sub is not None
        (_, options), *_ = journal.options[before.sub]
        journal.options[before.sub] = [(0.0, {**options, "only": ""})]
        journal.asked.clear()
        assert len(invariants.rules_decided(journal)) == 1


@pytest.mark.parametrize("is_away", [True, False])
async def test_undo_after_a_return_of_the_bot_restores_no_story_of_the_absence(
    tmp_path: Path, is_away: bool
) -> None:
    async with storybell(tmp_path, **NO_CHECKS) as bell:
        control, bot = bell.control, bell.box.parts.telegram.world.bot.id
        await control.profile("absence", posts_per_day=0)
        ann = await control.person()
        await bell.ask(ann, "/subscribe absence")
        journal = Journal(bell.box.parts)
        journal.read_terms(tmp_path / "bot.db")
        (page,) = await bell.ask(ann, "/unsubscribe absence")
        for _ in range(2):
            journal.read_terms(tmp_path / "bot.db")
        for status in ("kicked", "member") if is_away else ():
            await control.member(ann, bot, status)
            await bell.settled()
        await bell.press(ann, page, buttons(page)["↩️ Undo"])
        journal.read_terms(tmp_path / "bot.db")
        (spans,) = journal.spans().values()
        is_open = [one.terms and one.terms.is_open for one in spans]
        assert is_open == ([True, None, False, True] if is_away else [True, None, True])
        ended = spans[1]._replace(begin=spans[1].begin - HOUR, is_undone=True)
        spans = [spans[0]._replace(begin=ended.begin - DAY, end=ended.begin), ended, *spans[2:]]
        found = due(ended.begin + HOUR / 2, ended.begin + HOUR / 2, spans, 60.0)
        assert (found is None) == is_away


@pytest.mark.parametrize(
    ("sources", "took", "wait", "unknown"),
    [
        (["url", "file_id"], 0, 40, True),
        (["upload", "upload"], 0, 40, True),
        (["file_id", "file_id"], 0, 40, False),
        (["url"], 0, 40, False),
        (["url"], 7.5, 8, True),
        (["url"], 7.5, 9, False),
    ],
)
def test_a_429_leaves_the_outcome_of_a_new_album_or_a_late_answer_unknown(
    sources: list[str], took: float, wait: int, unknown: bool
) -> None:
    assert is_unknown([SentFile("1", one) for one in sources], took, wait) == unknown


@pytest.mark.jumps
@pytest.mark.parametrize(("count", "is_silent"), [(2, True), (1, False)])
async def test_only_the_repeat_of_a_new_album_that_was_flooded_may_be_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, is_silent: bool
) -> None:
    for name in FIELDS:
        monkeypatch.setitem(METHODS, name, METHODS[name])  # which puts it back in the end
    async with storybell(tmp_path, poll_floor_s=20) as bell:
        parts, control = bell.box.parts, bell.control
        journal = Journal(parts)
        watch_sends(parts.cdn, journal.unknown_sends.append)
        await control.profile("flooded", posts_per_day=0)
        ann = await control.person()
        await bell.ask(ann, "/subscribe flooded")
        await control.limits(preset="documented", per_chat_burst=0)
        pks = [str((await control.publish("flooded"))["pk"]) for _ in range(count)]
        await control.wait_flood(path="", within=1200)
        await control.limits(preset="off")

        async def are_there() -> bool:
            return set(pks) <= set(await control.shown(ann))

        await wait_for(are_there, 1200, "all stories")
        messages = journal.messages()[ann]
        assert [one.is_silent for one in journal.alerts(messages)] == [is_silent] * count

        profile = parts.instagram.by_username("flooded")
        assert profile is not None
        journal.terms[ann, 0, profile.pk] = [(0.0, Terms())]
        journal.stories = {one.pk: one for one in profile.stories}
        assert promises.alerts_rang_as_asked(promises.Ways(journal)) == []
        journal.unknown_sends.clear()
        unexplained = promises.alerts_rang_as_asked(promises.Ways(journal))
        assert len(unexplained) == count * is_silent


@pytest.mark.slow
@pytest.mark.jumps
async def test_a_story_of_a_summary_may_be_silent_only_after_the_list(tmp_path: Path) -> None:
    async with storybell(tmp_path, **SETTINGS) as bell:
        ann, posted = await summary_at_its_hour(bell, {"first.one": 1, "second.one": 1})
        journal = Journal(bell.box.parts)
        for name in ("first.one", "second.one"):
            profile = bell.box.parts.instagram.by_username(name)
            assert profile is not None
            journal.terms[ann, 0, profile.pk] = [(0.0, Terms(summary=10 * 60 + 35))]
            journal.stories |= {one.pk: one for one in profile.stories}
        assert journal.stories.keys() == set(posted)
        assert promises.alerts_rang_as_asked(promises.Ways(journal)) == []
        assert promises.summaries_rang_once(promises.Ways(journal)) == []
        (summary,) = journal.summaries(ann, 0)
        summary.is_silent = True
        assert len(promises.summaries_rang_once(promises.Ways(journal))) == 1
        del summary.chat.messages[summary.id]
        assert len(promises.alerts_rang_as_asked(promises.Ways(journal))) == len(posted)


async def test_an_export_with_the_number_of_an_alert_of_the_old_group_is_no_alert(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, poll_floor_s=1) as bell:
        control, parts = bell.control, bell.box.parts
        await control.profile("numbered", posts_per_day=0)
        ann = await control.person()
        group = await control.chat("group", members={ann: "creator"}, bot_status="left")
        added = {"status": "administrator", "by": ann}
        await control.call("PUT", f"/chats/{group}/members/bot", added)
        await control.wait_replies(group)
        await bell.ask(group, "/subscribe numbered", user=ann)
        pk = str((await control.publish("numbered"))["pk"])
        await control.wait_shown(group, [pk])
        alert = (await control.replies(group))[-1]["message_id"]
        moved = await control.migrate(group)
        number = 0
        while number < alert:
            (export,) = await bell.ask(moved, "/export", user=ann)
            number = export["message_id"]
        messages = Journal(parts).messages()[moved]
        assert {one.id for one in messages if one.media is not None} >= {alert}
        assert [pk_of(one) for one in Journal(parts).alerts(messages)] == [pk]
