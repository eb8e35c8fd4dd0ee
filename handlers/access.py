"""/allow, /invite, /block, /unblock and /remove_owner: access to the bot, and invitation links."""

from collections.abc import Sequence

from bot.chats.access import INVITATION_VALID_FOR
from bot.chats.access import OWNER as OWNER_LINK
from bot.context import Context
from bot.domain.access import (
    Entry,
    Subject,
    parse_block_end_and_reason,
    parse_telegram_id_or_profile,
)
from bot.domain.errors import CHAT_SILENCED
from bot.domain.identity import identifies_no_person
from bot.domain.packs import BudgetPlan
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import OWNER, PROFILE_ID, Buttons, Page
from bot.presentation.budget_line import budget_lines
from bot.presentation.html import Safe, paragraphs
from handlers.admission import OVER
from handlers.guard import command, on_press
from handlers.people import other_request_rows_of_message
from handlers.replies import edit_pressed, say, say_message

MOST_USES = 1000
# The minimum length of an ID in a command that replies to a message. A shorter number is not an
# ID, but may be the first word of the reason for a block.
_SHORTEST_ID = 5
ALLOW_USAGE = N_(
    "Write it like this: /allow <i>ID</i>, with the ID of a person or a chat. Or reply to "
    "someone's message with /allow. In a group, /allow alone gives access to the whole group."
)
BLOCK_USAGE = N_(
    "Write it like this: /block <i>who</i> 7d <i>reason</i>. <i>Who</i> is the ID of a "
    "person or a chat, or the name of an Instagram profile. You can leave out the time (12h, "
    "7d, 2w) and the reason; if you give a reason, the person sees it. You can also reply to "
    "someone's message."
)
UNBLOCK_USAGE = N_(
    "Write it like this: /unblock <i>who</i>, with the ID of a person or a chat, or the name "
    "of an Instagram profile."
)
ALLOWED = N_("{who} can use the bot now.")
ALLOWED_PROFILE = N_("Profiles don't need access. If one is blocked, use /unblock.")
BLOCKED = N_("{who} is blocked.")
BLOCKED_UNTIL = N_("{who} is blocked until {until}.")
AS_PROFILE = N_(
    "I took this as the name of an Instagram profile. To block a person or a chat, write their ID."
)
ID_UNKNOWN = N_(
    "I don't know this profile's ID yet, so under a new name I wouldn't recognize it. A lookup "
    "finds the ID."
)
NAMELESS = N_(
    "I can't recognize them when they write as an anonymous admin of a group. To block that "
    "group, write <code>/block {group}</code>."
)
NOT_BLOCKED = N_("{who} wasn't blocked.")
REMOVE_OWNER_USAGE = N_(
    "Write it like this: /remove_owner <i>ID</i>, with the ID of one of the "
    "bot's owners. Or reply to their message with /remove_owner."
)
OWNER_REMOVED = N_("{who} is no longer one of the bot's owners.")
UNBLOCKED = N_("{who} is no longer blocked.")
HOW_MANY = N_("For how many people? Write a number up to 1000, for example /invite 5.")
WELCOME_ADMIN = N_(
    "You're now this bot's owner. I'll tell you when something needs your "
    "attention.\n"
    "\n"
    "/invite lets someone use the bot, /people shows who uses it and the "
    "cost, /spending shows what was spent."
)
NOT_LET_IN = N_("I won't let {name} in. If they ask again, I won't tell you for 30 days.")
HOW_TO_OPEN = N_(
    "Set ACCESS=open in the bot's settings and restart the bot. Then "
    "everyone can use it, at your expense; DAILY_BUDGET limits what a day "
    "can cost."
)
# The welcome of a new owner, or the error message about an invalid link.
OwnerWelcomeOrError = Page


@command("allow")
async def allow_person_or_chat(context: Context) -> None:
    """Give a person or a chat access to the bot, and end a block. Profiles need no access."""
    named = _subject_name_and_rest(context, may_be_current_chat=True)
    if named is None:
        await say_message(context, ALLOW_USAGE)
        return
    subject, name, _ = named
    if subject.kind == "profile":
        await say_message(context, ALLOWED_PROFILE)
        return
    entry = await context.services.access.allow_and_end_block(
        subject, by=context.user_id, name=name
    )
    text = CHAT_SILENCED if await _is_chat_of_blocked_payer(subject, context) else ALLOWED
    await say_message(context, text, who=name_with_id(entry))


async def _is_chat_of_blocked_payer(subject: Subject, context: Context) -> bool:
    """Return whether the bot is silent in a chat because the chat's payer is blocked."""
    if subject.kind != "chat":
        return False
    return (await context.services.access.read_guest(int(subject.id))).is_silenced


@command("invite", only_in_private=True)
async def send_invitation_link(context: Context) -> None:
    """Send an invitation link for 1 person, or for the given number of people (1 to 1000)."""
    number = context.words_after_command[0] if context.words_after_command else "1"
    is_number = number.isdecimal() and len(number) <= len(str(MOST_USES))
    uses = int(number) if is_number else 0
    if not 0 < uses <= MOST_USES:
        await say_message(context, HOW_MANY)
        return
    await say(context, await store_invitation_and_get_text(context, uses))


async def store_invitation_and_get_text(context: Context, uses: int) -> Safe:
    """Store a new invitation. Return the text of the message with the link of the invitation.

    The invitation is for ``uses`` people, and is valid for 7 days.
    """
    payload, _ = await context.services.access.store_invitation(context.user_id, uses)
    text = context.t(
        NN_(
            "The first person to open this link can use the bot. The link works for {time}:",
            "The first {n} people to open this link can use the bot. The link works for {time}:",
        ),
        n=uses,
        time=INVITATION_VALID_FOR,
    )
    return Safe(f"{text}\nhttps://t.me/{context.bot.username}?start={payload}")


@command("block")
async def block_person_chat_or_profile(context: Context) -> None:
    """Block a person, a chat or a profile, until a given time or without an end time.

    Raises:
        RightsError: The person is an owner of the bot.
    """
    named = _subject_name_and_rest(context)
    if named is None:
        await say_message(context, BLOCK_USAGE)
        return
    subject, name, rest = named
    until, reason = parse_block_end_and_reason(rest, context.now)
    entry = await context.services.access.block(subject, until=until, reason=reason, name=name)
    t = context.t
    text = t(BLOCKED, who=name_with_id(entry))
    if until:
        text = t(BLOCKED_UNTIL, who=name_with_id(entry), until=t.moment(until, context.now))
    buttons: Buttons = []
    if subject.kind == "profile":
        text = paragraphs(text, t(AS_PROFILE))
        if not (entry.name or subject.id.isdecimal()):
            text = paragraphs(text, t(ID_UNKNOWN))
            buttons = [[context.button(N_("Look it up: 1 credit"), PROFILE_ID(subject.id))]]
    elif subject.kind == "person":
        group = context.chat.id if context.chat.id < 0 else "-100…"
        text = paragraphs(text, t(NAMELESS, group=group))
    await say(context, text, buttons)


@on_press(PROFILE_ID)
async def fetch_and_store_profile_id(context: Context, username: str) -> None:
    """Look up and store the ID of a blocked profile for a cost of 1 credit.

    If the profile is no longer blocked, nothing is looked up or stored.

    Raises:
        BotError: The errors of ``Viewer.fetch_and_store_profile``.
    """
    access = context.services.access
    if username not in access.blocked:
        await edit_pressed(context, context.t(NOT_BLOCKED, who=username), [])
        return
    profile = await context.services.viewer.fetch_and_store_profile(username, context.asker)
    await access.record_id_of_blocked_profile(username, profile.profile_id)
    await edit_pressed(context, context.t(BLOCKED, who=username), [])


@command("unblock")
async def unblock_person_chat_or_profile(context: Context) -> None:
    """End the block of a person, a chat or a profile.

    Raises:
        RightsError: The profile is blocked by ``BLOCKED_PROFILES``.
    """
    named = _subject_name_and_rest(context)
    if named is None:
        await say_message(context, UNBLOCK_USAGE)
        return
    subject, name, _ = named
    was_blocked = await context.services.access.unblock(subject)
    text = UNBLOCKED if was_blocked else NOT_BLOCKED
    if await _is_chat_of_blocked_payer(subject, context):
        text = CHAT_SILENCED
    await say_message(context, text, who=name or subject.id)


@command("remove_owner")
async def remove_owner(context: Context) -> None:
    """Remove an owner who used the owner link.

    Raises:
        RightsError: The person is not an owner, or is an owner in ``ADMIN_IDS``.
    """
    named = _subject_name_and_rest(context)
    if named is None or named[0].kind != "person":
        await say_message(context, REMOVE_OWNER_USAGE)
        return
    entry = await context.services.access.remove_owner(int(named[0].id))
    await say_message(context, OWNER_REMOVED, who=name_with_id(entry))


def name_with_id(entry: Entry) -> str:
    """Return the name with the ID of a person or chat, or the username or ID of a profile.

    If the name of a person or chat is not stored, the text is only the ID.
    """
    if entry.kind == "profile" or not entry.name:
        return entry.subject
    return f"{entry.name} ({entry.subject})"


async def redeem_entry_link(context: Context, payload: str) -> OwnerWelcomeOrError | None:
    """Use an owner link or an invitation link. Return the page to send, or None.

    The page is the welcome of a new owner, or an error message. None means that the caller sends
    the greeting of /start.
    """
    person = context.event.effective_user
    access = context.services.access
    if person is None:
        return None
    # The welcome of an owner contains a report of the spending. The report must be read before
    # ``Access.use_link_and_return_role``, because that method opens a transaction, and no read is
    # allowed to begin inside a transaction.
    welcome = await _owner_welcome_text(context) if payload.startswith(OWNER_LINK) else ""
    became = await access.use_link_and_return_role(payload, person.id, name=person.full_name)
    if became == "owner":
        return welcome, _new_owner_buttons(context)
    return None if became else (context.t(OVER), [])


async def _owner_welcome_text(context: Context) -> str:
    """Return the welcome of a new owner, with the cost of the daily budget."""
    services = context.services
    spent = await services.reports.read_spending()
    plan = BudgetPlan(spent.budget, services.credit_price, spent.balance)
    return "\n".join([context.t(WELCOME_ADMIN), "", *budget_lines(context.t, plan)])


def _new_owner_buttons(context: Context) -> Buttons:
    return [
        [context.button(N_("Invite someone"), OWNER("invite"))],
        [context.button(N_("Open to everyone"), OWNER("open"))],
    ]


@on_press(OWNER, private_command="invite")
async def send_invitation_or_dismiss_request(
    context: Context, action: str, guest_id: int | None
) -> None:
    """Send an invitation, explain how to open the bot to everyone, or deny a request for access.

    ``guest_id`` is the ID of the person or chat that requested access. A denial stores nothing.
    """
    if action == "invite":
        await say(context, await store_invitation_and_get_text(context, 1))
    elif action == "open":
        await say_message(context, HOW_TO_OPEN)
    elif guest_id is not None:
        guest = await context.services.access.read_guest(guest_id)
        is_in = guest.entry and guest.entry.is_allowed and not guest.entry.is_blocked(context.now)
        text = context.t(ALLOWED if is_in else NOT_LET_IN, name=guest.name, who=guest.name)
        await edit_pressed(context, text, other_request_rows_of_message(guest_id, context))


def _subject_name_and_rest(
    context: Context, *, may_be_current_chat: bool = False
) -> tuple[Subject, str, Sequence[str]] | None:
    """Return the subject of a command, the name of the subject, and the words after the subject.

    Return None if the command names no subject. An unknown name is empty. With
    ``may_be_current_chat``, the chat of the command can be the subject.
    """
    asked = context.replied_to
    words = context.words_after_command
    author = asked.from_user if asked and not asked.sender_chat else None
    subject = parse_telegram_id_or_profile(words[0]) if words else None
    is_id = subject is not None and subject.kind != "profile" and len(subject.id) >= _SHORTEST_ID
    # If the owner forwards a message and replies to this message with the command, Telegram names
    # the owner as the author. The command never means its own sender, so the author is ignored.
    counts = author is not None and author.id not in {context.bot.id, context.user_id}
    if author and counts and not (is_id or identifies_no_person(author.id)):
        return Subject("person", str(author.id)), author.full_name, words
    if words:
        return (subject, "", words[1:]) if subject else None
    names_no_other = asked is None or (author is not None and author.id == context.bot.id)
    if may_be_current_chat and names_no_other and not context.is_private:
        return (
            Subject.of_chat(context.update_chat.id),
            context.update_chat.effective_name or "",
            (),
        )
    return None
