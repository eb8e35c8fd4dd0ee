"""/highlights NAME: the highlights of a profile as buttons. A press shows at most ten stories."""

from bot.context import Context
from bot.domain import links
from bot.domain.albums import ALBUM_SIZE
from bot.domain.command_words import parse
from bot.domain.foreign_text import one_line
from bot.domain.model import Album, Highlight
from bot.domain.sentences import N_
from bot.presentation.actions import HIGHLIGHT, HIGHLIGHTS, Page, arrow_buttons, button, grid
from bot.presentation.html import truncate_plain
from handlers.confirmation import offer_understood_command
from handlers.guard import command, on_press
from handlers.questions import answer_if_cancellation, ask_or_send_usage
from handlers.replies import edit_pressed, say, say_message, show_working
from handlers.show import enqueue_story_albums

ASK = N_("Whose highlights? Send me a name like <code>natgeo</code>.")
USAGE = N_("Write it like this: /highlights <i>name</i>.")
CHOOSE = N_("Highlights from <b>{username}</b>. Tap one to see it.")
SHOWN = N_("{shown} of {total} shown.")
NAMELESS = N_("Highlight {number}")
PAGE, A_ROW = 20, 2
TITLE = 24  # a phone shows this many characters of a button


@command("highlights")
async def fetch_and_list_highlights(context: Context) -> None:
    """List the highlights of a profile, or show the highlight of a link.

    A list usually costs 2 or 3 credits. A highlight costs 1 credit. Cached answers cost 0 credits.
    Each file that must be bought costs 1 more credit.

    Raises:
        BotError: The errors of ``_fetch_list_page`` or ``fetch_and_enqueue_highlight``.
    """
    if not context.words_after_command:
        await ask_or_send_usage(context, ASK, USAGE)
        return
    text = " ".join(context.words_after_command)
    if await answer_if_cancellation(context, text):
        return
    link = links.parse_username_or_link(text)
    wanted = parse(context.words_after_command, language=context.t.language)
    is_several = len(wanted.names) > 1 and not context.is_channel
    if is_several or (wanted.names and wanted.everyday):
        await offer_understood_command(context, "highlights", wanted)
    elif link and link.highlight_id:
        await fetch_and_enqueue_highlight(context, link.highlight_id, story_id=link.story_id)
    elif link and link.username:
        await say(context, *await _fetch_list_page(context, link.username, 0))
    else:
        await say_message(context, USAGE)


@on_press(HIGHLIGHTS)
async def fetch_and_show_highlights_page(context: Context, username: str, page: int) -> None:
    """Show a different page of a profile's highlights in the message whose button was pressed.

    Costs are those of ``_fetch_list_page``.

    Raises:
        BotError: The errors of ``_fetch_list_page``.
    """
    await edit_pressed(context, *await _fetch_list_page(context, username, page))


@on_press(HIGHLIGHT)
async def fetch_and_open_highlight(
    context: Context, highlight_id: str, offset: int | None
) -> None:
    """Show at most ten stories of a highlight, beginning with the story at ``offset``.

    Costs and errors are those of ``fetch_and_enqueue_highlight``.
    """
    await fetch_and_enqueue_highlight(context, highlight_id, offset=offset or 0)


async def fetch_and_enqueue_highlight(
    context: Context,
    highlight_id: str,
    *,
    offset: int = 0,
    story_id: str | None = None,
) -> None:
    """Show one story, or at most ten stories, of a highlight.

    If the highlight has the story ``story_id``, only this story is shown. Otherwise, the stories
    begin at ``offset``. The cost is 1 credit, or 0 credits for a cached highlight. Each file that
    must be bought costs 1 more credit.

    Raises:
        BotError: The errors of ``Highlights.get_or_fetch`` and ``enqueue_story_albums``.
    """
    async with show_working(context):
        result = await context.services.highlights.get_or_fetch(highlight_id, context.asker)
        story = next((story for story in result.stories if story.pk == story_id), None)
        if story is not None:
            album = Album((story,))
            await enqueue_story_albums(context, [album], title=result.title, has_more=True)
            return
        await _enqueue_at_most_ten_stories(
            context, result, offset if offset < len(result.stories) else 0
        )


async def _enqueue_at_most_ten_stories(context: Context, result: Highlight, offset: int) -> None:
    total = len(result.stories)
    shown = result.stories[offset : offset + ALBUM_SIZE]
    part = (offset // ALBUM_SIZE + 1, -(-total // ALBUM_SIZE))
    end = offset + len(shown)
    is_last = end == total
    album = [Album(shown)]
    await enqueue_story_albums(context, album, title=result.title, part=part, is_last=is_last)
    if not is_last:
        text = context.t(SHOWN, shown=end, total=total)
        more = context.button(N_("Show more"), HIGHLIGHT(result.pk, end))
        await say(context, text, [[more]])


async def _fetch_list_page(context: Context, username: str, page: int) -> Page:
    """Return a page of at most 20 of a profile's highlights, with a button for each highlight.

    A list that was fetched in the last hour usually costs 0 credits. Otherwise the cost is usually
    2 or 3 credits.

    Raises:
        NoPayerError: The request has no person, and the chat has no payer.
        BotError: The errors of ``Highlights.get_or_fetch_of_profile``.
    """
    await context.services.payers.raise_if_no_payer(context.asker)
    async with show_working(context):
        result = await context.services.highlights.get_or_fetch_of_profile(username, context.asker)
    first = page * PAGE if page * PAGE < len(result) else 0
    rows = [
        button(_button_title(highlight, number, context), HIGHLIGHT(highlight.pk))
        for number, highlight in enumerate(result[first : first + PAGE], first + 1)
    ]
    is_last = first + PAGE >= len(result)
    turn = arrow_buttons(first // PAGE, is_last=is_last, to=lambda to: HIGHLIGHTS(username, to))
    return context.t(CHOOSE, username=username), grid(rows, A_ROW) + turn


def _button_title(highlight: Highlight, number: int, context: Context) -> str:
    title = one_line(highlight.title) or context.t.plain(NAMELESS, number=number)
    count = f" · {context.t.number(highlight.count)}" if highlight.count else ""
    return truncate_plain(title, TITLE - len(count)) + count
