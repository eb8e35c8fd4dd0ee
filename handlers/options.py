"""The options of a subscription, and those that new ones begin with, as buttons that toggle."""

from collections.abc import Callable
from functools import partial

from telegram import InlineKeyboardButton, Update

from bot.chats.subscriptions import Subscription
from bot.context import Context
from bot.domain.errors import N_
from bot.domain.model import Options
from bot.presentation import actions
from bot.presentation.actions import Buttons, Page, back, button
from bot.presentation.html import Safe, code
from handlers.guard import Handler, pressed
from handlers.replies import rewrite

TOGGLES = {
    "silent": N_("Silent"),
    "spoiler": N_("Blurred until tapped"),
    "protect": N_("No forwarding"),
    "digest": N_("Daily summary"),
    "fast": N_("Check more often"),
    "keep": N_("Keep for /past"),
    "files": N_("Send as files"),
}
MEDIA = {
    "all": N_("Photos and videos"),
    "photo": N_("Photos only"),
    "video": N_("Videos only"),
}
CAPTIONS = {"full": N_("Full caption"), "short": N_("Short caption")}
WORDS = {"media": MEDIA, "caption": CAPTIONS}
ON, OFF = "on", "off"  # as buttons carry them
SETTINGS = actions.SETTING("back")
DEFAULTS_TITLE = N_("<b>Options for new subscriptions</b>\nTap an option to change it.")


def options_page(one: Subscription, context: Context) -> Page:
    """Return the text and the buttons for a subscription's options."""
    t = context.t
    text: str = t(
        N_("<b>{username}</b>\nTap an option to change it for this chat."), username=one.username
    )
    for sign, terms in (("✅", one.options.only), ("🚫", one.options.without)):
        text += Safe(f"\n{sign} {t.apart(code(terms))}") if terms else ""
    if one.in_own_topic:
        text += "\n" + t(N_("Its alerts go to its own topic."))
    elif one.target.thread_id:
        text += "\n" + t(N_("Its alerts go to a topic."))
    if one.paused:
        text += "\n\n" + paused_line(one, context)
    pause = N_("▶️ Resume") if one.paused else N_("⏸ Pause")
    paused = OFF if one.paused else ON
    rows = [[context.button(pause, actions.OPTION(one.id, "pause", paused))]]
    rows += _rows(one.options, partial(actions.OPTION, one.id), context)
    if one.in_own_topic or (context.has_topics and context.about is None):
        sign, value = ("✅ ", OFF) if one.in_own_topic else ("▫️ ", ON)
        own = t.plain(N_("In its own topic"))
        rows.append([button(sign + own, actions.OWN_TOPIC(one.id, value))])
    stop = context.button(N_("Unsubscribe"), actions.UNSUBSCRIBE("id", one.id))
    return text, [*rows, [back(t, actions.SUBSCRIPTIONS(0)), stop]]


def paused_line(one: Subscription, context: Context) -> str:
    """Return the sentence on a subscription that is paused, or muted for a while."""
    if one.paused_until is None:
        return context.t(N_("⏸ Paused: no alerts until you resume."))
    return context.t(N_("🔕 Muted until {until}."), until=one.paused_until)


@pressed(actions.MUTE)
async def mute(update: Update, context: Context, number: int) -> None:
    """Send no alerts of a subscription for a day; its button is under alerts."""
    one = await context.services.subscriptions.mute(context.chat.id, number)
    if one.paused_until is None:  # paused for good
        await rewrite(update, context, *options_page(one, context))
        return
    text = context.t(
        N_("🔕 No alerts from <b>{username}</b> until {until}."),
        username=one.username,
        until=one.paused_until,
    )
    undo = context.button(N_("↩️ Undo"), actions.OPTION(one.id, "pause", OFF))
    more = context.button(N_("Options"), actions.SUBSCRIPTION(one.id))
    await rewrite(update, context, text, [[undo, more]])


@pressed(actions.OPTION)
async def change_option(
    update: Update, context: Context, number: int, what: str, value: str | None
) -> None:
    """Change one option of a subscription."""
    service, chat_id = context.services.subscriptions, context.chat.id
    one = await service.get(chat_id, number)
    if what == "pause":
        shall_pause = value == ON if value else not one.paused
        one = await (service.pause if shall_pause else service.resume)(chat_id, one.id)
    else:
        one = await service.set_options(chat_id, one.id, changed(one.options, what, value))
    await rewrite(update, context, *options_page(one, context))


@pressed(actions.OWN_TOPIC)
async def own_topic(update: Update, context: Context, number: int, value: str) -> None:
    """Let a subscription go to its profile's own topic, or to the chat."""
    service, chat_id = context.services.subscriptions, context.chat.id
    one = await service.to_own_topic(chat_id, number, on=value == ON)
    await rewrite(update, context, *options_page(one, context))


@pressed(actions.DEFAULT)
async def change_default(
    update: Update, context: Context, what: str | None, value: str | None
) -> None:
    """Show the defaults of the chat, or change one."""
    options = Options.of(context.chat.defaults)
    if what:
        options = changed(options, what, value)
        await context.services.chats.change(context.chat.id, defaults=options.values())
    buttons = [*_rows(options, actions.DEFAULT, context), [back(context.t, SETTINGS)]]
    await rewrite(update, context, context.t(DEFAULTS_TITLE), buttons)


def changed(options: Options, what: str, value: str | None) -> Options:
    """Return the options with ``what`` as the button wants it: pressed twice, it is so once.

    Older buttons name no value, and mean the next one.
    """
    value = value or following(options, what)
    wanted: object = value
    if what in TOGGLES:
        wanted = value == ON
    elif what not in WORDS:
        return options
    values: dict[str, object] = {**options.values(), what: wanted}
    return Options.of(values)


def following(options: Options, what: str) -> str:
    """Return the value that an option would have next; empty where there is no such option."""
    if what in TOGGLES:
        return OFF if getattr(options, what) else ON
    order = list(WORDS.get(what, ()))
    return order[(order.index(getattr(options, what)) + 1) % len(order)] if order else ""


def _rows(options: Options, change: Callable[[str, str], str], context: Context) -> Buttons:
    def option(sign: str, text: str, what: str) -> InlineKeyboardButton:
        return button(sign + context.t.plain(text), change(what, following(options, what)))

    toggles = [
        option("✅ " if getattr(options, name) else "▫️ ", text, name)
        for name, text in TOGGLES.items()
    ]
    words = [
        option("🎞 ", MEDIA[options.media], "media"),
        option("📝 ", CAPTIONS[options.caption], "caption"),
    ]
    return [words, *([one] for one in toggles)]


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [mute.handler, change_option.handler, own_topic.handler, change_default.handler]
