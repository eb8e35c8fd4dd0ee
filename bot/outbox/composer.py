"""Alerts: an album with a caption, or notices, in the language and time zone of the chat."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from bot.domain.alert_rules import LONGEST_WAIT
from bot.domain.model import Outcome
from bot.domain.records import SUMMARY, Chat
from bot.domain.selection import Batch
from bot.domain.zones import zone_or_utc
from bot.presentation.actions import Buttons
from bot.presentation.buttons import (
    OPTIONS,
    alert_buttons,
    link_buttons,
    options_link,
    summary_buttons,
)
from bot.presentation.captions import LINK_ROOM, append_link, caption, with_corrected_count
from bot.presentation.notices import notice_messages
from bot.presentation.translation import Translator, translator_for
from bot.sending.items import SendOptions
from bot.sending.replies import Payload, Replies, text_payload
from bot.sending.sender import Sender
from bot.telegram.calls import Calls

# Chats with equal settings that get a story at the same time share one caption.
_caption = lru_cache(maxsize=256)(caption)


class Alerts:
    """Sends alerts according to the settings of the chat and the options of the subscription."""

    def __init__(
        self,
        sender: Sender,
        replies: Replies,
        *,
        now: Callable[[], datetime],
    ) -> None:
        """Create the sender of alerts.

        Albums go through ``sender``, and notices go through ``replies``.
        """
        self._replies = replies
        self._sender = sender
        self._now = now

    async def send_batch_and_buy_missing_files(
        self, chat: Chat, batch: Batch, calls: Calls
    ) -> Outcome:
        """Send a batch to its chat or topic. Return the outcome.

        The budget of the schedule pays 1 credit for each file that must be bought.

        Raises:
            DatabaseUnavailableError: The database failed before a message arrived. Nothing was
                sent.
        """
        t = translator_for(chat.effective_language).in_zone(zone_or_utc(chat.zone))
        if batch.album is None:
            payload = _notice_payload(chat, batch, t)
            return await self._replies.send(
                batch.target, payload, calls=calls, silent=batch.is_repeat
            )
        now, stories = self._now(), batch.album.stories
        text = _caption(
            stories,
            t,
            # The time is rounded down to 10 seconds, so that later calls find the caption in the
            # cache.
            now=now.replace(second=now.second // 10 * 10, microsecond=0),
            options=batch.rows[0].options,
            spare=LINK_ROOM,
        )
        if chat.kind != "channel" and len(batch.album.stories) > 1:
            link = options_link(self._replies.bot_name, chat.id, batch.rows[0].subscription_id)
            text = append_link(text, t.plain(OPTIONS), link, t)
        return await self._sender.send_album_and_buy_missing_files(
            batch.target,
            batch.album,
            caption_html=text,
            caption_for_count=lambda count: with_corrected_count(text, stories, t, count=count),
            options=_send_options(batch, _alert_buttons(chat, batch, t), now),
            calls=calls,
        )


def _notice_payload(chat: Chat, batch: Batch, t: Translator) -> Payload:
    """Return the payload of a single message with all notices of a batch.

    A summary has buttons, except in a channel. The message is silent if all notices are silent.
    """
    notice, fields = batch.rows[0].notice or "", batch.rows[0].fields
    parts = notice_messages(notice, [row.fields for row in batch.rows], t)
    silent = all(row.fields.get("silent") for row in batch.rows)
    has_buttons = notice == SUMMARY and chat.kind != "channel"
    buttons = summary_buttons(fields["posted"]) if has_buttons else None
    return text_payload("\n\n".join(parts), buttons, silent=silent)


def _alert_buttons(chat: Chat, batch: Batch, t: Translator) -> Buttons | None:
    """Return the buttons under an alert, or None if the alert has no buttons.

    An alert in a channel has only links, because every reader of a channel can press a button.
    """
    album = batch.album
    if album is None or len(album.stories) > 1:
        return None
    if chat.kind == "channel":
        return link_buttons(album.stories[0]) or None
    return alert_buttons(album.stories[0], t, batch.rows[0].subscription_id)


def _send_options(batch: Batch, buttons: Buttons | None, now: datetime) -> SendOptions:
    """Return the options of a send.

    The stories must arrive in order, until the oldest row of the batch is older than
    ``LONGEST_WAIT``.
    """
    oldest = min(row.created_at for row in batch.rows)
    options = batch.rows[0].options
    return SendOptions(
        silent=options.silent or batch.is_repeat or batch.is_listed_in_summary,
        spoiler=options.spoiler,
        protect=options.protect,
        as_files=options.files,
        in_order=now < oldest + LONGEST_WAIT,
        buttons=buttons or [],
    )
