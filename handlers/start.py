"""/start, /help and /language: who the bot is and what it understands."""

from telegram import Chat, InlineKeyboardButton, Update

from bot.context import Context
from bot.domain import links
from bot.domain.errors import N_
from bot.presentation.buttons import Buttons, read_payload
from bot.presentation.translation import LANGUAGES, language_for, translator_for
from handlers import (
    access,
    card,
    highlights,
    members,
    options,
    privacy,
    settings,
    stories,
    subscriptions,
    talk,
)
from handlers.admission import start_link
from handlers.guard import UNKNOWN_BUTTON, Handler, act_on, command, pressed
from handlers.replies import rewrite, say

WELCOME = N_(
    "👋 Hi! I bring you Instagram stories as photos and videos.\n"
    "Send me the name of a profile or a link to a story, and I'll show it to you.\n"
    "Tap Subscribe under a story, and I'll send you every new one. More: /help"
)
HELP = N_(
    "<b>See stories</b>\n"
    "Paste a link like instagram.com/stories/natgeo/… or write:\n"
    "/stories <i>name</i>: all stories from a profile\n"
    "/stories <i>name</i> 3: only the latest three\n"
    "/highlights <i>name</i>: the collections a profile keeps\n\n"
    "<b>Get alerts</b>\n"
    "/subscribe <i>name</i>: an alert here for every new story\n"
    "/subscribe <i>name name name</i>: several at once\n"
    "/subscribe <i>name</i> fast: the same, checked more often\n"
    "/subscribe <i>name</i> topic: in a topic of its own\n"
    "/subscribe <i>name</i> @channel: alerts in a channel where you and I are "
    "admins\n"
    "/subscriptions: this chat's subscriptions and their options\n"
    "/unsubscribe <i>name</i>: stop the alerts\n"
    "/why <i>name</i>: when I last checked, and when I'll check next\n"
    "/preview <i>name</i>: what its options let through now\n"
    "/rules <i>name</i>: which of its stories bring an alert\n"
    "/past <i>name</i>: its stories that I sent here before\n\n"
    "<b>This chat</b>\n"
    "/settings: time zone, quiet hours, daily summary\n"
    "/timezone <i>city</i>: the time zone\n"
    "/language: choose a language\n"
    "/usage: what this chat has used\n"
    "/export and /import: take your subscriptions along\n"
    "/privacy: what I store, and how to delete it\n\n"
    "I can only see public profiles. Stories disappear after 24 hours."
)
WHICH_LANGUAGE = N_("Which language should I use here?")


@command("start")
async def start(update: Update, context: Context) -> None:
    """Greet, or follow a link: to a profile's stories, or to a page of a channel of theirs.

    A group or channel is told what it can do there: a bare name is not answered in it.
    """
    payload = context.args[0] if context.args else ""
    page = read_payload(payload)
    if page:
        await open_page(update, context, *page)
        return
    link = links.parse_argument(payload.removeprefix("p_").replace("-", "."))
    if payload.startswith("p_") and link and link.username:
        await card.show_card(update, context, link.username, has_more=True)
        return
    if await highlights.follow_link(update, context, payload):
        return
    if payload.startswith("stories_"):
        context.args = [payload.removeprefix("stories_").replace("-", ".")]
        await stories.stories(update, context)
        return
    if update.effective_chat and update.effective_chat.type != Chat.PRIVATE:
        await say(update, context, *members.greeting(update.effective_chat, context))
        return
    invitation = start_link(update)
    text = await access.come_in(update, context, invitation) if invitation else None
    await say(update, context, text or context.t(WELCOME), talk.example(context))


async def open_page(update: Update, context: Context, chat_id: int | None, page: str) -> None:
    """Show the settings of a group, a channel or this chat (None); changes nothing by itself.

    Raises:
        RightsError: The person may not run that chat.
    """
    if chat_id is not None:
        await act_on(update, context, chat_id)
    if page == "settings":
        text, buttons = settings.overview(context)
    elif page == "language":
        text, buttons = context.t(WHICH_LANGUAGE), _choices(context)
    elif page == "privacy":
        text, buttons = privacy.about_chat(context)
    elif page.isdigit():
        one = await context.services.subscriptions.get(context.chat.id, int(page))
        text, buttons = options.options_page(one, context)
    else:
        text, buttons = await subscriptions.listed(context, 0)
        if not buttons and context.about is not None:  # "Set it up" leads here
            buttons = settings.overview(context)[1]
    await say(update, context, text, buttons)


@command("help")
async def show_help(update: Update, context: Context) -> None:
    """List what the bot understands."""
    await say(update, context, context.t(HELP))


@command("language")
async def language(update: Update, context: Context) -> None:
    """Offer the languages as buttons."""
    await say(update, context, context.t(WHICH_LANGUAGE), _choices(context))


@pressed("language", r"language$")
async def language_page(update: Update, context: Context, data: str) -> None:  # noqa: ARG001 - every button has these
    """Offer the languages in place of the settings."""
    await rewrite(update, context, context.t(WHICH_LANGUAGE), _choices(context))


@pressed("language:", r"language:")
async def set_language(update: Update, context: Context, data: str) -> str | None:
    """Speak the language of the pressed button from now on."""
    code = data.partition(":")[2]
    if code not in LANGUAGES:
        return context.t.plain(UNKNOWN_BUTTON)
    await context.services.chats.change(context.chat.id, language=code)
    context.t = translator_for(code).in_zone(context.t.zone)
    text = context.t(N_("From now on I'll use English here."))
    await rewrite(update, context, text, [[settings.back(context)]])
    return None


def _choices(context: Context) -> Buttons:
    current = language_for(context.chat.effective_language)  # a channel's may be another than ours
    buttons = [
        InlineKeyboardButton(
            f"✓ {name}" if code == current else name, callback_data=f"language:{code}"
        )
        for code, name in LANGUAGES.items()
    ]
    return [*(buttons[i : i + 2] for i in range(0, len(buttons), 2)), [settings.back(context)]]


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    ours = (start, show_help, language, language_page, set_language)
    return [one.handler for one in ours]
