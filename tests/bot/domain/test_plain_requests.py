"""Requests in plain words, without a slash."""

from collections import Counter

import pytest

from bot.domain.plain_requests import (
    _PATTERNS,
    Command,
    Request,
    _patterns_in,
    is_request_word,
    request_in,
)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("stop", Request("unsubscribe")),
        ("@stop", None),
        ("natgeo", None),
        ("free", None),
        ("nat geo", None),
        ("look at that", None),
        ("show me natgeo", Request("stories", ("natgeo",))),
        ("look at @natgeo please", Request("stories", ("natgeo",), is_list=True)),
        (
            "i want to follow natgeo and prada",
            Request("subscribe", ("natgeo", "prada"), is_joined=True),
        ),
        ("cancel my subscription to natgeo", Request("unsubscribe", ("natgeo",))),
        ("delete everything you know about me", Request("privacy")),
        ("delete natgeo", Request("unsubscribe", ("natgeo",))),
        ("is it free?", Request("price")),
        ("stop natgeo for today", Request("pause", ("natgeo",))),
        ("delete natgeo today", Request("unsubscribe", ("natgeo",))),
        ("can natgeo see that it's me watching", Request("viewers")),
        ("show @natgeo anonymously", Request("stories", ("natgeo",), is_list=True)),
        ("how do I follow natgeo", Request("subscribe", ("natgeo",))),
        ("who do I follow", Request("subscriptions")),
        ("add natgeo to my list", Request("subscribe", ("natgeo",))),
        ("show my current alerts", Request("subscriptions")),
        ("delete profile natgeo", Request("unsubscribe", ("natgeo",))),
        ("delete profile", Request("privacy")),
        ("delete my account completely", Request("privacy")),
        ("remove account natgeo", Request("privacy", ("natgeo",))),
        ("follow natgeo and @nike", Request("subscribe", ("natgeo", "nike"), is_list=True)),
        ("subscribe to @natgeo, nike", Request("subscribe", ("natgeo", "nike"), is_list=True)),
        ("please send me natgeo", Request("stories", ("natgeo",))),
        ("don't send natgeo", Request("unsubscribe", ("natgeo",))),
        ("some words that ask for nothing", None),
        (" ".join(["stop"] * 13), None),
        ("", None),
    ],
)
def test_what_a_text_asks_for(text: str, request_: Request | None) -> None:
    assert request_in(text, "en") == request_


@pytest.mark.parametrize(
    ("text", "language", "request_"),
    [
        ("historias de natgeo para mi", "es", Request("stories", ("natgeo",))),
        ("quiero ver natgeo para ya", "es", Request("stories", ("natgeo",))),
        ("por favor para de enviar natgeo", "es", Request("unsubscribe", ("natgeo",))),
        ("stories de natgeo para mim", "pt_BR", Request("stories", ("natgeo",))),
        ("avise quando chega história de natgeo", "pt_BR", Request("subscribe", ("natgeo",))),
        ("para de mandar", "pt_BR", Request("unsubscribe")),
        ("присылай больше natgeo", "ru", Request("subscribe", ("natgeo",))),
        ("больше не присылай", "ru", Request("unsubscribe")),
        ("je veux plus d'alertes de natgeo", "fr", Request("subscribe", ("natgeo",))),
    ],
)
def test_a_word_of_two_meanings_ends_nothing(
    text: str, language: str, request_: Request | None
) -> None:
    assert request_in(text, language) == request_


@pytest.mark.parametrize(
    ("text", "language", "request_"),
    [
        ("don\u2019t want nike anymore", "en", Request("unsubscribe", ("nike",))),
        ("dont want nike anymore", "en", Request("unsubscribe", ("nike",))),
        ("show me natgeo's highlights", "en", Request("highlights", ("natgeo",))),
        ("why didnt i get nike", "en", Request("why", ("nike",))),
        ("je veux m\u2019abonner à natgeo", "fr", Request("subscribe", ("natgeo",))),
        ("inscreve-me em natgeo", "pt_BR", Request("subscribe", ("natgeo",))),
        ("mostra-me natgeo", "pt_BR", Request("stories", ("natgeo",))),
        ("desabonne moi de natgeo", "fr", Request("unsubscribe", ("natgeo",))),
        ("natgeo'nun hikayelerini göster", "tr", Request("stories", ("natgeo",))),
        ("الغي الاشتراك في nike", "ar", Request("unsubscribe", ("nike",))),
        ("أوقف كل التنبيهات", "ar", Request("unsubscribe")),
        ("підпишіть на natgeo", "uk", Request("subscribe", ("natgeo",))),
        ("natgeo subscribe karo", "hi", Request("subscribe", ("natgeo",))),
        ("не присылай ночью 23:00 до 8", "ru", Request("settings")),
        ("no vuelvas a mandar de noche", "es", Request("settings")),
        ("pausa todo por favor", "es", Request("pause")),
        ("who made this bot", "en", Request("help")),
        ("can you see private accounts", "en", Request("content")),
        ("can they tell if i watch", "en", Request("viewers")),
        ("can they tell me when natgeo posts", "en", Request("subscribe", ("natgeo",))),
        ("je veux voir ce que fait natgeo", "fr", Request("stories", ("natgeo",))),
        ("lass mich in ruhe", "de", Request("unsubscribe")),
        ("nasa une fois par jour c'est assez", "fr", Request("options", ("nasa",))),
        ("nasa nur noch einmal die Woche", "de", Request("options", ("nasa",))),
        ("nasa twice a day is plenty", "en", Request("options", ("nasa",))),
        ("monitor nasa for me", "en", Request("subscribe", ("nasa",))),
        ("what do you do with my messages", "en", Request("privacy")),
        ("can my friends see that i follow nasa", "en", Request("subscribe", ("nasa",))),
        ("follow natgeo adn nasa", "en", Request("subscribe", ("natgeo", "nasa"), is_joined=True)),
    ],
)
def test_people_omit_marks_and_change_endings(text: str, language: str, request_: Request) -> None:
    assert request_in(text, language) == request_


@pytest.mark.parametrize(
    ("text", "language", "command", "names"),
    [
        ("please subscribe me to natgeo; nike, thanks", "en", "subscribe", ("natgeo", "nike")),
        (
            "i want to follow natgeo and also prada on insta",
            "en",
            "subscribe",
            ("natgeo", "prada"),
        ),
        ("me inscreve no natgeo e na nike", "pt_BR", "subscribe", ("natgeo", "nike")),
        ("quiero que me avises de prada y nike", "es", "subscribe", ("prada", "nike")),
        ("نبهني عندما ينشر nike وprada", "ar", "subscribe", ("nike", "prada")),
    ],
)
def test_joined_words_are_names(
    text: str, language: str, command: Command, names: tuple[str, ...]
) -> None:
    assert request_in(text, language) == Request(command, names, is_joined=True)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("nice story!", None),
        ("lovely story!", None),
        ("wonderful story!", Request("stories", ("wonderful",))),
        ("what a story", None),
        ("this story", None),
        ("great help", None),
        ("stories", Request("stories")),
        ("stop", Request("unsubscribe")),
        ("settings please", Request("settings")),
        ("how much does it cost?", Request("price")),
        ("show natgeo", Request("stories", ("natgeo",))),
    ],
)
def test_in_a_group_a_comment_is_no_request(text: str, request_: Request | None) -> None:
    assert request_in(text, "en", is_group=True) == request_


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Gute Nacht!", "de"),
        ("gute nacht 🌙", "de"),
        ("bonne nuit", "fr"),
        ("selamat malam", "id"),
        ("спокойной ночи", "ru"),
        ("شب بخیر", "fa"),
        ("كيف حالك", "ar"),
    ],
)
def test_a_greeting_is_no_request(text: str, language: str) -> None:
    assert request_in(text, language) is None


def test_a_single_word_of_a_greeting_may_be_a_request() -> None:
    assert request_in("ночи", "ru") == Request("settings")
    assert request_in("كيف", "ar") == Request("help")


def test_words_of_another_language_are_no_request() -> None:
    assert request_in("hilfe", "en") is None
    assert request_in("hilfe", "de") == Request("help")
    assert request_in("помощь", "ru") == Request("help")
    assert request_in("помощь", "de") is None


@pytest.mark.parametrize(
    ("text", "language", "request_"),
    [
        ("oi td bem? como q eu faço pra seguir alguém", "pt_BR", Request("subscribe")),
        ("pls u can show natgeo thx", "en", Request("stories", ("natgeo",))),
        ("nur Videos, Fotos brauch ich nicht", "de", Request("options")),
        ("jangan kirim notif malem2 dong", "id", Request("settings")),
        ("ikuti natgeo2", "id", Request("subscribe", ("natgeo2",), is_list=True)),
        ("unsuscribe natgeo", "en", Request("unsubscribe", ("natgeo",))),
        ("subcribe me to nasaa", "en", Request("subscribe", ("nasaa",))),
        ("add nasa for me por favor", "en", Request("subscribe", ("nasa",))),
        ("unsubscirbe natgeo", "en", Request("unsubscribe", ("natgeo",))),
        ("sotp natgeo", "en", Request("unsubscribe", ("natgeo",))),
        ("follwo natgeo, nike", "en", Request("subscribe", ("natgeo", "nike"), is_joined=True)),
        ("iscirvimi a natgeo", "it", Request("subscribe", ("natgeo",))),
        ("отпшиись от natgeo", "ru", Request("unsubscribe", ("natgeo",))),
        ("unsubscirbe", "en", None),
        ("natgeo unsubscirbe", "en", Request("unsubscribe", ("natgeo",))),
        ("muestrame las histrias de shakira", "es", Request("stories", ("shakira",))),
        ("follow youtube", "en", Request("subscribe", ("youtube",))),
        ("bisa lihat story natgeo gak", "id", Request("stories", ("natgeo",))),
        ("möchte die Storys von heidi bekommen", "de", Request("stories", ("heidi",))),
        ("warini story natgeo", "ar", Request("stories", ("natgeo",))),
        ("natgeo ro neshun bede", "fa", Request("stories", ("natgeo",))),
        ("hollow knight", "en", None),
        ("remote control", "en", None),
        ("@sotp natgeo", "en", None),
    ],
)
def test_chat_spellings_and_typing_errors_are_understood(
    text: str, language: str, request_: Request
) -> None:
    assert request_in(text, language) == request_


@pytest.mark.parametrize(
    ("text", "language", "command"),
    [
        ("how many credits do i have left", "en", "usage"),
        ("my balance", "en", "usage"),
        ("cuál es mi saldo", "es", "usage"),
        ("сколько кредитов осталось", "ru", "price"),
        ("check more often", "en", "options"),
        ("öfter prüfen", "de", "options"),
        ("less often please", "en", "settings"),
        ("change time to berlin", "en", "settings"),
        ("saati değiştir", "tr", "settings"),
        ("once a day please", "en", "options"),
        ("quieter please", "en", "options"),
        ("quieter", "en", "options"),
        ("leiser", "de", "options"),
        ("send them as files", "en", "options"),
        ("who sees my searches", "en", "privacy"),
        ("quién ve mis búsquedas", "es", "privacy"),
        ("too slow", "en", "why"),
        ("slow down", "en", "settings"),
        ("too many alerts", "en", "unsubscribe"),
        ("are you there?", "en", "why"),
        ("hey there, just found you. what are you for?", "en", "help"),
        ("send nothing between 22:00 and 8:00", "en", "settings"),
        ("why did nothing come between 10 and 12", "en", "why"),
        ("anybody home", "en", "help"),
        ("orada kimse var", "tr", "help"),
        ("कोई है?", "hi", "help"),
        ("no alerts after 11pm", "en", "settings"),
        ("no alerts came between 10 and 12", "en", "why"),
        ("no alerts since 5pm", "en", "why"),
        ("nach 22 Uhr bitte nichts mehr", "de", "settings"),
        ("nessuna notifica dopo le 22", "it", "settings"),
        ("rien après 22h svp", "fr", "settings"),
        ("після 22 нічого не надсилай", "uk", "settings"),
        ("geceleri bildirim gelmesin", "tr", "settings"),
        ("bildirim gelmiyor", "tr", "why"),
        ("मैसेज नहीं आ रहे", "hi", "why"),
        ("not so many messages please", "en", "settings"),
        ("not a single message since monday", "en", "why"),
        ("reduce los avisos", "es", "settings"),
        ("bitte nicht so oft", "de", "settings"),
        ("réduis les messages", "fr", "settings"),
        ("bildirimleri azalt", "tr", "settings"),
        ("поменьше сообщений", "ru", "settings"),
        ("зменши кількість повідомлень", "uk", "settings"),
        ("kurangin pesannya dong", "id", "settings"),
        ("اینقدر زیاد نفرست", "fa", "settings"),
        ("just a recap every evening", "en", "options"),
        ("tudo junto uma vez por dia", "pt_BR", "options"),
        ("alles zusammen einmal am Tag", "de", "options"),
        ("raggruppa tutto in un messaggio", "it", "options"),
        ("hepsini tek seferde gönder", "tr", "options"),
        ("всё вместе раз в день", "ru", "options"),
        ("اجمعها كلها في رسالة واحدة", "ar", "options"),
        ("gabungin semua jadi satu pesan", "id", "options"),
        ("همه رو تو یک پیام بفرست", "fa", "options"),
        ("सब एक साथ दिन में एक बार भेजो", "hi", "options"),
        ("वही स्टोरी बार बार आती है", "hi", "why"),
        ("the same story over and over", "en", "why"),
        ("cuánto cuesta cada perfil", "es", "price"),
        ("oye cada cuánto miras", "es", "why"),
        ("combien coûtent tous les profils", "fr", "price"),
        ("كم سعر كل قصة", "ar", "price"),
        ("does my name show up", "en", "viewers"),
        ("pueden saber que soy yo?", "es", "viewers"),
        ("aparece meu nome pra pessoa?", "pt_BR", "viewers"),
        ("kriegt die Person das mit?", "de", "viewers"),
        ("compare il mio nome?", "it", "viewers"),
        ("ben olduğumu bilir mi", "tr", "viewers"),
        ("هل يظهر اسمي", "ar", "viewers"),
        ("ketauan ga kalo aku liat", "id", "viewers"),
        ("моє ім'я буде видно?", "uk", "viewers"),
        ("معلوم میشه من دیدم؟", "fa", "viewers"),
        ("मेरा नाम दिखेगा क्या", "hi", "viewers"),
        ("does the account get notified", "en", "viewers"),
        ("¿avisan a la cuenta?", "es", "viewers"),
        ("akunnya dapat notifikasi gak", "id", "viewers"),
        ("can @natgeo see that it's me", "en", "viewers"),
        ("your clock is off by two hours", "en", "settings"),
        ("die Uhr geht falsch", "de", "settings"),
        ("so ein Mist, nix geht hier", "de", "why"),
        ("enough notifications for today", "en", "pause"),
        ("no more alerts today", "en", "pause"),
        ("basta notifiche per oggi", "it", "pause"),
        ("por hoy ya", "es", "pause"),
        ("why did you stop today", "en", "why"),
        ("what's new", "en", "stories"),
        ("show me the list", "en", "subscriptions"),
        ("cancelar todo", "es", "unsubscribe"),
        ("do you work with tiktok", "en", "content"),
        ("show me my followers", "en", "content"),
        ("quita el sonido", "es", "options"),
        ("the picture is blurry", "en", "options"),
        ("the video doesn't play", "en", "why"),
        ("пришло два раза", "ru", "why"),
        ("mute", "en", "subscriptions"),
        ("silenciar", "es", "subscriptions"),
        ("pausar", "pt_BR", "pause"),
        ("stumm", "de", "subscriptions"),
        ("pause", "fr", "pause"),
        ("pausa", "it", "pause"),
        ("sustur", "tr", "subscriptions"),
        ("jeda", "id", "pause"),
        ("🔇", "en", "subscriptions"),
        ("🛑", "en", "unsubscribe"),
        ("🆘", "en", "help"),
        ("⚙️", "en", "settings"),
        ("🌐", "en", "language"),
        ("💰?", "en", "price"),
        ("البوت وقف", "ar", "why"),
    ],
)
def test_each_wish_without_a_name_has_its_command(
    text: str, language: str, command: Command
) -> None:
    assert request_in(text, language) == Request(command)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("i'm tired of natgeo", "en"),
        ("no longer follow natgeo", "en"),
        ("🚫 natgeo", "en"),
        ("me cansé de natgeo", "es"),
        ("chega de natgeo", "pt_BR"),
        ("natgeo kann weg", "de"),
        ("j'en ai fini avec natgeo", "fr"),
        ("natgeo mi annoia", "it"),
        ("natgeo bitsin", "tr"),
        ("выкинь natgeo", "ru"),
        ("زهقت من natgeo", "ar"),
        ("udah males sama natgeo", "id"),
        ("викинь natgeo", "uk"),
        ("natgeo رو پاک کن", "fa"),
        ("natgeo से बोर हो गया", "hi"),
    ],
)
def test_a_profile_of_which_people_are_tired_is_stopped(text: str, language: str) -> None:
    assert request_in(text, language) == Request("unsubscribe", ("natgeo",))


@pytest.mark.parametrize(
    ("text", "language"),
    [("my name is John", "en"), ("mein Name ist Jan", "de"), ("मेरा नाम राहुल है", "hi")],
)
def test_an_own_name_is_no_question_about_viewers(text: str, language: str) -> None:
    assert request_in(text, language) is None


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("muéstrame versace", "es", "versace"),
        ("muéstrame cobrakai", "es", "cobrakai"),
        ("mostra versace", "pt_BR", "versace"),
        ("mostra postmalone", "pt_BR", "postmalone"),
        ("mostra mandy", "pt_BR", "mandy"),
        ("zeig nervo", "de", "nervo"),
        ("mostrami mandzukic", "it", "mandzukic"),
        ("silentlive göster", "tr", "silentlive"),
        ("mileycyrus dikhao", "hi", "mileycyrus"),
        ("aamirkhan dikhao", "hi", "aamirkhan"),
        ("muéstrame ponyo", "es", "ponyo"),
        ("muéstrame pontiac", "es", "pontiac"),
        ("muéstrame cambiamemag", "es", "cambiamemag"),
        ("muéstrame publimetro", "es", "publimetro"),
        ("mostra mudabrasil", "pt_BR", "mudabrasil"),
        ("montre changelog", "fr", "changelog"),
        ("montre affichemag", "fr", "affichemag"),
        ("mostrami cambiamondo", "it", "cambiamondo"),
        ("mostrami impostafoto", "it", "impostafoto"),
        ("profilozluk göster", "tr", "profilozluk"),
        ("kalitekafe göster", "tr", "kalitekafe"),
        ("show eraserhead", "en", "eraserhead"),
    ],
)
def test_the_beginning_of_a_name_can_be_a_verb(text: str, language: str, name: str) -> None:
    assert request_in(text, language) == Request("stories", (name,))


@pytest.mark.parametrize(
    ("words", "language", "request_"),
    [
        ("when natgeo posts", "en", Request("subscribe", ("natgeo",))),
        ("cuando natgeo publique", "es", Request("subscribe", ("natgeo",))),
        ("когда natgeo выложит", "ru", Request("subscribe", ("natgeo",))),
        ("when somebody posts", "en", None),
    ],
)
def test_a_long_text_about_posts_requests_a_subscription(
    words: str, language: str, request_: Request | None
) -> None:
    assert request_in(f"{'word ' * 12} {words} again", language) == request_


def test_a_long_text_with_a_known_name_is_a_request() -> None:
    text = "natgeo is there since two days and i got zero messages from it so far"
    assert request_in(text, "en") is None
    assert request_in(text, "en", has_known_name=True) == Request("why", ("natgeo",))


@pytest.mark.parametrize("text", ["remove all but natgeo", "unsubscribe nasa but not natgeo"])
def test_a_name_after_but_is_not_unsubscribed(text: str) -> None:
    request = request_in(text, "en")
    assert request is not None
    assert request.command == "unsubscribe"
    assert "natgeo" not in request.names


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("privatbank", "de"),
        ("stummfilm", "de"),
        ("borratos", "es"),
        ("eliminatorias", "es"),
        ("inscritoshow", "pt_BR"),
        ("cancellata.mente", "it"),
        ("privatclub", "it"),
        ("expliquemoitout", "fr"),
        ("hargaemas", "id"),
    ],
)
def test_a_name_that_begins_like_a_word_of_requests_is_a_name(name: str, language: str) -> None:
    for written in (name, f"@{name}"):
        found = request_in(f"subscribe {written}", language)
        assert found is not None
        assert found.names == (name,), written


@pytest.mark.parametrize(
    ("word", "language"),
    [
        ("bórrame", "es"),
        ("elimínalo", "es"),
        ("pausar", "es"),
        ("enviármelas", "es"),
        ("apagar", "pt_BR"),
        ("enviando", "pt_BR"),
        ("löschen", "de"),
        ("privaten", "de"),
        ("supprimer", "fr"),
        ("envoyez", "fr"),
        ("cancellarmi", "it"),
        ("privati", "it"),
        ("kirimkan", "id"),
    ],
)
def test_a_form_of_a_word_of_requests_is_no_name(word: str, language: str) -> None:
    assert is_request_word(word, language)


@pytest.mark.parametrize("command", _PATTERNS)
def test_no_language_repeats_a_pattern(command: Command) -> None:
    # Two spellings are the same pattern if only accents differ, as in "grátis" and "gratis".
    for language, text in _PATTERNS[command].items():
        patterns = Counter(_patterns_in({language: text}, language))
        repeated = [pattern for pattern, count in patterns.items() if count > 1]
        assert not repeated, language
