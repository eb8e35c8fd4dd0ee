"""Who administers a chat: asked of Telegram, and remembered for a minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from telegram import Bot, ChatMember, ChatMemberAdministrator
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.domain.errors import AdminsUnknownError, AskAgainError

log = structlog.get_logger()

_TRUST_FOR = timedelta(seconds=60)  # a demoted administrator is refused at the latest after this
_DOUBT_FOR = timedelta(seconds=5)  # a promoted one is heard after this
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class AdminRights:
    """What somebody is in a group or channel; ``may_post`` is the right to post in a channel."""

    is_here: bool = False
    is_admin: bool = False
    may_post: bool = False


class Admins:
    """Remembers for a minute who administers which chat; asks Telegram otherwise."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._known: dict[tuple[int, int], tuple[AdminRights, datetime]] = {}

    async def rights(self, bot: Bot, chat_id: int, user_id: int, *, now: datetime) -> AdminRights:
        """Return what a person, or the bot itself, is in a chat.

        getChatMember is sure to work for others only where the bot administers the chat (Bot API);
        where it fails, the list of administrators is asked.

        Raises:
            AdminsUnknownError: Telegram tells neither; the bot has to be made an administrator.
            AskAgainError: Telegram does not answer.
        """
        known, until = self._known.get((chat_id, user_id), (AdminRights(), now))
        if until > now:
            return known
        try:
            standing = await _ask_rights(bot, chat_id, user_id)
        except TelegramError as error:
            raise AskAgainError(str(error)) from error
        if len(self._known) >= _REMEMBERED:
            self._known = {k: v for k, v in self._known.items() if v[1] > now}
        until = now + (_TRUST_FOR if standing.is_admin else _DOUBT_FOR)
        self._known[chat_id, user_id] = (standing, until)
        return standing


async def _ask_rights(bot: Bot, chat_id: int, user_id: int) -> AdminRights:
    try:
        return _rights_of(await bot.get_chat_member(chat_id, user_id))
    except (BadRequest, Forbidden) as error:  # answered; a lost connection is another matter
        log.info("a member can't be looked up", chat=chat_id, reason=str(error))
    try:
        admins = await bot.get_chat_administrators(chat_id)
    except (BadRequest, Forbidden) as error:
        raise AdminsUnknownError(str(error)) from error
    return next((_rights_of(one) for one in admins if one.user.id == user_id), AdminRights())


def _rights_of(member: ChatMember) -> AdminRights:
    if member.status == ChatMember.OWNER:
        return AdminRights(is_here=True, is_admin=True, may_post=True)
    if isinstance(member, ChatMemberAdministrator):
        posts = bool(member.can_post_messages)
        return AdminRights(is_here=True, is_admin=True, may_post=posts)
    return AdminRights(is_here=getattr(member, "is_member", member.status == ChatMember.MEMBER))
