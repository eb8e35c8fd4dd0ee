"""The rights of a person in a chat, fetched from Telegram and cached for up to a minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from telegram import Bot, ChatMember, ChatMemberAdministrator
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.domain.errors import AdminsUnknownError, AskAgainError
from bot.runtime.timed_cache import TimedCache

log = structlog.get_logger()

# The rights of an administrator are cached for this time. Until then, the bot does not notice that
# the administrator has lost rights.
_ADMIN_FOR = timedelta(seconds=60)
# The rights of any other person are cached for this time. Until then, the bot does not notice that
# the person has got rights.
_OTHER_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class AdminRights:
    """The rights of a person in a chat.

    ``is_here`` is True if the person is in the chat. ``may_post`` is the right to post in a
    channel.
    """

    is_here: bool = False
    is_admin: bool = False
    may_post: bool = False


class Admins:
    """Returns the rights of persons in chats, from a cache or from Telegram."""

    def __init__(self) -> None:
        """Create an empty cache."""
        self._cache = TimedCache[tuple[int, int], AdminRights]()

    async def get_or_fetch_rights(
        self, bot: Bot, chat_id: int, user_id: int, *, now: datetime
    ) -> AdminRights:
        """Return the rights of a person, or of the bot itself, in a chat.

        Rights are cached for 60 seconds for administrators, and for 5 seconds for other persons.
        If Telegram refuses getChatMember, ``is_here`` is True for administrators only.

        Raises:
            AdminsUnknownError: Telegram refuses both calls. The bot must become an administrator.
            AskAgainError: A call failed for a different reason.
        """
        cached = self._cache.get((chat_id, user_id), now=now)
        if cached is not None:
            return cached
        try:
            rights = await _fetch_rights(bot, chat_id, user_id)
        except TelegramError as error:
            raise AskAgainError(str(error)) from error
        age = _ADMIN_FOR if rights.is_admin else _OTHER_FOR
        self._cache.put((chat_id, user_id), rights, until=now + age)
        return rights


async def _fetch_rights(bot: Bot, chat_id: int, user_id: int) -> AdminRights:
    try:
        return _rights_of(await bot.get_chat_member(chat_id, user_id))
    except (BadRequest, Forbidden) as error:  # Telegram refuses the call
        log.info("a member can't be looked up", chat=chat_id, reason=str(error))
    try:
        admins = await bot.get_chat_administrators(chat_id)
    except (BadRequest, Forbidden) as error:
        raise AdminsUnknownError(str(error)) from error
    return next((_rights_of(admin) for admin in admins if admin.user.id == user_id), AdminRights())


def _rights_of(member: ChatMember) -> AdminRights:
    if member.status == ChatMember.OWNER:
        return AdminRights(is_here=True, is_admin=True, may_post=True)
    if isinstance(member, ChatMemberAdministrator):
        posts = bool(member.can_post_messages)
        return AdminRights(is_here=True, is_admin=True, may_post=posts)
    return AdminRights(is_here=getattr(member, "is_member", member.status == ChatMember.MEMBER))
