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


async def publish_menu(bot: ExtBot[None]) -> None:
    """Give Telegram the menu in every language we speak; English where we speak none."""
    for code in LANGUAGES:
        translator = translator_for(code)
        menu = [BotCommand(name, translator.plain(text)) for name, text in MENU]
        # Telegram knows two-letter codes only; without one the menu is for everybody else.
        await bot.set_my_commands(menu, language_code=None if code == "en" else code[:2])
