"""aiogram, which we did not write, drives the sandbox."""

import pytest

from tests.clients.conftest import Scene
from tests.sandbox.telegram.harness import TOKEN


@pytest.mark.slow
async def test_aiogram_finds_telegram_here(scene: Scene) -> None:
    from aiogram import Bot  # noqa: PLC0415 - takes seconds: only where it is used
    from aiogram.client.session.aiohttp import AiohttpSession  # noqa: PLC0415 - as above
    from aiogram.client.telegram import TelegramAPIServer  # noqa: PLC0415 - as above
    from aiogram.exceptions import TelegramBadRequest  # noqa: PLC0415 - as above
    from aiogram.types import (  # noqa: PLC0415 - as above
        BotCommand,
        FSInputFile,
        InlineKeyboardButton,
        InlineKeyboardMarkup,
        InputMediaPhoto,
        InputMediaVideo,
    )

    session = AiohttpSession(api=TelegramAPIServer.from_base(scene.api.base))
    chat, photo, video = scene.chat, FSInputFile(scene.photo), FSInputFile(scene.video)
    async with Bot(TOKEN, session=session) as bot:
        assert (await bot.get_me()).is_bot
        button = InlineKeyboardButton(text="press", callback_data="pressed")
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[button]])
        said = await bot.send_message(chat, "<b>hi</b>", parse_mode="HTML", reply_markup=keyboard)
        assert said.text == "hi"
        assert said.reply_markup is not None
        assert said.reply_markup.inline_keyboard[0][0].callback_data == "pressed"
        sent = await bot.send_photo(chat, photo, caption="one")
        assert sent.photo is not None
        assert (sent.photo[-1].width, sent.photo[-1].height) == (1080, 1920)
        film = (await bot.send_video(chat, video, supports_streaming=True)).video
        assert film is not None
        assert film.width == 720
        album = await bot.send_media_group(
            chat, [InputMediaPhoto(media=photo, caption="1"), InputMediaVideo(media=video)]
        )
        first, second = album[0].photo, album[1].video
        assert first is not None
        assert second is not None
        again = await bot.send_media_group(
            chat,
            [InputMediaPhoto(media=first[-1].file_id), InputMediaVideo(media=second.file_id)],
        )
        assert again[1].video is not None
        assert again[1].video.file_unique_id == second.file_unique_id
        await bot.edit_message_text("changed", chat_id=chat, message_id=said.message_id)
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await bot.edit_message_text("changed", chat_id=chat, message_id=said.message_id)
        with pytest.raises(TelegramBadRequest, match="can't parse entities"):
            await bot.send_message(chat, "<wrong>", parse_mode="HTML")
        updates = await bot.get_updates(timeout=5)
        queries = [update.callback_query for update in updates if update.callback_query]
        assert await queries[0].answer("seen").as_(bot)
        file = await bot.get_file(first[-1].file_id)
        assert file.file_path is not None
        data = await bot.download_file(file.file_path)
        assert data is not None
        assert data.read() == scene.photo.read_bytes()
        await bot.send_chat_action(chat, "upload_photo")
        await bot.set_my_commands([BotCommand(command="stories", description="Stories")])
        assert (await bot.get_my_commands())[0].command == "stories"
        assert await bot.delete_message(chat, said.message_id)
    await scene.check()
