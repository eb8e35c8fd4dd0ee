"""The tree of errors. Each error has the message that a person gets.

An error usually has a class of its own only if code catches this class, or if the class is the
base of classes that code catches. Most other errors differ only by their ``text``.

BotError
├── StoriesError                the answer of the Stories API
│   ├── NoSuchProfileError      the account does not exist
│   ├── ProfilePrivateError     the account shows stories to followers only
│   ├── StoryGoneError          the story is over 24 h old, or deleted
│   ├── HighlightGoneError      the highlight is deleted
│   ├── NoStoriesError          the account has no story now
│   ├── HighlightsUnavailableError  the plan of the API key has no highlights
│   ├── ApiUnavailableError     the API can't be called now, or its answer is unreadable
│   │   └── ProfileUnavailableError  one account is not available now
│   ├── ApiRefusedError         the request was wrong (a fault of the bot)
│   └── OutOfServiceError       no credits are left, or the API refuses the key
├── MediaError                  a photo or video cannot be loaded
│   ├── MediaDeniedError        the server of the file refuses the bot
│   ├── MediaTooBigError        the file exceeds Telegram's limit
│   └── MediaUnavailableError   the file can't be loaded or stored now
│       └── SlowHostError       the server became slow a moment ago, and alerts wait
├── SpendingError               a limit of credits or megabytes
│   ├── SpendingStoppedError    the owner has stopped spending, or the balance is too low
│   ├── NoPayerError            the chat has no payer
│   └── PastedLimitError        the person's daily megabytes for pasted URLs are used up
├── SubscriptionError           a subscription cannot be made or changed
│   ├── NotFollowedError        the chat does not follow the profile
│   ├── NothingKeptError        the chat has no stored story of the profile
│   └── TooManyFastError        the limit of profiles that are checked more often is reached
├── RightsError                 the person lacks a right
│   ├── NotAdminError           the person does not administer the chat
│   ├── UnknownChannelError     the named channel is unknown, or no admin right is confirmed
│   ├── AdminsUnknownError      Telegram does not show the administrators of the chat
│   ├── AskAgainError           Telegram does not answer
│   └── BlockedError            the owner has blocked the chat, the person or the payer
├── DatabaseUnavailableError    the database is unavailable or locked, or the disk is full
├── BackupError                 a backup cannot be made or restored
├── TryAgainError               the update goes back to the inbox for a retry
├── TakenOverError              another replica handles the update
└── SettingsError               the owner's settings are wrong
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar

from bot.domain.sentences import N_, NN_

INCIDENT = N_(
    "Something went wrong on my side. Please try again in a moment. If it keeps "
    "happening, send this code to the bot's owner: <code>{incident}</code>"
)

# These messages belong to errors that have no class of their own. To report such an error, raise
# an error of a general class with the message as ``text``.
CHAT_LIMIT_REACHED = N_(
    "This chat has reached its limit for today. Please try again after {until}."
)
NEWCOMER_LIMIT_REACHED = N_(
    "I've reached today's limit for new users. Please try again after {until}."
)
PERSON_LIMIT_REACHED = N_("You've reached your limit for today. Please try again after {until}.")
BUDGET_SPENT = N_("I've reached my limit for today. Please try again after {until}.")
PROFILE_BLOCKED = N_("<b>{username}</b> isn't available in this bot.")
NO_HIGHLIGHTS = N_("<b>{username}</b> has no highlights.")
NO_GROUP_TOPICS = N_(
    "This group has no topics. An admin can turn them on in the group's settings. Without "
    "<code>topic</code>, alerts go to the group itself."
)
NO_PRIVATE_TOPICS = N_(
    "Topics are turned off in private chats with me. The bot's owner can turn them on in "
    "@BotFather. Without <code>topic</code>, alerts go to this chat."
)
NO_CHANNEL_TOPICS = N_(
    "Channels don't have topics. Without <code>topic</code>, alerts go to the channel itself."
)
TOPIC_RIGHT_MISSING = N_(
    "To make a topic, I need to be an admin who can manage topics. Please give me that right "
    "and try again."
)
NOTHING_KEPT_OF_THAT_TIME = N_(
    "I have nothing from <b>{username}</b> for that time. <code>/past {username}</code> shows "
    "everything I've kept."
)
NOTHING_FOUND = N_("I haven't kept any stories with <code>{terms}</code> for this chat.")
TOO_MANY_FOLLOWED = N_(
    "This chat has reached its subscription limit ({most}). Unsubscribe from one first."
)
TOO_MANY_NEW = N_(
    "This chat has reached today's limit for new subscriptions ({most}). Please add more tomorrow."
)
TOO_MANY_OF_PAYER = N_(
    "All chats of the person responsible for this chat have reached their "
    "subscription limit together ({most}). Unsubscribe from one in any of them "
    "first; that person can see which chats these are with /usage in a private "
    "chat with me."
)
TOO_MANY_NEW_OF_PAYER = N_(
    "All chats of the person responsible for this chat have reached today's limit for new "
    "subscriptions together ({most}). Please add more tomorrow."
)
TOO_MANY_OF_NEWCOMER = N_(
    "While someone is new here, all chats they're responsible for share one "
    "subscription limit ({most}). Add more once they've used the bot on three "
    "different days."
)
TOO_MANY_FAST_OF_PAYER = N_(
    "Together, all chats of the person responsible for this chat have reached the "
    "limit for profiles checked more often ({most}). Turn that option off for one "
    "of them first."
)
PAYER_SPENT = N_(
    "Anonymous requests here count toward the limit of the person responsible for "
    "this chat, who has reached it for today. Ask in your own name, or try again "
    "after {until}."
)
CHANNELS_LIMIT_REACHED = N_(
    "Messages sent as a channel have reached this group's limit for today. Ask in "
    "your own name, or try again after {until}."
)
NO_ACCESS_TO_PAY = N_(
    "Only someone whom the bot's owner has given access can be responsible for a chat. Ask the "
    "owner for an invitation."
)
CAPACITY_REACHED = N_(
    "The bot is full: its budget can't cover any more profiles. Its owner can raise the budget."
)
NEWCOMER_CAPACITY_REACHED = N_(
    "I can't add more subscriptions for new users right now. Please try "
    "again once you've used the bot on three different days."
)
UNKNOWN_COMMAND = N_("I don't know the command {command}. /help shows what I can do.")
ONLY_GROUP_ADMINS = N_("Only admins of this group can change that.")
ONLY_CHANNEL_ADMINS = N_("Only admins who can post in this channel can do that.")
DISAPPEARED = N_("These stories have disappeared from Instagram: they only last 24 hours.")
CHAT_SILENCED = N_("This chat stays silent, because the person responsible for it is blocked.")
OWNER_NOT_BLOCKABLE = N_("That person is one of the bot's owners, so I can't block them.")
OWNER_IN_SETTINGS = N_(
    "{who} is in ADMIN_IDS in the bot's settings. Remove the ID there and restart the bot."
)
PROFILE_IN_SETTINGS = N_(
    "{who} is in BLOCKED_PROFILES in the bot's settings. Remove the name "
    "there and restart the bot."
)
NOT_AN_OWNER = N_("{who} isn't one of the bot's owners.")
ONLY_IN_PRIVATE = N_("Please send me {command} in our private chat.")
CHAT_UNKNOWN = N_(
    "I can't tell which chat this button belongs to. Please send me the command instead."
)
MEDIA_GONE = N_("This photo or video is no longer available.")
MEDIA_REFUSED = N_("I can't send this file: it isn't a photo or video.")


class BotError(Exception):
    """A failure with a message for the person who sent the request.

    ``text`` is the id of the message in the catalogues, and ``fields`` are the values of its
    placeholders.
    """

    text: str = N_("Something went wrong on my side. Please try again in a moment.")
    nameless: str = ""  # the id of the message that replaces ``text`` if no username is known

    def __init__(self, reason: str = "", *, text: str = "", **fields: object) -> None:
        """Store ``reason`` for the log, and ``text`` and ``fields`` for the message."""
        super().__init__(reason or text or type(self).__name__)
        self.text = text or self.text
        self.fields = fields

    @property
    def msgid(self) -> str:
        """Return the id of the message for the person: ``text`` or ``nameless``.

        If the error has no username and ``nameless`` is not empty, return ``nameless``. Otherwise
        return ``text``.
        """
        if self.nameless and not self.fields.get("username"):
            return self.nameless
        return self.text


class StoriesError(BotError):
    """The Stories API did not return the requested data, or the profile is blocked.

    ``credits`` is the number of billed credits of the failed call, or None if the bill is unknown.
    """

    def __init__(
        self,
        reason: str = "",
        *,
        text: str = "",
        credits: int | None = 0,  # noqa: A002 - the project's word for a billed request
        **fields: object,
    ) -> None:
        """Store the billed credits of the failed call, in addition to the data of ``BotError``."""
        super().__init__(reason, text=text, **fields)
        self.credits = credits

    def set_missing_username(self, username: str) -> None:
        """Set the username that the text of the error names.

        If the error already has a username, the username is not changed.
        """
        if username and not self.fields.get("username"):
            self.fields["username"] = username


@contextmanager
def name_account_in_errors(username: str) -> Iterator[None]:
    """Set the username in a ``StoriesError`` that leaves the ``with`` block.

    An error that already has a username is not changed. The error is raised again.
    """
    try:
        yield
    except StoriesError as error:
        error.set_missing_username(username)
        raise


class NoSuchProfileError(StoriesError):
    """The account does not exist."""

    text = NN_(
        "I can't find <b>{username}</b> on Instagram. Please check the spelling.",
        "I can't find <b>{username}</b> on Instagram. Please check the spelling.",
    )
    nameless = N_("I can't find this account on Instagram. It may have been renamed or deleted.")


class ProfilePrivateError(StoriesError):
    """The account is private."""

    text = N_("<b>{username}</b> is a private account, so its stories can't be shown.")
    nameless = N_("This is a private account, so its stories can't be shown.")


class StoryGoneError(StoriesError):
    """The story is over 24 hours old or was deleted."""

    text = N_("This story is gone. Stories disappear after 24 hours, or sooner if deleted.")


class NoStoriesError(StoriesError):
    """The account has no story now."""

    text = N_("<b>{username}</b> has no stories right now.")
    nameless = N_("There are no stories right now.")


class HighlightGoneError(StoriesError):
    """The highlight does not exist or has no stories.

    The error is also raised for a highlight of a blocked account whose name is unknown.
    """

    text = N_("This highlight isn't available. It may have been deleted.")


class HighlightsUnavailableError(StoriesError):
    """The plan of the API key does not include highlights."""

    text = N_(
        "Highlights aren't available in this bot. /stories shows a profile's current stories."
    )


class ApiUnavailableError(StoriesError):
    """The Stories API is down or slow, can't be called now, or returned an unreadable answer.

    A retry may succeed.
    """

    text = N_("I can't get stories right now. Please try again in a few minutes.")
    may_be_account: bool = False
    """Whether the cause of the failure can be the requested account.

    For example, an answer with the status 500 can be caused by a single account.
    """


class ProfileUnavailableError(ApiUnavailableError):
    """The account is not available now. A retry may succeed.

    For example, the Stories API refused the account for an unknown reason.
    """

    may_be_account = True
    text = NN_(
        "I can't see <b>{username}</b> right now. Please try again in a few minutes.",
        "I can't see <b>{username}</b> right now. Please try again in a few minutes.",
    )
    nameless = N_("I can't see this account right now. Please try again in a few minutes.")


class ApiRefusedError(StoriesError):
    """The Stories API refused the bot's request as invalid."""

    text = N_("I couldn't open this link. Please check it and try again.")


class OutOfServiceError(StoriesError):
    """The Stories API refuses paid calls.

    The key is invalid (status 401), or no credits are left (status 402 or ``InsufficientFunds``).
    The bot's owner must act. Later paid calls raise this error without a request to the API, until
    ``fetch_balance_and_resume`` returns a positive balance.
    """

    text = N_(
        "I can't get stories right now. The bot's owner has been told; please try again later."
    )


class MediaError(BotError):
    """A photo or video could not be loaded.

    ``credits`` is the number of billed credits of a paid download. ``credits`` is None if the
    download was no paid call, or if the bill is unknown.
    """

    credits: int | None = None


class MediaDeniedError(MediaError):
    """The media server answers with the status 403.

    The server refuses the URL's signature, or refuses the bot.
    """

    text = MEDIA_GONE


class MediaTooBigError(MediaError):
    """The file is larger than Telegram's limit."""

    text = N_(
        'This video is too big for Telegram. You can <a href="{url}">open it in the browser</a>.'
    )


class MediaUnavailableError(MediaError):
    """The file can't be loaded now. A retry may succeed.

    For example, the media server is slow or broken. ``is_of_spool`` is True if the bot's spool is
    full, or can't be written. In that case, another source of the file would not help.
    """

    is_of_spool: bool = False
    text = N_("This photo or video can't be loaded at the moment. Please try again later.")


class SlowHostError(MediaUnavailableError):
    """The media host became slow less than two minutes ago. Alerts with its files must wait."""


class SpendingError(BotError):
    """A request would cost credits or megabytes that must not be spent.

    ``until`` is the time from which a retry can succeed, or None. ``is_own`` is True if the daily
    limit of credits of the person who sent the request is used up.
    """

    def __init__(
        self,
        reason: str = "",
        *,
        text: str = "",
        until: datetime | None = None,
        is_own: bool = False,
        **fields: object,
    ) -> None:
        """Store ``until`` and ``is_own``, in addition to the data of ``BotError``."""
        super().__init__(reason, text=text, until=until, **fields)
        self.until = until
        self.is_own = is_own


class SpendingStoppedError(SpendingError):
    """The owner has stopped spending, or the balance is too low."""

    text = N_(
        "Stories are paused for now. Alerts will resume on their own; please try "
        "anything else later."
    )


class NoPayerError(SpendingError):
    """The chat has no payer.

    Without a payer, the bot refuses anonymous requests for stories in the chat. The bot also
    refuses a new subscription if the person is not allowed to become the payer.
    """

    text = N_(
        "Nobody is responsible for this chat yet, so I can't answer anonymous "
        "requests here or add subscriptions. An admin can become responsible: "
        "the subscriptions and the anonymous requests here then count toward "
        "that admin's own limits."
    )


class PastedLimitError(SpendingError):
    """The person has reached the daily limit of megabytes from pasted file URLs."""

    text = N_(
        "That was a lot of direct links to photos and videos today. Please send more tomorrow."
    )


class SubscriptionError(BotError):
    """A subscription can't be made or changed. The subclass or the caller sets the message."""


class NotFollowedError(SubscriptionError):
    """The chat has no subscription to the profile."""

    text = N_("This chat isn't subscribed to <b>{username}</b>.")
    nameless = N_("This chat no longer has this subscription. /subscriptions shows what it has.")


class NothingKeptError(SubscriptionError):
    """The chat has no stored stories of a profile.

    If the error has no ``username``, the chat has no stored stories of any profile. The error is
    also raised if the profile is blocked.
    """

    text = N_(
        "I haven't kept any stories from <b>{username}</b> for this chat. Stories are kept for "
        "90 days once <b>[[Keep for /past]]</b> is on in the subscription's options."
    )
    nameless = N_(
        "I haven't kept any stories for this chat. With <b>[[Keep for /past]]</b> I keep what I "
        "send here from then on, for 90 days."
    )


class TooManyFastError(SubscriptionError):
    """The limit of fast subscriptions of the chat, or of all chats of its payer, is reached."""

    text = N_(
        "You've reached the limit for profiles checked more often ({most}). Turn that option off "
        "for one of them first."
    )


class RightsError(BotError):
    """A person lacks a right.

    If the person pressed a button, the message is shown as a pop-up if possible.
    """


class NotAdminError(RightsError):
    """The person is not allowed to manage the chat, or the chat is unknown.

    A different chat can be managed only in a private chat. ``text`` names the missing right.
    """

    text = ONLY_GROUP_ADMINS


class UnknownChannelError(RightsError):
    """The channel or group is unknown, or the person is not known to administer the chat.

    ``usage`` is the id of the message about the usage of the command. The message follows the
    error's message.
    """

    text = N_("I don't know {name}. Is it spelled right, and am I an admin there?")

    def __init__(
        self, reason: str = "", *, text: str = "", usage: str = "", **fields: object
    ) -> None:
        """Store ``usage`` and ``fields``.

        The field ``name`` is the word of the command that names the channel or group.
        """
        super().__init__(reason, text=text, **fields)
        self.usage = usage


class AdminsUnknownError(RightsError):
    """Telegram reports neither the person's rights nor the administrators of the chat."""

    text = N_(
        "I can't see who the admins of this chat are. Please make me an admin here, then "
        "try again."
    )


class AskAgainError(RightsError):
    """The person must repeat the request soon.

    For example, a call to Telegram failed, or another task is just creating the topic.
    """

    text = N_("Telegram isn't answering right now. Please try again in a moment.")


class BlockedError(RightsError):
    """The access list blocks the request.

    The chat, the person who sent the request, or the person responsible for the chat is blocked.
    """

    text = N_("Sorry, the bot's owner has blocked you.")


class DatabaseUnavailableError(BotError):
    """The database is unavailable or locked, or the disk is full.

    ``str`` of the error names the cause. The transaction had no effect. If the connection was lost
    during the commit, the effect is unknown.
    """

    is_outage: ClassVar[bool] = True
    """Whether logs contain only the text of the error, without a traceback."""
    text = N_("I'm having trouble on my side. Please try again in a few minutes.")


class BackupError(BotError):
    """A backup can't be made or restored, or a database can't be moved.

    The reason of the error is a clause without a full stop, so that it can be a part of a
    sentence.
    """


class TryAgainError(BotError):
    """An update can't be handled now, and has had no effect yet.

    The update goes back to the inbox for a retry.
    """


class TakenOverError(BotError):
    """A different replica has claimed the update.

    This replica must undo the changes that it has made for the update.
    """


class SettingsError(BotError):
    """The owner's settings are wrong.

    ``sentences`` describe the problems. They do not contain the values of the settings, because
    these can be secret.
    """

    def __init__(self, sentences: list[str]) -> None:
        """Store ``sentences``, which has a sentence for each problem."""
        super().__init__("; ".join(sentences))
        self.sentences = sentences
