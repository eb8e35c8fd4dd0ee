"""pyTelegramBotAPI, which we did not write, drives the sandbox."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Scene
from tests.sandbox.telegram.harness import TOKEN


def _drive(chat: int, photo: Path, video: Path) -> None:
    import telebot  # noqa: PLC0415 - only where it is used
    from telebot import types  # noqa: PLC0415 - as above
    from telebot.apihelper import ApiTelegramException  # noqa: PLC0415 - as above

    bot: Any = telebot.TeleBot(TOKEN, threaded=False)
    assert bot.get_me().is_bot
    keyboard = types.InlineKeyboardMarkup()
    keyboard.add(types.InlineKeyboardButton("press", callback_data="pressed"))
    said = bot.send_message(chat, "<b>hi</b>", parse_mode="HTML", reply_markup=keyboard)
    assert said.text == "hi"
    with photo.open("rb") as picture, video.open("rb") as film:
        sent = bot.send_photo(chat, picture, caption="one")
        assert (sent.photo[-1].width, sent.photo[-1].height) == (1080, 1920)
        assert bot.send_video(chat, film, supports_streaming=True).video.width == 720
    with photo.open("rb") as picture, video.open("rb") as film:
        kinds: Any = types  # its annotations forget that files may be sent
        items = [kinds.InputMediaPhoto(picture, caption="1"), kinds.InputMediaVideo(film)]
        album = bot.send_media_group(chat, items)
    first, second = album[0].photo[-1], album[1].video
    again = bot.send_media_group(
        chat, [types.InputMediaPhoto(first.file_id), types.InputMediaVideo(second.file_id)]
    )
    assert again[0].photo[-1].file_unique_id == first.file_unique_id
    assert bot.edit_message_text("changed", chat, said.message_id).text == "changed"
    with pytest.raises(ApiTelegramException, match="message is not modified"):
        bot.edit_message_text("changed", chat, said.message_id)
    with pytest.raises(ApiTelegramException, match="can't parse entities"):
        bot.send_message(chat, "<wrong>", parse_mode="HTML")
    updates = bot.get_updates(timeout=5)
    query = next(update.callback_query for update in updates if update.callback_query)
    assert bot.answer_callback_query(query.id, "seen")
    assert bot.download_file(bot.get_file(first.file_id).file_path) == photo.read_bytes()
    assert bot.send_chat_action(chat, "upload_photo")
    assert bot.set_my_commands([types.BotCommand("stories", "Stories")])
    assert bot.get_my_commands()[0].command == "stories"
    assert bot.delete_message(chat, said.message_id)


async def test_telebot_finds_telegram_here(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from telebot import apihelper  # noqa: PLC0415 - only where it is used

    base = scene.api.base
    monkeypatch.setattr(apihelper, "API_URL", base + "/bot{0}/{1}")
    monkeypatch.setattr(apihelper, "FILE_URL", base + "/file/bot{0}/{1}")
    await asyncio.to_thread(_drive, scene.chat, scene.photo, scene.video)
    session: Any = apihelper._get_req_session  # noqa: SLF001 - nothing else ends its session
    session(reset=True).close()
    await scene.check()
