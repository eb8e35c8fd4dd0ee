"""The bot comes into a chat and goes; a group becomes a supergroup."""

from telegram import ChatMember, ChatMemberUpdated, Update
from telegram.ext import ChatMemberHandler, MessageHandler, filters

from bot.context import Context
from handlers.guard import Handler

HERE = {ChatMember.OWNER, ChatMember.ADMINISTRATOR, ChatMember.MEMBER, ChatMember.RESTRICTED}


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
