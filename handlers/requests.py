"""Requests in plain words: what the command does, or a button that does it.

Nothing is deleted, ended or paid before a button is pressed.
"""

from bot.context import Context
from bot.domain.command_words import parse
from bot.domain.plain_requests import Request, request_in
from bot.domain.sentences import N_
from handlers import card, subscriptions
from handlers.guard import OBEYED
from handlers.replies import say
from handlers.understood import offer_for_many, offer_understood

PRICE = N_("I'm free for you: the bot's owner pays for me. /usage shows today's limit.")


async def answer_request(context: Context, text: str) -> bool:
    """Answer a text that asks for a command in plain words; return whether it does."""
    request = request_in(text, context.t.language)
    if request is None:
        return False
    if request.command == "price":
        await say(context, context.t(PRICE))
    elif request.command == "unsubscribe":
        await _offer_to_stop(context, request)
    elif request.names:
        await _offer_for_names(context, request)
    else:
        context.args = []
        await OBEYED[request.command].serve(context)
    return True


async def _offer_to_stop(context: Context, request: Request) -> None:
    """Offer to end subscriptions: the named ones, else each of the chat."""
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
    """Offer a command for the names in a request: the names that the bot knows count first.

    Several words of which the bot knows none may be anything: the command asks for a name.
    """
    known = await context.services.subscriptions.known_names(request.names)
    names = known or list(request.names)
    is_sure = bool(known) or len(names) == 1 or request.is_list
    if not is_sure:
        context.args = []
        await OBEYED[request.command].serve(context)
    elif len(names) > 1 and request.command in {"stories", "subscribe"}:
        await offer_for_many(context, names, [request.command])
    else:
        await say(context, *await card.card_page(context, names[0]))
