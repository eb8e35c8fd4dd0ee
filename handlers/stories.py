"""/stories NAME… [COUNT]: all stories of a profile, or of up to ten, or the latest few."""

from collections.abc import Sequence

from telegram import Update
from telegram.ext import filters

from bot.context import Context, asker_of
from bot.domain import links, talk
from bot.domain.albums import plan
from bot.domain.errors import N_, NN_, BotError, NoStoriesError, SpendingError, StoriesError
from bot.domain.links import Link
from bot.domain.model import Story
from bot.domain.wanted import Wanted, read
from bot.presentation import actions
from bot.presentation.actions import button
from bot.presentation.html import Safe
from handlers.card import LIVE
from handlers.guard import Handler, command, heard, pressed, replied_to
from handlers.highlights import show_highlight
from handlers.links import NOT_OURS, OTHER_KIND, SERVED, links_of, unreadable
from handlers.questions import Answers, ask
from handlers.replies import say, working
from handlers.several import lines_of
from handlers.show import latest, show, show_profile

ASK = N_("Whose stories? Send me a name like <code>natgeo</code>, or a link to a profile.")
USAGE = N_(
    "Write it like this: /stories <i>name</i>, or /stories <i>name</i> 3 for the latest three."
)
TRAY = N_("<b>Who has stories</b>, by my last checks. Tap a name to see what I have.")
CHECK_NOW = N_("🔄 Check now")
MOST = 20  # profiles of the tray
COUNTED = NN_("<b>{username}</b>: {n} story", "<b>{username}</b>: {n} stories")


@command("stories")
async def stories(update: Update, context: Context) -> None:
    """Show a profile's stories: of the argument, or of the message that this one replies to."""
    arguments = list(context.args or [])
    message = update.effective_message
    asked = replied_to(message) if message else None
    if not arguments and asked:
        link = links.verdict(links_of(asked, context.bot.username))
        await serve_argument(update, context, link)
    elif not arguments:
        await _show_tray(update, context)
    else:
        await serve_words(update, context, arguments)


async def _show_tray(update: Update, context: Context) -> None:
    """Show who of what the chat follows has stories, by what is held; else ask for a name."""
    rows, _ = await context.services.subscriptions.page(context.chat.id)
    live: dict[str, list[Story]] = {}
    for name in dict.fromkeys(one.username for one in rows):
        if shown := await context.services.subscriptions.live(name, chat_id=context.chat.id):
            live[name] = latest(shown, None)
    if not live:
        await ask(update, context, ASK, USAGE)
        return
    newest_first = sorted(live, key=lambda name: live[name][-1].taken_at, reverse=True)[:MOST]
    lines = [
        context.t(LIVE, n=len(live[name]), username=name, when=context.t.moment(at))
        for name in newest_first
        for at in [live[name][-1].taken_at]
    ]
    buttons = [
        [button(name, actions.LIVE(name)), context.button(CHECK_NOW, actions.STORIES(name))]
        for name in newest_first
    ]
    text = "\n".join([context.t(TRAY), *lines])
    await say(update, context, text, buttons)


async def serve_words(update: Update, context: Context, words: Sequence[str]) -> None:
    """Show what words name: a profile's stories, those of up to ten, or what a link opens."""
    wanted = read(words, takes_count=True)
    others = [link for _, link in wanted.unread]
    if len(wanted.names) + len(others) > 1 and wanted.names:
        await show_profiles(update, context, wanted)
    elif wanted.names:
        await show_profile(update, context, wanted.names[0], wanted.count)
    elif len(others) == 1 and others[0] and others[0].kind in SERVED and wanted.count is None:
        await serve_argument(update, context, others[0])
    else:
        await say(update, context, unreadable(wanted, USAGE, context))


async def serve_argument(update: Update, context: Context, link: Link | None) -> None:
    """Show what an argument names; a story's link stands for its profile's stories."""
    if link is None:
        await say(update, context, context.t(USAGE))
    elif link.highlight_id:
        await show_highlight(update, context, link.highlight_id, story_id=link.story_id)
    elif link.username and link.kind in SERVED:
        await show_profile(update, context, link.username)
    else:
        text = OTHER_KIND if link.kind == "unsupported" else NOT_OURS
        await say(update, context, context.t(text))


async def show_profiles(update: Update, context: Context, wanted: Wanted) -> None:
    """Show the stories of several profiles, then in one message what became of each.

    Each costs what it costs alone. They are asked for one after the other: a small allowance
    then shows the first of them, and does not go into looking up the names of all.
    """
    t, asker = context.t, asker_of(update, context)
    result: dict[str, list[Story]] = {}
    failed: dict[str, BotError] = {}
    sentence = t(
        N_("Getting the stories from <b>{username}</b>…"), username=t.bold_names(wanted.names)
    )
    async with working(update, context, sentence):
        for name in wanted.names:
            try:
                result[name] = await context.services.viewer.stories(name, asker)
                if not result[name]:
                    raise NoStoriesError(username=name)
            except (SpendingError, StoriesError) as error:
                failed[name] = error
    lines: list[str] = []
    for name in wanted.names:
        if name in failed:
            continue
        live = latest(result[name], wanted.count)
        await show(update, context, plan(live), kind="stories")
        lines.append(t(COUNTED, n=len(live), username=name))
    in_order = [(name, failed[name]) for name in wanted.names if name in failed]
    lines += lines_of(in_order, wanted, context)
    await say(update, context, Safe("\n".join(lines)))


@pressed(actions.STORIES)
async def all_stories(update: Update, context: Context, username: str) -> None:
    """Show the profile of the button that was pressed."""
    link = links.parse_argument(username)
    if link and link.username:
        await show_profile(update, context, link.username)


@heard(
    "an answer to our question",
    filters.UpdateType.MESSAGE & filters.TEXT & filters.REPLY & Answers(ASK) & ~filters.COMMAND,
)
async def take_answer(update: Update, context: Context) -> None:
    """Take a bare name that answers our question."""
    message = update.effective_message
    if message and message.text:
        words = message.text.split()
        names = talk.names_in(message.text) or words[: len(words) == 1]
        if names:
            await serve_words(update, context, names)
        else:  # a sentence holds words, not names
            await say(update, context, context.t(USAGE))


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [stories.handler, all_stories.handler, take_answer.handler]
