"""The recognition of messages that are neither a command of the bot nor a link.

The module is pure.
"""

import difflib
import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache

from bot.domain import links
from bot.domain.everyday_words import (
    ALL_THANKS,
    FILLERS,
    greeting_phrases,
    is_connective,
    is_everyday_word,
    normalize_word,
    praise_phrases,
    thanks_phrases,
    words_around_thanks,
)
from bot.domain.foreign_text import (
    fold_for_comparison,
    main_part_beside_apostrophe,
    normalize_typed,
    typed_words,
)

_MENTION = re.compile(r"(?<![\w@/.])@([A-Za-z0-9._]{1,30})")
_BETWEEN = re.compile(r"[\n,;]+")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_COMMAND = re.compile(r"/(\w{1,32})(?:@\w+)?[,;:.!?]*(?:\s+(.*))?", re.DOTALL)
_AROUND = " \t\n.,;:!?¡¿…\"'()[]<>«»“”"
# The letters of words of laughter such as "jajaja". The last two pairs are Cyrillic.
_LAUGHTER = {
    frozenset(pair)
    for pair in (
        "ha",
        "he",
        "hi",
        "ja",
        "je",
        "xa",
        "sj",
        "wk",
        "rs",
        "\u0445\u0430",
        "\u0445\u0435",
    )
}
_LEAST_LAUGHTER = 4  # the minimum number of letters of a word of laughter
_LEAST_INSULT = 5  # an insult with fewer letters can be read as a profile name
_DOUBLED_END = re.compile(r"([^\W\d])\1$")
_QUESTION_EMOJI = frozenset("❓❔")
_ANGRY_EMOJI = frozenset("😡🤬😠👎💩🖕")
# The Unicode categories of the characters of emoji, including modifiers and joiners.
_PICTURES = {"So", "Sk", "Mn", "Cf"}
# The maximum number of words of a text that is read as thanks because of a word of thanks at any
# place in the text.
SHORT_THANKS = 5
# The maximum number of words of a text that is read as thanks because it begins with thanks.
_LONG_THANKS = 12
# A text of several words is searched for names without an @ only if it has at most 4 words.
_SHORT = 4
# The minimum similarity of a misspelled command, as the ratio of difflib. For example, the ratio
# of "stoires" and "stories" is 0.86.
_LIKENESS = 0.7

# These words could be usernames, but people write them to the bot much more often as plain words.
_SAID = """
hi hello hey hallo helo hola olá oi halo hai salam salaam salut ciao bonjour merhaba selam
privet namaste yo sup morning night bye goodbye adios tchau dadah ok okay okey k yes no yeah yep
nope si sim não tidak ya da net cool nice good great super wow lol haha hahaha sorry you привет
здравствуйте ок да нет привіт вітаю так ні مرحبا سلام नमस्ते evet tamam schön bitte
mille ça tudo bem buenas buenos tardes noches dias guten terima kasih kabar большое добрый день
вечер جزيلا خیلی السلام عليكم moin servus grüezi hallöchen coucou bonsoir buongiorno buonasera
selamlar gunaydin selamat pagi namaskar доброе утро доброго ранку здравствуй صباح الخير درود boa
noite bonne nuit gute nacht buonanotte malam nasilsin спокойной ночи на добраніч как дела як
справи خوبی شب بخیر كيفك كيف حالك تصبح oui ouais iya iyi günler geceler morgen abend
tag nachmittag siang sore bro mate friend kak bang there everyone evening afternoon
добрий вечір ранок hii heyy helloo ey wassup whatsup howdy alô eae eai slt cc bjr bsr
n'aber nabersin nbr slm mrb moinsen tach tschüss tschau tschö arrivederci ciaone
görüşürüz hoşçakal hoşçakalin пока бувай خداحافظ अलविदा alvida falou flw dadaah baybay
здарова здоров прив салам салют хай здоровеньки هلا اهلا
goodnight gn gm brb later ttyl oops ups uups lmao lmfao rofl xd mdr ptdr jk
\u0647 خ داداش والله حبيبي bhai yaar
beautiful amazing awesome fantastic hermoso güzel harika
круто классно красиво супер جميل روعة زیبا عالی सुंदर बढ़िया keren гарно чудово
"""
_ABOUT_BOT = {
    "en": "bot bots you your u ur youre fuck fucking hell stupid idiot dumb suck sucks "
    "hate shit crap trash moron useless worthless rubbish pathetic terrible horrible awful wtf",
    "es": "tú te ti tu eres usted mierda idiota inútil puta joder estúpido "
    "odio basura porquería pésimo asco horrible bazofia fatal sirves",
    "pt_BR": "você vc tu te seu robô merda porra caralho burro idiota lixo bosta inútil "
    "odeio péssimo horrível droga desgraça serve presta",
    "de": "du dich dir dein deine bist bots fresse scheiße scheiss scheiß arsch arschloch "
    "hasse blöd doof idiot dumm nutzlos müll schrott mist kacke furchtbar schrecklich unfähig",
    "fr": "tu te toi ton ta tes es vous êtes votre robot merde nul nulle connard putain "
    "déteste idiot con débile inutile pourri naze horrible sers bordel foutu",
    "it": "tu ti te tuo sei palle cazzo merda idiota stupido inutile schifo "
    "odio pessimo orribile spazzatura servi vergogna",
    "tr": "sen seni sana senin botu botun sin aptal salak gerizekali lanet bok "
    "nefret yaramiyorsun yaramaz berbat rezalet çöp beceriksiz yaramiyor",
    "ru": "бот бота боту ты тебя тебе тобой твой вы вас вам ваш тупой тупая дурак идиот "
    "ненавижу говно хрень отстой бесполезный бесполезная бесполезно ужасно ужас мусор дрянь",
    "ar": "بوت البوت أنت انت إنت عليك لك منك فيك غبي حمار تافه زبالة "
    "فاشل سيء سيئ خايس أكره اكره زفت",
    "id": "kamu kau lu lo elo anda mu botnya bodoh goblok tolol anjing sialan bangsat "
    "benci guna berguna sampah payah jelek parah",
    "uk": "бот бота боту ти тебе тобі тобою твій ви вас вам ваш дурний дурна ідіот лайно тупий "
    "ненавиджу непотріб марний жах жахливий нікчемний здатний сміття",
    "fa": "ربات بات بوت تو شما ازت بهت احمق خنگ مزخرف کثافت "
    "متنفرم آشغال بدردنخور نمیخوری نمی‌خوری نمیخوره افتضاح",
    "hi": "बॉट बोट तुम तू आप तुझे तुम्हें तेरा तुम्हारा tum tu aap tera बेकार बकवास "
    "बेवकूफ bakwas bekar bewakoof faltu "
    "नफ़रत nafrat फालतू फ़ालतू घटिया ghatiya kachra",
}
"""The words by which a text speaks to the bot or about the bot, by language.

Examples are pronouns such as "you", and insults.
"""
_QUESTION_WORDS = {
    "en": "how what where who which why when can could does do is are should wheres whats hows",
    "es": "cómo qué dónde quién cuál cuándo puedo puede se hay",
    "pt_BR": "como que onde quem qual posso pode dá tem",
    "de": "wie was wo wer welche wann kann darf gibt ist",
    "fr": "comment quoi où qui quel quelle puis peut est-ce c'est",
    "it": "come cosa dove chi quale posso può",
    "tr": "nasil ne nerede kim hangi mi mu mü",
    "ru": "как что где кто какой какая можно ли зачем",
    "ar": "كيف ماذا أين من هل ممكن متى وش ايش شو",
    "id": "bagaimana gimana apa mana siapa bisa apakah kapan",
    "uk": "як що де хто який яка можна чи навіщо",
    "fa": "چطور چی کجا کی آیا میشه می‌شه",
    "hi": "कैसे क्या कहाँ कहां कौन kya kaise kahan kaun",
}
"""The words with which people ask questions, by language."""
_REASONS = "for por pelo pela pelos für fuer pour per за на على untuk atas için"
_THANKED_FOR = frozenset(map(fold_for_comparison, _REASONS.split()))
"""The words that join thanks with the reason of the thanks, as in "thanks for natgeo"."""
_ASKED = """
test testing start stop help ayuda ajuda bantuan please pls plz bot what why how who when where
restart reset undo back ping
que como quien por favor porfa porfavor lütfen svp stp tolong kripya
"""
_POLITE = ALL_THANKS.union(map(fold_for_comparison, ["please", "pls", "plz", "bitte", "lütfen"]))
"""The words of politeness that are not names in a list of names."""
SMALL_TALK = ALL_THANKS.union(map(fold_for_comparison, _SAID.split()))
NO_NAMES = SMALL_TALK.union(map(fold_for_comparison, _ASKED.split()))

ALIASES = {
    "story": "stories", "show": "stories", "view": "stories", "s": "stories", "get": "stories",
    "follow": "subscribe", "sub": "subscribe", "add": "subscribe", "watch": "subscribe",
    "unfollow": "unsubscribe", "unsub": "unsubscribe", "remove": "unsubscribe",
    "stop": "unsubscribe", "list": "subscriptions", "subs": "subscriptions",
    "subscription": "subscriptions", "lang": "language", "tz": "timezone", "zone": "timezone",
    "time": "timezone", "options": "settings", "config": "settings", "delete": "privacy",
    "forget": "privacy", "stats": "usage", "limit": "usage", "limits": "usage", "menu": "help",
    "preview": "why", "mute": "subscriptions", "pause": "subscriptions", "snooze": "subscriptions",
    "quit": "unsubscribe", "end": "unsubscribe", "off": "unsubscribe", "alert": "subscribe",
    "notify": "subscribe", "track": "subscribe", "erase": "privacy", "quiet": "settings",
    "silent": "subscriptions", "info": "help", "faq": "help", "commands": "help",
    "history": "past", "download": "stories",
}  # fmt: skip
"""The words that people write in place of the bot's commands, each with the command."""


def name_in(text: str) -> str | None:
    """Return the profile name in a text, in lower case and without an @, or None.

    The name is the only word of the text, or the first word with an @. An unlikely name
    (``is_unlikely_name``) needs an @.
    """
    match [word.strip(_AROUND) for word in typed_words(text)]:
        case [word] if not is_unlikely_name(word) and "/" not in word:
            if name := links.parse_profile_username(word):
                return name
    result = (
        links.parse_profile_username(mentioned.rstrip(".")) for mentioned in _MENTION.findall(text)
    )
    return next((name for name in result if name), None)


def words_that_may_be_names(text: str, language: str) -> tuple[str, ...]:
    """Return the distinct words of a text of two to four words that can be names of profiles.

    Everyday words of English and of ``language``, unlikely names, and words without Latin letters
    and digits are ignored. The result is empty if another word can't be a name.
    """
    words = [word.strip(_AROUND).lower() for word in typed_words(text)]
    if not 1 < len(words) <= _SHORT:
        return ()
    left = [
        word
        for word in words
        if not _is_everyday_or_unlikely_name(word, language) and not _is_non_latin(word)
    ]
    found = {name: None for name in map(links.parse_profile_username, left) if name}
    return tuple(found) if len(found) == len(set(left)) else ()


def _is_everyday_or_unlikely_name(word: str, language: str) -> bool:
    """Return whether a word or its main part is an everyday word or an unlikely name."""
    parts = (word, main_part_beside_apostrophe(word))
    return any(is_unlikely_name(part) or is_everyday_word(part, language) for part in parts)


def _is_non_latin(word: str) -> bool:
    """Return whether a word has no Latin letter and no digit. Such a word can't be a name."""
    return not any(char.isascii() and char.isalnum() for char in fold_for_comparison(word))


def joined_name_in(text: str, language: str) -> str | None:
    """Return the profile name that the two or three words of a text form when they are joined.

    Return None if the words or the joined words can't be names.
    """
    words = [word.strip(_AROUND).lower() for word in typed_words(text)]
    if len(words) not in {2, 3} or len(words_that_may_be_names(text, language)) != len(words):
        return None
    return links.parse_profile_username("".join(words))


def is_thanks(text: str) -> bool:
    """Return whether a text says thanks, in any language of the bot.

    A text that says only thanks or praise can have any length. A text with other words must be
    short.
    """
    if is_thanks_alone(text):
        return True
    words = _normalized_words(text)
    if len(words) > SHORT_THANKS:
        return len(words) <= _LONG_THANKS and _count_thanks_words_at(words, 0) > 0
    return any(_count_thanks_words_at(words, place) for place in range(len(words)))


def begins_with_thanks(text: str) -> bool:
    """Return whether a text begins with thanks, as in "thanks natgeo"."""
    return _count_thanks_words_at(_normalized_words(text), 0) > 0


def is_thanks_alone(text: str) -> bool:
    """Return whether a text says only thanks or praise, as in "muchas gracias!".

    Words such as "muchas" (``words_around_thanks``), small talk and emoji are allowed beside the
    thanks.
    """
    words = _normalized_words(text)
    others = _words_outside_phrases(words, thanks_phrases() | praise_phrases())
    has_thanks = len(others) < len(words) or any(
        _is_in_despite_doubled_letter(ALL_THANKS, word) for word in others
    )
    return has_thanks and all(map(_is_said_with_thanks, others))


def _is_said_with_thanks(word: str) -> bool:
    return (
        word in words_around_thanks()
        or _is_in_despite_doubled_letter(SMALL_TALK, word)
        or _is_emoji(word)
    )


def is_thanks_for(text: str) -> bool:
    """Return whether a text says thanks with a reason, as in "thanks for natgeo".

    A word such as "for" must be among the four words after the thanks.
    """
    words = _normalized_words(text)
    for place in range(len(words)):
        length = _count_thanks_words_at(words, place)
        following = words[place + length : place + length + 4]
        if length and not _THANKED_FOR.isdisjoint(following):
            return True
    return False


def _normalized_words(text: str) -> list[str]:
    return [word for word in map(normalize_word, typed_words(text)) if word]


def _count_thanks_words_at(words: Sequence[str], place: int) -> int:
    """Return the number of words of the thanks that begin at the index ``place``.

    The thanks are a single word or a phrase. If no thanks begin at this index, return 0.
    """
    if length := _count_phrase_words_at(words, place, thanks_phrases()):
        return length
    return (
        1
        if words[place : place + 1] and _is_in_despite_doubled_letter(ALL_THANKS, words[place])
        else 0
    )


def _words_outside_phrases(
    words: Sequence[str], phrases: Collection[tuple[str, ...]]
) -> list[str]:
    """Return ``words`` without the phrases among the words. Longer phrases are preferred."""
    others: list[str] = []
    place = 0
    while place < len(words):
        length = _count_phrase_words_at(words, place, phrases)
        if not length:
            others.append(words[place])
        place += length or 1
    return others


def _count_phrase_words_at(
    words: Sequence[str], place: int, phrases: Collection[tuple[str, ...]]
) -> int:
    """Return the number of words of the longest phrase that begins at the index ``place``.

    If no phrase begins at this index, return 0.
    """
    lengths = [
        len(phrase) for phrase in phrases if tuple(words[place : place + len(phrase)]) == phrase
    ]
    return max(lengths, default=0)


def _is_in_despite_doubled_letter(table: Collection[str], word: str) -> bool:
    """Return whether a normalized word is in a table, also with a doubled last letter.

    Examples of a doubled last letter are "graciass" and "holaa".
    """
    return word in table or _DOUBLED_END.sub(r"\1", word) in table


def is_small_talk(text: str) -> bool:
    """Return whether a text consists only of small talk and emoji, as in "hey, how are you?".

    A text with the emoji of a question mark, or with an angry emoji, is not small talk.
    """
    if not (_QUESTION_EMOJI | _ANGRY_EMOJI).isdisjoint(text):
        return False
    words = _normalized_words(text)
    others = _words_outside_phrases(words, greeting_phrases())
    return bool(words) and all(map(_is_small_talk_word, others))


def _is_small_talk_word(word: str) -> bool:
    return _is_in_despite_doubled_letter(SMALL_TALK, word) or _is_laughter(word) or _is_emoji(word)


def is_unlikely_name(word: str) -> bool:
    """Return whether a word is rarely meant as the name of a profile.

    Examples are small talk and other words in ``NO_NAMES``, laughter such as "jajaja", and
    insults.
    """
    plain = normalize_word(word)
    is_insult = len(plain) >= _LEAST_INSULT and plain in _insulting_words()
    return _is_in_despite_doubled_letter(NO_NAMES, plain) or _is_laughter(plain) or is_insult


def _is_laughter(word: str) -> bool:
    return len(word) >= _LEAST_LAUGHTER and frozenset(word) in _LAUGHTER


@cache
def _insulting_words() -> frozenset[str]:
    """Return the words of ``_ABOUT_BOT`` in all languages."""
    return frozenset(map(fold_for_comparison, " ".join(_ABOUT_BOT.values()).split()))


def is_about_bot(text: str, language: str) -> bool:
    """Return whether a text speaks to the bot or about the bot, as in "you are useless".

    The text must have an angry emoji, or a word of ``_ABOUT_BOT`` in English or in ``language``.
    """
    return not _ANGRY_EMOJI.isdisjoint(text) or _has_word_of(_ABOUT_BOT, text, language)


def is_question(text: str, language: str) -> bool:
    """Return whether a text asks a question, with a question mark or a question word.

    The question words of English and of ``language`` are recognised. A single word is not a
    question, except with the emoji of a question mark.
    """
    if not _QUESTION_EMOJI.isdisjoint(text):
        return True
    is_marked = "?" in normalize_typed(text)
    return len(text.split()) > 1 and (is_marked or _has_word_of(_QUESTION_WORDS, text, language))


def _has_word_of(table: dict[str, str], text: str, language: str) -> bool:
    every = f"{table['en']} {table.get(language, '')}"
    words = frozenset(map(fold_for_comparison, every.split()))
    return not words.isdisjoint(_normalized_words(text))


def _is_emoji(word: str) -> bool:
    return bool(word) and all(unicodedata.category(char) in _PICTURES for char in word)


def names_listed_in(text: str, language: str = "en") -> tuple[str, ...]:
    """Return the distinct profile names that a text lists.

    Commas, line feeds or words such as "and" separate the names, or each name has an @. The result
    is empty if the text has fewer than two names, or other words (except words of politeness).
    """
    text = _without_fillers_after(text)
    lines = [_with_commas_for_connectives(line, language) for line in text.splitlines()]
    parts = [part for part in _BETWEEN.split("\n".join(lines)) if part.strip()]
    if len(parts) == 1:
        parts = text.split()
        if not all(part.startswith("@") for part in parts):
            return ()
    parts = [part for part in parts if normalize_word(part) not in _POLITE]
    names = [links.parse_profile_username(_BULLET.sub("", part).strip(_AROUND)) for part in parts]
    result = tuple(dict.fromkeys(name for name in names if name))
    has_other_text = None in names
    meant = result if "@" in text else [name for name in result if name not in NO_NAMES]
    if has_other_text or len(meant) < 2:  # noqa: PLR2004 - a list has two names
        return ()
    return result


def _without_fillers_after(text: str) -> str:
    """Return a text without the words of politeness at its end.

    A word directly after a comma, semicolon or line feed is kept, because the word is probably a
    name.
    """
    words = text.rstrip().split(" ")
    while len(words) > 1 and normalize_word(words[-1]) in FILLERS:
        if words[-2].endswith((",", ";", "\n")):  # the last word is probably a name in a list
            break
        words.pop()
    return " ".join(words)


def _with_commas_for_connectives(line: str, language: str) -> str:
    """Return a line with a comma in place of each word such as "and" between two words."""
    words = line.split(" ")
    for place in range(1, len(words) - 1):
        if is_connective(words[place], language):
            words[place] = ","
    return " ".join(words)


def split_command(text: str) -> tuple[str, str] | None:
    """Return the name of the command with which a text begins, and the text after the name.

    The name is in lower case, without the slash and the name of a bot (``/help@bot``). Return None
    without a command.
    """
    match = _COMMAND.fullmatch(text.strip())
    if match is None:
        return None
    word, rest = match.groups(default="")
    return word.lower(), rest.strip()


def command_meant(word: str, known: Collection[str]) -> str | None:
    """Return the command that a person means with the word ``word``.

    ``ALIASES`` takes precedence over the most similar word among ``known`` and ``ALIASES``. Return
    None if no word is similar enough.
    """
    if (meant := ALIASES.get(word)) in known:
        return meant
    near = difflib.get_close_matches(word, [*known, *ALIASES], cutoff=_LIKENESS)
    nearest = next(iter(near), None)
    return ALIASES.get(nearest, nearest) if nearest else None
