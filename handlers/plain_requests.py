"""Requests in plain words: the bot runs the command, or offers a button for the command.

Deletion, unsubscribing and paid calls always need a press of a button.
"""

from dataclasses import replace

from bot.context import Context
from bot.domain.command_words import parse
from bot.domain.plain_requests import Request, request_in
from bot.domain.sentences import N_
from handlers import card, subscriptions
from handlers.confirmation import offer_for_many, offer_understood
from handlers.guard import OBEYED
from handlers.replies import say

PRICE = N_("The bot is free for you: the bot's owner pays. /usage shows today's limit.")
PRICE_FOR_OWNER = N_(
    "You pay for the bot, as its owner; it's free for everyone else. /spending shows the costs."
)


async def answer_request(context: Context, text: str) -> bool:
    """Answer a text that requests a command in plain words; return False without a request."""
    request = request_in(text, context.t.language, is_group=not context.is_private)
    if request is None or not await is_for_bot(context, request):
        return False
    if request.command == "privacy" and await _is_about_profile(context, request):
        request = replace(request, command="unsubscribe")
    if request.command == "price":
        await say(context, context.t(PRICE_FOR_OWNER if context.is_owner else PRICE))
    elif request.command == "unsubscribe":
        await _offer_to_stop(context, request)
    elif request.names and request.command != "privacy":
        await _offer_for_names(context, request)
    else:
        context.args = []
        await OBEYED[request.command].serve(context)
    return True


async def is_for_bot(context: Context, request: Request) -> bool:
    """Return whether a text is a request to the bot.

    In a group, a text with a name is a request only if the name belongs to a stored profile.
    """
    if context.is_private or not request.names or request.is_list:
        return True
    known = await context.services.subscriptions.known_names(request.names)
    return set(known) == set(request.names)


async def _is_about_profile(context: Context, request: Request) -> bool:
    """Return whether a request to delete data names a profile, as "delete account natgeo" does."""
    if request.is_list:
        return True
    return bool(await context.services.subscriptions.known_names(request.names))


async def _offer_to_stop(context: Context, request: Request) -> None:
    """Offer to end the named subscriptions.

    If the chat follows none of the named profiles, list all subscriptions.
    """
    rows = await context.services.subscriptions.every(context.chat.id)
    followed = {one.username for one in rows}
    named = [name for name in request.names if name in followed]
    if named:
        await offer_understood(context, "unsubscribe", parse([f"@{name}" for name in named]))
    elif rows:
        await subscriptions.ask_which_to_stop(context, rows)
    else:
        await say(context, context.t(subscriptions.EMPTY))


async def _offer_for_names(context: Context, request: Request) -> None:
    """Offer the command for the names in a request, preferably for stored profiles.

    If none of several words is a stored profile, the text may be an ordinary sentence. The bot
    then asks for a name.
    """
    known = await context.services.subscriptions.known_names(request.names)
    names = list(request.names)
    if known and not request.is_list:
        names = known
    is_sure = bool(known) or len(names) == 1 or request.is_list
    if not is_sure:
        context.args = []
        await OBEYED[request.command].serve(context)
    elif len(names) > 1 and request.command in {"stories", "subscribe"}:
        await offer_for_many(context, names, [request.command])
    else:
        await say(context, *await card.card_page(context, names[0]))
