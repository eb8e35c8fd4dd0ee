"""A text out: what arrives, and what an outcome means; a call is confirmed before its request."""

from datetime import timedelta
from typing import Any, cast

import pytest
from telegram.ext import ExtBot

from bot.domain.model import Sent, Target, TryLater
from bot.sending.items import Text
from bot.sending.replies import Replies, text_payload
from bot.sending.sender import Sender
from bot.telegram.api import TooSoonError
from bot.telegram.calls import Calls
from tests.support.control import Control
from tests.support.sandbox import sandbox_box
from tests.support.telegram import bot_at


def replies_of(bot: ExtBot[Any]) -> Replies:
    return Replies(bot, cast("Sender", None))  # it sends no album


class Watching(Calls):
    """Notes how many messages are in the chat when a call is confirmed."""

    def __init__(self, bot: ExtBot[Any], control: Control, chat: int) -> None:
        super().__init__(bot, "alert")
        self.control, self.chat = control, chat
        self.seen: list[int] = []

    async def before_request(self) -> None:
        self.seen.append(len(await self.control.replies(self.chat)))


class Refusing(Calls):
    """Confirms no call."""

    async def before_request(self) -> None:
        raise TooSoonError(timedelta(0), "not to be sent now")


async def test_a_text_arrives_and_its_call_is_confirmed_first() -> None:
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        chat = await box.control.person(started=True)
        calls = Watching(bot, box.control, chat)
        outcome = await replies_of(bot).send(
            Target(chat), text_payload("<b>Hello</b> there"), calls=calls, silent=True
        )
        [message] = await box.control.replies(chat)
        assert isinstance(outcome, Sent)
        assert outcome.items[0].message_id == message["message_id"]
        assert message["text"] == "Hello there"
        assert calls.seen == [0]


@pytest.mark.parametrize("paced", [True, False])
async def test_a_call_that_is_not_confirmed_is_not_made(paced: bool) -> None:
    async with sandbox_box() as box, bot_at(box.urls.telegram, paced=paced) as bot:
        chat = await box.control.person(started=True)
        outcome = await replies_of(bot).send(Target(chat), text_payload("x"), calls=Refusing(bot))
        assert outcome == TryLater(timedelta(0), reason="not to be sent now", unasked=True)
        assert not await box.control.replies(chat)


def test_a_caption_is_rendered_again_only_for_another_number_of_stories() -> None:
    counts: list[int] = []

    def with_count(count: int) -> str:
        counts.append(count)
        return f"{count} stories"

    text = Text("3 stories", 3, caption_for_count=with_count)
    for stories in (3, 2, 2, 3):
        text.set_story_count_in_caption(stories)
    assert counts == [2, 3]
    assert text.caption == "3 stories"
