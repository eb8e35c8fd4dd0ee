"""The one tree of errors, each with the sentence that a person gets.

BotError
├── StoriesError                what the Stories API answered
│   ├── NoSuchProfileError      no such account
│   ├── ProfilePrivateError     the account shows its stories to followers only
│   ├── StoryGoneError          over 24 h old, or deleted
│   ├── BlockedProfileError     the owner does not want it shown
│   ├── NoStoriesError          the account has none now
│   ├── ApiUnavailableError     down, slow or nonsense; try later
│   │   └── ProfileUnavailableError  one account can't be had now; nothing is known of it
│   ├── ApiRefusedError         our request was wrong (a bug of ours)
│   └── OutOfServiceError       no funds or a bad key: the owner must act
├── MediaError                  one photo or video
│   ├── MediaGoneError          its address has expired or was removed
│   ├── MediaTooBigError        over what Telegram takes
│   ├── MediaRefusedError       not a photo or video, or from a host that is not allowed
│   └── MediaUnavailableError   the server of the media is slow or broken; try later
├── SpendingError               money
│   ├── AllowanceSpentError     the chat's credits of the day are used up
│   ├── PersonSpentError        the person's credits of the day are used up
│   ├── PastedLimitError        the bytes of the day that pasted addresses may load
│   ├── BudgetSpentError        the bot's credits of the day are used up
│   └── SpendingStoppedError    the owner's stop switch, or the balance is low
├── SubscriptionError           what a chat may follow
│   ├── NotFollowedError        the chat does not follow this profile
│   ├── TooManyFollowedError    the chat follows as many as it may
│   ├── TooManyNewError         the chat began to follow too many today
│   └── NoRoomError             the budget is too small for one more profile
├── RightsError                 who may do what, where
│   ├── NotAdminError           the person does not administer the group
│   ├── NotChannelAdminError    nor the channel, or may not post there
│   ├── UnknownChannelError     the named channel is unknown, or not run by the person
│   ├── AdminsUnknownError      Telegram does not tell us who administers the chat
│   ├── AskAgainError           Telegram does not answer at all
│   ├── BlockedError            the owner blocks the chat
│   ├── OwnerBlockError         an owner of the bot can't be blocked
│   └── NowhereError            the button's message is in no chat that we know
├── DatabaseUnavailableError    our database can't work now: gone, locked, its disk full
├── BackupError                 a copy of the database can't be made, or put back
├── TryAgainError               an update of which nothing is done yet goes back to the inbox
└── SettingsError               the owner's settings, in sentences, without the values
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar

from bot.domain.sentences import N_

INCIDENT = N_(
    "Something went wrong on my side. Please try again in a moment. If it keeps "
    "happening, send this code to the bot's owner: <code>{incident}</code>"
)


class BotError(Exception):
    """A failure with a sentence for the person who asked.

    ``text`` is a message id of the catalogues, ``fields`` fill its placeholders. The cause is
    chained (``raise … from``).
    """

    text: ClassVar[str] = N_("Something went wrong on my side. Please try again in a moment.")
    nameless: ClassVar[str] = ""  # in its place where no username is known

    def __init__(self, reason: str = "", **fields: object) -> None:
        """Keep ``reason`` for the log and ``fields`` for the sentence."""
        super().__init__(reason or type(self).__name__)
        self.fields = fields

    @property
    def sentence(self) -> str:
        """Return the message id of what to say, with a name only where one is known."""
        return self.text if self.fields.get("username") or not self.nameless else self.nameless


class StoriesError(BotError):
    """The Stories API did not give what was asked.

    ``credits`` is what the failed call was billed; ``None`` when nobody can know (a time-out),
    which counts as spent.
    """

    def __init__(self, reason: str = "", *, credits: int | None = 0, **fields: object) -> None:  # noqa: A002 - the project's word for a billed request
        """Keep what the failure cost."""
        super().__init__(reason, **fields)
        self.credits = credits

    def name_account(self, username: str) -> None:
        """Say whose account it is about, where the answer did not."""
        if username and not self.fields.get("username"):
            self.fields["username"] = username


@contextmanager
def naming_account(username: str) -> Iterator[None]:
    """Let what the Stories API fails with inside say whose account it is about."""
    try:
        yield
    except StoriesError as error:
        error.name_account(username)
        raise


class NoSuchProfileError(StoriesError):
    """There is no such account."""

    text = N_("I can't find <b>{username}</b> on Instagram. Please check the spelling.")
    nameless = N_("I can't find this account on Instagram.")


class ProfilePrivateError(StoriesError):
    """The account is private."""

    text = N_("<b>{username}</b> is a private account, so its stories can't be shown.")
    nameless = N_("This is a private account, so its stories can't be shown.")


class StoryGoneError(StoriesError):
    """The story is over 24 hours old or was deleted."""

    text = N_("This story is gone. Stories disappear after 24 hours, or sooner if deleted.")


class BlockedProfileError(StoriesError):
    """The profile is on the owner's block-list; the sentence tells no more."""

    text = N_("<b>{username}</b> isn't available in this bot.")


class NoStoriesError(StoriesError):
    """The account has no story now."""

    text = N_("<b>{username}</b> has no stories right now.")
    nameless = N_("There are no stories right now.")


class HighlightGoneError(StoriesError):
    """There is no such highlight (any more), or it is of an account that is not shown."""

    text = N_("This highlight isn't available. It may have been deleted.")


class NoHighlightsError(StoriesError):
    """The account keeps no highlights."""

    text = N_("<b>{username}</b> has no highlights.")


class HighlightsUnavailableError(StoriesError):
    """The key's plan has no highlights."""

    text = N_("Highlights aren't available in this bot.")


class ApiUnavailableError(StoriesError):
    """The Stories API is down, slow or answered nonsense."""

    text = N_("I can't get stories right now. Please try again in a few minutes.")


class ProfileUnavailableError(ApiUnavailableError):
    """Instagram does not show this account at the moment; that says nothing of its privacy."""

    text = N_("I can't see <b>{username}</b> right now. Please try again in a few minutes.")
    nameless = N_("I can't see this account right now. Please try again in a few minutes.")


class ApiRefusedError(StoriesError):
    """The Stories API took our request for wrong."""

    text = N_("I couldn't open this link. Please check it and try again.")


class OutOfServiceError(StoriesError):
    """The key or the balance needs the owner (401, 402)."""

    text = N_(
        "I can't get stories right now. The bot's owner has been told; please try again later."
    )


class MediaError(BotError):
    """One photo or video could not be had.

    ``credits`` is what a paid download was billed all the same; None when nobody knows or asked.
    """

    credits: int | None = None


class MediaGoneError(MediaError):
    """The address has expired or the file was removed (403, 404, 410)."""

    text = N_("This photo or video is no longer available.")


class MediaTooBigError(MediaError):
    """The file is larger than Telegram takes."""

    text = N_(
        'This video is too big for Telegram. You can <a href="{url}">open it in the browser</a>.'
    )


class MediaRefusedError(MediaError):
    """The bytes are no photo or video, or the host is not allowed."""

    text = N_("I can't send this file: it isn't a photo or video.")


class MediaUnavailableError(MediaError):
    """The server of the media is slow or broken, or our spool is full; trying later may help."""

    text = N_("This photo or video can't be loaded at the moment. Please try again later.")


class SpendingError(BotError):
    """The answer would cost credits that may not be spent; ``until`` tells when it works again."""

    def __init__(
        self, reason: str = "", *, until: datetime | None = None, **fields: object
    ) -> None:
        """Keep when asking makes sense again."""
        super().__init__(reason, until=until, **fields)
        self.until = until


class AllowanceSpentError(SpendingError):
    """The chat has used its credits of the day."""

    text = N_("This chat has reached its limit for today. Please try again after {until}.")


class PersonSpentError(SpendingError):
    """The person has used their credits of the day, over all chats."""

    text = N_("You've reached your limit for today. Please try again after {until}.")


class NewcomersSpentError(SpendingError):
    """All who are new here have together used what is set aside for newcomers."""

    text = N_("I've reached today's limit for new users. Please try again after {until}.")


class PastedLimitError(SpendingError):
    """A person has pasted addresses of files by which too much was loaded today; no credits."""

    text = N_("That was a lot of links to files today. Please send more of them tomorrow.")


class BudgetSpentError(SpendingError):
    """The bot has used its credits of the day."""

    text = N_("I've reached my limit for today. Please try again after {until}.")


class SpendingStoppedError(SpendingError):
    """The stop switch is on, or the balance is below the minimum."""

    text = N_("Stories are paused for now. Requests and alerts will work again later.")


class SubscriptionError(BotError):
    """A subscription can't be made or changed; subclasses and callers give the sentence."""


class NotFollowedError(SubscriptionError):
    """There is no such subscription."""

    text = N_("This chat isn't subscribed to <b>{username}</b>.")
    nameless = N_("This chat no longer has this subscription.")


class NoTopicsError(SubscriptionError):
    """A profile can't have a topic of its own here; subclasses say why."""


class NoGroupTopicsError(NoTopicsError):
    """The group is no forum."""

    text = N_(
        "This group has no topics. An admin can turn them on in the group's settings. Without "
        "<code>topic</code>, alerts go to the group itself."
    )


class NoPrivateTopicsError(NoTopicsError):
    """The bot has no topics in private chats."""

    text = N_(
        "Topics are turned off in private chats with me. The bot's owner can turn them on in "
        "@BotFather. Without <code>topic</code>, alerts go to this chat."
    )


class NoChannelTopicsError(NoTopicsError):
    """Channels have no topics."""

    text = N_(
        "Channels don't have topics. Without <code>topic</code>, alerts go to the channel itself."
    )


class TopicRightError(NoTopicsError):
    """The bot may not make topics in the group."""

    text = N_(
        "To make a topic, I need to be an admin who can manage topics. Please give me that right "
        "and try again."
    )


class NothingKeptError(SubscriptionError):
    """The chat has nothing of a profile that could be shown again."""

    text = N_(
        "I haven't kept any stories from <b>{username}</b> for this chat. Stories are kept for "
        "90 days once <b>[[Keep for /past]]</b> is on in the subscription's options."
    )


class NothingOfThenError(SubscriptionError):
    """The chat has something of a profile, and nothing of the time that was asked for."""

    text = N_(
        "I have nothing from <b>{username}</b> for that time. <code>/past {username}</code> shows "
        "everything I've kept."
    )


class TooManyFollowedError(SubscriptionError):
    """The chat has as many subscriptions as it may."""

    text = N_(
        "This chat has reached its limit of subscriptions ({most}). Unsubscribe from one first."
    )


class TooManyNewError(SubscriptionError):
    """The chat began to follow as many profiles today as it may."""

    text = N_(
        "This chat has reached today's limit of new subscriptions ({most}). Please add "
        "more tomorrow."
    )


class TooManyFastError(SubscriptionError):
    """The chat has as many fast subscriptions as it may."""

    text = N_(
        "You've reached the limit of profiles checked more often ({most}). Turn that option off "
        "for one of them first."
    )


class NoRoomError(SubscriptionError):
    """One more profile would make the checks too rare to see every story."""

    text = N_("I can't take on any more profiles right now. Please try again another day.")


class NewcomersNoRoomError(SubscriptionError):
    """Newcomers already follow as many profiles as their part of the budget can check."""

    text = N_(
        "I can't add more subscriptions for new users right now. Please try again once "
        "you've used me on three different days."
    )


class UnknownCommandError(BotError):
    """There is no such command, or none for this person."""

    text = N_("I don't know the command {command}. /help shows what I can do.")


class RightsError(BotError):
    """Somebody may not do this here; who pressed a button is told by a pop-up, never a post."""

    text = N_("You can't do that here.")


class NotAdminError(RightsError):
    """Somebody without the right pressed a button or wrote a command in a group."""

    text = N_("Only admins of this group can change that.")


class NotChannelAdminError(RightsError):
    """Somebody who may not post in a channel pressed a button of it."""

    text = N_("Only admins who can post in this channel can do that.")


class UnknownChannelError(RightsError):
    """A command names a channel or group that the bot does not know, or the person does not run.

    ``usage`` is the message id of the command's usage, which follows the sentence.
    """

    text = N_("I don't know {name}. Is it spelled right, and am I an admin there?")

    def __init__(self, reason: str = "", *, name: str, usage: str = "") -> None:
        """Keep the name as it was written."""
        super().__init__(reason, name=name)
        self.usage = usage


class AdminsUnknownError(RightsError):
    """Telegram tells us neither this person's standing nor who the administrators are."""

    text = N_(
        "I can't see who the admins of this chat are. Please make me an admin here, then "
        "try again."
    )


class AskAgainError(RightsError):
    """Telegram did not answer when it was asked about a chat."""

    text = N_("Telegram isn't answering right now. Please try again in a moment.")


class OwnerBlockError(RightsError):
    """Somebody who runs the bot was to be blocked."""

    text = N_("That person is one of the bot's owners, so I can't block them.")


class BlockedError(RightsError):
    """The list of who may use the bot blocks the chat."""

    text = N_("Sorry, the bot's owner has blocked you.")


class NowhereError(RightsError):
    """A button whose message is in no chat of ours (sent by way of another bot)."""

    text = N_("I can't tell which chat this is.")


class DatabaseUnavailableError(BotError):
    """The database can't work now: it is gone or locked, or its disk is full; ``str`` says which.

    Nothing of the transaction holds, unless it was lost in the middle of its commit.
    """

    is_outage: ClassVar[bool] = True
    text = N_("I'm having trouble on my side. Please try again in a few minutes.")


class BackupError(BotError):
    """A copy of the database can't be made, or put back; the reason is a sentence."""


class TryAgainError(BotError):
    """Nothing was done for an update yet, and can't be now; it goes back to the inbox."""


class TakenOverError(BotError):
    """Another replica has an update by now: what was done for it here must not hold."""


class SettingsError(BotError):
    """The owner's settings are wrong; ``sentences`` say how, without the values."""

    def __init__(self, sentences: list[str]) -> None:
        """Keep one sentence a problem."""
        super().__init__("; ".join(sentences))
        self.sentences = sentences
