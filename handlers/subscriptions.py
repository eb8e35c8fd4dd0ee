"""Following profiles: /subscribe, /subscriptions, /unsubscribe, and their buttons."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

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
    AdminsUnknownError,
    AskAgainError,
    BotError,
    SubscriptionError,
    TooManyFastError,
)
from bot.domain.model import Options, Target
from bot.domain.records import mute_of
from bot.domain.wanted import Wanted, read
from bot.presentation.buttons import Buttons
from bot.presentation.html import Safe
from bot.presentation.notices import MISSING
from handlers.guard import UNCHANGED, Handler, answer, command, heard, pressed
from handlers.links import unreadable
from handlers.options import options_page, paused_line
from handlers.questions import Answers, ask, choices
from handlers.replies import rewrite, say, working
from handlers.rights import TABLE, Need
from handlers.several import lines_of, shared
from handlers.show import show

PAGE = 8
WORDS = ("fast", "topic")
WORTH_SAYING = timedelta(minutes=1)
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
    "“Check more often” in Options."
)
LIVE = (
    N_("There is {n} story right now."),
    N_("There are {n} stories right now."),
)


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
            options=_options(wanted.words, context),
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
    if live := sum(len(one.live) for one in done):
        lines.append(t.n(*LIVE, live))
    is_slow = any(not (one.already or one.subscription.options.fast) for one in done)
    if is_slow and (delay := await _usual_delay(context)):
        lines.append(t(SOON, delay=delay))
    text = Safe("\n".join(lines) + await _obstacles(context, target))
    button = InlineKeyboardButton(t.plain(N_("Subscriptions")), callback_data="subs:0")
    is_here = target.chat_id == context.chat.id and done
    await say(update, context, text, [[button]] if is_here else None)


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
            options=_options(words, context),
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
    if followed.live:
        text += "\n" + context.t.n(*LIVE, len(followed.live))
    is_slow = not (followed.already or followed.subscription.options.fast)
    if is_slow and (delay := await _usual_delay(context)):
        text += "\n" + context.t(SOON, delay=delay)
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


def _options(words: Collection[str], context: Context) -> Options | None:
    """Return the options that the words ask for, None for the chat's defaults."""
    if "fast" not in words:
        return None
    return replace(Options.of(context.chat.defaults), fast=True)


async def _usual_delay(context: Context) -> timedelta | None:
    """Return how long alerts take on average, None where too little is known to say so."""
    delay = await context.services.subscriptions.usual_delay()
    return delay if delay and delay >= WORTH_SAYING else None


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


@pressed("live:", r"live:[a-z0-9._]{1,30}$")
async def show_live(update: Update, context: Context, data: str) -> str | None:
    """Show the stories that were there when somebody subscribed; they are paid already."""
    username = data.partition(":")[2]
    service = context.services.subscriptions
    live = await service.preview(username, Options(), chat_id=context.chat.id)
    if not live:
        return context.t.plain(N_("These stories are gone."))
    await answer(update, context)
    await show(update, context, plan(live), kind="stories")
    return None


@command("subscriptions")
async def subscriptions(update: Update, context: Context) -> None:
    """List what the chat follows."""
    text, buttons = await listed(context, 0)
    await say(update, context, text, buttons)


@pressed("subs:", r"subs:\d{1,4}$")
async def turn_page(update: Update, context: Context, data: str) -> None:
    """Show another page of the list, in place."""
    text, buttons = await listed(context, int(data.partition(":")[2]))
    await rewrite(update, context, text, buttons)


@command("unsubscribe")
async def unsubscribe(update: Update, context: Context) -> None:
    """Ask whether to stop following one profile, or all."""
    argument = context.args[0] if context.args else ""
    if argument.lower() == "all":
        _, count = await context.services.subscriptions.page(context.chat.id, limit=1)
        if not count:
            await say(update, context, context.t(EMPTY))
            return
        text = context.t.n(
            N_("Unsubscribe from {n} profile?"), N_("Unsubscribe from all {n} profiles?"), count
        )
        await say(update, context, text, _sure("all", context))
        return
    if not argument:
        await choose(update, context, WHICH, "unsubscribe", UNSUBSCRIBE_USAGE)
        return
    link = links.parse_argument(" ".join(context.args or []))
    if link is None or not link.username:
        await say(update, context, context.t(UNSUBSCRIBE_USAGE))
        return
    rows = await context.services.subscriptions.named(context.chat.id, link.username)
    text = context.t(N_("Unsubscribe from <b>{username}</b>?"), username=rows[0].username)
    await say(update, context, text, _sure(f"name:{rows[0].username}", context))


@pressed("unsub:", r"unsub:(all|no|name:.+|id:\d{1,18})$")
async def unsubscribe_sure(update: Update, context: Context, data: str) -> None:
    """Stop following: ``unsub:all``, ``unsub:name:<name>``, ``unsub:id:<id>``, ``unsub:no``."""
    service, chat_id = context.services.subscriptions, context.chat.id
    undo: list[InlineKeyboardButton] = []
    match data.split(":", 2)[1:]:
        case ["all"]:
            count = await service.unsubscribe_all(chat_id)
            done = N_("Unsubscribed from {n} profile."), N_("Unsubscribed from {n} profiles.")
            text = context.t.n(*done, count) if count else context.t(UNCHANGED)
        case ["name", username]:
            ended = await service.unsubscribe(chat_id, username)
            undo = [undo_button(ended[0], context)]
            text = context.t(N_("Unsubscribed from <b>{username}</b>."), username=username)
        case ["id", number]:
            one = await service.unsubscribe_one(chat_id, int(number))
            undo = [undo_button(one, context)]
            text = context.t(N_("Unsubscribed from <b>{username}</b>."), username=one.username)
        case _:
            text = context.t(UNCHANGED)
    back = InlineKeyboardButton(context.t.plain(N_("« Back")), callback_data="subs:0")
    await rewrite(update, context, text, [[*undo, back]])


def undo_button(ended: Subscription, context: Context) -> InlineKeyboardButton:
    """Return the button that brings an ended subscription back, with its options."""
    data = f"undo:{ended.options.code}:{ended.target.thread_id or 0}:{ended.username}"
    return InlineKeyboardButton(context.t.plain(N_("↩️ Undo")), callback_data=data)


@pressed("undo:", r"undo:\d{1,4}:\d{1,10}:[a-z0-9._]{1,30}$")
async def undo(update: Update, context: Context, data: str) -> None:
    """Subscribe again, as it was: ``undo:<options>:<topic>:<name>``; free for a while."""
    _, code, thread, username = data.split(":")
    followed = await context.services.subscriptions.restore(
        Target(context.chat.id, int(thread) or None),
        username,
        asker_of(update, context),
        options=Options.of_code(int(code)),
    )
    text, buttons = options_page(followed[0].subscription, context)
    await rewrite(update, context, text, buttons)


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


async def listed(context: Context, page: int) -> tuple[str, Buttons]:
    """Return a page of what the chat follows, each with the button of its options."""
    rows, count = await context.services.subscriptions.page(
        context.chat.id, offset=page * PAGE, limit=PAGE
    )
    if not count:
        return context.t(EMPTY if context.about is None else EMPTY_THERE), []
    text = context.t.n(
        N_("This chat has {n} subscription. Tap it for its options."),
        N_("This chat has {n} subscriptions. Tap one for its options."),
        count,
    )
    text = Safe(text + await _obstacles(context, None))
    buttons = [
        [InlineKeyboardButton(_line(one, context), callback_data=f"sub:{one.id}")] for one in rows
    ]
    arrows = []
    if page > 0:
        arrows.append(InlineKeyboardButton("◀️", callback_data=f"subs:{page - 1}"))
    if (page + 1) * PAGE < count:
        arrows.append(InlineKeyboardButton("▶️", callback_data=f"subs:{page + 1}"))
    return text, [*buttons, arrows] if arrows else buttons


async def _obstacles(context: Context, target: Target | None) -> Safe:
    """Return the sentences on what keeps alerts from a place, or from any of this chat's."""
    chat_id = target.chat_id if target else context.chat.id
    if target and target.chat_id != context.chat.id:
        await context.services.whereabouts.check(chat_id)
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


def _sure(what: str, context: Context) -> Buttons:
    yes = context.t.plain(N_("Yes, unsubscribe"))
    no = context.t.plain(N_("No, keep it"))
    return [
        [
            InlineKeyboardButton(yes, callback_data=f"unsub:{what}"),
            InlineKeyboardButton(no, callback_data="unsub:no"),
        ]
    ]


def _after_subscribe(one: Subscription, live: int, context: Context) -> Buttons:
    t = context.t
    buttons: Buttons = []
    if live:
        text = t.plain(N_("Show current stories"))
        buttons.append([InlineKeyboardButton(text, callback_data=f"live:{one.username}")])
    options = InlineKeyboardButton(t.plain(N_("Options")), callback_data=f"sub:{one.id}")
    stop = InlineKeyboardButton(
        t.plain(N_("Unsubscribe")), callback_data=f"unsub:name:{one.username}"
    )
    return [*buttons, [options, stop]]


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
    return Target(channel.id)


@pressed("sub:", r"sub:\d{1,18}$")
async def option_list(update: Update, context: Context, data: str) -> None:
    """Show the options of the pressed subscription, in place."""
    number = int(data.partition(":")[2])
    one = await context.services.subscriptions.get(context.chat.id, number)
    text, buttons = options_page(one, context)
    await rewrite(update, context, text, buttons)


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    ours = (subscribe, subscriptions, unsubscribe, turn_page, option_list, unsubscribe_sure,
            undo, show_live, take_answer)  # fmt: skip
    return [one.handler for one in ours]
