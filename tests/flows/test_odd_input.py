"""What people and Telegram send that is odd is answered by a sentence, and is no incident."""

from pathlib import Path

import pytest

from bot.domain.model import Profile
from bot.store import chats
from bot.store.engine.database import Database
from tests.support.control import refused, wait_for
from tests.support.followed import follow
from tests.support.storybell import buttons, storybell

pytestmark = pytest.mark.jumps

INCIDENT = "Something went wrong"


async def test_rules_of_thousands_of_letters_are_not_understood_in_a_sentence(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path) as bell:
        ann = await bell.control.person()
        await bell.ask(ann, "/subscribe natgeo")
        (said,) = await bell.ask(ann, f"/rules natgeo only: {'x' * 4000}")
        assert "I don't understand" in said["text"]
        assert "Write it like this" in said["text"]


async def test_a_file_that_telegram_does_not_give_is_asked_for_again(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control, ann = bell.control, await bell.control.person()
        await bell.ask(ann, "/subscribe natgeo")
        (file,) = await bell.ask(ann, "/export")
        await control.fault("telegram", refused("Bad Gateway", 502), match="getFile", times=None)
        (said,) = await bell.ask(ann, "/import", reply_to=file["message_id"])
        assert "Telegram isn't answering" in said["text"]
        await control.clear_faults()
        await control.fault("telegram", refused("file is too big"), match="getFile")
        (said,) = await bell.ask(ann, "/import", reply_to=file["message_id"])
        assert "can't read this file" in said["text"]


async def test_a_button_names_a_profile_whatever_it_is_called(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        ann = await bell.control.person()
        for name in ("all", "other"):
            await bell.control.profile(name)
            await bell.ask(ann, f"/subscribe @{name}")
        (page,) = await bell.ask(ann, "/unsubscribe")
        await bell.press(ann, page, buttons(page)["all"])
        (left,) = await bell.ask(ann, "/subscriptions")
        assert "This chat has 1 subscription." in left["text"]
        assert any("other" in label for label in buttons(left))


async def test_a_channel_is_told_a_part_of_a_list_that_is_too_long(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control, ann = bell.control, await bell.control.person()
        channel = await control.chat(
            "channel", members={ann: "administrator"}, bot_status="administrator"
        )
        await bell.ask(channel, "/help", user=ann)
        async with Database(bell.settings.database_url.get_secret_value()) as db, db.begin() as tx:
            for n in range(150):
                await follow(tx, channel, Profile(str(9_000 + n), f"{'long.' * 5}{n:03}"))
        (said,) = await bell.ask(channel, "/subscriptions", user=ann)
        assert said["text"].splitlines()[61] == "…"  # below the title and sixty of them


async def test_a_command_that_is_bold_as_a_whole_is_a_command(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        ann = await bell.control.person()
        bold = [{"type": "bold", "offset": 0, "length": 14}]
        (photo,) = await bell.ask(ann, "/stories prada", entities=bold)
        assert "photo" in photo


async def test_a_press_without_a_chat_is_answered_and_logs_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        sender = {"id": ann, "is_bot": False, "first_name": "Ann"}
        press = {"id": "77", "from": sender, "chat_instance": "1", "data": "run:stories:natgeo"}
        update = {"update_id": 1, "callback_query": press | {"inline_message_id": "x"}}
        answer = {"status": 200, "body": {"ok": True, "result": [update]}}
        await control.fault("telegram", answer, match="getUpdates")
        await bell.ask(ann, "/help")

        async def is_answered() -> bool:
            calls = await control.requests("telegram", path="answerCallbackQuery")
            return any(call["params"]["callback_query_id"] == "77" for call in calls)

        await wait_for(is_answered, what="the answer to the press")
        assert await control.billed() == 0
    assert "Traceback" not in capsys.readouterr().out


async def test_a_person_with_a_language_code_of_any_length_is_served(
    tmp_path: Path, db: Database, database_url: str
) -> None:
    async with storybell(tmp_path, database_url=database_url) as bell:
        ann = await bell.control.person(language_code="de-Latn-DE-1996-x-own")
        await bell.ask(ann, "/help")
    chat = await db.fetch(lambda tx: chats.get(tx, ann))
    assert chat is not None
    assert chat.effective_language == "de-Latn-DE-1996-"
