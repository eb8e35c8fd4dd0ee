"""The chat that is notified of a story that could not be sent."""

import pytest

from bot.domain.model import Target
from bot.outbox.private_notices import enqueue_public_or_private_failure_notice
from bot.presentation.notices import notice_messages
from bot.presentation.translation import translator_for
from bot.store import chats
from bot.store.engine.database import Database
from tests.support.followed import NOON, follow, rows

PERSON = 7  # who subscribes in ``follow``
FIELDS = {"username": "natgeo", "n": 1, "why": "It is gone.", "url": ""}


@pytest.mark.parametrize(("kind", "told"), [("channel", PERSON), ("supergroup", -100)])
async def test_who_is_told_of_a_story_that_could_not_be_sent(
    db: Database, kind: str, told: int
) -> None:
    async with db.begin() as tx:
        await follow(tx, PERSON)
        await follow(tx, -100)
        await chats.change(tx, -100, kind=kind, title="News & more")
        await enqueue_public_or_private_failure_notice(tx, Target(-100), FIELDS, now=NOON)
    [one] = await rows(db, notice="failed")
    assert one.chat_id == told
    [text] = notice_messages("failed", [one.fields], translator_for("en"))
    assert ("<b>News &amp; more" in text) == (kind == "channel")


async def test_a_channel_without_known_subscribers_is_notified_itself(db: Database) -> None:
    """A channel post names no person; the loss of a story must not stay unexplained."""
    async with db.begin() as tx:
        await follow(tx, -100)  # by a person without a private chat
        await chats.change(tx, -100, kind="channel", title="News")
        await enqueue_public_or_private_failure_notice(tx, Target(-100), FIELDS, now=NOON)
    [one] = await rows(db, notice="failed")
    assert one.chat_id == -100
