"""/help: a short overview of the bot, with a button for each section."""

from typing import TypeAlias

from bot.context import Context
from bot.domain.sentences import N_
from bot.presentation.actions import HELP, Buttons, Page, back_button, grid, link_button
from handlers.guard import command, on_press
from handlers.replies import edit_pressed, say
from handlers.rights import COMMANDS

FirstPage: TypeAlias = None
"""In the type of a section, the first page is meant."""

INLINE = N_(
    "In any other chat: write <code>@{bot} natgeo</code> and tap a story from my last check"
)
LIMITS = N_("I can only see public profiles. Stories disappear after 24 hours.")
DAILY = [command.line for command in COMMANDS.values() if command.menu and command.line]
SHORT = (*DAILY[:3], LIMITS)
MAIN = (
    N_("Send me the name of a profile or a link to a story, and I'll show it to you."),
    *(*DAILY, LIMITS),
    N_("Tap a button to read more."),
)
SECTIONS = {
    "see": (
        N_("See stories"),
        N_("Paste a link like instagram.com/stories/natgeo/… or write:"),
    ),
    "alerts": (N_("Get alerts"),),
    "places": (
        N_("Channels and groups"),
        N_("Add me with a button below. In a group, admins give me commands in the group itself."),
        N_("/subscribe <i>name</i> @channel: alerts in a channel where you and I are both admins"),
        N_("/subscriptions @channel: its subscriptions and their options"),
        N_("/settings @channel: its time zone, quiet hours, language"),
    ),
    "chat": (N_("This chat"),),
}
"""The title and the additional lines of each section of the help.

The lines of the commands are in ``COMMANDS``.
"""


@command("help")
async def show_help(context: Context) -> None:
    """Send the help. Groups and channels get a shorter text than private chats."""
    await say(context, *await help_page(context))


@on_press(HELP)
async def show_help_section(context: Context, section: str | FirstPage) -> None:
    """Show a section of the help in place of the message whose button was pressed.

    If ``section`` is None, show the first page.
    """
    await edit_pressed(context, *await help_page(context, section))


async def help_page(context: Context, section: str | FirstPage = None) -> Page:
    """Return a section of the help. If no section has this name, return the first page."""
    t = context.t
    me = context.bot
    if section in SECTIONS:
        title, *lines = SECTIONS[section]
        for command in COMMANDS.values():
            if command.section == section:
                lines += [command.line, *command.more]
        shown = [f"<b>{t(title)}</b>", *map(t, lines)]
        if section == "see" and me.supports_inline_queries:
            shown.append(t(INLINE, bot=me.username))
        text = "\n".join(shown)
        rows = buttons_to_add_bot(context) if section == "places" else []
        return text, [*rows, [back_button(t, HELP())]]
    text = "\n".join(map(t, MAIN if context.is_private else SHORT))
    sections = [context.button(title, HELP(name)) for name, (title, *_) in SECTIONS.items()]
    return text, grid(sections, 2)


def buttons_to_add_bot(context: Context) -> Buttons:
    """Return the buttons that add the bot to a channel (with the right to post) or to a group."""
    me = f"https://t.me/{context.bot.username}"
    texts = (
        (N_("Add me to a channel"), f"{me}?startchannel&admin=post_messages"),
        (N_("Add me to a group"), f"{me}?startgroup"),
    )
    return [[link_button(context.t.plain(text), url=url)] for text, url in texts]
