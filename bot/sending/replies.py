"""Answers as values that can be stored, sent at once or later, and sent again.

A payload is JSON: ``kind`` is ``text``, ``edit``, ``album`` or ``document``. An album
holds its stories as they were found, so that nothing is fetched or paid again. ``language`` is
the one in which more is said, where a payload could not be sent.
"""

import asyncio
import secrets
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from telegram import InputFile
from telegram.constants import ChatAction
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import INCIDENT, DatabaseUnavailableError
from bot.domain.model import (
    Album,
    Asker,
    GiveUp,
    Muted,
    Outcome,
    Removed,
    Sent,
    SentItem,
    Story,
    Target,
)
from bot.domain.sentences import N_
from bot.domain.serialization import dump_stories, load_stories
from bot.presentation.actions import Buttons
from bot.presentation.translation import translator_for
from bot.runtime.background import running_after
from bot.runtime.transaction_guard import refusing_while
from bot.sending import failed_items
from bot.sending.items import SendOptions
from bot.sending.sender import Sender
from bot.store import deliveries, enqueue, usage
from bot.store.engine.database import Tx
from bot.telegram import api
from bot.telegram.flood_limits import Lane
from bot.telegram.outcomes import NOT_WANTED, outcome_of

log = structlog.get_logger()

Payload = dict[str, Any]

_CANT_SHOW = {
    "photos": N_("I'm not allowed to send photos here. An admin can change that."),
    "videos": N_("I'm not allowed to send videos here. An admin can change that."),
    "documents": N_("I'm not allowed to send files here. An admin can change that."),
    "gifs": N_("I'm not allowed to send GIFs here. An admin can change that."),
    "media": N_("I'm not allowed to send photos or videos here. An admin can change that."),
}
_NOT_CONFIRMED = N_(
    "I tried to answer three times, but Telegram never confirmed it. If my answer isn't here, "
    "please ask again."
)
ACTION_S = 4.5  # Telegram shows an action for 5 s
_AS_IT_IS = "message is not modified"
# What shall be changed is gone, too old, of before a move, or holds no words: they are said anew.
_NO_SUCH_TEXT = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message to edit",
    "group migrated to supergroup",
)
SHOWN_ALREADY = Sent(())
"""What came of an edit that would have changed nothing, known by identity."""


def text_payload(
    text: str,
    buttons: Buttons | None = None,
    *,
    reply_to: int | None = None,
    markup: dict[str, Any] | None = None,
    silent: bool = False,
) -> Payload:
    """Return a message of HTML; ``markup`` is what it has instead of buttons (Bot API)."""
    return {
        **({"silent": True} if silent else {}),
        "kind": "text",
        "text": str(text),
        "buttons": buttons or [],
        "reply_to": reply_to,
        "markup": markup,
    }


def edit_payload(chat_id: int, message_id: int, text: str, buttons: Buttons | None) -> Payload:
    """Return a new text and new buttons for a message of ours, which no other chat has."""
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
    under: Payload | None = None,
) -> Payload:
    """Return an album.

    ``under`` is sent after the album has arrived. ``asked`` is the message that messages about
    failed items reply to.
    """
    return {
        **({"asked": asked} if asked else {}),
        **({"as_files": True} if as_files else {}),
        **({"under": under} if under else {}),
        "kind": "album",
        "stories": dump_stories(list(album.stories)),
        "caption": None if caption is None else str(caption),
        "asker": [asker.chat_id, asker.user_id, asker.is_owner],
        "buttons": buttons or [],
        "reply_to": reply_to,
    }


def document_payload(data: str, filename: str, caption: str) -> Payload:
    """Return a file of text."""
    return {"kind": "document", "data": data, "filename": filename, "caption": caption}


def _unsent_rest(payload: Payload, outcome: Outcome) -> Payload:
    """Return what of a payload has not arrived."""
    if payload["kind"] != "album" or not outcome.items:
        return payload
    there = {item.pk for item in outcome.items}
    left = [story for story in payload["stories"] if story["pk"] not in there]
    return {**payload, "stories": left, "caption": None}


def _follow_ups(payload: Payload, outcome: Outcome) -> list[Payload]:
    """Return the messages that follow a reply: failures of items, then the line under an album.

    A message that Telegram refused for its content is a bug: its follow-up carries a code.
    """
    t, asked = translator_for(payload.get("language")), _asked(payload)
    if isinstance(outcome, GiveUp) and outcome.scope == "item" and "language" in payload:
        incident = secrets.token_hex(4)
        log.error("incident", incident=incident, reason=outcome.reason, kind=payload["kind"])
        return [text_payload(t(INCIDENT, incident=incident), reply_to=asked)]
    if payload["kind"] != "album" or not isinstance(outcome, Sent | Muted):
        return []
    said: list[Payload] = []
    if isinstance(outcome, Muted) and outcome.missing in _CANT_SHOW:
        said.append(text_payload(t(_CANT_SHOW[outcome.missing]), reply_to=asked))
    under = [payload["under"]] if outcome.items and "under" in payload else []
    return said + failed_items.payloads(payload, outcome.failed, reply_to=asked) + under


def _asked(payload: Payload) -> int | None:
    """Return the message that a reply answers, None in a private chat."""
    return payload.get("asked") or payload.get("reply_to")


def is_media(payload: Payload) -> bool:
    """Return whether a payload is sent as a file, not as a text."""
    return payload["kind"] in {"album", "document"}


def given_up_payload(payload: Payload) -> Payload | None:
    """Return what is said where an answer was given up; None where that was itself given up."""
    if payload.get("is_last_word"):
        return None
    language = payload.get("language")
    text = translator_for(language)(_NOT_CONFIRMED)
    return {**text_payload(text), "language": language, "is_last_word": True}


class Replies:
    """Sends answers, and what else is said in words."""

    def __init__(self, bot: ExtBot[Any], sender: Sender) -> None:
        """Send by ``bot``, albums by ``sender``."""
        self._bot = bot
        self._sender = sender

    @property
    def bot_name(self) -> str:
        """Return the bot's username, which links into its private chat name."""
        return self._bot.username

    async def send(
        self,
        target: Target,
        payload: Payload,
        *,
        silent: bool = False,
        lane: Lane = "reply",
        leaving: api.Leaving | None = None,
        patience: float | None = None,
        one_by_one: bool = False,
    ) -> Outcome:
        """Send one; return what came of it. ``patience``: seconds that a flood limit may cost.

        ``one_by_one``: the items of an album go alone.

        ``leaving`` is told right before each request that may put some of it into the chat.
        """
        if payload["kind"] == "album":
            async with running_after(1, partial(show_uploading, self._bot, target)):
                return await self._send_album(
                    target, payload, silent=silent, leaving=leaving, one_by_one=one_by_one
                )
        if payload["kind"] == "edit" and payload.get("chat_id") != target.chat_id:
            payload = {**payload, "kind": "text"}  # it has moved, but not its messages
        limits = {"lane": lane, "patience": patience, "leaving": leaving}
        try:
            method, arguments = _api_call(payload)
            arguments |= {"chat_id": target.chat_id}
            if method != "editMessageText":
                arguments |= {
                    "message_thread_id": target.thread_id,
                    "disable_notification": silent or payload.get("silent"),
                }
            message = await api.call(self._bot, method, arguments, limits=limits)
        except api.NotWantedError:
            return NOT_WANTED
        except TelegramError as error:
            why = str(error).lower() if payload["kind"] == "edit" else ""
            if _AS_IT_IS in why:
                return SHOWN_ALREADY
            if any(words in why for words in _NO_SUCH_TEXT):
                anew = {**payload, "kind": "text"}
                return await self.send(
                    target, anew, silent=silent, leaving=leaving, patience=patience
                )
            return outcome_of(error)
        return Sent((SentItem("", message["message_id"]),) if isinstance(message, dict) else ())

    async def _send_album(
        self,
        target: Target,
        payload: Payload,
        *,
        silent: bool,
        leaving: api.Leaving | None,
        one_by_one: bool,
    ) -> Outcome:
        chat_id, user_id, is_owner = payload["asker"]
        stories: tuple[Story, ...] = tuple(load_stories(payload["stories"]))
        options = SendOptions(
            silent=silent,
            reply_to=payload["reply_to"],
            buttons=payload["buttons"],
            as_files=bool(payload.get("as_files")),
            one_by_one=one_by_one,
        )
        return await self._sender.send_album(
            target,
            Album(stories),
            caption_html=payload["caption"],
            options=options,
            asker=Asker(chat_id, user_id, is_owner),
            leaving=leaving,
        )


async def show_uploading(bot: ExtBot[Any], target: Target) -> None:
    """Say "is sending a photo…" again and again, beside what takes long."""
    while True:
        with suppress(TelegramError, DatabaseUnavailableError), refusing_while(None):
            await bot.send_chat_action(
                target.chat_id, ChatAction.UPLOAD_PHOTO, message_thread_id=target.thread_id
            )
        await asyncio.sleep(ACTION_S)


def is_final(outcome: Outcome) -> bool:
    """Return whether an answer need not be sent again: it is there, or never will be."""
    if isinstance(outcome, GiveUp):
        return outcome.scope != "bot"  # which its owner may mend
    return isinstance(outcome, Sent | Muted | Removed)


async def record_reply(
    tx: Tx,
    row_id: int,
    target: Target,
    payload: Payload,
    outcome: Outcome,
    *,
    now: datetime,
) -> bool:
    """Write down what came of an answer: it is done with, there in part, or still to come.

    What can't be said any more is forgotten as well: nobody waits for it. Returns whether
    something is to be said besides.
    """
    if not is_final(outcome):
        if outcome.items:
            await _count_items(tx, target.chat_id, payload, outcome, now=now)
        rest = _unsent_rest(payload, outcome)
        if rest is not payload:
            await deliveries.change(tx, [row_id], fields=rest)
        return False
    if not await deliveries.remove(tx, [row_id]):
        return False  # it was written once already, and the commit's answer was lost
    await _count_items(tx, target.chat_id, payload, outcome, now=now)
    said = _follow_ups(payload, outcome)
    if not said:
        return False
    waiting = await deliveries.waiting_replies(tx, target.chat_id)
    for more in said:
        await _enqueue_follow_up(tx, target, more, waiting, now=now)
    return True


async def _enqueue_follow_up(
    tx: Tx, target: Target, payload: Payload, waiting: dict[int, Payload], *, now: datetime
) -> None:
    """Enqueue a follow-up, unless a waiting reply says the same of another album of the answer."""
    for row_id, other in waiting.items():
        if merged := failed_items.merge(other, payload):
            await deliveries.change(tx, [row_id], fields=merged)
            waiting[row_id] = merged
            return
        is_same = all(other.get(key) == payload[key] for key in ("text", "reply_to"))
        if is_same and not payload["buttons"]:
            return
    await enqueue.add_reply(tx, target, payload, now=now, due_at=now)


async def _count_items(
    tx: Tx, chat_id: int, payload: Payload, outcome: Outcome, *, now: datetime
) -> None:
    """Count the stories that a chat got of what it asked for."""
    if payload["kind"] == "album" and outcome.items:
        got = usage.Use(items=len(outcome.items))
        await usage.add(tx, [(chat_id, got)], day=now.date())


def _api_call(payload: Payload) -> tuple[str, dict[str, Any]]:
    """Return the method and the arguments that bring a payload."""
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
