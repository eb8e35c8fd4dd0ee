"""The card of a profile: the last known stories, with buttons to show stories and to subscribe."""

from bot.context import Context
from bot.domain.sentences import N_, NN_
from bot.presentation import actions
from bot.presentation.actions import Page
from bot.presentation.buttons import subscribe_or_options_button
from handlers.guard import on_press
from handlers.replies import edit_pressed
from handlers.show import subscription_id_of

WHICH = N_("Do you want to see the stories from <b>{username}</b> now, or get every new one?")
LIVE = NN_("<b>{username}</b>: {n} story · {when}", "<b>{username}</b>: {n} stories · {when}")
NONE_LIVE = N_("<b>{username}</b>: no stories at my last check")


async def card_page(context: Context, username: str, *, has_more: bool = False) -> Page:
    """Return the card of a profile, for 0 credits.

    The number of the last known stories is shown only if the chat has subscribed to the profile.
    With ``has_more``, the card has a button to get the stories as files.
    """
    followed = await subscription_id_of(context, username)
    text: str = context.t(WHICH, username=username)
    if followed is not None:
        text = await last_found_stories_line(context, username) or context.t(
            NONE_LIVE, username=username
        )
    show = context.button(N_("Show stories"), actions.RUN("stories", username))
    more = [context.button(N_("Highlights"), actions.RUN("highlights", username))]
    if has_more:
        more.append(context.button(N_("As files"), actions.FILES(f"@{username}")))
    return text, [[show, subscribe_or_options_button(username, context.t, followed)], more]


@on_press(actions.CARD)
async def replace_pressed_message_by_card(context: Context, username: str) -> None:
    """Show the card of a profile in place of the message with the buttons under an album."""
    await edit_pressed(context, *await card_page(context, username, has_more=True))


async def last_found_stories_line(context: Context, username: str) -> str:
    """Return the line with the number of stored live stories of a profile.

    If no live stories are stored, return an empty string.

    Raises:
        NotFollowedError: The chat has no subscription to the profile.
    """
    live = await context.services.subscriptions.stored_live_stories(
        username, chat_id=context.chat.id
    )
    if not live:
        return ""
    when = context.t.relative_time(max(story.taken_at for story in live))
    return context.t(LIVE, n=len(live), username=username, when=when)
