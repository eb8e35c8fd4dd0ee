"""The options of a subscription, and those that new ones begin with, as buttons that toggle."""

from dataclasses import replace

from telegram import InlineKeyboardButton, Update

from bot.chats.subscriptions import Subscription
from bot.context import Context
from bot.domain.errors import N_
from bot.domain.model import Options
from bot.presentation.buttons import Buttons
from handlers.guard import Handler, pressed
from handlers.replies import rewrite

TOGGLES = {
    "silent": N_("Without a sound"),
    "links_only": N_("Only with links"),
    "mentions_only": N_("Only with mentions"),
    "spoiler": N_("Blurred until tapped"),
    "protect": N_("No forwarding"),
    "digest": N_("Once a day (digest)"),
    "fast": N_("Looked at more often"),
}
MEDIA = {
    "all": N_("Photos and videos"),
    "photo": N_("Photos only"),
    "video": N_("Videos only"),
}
CAPTIONS = {"full": N_("Full caption"), "short": N_("Short caption")}
DEFAULTS_TITLE = N_("<b>What new subscriptions begin with</b>\nPress an option to change it.")


def options_page(one: Subscription, context: Context) -> tuple[str, Buttons]:
    """Return the text and the buttons for a subscription's options."""
    t = context.t
    text: str = t(
        N_("<b>{username}</b>\nPress an option to change it for this chat."), username=one.username
    )
    if one.paused:
        text += "\n\n" + t(N_("⏸ Paused: no alerts until you resume."))
    pause = N_("▶️ Resume") if one.paused else N_("⏸ Pause")
    rows = [[InlineKeyboardButton(t.plain(pause), callback_data=f"opt:{one.id}:pause")]]
    rows += _rows(one.options, f"opt:{one.id}", context)
    stop = InlineKeyboardButton(t.plain(N_("Stop following")), callback_data=f"unsub:id:{one.id}")
    back = InlineKeyboardButton(t.plain(N_("« Back")), callback_data="subs:0")
    return text, [*rows, [back, stop]]


@pressed("opt:", r"opt:\d{1,18}:[a-z_]{1,20}$")
async def change_option(update: Update, context: Context, data: str) -> None:
    """Change one option of a subscription: ``opt:<id>:<option>``."""
    number, what = data.split(":")[1:]
    service, chat_id = context.services.subscriptions, context.chat.id
    one = await service.get(chat_id, int(number))
    if what == "pause":
        turn = service.resume if one.paused else service.pause
        one = await turn(chat_id, one.id)
    else:
        one = await service.set_options(chat_id, one.id, turned(one.options, what))
    text, buttons = options_page(one, context)
    await rewrite(update, context, text, buttons)


@pressed("defaults", r"defaults(:[a-z_]{1,20})?$")
async def change_default(update: Update, context: Context, data: str) -> None:
    """Show the defaults of the chat, or change one: ``defaults[:<option>]``."""
    options = Options.of(context.chat.defaults)
    what = data.partition(":")[2]
    if what:
        options = turned(options, what)
        await context.services.subscriptions.set_defaults(context.chat.id, options)
    back = InlineKeyboardButton(context.t.plain(N_("« Back")), callback_data="set:back")
    buttons = [*_rows(options, "defaults", context), [back]]
    await rewrite(update, context, context.t(DEFAULTS_TITLE), buttons)


def turned(options: Options, what: str) -> Options:
    """Return the options with ``what`` switched to its next value."""
    if what == "media":
        order = list(MEDIA)
        following = order[(order.index(options.media) + 1) % len(order)]
        return Options.of({**options.values(), "media": following})
    if what == "caption":
        return replace(options, caption="short" if options.caption == "full" else "full")
    if what in TOGGLES:
        return Options.of({**options.values(), what: not getattr(options, what)})
    return options


def _rows(options: Options, prefix: str, context: Context) -> Buttons:
    plain = context.t.plain
    toggles = [
        InlineKeyboardButton(
            ("✅ " if getattr(options, name) else "▫️ ") + plain(text),
            callback_data=f"{prefix}:{name}",
        )
        for name, text in TOGGLES.items()
    ]
    words = [
        InlineKeyboardButton("🎞 " + plain(MEDIA[options.media]), callback_data=f"{prefix}:media"),
        InlineKeyboardButton(
            "📝 " + plain(CAPTIONS[options.caption]), callback_data=f"{prefix}:caption"
        ),
    ]
    return [words, *([one] for one in toggles)]


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [change_option.handler, change_default.handler]
