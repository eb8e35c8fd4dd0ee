"""Recognition of messages that are neither a command of the bot nor a link. The module is pure."""

import difflib
import re
import unicodedata
from collections.abc import Collection

from bot.domain import links
from bot.domain.everyday_words import bare, is_everyday_word

_MENTION = re.compile(r"(?<![\w@/.])@([A-Za-z0-9._]{1,30})")
_BETWEEN = re.compile(r"[\n,;]+")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+(.*))?", re.DOTALL)
_AROUND = " \t\n.,;:!?…\"'()[]<>«»“”"
_PICTURES = {"So", "Sk", "Mn", "Cf"}  # Unicode categories of emoji, with modifiers and joiners
_SHORT = 4  # the maximum number of words of a text that may contain a name among other words
_LIKENESS = 0.7  # ratio of difflib: "stoires" matches "stories" with 0.86

# Words that could be usernames, but that people write to the bot much more often as plain words.
_SAID = """
hi hello hey hallo helo hola ola oi halo hai salam salaam salut ciao bonjour merhaba selam
privet namaste yo sup morning night bye goodbye adios tchau dadah thanks thank thx ty tks tnx
gracias obrigado obrigada valeu spasibo shukran makasih terimakasih danke merci grazie ok okay
okey k yes no yeah yep nope si sim nao tidak ya da net cool nice good great super wow lol haha
hahaha sorry you привет здравствуйте спасибо ок да нет привіт вітаю дякую так ні مرحبا شكرا سلام
ممنون مرسی नमस्ते धन्यवाद शुक्रिया olá não teşekkürler evet tamam schön bitte mille ça tudo bem
buenas buenos tardes noches dias guten terima kasih kabar большое добрый день вечер جزيلا خیلی
السلام عليكم
"""
_THANKS = """
thanks thank thx ty tks tnx thankyou gracias obrigado obrigada obg valeu merci dank danke
dankeschön grazie teşekkürler tesekkurler teşekkür sağol sağolun eyvallah спасибо спс
благодарю дякую спасибі
شكرا شكرًا شكراً مشكور makasih trims terimakasih suwun ممنون مرسی متشکرم سپاس धन्यवाद शुक्रिया
dhanyavad shukriya spasibo shukran
"""
_THANKS_PHRASES = ("terima kasih",)
_ASKED = """
test testing start stop help ayuda ajuda bantuan please pls plz bot what why how who when where
que como quien
"""
SMALL_TALK = frozenset(_SAID.split())
NO_NAMES = SMALL_TALK.union(_ASKED.split())

ALIASES = {
    "story": "stories", "show": "stories", "view": "stories", "s": "stories", "get": "stories",
    "follow": "subscribe", "sub": "subscribe", "add": "subscribe", "watch": "subscribe",
    "unfollow": "unsubscribe", "unsub": "unsubscribe", "remove": "unsubscribe",
    "stop": "unsubscribe", "list": "subscriptions", "subs": "subscriptions",
    "subscription": "subscriptions", "lang": "language", "tz": "timezone", "zone": "timezone",
    "time": "timezone", "options": "settings", "config": "settings", "delete": "privacy",
    "forget": "privacy", "stats": "usage", "limit": "usage", "limits": "usage", "menu": "help",
    "preview": "why",
}  # fmt: skip
"""Words that people write in place of the bot's commands."""


def name_in(text: str) -> str | None:
    """Return the profile name that is the whole text, or that the text mentions with an @."""
    match [word.strip(_AROUND) for word in text.split()]:
        case [word] if word.lower() not in NO_NAMES and "/" not in word and (name := _name(word)):
            return name
    result = (_name(mentioned.rstrip(".")) for mentioned in _MENTION.findall(text))
    return next((name for name in result if name), None)


def words_that_may_be_names(text: str, language: str) -> tuple[str, ...]:
    """Return the distinct words of a short text that may be names of profiles.

    Everyday words of ``language`` and small talk are no names. The result is empty for a longer
    text, which is prose.
    """
    words = [word.strip(_AROUND).lower() for word in text.split()]
    if not 1 < len(words) <= _SHORT:
        return ()
    left = [w for w in words if w not in NO_NAMES and not is_everyday_word(w, language)]
    names = tuple(dict.fromkeys(name for word in left if (name := _name(word))))
    return names if len(names) == len(set(left)) else ()


def joined_name_in(text: str, language: str) -> str | None:
    """Return the name that two or three words form when they are joined."""
    words = [word.strip(_AROUND).lower() for word in text.split()]
    if len(words) not in {2, 3} or len(words_that_may_be_names(text, language)) != len(words):
        return None
    return _name("".join(words))


def is_thanks(text: str) -> bool:
    """Return whether a short text says thanks, in any language."""
    words = [word for word in map(bare, text.split()) if word]
    if not 0 < len(words) <= _SHORT + 1:
        return False
    said = " ".join(words)
    thanks = _THANKS.split()
    return any(word in thanks for word in words) or any(one in said for one in _THANKS_PHRASES)


def is_small_talk(text: str) -> bool:
    """Return whether a text is small talk without a request, such as "thanks"."""
    words = [word.strip(_AROUND).lower() for word in text.split()]
    return bool(words) and all(word in SMALL_TALK or _is_emoji(word) for word in words)


def _is_emoji(word: str) -> bool:
    return bool(word) and all(unicodedata.category(char) in _PICTURES for char in word)


def names_listed_in(text: str) -> tuple[str, ...]:
    """Return the profile names that a text lists: one per line, with commas, or each with @.

    The result is empty unless the text consists of at least two names: "hello, thanks" is no list.
    """
    parts = [part for part in _BETWEEN.split(text) if part.strip()]
    if len(parts) == 1:
        parts = text.split()
        if not all(part.startswith("@") for part in parts):
            return ()
    names = [_name(_BULLET.sub("", part).strip(_AROUND)) for part in parts]
    result = tuple(dict.fromkeys(name for name in names if name))
    meant = result if "@" in text else [name for name in result if name not in NO_NAMES]
    return result if all(names) and len(meant) > 1 else ()


def split_command(text: str) -> tuple[str, str] | None:
    """Return the word of a command, without its slash, and the text after the word."""
    match = _COMMAND.fullmatch(text.strip())
    return (match[1].lower(), (match[2] or "").strip()) if match else None


def command_meant(word: str, known: Collection[str]) -> str | None:
    """Return the command of ``known`` that is most similar to ``word``, if any."""
    if (meant := ALIASES.get(word)) in known:
        return meant
    near = difflib.get_close_matches(word, [*known, *ALIASES], cutoff=_LIKENESS)
    nearest = next(iter(near), None)
    return ALIASES.get(nearest, nearest) if nearest else None


def _name(word: str) -> str | None:
    link = links.parse_argument(word)
    return link.username if link and link.kind == "profile" else None
