"""A message as it is kept, and as the Bot API shows it to one bot."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.telegram.people import Bot

if TYPE_CHECKING:
    from sandbox.telegram.chats import Chat
    from sandbox.telegram.files import Media


@dataclass(slots=True)
class Message:
    """`fields` is the Bot API's Message without its media, whose file_ids differ by bot."""

    chat: "Chat"
    id: int
    fields: dict[str, Any]
    sent_at: float
    bot: Bot | None = None  # the bot that sent it
    media: "Media | None" = None
    source: str | None = None  # upload, url, file_id
    reply_to: "Message | None" = None
    reply_keyboard: dict[str, Any] | None = None
    protected: bool = False
    deleted: bool = False
    edited_at: float | None = None
    answer_lost: bool = False  # it is here, and whoever sent it was not told
    invoice: dict[str, Any] | None = field(default=None)
    reactions: list[str] = field(default_factory=list)

    def view(self, bot: Bot, *, nested: bool = False) -> dict[str, Any]:
        """The Bot API's Message as `bot` sees it."""
        if self.media is None and self.reply_to is None:
            return self.fields
        view = dict(self.fields)
        if self.media is not None:
            view |= self.media.view(bot)
        if self.reply_to is not None and not nested and not self.reply_to.deleted:
            view["reply_to_message"] = self.reply_to.view(bot, nested=True)
        return view

    def shown(self, bot: Bot) -> dict[str, Any]:
        """What the control API tells: the Message and how it came here."""
        view = dict(self.view(bot))
        view["_sent_at"] = self.sent_at
        view["_from_bot"] = self.bot is not None
        if self.media is not None:
            view["_source"] = self.source or "upload"
            view["_story_pk"] = self.media.content.story_pk
        if self.edited_at is not None:
            view["_edited_at"] = self.edited_at
        if self.answer_lost:
            view["_answer_lost"] = True
        if self.deleted:
            view["_deleted"] = True
        if self.reactions:
            view["_reactions"] = self.reactions
        if self.reply_keyboard is not None:
            view["_reply_keyboard"] = self.reply_keyboard
        return view

    @property
    def thread(self) -> int:
        """The forum topic it stands in; 0 for none."""
        thread: int = self.fields.get("message_thread_id", 0)
        return thread
