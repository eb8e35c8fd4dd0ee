"""Tests of the sandbox's assumptions about Telegram, in one chat. The tests cost nothing.

All sent messages are deleted at the end. Albums use two small pictures and a silent video in the
folder of this module.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
)
from telegram.error import BadRequest, TelegramError

from sandbox.beliefs import TELEGRAM
from tools.doctor.sights import Sights

FOLDER = Path(__file__).parent
_BUTTON = "doctor"  # the callback data of the button
PRESS_WITHIN_S, LATE_S = 60.0, 60.0
_POLL_S = 1.0
_ITEM = re.compile(
    r'failed to send message #(\d+) with the error message "([^"]*)"', re.IGNORECASE
)
# The code of an error, which PTB has converted from upper case to lower case.
_CODE = re.compile(r"\w*_\w*")
_GREETING = "Storybell tries what it believes of Telegram. These messages go away by themselves."


@dataclass(slots=True)
class TelegramTrial:
    """Tests of the assumptions about Telegram in ``chat_id``. A person must press one button."""

    bot: Bot
    chat_id: int
    sights: Sights
    say: Callable[[str], None]
    press_within_s: float = PRESS_WITHIN_S
    late_s: float = LATE_S
    _sent: list[int] = field(default_factory=list)

    async def run(self, photos: Sequence[str], silent: str) -> None:
        """Test all assumptions.

        ``photos`` are URLs of photos, and ``silent`` is the URL of a silent video. Telegram
        fetches these URLs.

        Raises:
            TelegramError: The chat refuses messages, or Telegram is unreachable.
        """
        first = await self._text(_GREETING)
        try:
            await self._albums(photos)
            await self._silence_by_url(photos, silent)
            await self._silence()
            await self._bad_item()
            await self._texts(first)
            await self._late_callback()
        finally:
            await self._clean_up()

    async def _text(self, text: str, **options: Any) -> Message:  # noqa: ANN401 - options of the Bot API
        message = await self.bot.send_message(self.chat_id, text, **options)
        self._sent.append(message.message_id)
        return message

    async def _album(
        self, items: Sequence[InputMediaPhoto | InputMediaVideo]
    ) -> Sequence[Message]:
        messages = await self.bot.send_media_group(self.chat_id, items)
        self._sent += [message.message_id for message in messages]
        return messages

    async def _albums(self, photos: Sequence[str]) -> None:
        known: list[str] = []
        try:
            both = [InputMediaPhoto(_media("photo-1.jpg")), InputMediaPhoto(_media("photo-2.jpg"))]
            known = [message.photo[-1].file_id for message in await self._album(both)]
            self.sights.see("album_by_upload", "arrives")
        except BadRequest as error:
            self.sights.see("album_by_upload", "refused", error.message)
            for name in ("photo-1.jpg", "photo-2.jpg"):
                sent = await self.bot.send_photo(self.chat_id, _media(name))
                self._sent.append(sent.message_id)
                known.append(sent.photo[-1].file_id)
        await self._try_album("album_by_file_id", known)
        if photos:
            await self._try_album("album_by_url", [photos[0], photos[-1]])
        else:
            self.sights.see("album_by_url", None, "no photo of the profile was at hand")

    async def _try_album(self, belief: str, media: list[str]) -> None:
        try:
            await self._album([InputMediaPhoto(one) for one in media])
        except BadRequest as error:
            self.sights.see(belief, "refused", error.message)
        else:
            self.sights.see(belief, "arrives")

    async def _silence(self) -> None:
        alone = await self.bot.send_video(self.chat_id, _media("silent.mp4"))
        self._sent.append(alone.message_id)
        self.sights.see("silent_video_alone", "animation" if alone.animation else "video")
        if self.sights.by_name["album_by_upload"].seen != "arrives":
            self.sights.see("silent_video_in_album", None, "albums can't be uploaded")
            return
        try:
            pair: list[InputMediaPhoto | InputMediaVideo] = [
                InputMediaPhoto(_media("photo-1.jpg")),
                InputMediaVideo(_media("silent.mp4")),
            ]
            _, film = await self._album(pair)
        except BadRequest as error:
            self.sights.see("silent_video_in_album", "refused", error.message)
        else:
            self.sights.see("silent_video_in_album", "video" if film.video else "animation")

    async def _silence_by_url(self, photos: Sequence[str], silent: str) -> None:
        """Send an album by URL whose second item is a silent video."""
        if self.sights.by_name["album_by_url"].seen != "arrives" or not silent:
            self.sights.see("silent_video_by_url", None, "no silent video was at hand")
            return
        try:
            await self._album([InputMediaPhoto(photos[0]), InputMediaVideo(silent)])
        except BadRequest as error:
            result = _ITEM.search(error.message)
            named = {"1": "the first is named", "2": "it is named"}
            seen = named.get(result[1], "another is named") if result else "none is named"
            self.sights.see("silent_video_by_url", seen, result[2] if result else error.message)
        else:
            self.sights.see("silent_video_by_url", "arrives")

    async def _bad_item(self) -> None:
        """Send an album with one invalid picture, and check which items are in the chat."""
        beliefs = ("album_with_a_bad_item", "album_error_words")
        if self.sights.by_name["album_by_upload"].seen != "arrives":
            # If Telegram refuses every uploaded album, an upload proves nothing about a single bad
            # item. Telegram may nevertheless accept albums of file_ids.
            self.sights.skip(beliefs, "albums can't be uploaded")
            return
        before = (await self._text("…")).message_id
        try:
            bad = InputMediaPhoto(b"This is no picture. " * 50)
            await self._album([InputMediaPhoto(_media("photo-2.jpg")), bad])
        except BadRequest as error:
            result = _ITEM.search(error.message)
            after = (await self._text("…")).message_id
            left = [n for n in range(before + 1, after) if await self._was_there(n)]
            self.sights.see("album_with_a_bad_item", "the others" if left else "nothing")
            if result:
                words = "code" if _CODE.fullmatch(result[2]) else "sentence"
                self.sights.see("album_error_words", words, result[2])
            else:
                self.sights.see("album_error_words", "other", error.message)
        else:
            self.sights.see("album_with_a_bad_item", "all")
            self.sights.see("album_error_words", None, "nothing was refused")

    async def _was_there(self, message_id: int) -> bool:
        """Delete a message of the chat. Return whether the message existed."""
        try:
            return await self.bot.delete_message(self.chat_id, message_id)
        except BadRequest:
            return False

    async def _texts(self, first: Message) -> None:
        tag = f'<tg-time unix="{int(time.time())}" format="t">now</tg-time>'
        try:
            shown = await self._text(f"It is {tag}.", parse_mode="HTML")
            kinds = {str(entity.type) for entity in shown.entities}
            self.sights.see("time_tag", "entity" if "date_time" in kinds else "ignored")
        except BadRequest as error:
            self.sights.see("time_tag", "refused", error.message)
        try:
            await self.bot.edit_message_text(
                _GREETING, chat_id=self.chat_id, message_id=first.message_id
            )
            self.sights.see("edit_to_the_same", "taken")
        except BadRequest as error:
            is_known = "not modified" in error.message.lower()
            self.sights.see("edit_to_the_same", "refused" if is_known else error.message)
        gone = await self._text("…")
        await self.bot.delete_message(self.chat_id, gone.message_id)
        try:
            await self._text(
                "…", reply_to_message_id=gone.message_id, allow_sending_without_reply=True
            )
            self.sights.see("reply_to_a_deleted_message", "sent")
        except BadRequest as error:
            self.sights.see("reply_to_a_deleted_message", "refused", error.message)

    async def _late_callback(self) -> None:
        button = InlineKeyboardButton("Press me", callback_data=_BUTTON)
        asked = await self._text(
            "Please press this button once.", reply_markup=InlineKeyboardMarkup([[button]])
        )
        self.say(f"Please press the button in the chat within {self.press_within_s:.0f} seconds.")
        pressed, why = await self._pressed(asked.message_id)
        if pressed is None:
            self.sights.see("late_callback", None, why)
            return
        self.say(f"Thank you. The answer to it waits {self.late_s:.0f} seconds, on purpose.")
        await asyncio.sleep(self.late_s)
        try:
            await self.bot.answer_callback_query(pressed.id)
            self.sights.see("late_callback", "taken")
        except BadRequest as error:
            self.sights.see("late_callback", "refused", error.message)

    async def _pressed(self, message_id: int) -> tuple[CallbackQuery | None, str]:
        """Return the press of the button, or None and the reason why no press was received.

        The updates are not confirmed, so the bot receives them again later.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self.press_within_s
        while loop.time() < until:
            try:
                # Without an offset, no update is confirmed, so no message of a person is lost.
                updates = await self.bot.get_updates(timeout=0)
            except TelegramError as error:
                return None, f"updates can't be asked for: {error.message}"
            for update in updates:
                query = update.callback_query
                if query and query.message and query.message.message_id == message_id:
                    return query, ""
            await asyncio.sleep(min(_POLL_S, self.press_within_s / 4))
        return None, "nobody pressed the button"

    async def _clean_up(self) -> None:
        self.sights.skip(TELEGRAM, "not reached")
        for start in range(0, len(self._sent), 100):
            with suppress(TelegramError):  # some messages cannot be deleted
                await self.bot.delete_messages(self.chat_id, self._sent[start : start + 100])


@cache
def _media(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
