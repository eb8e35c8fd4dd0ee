"""/past NAME [7d]: the stories of a profile that the bot sent to this chat before; free."""

import re
from datetime import timedelta

from bot.chats.past import Page
from bot.context import Context
from bot.domain import links
from bot.domain.alert_rules import KEPT_FOR
from bot.domain.errors import NothingKeptError
from bot.domain.sentences import N_
from bot.presentation.actions import PAST
from handlers.guard import command, on_press
from handlers.replies import say
from handlers.show import offer_instead, show_albums
from handlers.subscriptions import ask_which_profile

USAGE = N_(
    "Write it like this: /past <i>name</i>, or /past <i>name</i> 7d for the last seven days."
)
CHOOSE = N_("Whose stories would you like to see again?")
EARLIER = N_("There are earlier ones, too.")

_SPAN = re.compile(r"(\d{1,3})d?", re.IGNORECASE)


@command("past", channel_after=1, usage=USAGE)
async def send_past_stories(context: Context) -> None:
    """Send stories again that were sent to the chat; without a name, ask for a profile."""
    arguments = context.words
    if not arguments:
        await ask_which_profile(context, CHOOSE, "past", USAGE)
        return
    link = links.parse_argument(arguments[0])
    span = _SPAN.fullmatch(arguments[1]) if len(arguments) == 2 else None  # noqa: PLR2004 - a name and a span
    if link is None or link.username is None or (len(arguments) > 1 and span is None):
        await say(context, context.t(USAGE))
        return
    days = timedelta(days=max(1, int(span[1]))) if span else KEPT_FOR
    try:
        result = await context.services.past.latest_page(
            context.chat.id, context.bot.id, link.username, within=min(days, KEPT_FOR)
        )
    except NothingKeptError as error:
        await offer_instead(context, error)
    else:
        await _show_kept_page(context, link.username, result)


@on_press(PAST)
async def show_past_page(context: Context, username: str, offset: int | None) -> None:
    """Show a profile's kept stories, or the stories before the newest ``offset`` stories."""
    result = await context.services.past.latest_page(
        context.chat.id, context.bot.id, username, offset=offset or 0
    )
    await _show_kept_page(context, username, result)


async def _show_kept_page(context: Context, username: str, page: Page) -> None:
    is_last = page.more is None
    await show_albums(context, list(page.albums), originals=page.originals, is_last=is_last)
    if page.more is not None:
        more = context.button(N_("Show earlier ones"), PAST(username, page.more))
        await say(context, context.t(EARLIER), [[more]])
