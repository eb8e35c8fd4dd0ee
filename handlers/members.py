"""Who may change what: in groups only administrators, anonymous ones too; members may look."""

from telegram import Chat, ChatMember, ChatMemberUpdated, Update
from telegram.ext import ChatMemberHandler, MessageHandler, filters

from bot.context import Context, user_of
from bot.domain.errors import N_, BotError
from handlers.commands import Handler

HERE = {ChatMember.OWNER, ChatMember.ADMINISTRATOR, ChatMember.MEMBER, ChatMember.RESTRICTED}


class NotAdminError(BotError):
    """Somebody without the right pressed a button or wrote a command."""

    text = N_("Only administrators of this group can change that.")


async def require_admin(update: Update, context: Context) -> None:
    """Let pass who may change this chat.

    Raises:
        NotAdminError: In a group, the person is no administrator.
    """
    where, message = update.effective_chat, update.effective_message
    if where is None or where.type in {Chat.PRIVATE, Chat.CHANNEL}:
        return  # only administrators can post in a channel
    if message and message.sender_chat and update.callback_query is None:
        if message.sender_chat.id == where.id:
            return  # an anonymous administrator writes in the group's own name
        raise NotAdminError
    user_id = user_of(update)
    if user_id is None:
        raise NotAdminError
    if not await context.services.admins.has(context.bot, where.id, user_id, now=context.now):
        raise NotAdminError


async def bot_membership(update: Update, context: Context) -> None:
    """Close the chat when the bot is blocked or removed; open it again when it is back."""
    change = update.my_chat_member
    if change is None:
        return
    if _is_here(change):
        await context.services.subscriptions.bot_back(change.chat.id)
    else:
        await context.services.subscriptions.bot_removed(change.chat.id)


async def migrated(update: Update, context: Context) -> None:
    """Take everything along when a group becomes a supergroup."""
    message = update.effective_message
    if message is None:
        return
    if message.migrate_to_chat_id:
        await context.services.subscriptions.chat_moved(
            message.chat.id, message.migrate_to_chat_id
        )
    elif message.migrate_from_chat_id:
        await context.services.subscriptions.chat_moved(
            message.migrate_from_chat_id, message.chat.id
        )


def _is_here(change: ChatMemberUpdated) -> bool:
    member = change.new_chat_member
    if member.status == ChatMember.RESTRICTED:
        return bool(getattr(member, "is_member", False))
    return member.status in HERE


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [
        ChatMemberHandler(bot_membership, ChatMemberHandler.MY_CHAT_MEMBER),
        MessageHandler(filters.StatusUpdate.MIGRATE, migrated),
    ]
