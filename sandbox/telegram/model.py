"""Chats with members, rights and topics, and messages, as stored and as displayed to a bot."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.files import Media
from sandbox.telegram.people import Bot, Person

SEND_RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
)
MEMBER_RIGHTS = (
    *SEND_RIGHTS,
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_react_to_messages",
    "can_edit_tag",
)
ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
_CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages")
_GROUP_RIGHTS = ("can_pin_messages", "can_manage_topics")
IN_CHAT = frozenset({"creator", "administrator", "member", "restricted"})
GENERAL_TOPIC = 1
ICON_COLOR = 0x6FB9F0  # icon color of a topic for which no color was chosen


@dataclass(slots=True)
class Member:
    """A membership in a chat. `rights` overrides the rights of the status."""

    status: str
    rights: dict[str, bool] = field(default_factory=dict)
    is_anonymous: bool = False
    custom_title: str | None = None

    @property
    def present(self) -> bool:
        """Return whether the user is in the chat."""
        if self.status == "restricted":
            return self.rights.get("is_member", True)
        return self.status in IN_CHAT


@dataclass(slots=True)
class Topic:
    """A forum topic. Its id is the id of the message that created the topic."""

    id: int
    name: str
    state: str = "open"
    icon_color: int = ICON_COLOR
    made_by: int = 0  # id of the user who created the topic


@dataclass(slots=True)
class Chat:
    """A chat with its messages in order."""

    id: int
    type: str  # private, group, supergroup or channel
    title: str = ""
    person: Person | None = None
    bot: Bot | None = None  # the bot of a private chat
    username: str | None = None
    is_forum: bool = False
    # Whether the chat has the direct messages of a channel, with one topic per person.
    is_direct_messages: bool = False
    started: bool = False  # in a private chat: whether the person has written
    deleted: bool = False
    migrated_to: int | None = None
    migrated_from: int | None = None
    slow_mode_delay: int = 0
    # The discussion group of a channel, or the channel of a discussion group.
    linked_chat_id: int | None = None
    has_hidden_members: bool = False
    deletes_posts: bool = False  # whether another bot deletes the bot's messages at once
    last_bot: int | None = None  # id of the bot that wrote last
    permissions: dict[str, bool] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, "Message"] = field(default_factory=dict)
    last_message_id: int = 0
    # The times of the users' last messages, for slow mode.
    last_sent_at: dict[int, float] = field(default_factory=dict)
    _brief: dict[str, Any] | None = None

    @property
    def kind(self) -> str:
        """Return the word for the chat's type in error messages: group, supergroup or channel."""
        return self.type

    def brief(self) -> dict[str, Any]:
        """Return the chat as the Bot API's object Chat."""
        if self._brief is None:
            self._brief = self._built()
        return self._brief

    def clear_cached_object(self) -> None:
        """Discard the cached object Chat after a change of the chat."""
        self._brief = None

    def _built(self) -> dict[str, Any]:
        chat: dict[str, Any] = {"id": self.id}
        if self.person is not None:
            chat["first_name"] = self.person.first_name
            if self.person.last_name:
                chat["last_name"] = self.person.last_name
            if self.person.username:
                chat["username"] = self.person.username
        else:
            chat["title"] = self.title
            if self.username:
                chat["username"] = self.username
        chat["type"] = self.type
        if self.is_forum:
            chat["is_forum"] = True
        if self.is_direct_messages:
            chat["is_direct_messages"] = True
        return chat

    def assign_message_id(self) -> int:
        """Increase the counter of messages, and return the id of a new message.

        All private chats of a bot share one counter.
        """
        if self.bot is not None:
            self.bot.last_message_id += 1
            return self.bot.last_message_id
        self.last_message_id += 1
        return self.last_message_id

    def member(self, user_id: int) -> Member:
        """Return the membership of a user. A user without a membership has "left"."""
        return self.members.get(user_id) or Member("left")

    def is_admin(self, user_id: int) -> bool:
        """Return whether a user is the creator or an administrator."""
        return self.member(user_id).status in {"creator", "administrator"}

    def may(self, user_id: int, right: str) -> bool:
        """Return whether a user has a right in the chat."""
        member = self.member(user_id)
        if member.status == "creator" or self.type == "private":
            return True
        if member.status == "administrator":
            return right in SEND_RIGHTS or member.rights.get(right, True)
        if member.status == "restricted":
            return member.rights.get(right, False) and self.permissions.get(right, True)
        return member.present and self.type != "channel" and self.permissions.get(right, True)

    @property
    def has_topics(self) -> bool:
        """Return whether the chat has topics. In a private chat, a setting of the bot decides."""
        return self.is_forum if self.bot is None else self.bot.has_topics

    def may_manage_topics(self, user_id: int) -> bool:
        """Return whether a user may change all topics and write in closed topics."""
        member = self.member(user_id)
        named = member.rights.get("can_manage_topics", False)
        return member.status == "creator" or (member.status == "administrator" and named)

    def may_create_topics(self, user_id: int) -> bool:
        """Return whether a user may create a topic.

        The right may be a right of the user or a right of all members.
        """
        if self.type == "private" or self.may_manage_topics(user_id):
            return True
        member = self.member(user_id)
        is_plain = member.status == "member"
        named = self.permissions if is_plain else member.rights
        return (is_plain or member.status == "restricted") and named.get(
            "can_manage_topics", False
        )

    def is_open_to(self, user_id: int, topic: Topic) -> bool:
        """Return whether a user may write in a topic.

        In a closed topic, only the creator of the topic and users who may manage topics may write.
        In a private chat, any topic is open.
        """
        is_closed = topic.state == "closed" and self.type != "private"
        return not is_closed or topic.made_by == user_id or self.may_manage_topics(user_id)

    def admin_rights(self, member: Member) -> dict[str, bool]:
        """Return the rights that the object ChatMemberAdministrator has for an administrator."""
        extra = _CHANNEL_RIGHTS if self.type == "channel" else _GROUP_RIGHTS
        names = ADMIN_RIGHTS + extra
        return {name: member.rights.get(name, name != "can_manage_topics") for name in names}

    def member_view(self, user: dict[str, Any]) -> dict[str, Any]:
        """Return a user's membership as the Bot API's object ChatMember."""
        member = self.member(user["id"])
        view: dict[str, Any] = {"user": user, "status": member.status}
        if member.status == "creator":
            view["is_anonymous"] = member.is_anonymous
        elif member.status == "administrator":
            view["can_be_edited"] = False
            view |= self.admin_rights(member)
            view["is_anonymous"] = member.is_anonymous
        elif member.status == "restricted":
            view["is_member"] = member.present
            view |= {right: member.rights.get(right, False) for right in MEMBER_RIGHTS}
            view["until_date"] = 0
        elif member.status == "kicked":
            view["until_date"] = 0
        if member.custom_title and member.status in {"creator", "administrator"}:
            view["custom_title"] = member.custom_title
        return view


@dataclass(slots=True)
class Message:
    """A message.

    `fields` has the fields of the Bot API's object Message without media, because each bot has
    different file_ids.
    """

    chat: Chat
    id: int
    fields: dict[str, Any]
    sent_at: float
    bot: Bot | None = None  # the sending bot
    media: Media | None = None
    source: str | None = None  # "upload", "url" or "file_id"
    reply_to: "Message | None" = None
    reply_keyboard: dict[str, Any] | None = None
    deleted: bool = False
    edited_at: float | None = None
    answer_lost: bool = False  # the message was sent, but the sender received no response
    is_silent: bool = False  # whether disable_notification was set
    reactions: list[str] = field(default_factory=list)

    def view(self, bot: Bot, *, nested: bool = False) -> dict[str, Any]:
        """Return the Bot API's object Message that `bot` receives."""
        if self.media is None and self.reply_to is None:
            return self.fields
        view = dict(self.fields)
        if self.media is not None:
            view |= self.media.view(bot)
        if self.reply_to is not None and not nested and not self.reply_to.deleted:
            view["reply_to_message"] = self.reply_to.view(bot, nested=True)
        return view

    def control_view(self, bot: Bot) -> dict[str, Any]:
        """Return the object Message for the control API, with details on the delivery."""
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
        if self.is_silent:
            view["_silent"] = True
        if self.deleted:
            view["_deleted"] = True
        if self.reactions:
            view["_reactions"] = self.reactions
        if self.reply_keyboard is not None:
            view["_reply_keyboard"] = self.reply_keyboard
        return view

    @property
    def thread(self) -> int:
        """Return the id of the message's forum topic or comment thread, or 0 without either."""
        thread: int = self.fields.get("message_thread_id", 0)
        return thread

    @property
    def thread_of_replies(self) -> int:
        """Return the id of the thread that a reply to this message belongs to.

        In a supergroup without topics, any message can start a thread.
        """
        begins = self.chat.type == "supergroup" and not self.chat.is_forum
        return self.thread or (self.id if begins else 0)
