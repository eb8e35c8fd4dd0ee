"""A sentence out: what arrives, and what an answer means; told right before it leaves."""

from typing import Any, cast

import pytest
from telegram.ext import ExtBot

from bot.domain.model import Sent, Target
from bot.sending.replies import Replies, text_payload
from bot.sending.sender import Sender
from bot.telegram.api import NotWantedError
from bot.telegram.outcomes import NOT_WANTED
from tests.support.sandbox import sandbox_box
from tests.support.telegram import bot_at


def replies_of(bot: ExtBot[Any]) -> Replies:
    return Replies(bot, cast("Sender", None))  # it sends no album


async def test_a_text_arrives_and_its_departure_is_told_first() -> None:
    told: list[int] = []
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        chat = await box.control.person(started=True)

        async def tell() -> None:
            told.append(len(await box.control.replies(chat)))

        outcome = await replies_of(bot).send(
            Target(chat),
            text_payload("<b>Hello</b> there"),
            lane="alert",
            silent=True,
            leaving=tell,
        )
        [message] = await box.control.replies(chat)
        assert isinstance(outcome, Sent)
        assert outcome.items[0].message_id == message["message_id"]
        assert message["text"] == "Hello there"
        assert told == [0]


@pytest.mark.parametrize("paced", [True, False])
async def test_who_objects_keeps_it_from_leaving(paced: bool) -> None:
    async def object_to_it() -> None:
        raise NotWantedError

    async with sandbox_box() as box, bot_at(box.urls.telegram, paced=paced) as bot:
        chat = await box.control.person(started=True)
        outcome = await replies_of(bot).send(Target(chat), text_payload("x"), leaving=object_to_it)
        assert outcome == NOT_WANTED
        assert not await box.control.replies(chat)
