"""A sentence out: what arrives, and what an answer means; told right before it leaves."""

from bot.domain.model import GiveUp, Sent, Target, TryLater
from bot.sending.text import Texts
from bot.telegram.departure import departing
from tests.support.sandbox import sandbox_box
from tests.support.telegram import bot_at


async def test_a_text_arrives_and_its_departure_is_told_first() -> None:
    told: list[int] = []
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        chat = await box.control.person()
        await box.control.say(chat, "/start")

        async def tell() -> None:
            told.append(len(await box.control.replies(chat)))

        departing.set(tell)
        outcome = await Texts(bot).send(Target(chat), "<b>Hello</b> there", silent=True)
        await bot.get_me()
        departing.set(None)
        [message] = await box.control.replies(chat)
        assert isinstance(outcome, Sent)
        assert outcome.items[0].message_id == message["message_id"]
        assert message["text"] == "Hello there"
        assert told == [0]


async def test_answers_are_outcomes() -> None:
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        texts = Texts(bot)
        assert isinstance(await texts.send(Target(99), "x"), GiveUp)
        chat = await box.control.person()
        await box.control.say(chat, "/start")
        await box.control.fault("telegram", {"status": 502, "body": {}}, match="sendMessage")
        outcome = await texts.send(Target(chat), "x")
        assert isinstance(outcome, TryLater)
        assert outcome.unknown
