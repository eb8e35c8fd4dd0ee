"""/highlights NAME: what a profile keeps, as buttons; a press brings one, ten at a time."""

from telegram import Update
from telegram.ext import filters

from bot.context import Context, asker_of
from bot.domain import links
from bot.domain.albums import ALBUM_SIZE
from bot.domain.errors import N_, NoHighlightsError
from bot.domain.model import Album, Highlight
from bot.presentation.actions import HIGHLIGHT, HIGHLIGHTS, Page, arrows, button, grid
from bot.presentation.html import one_line, shorten
from handlers.guard import Handler, command, heard, pressed
from handlers.questions import Answers, ask
from handlers.replies import rewrite, say, working
from handlers.show import show

ASK = N_("Whose highlights? Send me a name like <code>natgeo</code>.")
USAGE = N_("Write it like this: /highlights <i>name</i>.")
CHOOSE = N_("Highlights from <b>{username}</b>. Tap one to see it.")
SHOWN = N_("{shown} of {total} shown.")
NAMELESS = N_("Highlight {number}")
PAGE, A_ROW = 20, 2
TITLE = 24  # characters that a phone shows of a button


@command("highlights")
async def highlights(update: Update, context: Context) -> None:
    """List the highlights of a profile, or open the one whose link is given."""
    arguments = list(context.args or [])
    if not arguments:
        await ask(update, context, ASK, USAGE)
    elif len(arguments) > 1:
        await say(update, context, context.t(USAGE))
    else:
        await serve_argument(update, context, arguments[0])


async def serve_argument(update: Update, context: Context, argument: str) -> None:
    """Show what an argument names: a profile's highlights, or one by its link."""
    link = links.parse_argument(argument)
    if link and link.highlight_id:
        await show_highlight(update, context, link.highlight_id, story_id=link.story_id)
    elif link and link.username:
        await say(update, context, *await _listed(update, context, link.username, 0))
    else:
        await say(update, context, context.t(USAGE))


@heard(
    "an answer: whose highlights",
    filters.UpdateType.MESSAGE & filters.TEXT & filters.REPLY & Answers(ASK) & ~filters.COMMAND,
)
async def take_answer(update: Update, context: Context) -> None:
    """Take a bare name that answers our question."""
    message = update.effective_message
    await serve_argument(update, context, (message.text or "") if message else "")


@pressed(HIGHLIGHTS)
async def list_of(update: Update, context: Context, username: str, page: int | None) -> None:
    """List a profile's highlights, or turn the page of the list.

    Raises:
        NoHighlightsError: That is nobody's name.
    """
    link = links.parse_argument(username)
    if link is None or link.username is None:
        raise NoHighlightsError(username=username)
    listed = await _listed(update, context, link.username, page or 0)
    await (say if page is None else rewrite)(update, context, *listed)


@pressed(HIGHLIGHT)
async def open_one(
    update: Update, context: Context, highlight_id: str, offset: int | None
) -> None:
    """Show a highlight, from the story at a place in it on."""
    await show_highlight(update, context, highlight_id, offset=offset or 0)


async def show_highlight(
    update: Update,
    context: Context,
    highlight_id: str,
    *,
    offset: int = 0,
    story_id: str | None = None,
) -> None:
    """Show ten stories of a highlight from ``offset`` on, or the one that a link opens it at."""
    async with working(update, context, context.t(N_("Getting the highlight…"))):
        result = await context.services.highlights.opened(highlight_id, asker_of(update, context))
        one = next((story for story in result.stories if story.pk == story_id), None)
        if one is not None:
            album = Album((one,))
            await show(
                update, context, [album], kind="highlight", title=result.title, has_more=True
            )
            return
        await _show_page(update, context, result, offset if offset < len(result.stories) else 0)


async def _show_page(update: Update, context: Context, result: Highlight, offset: int) -> None:
    total = len(result.stories)
    shown = result.stories[offset : offset + ALBUM_SIZE]
    part = (offset // ALBUM_SIZE + 1, -(-total // ALBUM_SIZE))
    await show(update, context, [Album(shown)], kind="highlight", title=result.title, part=part)
    end = offset + len(shown)
    if end < total:
        text = context.t(SHOWN, shown=end, total=total)
        more = context.button(N_("Show more"), HIGHLIGHT(result.pk, end))
        await say(update, context, text, [[more]])


async def _listed(update: Update, context: Context, username: str, page: int) -> Page:
    """Return a page of a profile's highlights, each with the button that opens it."""
    sentence = context.t(N_("Getting the highlights from <b>{username}</b>…"), username=username)
    async with working(update, context, sentence):
        result = await context.services.highlights.of_profile(username, asker_of(update, context))
    first = page * PAGE if page * PAGE < len(result) else 0
    rows = [
        button(_title(one, number, context), HIGHLIGHT(one.pk))
        for number, one in enumerate(result[first : first + PAGE], first + 1)
    ]
    is_last = first + PAGE >= len(result)
    turn = arrows(first // PAGE, is_last=is_last, to=lambda to: HIGHLIGHTS(username, to))
    return context.t(CHOOSE, username=username), grid(rows, A_ROW) + turn


def _title(one: Highlight, number: int, context: Context) -> str:
    title = one_line(one.title) or context.t.plain(NAMELESS, number=number)
    count = f" · {context.t.number(one.count)}" if one.count else ""
    return shorten(title, TITLE - len(count)) + count


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    ours = (highlights, list_of, open_one, take_answer)
    return [one.handler for one in ours]
