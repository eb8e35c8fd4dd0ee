"""The page to choose accounts from a file of Instagram's export. Each name has a button.

The names are not stored. After each press, the bot reads the file again from the message to which
the page replies.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from telegram import Document
from telegram.error import BadRequest, TelegramError

from bot.chats import followed_accounts, import_export
from bot.chats.import_export import Import
from bot.context import Context
from bot.domain.command_words import parse
from bot.domain.errors import (
    ONLY_IN_PRIVATE,
    AskAgainError,
    BotError,
    DatabaseUnavailableError,
    RightsError,
)
from bot.domain.options import Preferences
from bot.domain.records import Subscription
from bot.domain.sentences import N_, NN_
from bot.domain.talk import is_small_talk
from bot.presentation.actions import LIST, PRIMARY, Buttons, Page, arrow_buttons, button
from bot.presentation.html import Safe, paragraphs
from bot.updates import unit_of_work
from handlers.guard import UNKNOWN_BUTTON, on_press
from handlers.managed_chats import set_managed_chat
from handlers.money import cost_text
from handlers.press_answers import PopUpText
from handlers.profile_lists import failure_lines, lines_that_fit
from handlers.replies import WasAnswered, edit_pressed, say, show_working
from handlers.subscriptions import ALREADY, LATER

CHOOSE = NN_(
    "{n} account. Tap it if you want its stories.",
    "{n} accounts. Tap those whose stories you want, or send me part of a name.",
)
PRICE = N_(
    "I don't look anything up until you tap. A new subscription costs up to "
    "{cost}, paid by the bot's owner. The subscription limit of a chat is {most}. "
    "I can't see private accounts."
)
FOUND = N_("In your file:")
TOO_LARGE = N_(
    "This file is too large. Send <code>connections/followers_and_following/following.json</code> "
    "alone; the whole archive also holds your messages."
)
FROM_FILE = NN_(
    "Subscribed to {n} profile from this file.",
    "Subscribed to {n} profiles from this file.",
)
A_PAGE = 6  # maximum number of names on a page
_MOST_FOUND = 12  # maximum number of names that a search shows
# Usual maximum credits of a new subscription, for the lookup of the name and for the stories.
_MOST_COST = 3
_SEARCHED_FOR = timedelta(minutes=10)  # for this time after a list, a message is a search
_LEAST_SEARCH = 2  # minimum characters of a search


class NewExistingAndFailed(NamedTuple):
    """The names with a new subscription, the existing subscriptions, and the failures."""

    new_names: list[str]
    existing: list[tuple[Subscription, str]]
    failed: list[tuple[str, BotError]]


async def download_instagram_follows_or_export(
    context: Context, document: Document
) -> list[str] | Import:
    """Download a file. Return the followed accounts in the file, or the content of an /export.

    A JSON list of names counts as an /export.

    Raises:
        BotError: The file has a different format, or is too large.
        AskAgainError: Telegram does not answer.
    """
    size = document.file_size or 0
    name = (document.file_name or "").lower()
    is_archive = name.endswith(".zip") or document.mime_type == "application/zip"
    if size > followed_accounts.LARGEST_ARCHIVE and is_archive:
        raise BotError("a large archive", text=TOO_LARGE)
    if size > followed_accounts.LARGEST and not is_archive:
        raise BotError("too large", text=import_export.UNREADABLE)
    async with context.services.file_slots.slot(context.user_id):
        data = await _download_document(context, document)
        names = await asyncio.to_thread(followed_accounts.followed_usernames_in, data)
        return import_export.parse_import(data) if names is None else names


async def _download_document(context: Context, document: Document) -> bytes:
    try:
        file = await context.bot.get_file(document.file_id)
        return bytes(await file.download_as_bytearray())
    except BadRequest as error:
        raise BotError(str(error), text=import_export.UNREADABLE) from error
    except TelegramError as error:
        raise AskAgainError(str(error)) from error


async def send_accounts_and_expect_search(
    context: Context, names: Sequence[str], document: Document, message_id: int
) -> None:
    """Send the first page of the accounts in a file, as a reply to the message with the file.

    For ten minutes after this page, a plain message can search these accounts
    (``answer_search_if_expected``).

    Raises:
        RightsError: The chat is not private.
        BotError: The file has no account.
    """
    if not context.is_private:
        raise RightsError(text=ONLY_IN_PRIVATE, command="/import")
    if not names:
        raise BotError("no accounts", text=import_export.UNREADABLE)
    file = {"document": document.to_dict(), "message_id": message_id, "about": context.about}
    await context.set_question(file, valid_for=_SEARCHED_FOR)
    await say(context, *await _accounts_page(context, names, 0), reply_to=message_id)


async def answer_search_if_expected(context: Context, text: str) -> WasAnswered:
    """Search the accounts of a listed file for a text. Return whether the message was answered.

    The answer has at most 12 names. The file must have been listed in the last ten minutes. The
    buttons act on the chat for which the file was sent.

    Raises:
        RightsError: The errors of ``set_managed_chat`` for this chat.
    """
    part = text.strip().lower().removeprefix("@")
    if len(part) < _LEAST_SEARCH or len(part.split()) != 1 or is_small_talk(text):
        return False
    match context.question:
        case {"document": dict() as file, "message_id": int() as message_id, "about": about}:
            document = Document.de_json(file, context.bot)
        case _:
            return False
    try:
        names = await download_instagram_follows_or_export(context, document)
    except BotError:  # a different handler answers the message
        return False
    if isinstance(names, Import):
        return False
    places = [place for place, name in enumerate(names) if part in name]
    # Names that begin with the searched text come first.
    places.sort(key=lambda place: not names[place].startswith(part))
    if not places:
        return False
    if about is not None:
        await set_managed_chat(context, about)
    rows = await _subscribe_button_rows(context, names, places[:_MOST_FOUND])
    await say(context, context.t(FOUND), rows, reply_to=message_id)
    return True


@on_press(LIST)
async def turn_page_or_subscribe(context: Context, action: str, place: int) -> PopUpText | None:
    """Show another page of a list of followed accounts, or subscribe to names on the page.

    Each profile costs 0 to 3 credits, or more if the API refuses the account. Return the text of a
    pop-up, or None.

    Raises:
        BotError: The file has a different format, or is too large.
        AskAgainError: Telegram does not answer.
        DatabaseUnavailableError: The database is unavailable. Earlier subscriptions stay.
    """
    source = context.replied_to
    if source is None or source.document is None or not context.is_private:
        return context.t.plain(UNKNOWN_BUTTON)
    names = await download_instagram_follows_or_export(context, source.document)
    if isinstance(names, Import):
        return context.t.plain(UNKNOWN_BUTTON)
    page = place // A_PAGE if action == "one" else place
    shown = names[page * A_PAGE : (page + 1) * A_PAGE]
    wanted: list[str] = []
    if action == "one":
        wanted = shown[place % A_PAGE :][:1]
    elif action == "all":
        wanted = shown
    if not shown or (action != "page" and not wanted):
        return context.t.plain(UNKNOWN_BUTTON)
    lines = await _subscribe_and_report(context, wanted)
    text, buttons = await _accounts_page(context, names, page)
    if action == "one" and (found := _indexes_if_search_page(context, names)):
        text, buttons = context.t(FOUND), await _subscribe_button_rows(context, names, found)
    await edit_pressed(context, paragraphs(*lines, text), buttons)
    return None


def _indexes_if_search_page(context: Context, names: Sequence[str]) -> list[int]:
    """Return the indexes of those ``names`` that the pressed message shows as a search result.

    If the pressed message shows a page of the whole list, return an empty list.
    """
    markup = context.message.reply_markup if context.message else None
    keys = [key for row in (markup.inline_keyboard if markup else ()) for key in row]
    read = [LIST.parse_arguments(str(key.callback_data)) or ["", 0] for key in keys]
    places = [int(str(place)) for action, place in read if action == "one"]
    page = places[0] // A_PAGE if places else 0
    is_whole_page = places == list(_indexes_on_page(page, names))
    return [] if is_whole_page else [place for place in places if place < len(names)]


def _indexes_on_page(page: int, names: Sequence[str]) -> range:
    """Return the indexes of those ``names`` that a page of the list shows. The first page is 0."""
    return range(page * A_PAGE, min((page + 1) * A_PAGE, len(names)))


async def _subscribe_and_report(context: Context, names: Sequence[str]) -> list[str]:
    """Subscribe to profiles. Return a list with one text about the result, or an empty list.

    Each profile costs 0 to 3 credits, or more if the API refuses the account. Each new
    subscription is committed separately.

    Raises:
        DatabaseUnavailableError: The database is unavailable. Earlier subscriptions stay.
    """
    if not names:
        return []
    wanted = [(name, None) for name in names]
    async with show_working(context):
        done, existing, failed = await subscribe_each(context, wanted)
    lines: list[str] = [context.t(FROM_FILE, n=len(done))] if done else []
    if existing:
        known = [name for _, name in existing]
        lines.append(context.t(ALREADY, n=len(known), username=context.t.names_inside_bold(known)))
    if done and await context.services.subscriptions.find_obstacle_to_checks() == "stopped":
        lines.append(context.t(LATER))
    lines += failure_lines(failed, parse([]), context)
    return [Safe("\n".join(lines_that_fit(lines, context)))] if lines else []


async def subscribe_each(
    context: Context, wanted: Sequence[tuple[str, Preferences | None]]
) -> NewExistingAndFailed:
    """Subscribe to profiles one by one. Return the new names, existing subscriptions and failures.

    Each profile costs 0 to 3 credits, or more if the API refuses the account. Each new
    subscription is committed separately.

    Raises:
        DatabaseUnavailableError: The database is unavailable. Earlier subscriptions stay.
    """
    done: list[str] = []
    existing: list[tuple[Subscription, str]] = []
    failed: list[tuple[str, BotError]] = []
    for name, preferences in wanted:
        try:
            with unit_of_work.with_current_unit(None):  # commit each subscription separately
                subscribed = await context.services.subscribing.subscribe(
                    context.command_target, name, context.asker, preferences=preferences
                )
        except DatabaseUnavailableError:
            raise  # the update is retried, and the new subscriptions stay
        except BotError as error:
            failed.append((name, error))
        else:
            if subscribed.already:
                existing.append((subscribed.subscription, name))
            else:
                done.append(name)
    return NewExistingAndFailed(done, existing, failed)


async def _accounts_page(context: Context, names: Sequence[str], page: int) -> Page:
    """Return a page of names with buttons. The text has the price and the subscription limit."""
    t = context.t
    cost = cost_text(_MOST_COST, context)
    most = context.services.payers.limits.most
    lines = [t(CHOOSE, n=len(names)), t(PRICE, cost=cost, most=most)]
    places = _indexes_on_page(page, names)
    rows = await _subscribe_button_rows(context, names, places)
    followed = await _followed_names(context)
    new = [place for place in places if names[place] not in followed]
    text = t.plain(NN_("Subscribe to {n} profile", "Subscribe to {n} profiles"), n=len(new))
    if new and len(places) > 1:
        rows.append([button(text, LIST("all", page), PRIMARY)])
    rows += arrow_buttons(page, is_last=places.stop == len(names), to=lambda to: LIST("page", to))
    return Safe("\n".join(lines)), rows


async def _subscribe_button_rows(
    context: Context, names: Sequence[str], places: Sequence[int]
) -> Buttons:
    """Return a row with a button for each position in ``places``.

    The label is the name at this position in ``names``. A check mark marks a followed profile.
    """
    followed = await _followed_names(context)
    return [
        [button(("✅ " if names[place] in followed else "") + names[place], LIST("one", place))]
        for place in places
    ]


async def _followed_names(context: Context) -> set[str]:
    """Return the names of the profiles that the chat follows."""
    every = await context.read_subscriptions()
    return {subscription.username for subscription in every}
