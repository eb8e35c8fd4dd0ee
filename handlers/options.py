"""The options of a subscription, and those that new ones begin with, as buttons that toggle."""

from telegram import InlineKeyboardButton, Update

from bot.chats.subscriptions import Subscription
from bot.context import Context
from bot.domain.errors import N_
from bot.domain.model import Options
from bot.presentation.buttons import Buttons
from bot.presentation.html import Safe, code
from handlers.guard import Handler, pressed
from handlers.replies import rewrite

TOGGLES = {
    "silent": N_("Silent"),
    "links_only": N_("Only with links"),
    "mentions_only": N_("Only with mentions"),
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
DEFAULTS_TITLE = N_("<b>Options for new subscriptions</b>\nTap an option to change it.")


def options_page(one: Subscription, context: Context) -> tuple[str, Buttons]:
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
    wanted = f"opt:{one.id}:pause:{OFF if one.paused else ON}"
    rows = [[InlineKeyboardButton(t.plain(pause), callback_data=wanted)]]
    rows += _rows(one.options, f"opt:{one.id}", context)
    if one.in_own_topic or (context.has_topics and context.about is None):
        sign, value = ("✅ ", OFF) if one.in_own_topic else ("▫️ ", ON)
        own = InlineKeyboardButton(
            sign + t.plain(N_("In its own topic")), callback_data=f"topic:{one.id}:{value}"
        )
        rows.append([own])
    stop = InlineKeyboardButton(t.plain(N_("Unsubscribe")), callback_data=f"unsub:id:{one.id}")
    back = InlineKeyboardButton(t.plain(N_("« Back")), callback_data="subs:0")
    return text, [*rows, [back, stop]]


def paused_line(one: Subscription, context: Context) -> str:
    """Return the sentence on a subscription that is paused, or muted for a while."""
    if one.paused_until is None:
        return context.t(N_("⏸ Paused: no alerts until you resume."))
    return context.t(N_("🔕 Muted until {until}."), until=one.paused_until)


@pressed("mute:", r"mute:\d{1,18}$")
async def mute(update: Update, context: Context, data: str) -> None:
    """Send no alerts of a subscription for a day: ``mute:<id>``; its button is under alerts."""
    number = int(data.partition(":")[2])
    one = await context.services.subscriptions.mute(context.chat.id, number)
    if one.paused_until is None:  # paused for good
        text, buttons = options_page(one, context)
        await rewrite(update, context, text, buttons)
        return
    text = context.t(
        N_("🔕 No alerts from <b>{username}</b> until {until}."),
        username=one.username,
        until=one.paused_until,
    )
    undo = InlineKeyboardButton(
        context.t.plain(N_("↩️ Undo")), callback_data=f"opt:{one.id}:pause:{OFF}"
    )
    more = InlineKeyboardButton(context.t.plain(N_("Options")), callback_data=f"sub:{one.id}")
    await rewrite(update, context, text, [[undo, more]])


@pressed("opt:", r"opt:\d{1,18}:[a-z_]{1,20}(:[a-z]{1,10})?$")
async def change_option(update: Update, context: Context, data: str) -> None:
    """Change one option of a subscription: ``opt:<id>:<option>[:<value>]``."""
    number, what, value = [*data.split(":")[1:], ""][:3]
    service, chat_id = context.services.subscriptions, context.chat.id
    one = await service.get(chat_id, int(number))
    if what == "pause":
        shall_pause = value == ON if value else not one.paused
        one = await (service.pause if shall_pause else service.resume)(chat_id, one.id)
    else:
        one = await service.set_options(chat_id, one.id, changed(one.options, what, value))
    text, buttons = options_page(one, context)
    await rewrite(update, context, text, buttons)


@pressed("topic:", r"topic:\d{1,18}:(on|off)$")
async def own_topic(update: Update, context: Context, data: str) -> None:
    """Let a subscription go to its profile's own topic, or to the chat: ``topic:<id>:<value>``."""
    number, value = data.split(":")[1:]
    one = await context.services.subscriptions.to_own_topic(
        context.chat.id, int(number), on=value == ON
    )
    text, buttons = options_page(one, context)
    await rewrite(update, context, text, buttons)


@pressed("defaults", r"defaults(:[a-z_]{1,20}){0,2}$")
async def change_default(update: Update, context: Context, data: str) -> None:
    """Show the defaults of the chat, or change one: ``defaults[:<option>[:<value>]]``."""
    options = Options.of(context.chat.defaults)
    what, value = [*data.split(":")[1:], "", ""][:2]
    if what:
        options = changed(options, what, value)
        await context.services.chats.change(context.chat.id, defaults=options.values())
    back = InlineKeyboardButton(context.t.plain(N_("« Back")), callback_data="set:back")
    buttons = [*_rows(options, "defaults", context), [back]]
    await rewrite(update, context, context.t(DEFAULTS_TITLE), buttons)


def changed(options: Options, what: str, value: str) -> Options:
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


def _rows(options: Options, prefix: str, context: Context) -> Buttons:
    plain = context.t.plain

    def button(sign: str, text: str, what: str) -> InlineKeyboardButton:
        data = f"{prefix}:{what}:{following(options, what)}"
        return InlineKeyboardButton(sign + plain(text), callback_data=data)

    toggles = [
        button("✅ " if getattr(options, name) else "▫️ ", text, name)
        for name, text in TOGGLES.items()
    ]
    words = [
        button("🎞 ", MEDIA[options.media], "media"),
        button("📝 ", CAPTIONS[options.caption], "caption"),
    ]
    return [words, *([one] for one in toggles)]


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [mute.handler, change_option.handler, own_topic.handler, change_default.handler]
