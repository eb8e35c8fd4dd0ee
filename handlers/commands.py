"""The command menus and the descriptions of the bot, in every language."""

import hashlib
import json
from collections.abc import Iterable
from functools import partial

import structlog
from telegram import BotCommand, BotCommandScopeChat
from telegram import Chat as TgChat
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.context import Context
from bot.domain.sentences import N_
from bot.operations.menu import BotText
from bot.presentation.translation import (
    LOCALES,
    Translator,
    languages_by_code,
    translator_for,
)
from bot.updates import unit_of_work
from handlers.rights import COMMANDS, OWNER

log = structlog.get_logger()

ABOUT = N_(
    "I bring Instagram stories to Telegram. Send me the name of a public profile or a link to a "
    "story, and I'll show it to you, or send you every new one."
)
SHORT = N_("Instagram stories in Telegram, and an alert for every new one.")


def menus_and_descriptions(bot: ExtBot[None]) -> dict[str, BotText]:
    """Return the menus and descriptions to publish.

    The keys are the names under which ``operations.menu.Menu`` stores the digests of published
    texts. The name of the bot is not published, because the owner chooses the name.
    """
    # Telegram accepts only language codes of two letters. The menu without a code serves all other
    # languages.
    known = ["", *(code for code in languages_by_code() if len(code) == 2)]  # noqa: PLR2004 - letters
    things: dict[str, BotText] = {}
    for code in known:
        menu = _menu_commands(translator_for(code))
        publish = partial(bot.set_my_commands, menu, language_code=code or None)
        things[f"menu:{code}"] = BotText(_menu_rows(menu), publish)
    for code in known:
        about, short = (translator_for(code).plain(text) for text in (ABOUT, SHORT))
        things[f"about:{code}"] = BotText(
            about, partial(bot.set_my_description, about, language_code=code or None)
        )
        things[f"short:{code}"] = BotText(
            short, partial(bot.set_my_short_description, short, language_code=code or None)
        )
    return things


def digest_of_menu_sources() -> str:
    """Return a digest of the English texts, the language codes and the files of all catalogues.

    With an unchanged digest, ``menus_and_descriptions`` returns the same texts as before.
    """
    english = [_menu_rows(_menu_commands(translator_for("en"))), ABOUT, SHORT]
    digest = hashlib.sha256(json.dumps([english, languages_by_code()]).encode())
    for file in sorted(LOCALES.glob("*/LC_MESSAGES/bot.po")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


async def publish_chat_menu(context: Context) -> None:
    """Publish the command menu of the chat to which the update applies (``Context.chat``).

    A channel gets no menu. Except in an owner's private chat, a menu needs a chosen language or an
    earlier menu. The menu is published after the replies. A refusal by Telegram is only logged.
    """
    chat = context.chat
    is_owners = context.is_owner and chat.kind == TgChat.PRIVATE
    if chat.kind == TgChat.CHANNEL or not (is_owners or chat.language or chat.menu):
        return
    # The translator of the context is not used, because a command in a private chat can apply to
    # another chat with another language.
    menu = _menu_commands(translator_for(chat.effective_language), for_owner=is_owners)
    own = BotText(
        _menu_rows(menu),
        partial(context.bot.set_my_commands, menu, scope=BotCommandScopeChat(chat.id)),
    )
    if own.digest == chat.menu:
        return

    async def publish() -> None:
        try:
            await own.publish()
        except TelegramError as error:
            log.info("a chat's menu is not taken", reason=str(error))
            return
        with unit_of_work.with_current_unit(None):
            await context.services.chats.store_columns_and_return_chat(chat.id, menu=own.digest)

    await unit_of_work.call_after_replies(publish)


def _menu_rows(menu: Iterable[BotCommand]) -> list[list[str]]:
    return [[command.command, command.description] for command in menu]


def _menu_commands(t: Translator, *, for_owner: bool = False) -> list[BotCommand]:
    return [
        BotCommand(word, t.plain(command.menu))
        for word, command in COMMANDS.items()
        if command.menu and (for_owner or command.right is not OWNER)
    ]
