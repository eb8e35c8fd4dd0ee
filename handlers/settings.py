"""/settings and /timezone: where and when a chat lives, by buttons, or by typing it.

What is typed is a reply to the page that asks, or in a private chat simply the next message.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from telegram import Chat as TelegramChat
from telegram import Update
from telegram.ext import filters

from bot.context import Context
from bot.domain import hours, talk
from bot.domain.errors import N_
from bot.domain.records import Chat
from bot.domain.zones import is_zone, zone_of
from bot.presentation import cities
from bot.presentation.actions import (
    DEFAULT,
    DO,
    LANGUAGES,
    SETTING,
    Buttons,
    Page,
    back,
    button,
    grid,
)
from handlers.guard import Handler, command, heard, pressed
from handlers.questions import Answers, asks
from handlers.replies import rewrite, say

NIGHTS = ((22, 7), (23, 7), (23, 8), (0, 8))
"""Quiet hours that most people want, offered first."""
EXPECTED = timedelta(minutes=5)  # in which a bare message is what the last page asked for

GMT = re.compile(r"Etc/GMT([+-])([1-9]\d?)")
MINUTE = timedelta(minutes=1)
TOP = SETTING("back")  # the page that leads to all others

TITLE = N_("<b>Settings of this chat</b>")
OVERVIEW = N_(
    "Time zone: {zone} (now {time})\n"
    "Quiet hours: {quiet}\n"
    "Daily summary at: {digest} (subscriptions that use it: {n})\n\n"
    "Alerts from quiet hours arrive together when they end."
)
NO_SUCH_ZONE = N_(
    "I don't know the city or time zone {zone}. Try a large city nearby, or choose one in "
    "/settings."
)
ZONE_SET = N_("Time zone: {zone}. It's {time} there now.")
WHICH_ZONE = N_("Which city's time should I use? Choose one, or send me the name of a city.")
WHAT_TIME = N_("What time is it there now?")
WHICH_CITY = N_("Which city is it?")
QUIET = N_("When should I be quiet? Choose, or send me both times, like 23-7.")
DIGEST = N_("When should the daily summary arrive? Choose an hour, or send me one, like 9:30.")
QUESTIONS = {"zone": WHICH_ZONE, "clock": WHAT_TIME, "quiet": QUIET, "digest": DIGEST}
NEAR = 20  # minutes that a typed clock may be off


@command("settings", channel_after=0)
async def settings(update: Update, context: Context) -> None:
    """Show what is set, with a button for each."""
    await say(update, context, *await overview(context))


@command("timezone", channel_after=1)
async def timezone(update: Update, context: Context) -> None:
    """Set the zone of a city, or by its own name; without one, offer the cities."""
    if context.args:
        await _set_zone(update, context, " ".join(context.args))
        return
    _expect(context, "zone")
    await say(update, context, context.t(WHICH_ZONE), _cities(context))


@pressed(SETTING)
async def change_setting(update: Update, context: Context, data: str) -> None:
    """Follow the buttons: ``<what>[:<value>[:<value>]]``."""
    words = data.split(":")
    page = _question(context, words)
    _expect(context, words[0] if page else "")
    if page:
        await rewrite(update, context, *page)
    elif not await _set(update, context, words):
        await _back(update, context)


def _question(context: Context, words: list[str]) -> Page | None:
    """Return the page that asks for a setting, None where there is no such page."""
    t = context.t
    match words:
        case ["zone"]:
            return t(WHICH_ZONE), _cities(context)
        case ["clock"]:
            return t(WHAT_TIME), _clocks(context)
        case ["quiet"]:
            return t(QUIET), _nights(context)
        case ["digest"]:
            return t(DIGEST), [*_hours(context), [back(t, TOP)]]
        case _:
            return None


async def _set(update: Update, context: Context, words: list[str]) -> bool:
    """Set what was pressed; return whether that ended in a page of its own."""
    match words:
        case ["zone", name] if is_zone(name):
            await _change(context, zone=name)
        case ["clock", minutes] if minutes.removeprefix("-").isdecimal():
            return await _choose_city(update, context, int(minutes))
        case ["quiet", "off"]:
            await _change(context, quiet_from=None, quiet_to=None)
        case ["quiet", start, end] if _is_hour(start) and _is_hour(end):
            await _set_quiet(context, int(start) * 60, int(end) * 60)
        case ["digest", hour] if _is_hour(hour):
            await _change(context, digest_at=int(hour) * 60)
    return False


@heard(
    "an answer: a setting",
    filters.UpdateType.MESSAGE
    & filters.TEXT
    & filters.REPLY
    & Answers(*QUESTIONS.values())
    & ~filters.COMMAND,
)
async def take_answer(update: Update, context: Context) -> None:
    """Take what is typed as a reply to a page that asks."""
    message = update.effective_message
    asked = message.reply_to_message if message else None
    if message is None or asked is None:
        return
    what = next((w for w, text in QUESTIONS.items() if asks(asked, text)), "quiet")
    if not await _take(update, context, what, message.text or ""):
        _expect(context, what)
        await _ask(update, context, what)


async def take_typed(update: Update, context: Context, text: str) -> bool:
    """Take a bare message, where a page has just asked for it; return whether it was that.

    What may be a profile's name, or no answer at all, is not.
    """
    what = _expected(context)
    if not what or not text or text.startswith("/"):
        return False
    if what == "zone" and ("@" in text or talk.names_in(text) or talk.is_small_talk(text)):
        return False
    if await _take(update, context, what, text):
        return True
    if any(char.isalpha() for char in text):
        return False
    await _ask(update, context, what)
    return True


async def ask_again(update: Update, context: Context, text: str) -> bool:
    """Ask what a page has just asked, where ``text`` is no answer; return whether it was asked."""
    what = _expected(context)
    if not what or not text or talk.is_small_talk(text):
        return False
    await _ask(update, context, what)
    return True


async def _ask(update: Update, context: Context, what: str) -> None:
    page = _question(context, [what])
    if page:
        await say(update, context, *page)


async def _take(update: Update, context: Context, what: str, text: str) -> bool:
    """Set what was typed; return whether it could be read."""
    night, hour = hours.hours_in(text), hours.hour_in(text)
    if what == "zone":
        await _set_zone(update, context, text)
        return True
    if what == "clock" and hour is not None:
        ahead = _ahead(context, hour)
        if ahead is None:
            return False
        _expect(context, "")
        if not await _choose_city(update, context, ahead):
            await _back(update, context)
        return True
    if what == "quiet" and night:
        await _set_quiet(context, *night)
    elif what == "digest" and hour is not None:
        await _change(context, digest_at=hour)
    else:
        return False
    _expect(context, "")
    await _back(update, context)
    return True


def _ahead(context: Context, clock: int) -> int | None:
    """Return what a clock is ahead of UTC in minutes, None where clocks show that nowhere now."""
    now = context.now.hour * 60 + context.now.minute

    def off(ahead: timedelta) -> int:
        apart = (now + ahead // MINUTE - clock) % hours.DAY
        return min(apart, hours.DAY - apart)

    nearest = min(cities.by_offset(context.now), key=off)
    return nearest // MINUTE if off(nearest) <= NEAR else None


async def _set_zone(update: Update, context: Context, text: str) -> None:
    name = text if is_zone(text) else cities.zone_named(text)
    if name is None:
        await say(update, context, context.t(NO_SUCH_ZONE, zone=text[:64]))
        return
    _expect(context, "")
    await _change(context, zone=name)
    shown = context.t(ZONE_SET, time=_clock(context), zone=_zone(context))
    await say(update, context, shown, [[back(context.t, TOP)]])


async def _set_quiet(context: Context, start: int, end: int) -> None:
    same = start == end
    await _change(context, quiet_from=None if same else start, quiet_to=None if same else end)


async def _choose_city(update: Update, context: Context, minutes: int) -> bool:
    """Take the zone whose clock was pressed; return whether it asks for the city first."""
    zones = cities.by_offset(context.now).get(timedelta(minutes=minutes), [])
    if len(zones) == 1:
        await _change(context, zone=zones[0])
        return False
    buttons = [*_zone_buttons(zones, context), [back(context.t, SETTING("clock"))]]
    await rewrite(update, context, context.t(WHICH_CITY), buttons)
    return True


def _expected(context: Context) -> str:
    """Return what a page has just asked for in the chat; empty for nothing."""
    key = (context.chat.id, "expected")
    what = context.services.lately.get(key, within=EXPECTED, now=context.now)
    return what if isinstance(what, str) else ""


def _expect(context: Context, what: str) -> None:
    """Note that the next bare message of a private chat may be what a page asks for."""
    lately, key = context.services.lately, (context.chat.id, "expected")
    lately.forget(key)
    if what in QUESTIONS and context.chat.kind == TelegramChat.PRIVATE:
        lately.record(key, what, now=context.now)


async def _back(update: Update, context: Context) -> None:
    await rewrite(update, context, *await overview(context))


async def _change(context: Context, **values: object) -> None:
    context.chat = await context.services.chats.change(context.chat.id, **values) or context.chat
    context.t = context.t.in_zone(zone_of(context.chat.zone))
    await context.services.subscriptions.replan(context.chat.id)


async def overview(context: Context) -> Page:
    """Return what is set in the chat, and the buttons that change it."""
    chat, t = context.chat, context.t
    rows, _ = await context.services.subscriptions.page(chat.id)
    text = f"{t(TITLE)}\n\n" + t(
        OVERVIEW,
        zone=_zone(context),
        time=_clock(context),
        quiet=_quiet(chat, context),
        digest=_minutes(chat.digest_at, context),
        n=sum(one.options.digest for one in rows),
    )
    buttons = [
        context.button(N_("🌍 Time zone"), SETTING("zone")),
        context.button(N_("🌙 Quiet hours"), SETTING("quiet")),
        context.button(N_("📰 Daily summary"), SETTING("digest")),
        context.button(N_("🔔 New subscriptions"), DEFAULT()),
        context.button(N_("🌐 Language"), LANGUAGES()),
        context.button(N_("📊 Usage"), DO("usage")),
        context.button(N_("📤 Export"), DO("export")),
        context.button(N_("🔒 Privacy"), DO("privacy")),
    ]
    return text, grid(buttons, 2)


def _quiet(chat: Chat, context: Context) -> str:
    if chat.quiet_from is None or chat.quiet_to is None:
        return context.t.plain(N_("none"))
    return _range(chat.quiet_from, chat.quiet_to, context)


def _range(start: int, end: int, context: Context) -> str:
    return context.t.span(_minutes(start, context), _minutes(end, context))


def _zone(context: Context) -> str:
    """Return the chat's zone by its city, and by its own name where that tells more."""
    zone = context.chat.zone
    if match := GMT.fullmatch(zone):  # the database of zones counts them to the west
        return f"UTC{'-' if match[1] == '+' else '+'}{match[2]}"
    city, name = cities.city_of(zone, context.t.language), zone.replace("_", " ")
    return name if city == name or not is_zone(zone) else f"{city} ({name})"


def _clock(context: Context) -> str:
    return context.t.time(context.now, zone_of(context.chat.zone))


def _minutes(minutes: int, context: Context) -> str:
    return context.t.time(datetime(2000, 1, 1, minutes // 60, minutes % 60, tzinfo=UTC), UTC)


def _nights(context: Context) -> Buttons:
    nights = [
        button(_range(start * 60, end * 60, context), SETTING("quiet", start, end))
        for start, end in NIGHTS
    ]
    off = context.button(N_("Never"), SETTING("quiet", "off"))
    return [*grid(nights, 2), [off, back(context.t, TOP)]]


def _hours(context: Context) -> Buttons:
    times = (_minutes(hour * 60, context) for hour in range(24))
    return grid([button(time, SETTING("digest", hour)) for hour, time in enumerate(times)], 4)


def _cities(context: Context) -> Buttons:
    clock = context.button(N_("🕐 By the time there"), SETTING("clock"))
    return [*_zone_buttons(cities.CHOICE, context), [clock], [back(context.t, TOP)]]


def _zone_buttons(zones: Sequence[str], context: Context) -> Buttons:
    language = context.t.language
    return grid([button(cities.city_of(z, language), SETTING("zone", z)) for z in zones], 3)


def _clocks(context: Context) -> Buttons:
    """Return a button for each time that clocks show somewhere now."""
    buttons = [
        button(context.t.time(context.now + ahead, UTC), SETTING("clock", ahead // MINUTE))
        for ahead in cities.by_offset(context.now)
    ]
    return [*grid(buttons, 4), [back(context.t, SETTING("zone"))]]


def _is_hour(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 3 and int(text) < 24  # noqa: PLR2004 - an hour of the day


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [settings.handler, timezone.handler, change_setting.handler, take_answer.handler]
