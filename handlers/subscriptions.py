"""Following profiles: /subscribe, /subscriptions, /unsubscribe, and their buttons."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from telegram import Chat, InlineKeyboardButton, Update
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import filters

from bot.chats.subscribing import Subscribed
from bot.chats.subscriptions import Subscription
from bot.context import Context, asker_of, target_of, user_of
from bot.domain import links, talk
from bot.domain.albums import plan
from bot.domain.errors import (
    N_,
    NN_,
    AdminsUnknownError,
    AskAgainError,
    BotError,
    SubscriptionError,
    TooManyFastError,
)
from bot.domain.model import Options, Preferences, Target
from bot.domain.records import mute_of
from bot.domain.wanted import Wanted, read
from bot.presentation import actions
from bot.presentation.actions import Buttons, Page, arrows, button
from bot.presentation.html import Safe
from bot.presentation.notices import MISSING
from handlers.guard import Handler, answer, command, heard, pressed
from handlers.links import unreadable
from handlers.options import SETTINGS, options_page, paused_line
from handlers.questions import Answers, ask, choices
from handlers.replies import rewrite, say, working
from handlers.rights import TABLE, Need
from handlers.several import lines_of, shared
from handlers.show import show

PAGE = 8
WORDS = ("fast", "topic")
WORTH_SAYING = timedelta(minutes=15)
ASK = N_("Whose new stories should I send here? Send me a name like <code>natgeo</code>.")
FIRST = N_(
    "This chat has no subscriptions yet. Whose new stories should I send here? Send me a name "
    "like <code>natgeo</code>."
)
WHICH = N_("Which one do you want to unsubscribe from?")
USAGE = N_(
    "Write it like this: /subscribe <i>name</i>, or /subscribe <i>name</i> "
    "@channel for your channel."
)
UNSUBSCRIBE_USAGE = N_("Write it like this: /unsubscribe <i>name</i>, or /unsubscribe all.")
EMPTY = N_("This chat has no subscriptions yet. Start with /subscribe <i>name</i>.")
EMPTY_THERE = N_(
    "No subscriptions yet. To add one, write /subscribe <i>name</i> there; for a channel you can "
    "also write /subscribe <i>name</i> @channel here."
)
NOW = N_("🔔 I'll send every new story from <b>{username}</b> to this chat.")
NOW_IN_TOPIC = N_("🔔 I'll send every new story from <b>{username}</b> to this topic.")
NOW_IN_OWN_TOPIC = N_("🔔 I'll send every new story from <b>{username}</b> to its own topic.")
NOW_IN_OWN_TOPICS = N_(
    "🔔 I'll send every new story from <b>{username}</b> to topics of their own."
)
NOW_IN = N_("🔔 I'll send every new story from <b>{username}</b> to {where}.")
ALREADY = N_("Already subscribed to <b>{username}</b>.")
SOONER = N_("I'll check <b>{username}</b> more often from now on.")
SOON = N_(
    "On average, alerts come about {delay} after a story is posted. To get them sooner, turn on "
    "<b>[[Check more often]]</b> in <b>[[Options]]</b>."
)
UNDO = N_("↩️ Undo")


class ChannelError(SubscriptionError):
    """The channel can't be used, by the bot or by the person."""

    text = N_(
        "I can only post in a channel where you and I are both admins and I'm allowed "
        "to post. Please check that, and write the channel's name as @name."
    )


@command("subscribe")
async def subscribe(update: Update, context: Context) -> None:
    """Follow a profile, or up to ten, in this chat or topic, or in a channel of the person's."""
    arguments = list(context.args or [])
    if not arguments:
        await ask(update, context, ASK, USAGE)
        return
    wanted = read(arguments, words=WORDS, takes_channel=True)
    if len(wanted.names) == 1 and not wanted.unread:
        await follow(update, context, wanted.names[0], channel=wanted.channel, words=wanted.words)
    elif not wanted.names:
        await say(update, context, unreadable(wanted, USAGE, context))
    else:
        await _follow_all(update, context, wanted)


async def _follow_all(update: Update, context: Context, wanted: Wanted) -> None:
    """Follow several profiles, and say in one message what became of each."""
    t, channel = context.t, wanted.channel
    target = await _channel(update, context, channel) if channel else target_of(update)
    sentence = t(N_("Looking for <b>{username}</b>…"), username=t.bold_names(wanted.names))
    async with working(update, context, sentence):
        result = await context.services.subscriptions.subscribe_all(
            target,
            wanted.names,
            asker_of(update, context),
            preferences=_preferences(wanted.words, context),
            own_topic="topic" in wanted.words,
        )
    done = [one for _, one in result if isinstance(one, Subscribed)]
    failed = [(name, one) for name, one in result if isinstance(one, BotError)]
    new = [one.profile.username for one in done if not one.already]
    lines = [_now(new, target, wanted.words, channel, context)] if new else []
    sooner: list[str] = []
    for one in done if "fast" in wanted.words else ():
        hastened = await _hasten(one, context)
        if isinstance(hastened, TooManyFastError):
            failed.append((one.profile.username, hastened))
        elif hastened:
            sooner.append(one.profile.username)
    answered = {*sooner, *(name for name, _ in failed)}
    old = [name for one in done if one.already and (name := one.profile.username) not in answered]
    if sooner:
        lines.append(t(SOONER, username=t.bold_names(sooner)))
    if old:
        lines.append(t(ALREADY, username=t.bold_names(old)))
    lines += shared(_paused(done, context), context)
    lines += lines_of(failed, wanted, context)
    if slow := await _slow(done, context):
        lines.append(slow)
    text = Safe("\n".join(lines) + await _obstacles(context, target))
    is_here = target.chat_id == context.chat.id and done
    await say(update, context, text, [[to_list(context)]] if is_here else None)


async def follow(
    update: Update,
    context: Context,
    username: str,
    *,
    channel: str | None = None,
    words: Collection[str] = (),
) -> None:
    """Let the chat or topic, or a channel of the person's, have alerts; 0 to 3 credits.

    ``words`` are those of ``WORDS`` that were said.

    Raises:
        BotError: It can't; all that ``Subscriptions.subscribe`` raises.
    """
    target = await _channel(update, context, channel) if channel else target_of(update)
    sentence = context.t(N_("Looking for <b>{username}</b>…"), username=username)
    async with working(update, context, sentence):
        followed = await context.services.subscriptions.subscribe(
            target,
            username,
            asker_of(update, context),
            preferences=_preferences(words, context),
            own_topic="topic" in words,
        )
    target, name = followed.subscription.target, followed.profile.username
    is_sooner = "fast" in words and await _hasten(followed, context)
    if isinstance(is_sooner, TooManyFastError):
        raise is_sooner
    if followed.already:
        text: str = context.t(SOONER if is_sooner else ALREADY, username=name)
    else:
        text = _now([name], target, words, channel, context)
    if followed.subscription.paused:
        text += "\n" + paused_line(followed.subscription, context)
    if slow := await _slow([followed], context):
        text += "\n" + slow
    text = Safe(text + await _obstacles(context, target))
    buttons = _after_subscribe(followed.subscription, len(followed.live), context)
    await say(update, context, text, buttons if target.chat_id == context.chat.id else None)


def _now(
    names: Sequence[str],
    target: Target,
    words: Collection[str],
    channel: str | None,
    context: Context,
) -> str:
    """Return the sentence on where alerts of profiles come from now on."""
    t, username = context.t, context.t.bold_names(names)
    if "topic" in words:
        return t(NOW_IN_OWN_TOPIC if len(names) == 1 else NOW_IN_OWN_TOPICS, username=username)
    if channel:
        return t(NOW_IN, where=channel, username=username)
    return t(NOW_IN_TOPIC if target.thread_id else NOW, username=username)


async def _hasten(one: Subscribed, context: Context) -> bool | TooManyFastError:
    """Let a profile that was followed before be checked more often; return whether it was not.

    A limit is returned, not raised: what was done for the profiles before it holds.
    """
    before = one.subscription
    if before.options.fast:
        return False
    limit = await context.services.subscriptions.hasten(before.target.chat_id, before.id)
    return limit or True


def _paused(done: Sequence[Subscribed], context: Context) -> list[tuple[str, str]]:
    """Return which profiles were followed before and are paused, each with the sentence on it."""
    paused = [one for one in done if one.subscription.paused]
    return [(one.profile.username, paused_line(one.subscription, context)) for one in paused]


def _preferences(words: Collection[str], context: Context) -> Preferences | None:
    """Return what the words ask for, None for the chat's defaults."""
    if "fast" not in words:
        return None
    return Preferences(replace(Options.of(context.chat.defaults), fast=True))


async def _slow(done: Sequence[Subscribed], context: Context) -> str:
    """Return how long alerts take, where that is long and an option would help; else nothing."""
    service = context.services.subscriptions
    slow = [one for one in done if not (one.already or one.subscription.options.fast)]
    delays = [
        delay
        for one in slow
        if not one.subscription.options.digest
        and (delay := await service.expected_delay(one.profile.profile_id))
    ]
    delay = max(delays, default=timedelta(0))
    return context.t(SOON, delay=delay) if delay >= WORTH_SAYING else ""


@heard(
    "an answer: whom to subscribe to",
    filters.UpdateType.MESSAGE
    & filters.TEXT
    & filters.REPLY
    & Answers(ASK, FIRST)
    & ~filters.COMMAND,
)
async def take_answer(update: Update, context: Context) -> None:
    """Take a bare name, or a link, that answers our question."""
    message = update.effective_message
    text = (message.text or "") if message else ""
    wanted = read(text.split(), words=WORDS, takes_channel=True)
    if len(wanted.names) + len(wanted.unread) > 1 and not talk.names_in(text):
        await say(update, context, context.t(USAGE))  # a sentence holds words, not names
        return
    context.args = text.split()
    await subscribe.run(update, context)


@pressed(actions.LIVE)
async def show_live(update: Update, context: Context, username: str) -> str | None:
    """Show the stories that were there when somebody subscribed; they are paid already."""
    service = context.services.subscriptions
    live = await service.live(username, chat_id=context.chat.id)
    if not live:
        return context.t.plain(N_("These stories are gone."))
    await answer(update, context)
    await show(update, context, plan(live), kind="stories")
    return None


@command("subscriptions", channel_after=0)
async def subscriptions(update: Update, context: Context) -> None:
    """List what the chat follows."""
    await say(update, context, *await listed(context, 0))


@pressed(actions.SUBSCRIPTIONS)
async def turn_page(update: Update, context: Context, page: int) -> None:
    """Show another page of the list, in place."""
    await rewrite(update, context, *await listed(context, page))


@command("unsubscribe", channel_after=1)
async def unsubscribe(update: Update, context: Context) -> None:
    """Stop following one profile, or all, at once; a button undoes it."""
    argument = " ".join(context.args or [])
    if not argument:
        await choose(update, context, WHICH, "unsubscribe", UNSUBSCRIBE_USAGE)
        return
    if argument.lower() == "all":
        count, at = await context.services.subscriptions.unsubscribe_all(context.chat.id)
        if not count:
            await say(update, context, context.t(EMPTY))
            return
        done = NN_("Unsubscribed from {n} profile.", "Unsubscribed from {n} profiles.")
        undo = context.button(UNDO, actions.UNDO_ALL(int(at.timestamp())))
        await say(update, context, context.t(done, n=count), [[undo, to_list(context)]])
        return
    link = links.parse_argument(argument)
    if link is None or not link.username:
        await say(update, context, context.t(UNSUBSCRIBE_USAGE))
        return
    rows = await context.services.subscriptions.unsubscribe(context.chat.id, link.username)
    await say(update, context, *_ended(rows[0], context))


@pressed(actions.UNSUBSCRIBE)
async def end(update: Update, context: Context, what: str, one_of: str) -> None:
    """Stop following a profile by its ``name``, or a subscription by its ``id``."""
    service, chat_id = context.services.subscriptions, context.chat.id
    if what == "id":
        number = int(one_of) if one_of.isascii() and one_of.isdecimal() else 0
        one = await service.unsubscribe_one(chat_id, number)
    else:
        one = (await service.unsubscribe(chat_id, one_of))[0]
    await rewrite(update, context, *_ended(one, context))


def _ended(one: Subscription, context: Context) -> Page:
    text = context.t(N_("Unsubscribed from <b>{username}</b>."), username=one.username)
    return text, [[undo_button(one, context), to_list(context)]]


def undo_button(ended: Subscription, context: Context) -> InlineKeyboardButton:
    """Return the button that brings an ended subscription back, with its options."""
    thread = ended.target.thread_id or 0
    return context.button(N_("↩️ Undo"), actions.UNDO(ended.options.code, thread, ended.username))


@pressed(actions.UNDO)
async def undo(update: Update, context: Context, code: int, thread: int, username: str) -> None:
    """Subscribe again, with the options of ``code`` and the topic as it was; free for a while."""
    followed = await context.services.subscriptions.restore(
        Target(context.chat.id, thread or None),
        username,
        asker_of(update, context),
        options=Options.of_code(code),
    )
    await rewrite(update, context, *options_page(followed[0].subscription, context))


@pressed(actions.UNDO_ALL)
async def undo_all(update: Update, context: Context, at: int) -> None:
    """Subscribe again to all that ended together at that time."""
    by = asker_of(update, context)
    ended_at = datetime.fromtimestamp(at, UTC)
    await context.services.subscriptions.restore_all(context.chat.id, by, ended_at=ended_at)
    await rewrite(update, context, *await listed(context, 0))


async def choose(
    update: Update, context: Context, question: str, command: str, usage: str
) -> None:
    """Ask with which of its profiles the chat wants ``command`` done; a button each.

    Without any, whom to subscribe to: but not who may not subscribe. In a channel no button can
    run a command, so ``usage`` is said. ``question`` and ``usage`` are message ids.
    """
    where = update.effective_chat
    rows, count = await context.services.subscriptions.page(context.chat.id)
    if not count:
        anybody = TABLE[f"/{command}"].group is Need.NOTHING
        if anybody and where and where.type in {Chat.GROUP, Chat.SUPERGROUP}:
            await say(update, context, context.t(EMPTY))
        else:
            await ask(update, context, FIRST, EMPTY)
        return
    if where and where.type == Chat.CHANNEL:
        await say(update, context, context.t(usage))
        return
    await say(update, context, context.t(question), choices(rows, command))


async def listed(context: Context, page: int) -> Page:
    """Return a page of what the chat follows, each with the button of its options."""
    rows, count = await context.services.subscriptions.page(
        context.chat.id, offset=page * PAGE, limit=PAGE
    )
    if not count:
        text = context.t(EMPTY if context.about is None else EMPTY_THERE)
        return text, [[context.button(N_("⚙️ Settings"), SETTINGS)]]
    if context.chat.kind == Chat.CHANNEL and context.about is None:
        names = context.t.bold_names(one.username for one in rows)
        text = Safe(f"{context.t(N_('Subscriptions'))}: <b>{names}</b>")
        return Safe(text + await _obstacles(context, None)), [[to_list(context)]]
    text = context.t(
        NN_(
            "This chat has {n} subscription. Tap it for its options.",
            "This chat has {n} subscriptions. Tap one for its options.",
        ),
        n=count,
    )
    text = Safe(text + await _obstacles(context, None))
    buttons = [[button(_line(one, context), actions.SUBSCRIPTION(one.id))] for one in rows]
    is_last = (page + 1) * PAGE >= count
    return text, buttons + arrows(page, is_last=is_last, to=actions.SUBSCRIPTIONS)


def to_list(context: Context) -> InlineKeyboardButton:
    """Return the button that lists what the chat follows."""
    return context.button(N_("Subscriptions"), actions.SUBSCRIPTIONS(0))


async def _obstacles(context: Context, target: Target | None) -> Safe:
    """Return the sentences on what keeps alerts from a place, or from any of this chat's."""
    chat_id = target.chat_id if target else context.chat.id
    here = await context.services.whereabouts.mutes(chat_id)
    if target:
        place = mute_of(here, target.thread_id)
        here = (place,) if place else ()
    return Safe("".join("\n\n" + context.t(MISSING[mute.missing]) for mute in here))


def _line(one: Subscription, context: Context) -> str:
    """Return a profile's name, and where its alerts go if not to the chat itself."""
    signs = {True: "⏸ ", False: "🔔 "}[one.paused]
    if one.state != "active":
        signs = "🔒 "
    if one.in_own_topic:
        return signs + context.t.plain(N_("{username} (own topic)"), username=one.username)
    if one.target.thread_id:
        return signs + context.t.plain(N_("{username} (in a topic)"), username=one.username)
    return signs + one.username


def _after_subscribe(one: Subscription, live: int, context: Context) -> Buttons:
    options = context.button(N_("Options"), actions.SUBSCRIPTION(one.id))
    stop = context.button(N_("Unsubscribe"), actions.UNSUBSCRIBE("name", one.username))
    show_now = [[context.button(N_("Show current stories"), actions.LIVE(one.username))]]
    return [*(show_now if live else ()), [options, stop]]


async def _channel(update: Update, context: Context, name: str) -> Target:
    """Return the channel, after checking that the person and the bot run it."""
    user_id, bot, services = user_of(update), context.bot, context.services
    try:
        channel = await bot.get_chat(name)
        if user_id is None or channel.type == Chat.PRIVATE:
            raise ChannelError("not a channel, or nobody in particular")
        for one in (user_id, bot.id):
            standing = await services.admins.standing(bot, channel.id, one, now=context.now)
            if not (standing.may_post if channel.type == Chat.CHANNEL else standing.is_admin):
                raise ChannelError("no administrator who may post")
    except (BadRequest, Forbidden, AdminsUnknownError) as error:
        raise ChannelError("can't be seen") from error
    except TelegramError as error:
        raise AskAgainError(str(error)) from error
    await services.access.channel_named(
        channel.id,
        user_id,
        kind=channel.type,
        title=channel.effective_name or "",
        language_code=context.t.language,
    )
    await services.whereabouts.check(channel.id)
    return Target(channel.id)


@pressed(actions.SUBSCRIPTION)
async def option_list(update: Update, context: Context, number: int, section: str | None) -> None:
    """Show the options of the pressed subscription, in place."""
    await rewrite(update, context, *await options_of(context, number, section))


async def options_of(context: Context, number: int, section: str | None) -> Page:
    """Return the page of a subscription of the chat, or one of its options."""
    one = await context.services.subscriptions.get(context.chat.id, number)
    return options_page(one, context, section)


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    ours = (subscribe, subscriptions, unsubscribe, turn_page, option_list, end,
            undo, undo_all, show_live, take_answer)  # fmt: skip
    return [one.handler for one in ours]
