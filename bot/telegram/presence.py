"""The check whether the bot is in a chat and has a right in the chat, by two free calls.

Telegram does not notify bots when the default permissions of a group change.
"""

from telegram import Bot, ChatFullInfo, ChatMember
from telegram.error import ChatMigrated, TelegramError

from bot.domain.model import Moved, PermanentFailure, Presence, Right
from bot.telegram.outcomes import outcome_of

_ADMINS = frozenset({ChatMember.OWNER, ChatMember.ADMINISTRATOR})
AWAY = frozenset({ChatMember.LEFT, ChatMember.BANNED})
_RIGHTS: dict[Right, str] = {
    "text": "can_send_messages",
    "photos": "can_send_photos",
    "videos": "can_send_videos",
    "documents": "can_send_documents",
    "gifs": "can_send_other_messages",
}
# The right "media" stands for these permissions, and is missing only if both are missing.
_SEVERAL = ("can_send_photos", "can_send_videos")


async def fetch_presence(bot: Bot, chat_id: int, missing: Right) -> Presence:
    """Ask Telegram by two free calls whether the bot has regained the right ``missing`` in a chat.

    - "may": The bot has regained the right.
    - "may not": The bot lacks the right, or a call failed for a different reason than below.
    - "away": The bot is not in the chat, or can't write at all.
    - ``Moved``: The chat was migrated, and has a new id.
    """
    try:
        chat = await bot.get_chat(chat_id)
        me = await bot.get_chat_member(chat_id, bot.id)
    except ChatMigrated as error:
        return Moved(error.new_chat_id)
    except TelegramError as error:
        outcome = outcome_of(error)
        return (
            "away"
            if isinstance(outcome, PermanentFailure) and outcome.scope == "chat"
            else "may not"
        )
    return _presence_of(chat, me, missing)


def _presence_of(chat: ChatFullInfo, me: ChatMember, missing: Right) -> Presence:
    """Return the presence of the bot, which is the member ``me``, in ``chat``.

    In a channel, only the right to post decides.
    """
    is_restricted = me.status == ChatMember.RESTRICTED
    if me.status in AWAY or (is_restricted and not getattr(me, "is_member", False)):
        return "away"
    if chat.type == chat.CHANNEL:
        may_post = getattr(me, "can_post_messages", None) is not False
        return "may" if me.status == ChatMember.OWNER or may_post else "may not"
    if me.status in _ADMINS or chat.type == chat.PRIVATE:
        return "may"
    rights = _SEVERAL if missing == "media" else (_RIGHTS.get(missing, _RIGHTS["text"]),)
    givers = [chat.permissions, me if is_restricted else None]
    refused = [any(getattr(giver, right, None) is False for giver in givers) for right in rights]
    return "may not" if all(refused) else "may"
