"""/settings and /timezone: a chat's time zone, quiet hours and summary, set by button or text.

A typed value is a reply to the page of a setting or, in a private chat, the next message within
five minutes.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from bot.context import Context
from bot.domain import hours, talk
from bot.domain.everyday_words import is_cancellation, is_unsure, normalize_word
from bot.domain.foreign_text import normalize_typed, typed_words
from bot.domain.plain_requests import is_known_word
from bot.domain.records import Chat
from bot.domain.sentences import N_
from bot.domain.zones import is_zone, zone_or_utc
from bot.presentation import cities
from bot.presentation.actions import (
    CHAT_RULES,
    DEFAULT,
    LANGUAGES,
    RUN,
    SETTING,
    Button,
    Buttons,
    Page,
    back_button,
    button,
    grid,
)
from bot.presentation.html import paragraphs
from bot.presentation.translation import LANGUAGES as TRANSLATIONS
from bot.presentation.translation import NOTED, translator_for
from handlers.guard import command, on_message, on_press
from handlers.managed_chats import set_managed_chat
from handlers.options import (
    EXPECTED,
    MAYBE_ZONE,
    OFF,
    ON,
    RULES_OF_CHAT,
    SUMMARY_TIME,
    YOUR_TIME,
    clock_time,
    rule_lines,
    store_zone_question_if_no_zone,
    use_for_all_button,
)
from handlers.options_of_all import confirm_change_of_all_page
from handlers.plain_requests import (
    answer_request,
    is_other_request,
    keep_stored_or_example_names,
    react_if_only_thanks,
)
from handlers.questions import (
    answer_if_cancellation,
    filter_for_answers_to,
    managed_chat_of_replied_page,
    question_of,
)
from handlers.replies import WasAnswered, edit_pressed, say

NIGHTS = ((22, 7), (23, 7), (23, 8), (0, 8))
"""Common quiet hours, offered as buttons. Each pair has the hour of the start and of the end."""
HOURS = (6, 7, 8, 9, 12, 18, 20, 22)
"""Common hours of the daily summary, offered as buttons."""
GMT = re.compile(r"Etc/GMT([+-])([1-9]\d?)")
TOP = SETTING("back")  # the first page of the settings

TITLE = N_("<b>Settings of this chat</b>")
NO_ZONE = N_("not set")
OVERVIEW = N_(
    "Time zone: {zone}, now {clock}\n"
    "Quiet hours: {quiet}\n"
    "Daily summary at: {digest} (subscriptions that use it: {n})\n\n"
    "Alerts from quiet hours arrive together when those hours end."
)
NO_SUMMARY = N_(
    "No subscription uses the daily summary yet. Choose a profile in /subscriptions, then turn "
    "on <b>[[Daily summary]]</b>."
)
USUAL_HOUR = 9 * 60  # the hour of the summary of a new chat, in minutes after midnight
NO_SUCH_ZONE = N_(
    "I don't know the city or time zone {zone}. Try a large city nearby, or choose one in "
    "/settings."
)
ZONE_SET = N_("Time zone: {zone}. It's {clock} there now.")
WHICH_ZONE = N_("Which city's time should I use? Choose one, or send me the name of a city.")
QUIET = N_(
    "When should I be quiet? Choose, or send me a start and an end, like 23-7 (11 PM to 7 AM)."
)
DIGEST = N_("When should the daily summary arrive? Choose an hour, or send me a time, like 9:30.")
PARTS = N_("Cost by member")
NEVER = N_("Never")
NO_TIME = N_("I can't read <code>{text}</code> as a time.")
QUESTIONS = {WHICH_ZONE: "zone", QUIET: "quiet", DIGEST: "digest"}
"""The setting that belongs to each question."""


class _ExpectedSetting(NamedTuple):
    """The setting for which a page has asked, and the ID of the chat that the page manages.

    If no page has asked, ``setting`` is an empty string.
    """

    setting: str
    managed_chat_id: int | None


@command("settings", channel_after=0)
async def show_settings(context: Context) -> None:
    """Show the settings, with a button for each setting."""
    await say(context, *await settings_page(context))


@command("timezone", channel_after=0)
async def set_or_ask_zone(context: Context) -> None:
    """Set the time zone that the words name (``cities.zone_named``).

    Without words, and for an unknown name, ask for the time zone.
    """
    if context.words_after_command:
        await _set_setting_or_ask_again(context, "zone", " ".join(context.words_after_command))
    else:
        await _ask_for_setting(context, "zone")


@on_press(SETTING)
async def ask_or_change_setting(context: Context, data: str) -> None:
    """Ask for a setting, or change a setting.

    The callback data have the form ``<setting>[:<value>]``. An unreadable value changes nothing. A
    word that is not a setting, such as ``back``, shows the page of all settings.
    """
    setting, _, value = data.partition(":")
    page = None if value else await _question_page(context, setting)
    await _store_expected_setting(context, setting if page else "")
    if page is None:
        await _set_if_readable(context, setting, value)
        page = await _get_page_and_expect_zone_if_missing(context, setting)
    await edit_pressed(context, *page)


async def _get_page_and_expect_zone_if_missing(context: Context, setting: str) -> Page:
    """Return the page that is shown after a change of a setting.

    The page asks whether all subscriptions should use the summary, asks for a missing time zone,
    or shows all settings.
    """
    if setting == "digest":
        rows = await context.services.subscriptions.all_of_chat(context.chat.id)
        if rows and not any(row.options.digest for row in rows):
            question, buttons = confirm_change_of_all_page(
                "digest", ON, rows, context, back_to=TOP
            )
            time = clock_time(context.chat.summary_minute_after_quiet_hours, context)
            hour = context.t(SUMMARY_TIME, time=time)
            return paragraphs(hour, question), buttons
    return await _expect_zone_and_get_page_if_missing(context, setting) or await settings_page(
        context
    )


async def _expect_zone_and_get_page_if_missing(context: Context, setting: str) -> Page | None:
    """Return the question for the missing time zone after an hour was set, or None.

    With the question, record that the next plain message of a private chat may answer the
    question. A channel gets no question.
    """
    hour = {"quiet": context.chat.quiet_from, "digest": context.chat.digest_at}.get(setting)
    if hour is None or context.chat.zone is not None or context.is_channel:
        return None
    await store_zone_question_if_no_zone(context)
    reason = context.t(YOUR_TIME, time=clock_time(hour, context))
    return paragraphs(reason, context.t(WHICH_ZONE)), _city_and_back_buttons(context)


async def _question_page(context: Context, setting: str) -> Page | None:
    """Return the page that asks for a setting. Return None if the setting has no page."""
    t = context.t
    match setting:
        case "zone":
            return t(WHICH_ZONE), _city_and_back_buttons(context)
        case "quiet":
            return t(QUIET), _quiet_hours_buttons(context)
        case "digest":
            rows = await context.services.subscriptions.all_of_chat(context.chat.id)
            use = [use_for_all_button(len(rows), "digest", value=True, context=context)]
            every_uses_it = all(row.options.digest for row in rows)
            more = [] if every_uses_it else [use]
            return t(DIGEST), [*_summary_hour_buttons(context), *more, [back_button(t, TOP)]]
        case _:
            return None


async def _set_if_readable(context: Context, setting: str, text: str) -> bool:
    """Set a setting to the value in a text. Return False if the text is unreadable.

    The chat and the time zone of the context are also updated.
    """
    if (columns := _parse_columns(setting, text)) is None:
        return False
    chat = context.chat
    services = context.services
    context.chat = await services.chats.store_columns_and_return_chat(chat.id, **columns) or chat
    context.t = context.t.in_zone(zone_or_utc(context.chat.zone))
    await services.subscriptions.reselect_deferred_and_reschedule(context.chat.id)
    return True


def _parse_columns(setting: str, text: str) -> dict[str, object] | None:
    """Parse the value of a setting. Return the new values of the chat's database columns, or None.

    None means that the text is not a value. Quiet hours with the same start and end mean no quiet
    hours.
    """
    text = normalize_typed(text).strip()
    if setting == "zone":
        zone = text if is_zone(text) else cities.zone_named(text)
        return {"zone": zone} if zone else None
    if setting == "quiet" and (night := hours.parse_start_and_end_minute(text)):
        start, end = night if night[0] != night[1] else (None, None)
        return {"quiet_from": start, "quiet_to": end}
    if setting == "quiet" and normalize_word(text) in _words_for_never():
        return {"quiet_from": None, "quiet_to": None}
    if setting == "digest" and (hour := hours.parse_minute_of_day(text)) is not None:
        return {"digest_at": hour}
    if setting == "parts" and text in {ON, OFF}:
        return {"shows_parts": text == ON}
    return None


@cache
def _words_for_never() -> frozenset[str]:
    """Return the texts that turn the quiet hours off.

    The texts are the word "off" and, in each language, the label of the button for no quiet hours.
    """
    return frozenset(
        {OFF, *(normalize_word(translator_for(code).plain(NEVER)) for code in TRANSLATIONS)}
    )


@on_message("an answer: a setting", filter_for_answers_to(*QUESTIONS))
async def set_setting_from_answer(context: Context) -> None:
    """Set a setting to the text of a reply to a settings page.

    After an unreadable text, the bot asks again. Thanks, and a request for another command, get
    the same answer as a message outside of a settings page.

    Raises:
        BotError: The requested command is refused or fails.
        RightsError: The errors of ``set_managed_chat`` for the chat of the settings page.
    """
    message = context.message
    question = question_of(message, list(QUESTIONS)) if message else None
    if message is None or question is None:
        return
    setting = QUESTIONS[question]
    text = normalize_typed(message.text or "").strip()
    if await _answer_thanks_or_other_request(context, setting, text):
        return
    about = managed_chat_of_replied_page(message)
    if about is not None:
        await set_managed_chat(context, about)
    if await answer_if_cancellation(context, text, is_answer=True):
        return
    if is_unsure(text, context.t.language):
        await _ask_for_setting(context, setting)
    else:
        await _set_setting_or_ask_again(context, setting, text)


def _is_thanks_or_other_request(context: Context, setting: str, text: str) -> bool:
    """Return whether a text says only thanks, or requests a different command than /settings.

    If the text answers the bot's question about ``setting``, for example with a value or "stop",
    the text does not request a command.
    """
    if talk.is_thanks_alone(text):  # "nice, thanks" does not mean the city of Nice
        return True
    language = context.t.language
    is_answer = is_cancellation(text, language, is_answer=True) or is_unsure(text, language)
    if is_answer or _parse_columns(setting, text) is not None:
        return False
    # The name of a country, such as "new zealand", does not request a command.
    if setting == "zone" and cities.zones_of_country(text):
        return False
    return is_other_request(context, text, {"settings"})


async def _answer_thanks_or_other_request(
    context: Context, setting: str, text: str
) -> WasAnswered:
    """Answer thanks or a request for another command. Return whether the text was answered."""
    if not _is_thanks_or_other_request(context, setting, text):
        return False
    return await react_if_only_thanks(context, text) or await answer_request(context, text)


async def set_setting_if_expected(context: Context, text: str) -> WasAnswered:
    """Set a setting to the value in a plain message, if a page has asked for the setting.

    Return whether the message was answered. A question is pending for at most five minutes.

    Raises:
        RightsError: The errors of ``set_managed_chat`` for the chat of the settings page.
    """
    setting, about = _expected_setting(context)
    text = normalize_typed(text).strip()
    if not setting or not text or text.startswith("/"):
        return False
    bot_asked_unprompted = setting == MAYBE_ZONE
    setting = "zone" if bot_asked_unprompted else setting
    # If the bot asked for the time zone, although the person did not ask to change the zone, the
    # text "no" may have a different meaning, and is not a cancellation. "stop" is then a request
    # for a different command.
    if await answer_if_cancellation(context, text, is_answer=not bot_asked_unprompted):
        return True
    if _is_thanks_or_other_request(context, setting, text):
        return False
    if bot_asked_unprompted and _is_small_talk_or_common_words(context, text):
        return False
    # The Portuguese "sei lá" (no idea) also looks like an hour, because "sei" is Italian for six.
    has_doubt = is_unsure(text, context.t.language)
    is_taken = has_doubt or _parse_columns(setting, text) is not None
    if not is_taken:
        is_taken = await _is_failed_try_at_value(
            context, setting, text, bot_asked_unprompted=bot_asked_unprompted
        )
    if not is_taken:
        return False
    if about is not None:
        await set_managed_chat(context, about)
    if has_doubt:
        await _ask_for_setting(context, setting)
    else:
        await _set_setting_or_ask_again(context, setting, text)
    return True


def _is_small_talk_or_common_words(context: Context, text: str) -> bool:
    """Return whether a text is small talk, an insult, a text about the bot, or common words.

    Some of these texts resemble names of cities, such as "nice". The exact name of a place does
    not count as common words.
    """
    is_talk = talk.is_small_talk(text) or talk.is_unlikely_name(text)
    if is_talk or talk.is_about_bot(text, context.t.language):
        return True
    resembles_name = cities.zone_named(text) != cities.zone_named(text, allows_similar=False)
    # For example, the Italian "è caro" (it is expensive) resembles the name "Cairo".
    return resembles_name and all(
        is_known_word(word, context.t.language) for word in typed_words(text)
    )


async def offer_zone_of_place(context: Context, text: str) -> WasAnswered:
    """Ask for the time zone after a statement such as "I live in Berlin".

    Return False, and ask nothing, for any other text, and for a request for another command.
    """
    zones = cities.zones_in_statement(text)
    if not zones or is_other_request(context, text, {"settings"}):
        return False
    every = dict.fromkeys((*zones, *cities.suggested_zones(context.t.language)))
    await store_zone_question_if_no_zone(context)
    await say(context, context.t(WHICH_ZONE), _zone_buttons(list(every), context))
    return True


async def _is_failed_try_at_value(
    context: Context, setting: str, text: str, *, bot_asked_unprompted: bool
) -> bool:
    """Return whether an unreadable text was probably meant as the value of a setting.

    An example is a mistyped city or time. ``bot_asked_unprompted`` is True if the bot asked for
    the time zone without a request of the person.
    """
    if bot_asked_unprompted:
        return bool(cities.zones_of_country(text))
    means_more = talk.names_listed_in(text, context.t.language) or talk.is_small_talk(text)
    if setting == "zone":
        name = talk.name_in(text)
        is_profile = name is not None and bool(await keep_stored_or_example_names(context, [name]))
        return not ("@" in text or means_more or is_profile)
    has_letters = any(char.isalpha() for char in text)
    return not (has_letters and (means_more or talk.name_in(text)))


async def _ask_for_setting(context: Context, setting: str, unread: str = "") -> None:
    """Ask for a setting. ``unread`` is the unreadable text of the previous answer."""
    page = await _question_page(context, setting)
    zones = cities.zones_of_country(unread) if setting == "zone" else []
    if zones:
        page = context.t(WHICH_ZONE), _zone_buttons(zones, context)
    elif setting == "zone" and unread:
        text = context.t(NO_SUCH_ZONE, zone=unread[:64])
        if not context.is_channel:
            text = paragraphs(text, context.t(WHICH_ZONE))
        page = text, _city_buttons(context)
    elif page and unread:
        question, buttons = page
        page = paragraphs(context.t(NO_TIME, text=unread[:64]), question), buttons
    if page:
        await _store_expected_setting(context, setting)
        await say(context, *page)


async def _set_setting_or_ask_again(context: Context, setting: str, text: str) -> None:
    """Set a setting to a typed value and show the result. Ask again if the value is unreadable."""
    if not await _set_if_readable(context, setting, text):
        await _ask_for_setting(context, setting, text)
        return
    await _store_expected_setting(context, "")
    if setting == "zone":
        shown = context.t(ZONE_SET, clock=_time_in_chat_zone(context), zone=_zone_text(context))
        await say(context, shown, [[back_button(context.t, TOP)]])
    else:
        await say(context, *await _get_page_and_expect_zone_if_missing(context, setting))


def _expected_setting(context: Context) -> _ExpectedSetting:
    """Return the setting for which a page has just asked, and the ID of the managed chat.

    The setting is empty if no question is pending. The ID is None for the chat of the update.
    """
    match context.question:
        case {"setting": str(what), "about": int() | None as about}:
            return _ExpectedSetting(what, about)
        case _:
            return _ExpectedSetting("", None)


async def _store_expected_setting(context: Context, setting: str) -> None:
    """Record that the next plain message of a private chat may answer a settings page.

    The record expires after five minutes. If ``setting`` is empty, remove the record.
    """
    if setting:
        await context.set_question(
            {"setting": setting, "about": context.about}, valid_for=EXPECTED
        )
    elif _expected_setting(context).setting:
        await context.set_question(None)


async def settings_page(context: Context) -> Page:
    """Return the settings of the chat, with buttons to change the settings.

    If the hour of the summary is not 9:00, but none of the existing subscriptions has summaries,
    the page says how to turn the summary on.
    """
    chat = context.chat
    t = context.t
    followed = await context.read_subscriptions()
    with_summary = sum(subscription.options.digest for subscription in followed)
    text = f"{t(TITLE)}\n\n" + t(
        OVERVIEW,
        zone=_zone_text(context),
        clock=_time_in_chat_zone(context),
        quiet=_quiet_text(chat, context),
        digest=clock_time(chat.digest_at, context),
        n=with_summary,
    )
    if followed and not with_summary and chat.digest_at != USUAL_HOUR:
        text = f"{text}\n{t(NO_SUMMARY)}"
    if rules := rule_lines(chat.rule_options, context):
        text = "\n".join([text, "", t(RULES_OF_CHAT), *rules])
    buttons = [
        context.button(N_("🌍 Time zone"), SETTING("zone")),
        context.button(N_("🌙 Quiet hours"), SETTING("quiet")),
        context.button(N_("📰 Daily summary"), SETTING("digest")),
        context.button(N_("🔔 Default options"), DEFAULT()),
        button(f"🎯 {t.plain('Rules')}", CHAT_RULES("show")),
        context.button(N_("🌐 Language"), LANGUAGES()),
        context.button(N_("📊 Usage"), RUN("usage")),
        context.button(N_("📤 Export"), RUN("export")),
        context.button(N_("🔒 Privacy"), RUN("privacy")),
    ]
    rows = grid(buttons, 2)
    if chat.kind in {"group", "supergroup"}:
        rows.append([_cost_by_member_button(context)])
    return text, rows


def _cost_by_member_button(context: Context) -> Button:
    """Return the button that turns the cost by member in /usage on or off."""
    sign, value = ("✅ ", OFF) if context.chat.shows_parts else ("▫️ ", ON)
    return button(sign + context.t.plain(PARTS), SETTING("parts", value))


def _quiet_text(chat: Chat, context: Context) -> str:
    if chat.quiet_from is None or chat.quiet_to is None:
        return context.t.plain("none")
    return _hours_text(chat.quiet_from, chat.quiet_to, context)


def _hours_text(start_minute: int, end_minute: int, context: Context) -> str:
    start = clock_time(start_minute, context)
    return context.t.value_range(start, clock_time(end_minute, context))


def _zone_text(context: Context) -> str:
    """Return the city of the chat's time zone, and the zone's name if the name differs.

    A zone ``Etc/GMT±N`` is shown as an offset, such as "UTC+3". A chat without a time zone gets
    UTC with a note.
    """
    zone = context.chat.zone
    if zone is None:
        return context.t.plain(NOTED, text="UTC", note=context.t.plain(NO_ZONE))
    # The tz database uses the opposite sign: UTC-1 is named Etc/GMT+1.
    if match := GMT.fullmatch(zone):
        sign = "-" if match[1] == "+" else "+"
        return f"UTC{sign}{match[2]}"
    city = cities.city_of(zone, context.t.language)
    name = zone.replace("_", " ")
    if city == name or not is_zone(zone):
        return name
    return context.t.plain(NOTED, text=city, note=name)


def _time_in_chat_zone(context: Context) -> str:
    return context.t.time(context.now, zone_or_utc(context.chat.zone))


def _quiet_hours_buttons(context: Context) -> Buttons:
    nights = [
        button(_hours_text(start * 60, end * 60, context), SETTING("quiet", f"{start}-{end}"))
        for start, end in NIGHTS
    ]
    off = context.button(NEVER, SETTING("quiet", "0-0"))
    return [*grid(nights, 2), [off, back_button(context.t, TOP)]]


def _summary_hour_buttons(context: Context) -> Buttons:
    times = [(hour, clock_time(hour * 60, context)) for hour in HOURS]
    return grid([button(time, SETTING("digest", hour)) for hour, time in times], 4)


def _city_and_back_buttons(context: Context) -> Buttons:
    """Return the buttons of the question for the time zone: cities, and a button back."""
    return [*_city_buttons(context), [back_button(context.t, TOP)]]


def _city_buttons(context: Context) -> Buttons:
    """Return a button for each of the suggested cities."""
    return _zone_buttons(cities.suggested_zones(context.t.language), context)


def _zone_buttons(zones: Sequence[str], context: Context) -> Buttons:
    language = context.t.language
    buttons = [button(cities.city_of(zone, language), SETTING("zone", zone)) for zone in zones]
    return grid(buttons, 3)
