"""/start and /language: the greeting, pages opened by links, and the choice of the language."""

from collections.abc import Awaitable, Callable
from functools import partial

from bot.context import Context
from bot.domain.sentences import N_
from bot.presentation import actions
from bot.presentation.actions import Page, back_button, button, grid
from bot.presentation.translation import LANGUAGES, language_for, translator_for
from handlers import access, card, members, payers, settings, subscriptions, talk
from handlers.admission import entry_link_payload
from handlers.commands import publish_chat_menu
from handlers.guard import UNKNOWN_BUTTON, command, on_press
from handlers.help import buttons_to_add_bot, help_page
from handlers.managed_chats import set_managed_chat
from handlers.people import WELCOME
from handlers.press_answers import PopUpText
from handlers.replies import WasAnswered, edit_pressed, say

PAGES: dict[actions.Kind, Callable[..., Awaitable[Page]]] = {
    actions.CARD: partial(card.card_page, has_more=True),
    actions.SUBSCRIPTIONS: subscriptions.subscriptions_page,
    actions.SUBSCRIPTION: subscriptions.get_options_page_and_expect_zone,
    actions.HELP: help_page,
    actions.MINE: payers.become_payer_page,
}
"""The pages that a link can open. A link cannot run a command."""

WHICH_LANGUAGE = N_("Which language should I use here?")


@command("start")
async def greet_or_redeem_or_open_link(context: Context) -> None:
    """Send the greeting, open the page of a link, or use an owner link or an invitation link.

    A page is a card, a page of the help, or a page of the current or a managed chat.

    Raises:
        BotError: The errors of ``_send_linked_page``.
    """
    if context.args and await _send_linked_page(context, actions.decode_payload(context.args[0])):
        return
    if not context.is_private:
        text, buttons = members.greeting_page(context.update_chat, context)
        await say(context, text, None if context.is_channel else buttons)
        return
    invitation = entry_link_payload(context)
    greeting = await access.redeem_entry_link(context, invitation) if invitation else None
    hello, first = greeting or (context.t(WELCOME), talk.example_button(context))
    await say(context, hello, [*first, *buttons_to_add_bot(context)])


async def _send_linked_page(context: Context, data: str) -> WasAnswered:
    """Send the page of a link. Return False if the link names no page.

    Raises:
        RightsError: The errors of ``set_managed_chat`` for the group or channel of the link.
        NotFollowedError: The subscription of the link has ended.
    """
    for kind, opened in PAGES.items():
        args = kind.parse_arguments(data)
        if args is not None:
            chat_id = actions.split_off_chat_id(data)[0]
            if chat_id is not None:
                await set_managed_chat(context, chat_id)
            await say(context, *await opened(context, *args))
            return True
    return False


@command("language", channel_after=0)
async def offer_languages(context: Context) -> None:
    """Send a button for each language."""
    await say(context, *_language_page(context))


@on_press(actions.LANGUAGES)
async def offer_languages_in_place(context: Context) -> None:
    """Replace the settings page by a button for each language."""
    await edit_pressed(context, *_language_page(context))


@on_press(actions.LANGUAGE)
async def set_language(context: Context, code: str) -> PopUpText | None:
    """Change the language of the chat to the language of the pressed button.

    The answer has a button for the previous language, so that a person can undo a mistaken press.
    """
    if code not in LANGUAGES:
        return context.t.plain(UNKNOWN_BUTTON)
    before = language_for(context.chat.effective_language)
    changed = await context.services.chats.store_columns_and_return_chat(
        context.chat.id, language=code
    )
    context.chat = changed or context.chat
    context.t = translator_for(code).in_zone(context.t.zone)
    text = context.t("From now on I'll use English here.")
    rows = [[back_button(context.t, settings.TOP)]]
    if before != code:
        rows.insert(0, [button(LANGUAGES[before].name, actions.LANGUAGE(before))])
    await edit_pressed(context, text, rows)
    await publish_chat_menu(context)
    return None


def _language_page(context: Context) -> Page:
    # The language that Telegram names may have no translation. In that case, the bot uses a
    # different language.
    current = language_for(context.chat.effective_language)
    buttons = [
        button(f"✓ {language.name}" if code == current else language.name, actions.LANGUAGE(code))
        for code, language in LANGUAGES.items()
    ]
    rows = [*grid(buttons, 2), [back_button(context.t, settings.TOP)]]
    return context.t(WHICH_LANGUAGE), rows
