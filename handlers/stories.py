"""/stories NAME… [COUNT]: all stories or the latest stories of up to ten profiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import Message

from bot.context import Context
from bot.domain import links
from bot.domain.albums import plan_albums
from bot.domain.command_words import Wanted, parse
from bot.domain.errors import (
    DISAPPEARED,
    BotError,
    NoStoriesError,
    SpendingError,
    StoriesError,
)
from bot.domain.links import Link
from bot.domain.model import Album, Story
from bot.domain.records import Subscription
from bot.domain.sentences import N_, NN_
from bot.presentation import actions
from bot.presentation.actions import Buttons, button
from bot.presentation.html import Safe
from bot.presentation.notices import COUNTED
from handlers.card import LIVE
from handlers.confirmation import offer_understood_command
from handlers.errors import payer_buttons_for_errors
from handlers.guard import command, on_press
from handlers.highlights import fetch_and_enqueue_highlight
from handlers.links import (
    NOT_OURS,
    OTHER_KIND,
    SERVED,
    links_of,
    reply_to_unreadable_arguments,
    username_shown_by,
)
from handlers.press_answers import PopUpText, answer_press
from handlers.profile_lists import failure_lines
from handlers.questions import (
    answer_if_cancellation,
    ask_or_send_usage,
    command_buttons_of_subscriptions,
)
from handlers.repeats import cache_after_commit
from handlers.replies import say, say_message, show_working
from handlers.show import enqueue_story_albums, fetch_and_enqueue_stories, latest_stories

ASK = N_("Whose stories? Send me a name like <code>natgeo</code>, or a link to a profile.")
USAGE = N_(
    "Write it like this: /stories <i>name</i>, or /stories <i>name</i> 3 for the latest three."
)
TRAY = N_("<b>Who had stories</b> at my last checks. Tap a name to see them.")
NO_TRAY = N_("Nobody had stories at my last checks. Tap a name to check it now.")
LAST_CHECK = N_("last check: {when}")
SEND_ALL = N_("▶️ Send them all")
OLDEST_CHECK = N_("These are from my last checks (the oldest: {when}).")
NEWER = NN_(
    "{n} newer story is not among them. Tap a name in the list to see all stories of a profile.",
    "{n} newer stories are not among them. Tap a name in the list to see all stories of a "
    "profile.",
)
JUST_SENT = N_("I've just sent these stories. Please try again in a few minutes.")
CHECK_NOW = N_("🔄 Check now")
MOST = 20  # maximum number of profiles in the list
MOST_SENT = 30  # maximum number of stories that a press of "Send them all" sends
# The minimum time between two presses of "Send them all". No limit of credits applies to these
# replies, because they cost 0 credits, and replies are sent before alerts.
_SENT_ONCE_IN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Current:
    """The stored live stories of a profile, and the time of the last complete snapshot.

    The stories are sorted by time, oldest first.
    """

    username: str
    stories: list[Story]
    seen_at: datetime | None


@command("stories")
async def fetch_and_enqueue_named_stories(context: Context) -> None:
    """Show the stories of the profiles that a command, or a replied message, names.

    Without a name, list the followed profiles for 0 credits. The stories of a profile usually cost
    2 or 3 credits. A linked highlight costs 1 credit. Cached answers cost 0 credits. Each file
    that must be bought costs 1 more credit.

    Raises:
        BotError: The stories of the only named profile, or of the link, can't be shown, or nobody
            pays for the request.
    """
    if context.words_after_command:
        await _fetch_and_enqueue_by_words(context, context.words_after_command)
    elif asked := context.replied_to:
        await _fetch_and_enqueue_by_message(context, asked)
    else:
        await list_followed_with_live_stories(context)


async def _fetch_and_enqueue_by_message(context: Context, message: Message) -> None:
    """Show the stories of the profile that a message shows.

    If the message shows no profile, show the stories of the link in the message, or of the link
    that ``links.link_to_answer`` selects from several links. Costs and errors are those of
    ``fetch_and_enqueue_named_stories``.
    """
    if name := await username_shown_by(message, context):
        await fetch_and_enqueue_stories(context, name)
    else:
        link = links.link_to_answer(links_of(message, context.bot.username))
        await _fetch_and_enqueue_by_link(context, link)


async def list_followed_with_live_stories(context: Context) -> None:
    """List at most 20 followed profiles with live stories, for 0 credits.

    Without live stories, offer a button for each of at most 60 followed profiles. Without
    subscriptions, ask for the name of a profile.
    """
    t = context.t
    rows = await context.read_subscriptions()
    live = await _last_found_live_stories(context, rows)
    if not rows:
        await ask_or_send_usage(context, ASK, USAGE)
        return
    if not live:
        await say(context, t(NO_TRAY), command_buttons_of_subscriptions(rows, "stories"))
        return
    lines: list[str] = [t(TRAY)]
    buttons: Buttons = []
    for current in sorted(live, key=lambda current: current.stories[-1].taken_at, reverse=True)[
        :MOST
    ]:
        name = current.username
        when = t.relative_time(current.stories[-1].taken_at)
        line = t(LIVE, n=len(current.stories), username=name, when=when)
        if current.seen_at:
            line = t.noted(line, t(LAST_CHECK, when=t.relative_time(current.seen_at)))
        lines.append(line)
        check = context.button(CHECK_NOW, actions.RUN("stories", name))
        buttons.append([button(name, actions.LIVE(name)), check])
    if len(live) > 1:
        buttons.append([context.button(SEND_ALL, actions.TRAY(), actions.PRIMARY)])
    await say(context, "\n".join(lines), buttons)


async def _last_found_live_stories(
    context: Context, rows: Sequence[Subscription]
) -> list[Current]:
    """Return the followed profiles with stored live stories, for 0 credits.

    ``Subscriptions.stored_live_stories`` selects the stories. Blocked profiles, profiles that are
    not public, and profiles that the API refused in the last five minutes are left out.
    """
    service = context.services.subscriptions
    found: dict[str, Current] = {}
    for subscription in rows:
        name = subscription.username
        if shown := await service.stored_live_stories(name, chat_id=context.chat.id):
            known = await service.known_profile(subscription.profile_id)
            seen_at = known.snapshot_at if known else None
            found[name] = Current(name, latest_stories(shown, None), seen_at)
    return list(found.values())


@on_press(actions.TRAY)
async def send_all_last_found_stories(context: Context) -> PopUpText | None:
    """Send the stored live stories of all followed profiles, for 0 credits.

    Only the 30 oldest stories are sent, and no story whose file must be bought. A chat can request
    these stories once in ten minutes.

    Raises:
        NoPayerError: The request has no person, and the chat has no payer.
    """
    t = context.t
    key = ("all current stories", context.update_chat.id)
    if context.services.cache.get(key, now=context.now):
        return t.plain(JUST_SENT)
    followed = await context.read_subscriptions()
    live = await _last_found_live_stories(context, followed)
    if not live:
        return t.plain(DISAPPEARED)
    await answer_press(context)
    stories: list[Story] = []
    for current in live:
        stories += current.stories
    by_profile: dict[str, list[Story]] = {}
    for story in latest_stories(stories, None)[:MOST_SENT]:
        by_profile.setdefault(story.profile.profile_id, []).append(story)
    albums: list[Album] = []
    for found in by_profile.values():
        albums += plan_albums(found)
    await enqueue_story_albums(context, albums, is_last=False, is_free=True)
    await cache_after_commit(context, key, age=_SENT_ONCE_IN)
    lines: list[str] = []
    if seen_at := [current.seen_at for current in live if current.seen_at]:
        lines.append(t(OLDEST_CHECK, when=t.relative_time(min(seen_at))))
    if len(stories) > MOST_SENT:
        lines.append(t(NEWER, n=len(stories) - MOST_SENT))
    if lines:
        await say(context, "\n".join(lines))
    return None


async def _fetch_and_enqueue_by_words(context: Context, words: Sequence[str]) -> None:
    """Show the stories of the named profiles, or the stories or the highlight that a link names.

    Names with everyday words cost nothing until a button confirms the names. Other costs and
    errors are those of ``fetch_and_enqueue_named_stories``.
    """
    if await answer_if_cancellation(context, " ".join(words)):
        return
    wanted = parse(words, takes_count=True, language=context.t.language)
    if wanted.names and wanted.everyday:
        await offer_understood_command(context, "stories", wanted)
        return
    others = [link for _, link in wanted.unread]
    if len(wanted.names) + len(others) > 1 and wanted.names:
        await _fetch_and_enqueue_stories_of_many(context, wanted)
    elif wanted.names:
        await fetch_and_enqueue_stories(context, wanted.names[0], wanted.count)
    elif len(others) == 1 and others[0] and others[0].kind in SERVED and wanted.count is None:
        await _fetch_and_enqueue_by_link(context, others[0])
    else:
        await say(context, reply_to_unreadable_arguments(wanted, USAGE, context))


async def _fetch_and_enqueue_by_link(context: Context, link: Link | None) -> None:
    """Show the stories of the profile that a link names, or the highlight that a link names.

    Costs and errors are those of ``fetch_and_enqueue_named_stories``.
    """
    if link is None:
        await say_message(context, USAGE)
    elif link.highlight_id:
        await fetch_and_enqueue_highlight(context, link.highlight_id, story_id=link.story_id)
    elif link.username and link.kind in SERVED:
        await fetch_and_enqueue_stories(context, link.username)
    else:
        text = OTHER_KIND if link.kind == "unsupported" else NOT_OURS
        await say_message(context, text)


async def _fetch_and_enqueue_stories_of_many(context: Context, wanted: Wanted) -> None:
    """Show the stories of several profiles, then send a message with the result for each profile.

    Each profile costs as many credits as a separate request.

    Raises:
        NoPayerError: The request has no person, and the chat has no payer.
    """
    t = context.t
    result: dict[str, list[Story]] = {}
    failed: dict[str, BotError] = {}
    async with show_working(context):
        for name in wanted.names:
            try:
                result[name] = await context.services.viewer.get_or_fetch_stories(
                    name, context.asker
                )
                if not result[name]:
                    raise NoStoriesError(username=name)
            except (SpendingError, StoriesError) as error:
                failed[name] = error
    lines: list[str] = []
    for name in wanted.names:
        if name in failed:
            continue
        live = latest_stories(result[name], wanted.count)
        await enqueue_story_albums(context, plan_albums(live), is_last=False)
        lines.append(t(COUNTED, n=len(live), username=name))
    in_order = [(name, failed[name]) for name in wanted.names if name in failed]
    lines += failure_lines(in_order, wanted, context)
    await say(context, Safe("\n".join(lines)), payer_buttons_for_errors(failed.values(), context))
