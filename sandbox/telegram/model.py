"""Chats, with members, rights and topics; and messages, as they are kept and shown to one bot."""

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
ICON_COLOR = 0x6FB9F0  # of a topic, where nobody chose one


@dataclass(slots=True)
class Member:
    """Somebody's standing in a chat; `rights` overrides what the status gives."""

    status: str
    rights: dict[str, bool] = field(default_factory=dict)
    is_anonymous: bool = False
    custom_title: str | None = None

    @property
    def present(self) -> bool:
        """Whether they are in the chat."""
        if self.status == "restricted":
            return self.rights.get("is_member", True)
        return self.status in IN_CHAT


@dataclass(slots=True)
class Topic:
    """A forum topic; its id is the id of the message that made it."""

    id: int
    name: str
    state: str = "open"
    icon_color: int = ICON_COLOR
    made_by: int = 0  # a user's id


@dataclass(slots=True)
class Chat:
    """One chat, with its messages in order."""

    id: int
    type: str  # private, group, supergroup, channel
    title: str = ""
    person: Person | None = None
    bot: Bot | None = None  # whose private chat it is
    username: str | None = None
    is_forum: bool = False
    is_direct_messages: bool = False  # of a channel: a topic for each person who writes
    started: bool = False  # private: the person has written
    deleted: bool = False
    migrated_to: int | None = None
    migrated_from: int | None = None
    slow_mode_delay: int = 0
    linked_chat_id: int | None = None  # channel: its discussion group; group: its channel
    has_hidden_members: bool = False
    deletes_posts: bool = False  # a bot of the chat's removes at once what we post
    last_bot: int | None = None  # the bot that has written last
    permissions: dict[str, bool] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, "Message"] = field(default_factory=dict)
    last_message_id: int = 0
    last_sent_at: dict[int, float] = field(default_factory=dict)  # slow mode, by user
    _brief: dict[str, Any] | None = None

    @property
    def kind(self) -> str:
        """The word of the refusals: group, supergroup, channel."""
        return self.type

    def brief(self) -> dict[str, Any]:
        """The Bot API's Chat."""
        if self._brief is None:
            self._brief = self._built()
        return self._brief

    def changed(self) -> None:
        """Forget the Chat made before."""
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

    def next_id(self) -> int:
        """The id of the next message; private chats count in their bot."""
        if self.bot is not None:
            self.bot.last_message_id += 1
            return self.bot.last_message_id
        self.last_message_id += 1
        return self.last_message_id

    def member(self, user_id: int) -> Member:
        """Somebody's standing; who never was here has left."""
        return self.members.get(user_id) or Member("left")

    def is_owner(self, user_id: int) -> bool:
        """Creator or administrator."""
        return self.member(user_id).status in {"creator", "administrator"}

    def may(self, user_id: int, right: str) -> bool:
        """Whether somebody has a right here."""
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
        """Whether there are topics; in a private chat its bot's owner decides."""
        return self.is_forum if self.bot is None else self.bot.has_topics

    def may_manage_topics(self, user_id: int) -> bool:
        """Whether somebody may change all topics; closed ones are open to them."""
        member = self.member(user_id)
        named = member.rights.get("can_manage_topics", False)
        return member.status == "creator" or (member.status == "administrator" and named)

    def may_create_topics(self, user_id: int) -> bool:
        """Whether somebody may make a topic: a right of administrators, or of all members."""
        if self.type == "private" or self.may_manage_topics(user_id):
            return True
        member = self.member(user_id)
        is_plain = member.status == "member"
        named = self.permissions if is_plain else member.rights
        return (is_plain or member.status == "restricted") and named.get(
            "can_manage_topics", False
        )

    def is_open_to(self, user_id: int, topic: Topic) -> bool:
        """Whether somebody may write in a topic, which may be closed."""
        is_closed = topic.state == "closed" and self.type != "private"
        return not is_closed or topic.made_by == user_id or self.may_manage_topics(user_id)

    def admin_rights(self, member: Member) -> dict[str, bool]:
        """What ChatMemberAdministrator tells of an administrator's rights."""
        extra = _CHANNEL_RIGHTS if self.type == "channel" else _GROUP_RIGHTS
        names = ADMIN_RIGHTS + extra
        return {name: member.rights.get(name, name != "can_manage_topics") for name in names}

    def member_view(self, user: dict[str, Any]) -> dict[str, Any]:
        """The Bot API's ChatMember of a user."""
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
    """`fields` is the Bot API's Message without its media, whose file_ids differ by bot."""

    chat: Chat
    id: int
    fields: dict[str, Any]
    sent_at: float
    bot: Bot | None = None  # the bot that sent it
    media: Media | None = None
    source: str | None = None  # upload, url, file_id
    reply_to: "Message | None" = None
    reply_keyboard: dict[str, Any] | None = None
    deleted: bool = False
    edited_at: float | None = None
    answer_lost: bool = False  # it is here, and whoever sent it was not told
    is_silent: bool = False  # it was sent with disable_notification
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
        """The forum topic it stands in, or the thread of a comment; 0 for none."""
        thread: int = self.fields.get("message_thread_id", 0)
        return thread

    @property
    def thread_of_replies(self) -> int:
        """The thread of what replies to it: in supergroups without topics one begins anywhere."""
        begins = self.chat.type == "supergroup" and not self.chat.is_forum
        return self.thread or (self.id if begins else 0)
