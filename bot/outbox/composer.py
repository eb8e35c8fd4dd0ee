"""An alert in a chat's own words: an album with its caption, or what else is to be told."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from bot.domain.alert_rules import LONGEST_WAIT
from bot.domain.model import Outcome
from bot.domain.records import Chat
from bot.domain.selection import Batch
from bot.domain.zones import zone_of
from bot.presentation.actions import Buttons
from bot.presentation.buttons import OPTIONS, alert_buttons, link_buttons, options_link
from bot.presentation.captions import LINK_ROOM, caption, with_link
from bot.presentation.notices import render
from bot.presentation.translation import Translator, translator_for
from bot.sending.items import SendOptions
from bot.sending.replies import Replies, text_payload
from bot.sending.sender import Sender
from bot.telegram.api import Leaving

PATIENCE_S = 5.0  # that an answer waits here for a flood limit; else in the store

# Written once for all who read it at the same time in the same words.
_caption = lru_cache(maxsize=256)(caption)


class Alerts:
    """Sends what a chat is owed, as its settings and its subscriptions want it."""

    def __init__(
        self,
        sender: Sender,
        replies: Replies,
        *,
        now: Callable[[], datetime],
    ) -> None:
        """``sender`` brings albums, ``replies`` sentences, and answers that had to wait."""
        self._replies = replies
        self._sender = sender
        self._now = now

    async def send(self, chat: Chat, batch: Batch, *, leaving: Leaving | None = None) -> Outcome:
        """Send one batch; return what came of it.

        ``leaving`` is told right before each request that may put some of it into the chat.
        """
        if batch.reply:
            return await self._replies.send(
                batch.target,
                batch.reply.fields,
                silent=batch.is_repeat or batch.is_late,
                leaving=leaving,
                patience=PATIENCE_S,
                one_by_one=batch.reply.goes_alone,
            )
        t = translator_for(chat.effective_language).in_zone(zone_of(chat.zone))
        if batch.album is None:
            return await self._send_notices(batch, t, leaving)
        now = self._now()
        text = _caption(
            batch.album.stories,
            t,
            now=now.replace(second=now.second // 10 * 10, microsecond=0),  # one for ten seconds
            options=batch.rows[0].options,
            spare=LINK_ROOM,
        )
        if chat.kind != "channel" and len(batch.album.stories) > 1:
            link = options_link(self._replies.bot_name, chat.id, batch.rows[0].subscription_id)
            text = with_link(text, t.plain(OPTIONS), link, t)
        return await self._sender.send_album(
            batch.target,
            batch.album,
            caption_html=text,
            options=_send_options(batch, _alert_buttons(chat, batch, t), now),
            lane="alert",
            leaving=leaving,
        )

    async def _send_notices(self, batch: Batch, t: Translator, leaving: Leaving | None) -> Outcome:
        notice = batch.rows[0].notice or ""
        sentences = render(notice, [row.fields for row in batch.rows], t)
        text = "\n\n".join(sentences)
        return await self._replies.send(
            batch.target, text_payload(text), silent=batch.is_repeat, lane="alert", leaving=leaving
        )


def _alert_buttons(chat: Chat, batch: Batch, t: Translator) -> Buttons | None:
    """One story has its buttons; in channels, where anybody could press them, its links only."""
    album = batch.album
    if album is None or len(album.stories) > 1:
        return None
    if chat.kind == "channel":
        return link_buttons(album.stories[0]) or None
    return alert_buttons(album.stories[0], t, batch.rows[0].subscription_id)


def _send_options(batch: Batch, buttons: Buttons | None, now: datetime) -> SendOptions:
    """What may be in the chat already comes without a sound; order is not kept for ever."""
    oldest = min(row.created_at for row in batch.rows)
    options = batch.rows[0].options
    return SendOptions(
        silent=options.silent or batch.is_repeat,
        spoiler=options.spoiler,
        protect=options.protect,
        as_files=options.files,
        in_order=now < oldest + LONGEST_WAIT,
        buttons=buttons or [],
    )
