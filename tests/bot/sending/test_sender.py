"""Albums out, against the sandbox: the ways, the bad items, upload once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import (
    BUDGET_SPENT,
    MEDIA_GONE,
    ApiUnavailableError,
    DatabaseUnavailableError,
    MediaError,
    MediaTooBigError,
    SpendingError,
    StoryGoneError,
)
from bot.domain.model import (
    Album,
    Asker,
    Moved,
    Outcome,
    PermanentFailure,
    Sent,
    Story,
    Target,
    TryLater,
)
from bot.media.spool import MediaFile
from bot.sending.sender import SendOptions
from bot.store.engine.database import Database
from bot.telegram.calls import Calls
from bot.telegram.rate_limiter import Pacing
from bot.telegram.request import Timeouts
from tests.support.control import flood, refused, wait_for
from tests.support.followed import HOUR, MINUTE, Clock
from tests.support.telegram import Bench, bench, story_of, utc_now

ALBUM = 10
SECOND = timedelta(seconds=1)
Made = tuple[Bench, int]


@asynccontextmanager
async def made(db: Database, folder: Path, **options: Any) -> AsyncIterator[Made]:
    """Yield a bench and a person who has begun to talk to the bot."""
    async with bench(db, folder / "spool", **options) as ours:
        ann = await ours.control.person(started=True)
        yield ours, ann


@pytest.fixture
async def ready(sqlite_db: Database, tmp_path: Path) -> AsyncIterator[Made]:
    async with made(sqlite_db, tmp_path) as ours:
        yield ours


def pks(album: Album) -> list[str]:
    return [story.pk for story in album.stories]


def without_file(ours: Bench, story: Story) -> Story:
    """Return a story whose URL leads to no file."""
    return replace(story, media_url=f"{ours.box.urls.cdn}/gone.jpg?oe=1")


async def fetch_first(ours: Bench, album: Album) -> MediaFile:
    """Download the file of the first story of an album."""
    return await ours.media.fetch(album.stories[0].media_url or "", max_bytes=10**7)


async def send_alert(ours: Bench, chat_id: int, album: Album) -> Outcome:
    """Send an album to a chat as an alert."""
    return await ours.sender.send_album_and_buy_missing_files(
        Target(chat_id), album, calls=ours.as_alert
    )


async def test_an_album_goes_by_url_first_and_by_file_id_ever_after(ready: Made) -> None:
    ours, ann = ready
    album = await ours.album(3, videos=frozenset({1}))
    first = await ours.sender.send_album_and_buy_missing_files(
        Target(ann), album, caption_html="<b>hi</b>"
    )
    again = await ours.sender.send_album_and_buy_missing_files(Target(ann), album)
    assert isinstance(first, Sent)
    assert isinstance(again, Sent)
    assert [item.pk for item in first.items] == pks(album)
    assert all(item.message_id for item in first.items)
    sources = await ours.sources(ann)
    assert sources == [(pk, "url") for pk in pks(album)] + [(pk, "file_id") for pk in pks(album)]
    shown = await ours.control.replies(ann)
    assert [message.get("caption") for message in shown] == ["hi", *[None] * 5]
    assert len({message["media_group_id"] for message in shown[:3]}) == 1


async def test_a_single_item_is_no_album_and_may_carry_buttons(ready: Made) -> None:
    ours, ann = ready
    album = await ours.album(1, videos=frozenset({0}))
    options = SendOptions(silent=True, spoiler=True, protect=True)
    outcome = await ours.sender.send_album_and_buy_missing_files(
        Target(ann), album, options=options
    )
    assert isinstance(outcome, Sent)
    (message,) = await ours.control.replies(ann)
    assert "media_group_id" not in message
    assert message["video"]
    assert message["has_protected_content"]
    assert message["has_media_spoiler"]


async def test_what_telegram_cannot_fetch_is_uploaded_with_its_measures(ready: Made) -> None:
    ours, ann = ready
    album = await ours.album(2, videos=frozenset({0}))
    refusal = refused("failed to get HTTP URL content")
    await ours.control.fault("telegram", refusal, match="sendMediaGroup")
    outcome = await ours.sender.send_album_and_buy_missing_files(Target(ann), album)
    assert isinstance(outcome, Sent)
    assert not outcome.failed
    assert await ours.sources(ann) == [(pk, "upload") for pk in pks(album)]
    video = (await ours.control.replies(ann))[0]["video"]
    assert video["width"]
    assert video["height"]
    assert video["duration"]
    assert ours.spool.used == 0


@pytest.mark.parametrize("bad", [1, 2, 5, ALBUM])
@pytest.mark.parametrize("word", ["PHOTO_INVALID_DIMENSIONS", "WEBPAGE_MEDIA_EMPTY"])
async def test_one_bad_item_costs_no_other(ready: Made, bad: int, word: str) -> None:
    ours, ann = ready
    album = await ours.album(ALBUM)
    fault = {"fail_item": bad, "description": word}
    await ours.control.fault("telegram", fault, match="sendMediaGroup")
    outcome = await ours.sender.send_album_and_buy_missing_files(
        Target(ann), album, caption_html="one"
    )
    assert isinstance(outcome, Sent)
    assert not outcome.failed
    assert {item.pk for item in outcome.items} == set(pks(album))
    there = [pk for pk, _ in await ours.sources(ann)]
    assert set(there) == set(pks(album))
    assert sorted(there) == sorted(pks(album))  # once each
    shown = await ours.control.replies(ann)
    assert [message.get("caption") for message in shown] == ["one", *[None] * (ALBUM - 1)]
    groups = [message.get("media_group_id") for message in shown]
    alone = [pk for pk, group in zip(there, groups, strict=True) if group is None]
    assert alone == ([pks(album)[bad - 1]] if word == "PHOTO_INVALID_DIMENSIONS" else [])
    assert len(set(groups) - {None}) == 1


async def test_one_medium_that_telegram_cannot_fetch_stops_no_other_address(ready: Made) -> None:
    ours, ann = ready
    word = "Wrong file identifier/HTTP URL specified"
    await ours.control.fault(
        "telegram", {"fail_item": 2, "description": word}, match="sendMediaGroup"
    )
    first, second = await ours.album(3), await ours.album(2)
    await ours.sender.send_album_and_buy_missing_files(Target(ann), first)
    await ours.sender.send_album_and_buy_missing_files(Target(ann), second)
    ways = [source for _, source in await ours.sources(ann)]
    assert ways == ["upload"] * 3 + ["url"] * 2


async def test_an_address_that_was_refused_is_not_tried_again_after_a_flood(ready: Made) -> None:
    ours, ann = ready
    word = "Wrong file identifier/HTTP URL specified"
    wrong = {"fail_item": 1, "description": word}
    await ours.control.fault("telegram", wrong, match="sendMediaGroup")
    await ours.control.fault("telegram", flood(8), match="sendMediaGroup")
    album = await ours.album(3)
    outcome = await send_alert(ours, ann, album)
    assert isinstance(outcome, TryLater)
    again = await send_alert(ours, ann, album)
    assert isinstance(again, Sent)
    assert (pks(album)[0], "upload") in await ours.sources(ann)
    assert await statuses(ours) == [400, 429, 200]


async def refuse_oddly(ours: Bench, match: str) -> None:
    """Let Telegram refuse for long, in words that nobody knows, with another number each time."""
    for number in range(30):
        odd = refused(f"SOMETHING_ODD_{number}")
        await ours.control.fault("telegram", odd, match=match)


async def test_what_three_chats_refuse_in_the_same_unknown_words_waits_in_all(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock, told = Clock(utc_now()), list[str]()

    async def tell(words: str) -> None:
        told.append(words)

    async with made(sqlite_db, tmp_path, now=clock, tell=tell) as (ours, ann):
        album = await ours.album(1)
        people = [ann, *[await ours.control.person() for _ in range(3)]]
        for person in people[1:]:
            await ours.control.say(person, "/start")
        await refuse_oddly(ours, "sendPhoto")
        calls = []
        for person in people:
            outcome = await send_alert(ours, person, album)
            assert isinstance(outcome, TryLater)
            assert not outcome.failed
            calls.append(len(await ours.control.requests("telegram", path="sendPhoto")))
        assert calls == [2, 3, 4, 4]  # by its address, as an upload each; then it is not tried
        assert ours.bought == []
        assert told == ["something_odd_1"]
        clock.on(15 * MINUTE)
        await send_alert(ours, people[3], album)
        await send_alert(ours, ann, album)
        assert len(await ours.control.requests("telegram", path="sendPhoto")) == 5  # by one chat
        await ours.control.clear_faults()
        clock.on(15 * MINUTE)
        for person in people:
            assert isinstance(
                await send_alert(ours, person, album),
                Sent,
            )


async def test_a_chat_that_refuses_all_in_unknown_words_is_not_asked_about_each_story(
    ready: Made,
) -> None:
    ours, ann = ready
    album = await ours.album(ALBUM)
    await refuse_oddly(ours, "send")
    outcome = await send_alert(ours, ann, album)
    assert isinstance(outcome, TryLater)
    assert not outcome.failed
    assert len(await ours.control.requests("telegram", path="send")) < ALBUM
    assert ours.bought == []


async def test_buttons_that_are_refused_are_left_out(ready: Made) -> None:
    ours, ann = ready
    album = await ours.album(1)
    await ours.control.fault("telegram", refused("BUTTON_URL_INVALID"), match="sendPhoto")
    options = SendOptions(buttons=[[{"text": "x", "url": "https://x.org/"}]])
    outcome = await ours.sender.send_album_and_buy_missing_files(
        Target(ann), album, options=options, calls=ours.as_alert
    )
    assert isinstance(outcome, Sent)
    assert not outcome.failed
    assert await ours.sources(ann) == [(pks(album)[0], "url")]


async def test_a_chat_that_is_full_costs_nobody_the_address(
    sqlite_db: Database, tmp_path: Path
) -> None:
    async with made(sqlite_db, tmp_path, limiter=Pacing()) as (ours, ann):
        bea = await ours.control.person("Bea", started=True)
        album = await ours.album(3)
        await ours.control.fault("telegram", flood(60), match="sendPhoto")
        full = await send_alert(ours, ann, await ours.album(1))
        assert isinstance(full, TryLater)
        assert isinstance(
            await send_alert(ours, ann, album),
            TryLater,
        )
        await send_alert(ours, bea, album)
        assert [source for _, source in await ours.sources(bea)] == ["url"] * 3


@pytest.mark.parametrize("why", ["bought lately", "the API is down", "the budget is spent"])
async def test_an_alert_whose_file_cannot_be_bought_now_comes_again(
    sqlite_db: Database, tmp_path: Path, why: str
) -> None:
    errors = {
        "the API is down": ApiUnavailableError(),
        "the budget is spent": SpendingError(text=BUDGET_SPENT),
    }

    async def buy(_: Story, __: Asker) -> MediaFile:
        if why in errors:
            raise errors[why]
        return await fetch_first(ours, spare)

    async with made(sqlite_db, tmp_path, fallback=buy) as (ours, ann):
        spare, album = await ours.album(1), await ours.album(1)
        gone = without_file(ours, album.stories[0])
        await ours.control.fault("telegram", flood(8), match="sendPhoto")
        for _ in range(2):
            outcome = await send_alert(ours, ann, Album((gone,)))
            assert isinstance(outcome, TryLater)
        person = await ours.sender.send_album_and_buy_missing_files(Target(ann), Album((gone,)))
        if why in errors:  # who asks hears it now
            assert isinstance(person, Sent)
            assert list(person.failed) == [gone.pk]


async def test_an_alert_that_could_not_be_paid_is_bought_as_soon_as_it_can_be(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock = Clock(utc_now())
    errors: list[Exception] = [SpendingError(text=BUDGET_SPENT)]

    async def buy(_: Story, __: Asker) -> MediaFile:
        if errors:
            raise errors.pop()
        return await fetch_first(ours, spare)

    async with made(sqlite_db, tmp_path, fallback=buy, now=clock) as (ours, ann):
        spare, album = await ours.album(1), await ours.album(1)
        gone = without_file(ours, album.stories[0])
        outcome = await send_alert(ours, ann, Album((gone,)))
        assert isinstance(outcome, TryLater)
        clock.on(MINUTE)
        again = await send_alert(ours, ann, Album((gone,)))
        assert isinstance(again, Sent)
        assert not again.failed


@pytest.mark.parametrize(
    ("error", "waits"), [(MediaError("no picture"), True), (MediaTooBigError(), False)]
)
async def test_an_alert_whose_purchase_another_file_prevented_is_bought_soon(
    sqlite_db: Database, tmp_path: Path, error: MediaError, *, waits: bool
) -> None:
    clock = Clock(utc_now())
    errors: list[MediaError] = [error]

    async def buy(_: Story, __: Asker) -> MediaFile:
        if errors:
            raise errors.pop()
        return await fetch_first(ours, spare)

    async with made(sqlite_db, tmp_path, fallback=buy, now=clock) as (ours, ann):
        spare, two = await ours.album(1), await ours.album(2)
        first, second = (Album((without_file(ours, one),)) for one in two.stories)
        await send_alert(ours, ann, first)
        outcome = await send_alert(ours, ann, second)
        assert isinstance(outcome, TryLater) == waits
        clock.on(timedelta(minutes=11))
        if waits:
            outcome = await send_alert(ours, ann, second)
        assert isinstance(outcome, Sent)
        assert not outcome.failed


async def test_after_a_gone_story_an_alert_buys_another_file_of_the_profile_3_hours_later(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock = Clock(utc_now())
    bought: list[str] = []

    async def buy(story: Story, _: Asker) -> MediaFile:
        bought.append(story.pk)
        if story.pk == first.stories[0].pk:
            raise StoryGoneError
        return await fetch_first(ours, spare)

    async with made(sqlite_db, tmp_path, fallback=buy, now=clock) as (ours, ann):
        spare, three = await ours.album(1), await ours.album(3)
        lost = [without_file(ours, one) for one in three.stories]
        first, second, third = (Album((one,)) for one in lost)
        outcome = await send_alert(ours, ann, first)
        assert isinstance(outcome, Sent)
        assert list(outcome.failed) == [lost[0].pk]
        assert isinstance(await send_alert(ours, ann, second), TryLater)
        # The limit does not apply to a person, who pays for the purchase.
        reply = await ours.sender.send_album_and_buy_missing_files(
            Target(ann), third, asker=Asker(ann)
        )
        assert isinstance(reply, Sent)
        assert not reply.failed
        clock.on(3 * HOUR)
        alert = await send_alert(ours, ann, second)
        assert isinstance(alert, Sent)
        assert not alert.failed
        assert bought == [lost[0].pk, lost[2].pk, lost[1].pk]


@pytest.mark.parametrize("is_served_again", [False, True])
async def test_a_story_that_the_api_refuses_each_hour_does_not_prevent_other_purchases(
    sqlite_db: Database, tmp_path: Path, *, is_served_again: bool
) -> None:
    clock = Clock(utc_now())
    bought: list[str] = []

    async def buy(story: Story, _: Asker) -> MediaFile:
        bought.append(story.pk)
        if story.pk == lost[0].pk and not (is_served_again and len(bought) > 1):
            raise ApiUnavailableError(credits=1)
        return await fetch_first(ours, spare)

    async with made(sqlite_db, tmp_path, fallback=buy, now=clock) as (ours, ann):
        spare, two = await ours.album(1), await ours.album(2)
        lost = [without_file(ours, one) for one in two.stories]
        refused, other = (Album((one,)) for one in lost)
        assert isinstance(await send_alert(ours, ann, refused), TryLater)
        if is_served_again:
            clock.on(HOUR)
            assert isinstance(await send_alert(ours, ann, refused), Sent)
            clock.on(timedelta(minutes=15))  # the success counts for 10 minutes
        else:
            for _ in range(2):
                clock.on(HOUR)
                assert isinstance(await send_alert(ours, ann, refused), TryLater)
                assert isinstance(await send_alert(ours, ann, other), TryLater)
            clock.on(HOUR)
        assert isinstance(await send_alert(ours, ann, other), Sent)
        assert bought == [lost[0].pk] * (2 if is_served_again else 3) + [lost[1].pk]


async def test_what_no_host_answers_for_and_the_api_calls_gone_twice_ends(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock = Clock(utc_now())
    bought: list[str] = []

    async def buy(story: Story, _: Asker) -> MediaFile:
        bought.append(story.pk)
        raise StoryGoneError

    async with made(sqlite_db, tmp_path, fallback=buy, now=clock) as (ours, ann):
        album = await ours.album(1)
        await ours.control.fault("telegram", refused("WEBPAGE_CURL_FAILED"), match="sendPhoto")
        await ours.control.fault("cdn", {"status": 503}, times=None)
        outcome = await send_alert(ours, ann, album)
        assert isinstance(outcome, TryLater)
        for wait in (HOUR, 2 * HOUR, 6 * HOUR):
            clock.on(wait)
            outcome = await send_alert(ours, ann, album)
            assert isinstance(outcome, Sent)
            assert outcome.failed == {album.stories[0].pk: MEDIA_GONE}
        assert len(bought) == 2


async def test_of_an_album_what_is_gone_ends_though_another_may_still_come(ready: Made) -> None:
    ours, ann = ready
    album = await ours.album(3)
    gone = without_file(ours, album.stories[1])
    album = Album((album.stories[0], gone, album.stories[2]))
    wrong = {"fail_item": 2, "description": "WEBPAGE_CURL_FAILED"}
    await ours.control.fault("telegram", wrong, match="sendMediaGroup")
    away = (album.stories[2].media_url or "").partition("?")[0].rpartition("/")[2]
    await ours.control.fault("cdn", {"status": 503}, match=away, times=None)
    outcome = await send_alert(ours, ann, album)
    assert isinstance(outcome, TryLater)
    assert [item.pk for item in outcome.items] == [album.stories[0].pk]
    assert list(outcome.failed) == [gone.pk]


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 400, "description": "Bad Request: group chat was upgraded"},
        {"status": 400, "description": "Bad Request: message thread not found"},
        {"status": 403, "description": "Forbidden: bot was kicked from the group chat"},
    ],
)
async def test_what_arrived_before_a_chat_moved_or_closed_is_known(
    ready: Made, refusal: dict[str, Any]
) -> None:
    ours, ann = ready
    album = await ours.album(3)
    wrong = {"fail_item": 1, "description": "PHOTO_INVALID_DIMENSIONS"}
    await ours.control.fault("telegram", wrong, match="sendMediaGroup")
    body = {"ok": False, "error_code": refusal["status"], "description": refusal["description"]}
    if "upgraded" in refusal["description"]:
        body["parameters"] = {"migrate_to_chat_id": -1007}
    fault = {"status": refusal["status"], "body": body}
    await ours.control.fault("telegram", fault, match="sendDocument")
    outcome = await send_alert(ours, ann, album)
    assert isinstance(outcome, Moved | PermanentFailure)
    assert [item.pk for item in outcome.items] == pks(album)[1:]


async def test_a_sick_host_is_asked_once_for_all_alerts(
    sqlite_db: Database, tmp_path: Path
) -> None:
    clock = Clock(utc_now())
    async with made(sqlite_db, tmp_path, now=clock) as (ours, ann):
        bea = await ours.control.person("Bea", started=True)
        album = await ours.album(1)
        await ours.control.fault("telegram", refused("WEBPAGE_CURL_FAILED"), match="sendPhoto")
        await ours.control.fault("cdn", {"status": 503}, times=None)
        for person in (ann, bea):
            outcome = await send_alert(ours, person, album)
            assert isinstance(outcome, TryLater)
        assert len(await ours.control.requests("cdn")) == 1
        asked = await ours.sender.send_album_and_buy_missing_files(
            Target(bea), album, asker=Asker(bea)
        )
        assert isinstance(asked, Sent)
        assert len(await ours.control.requests("cdn")) == 2
        clock.on(MINUTE)
        await send_alert(ours, ann, album)
        assert len(await ours.control.requests("cdn")) == 3


async def test_an_alert_leaves_its_place_to_others_while_another_is_long_at_its_story(
    db: Database, tmp_path: Path
) -> None:
    clock = Clock(utc_now())
    async with made(db, tmp_path, now=clock) as (ours, ann):
        bea = await ours.control.person("Bea", started=True)
        album = await ours.album(1)
        await ours.control.fault("telegram", refused("WEBPAGE_CURL_FAILED"), match="sendPhoto")
        await ours.control.fault("cdn", {"hang": True}, times=None)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(send_alert(ours, ann, album))
            await wait_for(lambda: ours.control.requests("cdn"))
            clock.on(6 * SECOND)
            async with asyncio.timeout(60):
                outcome = await send_alert(ours, bea, album)
            first.cancel()
        assert outcome == TryLater(reason="another uploads it", upload_age=6 * SECOND)


@pytest.mark.slow
async def test_an_alert_that_has_to_go_another_way_waits_for_its_chat(
    sqlite_db: Database, tmp_path: Path
) -> None:
    async with made(sqlite_db, tmp_path, limiter=Pacing()) as (ours, ann):
        album = await ours.album(7)
        await ours.control.fault("telegram", flood(1), match="sendMediaGroup")
        outcome = await send_alert(ours, ann, album)
        assert isinstance(outcome, TryLater)  # and for an hour the chat takes no more at once
        wrong = {"fail_item": 1, "description": "PHOTO_INVALID_DIMENSIONS"}
        await ours.control.fault("telegram", wrong, match="sendMediaGroup")
        again = await send_alert(ours, ann, album)
        assert isinstance(again, Sent)
        assert await statuses(ours) == [429, 400, 200]


async def statuses(ours: Bench) -> list[int]:
    calls = await ours.control.requests("telegram", path="sendMediaGroup")
    return [call["status"] for call in calls]


async def test_expired_media_are_bought_once_and_the_rest_goes(
    sqlite_db: Database, tmp_path: Path
) -> None:
    bought: list[str] = []

    async def buy(story: Story, asker: Asker) -> MediaFile:
        assert asker.chat_id == 7
        bought.append(story.pk)
        return await fetch_first(ours, spare)

    async with made(sqlite_db, tmp_path, fallback=buy) as (ours, ann):
        spare = await ours.album(1)
        album = await ours.album(3)
        gone = without_file(ours, album.stories[1])
        album = Album((album.stories[0], gone, album.stories[2]))
        outcome = await ours.sender.send_album_and_buy_missing_files(
            Target(ann), album, asker=Asker(7)
        )
        assert isinstance(outcome, Sent)
        assert not outcome.failed
        assert bought == [gone.pk]
        assert len(await ours.control.replies(ann)) == 3
        assert ours.spool.used == 0


async def test_a_database_that_fails_before_a_story_arrives_is_not_held_against_the_album(
    sqlite_db: Database, tmp_path: Path
) -> None:
    async def buy(_: Story, __: Asker) -> MediaFile:
        raise DatabaseUnavailableError("away")

    async with made(sqlite_db, tmp_path, fallback=buy) as (ours, ann):
        album = await ours.album(2)
        gone = without_file(ours, album.stories[1])
        with pytest.raises(DatabaseUnavailableError):  # the outbox counts no attempt
            await ours.sender.send_album_and_buy_missing_files(
                Target(ann), Album((album.stories[0], gone))
            )
        assert await ours.control.replies(ann) == []


async def test_a_database_that_fails_after_a_story_makes_nothing_unknown(ready: Made) -> None:
    ours, ann = ready

    class Counting(Calls):
        requests = 0

        async def before_request(self) -> None:
            self.requests += 1
            if self.requests > 1:
                raise DatabaseUnavailableError("away")

    album = await ours.album(2)
    outcome = await ours.sender.send_album_and_buy_missing_files(
        Target(ann), album, options=SendOptions(one_by_one=True), calls=Counting(ours.bot)
    )
    assert isinstance(outcome, TryLater)
    assert not outcome.unknown
    assert [item.pk for item in outcome.items] == pks(album)[:1]


async def test_what_has_no_way_left_ends_with_a_sentence(ready: Made) -> None:
    ours, ann = ready
    album = await ours.album(3)
    gone = without_file(ours, album.stories[1])
    album = Album((album.stories[0], gone, album.stories[2]))
    outcome = await ours.sender.send_album_and_buy_missing_files(Target(ann), album)
    assert isinstance(outcome, Sent)
    assert outcome.failed == {gone.pk: MEDIA_GONE}
    assert len(await ours.control.replies(ann)) == 2


async def test_a_caption_that_telegram_refuses_goes_plain(ready: Made) -> None:
    ours, ann = ready
    album = await ours.album(2)
    await ours.sender.send_album_and_buy_missing_files(
        Target(ann), album, caption_html="<b>so</b> <nonsense>open"
    )
    long = await ours.sender.send_album_and_buy_missing_files(
        Target(ann), album, caption_html="x" * 2000
    )
    assert isinstance(long, Sent)
    shown = await ours.control.replies(ann)
    assert shown[0]["caption"] == "so open"
    assert len(shown[2]["caption"]) == 1024


async def test_a_stretched_photo_goes_as_a_document(ready: Made) -> None:
    ours, ann = ready
    album = await ours.album(1)
    refusal = refused("PHOTO_INVALID_DIMENSIONS")
    await ours.control.fault("telegram", refusal, match="sendPhoto", times=2)
    outcome = await ours.sender.send_album_and_buy_missing_files(Target(ann), album)
    assert isinstance(outcome, Sent)
    (message,) = await ours.control.replies(ann)
    assert message["document"]
    again = await ours.sender.send_album_and_buy_missing_files(Target(ann), album)
    assert isinstance(again, Sent)
    assert [source for _, source in await ours.sources(ann)] == ["upload", "file_id"]


async def test_a_hanging_server_is_left_in_time(sqlite_db: Database, tmp_path: Path) -> None:
    async with made(sqlite_db, tmp_path, timeouts=Timeouts(media=0.3)) as (ours, ann):
        album = await ours.album(2)
        await ours.control.fault("telegram", {"hang": True}, match="sendMediaGroup")
        outcome = await ours.sender.send_album_and_buy_missing_files(Target(ann), album)
        assert isinstance(outcome, TryLater)
        assert outcome.unknown


async def test_fifty_chats_at_once_cost_one_upload(db: Database, tmp_path: Path) -> None:
    async with bench(db, tmp_path / "spool") as ours:
        people = [await ours.control.person() for _ in range(50)]
        for person in people:
            await ours.control.say(person, "/start")
        album = await ours.album(2)
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(send_alert(ours, person, album))
        sources = [source for person in people for _, source in await ours.sources(person)]
        assert sorted(sources) == ["file_id"] * 98 + ["url"] * 2


async def test_a_video_just_below_the_limit_is_uploaded(ready: Made) -> None:
    ours, ann = ready
    await ours.control.profile("nearly")
    story = story_of(await ours.control.publish("nearly", 2, bytes=52_000_000))
    outcome = await ours.sender.send_album_and_buy_missing_files(Target(ann), Album((story,)))
    assert isinstance(outcome, Sent)
    assert not outcome.failed
    assert await ours.sources(ann) == [(story.pk, "upload")]
