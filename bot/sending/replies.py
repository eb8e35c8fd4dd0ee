"""Replies as JSON payloads, which can be stored, sent later, and sent again.

The ``kind`` of a payload is ``text``, ``edit``, ``album`` or ``document``. ``language`` is the
language of texts that the bot writes later about the payload.
"""

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from telegram import InputFile
from telegram.constants import ChatAction
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.alert_rules import is_on_block_list
from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import (
    Album,
    Asker,
    Outcome,
    Profile,
    Sent,
    SentItem,
    Story,
    Target,
)
from bot.domain.serialization import dump_stories, load_stories
from bot.presentation.actions import Buttons
from bot.presentation.captions import with_corrected_count
from bot.presentation.translation import translator_for
from bot.runtime.background import running_after
from bot.runtime.transaction_guard import refusing_slow_operations_while
from bot.sending.items import SendOptions
from bot.sending.sender import Sender
from bot.telegram.calls import Calls
from bot.telegram.outcomes import outcome_of

log = structlog.get_logger()

Payload = dict[str, Any]

# Maximum seconds that a reply, if not an album, waits for a flood limit. The reply then waits in
# the outbox.
LONGEST_WAIT_S = 5.0
# Telegram shows a chat action for 5 seconds. The bot repeats the action after this many seconds.
ACTION_S = 4.5
_AS_IT_IS = "message is not modified"
# Telegram answers an edit with one of these errors if the message can't be edited any more. The
# new text is then sent as a new message.
_NO_SUCH_TEXT = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message to edit",
    "group migrated to supergroup",
)
SHOWN_ALREADY = Sent(())
"""The outcome of an edit that changed nothing.

Use ``is`` to compare an outcome with this object.
"""


def text_payload(
    text: str,
    buttons: Buttons | None = None,
    *,
    reply_to: int | None = None,
    markup: dict[str, Any] | None = None,
    silent: bool = False,
) -> Payload:
    """Return the payload of an HTML message.

    ``reply_to`` is the id of the message that the text answers. ``markup`` is a "reply_markup" of
    the Bot API, and is used only without ``buttons``.
    """
    return {
        **({"silent": True} if silent else {}),
        "kind": "text",
        "text": str(text),
        "buttons": buttons or [],
        "reply_to": reply_to,
        "markup": markup,
    }


def edit_payload(chat_id: int, message_id: int, text: str, buttons: Buttons | None) -> Payload:
    """Return the payload that edits the text and buttons of a message of the bot.

    If the message in the chat ``chat_id`` cannot be edited, the text is sent as a new message.
    """
    return {
        "kind": "edit",
        "chat_id": chat_id,
        "message_id": message_id,
        "text": str(text),
        "buttons": buttons or [],
    }


def album_payload(
    album: Album,
    *,
    caption: str | None,
    asker: Asker,
    buttons: Buttons | None = None,
    reply_to: int | None = None,
    asked: int | None = None,
    as_files: bool = False,
    is_free: bool = False,
    under: Payload | None = None,
) -> Payload:
    """Return the payload of an album with a caption in HTML.

    ``asker`` pays 1 credit for each bought file. If ``is_free`` is True, no file is bought.
    ``under`` is the payload of a message under the album. Messages about failed stories answer the
    message ``asked``, by default ``reply_to``.
    """
    return {
        **({"asked": asked} if asked else {}),
        **({"as_files": True} if as_files else {}),
        **({"is_free": True} if is_free else {}),
        **({"under": under} if under else {}),
        "kind": "album",
        "stories": dump_stories(list(album.stories)),
        "caption": None if caption is None else str(caption),
        "asker": [asker.chat_id, asker.user_id, asker.is_owner, asker.as_channel],
        "buttons": buttons or [],
        "reply_to": reply_to,
    }


def document_payload(data: str, filename: str, caption: str) -> Payload:
    """Return the payload of a text file with the content ``data``."""
    return {"kind": "document", "data": data, "filename": filename, "caption": caption}


def is_sent_as_file(payload: Payload) -> bool:
    """Return whether the payload is sent as a file and not as a text."""
    return payload["kind"] in {"album", "document"}


class Replies:
    """Sends payloads: replies to people, and notices."""

    def __init__(
        self, bot: ExtBot[Any], sender: Sender, *, blocked: AbstractSet[str] = frozenset()
    ) -> None:
        """Use ``bot`` to send texts and documents, and ``sender`` to send albums.

        ``blocked`` contains the ids and names of blocked profiles.
        """
        self._bot = bot
        self._sender = sender
        self._blocked = blocked

    @property
    def bot_name(self) -> str:
        """Return the bot's username, which is needed in links to the bot."""
        return self._bot.username

    async def send(
        self,
        target: Target,
        payload: Payload,
        *,
        calls: Calls | None = None,
        silent: bool = False,
        one_by_one: bool = False,
    ) -> Outcome:
        """Send a payload. Return the outcome.

        Each bought file of an album costs 1 credit. An album of a blocked profile is not sent, and
        the outcome is ``Sent`` without stories. If an edit changes nothing, the outcome is
        ``SHOWN_ALREADY``. If a message can't be edited, the text is sent as a new message.

        Raises:
            DatabaseUnavailableError: The database failed before a message arrived. Nothing was
                sent.
        """
        calls = calls or Calls(self._bot)
        if payload["kind"] == "album":
            async with running_after(1, partial(keep_showing_uploading, self._bot, target)):
                return await self._send_album(
                    target, payload, calls, silent=silent, one_by_one=one_by_one
                )
        if payload["kind"] == "edit" and payload.get("chat_id") != target.chat_id:
            # The chat was migrated, and the message in the old chat cannot be edited.
            payload = {**payload, "kind": "text"}
        # A reply waits at most 5 seconds for a flood limit, because the outbox can send the reply
        # later. A notice waits as long as an alert.
        longest_wait_s = LONGEST_WAIT_S if calls.lane == "reply" else None
        try:
            method, arguments = _method_and_arguments(payload)
            arguments |= {"chat_id": target.chat_id}
            if method != "editMessageText":
                arguments |= {
                    "message_thread_id": target.thread_id,
                    "disable_notification": silent or payload.get("silent"),
                }
            message = await calls.call_once(method, arguments, longest_wait_s=longest_wait_s)
        except TelegramError as error:
            why = str(error).lower() if payload["kind"] == "edit" else ""
            if _AS_IT_IS in why:
                return SHOWN_ALREADY
            if any(words in why for words in _NO_SUCH_TEXT):
                anew = {**payload, "kind": "text"}
                return await self.send(target, anew, calls=calls, silent=silent)
            return outcome_of(error)
        return Sent((SentItem("", message["message_id"]),) if isinstance(message, dict) else ())

    async def _send_album(
        self,
        target: Target,
        payload: Payload,
        calls: Calls,
        *,
        silent: bool,
        one_by_one: bool,
    ) -> Outcome:
        asker = Asker(*payload["asker"])
        stories: tuple[Story, ...] = tuple(load_stories(payload["stories"]))
        if any(self._is_blocked(story.profile) for story in stories):
            return Sent(())  # the profile was blocked while the album waited
        options = SendOptions(
            silent=silent,
            reply_to=payload["reply_to"],
            buttons=payload["buttons"],
            as_files=bool(payload.get("as_files")),
            is_free=bool(payload.get("is_free")),
            one_by_one=one_by_one,
        )
        return await self._sender.send_album_and_buy_missing_files(
            target,
            Album(stories),
            caption_html=payload["caption"],
            caption_for_count=_caption_for_count_or_none(payload, stories),
            options=options,
            calls=calls,
            asker=asker,
        )

    def _is_blocked(self, profile: Profile) -> bool:
        return is_on_block_list(profile.profile_id, profile.username, self._blocked)


def _caption_for_count_or_none(
    payload: Payload, stories: tuple[Story, ...]
) -> Callable[[int], str] | None:
    """Return a function that changes the number of stories in the caption of an album.

    Return None if the album has only one story or no caption.
    """
    if not payload["caption"] or len(stories) == 1:
        return None
    t = translator_for(payload.get("language"))
    return lambda count: with_corrected_count(payload["caption"], stories, t, count=count)


async def keep_showing_uploading(bot: ExtBot[Any], target: Target) -> None:
    """Show "is sending a photo…" in the chat until the task is cancelled."""
    while True:
        with (
            suppress(TelegramError, DatabaseUnavailableError),
            refusing_slow_operations_while(None),
        ):
            await bot.send_chat_action(
                target.chat_id, ChatAction.UPLOAD_PHOTO, message_thread_id=target.thread_id
            )
        await asyncio.sleep(ACTION_S)


def _method_and_arguments(payload: Payload) -> tuple[str, dict[str, Any]]:
    """Return the method of the Bot API and the arguments that send a payload."""
    if payload["kind"] == "document":
        file = InputFile(payload["data"].encode(), filename=payload["filename"])
        return "sendDocument", {"document": file, "caption": payload["caption"]}
    markup = payload.get("markup")
    if payload["buttons"]:
        markup = {"inline_keyboard": payload["buttons"]}
    arguments = {
        "text": payload["text"],
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": markup,
    }
    if payload["kind"] == "edit":
        return "editMessageText", arguments | {"message_id": payload["message_id"]}
    if payload.get("reply_to"):
        arguments["reply_parameters"] = {
            "message_id": payload["reply_to"],
            "allow_sending_without_reply": True,
        }
    return "sendMessage", arguments
