"""The list of commands that Telegram shows in its menu."""

from telegram import BotCommand
from telegram.ext import ExtBot

from bot.domain.errors import N_
from bot.presentation.translation import LANGUAGES, translator_for

MENU = (
    ("stories", N_("Show a profile's stories")),
    ("subscribe", N_("Get alerts for new stories")),
    ("subscriptions", N_("This chat's subscriptions")),
    ("unsubscribe", N_("Unsubscribe from a profile")),
    ("past", N_("Stories I sent here before")),
    ("why", N_("When I check a profile")),
    ("settings", N_("Time zone, quiet hours, daily summary")),
    ("usage", N_("What this chat has used")),
    ("language", N_("Choose a language")),
    ("privacy", N_("What I store, and how to delete it")),
    ("help", N_("Help: what I can do")),
)


def menus() -> dict[str, list[BotCommand]]:
    """Return the menu in every language we speak, by its code."""
    return {
        code: [BotCommand(name, translator_for(code).plain(text)) for name, text in MENU]
        for code in LANGUAGES
    }


async def publish_menu(bot: ExtBot[None], code: str, menu: list[BotCommand]) -> None:
    """Give Telegram the menu of one language; English is for all whose language we don't speak."""
    # Telegram knows two-letter codes only; without one the menu is for everybody else.
    await bot.set_my_commands(menu, language_code=None if code == "en" else code[:2])
