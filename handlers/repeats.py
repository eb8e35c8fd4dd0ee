"""Recognition of messages and presses that repeat an earlier update.

``is_channel_copy_or_own_forward`` finds messages that need no answer. ``cache_after_commit``
records a handled update, so that its repeat can be recognised.
"""

import re
from collections.abc import Hashable
from datetime import timedelta

from telegram import Message, MessageOriginUser
from telegram.ext import filters

from bot.context import Context
from bot.updates import unit_of_work

# The names of the files of /export, and of the lists of followed accounts in Instagram's own
# export.
_LISTING = re.compile(
    r".*\.json|.*following.*\.html|.*instagram.*\.zip", re.IGNORECASE | re.DOTALL
)


class RepeatedMessages(filters.MessageFilter):
    """A filter for messages that only repeat another message and therefore need no answer."""

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` only repeats another message, and so needs no answer."""
        return is_channel_copy_or_own_forward(message, message.get_bot().id)


def is_channel_copy_or_own_forward(message: Message, bot_id: int) -> bool:
    """Return whether a message only repeats another message, so that no answer is needed.

    Telegram copies channel posts into the discussion group, and people forward messages of the
    bot. A forwarded file of subscriptions does not count.
    """
    origin = message.forward_origin
    if message.is_automatic_forward:
        return True
    is_own = isinstance(origin, MessageOriginUser) and origin.sender_user.id == bot_id
    return is_own and not has_listing_file(message)


def has_listing_file(message: Message) -> bool:
    """Return whether a message contains a file that may list subscriptions or accounts."""
    name = message.document.file_name if message.document else None
    return _LISTING.fullmatch(name or "") is not None


# Channel posts are included, because commands in channels are posts. Edits are excluded, so that
# no command runs a second time.
NEW_MESSAGES = (filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST) & ~RepeatedMessages()


async def cache_after_commit(
    context: Context, key: Hashable, value: object = True, *, age: timedelta
) -> None:
    """Put ``value`` into the cache after the commit of the update, but before the replies.

    The entry expires ``age`` after the write. If the commit fails, no entry is written. Without a
    transaction or a reply, the entry is written at once.
    """

    async def write() -> None:
        context.services.cache.put(key, value, until=context.now + age)

    await unit_of_work.call_after_replies(write, only_commit=True)
