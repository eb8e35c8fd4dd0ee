"""Decorators that register handlers and check the rights of the sender.

``@command``, ``@on_press`` and ``@on_message`` make a handler with a row in the table of rights.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import Any

from telegram import CallbackQuery, Chat, Update
from telegram.ext import (
    BaseHandler,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from bot.context import Context
from bot.domain.command_words import ends_with_list
from bot.domain.errors import (
    CHAT_UNKNOWN,
    ONLY_GROUP_ADMINS,
    ONLY_IN_PRIVATE,
    UNKNOWN_COMMAND,
    BotError,
    NotAdminError,
    RightsError,
)
from bot.domain.everyday_words import is_everyday_word
from bot.domain.foreign_text import typed_words
from bot.domain.sentences import N_
from bot.presentation.actions import Kind, split_off_chat_id
from bot.presentation.html import code
from handlers.commands import publish_chat_menu
from handlers.managed_chats import (
    fetch_if_sender_may_manage,
    not_admin_error,
    set_managed_chat,
    set_managed_chat_from_second_word,
    set_managed_chat_from_words,
)
from handlers.press_answers import PopUpText, answer_press
from handlers.repeats import NEW_MESSAGES, RepeatedMessages, cache_after_commit
from handlers.rights import ANYBODY, OWNER, SHOW, TABLE, Right

Handler = BaseHandler[Any, Context, Any]
Run = Callable[[Context], Coroutine[Any, Any, None]]
Press = Callable[..., Coroutine[Any, Any, PopUpText | None]]

# How long repeated presses of a button are ignored, from the end of the first press.
TWICE = timedelta(seconds=1)
ALBUM = timedelta(minutes=10)  # all photos of an album arrive within this time
UNKNOWN_BUTTON = N_("This button no longer works. /help shows what I can do.")


class _Command(CommandHandler[Context, Any]):
    """The handler of a command. A comma may directly follow the command."""

    def check_update(
        self, update: object
    ) -> bool | tuple[list[str], bool | dict[str, list[Any]] | None] | None:
        """Return the words after the command, and the result of the filters.

        If this handler does not accept the update, return the result of ``CommandHandler``.
        """
        result = super().check_update(update)
        message = update.effective_message if isinstance(update, Update) else None
        if not isinstance(result, tuple) or message is None or message.text is None:
            return result
        return message.text[message.entities[0].length :].split(), result[1]


OBEYED: dict[str, "Guarded"] = {}
"""The handler of each command, by the word of the command. Buttons use these handlers."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A handler that runs only for persons with the right that the table of rights requires.

    ``name`` is the key of the handler's row in the table.
    """

    name: str
    run: Run
    make_handler: Callable[["Guarded"], Handler]

    async def __call__(self, _: Update, context: Context) -> None:
        """Handle an update from python-telegram-bot."""
        await self.check_right_and_run(context)

    async def check_right_and_run(self, context: Context) -> None:
        """Run the handler if the sender has the right that the table of rights requires.

        If the sender is not an owner, a button for owners is answered as unknown.

        Raises:
            RightsError: The person does not have the right in this chat, Telegram does not return
                the rights of the person, or the access list blocks the chat.
            BotError: A person who is not an owner sent an owner command in a private chat, or the
                handler failed.
        """
        if await _set_chat_and_check_right(context, TABLE[self.name]):
            await _reload_moved_chat(context)
            await self.run(context)
        elif context.query or not context.is_private:
            await answer_press(context, context.t.plain(UNKNOWN_BUTTON))
        else:
            raise BotError(self.name, text=UNKNOWN_COMMAND, command=code(self.name))


def handlers_of(module: ModuleType) -> list[Handler]:
    """Return the handlers of a module, in the order of definition."""
    made = vars(module).values()
    return [
        value.make_handler(value) if isinstance(value, Guarded) else value
        for value in made
        if isinstance(value, Guarded | BaseHandler)
    ]


def on_event(make_handler: Callable[[Callable[..., Any]], Handler]) -> Callable[[Run], Handler]:
    """Return a decorator that makes the handler of a Telegram event, such as a new topic.

    The handler checks no right.
    """
    return lambda run: make_handler(lambda _, context: run(context))


def command(
    word: str,
    *,
    channel_after: int | None = None,
    takes_names: bool = False,
    takes_list: bool = False,
    usage: str = "",
    only_in_private: bool = False,
) -> Callable[[Run], Guarded]:
    """Return a decorator that makes the handler of ``/word`` and adds the handler to ``OBEYED``.

    - ``channel_after``: the number of words after which a chat may be named. In a private chat,
      the command acts on the named chat.
    - ``takes_names``: other ``@name`` words are allowed, so the chat follows directly after
      ``channel_after`` words.
    - ``takes_list``: several words can be a list of profile names.
    - ``usage``: the message id of a text that is added to the error about an unknown channel.
    - ``only_in_private``: the command is refused in groups and channels.
    """

    def decorate(run: Run) -> Guarded:
        async def handle_command(context: Context) -> None:
            if only_in_private:
                _raise_if_not_private(context, word)
            context.channel_after = channel_after
            if channel_after is not None:
                end = channel_after + 1 if takes_names else len(context.words_after_command)
                places = range(channel_after, end)
                if takes_list and _is_list_of_names(context):
                    await set_managed_chat_from_second_word(context, usage)
                elif not takes_names or context.is_private:
                    await set_managed_chat_from_words(context, places, usage)
            await run(context)
            await publish_chat_menu(context)

        OBEYED[word] = _with_right_check(
            f"/{word}",
            handle_command,
            lambda guarded: _Command(word, guarded, filters=NEW_MESSAGES),
        )
        return OBEYED[word]

    return decorate


def on_message(name: str, what: filters.BaseFilter) -> Callable[[Run], Guarded]:
    """Return a decorator that makes the handler of messages that match the filter ``what``.

    Messages that only repeat another message are ignored. A handled album is recorded in the cache
    for ten minutes.
    """

    def decorate(run: Run) -> Guarded:
        async def handle_message(context: Context) -> None:
            await run(context)
            message = context.message
            if message and message.media_group_id:
                # Telegram sends each photo of an album as a separate message. This record shows
                # the handlers of the further photos that the album is already answered.
                key = (message.chat.id, "album", message.media_group_id)
                await cache_after_commit(context, key, age=ALBUM)

        return _with_right_check(
            name,
            handle_message,
            lambda guarded: MessageHandler(what & ~RepeatedMessages(), guarded),
        )

    return decorate


def _raise_if_not_private(context: Context, word: str) -> None:
    """Refuse a command in a group or channel.

    Raises:
        RightsError: The chat is not private.
    """
    if not context.is_private:
        raise RightsError(text=ONLY_IN_PRIVATE, command=f"/{word}")


def on_press(kind: Kind, *, private_command: str = "") -> Callable[[Press], Guarded]:
    """Return a decorator that makes the handler of buttons of a ``kind``.

    The decorated function returns the text of a pop-up, or None. For a second after a handled
    press, repeated presses of the button by the same person are ignored. A button with
    ``private_command`` (the name of a command) is refused in groups and channels.
    """

    def decorate(run: Press) -> Guarded:
        async def press(context: Context) -> None:
            query = context.query
            if query is None or query.data is None:
                raise RightsError(text=CHAT_UNKNOWN)
            if private_command:
                _raise_if_not_private(context, private_command)
            key = _last_press_in_message_key(query)
            if context.services.cache.get(key, now=context.now) == query.data:
                await answer_press(context)
                return
            args = kind.parse_arguments(query.data)
            if args is None:  # PTB passes buttons without data to every handler
                await answer_press(context, context.t.plain(UNKNOWN_BUTTON))
                return
            await answer_press(context, await run(context, *args))
            # The press is recorded only after the handler has run. A record from before a slow
            # handler could expire before the second press is handled, and the handler would run
            # again.
            await cache_after_commit(context, key, query.data, age=TWICE)

        return _with_right_check(
            kind.row, press, lambda guarded: CallbackQueryHandler(guarded, pattern=kind.matches)
        )

    return decorate


def _last_press_in_message_key(query: CallbackQuery) -> tuple[str, str, int, int]:
    shown = query.message
    return ("press", query.chat_instance, query.from_user.id, shown.message_id if shown else 0)


def _with_right_check(name: str, run: Run, make_handler: Callable[[Guarded], Handler]) -> Guarded:
    if name not in TABLE:
        raise LookupError(f"{name} has no row in handlers/rights.py")
    return Guarded(name, run, make_handler)


def _is_list_of_names(context: Context) -> bool:
    words = context.words_after_command
    all_marked = len(words) > 1 and all(word.startswith("@") for word in words)
    language = context.t.language
    names = [word for word in typed_words(" ".join(words)) if not is_everyday_word(word, language)]
    return all_marked or ends_with_list(words, (), language, last=names[-1] if names else "")


async def _reload_moved_chat(context: Context) -> None:
    """Update ``context.chat`` if the group has become a supergroup.

    A different update can report the supergroup while the bot asks Telegram for the rights of the
    sender.
    """
    if context.update_chat.type == Chat.GROUP:
        context.chat = await context.services.chats.get(context.chat.id) or context.chat


async def _set_chat_and_check_right(context: Context, right: Right) -> bool:
    """Check that the sender has the right ``right``, and set the chat of the update.

    If the right is ``OWNER``, return whether the sender is an owner. A button can name a chat that
    the person manages.

    Raises:
        RightsError: The person does not have the right in this chat, Telegram does not return the
            rights of the person, or the access list blocks the chat.
    """
    query = context.query
    where = context.update_chat
    if right is OWNER:  # checked first, so that a channel's admins get no owner rights
        return context.is_owner
    channel = split_off_chat_id(query.data)[0] if query and query.data else None
    if channel is not None:
        await set_managed_chat(context, channel)
    elif context.is_private:
        if context.user_id != where.id:
            raise NotAdminError("not their own chat", text=ONLY_GROUP_ADMINS)
    elif right is ANYBODY or (right is SHOW and not context.is_channel):
        pass
    elif not await fetch_if_sender_may_manage(context):
        raise not_admin_error(where.type)
    return True
