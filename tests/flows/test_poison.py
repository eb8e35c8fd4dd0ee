"""One row or update that can't be read stops nobody else."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import open_parts
from bot.store.chats import chats
from bot.store.stories import stories
from tests.support.control import Json, wait_for
from tests.support.followed import follow, look, rows, story
from tests.support.sandbox import Box
from tests.support.storybell import buttons, running_bell, settings_for

pytestmark = pytest.mark.jumps


async def test_a_story_that_is_none_any_more_is_parked_and_the_rest_goes_out(
    box: Box,
    tmp_path: Path,
) -> None:
    ann, eva = await box.control.person(), await box.control.person()
    settings = settings_for(box, tmp_path)
    async with open_parts(settings) as parts, parts.bot:
        shown = await box.control.publish("quiet")
        for person in (ann, eva):
            await box.control.say(person, "/start")
        now = parts.now()
        async with parts.db.begin() as tx:
            await follow(tx, ann, now=now)
            await look(tx, story("1", now), now=now)
            await follow(tx, eva, now=now)
            fine = story("2", now, media_url=shown["thumbnail_url"])
            await look(tx, fine, now=now)
            for spoilt in (
                stories.update().where(stories.c.pk == "1").values(value={"pk": 1}),
                chats.update().where(chats.c.id == eva).values(zone="Mars/Olympus"),
            ):
                await tx.execute(spoilt)
        while await parts.outbox.fan_out_and_do_due_jobs_once():
            pass
        states = {(row.chat_id, row.story_pk): row.state for row in await rows(parts.db)}
    assert states == {(ann, "1"): "parked", (ann, "2"): "sent", (eva, "2"): "sent"}
    async with running_bell(tmp_path, box, admin_ids=str(ann)) as bell:
        asked = await bell.control.say(ann, "/health")

        async def told() -> list[Json]:
            shown = await bell.control.replies(ann, after=asked)  # alerts and a greeting besides
            return [one for one in shown if "given up: 1" in one.get("text", "")]

        await wait_for(told, what="the answer")
        (health,) = await told()
    assert buttons(health) == {"The admin page": "run:admin"}


def update_body(update_id: int, **about: Any) -> dict[str, Any]:
    body = {"ok": True, "result": [{"update_id": update_id, **about}]}
    return {"status": 200, "body": body}


async def test_an_update_that_can_not_be_read_is_left_out_and_its_chat_goes_on(
    box: Box,
    tmp_path: Path,
) -> None:
    ann = await box.control.person()
    chat = {"id": ann, "type": "private", "first_name": "Ann"}
    broken = update_body(1, message={"chat": chat, "text": "no date, no number"})
    await box.control.fault("telegram", broken, match="getUpdates")
    async with running_bell(tmp_path, box) as bell:
        await bell.ask(ann, "/help")
        with closing(sqlite3.connect(tmp_path / "bot.db")) as db:
            row = "SELECT token, failures FROM inbox WHERE update_id = 1"
            counts = db.execute(row).fetchall()
    assert counts == [(3, 2)]  # at the third attempt it is left out


async def test_who_is_answered_without_handlers_is_told_in_the_language_of_the_group(
    box: Box, tmp_path: Path
) -> None:
    control = box.control
    ann, bob = await control.person(language_code="de"), await control.person(language_code="ru")
    group = await control.chat("supergroup", members={ann: "creator", bob: "member"})
    async with running_bell(tmp_path, box) as bell:
        await bell.ask(group, "/help@storybell_7000000001_bot", user=ann)
        with closing(sqlite3.connect(tmp_path / "bot.db")) as db:
            # As if handling each update from now on had taken the process down again and again.
            db.execute(
                "CREATE TRIGGER worn AFTER INSERT ON inbox BEGIN "
                "UPDATE inbox SET attempts = 50, token = 50, leased_until = 0 "
                "WHERE rowid = NEW.rowid; END"
            )
            db.commit()
        (said,) = await bell.ask(group, "/help@storybell_7000000001_bot", user=bob)
    assert said["text"].startswith("Bei mir ist etwas schiefgegangen")
