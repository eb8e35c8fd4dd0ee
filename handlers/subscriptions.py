"""Subscriptions: /subscribe, /subscriptions, /unsubscribe, and the buttons of these commands."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from telegram import (
    Chat,
    ChatAdministratorRights,
    KeyboardButton,
    KeyboardButtonRequestChat,
    ReplyKeyboardMarkup,
)
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import filters

from bot.chats.explain import mean_detection_delay_of
from bot.chats.subscribing import Subscribed
from bot.context import Context
from bot.domain.albums import plan_albums
from bot.domain.command_words import Wanted, parse
from bot.domain.errors import (
    DISAPPEARED,
    AdminsUnknownError,
    AskAgainError,
    BotError,
    NotFollowedError,
    OutOfServiceError,
    SpendingStoppedError,
    SubscriptionError,
)
from bot.domain.everyday_words import has_word_meaning_all, is_everyday_word
from bot.domain.model import Target, Unknown
from bot.domain.records import Known, Subscription, find_mute
from bot.domain.sentences import N_, NN_
from bot.presentation import actions
from bot.presentation.actions import (
    Button,
    Buttons,
    Page,
    arrow_buttons,
    button,
    buttons_acting_on_chat,
)
from bot.presentation.buttons import NEW
from bot.presentation.html import Safe, escape, paragraphs, truncate_plain
from bot.presentation.notices import MISSING
from handlers.choices import store_expected_choice
from handlers.confirmation import offer_understood_command
from handlers.errors import payer_buttons_for_errors, translated_error_text
from handlers.guard import UNKNOWN_BUTTON, command, on_message, on_press
from handlers.links import reply_to_unreadable_arguments
from handlers.managed_chats import fetch_if_person_may_manage
from handlers.options import (
    SETTINGS,
    MainPage,
    all_subscriptions_buttons,
    is_paused_or_blocked,
    options_page,
    paused_line,
    store_zone_question_if_no_zone,
    subscription_line,
)
from handlers.payers import LEFT, become_payer_buttons
from handlers.press_answers import PopUpText, answer_press
from handlers.profile_lists import Failures, failure_lines, lines_by_sentence
from handlers.questions import (
    TO_STOP,
    answer_if_cancellation,
    ask_or_send_usage,
    command_buttons_of_subscriptions,
)
from handlers.replies import edit_pressed, say, say_message, show_working
from handlers.rights import SHOW, TABLE
from handlers.show import enqueue_story_albums

PAGE = 8
MOST_LISTED = 60  # maximum number of subscriptions in a channel's list, which has no pages
TITLE = 30  # a phone shows this many characters of a full-width button
WORDS = ("fast", "topic")
ALL = 0  # in callback data, this ID means all subscriptions instead of one subscription
WORTH_SAYING = timedelta(minutes=15)
LEAST = timedelta(minutes=1)  # minimum shown delay, because sending takes time
ASK = N_("Whose new stories should I send here? Send me a name like <code>natgeo</code>.")
FIRST = N_(
    "This chat has no subscriptions yet. Whose new stories should I send here? Send me a name "
    "like <code>natgeo</code>."
)
USAGE = N_(
    "Write it like this: /subscribe <i>name</i>, or /subscribe <i>name</i> "
    "@channel for your channel."
)
UNSUBSCRIBE_USAGE = N_("Write it like this: /unsubscribe <i>name</i>, or /unsubscribe all.")
EMPTY = N_("This chat has no subscriptions yet. Start with /subscribe <i>name</i>.")
EMPTY_THERE = N_(
    "No subscriptions yet. To add one, write /subscribe <i>name</i> in that chat; for a channel "
    "you can also write /subscribe <i>name</i> @channel here."
)
# In these texts, {username} contains the names of one or more profiles. The plural form is used
# for several names.
NOW = NN_(
    "🔔 I'll send every new story from <b>{username}</b> to this chat.",
    "🔔 I'll send every new story from <b>{username}</b> to this chat.",
)
NOW_IN_PRIVATE = NN_(
    "🔔 I'll send you every new story from <b>{username}</b>.",
    "🔔 I'll send you every new story from <b>{username}</b>.",
)
NOW_IN_TOPIC = NN_(
    "🔔 I'll send every new story from <b>{username}</b> to this topic.",
    "🔔 I'll send every new story from <b>{username}</b> to this topic.",
)
NOW_IN_OWN_TOPIC = NN_(
    "🔔 I'll send every new story from <b>{username}</b> to its own topic.",
    "🔔 I'll send every new story from <b>{username}</b>, each profile in its own topic.",
)
NOW_IN = NN_(
    "🔔 I'll send every new story from <b>{username}</b> to {where}.",
    "🔔 I'll send every new story from <b>{username}</b> to {where}.",
)
ALREADY = NN_(
    "Already subscribed to <b>{username}</b>.", "Already subscribed to <b>{username}</b>."
)
SOONER = NN_(
    "I'll check <b>{username}</b> more often from now on.",
    "I'll check <b>{username}</b> more often from now on.",
)
SOON = N_(
    "On average, alerts come about {delay} after a story is posted. To get them sooner, turn on "
    "<b>[[Check more often]]</b> in <b>[[Options]]</b>."
)
DELAY = N_("I expect new stories to arrive about {delay} after they're posted.")
LATER = N_("I can't check for new stories right now, so these alerts will start later.")
NOT_SUBSCRIBED = N_("I haven't subscribed this chat to <b>{username}</b>.")
TRY_AGAIN = N_("Try again")
UNDO = N_("↩️ Undo")
AGAIN = NN_(
    "🔔 Subscribed to <b>{username}</b> again.", "🔔 Subscribed to <b>{username}</b> again."
)


CHANNEL_UNUSABLE = N_(
    "I can only post in a channel where you and I are both admins and I'm allowed "
    "to post. Please check that, and write the channel's name as @name."
)


@command("subscribe")
async def subscribe(context: Context) -> None:
    """Subscribe a chat, topic or channel to up to ten profiles.

    Each profile costs 0 to 3 credits, or more if the API refuses the account. Names with everyday
    words cost nothing until a button confirms the names.

    Raises:
        BotError: The errors of ``_subscribe_and_send_results``.
    """
    context.channel_after = len(context.words_after_command)
    if not context.words_after_command:
        await ask_or_send_usage(context, ASK, USAGE)
        return
    if await answer_if_cancellation(context, " ".join(context.words_after_command)):
        return
    language = context.t.language
    wanted = parse(context.words_after_command, words=WORDS, takes_channel=True, language=language)
    if wanted.names and wanted.everyday:
        await offer_understood_command(context, "subscribe", wanted)
    elif wanted.names:
        await _subscribe_and_send_results(context, wanted)
    else:
        await say(context, reply_to_unreadable_arguments(wanted, USAGE, context))


@on_press(actions.FOLLOW)
async def subscribe_to_shown(context: Context, username: str) -> None:
    """Subscribe to the profile ``username``, whose stories are above the pressed button.

    The result replaces the message with the button. Costs and errors are those of
    ``_subscribe_and_send_results``.
    """
    await _subscribe_and_send_results(context, parse([f"@{username}"]), in_place=True)


@on_press(actions.ELSEWHERE)
async def offer_chats_or_subscribe(
    context: Context, subscription_id: int, chat_id: int | None
) -> None:
    """Offer other chats for the alerts of a profile, or subscribe in the chat ``chat_id``.

    The offer costs 0 credits. A subscription has the costs of ``_subscribe_and_send_results``.
    Telegram's chat picker makes the bot an admin of the chosen chat (Bot API,
    KeyboardButtonRequestChat).

    Raises:
        NotFollowedError: The chat does not have the subscription ``subscription_id``.
        BotError: The errors of ``_subscribe_and_send_results``, if ``chat_id`` is given.
    """
    if chat_id is not None:
        await _subscribe_in_chat(context, subscription_id, chat_id)
        return
    subscription = await context.services.subscriptions.get(context.chat.id, subscription_id)
    known: Buttons = []
    for chat in await context.services.subscriptions.chats_of_person(context.chat.id):
        with suppress(AdminsUnknownError, AskAgainError):
            if await _fetch_if_person_and_bot_have_rights(context, chat.id, chat.kind):
                title = truncate_plain(chat.title, TITLE) or str(chat.id)
                known.append([button(title, actions.ELSEWHERE(subscription.id, chat.id))])
    channel = _chat_picker_button(
        context.t.plain("A channel"), subscription, "can_post_messages", channel=True
    )
    group = _chat_picker_button(
        context.t.plain("A group"), subscription, "can_manage_chat", channel=False
    )
    keys = ReplyKeyboardMarkup([[channel, group]], resize_keyboard=True, one_time_keyboard=True)
    text = context.t(
        "Where else should I send new stories from <b>{username}</b>?",
        username=subscription.username,
    )
    usage = context.t(USAGE)
    if known:
        await say(context, text, known)
    else:
        usage = paragraphs(text, usage)
    await say(context, usage, markup=keys.to_dict())


def _chat_picker_button(
    text: str, subscription: Subscription, right: str, *, channel: bool
) -> KeyboardButton:
    rights = ChatAdministratorRights(
        **{**ChatAdministratorRights.no_rights().to_dict(), right: True}
    )
    request = KeyboardButtonRequestChat(
        subscription.id, channel, user_administrator_rights=rights, bot_administrator_rights=rights
    )
    return KeyboardButton(text, request_chat=request)


@on_message("a chosen chat", filters.ChatType.PRIVATE & filters.StatusUpdate.CHAT_SHARED)
async def subscribe_in_chosen_chat(context: Context) -> None:
    """Subscribe in the chosen chat to the profile of an existing subscription.

    The costs are those of ``_subscribe_and_send_results``.

    Raises:
        NotFollowedError: The existing subscription has ended.
        BotError: The errors of ``_subscribe_and_send_results``.
    """
    chosen = context.message.chat_shared if context.message else None
    if chosen:
        await _subscribe_in_chat(context, chosen.request_id, chosen.chat_id)


async def _subscribe_in_chat(context: Context, subscription_id: int, chat_id: int) -> None:
    subscription = await context.services.subscriptions.get(context.chat.id, subscription_id)
    wanted = replace(parse([f"@{subscription.username}"]), channel=str(chat_id))
    await _subscribe_and_send_results(context, wanted)


async def _subscribe_and_send_results(
    context: Context, wanted: Wanted, *, in_place: bool = False
) -> None:
    """Subscribe to profiles, and send the results in a single message.

    Each profile costs 0 to 3 credits, or more if the API refuses the account. With ``in_place``,
    the results replace the pressed message.

    Raises:
        BotError: The subscription to the only named profile fails, and no retry is offered. The
            errors of ``subscribe_all`` are also raised, and for a named channel also the errors of
            ``_check_and_admit_channel``.
    """
    target = context.command_target
    where = ""
    if wanted.channel:
        target, where = await _check_and_admit_channel(context, wanted.channel)
    async with show_working(context):
        result = await context.services.subscribing.subscribe_all(
            target,
            wanted.names,
            context.asker,
            own_topic="topic" in wanted.words,
            fast="fast" in wanted.words,
        )
    done = [outcome for _, outcome in result if isinstance(outcome, Subscribed)]
    failed = [(name, outcome) for name, outcome in result if isinstance(outcome, BotError)]
    if done:
        # If the group has become a supergroup, the subscription has the new id of the chat.
        target = replace(target, chat_id=done[0].subscription.target.chat_id)
    if failed and len(wanted.names) + len(wanted.unread) == 1:
        await _offer_retry_or_raise(context, wanted, failed[0][1], in_place=in_place)
        return
    lines = await _result_lines(done, failed, context, wanted=wanted, target=target, where=where)
    text = Safe("\n".join(lines) + await _obstacles_text(context, target))
    buttons: Buttons = []
    if len(result) == 1:
        buttons = _subscribed_buttons(done[0], context, can_show=not (in_place or where))
    elif done:
        buttons = [[subscriptions_list_button(context)]]
    buttons = [*buttons, *payer_buttons_for_errors([error for _, error in failed], context)]
    if where and context.is_private:
        buttons = buttons_acting_on_chat(buttons, target.chat_id)
    show = edit_pressed if in_place else say
    await show(context, text, buttons)


async def _result_lines(
    done: Sequence[Subscribed],
    failed: Failures,
    context: Context,
    *,
    wanted: Wanted,
    target: Target,
    where: str,
) -> list[str]:
    """Return the lines about new, existing, paused and failed subscriptions.

    A last line can state the expected delay of new alerts (``_expected_delay_lines``).
    """
    t = context.t
    new = [subscribed.profile.username for subscribed in done if not subscribed.already]
    sooner = [subscribed.profile.username for subscribed in done if subscribed.is_sooner]
    old = [
        subscribed.profile.username
        for subscribed in done
        if subscribed.already and not subscribed.is_sooner
    ]
    lines: list[str] = []
    is_stopped = False
    if new:
        lines.append(_subscribed_sentence(new, target, wanted, where, context))
        is_stopped = await context.services.subscriptions.find_obstacle_to_checks() == "stopped"
    if is_stopped:
        lines.append(t(LATER))
    if sooner:
        lines.append(t(SOONER, n=len(sooner), username=t.names_inside_bold(sooner)))
    if old:
        lines.append(t(ALREADY, n=len(old), username=t.names_inside_bold(old)))
    paused = [
        subscribed.subscription
        for subscribed in done
        if is_paused_or_blocked(subscribed.subscription)
    ]
    still = [
        (subscription.username, paused_line(subscription, context)) for subscription in paused
    ]
    lines += lines_by_sentence(still, context)
    lines += failure_lines(failed, wanted, context)
    if not is_stopped:
        lines += await _expected_delay_lines(done, context)
    return lines


async def _offer_retry_or_raise(
    context: Context, wanted: Wanted, error: BotError, *, in_place: bool
) -> None:
    """Offer a button that subscribes again after a failure, or raise ``error``.

    The button is offered only if the API is out of service or spending is stopped, and if a button
    can repeat the command.

    Raises:
        BotError: The given ``error``, if no button is offered.
    """
    is_halted = isinstance(error, SpendingStoppedError | OutOfServiceError)
    if not is_halted or in_place or wanted.words or wanted.channel:
        raise error
    name = wanted.names[0]
    lines = [context.t(NOT_SUBSCRIBED, username=name), translated_error_text(error, context)]
    again = context.button(TRY_AGAIN, actions.RUN("subscribe", name))
    await say(context, Safe("\n".join(lines)), [[again]])


def _subscribed_sentence(
    names: Sequence[str], target: Target, wanted: Wanted, where: str, context: Context
) -> str:
    """Return the sentence that names the destination of the new alerts."""
    t = context.t
    n = len(names)
    username = t.names_inside_bold(names)
    if "topic" in wanted.words:
        return t(NOW_IN_OWN_TOPIC, n=n, username=username)
    if where:
        return t(NOW_IN, n=n, where=where, username=username)
    if target.thread_id:
        return t(NOW_IN_TOPIC, n=n, username=username)
    return t(NOW_IN_PRIVATE if context.is_private else NOW, n=n, username=username)


async def _expected_delay_lines(done: Sequence[Subscribed], context: Context) -> list[str]:
    """Return a list with the line about the expected delay of new alerts, or an empty list.

    The line states the longest delay of all new subscriptions without a daily summary. The list is
    empty if no delay is known.
    """
    delays: list[tuple[timedelta, bool]] = []
    for subscribed in done:
        options = subscribed.subscription.options
        if subscribed.already or options.digest:
            continue
        known = await context.services.subscriptions.known_profile(subscribed.profile.profile_id)
        if known and (delay := expected_delay(known)):
            delays.append((delay, not options.fast and delay >= WORTH_SAYING))
    if not delays:
        return []
    longest, is_improvable = max(delays)
    return [context.t(SOON if is_improvable else DELAY, delay=longest)]


def expected_delay(known: Known) -> timedelta | Unknown:
    """Return the expected time from a post to the alert, rounded to at least one minute.

    Return None if the profile has no complete snapshot, or if no check is planned.
    """
    delay = mean_detection_delay_of(known)
    return max(round(delay / LEAST) * LEAST, LEAST) if delay else None


@on_press(actions.LIVE)
async def send_last_found_stories(context: Context, username: str) -> PopUpText | None:
    """Show the stored live stories of a followed profile, for 0 credits.

    A story whose file must be bought is not sent. Without stored live stories, return the text of
    a pop-up.

    Raises:
        NotFollowedError: The chat has no subscription to the profile.
        NoPayerError: The request has no person, and the chat has no payer.
    """
    service = context.services.subscriptions
    live = await service.stored_live_stories(username, chat_id=context.chat.id)
    if not live:
        return context.t.plain(DISAPPEARED)
    await answer_press(context)
    await enqueue_story_albums(context, plan_albums(live), is_free=True)
    return None


@command("subscriptions", channel_after=0)
async def list_subscriptions(context: Context) -> None:
    """List the subscriptions of the chat."""
    await say(context, *await subscriptions_page(context, 0))


@on_press(actions.SUBSCRIPTIONS)
async def show_other_subscriptions_page(
    context: Context, page: int, containing: int | None
) -> None:
    """Show another page of the list in place of the message whose button was pressed.

    If ``containing`` is the ID of a subscription, show the page with this subscription.
    """
    await edit_pressed(context, *await subscriptions_page(context, page, containing))


@command("unsubscribe", channel_after=1, takes_list=True, usage=UNSUBSCRIBE_USAGE)
async def unsubscribe(context: Context) -> None:
    """End the named subscriptions or all subscriptions. A button restores the subscriptions.

    Without words, ask which alerts to stop. A command with everyday words usually ends no
    subscription until a button confirms the names.

    Raises:
        NotFollowedError: The command names a single profile, and the chat has no subscription to
            this profile.
    """
    words = context.words_after_command
    language = context.t.language
    if not words:
        rows = await context.read_subscriptions()
        if rows:
            await ask_which_to_stop(context, rows)
        else:
            await ask_which_profile(context, TO_STOP, "unsubscribe", UNSUBSCRIBE_USAGE)
        return
    if await answer_if_cancellation(context, " ".join(words)):
        return
    if [word.lower() for word in words] == ["all"]:
        rows = await context.read_subscriptions()
        page = await _unsubscribe_and_get_page(rows, context) if rows else (context.t(EMPTY), [])
        await say(context, *page)
        return
    wanted = parse(words, language=language)
    if wanted.names and _is_common_word_or_word_for_all(wanted, language):
        await _unsubscribe_if_followed_or_ask(context, wanted)
    elif wanted.names and wanted.everyday:
        await offer_understood_command(context, "unsubscribe", wanted)
    elif wanted.names:
        await _unsubscribe_named(context, wanted)
    else:
        await say_message(context, UNSUBSCRIBE_USAGE)


def _is_common_word_or_word_for_all(wanted: Wanted, language: str) -> bool:
    """Return whether the first name is a word such as "everything", or a common word.

    A common word counts only if the command has no other name.
    """
    name = wanted.names[0]
    is_alone = len(wanted.names) == 1 and bool(wanted.everyday)
    return has_word_meaning_all(name, language) or (is_alone and is_everyday_word(name, language))


async def _unsubscribe_if_followed_or_ask(context: Context, wanted: Wanted) -> None:
    """End the subscriptions to all named profiles if the first name is a followed profile.

    Otherwise, the name is a word such as "everything" or "please", so ask which alerts to stop.
    """
    rows = await context.read_subscriptions()
    if wanted.names[0] in {subscription.username for subscription in rows}:
        await _unsubscribe_named(context, wanted)
    elif rows:
        await ask_which_to_stop(context, rows)
    else:
        await say_message(context, EMPTY)


async def _unsubscribe_named(context: Context, wanted: Wanted) -> None:
    """End the subscriptions to the named profiles.

    The answer lists the named profiles to which the chat has no subscription.

    Raises:
        NotFollowedError: The command names a single profile, and the chat has no subscription to
            this profile.
    """
    rows: list[Subscription] = []
    failed: list[tuple[str, BotError]] = []
    for name in wanted.names:
        try:
            rows += await context.services.subscriptions.get_of_username(context.chat.id, name)
        except NotFollowedError as error:
            failed.append((name, error))
    if failed and len(wanted.names) + len(wanted.unread) == 1:
        raise failed[0][1]
    lines: list[str] = []
    buttons: Buttons = []
    if rows:
        text, buttons = await _unsubscribe_and_get_page(rows, context)
        lines.append(text)
    lines += failure_lines(failed, wanted, context)
    await say(context, Safe("\n".join(lines)), buttons)


@on_press(actions.UNSUBSCRIBE)
async def unsubscribe_one_or_all(context: Context, subscription_id: int) -> None:
    """End the subscription whose button was pressed, or all subscriptions.

    Raises:
        NotFollowedError: The subscription has already ended.
    """
    service = context.services.subscriptions
    if subscription_id == ALL:
        rows = await service.all_of_chat(context.chat.id)
    else:
        rows = [await service.get(context.chat.id, subscription_id)]
    if not rows:
        await edit_pressed(context, context.t(EMPTY), [])
        return
    await edit_pressed(context, *await _unsubscribe_and_get_page(rows, context))


async def _unsubscribe_and_get_page(rows: Sequence[Subscription], context: Context) -> Page:
    """End subscriptions. Return the confirmation with a button to restore the subscriptions."""
    at = await context.services.subscriptions.unsubscribe(context.chat.id, rows)
    done = NN_("Unsubscribed from {n} profile.", "Unsubscribed from {n} profiles.")
    text: str = context.t(done, n=len(rows))
    if len({subscription.username for subscription in rows}) == 1:
        text = context.t("Unsubscribed from <b>{username}</b>.", username=rows[0].username)
    undo = context.button(UNDO, actions.UNDO(at))
    return text, [[undo, subscriptions_list_button(context)]]


@on_press(actions.UNDO)
async def undo_unsubscribe(context: Context, ended_at: datetime) -> PopUpText | None:
    """Restore all subscriptions that ended at ``ended_at``, for 0 credits.

    The button works for about a day. Subscriptions that cannot be restored are listed, and the
    button stays for another attempt.

    Raises:
        BotError: The only subscription to restore cannot be restored.
        BlockedError: The access list blocks the chat or the responsible person.
    """
    result = await context.services.subscribing.restore(
        context.chat.id, context.user_id, ended_at=ended_at
    )
    restored = result.subscriptions
    failed = result.failed
    if not restored and not failed:
        return context.t.plain(UNKNOWN_BUTTON)
    if len(failed) == 1 and not restored:
        raise failed[0][1]
    one_page = len(restored) == 1 and not failed
    page = options_page(restored[0], context) if one_page else await subscriptions_page(context, 0)
    text, buttons = page
    if restored:
        names = context.t.names_inside_bold([subscription.username for subscription in restored])
        again = context.t(AGAIN, n=len(restored), username=names)
        text = paragraphs(again, text)
    if failed:
        text = Safe("\n".join([text, "", *failure_lines(failed, parse([]), context)]))
        buttons = [*buttons, [context.button(UNDO, actions.UNDO(ended_at))]]
    await edit_pressed(context, text, buttons)
    return None


async def ask_which_to_stop(context: Context, rows: Sequence[Subscription]) -> None:
    """Ask which subscriptions to end, with a button for each of at most 60 profiles.

    A channel gets the usage of the command without buttons.
    """
    if context.is_channel:
        await say_message(context, UNSUBSCRIBE_USAGE)
        return
    buttons = command_buttons_of_subscriptions(rows, "unsubscribe")
    if len({subscription.username for subscription in rows}) > 1:
        every = context.button(N_("Stop all"), actions.UNSUBSCRIBE(ALL), actions.DANGER)
        buttons = [*buttons, [every]]
    await say_message(context, TO_STOP, buttons)
    await store_expected_choice(context, "unsubscribe")


async def ask_which_profile(context: Context, question: str, command: str, usage: str) -> None:
    """Ask for a followed profile for ``command``, with a button for each of at most 60 profiles.

    ``question`` and ``usage`` are message ids. A channel with subscriptions gets ``usage``,
    because no button in a channel can run a command.
    """
    rows = await context.read_subscriptions()
    if rows and context.is_channel:
        await say_message(context, usage)
    elif rows:
        await say_message(context, question, command_buttons_of_subscriptions(rows, command))
        await store_expected_choice(context, command)
    elif TABLE[f"/{command}"] is SHOW and context.is_group:
        await say_message(context, EMPTY)
    else:
        await ask_or_send_usage(context, FIRST, EMPTY)


async def subscriptions_page(context: Context, page: int, containing: int | None = None) -> Page:
    """Return a page with at most 8 of the chat's subscriptions. Each subscription has a button.

    ``containing`` is the ID of a subscription on the page, or None. A channel gets a list of at
    most 60 subscriptions without buttons.
    """
    every = await context.read_subscriptions()
    if containing is not None:
        places = {subscription.id: place for place, subscription in enumerate(every)}
        page = places.get(containing, 0) // PAGE
    rows = every[page * PAGE : (page + 1) * PAGE]
    if not every:
        text = context.t(EMPTY if context.about is None else EMPTY_THERE)
        return text, [[context.button(N_("⚙️ Settings"), SETTINGS)]]
    if context.is_channel:
        lines = [context.t("Subscriptions")]
        lines += [
            escape(subscription_line(subscription, context))
            for subscription in every[:MOST_LISTED]
        ]
        lines += [Safe("…")] if len(every) > MOST_LISTED else []
        text = Safe("\n".join(lines))
        return Safe(text + await _obstacles_text(context, None)), [
            [subscriptions_list_button(context)]
        ]
    text = context.t(
        NN_(
            "This chat has {n} subscription. Tap it for its options.",
            "This chat has {n} subscriptions. Tap one for its options.",
        ),
        n=len(every),
    )
    text = Safe(text + await _obstacles_text(context, None))
    buttons = [
        [button(subscription_line(subscription, context), actions.SUBSCRIPTION(subscription.id))]
        for subscription in rows
    ]
    buttons += all_subscriptions_buttons(len(every), context)
    is_last = (page + 1) * PAGE >= len(every)
    if not await context.services.payers.has_payer(context.chat.id):
        buttons += become_payer_buttons(context.chat.id, context.chat.kind, context)
    return text, buttons + arrow_buttons(page, is_last=is_last, to=actions.SUBSCRIPTIONS)


def subscriptions_list_button(context: Context) -> Button:
    """Return the button that lists the chat's subscriptions."""
    return context.button(N_("Subscriptions"), actions.SUBSCRIPTIONS(0))


async def _obstacles_text(context: Context, target: Target | None) -> Safe:
    """Return a text about the mutes and the missing payer of a chat, or an empty string.

    A mute means that the bot cannot post in the chat or topic. With ``target``, only the mutes of
    ``target`` are described.
    """
    chat_id = target.chat_id if target else context.chat.id
    # The stored chat is read again, because a subscription may have given the chat a payer.
    has_payer = await context.services.payers.has_payer(chat_id)
    sentences = [] if has_payer else [context.t(LEFT)]
    mutes = await context.services.presence.read_mutes(chat_id)
    if target:
        place = find_mute(mutes, target.thread_id)
        mutes = (place,) if place else ()
    sentences += [context.t(MISSING[mute.missing]) for mute in mutes]
    return Safe("".join("\n\n" + sentence for sentence in sentences))


def _subscribed_buttons(done: Subscribed, context: Context, *, can_show: bool) -> Buttons:
    """Return the buttons under the message about a subscription.

    If the profile has live stories and ``can_show`` is True, the first button shows the stories.
    """
    subscription = done.subscription
    stop = context.button(N_("Unsubscribe"), actions.UNSUBSCRIBE(subscription.id), actions.DANGER)
    if done.is_new:
        stop = context.button(UNDO, actions.UNSUBSCRIBE(subscription.id))
    last = [[context.button(N_("Options"), actions.SUBSCRIPTION(subscription.id)), stop]]
    if not can_show:
        return last
    if context.is_private and context.about is None:
        last.append([context.button(N_("Another chat"), actions.ELSEWHERE(subscription.id))])
    show = context.button(N_("Show current stories"), actions.LIVE(subscription.username))
    return [[show], *last] if done.live else last


async def _check_and_admit_channel(context: Context, channel_name: str) -> tuple[Target, str]:
    """Check that the person and the bot may post in a channel, and store the channel.

    A channel gets access if the person has access. Return the target of alerts, and the name. In a
    group, the person must be an admin, and the bot a member.

    Raises:
        SubscriptionError: The named chat is no channel or group in which the person and the bot
            may post.
        BlockedError: The access list blocks the channel, or the person responsible for the
            channel.
        AskAgainError: Telegram does not answer.
    """
    user_id = context.user_id
    services = context.services
    try:
        channel = await context.bot.get_chat(channel_name)
        if user_id is None or channel.type == Chat.PRIVATE:
            raise SubscriptionError(
                "not a channel, or nobody in particular", text=CHANNEL_UNUSABLE
            )
        # A button from before the migration of a group has the old ID. ``known`` has the new ID.
        known = await services.chats.get(channel.id)
        chat_id, kind = (known.id, known.kind) if known else (channel.id, channel.type)
        if not await _fetch_if_person_and_bot_have_rights(context, chat_id, kind):
            raise SubscriptionError("no administrator who may post", text=CHANNEL_UNUSABLE)
    except (BadRequest, Forbidden, AdminsUnknownError) as error:
        raise SubscriptionError("can't be seen", text=CHANNEL_UNUSABLE) from error
    except TelegramError as error:
        raise AskAgainError(str(error)) from error
    await services.access.store_channel_and_allow_if_admin_may(
        chat_id,
        user_id,
        kind=kind,
        title=channel.effective_name or "",
        language_code=context.t.language,
    )
    await services.presence.recheck_presence_and_return_mutes(chat_id)
    shown = channel_name if channel_name.startswith("@") else channel.effective_name
    return Target(chat_id), shown or channel_name


async def _fetch_if_person_and_bot_have_rights(context: Context, chat_id: int, kind: str) -> bool:
    """Return whether the person manages a group or channel, and the bot may write in the chat.

    In a group, it is sufficient that the bot is a member.

    Raises:
        AdminsUnknownError: Telegram does not return the administrators.
        AskAgainError: Telegram does not answer.
    """
    user_id = context.user_id
    bot = context.bot
    if user_id is None or not await fetch_if_person_may_manage(context, chat_id, kind, user_id):
        return False
    bot_rights = await context.services.admins.get_or_fetch_rights(
        bot, chat_id, bot.id, now=context.now
    )
    return bot_rights.may_post if kind == Chat.CHANNEL else bot_rights.is_here


@on_press(actions.SUBSCRIPTION)
async def show_options(context: Context, subscription_id: int, section: str | MainPage) -> None:
    """Show the options of a subscription in place of the message whose button was pressed.

    If the button is under a photo, a video, a file or a daily summary, the options are a new
    message.

    Raises:
        NotFollowedError: The subscription has ended.
    """
    show = say if section == NEW else edit_pressed
    await show(context, *await get_options_page_and_expect_zone(context, subscription_id, section))


async def get_options_page_and_expect_zone(
    context: Context, subscription_id: int, section: str | MainPage
) -> Page:
    """Return the page of a subscription, or a section of the subscription's options.

    If the page needs the missing time zone of the chat, record that the next message may name a
    place.

    Raises:
        NotFollowedError: The chat does not have the subscription.
    """
    subscription = await context.services.subscriptions.get(context.chat.id, subscription_id)
    if section == "when" and subscription.options.digest:
        await store_zone_question_if_no_zone(context)
    return options_page(subscription, context, None if section == NEW else section)
