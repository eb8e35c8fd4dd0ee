"""What a chat reads: captions in its own words and time, and what may be a repeat in silence."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.domain import summaries
from bot.domain.model import Album, Outcome, Sent, Target
from bot.domain.options import RULES, Options
from bot.domain.records import Chat, ChatQueue, Delivery
from bot.domain.selection import Batch
from bot.outbox.composer import Alerts
from bot.sending.items import SendOptions
from bot.sending.replies import Payload
from bot.telegram.calls import Calls
from tests.support.followed import HOUR, MINUTE, NOON, Clock, story
from tests.support.preferences import unlike_defaults

CALLS = cast("Calls", None)  # the seam below calls nobody
OPTIONS = Options.__dataclass_fields__
ELSEWHERE = {
    "media": "keeps stories back",
    "digest": "lets them wait",
    "fast": "is of the schedule",
    "keep": "is for /past",
}
ANN = Chat(1, "private", "", "en", None, "UTC", None, None, 540, {}, "active", payer=1)


@dataclass
class Post:
    """Our own seam to Telegram: keeps what it is given."""

    bot_name = "storybell_bot"

    captions: list[str] = field(default_factory=list)
    options: list[SendOptions] = field(default_factory=list)
    sentences: list[tuple[str, bool]] = field(default_factory=list)
    payloads: list[Payload] = field(default_factory=list)

    async def send_album_and_buy_missing_files(
        self, _: Target, __: Album, *, caption_html: str, options: SendOptions, **___: Any
    ) -> Outcome:
        self.captions.append(caption_html)
        self.options.append(options)
        return Sent(())

    async def send(self, _: Target, payload: Payload, *, silent: bool, **__: Any) -> Outcome:
        self.sentences.append((payload["text"], silent))
        self.payloads.append(payload)
        return Sent(())


def batch(
    *pks: str, copies: int = 0, notice: str | None = None, options: Options | None = None
) -> Batch:
    link = "https://shop.example/{}"
    shown = tuple(
        story(pk, NOON - MINUTE, hashtags=("dawn",), links=(link.format(pk),)) for pk in pks
    )
    row = Delivery(
        id=1,
        target=Target(1),
        subscription_id=1,
        story_pk=pks[0] if pks else None,
        story=shown[0] if shown else None,
        username="natgeo",
        options=options or Options(),
        notice=notice,
        fields={"username": "natgeo"},
        copies=copies,
        created_at=NOON,
        due_at=NOON,
    )
    return Batch(Target(1), (row,), Album(shown) if shown else None)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alerts(post: Post, clock: Clock) -> Alerts:
    return Alerts(post, post, now=clock)  # type: ignore[arg-type] # Post stands for both


@pytest.mark.parametrize(
    ("kind", "buttons"), [("private", 10), ("supergroup", 10), ("channel", 0)]
)
async def test_the_list_of_a_summary_is_cut_and_has_buttons_except_in_a_channel(
    alerts: Alerts, post: Post, kind: str, buttons: int
) -> None:
    daily = Options(digest=True, silent=kind == "channel")
    rows = [
        replace(batch(str(n)).rows[0], subscription_id=n, username=f"star{n}", options=daily)
        for n in range(23)
    ]
    queue = ChatQueue(replace(ANN, kind=kind), 1, rows)
    summary = summaries.summary_of_due_stories(rows, queue, now=NOON + 21 * HOUR)
    assert summary is not None
    notice = replace(rows[0], notice="summary", story=None, story_pk=None, fields=summary.fields)
    await alerts.send_batch_and_buy_missing_files(
        queue.chat, Batch(Target(1), (notice,)), calls=CALLS
    )
    [payload] = post.payloads
    title, *lines, last = payload["text"].splitlines()
    assert title == "📰 Daily summary: 23 new stories"
    assert lines == [f"• <b>star{n}</b>: 1 story" for n in range(20)]
    assert last == "… and 3 more profiles"
    data = [one["callback_data"] for row in payload["buttons"] for one in row]
    assert data == [f"sub:{n}:new" for n in range(buttons)]
    assert payload.get("silent", False) == (kind == "channel")


async def test_each_chat_reads_its_own_words(alerts: Alerts, post: Post) -> None:
    tokyo = replace(ANN, zone="Asia/Tokyo")
    lima = replace(ANN, language=None, language_code="es")
    for chat in (ANN, tokyo, lima, ANN):
        await alerts.send_batch_and_buy_missing_files(chat, batch("1"), CALLS)
    await alerts.send_batch_and_buy_missing_files(ANN, batch("1", "2"), CALLS)
    english, there, spanish, again, two = post.captions
    assert english == again
    assert len({english, there, spanish, two}) == 4
    assert "New story" in english
    assert "11:59" in english
    assert "8:59" in there


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in RULES | ELSEWHERE])
async def test_each_option_shows_in_alerts(alerts: Alerts, post: Post, name: str) -> None:
    changed = replace(Options(), **{name: getattr(unlike_defaults().options, name)})
    for options in (Options(), changed):
        await alerts.send_batch_and_buy_missing_files(ANN, batch("1", options=options), CALLS)
    plain, other = zip(post.captions, post.options, strict=True)
    assert plain != other, (
        f"let {name} show in bot/presentation/captions.py or change _send_options in "
        "bot/outbox/composer.py; what it does elsewhere is listed above"
    )


async def test_what_may_be_there_already_comes_in_silence(alerts: Alerts, post: Post) -> None:
    for copies in (0, 1):
        await alerts.send_batch_and_buy_missing_files(ANN, batch("1", copies=copies), CALLS)
        await alerts.send_batch_and_buy_missing_files(
            ANN, batch(notice="renamed", copies=copies), CALLS
        )
    assert [options.silent for options in post.options] == [False, True]
    assert [silent for _, silent in post.sentences] == [False, True]


async def test_one_story_has_buttons_and_an_album_a_link(alerts: Alerts, post: Post) -> None:
    await alerts.send_batch_and_buy_missing_files(ANN, batch("1"), CALLS)
    await alerts.send_batch_and_buy_missing_files(ANN, batch("1", "2"), CALLS)
    assert [bool(options.buttons) for options in post.options] == [True, False]
    one, album = post.captions
    assert "?start=" not in one
    assert 'href="https://t.me/storybell_bot?start=sub--1"' in album


async def test_a_post_in_a_channel_has_no_button_to_press(alerts: Alerts, post: Post) -> None:
    await alerts.send_batch_and_buy_missing_files(
        replace(ANN, id=-100123, kind="channel"), batch("1"), CALLS
    )
    (caption,), (options,) = post.captions, post.options
    assert [[one["url"] for one in row] for row in options.buttons] == [["https://shop.example/1"]]
    assert "?start=" not in caption
    plain = batch("2")
    assert plain.album
    bare = replace(plain.album.stories[0], links=())
    await alerts.send_batch_and_buy_missing_files(
        replace(ANN, id=-100123, kind="channel"), replace(plain, album=Album((bare,))), CALLS
    )
    assert not post.options[-1].buttons


async def test_that_a_story_is_over_is_said_within_ten_seconds(
    alerts: Alerts, post: Post, clock: Clock
) -> None:
    seconds = timedelta(seconds=5)
    clock.time = story("1", NOON - MINUTE).expires_at - seconds
    for _ in range(2):
        await alerts.send_batch_and_buy_missing_files(ANN, batch("1"), CALLS)
        clock.on(2 * seconds)
    live, over = post.captions
    assert live != over


async def test_order_is_kept_for_a_minute(alerts: Alerts, post: Post, clock: Clock) -> None:
    first = batch("1").rows[0]
    late = replace(batch("1"), rows=(replace(first, created_at=NOON + MINUTE), first))
    await alerts.send_batch_and_buy_missing_files(ANN, late, CALLS)
    clock.on(MINUTE - timedelta(microseconds=1))
    await alerts.send_batch_and_buy_missing_files(ANN, late, CALLS)
    clock.on(timedelta(microseconds=1))
    await alerts.send_batch_and_buy_missing_files(ANN, late, CALLS)
    assert [options.in_order for options in post.options] == [True, True, False]
