"""What Telegram shows of the bot: the menu of commands, and who it is, in every language."""

from collections.abc import Iterable
from functools import partial

from telegram import BotCommand, BotCommandScopeChat
from telegram.ext import ExtBot

from bot.domain.errors import N_
from bot.operations.menu import Shown
from bot.presentation.translation import LANGUAGES, translator_for

MENU = (
    ("stories", N_("Show a profile's stories")),
    ("subscribe", N_("Get alerts for new stories")),
    ("subscriptions", N_("This chat's subscriptions")),
    ("highlights", N_("Show a profile's highlights")),
    ("settings", N_("Time zone, quiet hours, summary")),
    ("help", N_("Help: what I can do")),
)
"""The others hang where they are wanted: on the pages of settings, subscriptions and help."""

OPERATORS = (
    ("health", N_("What is wrong, and how it stands")),
    ("people", N_("Who uses the bot, and the cost")),
    ("invite", N_("A link that lets somebody in")),
    ("admin", N_("The admin page")),
    ("broadcast", N_("Write to all chats")),
    ("spending", N_("What the bot spends")),
    ("stop_spending", N_("Stop all spending")),
    ("resume_spending", N_("Spend again")),
)
"""Commands that only those see who run the bot, each in their private chat."""

ABOUT = N_(
    "I bring Instagram stories to Telegram. Send me the name of a public profile or a link to a "
    "story, and I'll show it to you, or send you every new one."
)
SHORT = N_("Instagram stories in Telegram, and an alert for every new one.")


def shown(bot: ExtBot[None], admin_ids: Iterable[int]) -> dict[str, Shown]:
    """Return all that Telegram shows of the bot, by the name under which it is remembered.

    The bot's name is its owner's business, and the menu's button shows commands by itself.
    """
    menus: dict[str, Shown] = {}
    for code in LANGUAGES:
        menu = _commands(code, MENU)
        words = [[one.command, one.description] for one in menu]
        # Telegram knows two-letter codes only; without one the menu is for everybody else.
        language_code = None if code == "en" else code[:2]
        menus[code] = Shown(words, partial(bot.set_my_commands, menu, language_code=language_code))
    for code in LANGUAGES:
        language_code = None if code == "en" else code[:2]
        about, short = (translator_for(code).plain(text) for text in (ABOUT, SHORT))
        menus[f"about:{code}"] = Shown(
            about, partial(bot.set_my_description, about, language_code=language_code)
        )
        menus[f"short:{code}"] = Shown(
            short, partial(bot.set_my_short_description, short, language_code=language_code)
        )
    for person in sorted(admin_ids):
        scope = BotCommandScopeChat(person)
        for code in LANGUAGES:
            menu = _commands(code, (*MENU, *OPERATORS))
            words = [[one.command, one.description] for one in menu]
            language_code = None if code == "en" else code[:2]
            publish = partial(bot.set_my_commands, menu, scope=scope, language_code=language_code)
            menus[f"operator:{person}:{code}"] = Shown(words, publish)
    return menus


def _commands(code: str, menu: Iterable[tuple[str, str]]) -> list[BotCommand]:
    return [BotCommand(name, translator_for(code).plain(text)) for name, text in menu]
