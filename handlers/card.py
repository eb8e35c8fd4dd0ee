"""What is offered for a profile's name: its stories or its alerts, a button each."""

from bot.context import Context
from bot.domain.errors import N_, NotFollowedError
from bot.presentation import actions
from bot.presentation.actions import Page
from bot.presentation.buttons import follow_button

WHICH = N_("Do you want to see the stories from <b>{username}</b> now, or get every new one?")


async def card(context: Context, username: str, *, has_more: bool = False) -> Page:
    """Return what can be done with a profile; nothing is paid until a button is pressed.

    ``has_more``: also what is wanted less often, as of who comes from an album.
    """
    try:
        result = await context.services.subscriptions.named(context.chat.id, username)
    except NotFollowedError:
        followed = None
    else:
        followed = result[0].id
    show = context.button(N_("Show"), actions.STORIES(username))
    rows = [[show, follow_button(username, context.t, followed)]]
    if has_more:
        highlights = context.button(N_("Highlights"), actions.HIGHLIGHTS(username))
        files = context.button(N_("As files"), actions.FILES(f"@{username}"))
        rows.append([highlights, files])
    return context.t(WHICH, username=username), rows
