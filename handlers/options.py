"""The options of a subscription and the chat's defaults, as buttons that change an option."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias

from bot.context import Context
from bot.domain.model import Endless
from bot.domain.options import RULES, TEXTS, Options
from bot.domain.records import Subscription
from bot.domain.sentences import N_, NN_
from bot.domain.story_terms import EVERYTHING
from bot.presentation import actions
from bot.presentation.actions import Button, Buttons, Page, back_button, button
from bot.presentation.buttons import mute_button
from bot.presentation.html import code, plain, truncate_plain
from handlers.guard import on_press
from handlers.press_answers import PopUpText
from handlers.replies import edit_pressed, replace_pressed_button

MainPage: TypeAlias = None
"""In the type of a section, the page with the buttons of all sections is meant."""

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
WORDS = {"media": ("🎞 ", MEDIA), "caption": ("📝 ", CAPTIONS)}
SECTIONS = {
    "when": (N_("Timing: {value}"), ("fast", "digest")),
    "which": (N_("Stories: {value}"), ("media",)),
    "how": (N_("Delivery: {value}"), ("caption", "silent", "spoiler", "protect", "keep", "files")),
}
"""The option pages: the label of the button that opens the page, and the options on the page."""

ALL = (*WORDS, *TOGGLES)
USUAL = {"when": N_("at once"), "which": MEDIA["all"], "how": N_("as usual")}
# The maximum length of a value in the label of a button. A phone cuts off a longer value.
VALUE = 24
ON, OFF, EVERYWHERE, UNDONE = "on", "off", "everywhere", "undone"  # in callback data
SETTINGS = actions.SETTING("back")
# In a stored question, this name means that the bot asked for the time zone, although the person
# did not ask to change the zone.
MAYBE_ZONE = "maybe zone"
# How long a plain message counts as the answer to a question for a setting.
EXPECTED = timedelta(minutes=5)
RULES_OF_CHAT = N_("<b>Rules for the whole chat</b>")
YOUR_TIME = N_("So that {time} is your {time}, I need to know where you are.")
SUMMARY_TIME = N_("The daily summary arrives at {time}. /settings changes the hour.")
EXEMPT = N_("🎯 All stories, whatever the rules for the whole chat say")
ALL_SUBSCRIPTIONS = NN_("{n} subscription", "All {n} subscriptions")
USE_FOR_ALL = NN_("Use for {n} subscription", "Use for all {n} subscriptions")
DEFAULTS_TITLE = N_("<b>Options for new subscriptions</b>\nTap an option to change it.")


def options_page(
    subscription: Subscription, context: Context, section: str | MainPage = None
) -> Page:
    """Return the main page of a subscription, or the page of a section of its options.

    The main page has a button for each section.
    """
    t = context.t
    text: str = t(
        "<b>{username}</b>\nTap an option to change it for this chat.",
        username=subscription_line(subscription, context),
    )
    if rules := effective_rule_lines(subscription.options, context):
        text = "\n".join([text, "", *rules])
    if is_paused_or_blocked(subscription):
        text += "\n\n" + paused_line(subscription, context)
    if section == "when" and subscription.options.digest:
        text += "\n\n" + summary_time_text(context)
    if section:
        return text, [
            *_section_button_rows(subscription, section, context),
            [back_button(t, actions.SUBSCRIPTION(subscription.id))],
        ]
    rows = [
        [
            context.button(
                leads,
                actions.SUBSCRIPTION(subscription.id, name),
                value=_section_summary(subscription, name, context),
            )
        ]
        for name, (leads, _) in SECTIONS.items()
    ]
    rows.append([context.button(N_("Alert status"), actions.RUN("why", subscription.username))])
    stop = context.button(N_("Unsubscribe"), actions.UNSUBSCRIBE(subscription.id), actions.DANGER)
    rows.append([stop])
    return text, [*rows, [back_button(t, actions.SUBSCRIPTIONS(0, subscription.id))]]


def summary_time_text(context: Context) -> str:
    """Return the sentence about the time of the daily summary.

    If the chat has no time zone, a second sentence asks for the place of the person.
    """
    time = clock_time(context.chat.summary_minute_after_quiet_hours, context)
    text: str = context.t(SUMMARY_TIME, time=time)
    if context.chat.zone is None:
        text = f"{text} {context.t(YOUR_TIME, time=time)}"
    return text


async def store_zone_question_if_no_zone(context: Context) -> None:
    """Record that the next plain message of a private chat may name the place of the person.

    The record expires after five minutes. If the chat has a time zone, do nothing.
    """
    if context.chat.zone is None:
        question = {"setting": MAYBE_ZONE, "about": context.about}
        await context.set_question(question, valid_for=EXPECTED)


def clock_time(minute_of_day: int, context: Context) -> str:
    """Return the text of the time of day that is ``minute_of_day`` minutes after midnight."""
    hour, minute = divmod(minute_of_day, 60)
    return context.t.time(datetime(2000, 1, 1, hour, minute, tzinfo=UTC), UTC)


def _section_summary(subscription: Subscription, section: str, context: Context) -> str:
    """Return a short summary of the options in a section."""
    chosen = subscription.options
    toggles = [name for name in SECTIONS[section][1] if name in TOGGLES]
    texts = [TOGGLES[name] for name in toggles if getattr(chosen, name)]
    if section == "which" and chosen.media != "all":
        texts.append(MEDIA[chosen.media])
    if section == "which" and (chosen.rules or context.chat.rule_options.rules):
        texts.append(N_("rules"))
    if section == "when" and is_paused_or_blocked(subscription):
        texts = [N_("paused")]
    translated = map(context.t.plain, texts or [USUAL[section]])
    return truncate_plain(context.t.listed(list(translated)), VALUE)


def _section_button_rows(subscription: Subscription, section: str, context: Context) -> Buttons:
    rows: Buttons = []
    if section == "when":
        pause = N_("▶️ Resume") if subscription.paused else N_("⏸ Pause")
        paused = OFF if subscription.paused else ON
        rows.append([context.button(pause, actions.OPTION(subscription.id, "pause", paused))])
        if not subscription.paused:
            rows[0].append(context.button(N_("🔕 Mute for a day"), actions.MUTE(subscription.id)))
    rows += _option_buttons(
        subscription.options,
        partial(actions.OPTION, subscription.id),
        context,
        SECTIONS[section][1],
    )
    if section == "when" and subscription.options.digest and context.chat.zone is None:
        rows.append([context.button(N_("🌍 Time zone"), actions.SETTING("zone"))])
    if section == "which":
        rows.append([context.button(N_("Rules"), actions.RUN("rules", subscription.username))])
    if section == "how" and subscription.options.keep:
        rows.append(
            [context.button(N_("Stories sent before"), actions.RUN("past", subscription.username))]
        )
    can_have_topic = context.has_topics and context.about is None
    if section == "how" and (subscription.in_own_topic or can_have_topic):
        sign, value = ("✅ ", OFF) if subscription.in_own_topic else ("▫️ ", ON)
        own = context.t.plain("In its own topic")
        rows.append([button(sign + own, actions.OWN_TOPIC(subscription.id, value))])
    return rows


def subscription_line(subscription: Subscription, context: Context) -> str:
    """Return the label of a subscription: the state of the alerts, the profile and the topic."""
    sign = "⏸" if is_paused_or_blocked(subscription) else "🔔"
    if subscription.state not in {"active", "blocked"}:
        sign = "🔒"
    name = subscription.username
    if subscription.in_own_topic:
        name = context.t.plain("{username} (own topic)", username=name)
    elif subscription.target.thread_id:
        name = context.t.plain("{username} (in a topic)", username=name)
    return f"{sign} {name}"


def rule_lines(options: Options, context: Context) -> list[str]:
    """Return the sentences about the rules of a subscription or of the whole chat."""
    rules = options.rules.items()
    return [
        context.t(EXEMPT if terms == EVERYTHING else RULES[name], terms=code(terms))
        for name, terms in rules
    ]


def effective_rule_lines(options: Options, context: Context) -> list[str]:
    """Return the sentences about the rules that apply to a subscription.

    The rules of the chat apply if the subscription has no rules.
    """
    own = rule_lines(options, context)
    of_chat = rule_lines(context.chat.rule_options, context)
    if own or not of_chat:
        return own
    return [context.t(RULES_OF_CHAT), *of_chat]


def changed_option_texts(before: Options, after: Options, context: Context) -> list[str]:
    """Return HTML texts of the options that differ, with the values in ``after``."""
    plain = context.t.plain
    shown = [
        ("✅ " if getattr(after, name) else "▫️ ") + plain(text)
        for name, text in TOGGLES.items()
        if getattr(before, name) != getattr(after, name)
    ]
    shown += [
        sign + plain(choices[getattr(after, name)])
        for name, (sign, choices) in WORDS.items()
        if getattr(before, name) != getattr(after, name)
    ]
    if before.rules != after.rules:
        shown += rule_lines(after, context) or [plain("Remove all rules")]
    return shown


def is_paused_or_blocked(subscription: Subscription) -> bool:
    """Return whether the chat has paused a subscription, or the owner has blocked the profile."""
    return subscription.paused or subscription.state == "blocked"


def paused_line(subscription: Subscription, context: Context) -> str:
    """Return the sentence about a paused subscription.

    The sentence says that the bot's owner has paused the alerts, that the pause ends at a given
    time, or that the pause has no end.
    """
    if subscription.state == "blocked":
        return context.t("⏸ Paused by the bot's owner.")
    return active_pause_sentence(subscription.paused_until, context)


def active_pause_sentence(until: datetime | Endless, context: Context) -> str:
    """Return the sentence about a pause that ends at ``until``, or that has no end."""
    if until is None:
        return context.t("⏸ Paused: no alerts until you resume them.")
    return context.t("🔕 Muted until {until}.", until=until)


@on_press(actions.MUTE)
async def mute_for_a_day(context: Context, subscription_id: int) -> PopUpText | None:
    """Mute a subscription for a day.

    If the button is under a photo, video or file, only the button changes, and a pop-up shows the
    end of the mute. A pause without an end stays unchanged.

    Raises:
        NotFollowedError: The chat does not have the subscription.
    """
    subscription = await context.services.subscriptions.mute_for_a_day(
        context.chat.id, subscription_id
    )
    if subscription.paused_until is None:  # the pause has no end
        await edit_pressed(context, *options_page(subscription, context))
        return None
    text = context.t(
        "🔕 No alerts from <b>{username}</b> until {until}.",
        username=subscription.username,
        until=subscription.paused_until,
    )
    undo = actions.OPTION(subscription.id, "pause", UNDONE)
    if await replace_pressed_button(context, context.button(N_("🔕 Muted · Undo"), undo)):
        return plain(text)
    more = context.button(N_("Options"), actions.SUBSCRIPTION(subscription.id))
    await edit_pressed(context, text, [[context.button(N_("↩️ Undo"), undo), more]])
    return None


@on_press(actions.OPTION)
async def change_option(
    context: Context, subscription_id: int, option: str, value: str
) -> PopUpText | None:
    """Change an option of a subscription, or of all subscriptions of the chat to the profile.

    The value ``everywhere`` changes all subscriptions to the profile. The value ``undone`` of the
    option ``pause`` resumes the subscription with the missed stories.

    Raises:
        TooManyFastError: The chat or the payer has the maximum number of fast subscriptions.
        NotFollowedError: The chat does not have the subscription.
    """
    service = context.services.subscriptions
    chat_id = context.chat.id
    subscription = await service.get(chat_id, subscription_id)
    if option == "pause" and value == UNDONE:
        subscription = await service.resume_with_missed_stories(chat_id, subscription.id)
        if await replace_pressed_button(context, mute_button(subscription.id, context.t)):
            return subscription_line(subscription, context)
    elif option == "pause":
        subscription = await service.set_paused(chat_id, subscription.id, paused=value == ON)
    else:
        every = (
            await service.get_of_username(chat_id, subscription.username)
            if value == EVERYWHERE
            else [subscription]
        )
        changes = option_changes_of_button(option, value)
        change = context.services.subscribing.set_options
        subscription, *_ = [await change(chat_id, each.id, changes) for each in every]
    if _section_name_of_option(option) == "when" and subscription.options.digest:
        await store_zone_question_if_no_zone(context)
    text, rows = options_page(subscription, context, _section_name_of_option(option))
    same_for_all = await _use_for_all_buttons(subscription, option, context)
    await edit_pressed(context, text, [*rows[:-1], *same_for_all, rows[-1]])
    return None


async def _use_for_all_buttons(
    subscription: Subscription, option: str, context: Context
) -> Buttons:
    """Return a row with the button that copies an option to all subscriptions of the chat.

    Return no row if all subscriptions already have the value, or if ``ALL`` does not contain the
    option.
    """
    if option not in ALL:
        return []
    rows = await context.services.subscriptions.all_of_chat(context.chat.id)
    value = getattr(subscription.options, option)
    if all(getattr(row.options, option) == value for row in rows):
        return []
    return [[use_for_all_button(len(rows), option, value, context)]]


def use_for_all_button(count: int, option: str, value: object, context: Context) -> Button:
    """Return the button that uses a value of an option for all ``count`` subscriptions."""
    words = {True: ON, False: OFF}
    data = actions.OPTION_OF_ALL(option, words[value] if isinstance(value, bool) else value)
    return context.button(USE_FOR_ALL, data, n=count)


def all_subscriptions_buttons(count: int, context: Context) -> Buttons:
    """Return a row with the button that opens the options of all ``count`` subscriptions.

    If the chat has at most one subscription, return no row.
    """
    text = f"⚙️ {context.t.plain(ALL_SUBSCRIPTIONS, n=count)}"
    return [[button(text, actions.OPTION_OF_ALL())]] if count > 1 else []


async def change_options_of_profile(
    context: Context, username: str, changes: Mapping[str, object]
) -> list[Subscription]:
    """Apply ``changes`` to a profile's subscription in this topic, and return the subscription.

    Without a subscription in this topic, apply ``changes`` to the chat's subscriptions in all
    topics, and return these subscriptions.

    Raises:
        TooManyFastError: The chat or the payer has the maximum number of fast subscriptions.
        NotFollowedError: The chat has no subscription to the profile.
    """
    every = await context.services.subscriptions.get_of_username(context.chat.id, username)
    subscriptions = [
        subscription
        for subscription in every
        if subscription.target.thread_id == context.command_target.thread_id
    ] or every
    if changes:
        subscriptions = [
            await context.services.subscribing.set_options(
                context.chat.id, subscription.id, changes
            )
            for subscription in subscriptions
        ]
    return subscriptions


def _section_name_of_option(option: str) -> str | None:
    """Return the section with an option. Return None if no section has the option.

    ``option`` can also be ``pause`` or ``rules``.
    """
    if option in {"pause", "rules"}:
        return "when" if option == "pause" else "which"
    return next((name for name, (_, held) in SECTIONS.items() if option in held), None)


@on_press(actions.OWN_TOPIC)
async def turn_own_topic_on_or_off(context: Context, subscription_id: int, value: str) -> None:
    """Send the alerts of a subscription to the profile's own topic, or to the chat.

    Raises:
        NotFollowedError: The chat does not have the subscription.
        SubscriptionError: The topic cannot be made.
        AskAgainError: Telegram does not answer or demands a wait, or another call is making the
            topic.
    """
    subscription = await context.services.subscribing.move_to_own_topic_or_back(
        context.chat.id, subscription_id, on=value == ON
    )
    await edit_pressed(context, *options_page(subscription, context, "how"))


@on_press(actions.DEFAULT)
async def show_or_change_default(context: Context, option: str | None, value: str | None) -> None:
    """Show the default options of the chat, or change a default."""
    options = Options.from_json(context.chat.defaults)
    if option and value:
        changes = option_changes_of_button(option, value)
        options = await context.services.chats.set_defaults_and_return_all(
            context.chat.id, changes
        )
    buttons = _option_buttons(options, actions.DEFAULT, context, ALL)
    followed = await context.services.subscriptions.all_of_chat(context.chat.id)
    buttons += all_subscriptions_buttons(len(followed), context)
    buttons.append([back_button(context.t, SETTINGS)])
    await edit_pressed(context, context.t(DEFAULTS_TITLE), buttons)


def option_changes_of_button(option: str, value: str) -> dict[str, object]:
    """Return the change that a button makes, as a mapping from option names to JSON values.

    A button can only remove an option whose value is a text. The option ``rules`` means all rules.
    """
    if option == "rules":
        return dict.fromkeys(RULES, "")
    if option in TEXTS:
        return {option: ""}
    if option in TOGGLES:
        return {option: value == ON}
    return {option: value}


def option_value_after_press(options: Options, option: str) -> str:
    """Return the value of an option after the next press."""
    current = getattr(options, option)
    if option in TOGGLES:
        return OFF if current else ON
    order = list(WORDS[option][1])
    place = order.index(current) + 1
    return order[place % len(order)]


def _option_buttons(
    options: Options, change: Callable[[str, str], str], context: Context, names: Sequence[str]
) -> Buttons:
    def option_button(sign: str, text: str, option: str) -> Button:
        return button(
            sign + context.t.plain(text), change(option, option_value_after_press(options, option))
        )

    toggles = [
        option_button("✅ " if getattr(options, name) else "▫️ ", text, name)
        for name, text in TOGGLES.items()
        if name in names
    ]
    words = [
        option_button(sign, choices[getattr(options, name)], name)
        for name, (sign, choices) in WORDS.items()
        if name in names
    ]
    return [[switch] for switch in (*words, *toggles)]
