"""The list of commands that Telegram shows in its menu."""

from telegram import BotCommand
from telegram.ext import ExtBot

from bot.domain.errors import N_
from bot.presentation.translation import LANGUAGES, translator_for

MENU = (
    ("stories", N_("Show the stories of a profile")),
    ("subscribe", N_("Tell this chat of new stories")),
    ("subscriptions", N_("What this chat follows")),
    ("unsubscribe", N_("Stop following a profile")),
    ("why", N_("When I look at a profile")),
    ("settings", N_("Time zone, quiet hours, digest")),
    ("usage", N_("What this chat has used")),
    ("language", N_("Choose the language")),
    ("privacy", N_("What I remember, and how to erase it")),
    ("help", N_("How I work")),
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
