"""/settings and /timezone: where and when a chat lives, edited in place by buttons."""

from datetime import UTC, datetime

from telegram import InlineKeyboardButton, Update

from bot.context import Context
from bot.domain.errors import N_
from bot.domain.records import Chat
from bot.domain.zones import is_zone, zone_of
from bot.presentation.buttons import Buttons
from bot.store import chats
from bot.store.unit_of_work import effect
from handlers.guard import Handler, command, pressed
from handlers.replies import rewrite, say

CITIES = (
    "UTC", "Europe/London", "Europe/Madrid", "Europe/Berlin", "Europe/Istanbul", "Europe/Moscow",
    "Africa/Cairo", "Africa/Lagos", "Asia/Dubai", "Asia/Kolkata", "Asia/Jakarta", "Asia/Shanghai",
    "Asia/Tokyo", "Australia/Sydney", "America/Sao_Paulo", "America/New_York", "America/Chicago",
    "America/Mexico_City", "America/Los_Angeles", "America/Argentina/Buenos_Aires",
)  # fmt: skip

TITLE = N_("<b>Settings of this chat</b>")
OVERVIEW = N_(
    "Time zone: {zone} (now {time})\n"
    "Quiet hours: {quiet}\n"
    "Daily summary at: {digest}\n\n"
    "Alerts from quiet hours arrive together when they end."
)
NO_SUCH_ZONE = N_(
    "I don't know the time zone {zone}. Write it like <code>/timezone Europe/Madrid</code>, or "
    "choose a city in /settings."
)


@command("settings")
async def settings(update: Update, context: Context) -> None:
    """Show what is set, with a button for each."""
    text, buttons = overview(context)
    await say(update, context, text, buttons)


@command("timezone")
async def timezone(update: Update, context: Context) -> None:
    """Set the zone by its name; without one, offer the cities."""
    if not context.args:
        await say(update, context, context.t(N_("Which city's time should I use?")), _cities())
        return
    name = context.args[0]
    if not is_zone(name):
        await say(update, context, context.t(NO_SUCH_ZONE, zone=name))
        return
    await _change(context, zone=name)
    text = context.t(
        N_("Time zone: {zone}. It's {time} there now."), time=_clock(context), zone=name
    )
    await say(update, context, text)


@pressed("set:", r"set:")
async def change_setting(update: Update, context: Context, data: str) -> None:
    """Follow the buttons: ``set:<what>[:<value>[:<value>]]``."""
    match data.split(":")[1:]:
        case ["zone"]:
            await rewrite(
                update, context, context.t(N_("Which city's time should I use?")), _cities()
            )
        case ["zone", name] if is_zone(name):
            await _change(context, zone=name)
            await _back(update, context)
        case ["quiet"]:
            text = context.t(N_("When should quiet hours start?"))
            off = InlineKeyboardButton(context.t.plain(N_("Never")), callback_data="set:quiet:off")
            await rewrite(update, context, text, [*_hours("set:quiet", context), [off]])
        case ["quiet", "off"]:
            await _change(context, quiet_from=None, quiet_to=None)
            await _back(update, context)
        case ["quiet", start] if _is_hour(start):
            text = context.t(N_("When should they end?"))
            await rewrite(update, context, text, _hours(f"set:quiet:{start}", context))
        case ["quiet", start, end] if _is_hour(start) and _is_hour(end):
            same = start == end
            await _change(
                context,
                quiet_from=None if same else int(start) * 60,
                quiet_to=None if same else int(end) * 60,
            )
            await _back(update, context)
        case ["digest"]:
            text = context.t(N_("When should the daily summary arrive?"))
            await rewrite(update, context, text, _hours("set:digest", context))
        case ["digest", hour] if _is_hour(hour):
            await _change(context, digest_at=int(hour) * 60)
            await _back(update, context)
        case _:
            await _back(update, context)


async def _back(update: Update, context: Context) -> None:
    text, buttons = overview(context)
    await rewrite(update, context, text, buttons)


async def _change(context: Context, **values: object) -> None:
    async with effect(context.services.db) as tx:
        await chats.change(tx, context.chat.id, **values)
        context.chat = await chats.get(tx, context.chat.id) or context.chat
    context.t = context.t.in_zone(zone_of(context.chat.zone))
    await context.services.subscriptions.replan(context.chat.id)


def overview(context: Context) -> tuple[str, Buttons]:
    """Return what is set in the chat, and the buttons that change it."""
    chat, t = context.chat, context.t
    text = f"{t(TITLE)}\n\n" + t(
        OVERVIEW,
        zone=chat.zone.replace("_", " "),
        time=_clock(context),
        quiet=_quiet(chat, context),
        digest=_minutes(chat.digest_at, context),
    )
    buttons = [
        [
            InlineKeyboardButton(t.plain(N_("🌍 Time zone")), callback_data="set:zone"),
            InlineKeyboardButton(t.plain(N_("🌙 Quiet hours")), callback_data="set:quiet"),
        ],
        [
            InlineKeyboardButton(t.plain(N_("📰 Daily summary")), callback_data="set:digest"),
            InlineKeyboardButton(t.plain(N_("🔔 New subscriptions")), callback_data="defaults"),
        ],
    ]
    return text, buttons


def _quiet(chat: Chat, context: Context) -> str:
    if chat.quiet_from is None or chat.quiet_to is None:
        return context.t.plain(N_("none"))
    return f"{_minutes(chat.quiet_from, context)}-{_minutes(chat.quiet_to, context)}"


def _clock(context: Context) -> str:
    return context.t.time(context.now, zone_of(context.chat.zone))


def _minutes(minutes: int, context: Context) -> str:
    return context.t.time(datetime(2000, 1, 1, minutes // 60, minutes % 60, tzinfo=UTC), UTC)


def _hours(prefix: str, context: Context) -> Buttons:
    buttons = [
        InlineKeyboardButton(_minutes(hour * 60, context), callback_data=f"{prefix}:{hour}")
        for hour in range(24)
    ]
    return [buttons[i : i + 4] for i in range(0, 24, 4)]


def _cities() -> Buttons:
    buttons = [
        InlineKeyboardButton(
            name.rpartition("/")[2].replace("_", " "), callback_data=f"set:zone:{name}"
        )
        for name in CITIES
    ]
    return [buttons[i : i + 3] for i in range(0, len(buttons), 3)]


def _is_hour(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 3 and int(text) < 24  # noqa: PLR2004 - an hour of the day


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [settings.handler, timezone.handler, change_setting.handler]
