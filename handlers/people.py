"""/people: the users of the bot and their costs, with buttons for limits and blocks."""

from datetime import timedelta
from functools import partial

from telegram import Message

from bot.billing.people import Guest
from bot.context import Context
from bot.domain.access import Entry, Subject
from bot.domain.errors import CHAT_SILENCED
from bot.domain.foreign_text import clean
from bot.domain.model import Target
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import (
    DANGER,
    OWNER,
    PEOPLE,
    Buttons,
    Page,
    arrow_buttons,
    back_button,
    button,
)
from bot.presentation.html import (
    Safe,
    bold,
    code,
    foreign_html,
    has_rtl,
    isolate,
    plain,
    truncate_plain,
)
from bot.presentation.translation import LABELLED, translator_for
from bot.sending.replies import text_payload
from handlers.admission import REASON
from handlers.guard import command, on_press
from handlers.money import cost_text
from handlers.replies import edit_pressed, enqueue_reply, say

WELCOME = N_(
    "👋 Hi! Send me the name of a public Instagram profile or a link to a story, and I'll show it "
    "to you, or send you every new one."
)
PAGE = 8
LIMITS = (0, 10, 30, 100, 300, 1000)  # the limits that buttons offer, in credits per day
LONGEST_NAME = 28
TITLE = N_("<b>Who uses the bot</b>, and the cost this month. Tap a name to see more.")
NOBODY_YET = N_("Nobody uses the bot yet. Use /invite to create a link for someone.")
HERE = N_("This month: {cost}")
ELSEWHERE = N_("On top of that, in groups and channels: {cost}")
KINDS = {
    "link": N_("Links"),
    "stories": N_("/stories"),
    "highlight": N_("Highlights"),
    "subscribe": N_("New subscriptions"),
    "media": N_("Downloads"),
    "alert": N_("Alerts"),
}
STATES = {
    "owner": N_("One of the bot's owners."),
    "allowed": N_("Has had access since {since}."),
    "added": N_("Has had access since {since}; added by {by}."),
    "open": N_("Not on the list, but the bot is open to everyone."),
    "asked": N_("Asked for access on {since}, and has none yet."),
    "through": N_("Can use the bot only where others have added it."),
    "blocked": N_("Blocked since {since}."),
    "blocked until": N_("Blocked until {until}."),
}
LIMIT = NN_("Limit: {n} credit a day.", "Limit: {n} credits a day.")
NO_LIMIT = NN_(
    "Limit: {n} credit a day, the same as everyone.",
    "Limit: {n} credits a day, the same as everyone.",
)
PAYER = N_("Responsible for this chat: {name}")
MOST_LIMIT = 1_000_000  # the highest limit that an owner can set, in credits per day
ASK_LIMIT = N_("How many credits a day can {name} use?")
A_DAY = timedelta(days=1)


@command("people", only_in_private=True)
async def list_people(context: Context) -> None:
    """Show the first page of the list of persons and chats, the highest cost of the month first.

    ``Access.list_guests_by_cost`` describes the list.
    """
    await say(context, *await _costs_and_access_list_page(0, context))


@on_press(PEOPLE, private_command="people")
async def act_on_person_or_chat(
    context: Context, action: str, chat_id_or_page: int, limit_or_payer_id: int | None
) -> None:
    """Turn the page of the list, or do the action of a button for a person or chat.

    ``chat_id_or_page`` is a page number for the action ``list``. ``limit_or_payer_id`` is the ID
    of a payer, or a limit in credits per day. None means the limit in the bot's settings.

    Raises:
        RightsError: The button blocks an owner of the bot.
    """
    if action == "list":
        await edit_pressed(context, *await _costs_and_access_list_page(chat_id_or_page, context))
        return
    access = context.services.access
    subject = Subject.of_chat(chat_id_or_page)
    is_owner = chat_id_or_page in access.owner_ids
    match action:
        case "limit" if not is_owner and (limit_or_payer_id or 0) <= MOST_LIMIT:
            await access.set_daily_allowance(subject, limit_or_payer_id)
        case "payer" if chat_id_or_page < 0 and limit_or_payer_id:
            await context.services.payers.set_payer(chat_id_or_page, limit_or_payer_id)
        case "block":
            await access.block(subject, until=None, reason="")
        case "day":
            await access.block(subject, until=context.now + A_DAY, reason="")
        case "unblock":
            await access.unblock(subject)
        case "allow":
            await _give_access_and_greet(subject, context)
    # The action may have changed the entry, so the entry is read again.
    guest = await access.read_guest(chat_id_or_page)
    has_limits = action == "limits" and not is_owner
    text, buttons = _limit_page(guest, context) if has_limits else _guest_page(guest, context)
    if action == "payers" and chat_id_or_page < 0:
        text, buttons = _choose_payer_page(guest, context)
    await edit_pressed(
        context, text, [*buttons, *other_request_rows_of_message(chat_id_or_page, context)]
    )


async def _give_access_and_greet(subject: Subject, context: Context) -> None:
    """Give access to a person or chat, and send the greeting to a person.

    If the person or chat is already allowed, or is blocked, nothing happens.
    """
    access = context.services.access
    chat_id = int(subject.id)
    entry = (await access.read_guest(chat_id)).entry
    if entry and (entry.is_allowed or entry.is_blocked(context.now)):
        return
    await access.allow_and_end_block(subject, by=None)
    if subject.kind == "person":
        code = entry.language_code if entry else ""
        chat = await context.services.chats.ensure_private_chat(chat_id, language_code=code)
        t = translator_for(chat.effective_language or context.t.language)
        await enqueue_reply(context, Target(chat_id), text_payload(t(WELCOME)))


def other_request_rows_of_message(chat_id: int, context: Context) -> Buttons:
    """Return the rows of buttons that stay after an answer to the request of ``chat_id``.

    If the pressed button is under a report about requests for access, return the rows of the other
    requests. Otherwise, return an empty list.
    """
    message = context.query.message if context.query else None
    shown = message.reply_markup if isinstance(message, Message) else None
    if shown is None:
        return []
    answered = OWNER("no", chat_id)
    refuse = OWNER("no", "")
    rows: Buttons = []
    for row in shown.inline_keyboard:
        last = str(row[-1].callback_data)  # the last button of a row refuses a request
        if last.startswith(refuse) and last != answered:
            rows.append([key.to_dict() for key in row])
    return rows


async def _costs_and_access_list_page(page: int, context: Context) -> Page:
    access = context.services.access
    invite = [context.button(N_("Invite someone"), OWNER("invite"))]
    result = await access.list_guests_by_cost(offset=page * PAGE, limit=PAGE + 1)
    if not result and page == 0:
        return context.t(NOBODY_YET), [invite]
    buttons: Buttons = []
    for guest in result[:PAGE]:
        buttons.append([button(_list_line(guest, context), PEOPLE("who", guest.id))])
    buttons += arrow_buttons(page, is_last=len(result) <= PAGE, to=partial(PEOPLE, "list"))
    if access.mode != "open":
        buttons.append(invite)
    return context.t(TITLE), buttons


def _list_line(guest: Guest, context: Context) -> str:
    entry = guest.entry
    sign = "👤" if guest.id > 0 else "👥"
    if guest.is_silenced or (entry and entry.is_blocked(context.now)):
        sign = "🚫"
    elif entry and entry.is_owner:
        sign = "⭐"
    return _list_label(
        sign, guest.name, guest.millicredits_in_chat + guest.millicredits_elsewhere, context
    )


def _list_label(sign: str, name: str, millicredits: int, context: Context) -> str:
    """Return the label of the button for a person or chat, with the cost.

    ``millicredits`` is the cost in thousandths of a credit.
    """
    # ``Safe`` keeps the direction marks around the amount.
    cost = Safe(plain(cost_text(millicredits / 1000, context)))
    return f"{sign} {context.t.plain(LABELLED, label=_name_label(name), text=cost)}"


def _name_label(name: str) -> str:
    """Return a name for a button's label, cleaned and truncated to ``LONGEST_NAME`` characters.

    A name with right-to-left letters is isolated, so that the text direction does not change.
    """
    text = truncate_plain(clean(name), LONGEST_NAME)
    return isolate(text) if has_rtl(text) else text


def _guest_page(guest: Guest, context: Context) -> Page:
    t = context.t
    name = bold(foreign_html(guest.name, rtl=t.is_rtl))
    lines = [f"{name} {code(str(guest.id))}", *_access_lines(guest, context)]
    lines += ["", t(HERE, cost=cost_text(guest.millicredits_in_chat / 1000, context))]
    lines += [
        "• "
        + t.labelled(t.plain(text), cost_text(guest.millicredits_by_kind[kind] / 1000, context))
        for kind, text in KINDS.items()
        if kind in guest.millicredits_by_kind
    ]
    if guest.millicredits_elsewhere:
        lines.append(t(ELSEWHERE, cost=cost_text(guest.millicredits_elsewhere / 1000, context)))
    if guest.id not in context.services.access.owner_ids:  # owners have no limit
        lines += ["", _limit_line(guest, context)]
    if guest.id < 0:
        lines.append(_line_of_payer_or_dash(guest, context))
    rows = [
        [button(_list_label("👤", name, spent, context), PEOPLE("who", user))]
        for user, name, spent in guest.by_person
    ]
    return "\n".join(lines), [*rows, *_guest_buttons(guest, context)]


def _limit_line(guest: Guest, context: Context) -> str:
    own = guest.entry.allowance if guest.entry else None
    limits = context.services.ledger.limits
    usual = limits.person_daily_allowance if guest.id > 0 else limits.chat_daily_allowance
    limit = NO_LIMIT if own is None else LIMIT
    return context.t(limit, n=usual if own is None else own)


def _block_lines(entry: Entry, context: Context) -> list[str]:
    t = context.t
    now = context.now
    until = entry.blocked_until
    state = STATES["blocked until"] if until else STATES["blocked"]
    lines: list[str] = [
        t(state, until=t.moment(until or now, now), since=entry.blocked_since or now)
    ]
    return lines + ([t(REASON, reason=entry.reason)] if entry.reason else [])


def _access_lines(guest: Guest, context: Context) -> list[str]:
    t = context.t
    entry = guest.entry
    now = context.now
    access = context.services.access
    if guest.id in access.owner_ids:
        return [t(STATES["owner"])]
    if entry and entry.is_blocked(now):
        return _block_lines(entry, context)
    if guest.is_silenced:
        return [t(CHAT_SILENCED)]
    if entry and entry.is_allowed:
        by = entry.added_by if entry.via == "added" else ""
        return [t(STATES["added" if by else "allowed"], since=t.day(entry.since), by=by)]
    if access.mode == "open":
        return [t(STATES["open"])]
    asked = entry.refused_at if entry else None
    return [t(STATES["asked"], since=t.day(asked)) if asked else t(STATES["through"])]


def _guest_buttons(guest: Guest, context: Context) -> Buttons:
    entry = guest.entry
    chat_id = guest.id
    to_list = [context.button(N_("Back to the list"), PEOPLE("list", 0))]
    if chat_id in context.services.access.owner_ids:
        return [to_list]
    rows = [[context.button(N_("Limit"), PEOPLE("limits", chat_id))]]
    if entry and entry.is_blocked(context.now):
        rows[0].append(context.button(N_("Unblock"), PEOPLE("unblock", chat_id)))
    else:
        # Each of these buttons has its own row, because a phone would cut the texts in a row of
        # three buttons.
        for_a_day = context.button(N_("Block for a day"), PEOPLE("day", chat_id))
        rows.append([for_a_day, context.button(N_("Block"), PEOPLE("block", chat_id), DANGER)])
        if chat_id < 0:
            rows.append([context.button(N_("Person responsible"), PEOPLE("payers", chat_id))])
        is_open = context.services.access.mode == "open"
        if not (is_open or (entry and entry.is_allowed)):
            rows.append([context.button(N_("Give access"), PEOPLE("allow", chat_id))])
    return [*rows, to_list]


def _limit_page(guest: Guest, context: Context) -> Page:
    t = context.t
    buttons = [button(t.number(n), PEOPLE("limit", guest.id, n)) for n in LIMITS]
    usual = context.button(N_("Same as everyone"), PEOPLE("limit", guest.id))
    to_one = back_button(t, PEOPLE("who", guest.id))
    rows = [buttons[:3], buttons[3:], [usual], [to_one]]
    return t(ASK_LIMIT, name=guest.name), rows


def _choose_payer_page(guest: Guest, context: Context) -> Page:
    """Return the page of possible payers of a chat.

    Possible payers are at most five members with the highest costs of this month, the person in
    ``Entry.added_by``, and the owner who pressed the button.
    """
    people = {user: name for user, name, _ in guest.by_person}
    added_by = guest.entry.added_by if guest.entry else ""
    if added_by.isdecimal():
        people.setdefault(int(added_by), added_by)
    owner = context.event.effective_user
    if owner:
        people[owner.id] = owner.full_name
    rows: Buttons = []
    for user, name in people.items():
        rows.append([button(_name_label(name), PEOPLE("payer", guest.id, user))])
    rows.append([back_button(context.t, PEOPLE("who", guest.id))])
    return _line_of_payer_or_dash(guest, context), rows


def _line_of_payer_or_dash(guest: Guest, context: Context) -> str:
    return context.t(PAYER, name=guest.payer[1] if guest.payer else "-")
