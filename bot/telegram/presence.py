"""The check whether the bot is in a chat and has the right to write, by two free calls.

Telegram does not notify bots if the default permissions of a group change. The Bot API server
stores the update updateChatPermissions, but does not send the update to bots. For this reason, the
bot has to ask.
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
# The right "media" is missing if the bot may send neither photos nor videos.
_SEVERAL = ("can_send_photos", "can_send_videos")


async def fetch_presence(bot: Bot, chat_id: int, missing: Right) -> Presence:
    """Ask Telegram whether the bot is in a chat and has a right again. The calls are free.

    ``missing`` is the right that the bot did not have before.

    - If the bot has the right now, return "may". If the bot still lacks the right, return "may
      not".
    - If the bot is not a member of the chat, return "away".
    - If the chat was migrated, return ``Moved`` with the new id.
    - If Telegram states that the bot cannot write to the chat at all, return "away".
    - After any other error, for example if Telegram does not answer, return "may not", so that the
      bot asks again later.
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
    """Return whether the bot, as the member ``me``, has the right ``missing`` in ``chat`` again.

    The result is "away" if the bot is not a member of the chat. In a channel, only the right to
    post counts. In other chats, a right without a permission of its own counts as "text".
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
