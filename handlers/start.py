"""/start, /help and /language: who the bot is and what it understands."""

from telegram import InlineKeyboardButton, Update

from bot.context import Context
from bot.domain.errors import N_
from bot.presentation.buttons import Buttons, read_payload
from bot.presentation.translation import LANGUAGES, translator_for
from bot.store import chats
from bot.store.unit_of_work import effect
from handlers import options, privacy, settings, stories, subscriptions
from handlers.guard import UNKNOWN_BUTTON, Handler, act_on, command, pressed
from handlers.replies import rewrite, say

WELCOME = N_(
    "👋 Hi! I bring you Instagram stories.\n\n"
    "• Paste a link to a story, and I'll send you the photo or video.\n"
    "• /stories <i>name</i> shows all stories from a profile.\n"
    "• /subscribe <i>name</i> sends you every new story.\n\n"
    "Try /stories natgeo, or see /help."
)
HELP = N_(
    "<b>See stories</b>\n"
    "Paste a link like instagram.com/stories/natgeo/… or write:\n"
    "/stories <i>name</i>: all stories from a profile\n"
    "/stories <i>name</i> 3: only the latest three\n\n"
    "<b>Get alerts</b>\n"
    "/subscribe <i>name</i>: an alert here for every new story\n"
    "/subscribe <i>name</i> fast: the same, checked more often\n"
    "/subscribe <i>name</i> @channel: alerts in a channel where you and I are "
    "admins\n"
    "/subscriptions: this chat's subscriptions and their options\n"
    "/unsubscribe <i>name</i>: stop the alerts\n"
    "/why <i>name</i>: when I last checked, and when I'll check next\n\n"
    "<b>This chat</b>\n"
    "/settings: time zone, quiet hours, daily summary\n"
    "/language: choose a language\n"
    "/usage: what this chat has used\n"
    "/privacy: what I store, and how to delete it\n\n"
    "I can only see public profiles. Stories disappear after 24 hours."
)
WHICH_LANGUAGE = N_("Which language should I use here?")


@command("start")
async def start(update: Update, context: Context) -> None:
    """Greet, or follow a link: to a profile's stories, or to a page of a channel of theirs."""
    payload = context.args[0] if context.args else ""
    page = read_payload(payload)
    if page:
        await open_page(update, context, *page)
        return
    if payload.startswith("stories_"):
        context.args = [payload.removeprefix("stories_").replace("-", ".")]
        await stories.stories(update, context)
        return
    await say(update, context, context.t(WELCOME))


async def open_page(update: Update, context: Context, channel: int, page: str) -> None:
    """Show what a button of a channel would have shown there; changes nothing by itself.

    Raises:
        RightsError: The person may not run that channel.
    """
    await act_on(update, context, channel)
    if page == "settings":
        text, buttons = settings.overview(context)
    elif page == "language":
        text, buttons = context.t(WHICH_LANGUAGE), _choices(context)
    elif page == "privacy":
        text, buttons = privacy.about_chat(context)
    elif page.isdigit():
        one = await context.services.subscriptions.get(channel, int(page))
        text, buttons = options.options_page(one, context)
    else:
        text, buttons = await subscriptions.listed(context, 0)
    await say(update, context, text, buttons)


@command("help")
async def show_help(update: Update, context: Context) -> None:
    """List what the bot understands."""
    await say(update, context, context.t(HELP))


@command("language")
async def language(update: Update, context: Context) -> None:
    """Offer the languages as buttons."""
    await say(update, context, context.t(WHICH_LANGUAGE), _choices(context))


@pressed("language:", r"language:")
async def set_language(update: Update, context: Context, data: str) -> str | None:
    """Speak the language of the pressed button from now on."""
    code = data.partition(":")[2]
    if code not in LANGUAGES:
        return context.t.plain(UNKNOWN_BUTTON)
    async with effect(context.services.db) as tx:
        await chats.change(tx, context.chat.id, language=code)
    context.t = translator_for(code).in_zone(context.t.zone)
    await rewrite(update, context, context.t(N_("From now on I'll use English here.")))
    return None


def _choices(context: Context) -> Buttons:
    buttons = [
        InlineKeyboardButton(
            f"✓ {name}" if code == context.t.language else name, callback_data=f"language:{code}"
        )
        for code, name in LANGUAGES.items()
    ]
    return [buttons[i : i + 2] for i in range(0, len(buttons), 2)]


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [start.handler, show_help.handler, language.handler, set_language.handler]
