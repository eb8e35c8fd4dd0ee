"""Inline queries, ``@bot natgeo`` in any chat: the results are cached stories and cost 0 credits.

The buttons under a result are only links, because Telegram names no chat for a press of any other
button.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from telegram import Update
from telegram.error import BadRequest

from bot.context import Context, ensure_chat_and_translator
from bot.domain import links
from bot.domain.links import Link
from bot.domain.model import Story
from bot.domain.records import KnownFile
from bot.domain.sentences import N_
from bot.presentation import actions
from bot.presentation.buttons import alert_buttons
from bot.presentation.captions import caption
from bot.presentation.translation import Translator
from bot.telegram.calls import Calls
from handlers.admission import admit_or_refuse

HOW = N_("How it works")
ALL = N_("All stories from {username}")
CACHED = timedelta(seconds=30)
HeldStory = tuple[Story, KnownFile]
_BEGINNING = re.compile(r"@?([a-z0-9._]{0,30})", re.ASCII)  # the first letters of a profile name
_FIELDS = {
    "photo": ("photo", "photo_file_id"),
    "video": ("video", "video_file_id"),
    "animation": ("mpeg4_gif", "mpeg4_file_id"),
}


async def answer_inline_query(update: Update, context: Context) -> None:
    """Answer with at most 50 cached stories, or with a button that opens the private chat.

    A person without access gets an empty list without the button. A further page is empty.

    Raises:
        TelegramError: The answer without results failed, or the answer with results failed for a
            reason other than ``BadRequest``.
        DatabaseUnavailableError: The database is unavailable.
    """
    query = update.inline_query
    if query is None:
        return
    results: list[HeldStory] = []
    button: dict[str, str] | None = None
    if not query.offset and await admit_or_refuse(context):
        await ensure_chat_and_translator(update, context)
        beginning = _BEGINNING.fullmatch(query.query.strip().lower())
        link = profile_or_story_link_in(query.query)
        results = await context.services.viewer.read_cached_stories(
            query.from_user.id, context.bot.id, beginning and beginning[1], link
        )
        button = _button_above_results(link, context)
    try:
        await _send_results(context, query.id, results, None if results else button)
    except BadRequest:
        # Telegram refuses all results if the ``file_id`` of one story is invalid. The answer is
        # then only the button that opens a page in the private chat. This page renews the file.
        if not results:
            raise
        await _send_results(context, query.id, [], button)


async def _send_results(
    context: Context, query_id: str, results: Sequence[HeldStory], button: dict[str, str] | None
) -> None:
    arguments = {
        "inline_query_id": query_id,
        "results": [_inline_result(*result, context.t) for result in results],
        "cache_time": cache_seconds(results, context.now),
        "is_personal": True,
        "button": button,
    }
    # The call waits for a flood limit for at most 5 seconds, because people do not wait longer for
    # an inline answer.
    await Calls(context.bot).call_once("answerInlineQuery", arguments, longest_wait_s=5)


def cache_seconds(results: Sequence[HeldStory], now: datetime) -> int:
    """Return the seconds for which Telegram may cache an answer.

    The result is 30, or less than 30 if a story expires in less than 30 seconds.
    """
    ends = min([now + CACHED, *(story.expires_at for story, _ in results)])
    return max(0, int((ends - now).total_seconds()))


def profile_or_story_link_in(text: str) -> Link | None:
    """Return the profile name, or the link to a profile or story, in an inline query.

    Return None for any other query. If the query contains several links, only the first link of a
    supported kind is considered.
    """
    link = links.parse_username_or_link(text) or links.link_to_answer(links.find_links(text))
    return link if link and link.kind in {"profile", "story"} else None


def _button_above_results(link: Link | None, context: Context) -> dict[str, str]:
    """Return the button above an empty list. The button opens a page in the private chat."""
    text = context.t.plain(HOW)
    data = actions.HELP("see")
    if link and link.username:
        text = context.t.plain(ALL, username=link.username)
        data = actions.CARD(link.username)
    return {"text": text, "start_parameter": actions.encode_payload(data)}


@lru_cache(maxsize=1_000)  # each typed letter causes a query, and the results are often the same
def _inline_result(story: Story, file: KnownFile, t: Translator) -> dict[str, Any]:
    kind, field = _FIELDS[file.kind]
    return {
        "type": kind,
        "id": story.pk,
        field: file.file_id,
        "title": f"{story.profile.username} · {t.date_and_time(story.taken_at)}",
        "caption": caption([story], t, now=story.taken_at),
        "parse_mode": "HTML",
        "reply_markup": {"inline_keyboard": alert_buttons(story, t, None)},
    }
