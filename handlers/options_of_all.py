"""The options and pauses of all subscriptions of a chat.

A change of several subscriptions needs a confirmation.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.context import Context
from bot.domain.budget import DAY
from bot.domain.model import Endless
from bot.domain.options import Options, Preferences
from bot.domain.records import Subscription
from bot.domain.sentences import N_, NN_
from bot.presentation import actions
from bot.presentation.actions import PRIMARY, Button, Buttons, Page, back_button, button
from bot.presentation.html import Safe, bold
from bot.presentation.translation import NOTED
from handlers.guard import on_press
from handlers.options import (
    ALL_SUBSCRIPTIONS,
    OFF,
    ON,
    TOGGLES,
    USE_FOR_ALL,
    WORDS,
    active_pause_sentence,
    option_changes_of_button,
    store_zone_question_if_no_zone,
    summary_time_text,
)
from handlers.press_answers import UNCHANGED, PopUpText
from handlers.profile_lists import first_names_in_bold
from handlers.replies import edit_pressed
from handlers.subscriptions import UNDO, subscriptions_page

PAGE_OF_ALL = actions.OPTION_OF_ALL()
TAP = N_("Tap an option to use it for all of them.")
TURN_OFF = NN_("Turn off for {n}", "Turn off for all {n}")
CHANGES = NN_(
    "This changes {n} subscription: {names}.", "This changes {n} subscriptions: {names}."
)
CHANGED = NN_("{n} subscription changed.", "{n} subscriptions changed.")
PAUSE = "pause"  # in callback data, in place of an option
FOR_A_DAY = "day"
PAUSES = {
    ON: N_("⏸ Pause all"),
    FOR_A_DAY: N_("🔕 Mute for a day"),
    OFF: N_("▶️ Resume all"),
}
"""The changes of the pauses of all subscriptions: the value in callback data, and the label."""


def options_of_all_page(rows: Sequence[Subscription], context: Context) -> Page:
    """Return the page with the options of all subscriptions ``rows`` of a chat.

    A check mark means that all subscriptions have the value. If only some subscriptions have the
    value, the label has the number of these subscriptions.
    """
    title = bold(context.t(ALL_SUBSCRIPTIONS, n=len(rows)))
    text = f"{title}\n{context.t(TAP)}"
    pauses = {(row.paused, row.paused_until) for row in rows}
    if len(pauses) == 1 and rows[0].paused:
        text += "\n\n" + active_pause_sentence(rows[0].paused_until, context)
    buttons = _pause_buttons(rows, context)
    buttons += [
        [_value_button(option, value, rows, context)]
        for option, (_, choices) in WORDS.items()
        for value in choices
    ]
    buttons += [[_value_button(option, ON, rows, context)] for option in TOGGLES]
    buttons.append([back_button(context.t, actions.SUBSCRIPTIONS(0))])
    return Safe(text), buttons


def _pause_buttons(rows: Sequence[Subscription], context: Context) -> Buttons:
    """Return the rows with the buttons that pause, mute and resume all subscriptions.

    A button is omitted if the button would change nothing.
    """
    t = context.t
    paused = sum(row.paused for row in rows)
    endless = sum(row.paused and row.paused_until is None for row in rows)
    first: list[Button] = []
    if endless < len(rows):
        text = t.plain(PAUSES[ON])
        if endless:
            text = t.plain(NOTED, text=text, note=f"{t.number(endless)}/{t.number(len(rows))}")
        first.append(button(text, actions.OPTION_OF_ALL(PAUSE, ON)))
    if paused < len(rows):
        first.append(context.button(PAUSES[FOR_A_DAY], actions.OPTION_OF_ALL(PAUSE, FOR_A_DAY)))
    resume = context.button(PAUSES[OFF], actions.OPTION_OF_ALL(PAUSE, OFF))
    return [row for row in (first, [resume] if paused else []) if row]


def _with_changed_pause(preferences: Preferences, value: str, now: datetime) -> Preferences:
    """Return the preferences after a change of the pause. ``value`` is a key of ``PAUSES``."""
    if value == OFF:
        return preferences.without_pause()
    return preferences.with_pause_at_least_until(_end_of_pause(value, now))


def _end_of_pause(value: str, now: datetime) -> datetime | Endless:
    return now + DAY if value == FOR_A_DAY else None


def _value_button(
    option: str, value: str, rows: Sequence[Subscription], context: Context
) -> Button:
    t = context.t
    has_value = [_has_value(subscription.options, option, value) for subscription in rows]
    count = sum(has_value)
    text = t.plain(_value_msgid(option, value))
    if 0 < count < len(rows):
        text = t.plain(NOTED, text=text, note=f"{t.number(count)}/{t.number(len(rows))}")
    other_sign = "▫️ " if option in TOGGLES else WORDS[option][0]
    sign = "✅ " if all(has_value) else other_sign
    new_value = OFF if option in TOGGLES and all(has_value) else value
    return button(sign + text, actions.OPTION_OF_ALL(option, new_value))


def _has_value(options: Options, option: str, value: str) -> bool:
    """Return whether an option has the value that a button sets."""
    wanted = value == ON if option in TOGGLES else value
    return bool(getattr(options, option) == wanted)


def _value_msgid(option: str, value: str) -> str:
    """Return the message id of a value of an option."""
    return TOGGLES[option] if option in TOGGLES else WORDS[option][1][value]


def _is_valid_choice(option: str | None, value: str | None) -> bool:
    if option in TOGGLES:
        return value in {ON, OFF}
    return option in WORDS and value in WORDS[option][1]


@on_press(actions.OPTION_OF_ALL)
async def confirm_and_change_option_of_all(
    context: Context, option: str | None, value: str | None, confirmation: str | None
) -> PopUpText | None:
    """Change an option or the pause of all subscriptions of the chat, or show the options page.

    If a change affects several subscriptions, the bot first asks for a confirmation.

    Raises:
        TooManyFastError: The chat or the payer would exceed the maximum number of fast
            subscriptions.
    """
    rows = await context.services.subscriptions.all_of_chat(context.chat.id)
    if not rows:
        await edit_pressed(context, *await subscriptions_page(context, 0))
        return None
    if option == PAUSE and value in PAUSES:
        return await _change_pauses(context, rows, value, is_confirmed=confirmation is not None)
    if option is None or value is None or not _is_valid_choice(option, value):
        await edit_pressed(context, *options_of_all_page(rows, context))
        return None
    affected = [row for row in rows if not _has_value(row.options, option, value)]
    if not affected:
        return context.t.plain(UNCHANGED)
    if len(affected) > 1 and confirmation is None:
        await edit_pressed(context, *confirm_change_of_all_page(option, value, rows, context))
    else:
        await _change_all_and_show_result(context, option, value)
    return None


async def _change_pauses(
    context: Context, rows: Sequence[Subscription], value: str, *, is_confirmed: bool
) -> PopUpText | None:
    """Pause, mute or resume all subscriptions ``rows``. ``value`` is a key of ``PAUSES``.

    A change of several subscriptions needs a confirmation. If no subscription would change, return
    the text of a pop-up.
    """
    now = context.now
    affected = [
        row for row in rows if _with_changed_pause(row.preferences, value, now) != row.preferences
    ]
    if not affected:
        return context.t.plain(UNCHANGED)
    title = bold(context.t(PAUSES[value]))
    to_all = back_button(context.t, PAGE_OF_ALL)
    if len(affected) > 1 and not is_confirmed:
        save = actions.OPTION_OF_ALL(PAUSE, value, "save")
        buttons = [[context.button(PAUSES[value], save, PRIMARY)], [to_all]]
        await edit_pressed(context, _change_text(title, affected, context), buttons)
        return None
    service, until = context.services.subscriptions, _end_of_pause(value, now)
    if value == OFF:
        count, at = await service.resume_all(context.chat.id)
    else:
        count, at = await service.pause_all(context.chat.id, until=until)
    lines: list[str] = [title, context.t(CHANGED, n=count)]
    if value != OFF:
        lines.append(active_pause_sentence(until, context))
    undo = context.button(UNDO, actions.UNDO_OPTIONS(at))
    await edit_pressed(context, "\n".join(lines), [[undo], [to_all]])
    return None


def _change_text(title: Safe, affected: Sequence[Subscription], context: Context) -> Safe:
    """Return the title of a change, and the number and names of the affected subscriptions.

    At most ten names are listed.
    """
    names = first_names_in_bold(list(dict.fromkeys(row.username for row in affected)), context)
    changes = context.t(CHANGES, n=len(affected), names=names)
    return Safe(f"{title}\n{changes}")


def confirm_change_of_all_page(
    option: str,
    value: str,
    rows: Sequence[Subscription],
    context: Context,
    *,
    back_to: str = PAGE_OF_ALL,
) -> Page:
    """Return the question whether to change an option of all subscriptions ``rows``.

    ``back_to`` is the data of the button that leads to the previous page.
    """
    count = len(rows)
    affected = [row for row in rows if not _has_value(row.options, option, value)]
    text = _change_text(_value_in_bold(option, value, context), affected, context)
    label = TURN_OFF if value == OFF else USE_FOR_ALL
    buttons = [
        [context.button(label, actions.OPTION_OF_ALL(option, value, "save"), PRIMARY, n=count)]
    ]
    if value == ON and len(affected) < count:
        turn_off = actions.OPTION_OF_ALL(option, OFF)
        buttons.append([context.button(TURN_OFF, turn_off, n=count)])
    buttons.append([back_button(context.t, back_to)])
    return text, buttons


def _value_in_bold(option: str, value: str, context: Context) -> Safe:
    sign = WORDS[option][0] if option in WORDS else "✅ "
    sign = "▫️ " if value == OFF else sign
    return bold(Safe(f"{sign}{context.t(_value_msgid(option, value))}"))


async def _change_all_and_show_result(context: Context, option: str, value: str) -> None:
    """Change an option of all subscriptions, and show the result with the *Undo* button.

    Raises:
        TooManyFastError: The chat or the payer would exceed the maximum number of fast
            subscriptions.
    """
    changes = option_changes_of_button(option, value)
    change = context.services.subscribing.set_options_of_all
    count, at = await change(context.chat.id, changes)
    lines: list[str] = [_value_in_bold(option, value, context), context.t(CHANGED, n=count)]
    buttons: Buttons = [[context.button(UNDO, actions.UNDO_OPTIONS(at))]]
    if option == "digest" and value == ON:
        lines.append(summary_time_text(context))
        await store_zone_question_if_no_zone(context)
        if context.chat.zone is None:
            buttons.append([context.button(N_("🌍 Time zone"), actions.SETTING("zone"))])
    defaults = Options.from_json(context.chat.defaults)
    if not _has_value(defaults, option, value):
        new = actions.DEFAULT(option, value)
        buttons.append([context.button(N_("For new ones too"), new)])
    buttons.append([back_button(context.t, PAGE_OF_ALL)])
    await edit_pressed(context, "\n".join(lines), buttons)


@on_press(actions.UNDO_OPTIONS)
async def undo_change_of_all(context: Context, changed_at: datetime) -> PopUpText | None:
    """Undo a change of all subscriptions that was made at ``changed_at``.

    A subscription that was changed again later stays unchanged.

    Raises:
        TooManyFastError: The chat or the payer would exceed the maximum number of fast
            subscriptions.
    """
    chat_id = context.chat.id
    undone = await context.services.subscriptions.undo_pauses(chat_id, changed_at)
    if not undone:
        undone = await context.services.subscribing.undo_options_of_all(chat_id, changed_at)
    if not undone:
        return context.t.plain(UNCHANGED)
    rows = await context.services.subscriptions.all_of_chat(chat_id)
    await edit_pressed(context, *options_of_all_page(rows, context))
    return None
