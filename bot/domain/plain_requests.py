"""The recognition of requests in plain words, which are short texts without a slash.

A text matches a pattern if the text contains all words of the pattern. A ``*`` stands for any
ending of a word, or for the endings in ``_ENDINGS``. A sign before a pattern means:

- ``+``: The text must also contain a possible profile name.
- ``-``: The text must not contain a possible profile name.
- ``^``: The text must begin with the words, in this order.
- ``=``: The text must have exactly the words, in this order.

Words of politeness are ignored for ``^`` and ``=``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from bot.domain import links
from bot.domain.common_words import is_common_word
from bot.domain.everyday_words import (
    FILLERS,
    is_connective,
    is_everyday_word,
    is_number_or_time_word,
    normalize_word,
    normalized_phrases,
    strip_punctuation,
)
from bot.domain.foreign_text import (
    fold_for_comparison,
    main_part_beside_apostrophe,
    normalize_typed,
    separate_latin_from_arabic_and_devanagari,
    typed_words,
)
from bot.domain.pauses import has_pause_word, has_span, has_today, is_only_span
from bot.domain.talk import SMALL_TALK, is_small_talk, is_unlikely_name

Command = Literal[
    "help", "settings", "language", "privacy", "price", "export", "subscriptions", "usage",
    "subscribe", "unsubscribe", "stories", "highlights", "why", "viewers", "places", "options",
    "content", "several", "days", "pause",
]  # fmt: skip
"""The subject of a request, which is a command of the bot, or one of these subjects:

- "price": the price of the bot;
- "viewers": whether a profile sees who watches its stories;
- "places": the use of the bot in a channel or group;
- "options": the options of a subscription or of all subscriptions, as in "only videos", "once a
  day" or "check more often";
- "content": for example posts, reels or other networks, which the bot does not show;
- "several": whether a chat can have several profiles;
- "days": alerts only on certain days of the week;
- "pause": a pause of the alerts of a profile or of all alerts, or the end of the pause.
"""

_SEPARATOR = re.compile("([,;])")
_LONGEST = 12  # the usual maximum number of words of a request, because a longer text is prose
# A typing error in a verb is corrected only if the verb has at least this number of letters. The
# numbers are for a transposition, for a missing or additional letter, and for a wrong letter.
_LEAST_TRANSPOSED = 4
_LEAST_WITH_OTHER_LENGTH = 6
_LEAST_WITH_WRONG_LETTER = 8
_IN_NAMES = frozenset("@._/")  # the signs in profile names and links
_LONGEST_WITH_NAME = 30  # the maximum number of words of a text in which stored names are sought
_VERBS: tuple[Command, ...] = ("unsubscribe", "highlights", "subscribe", "stories")
"""The commands for profiles.

Requests of other commands have no profile names, except those in ``_WITH_NAMES``.
"""
_WITH_NAMES = frozenset({*_VERBS, "privacy", "why", "options", "pause"})

_PATTERNS: dict[Command, dict[str, str]] = {
    "privacy": {
        "en": "delete account|delete data|delete everything|delete me|delete information"
        "|^yes delete"
        "|delete info"
        "|delete history|-delete profile|delete stuff|erase|erased|erases|erasing|forget me"
        "|remove account|remove data|my data|privacy|close account|cancel account|gdpr"
        "|wipe account|wipe data|wipe everything|clear data|clear my data|clear account"
        "|deactivate account|stored about me|data about me"
        "|searches see|searches sees|see search|sees search|my searches|search history"
        "|keep my chats|keep my messages|keep my data|keep my searches|keep chats|keep logs"
        "|store my|storing my|you store|store messages|store chats|store data"
        "|save my messages|save my chats|save what i|save my searches|know about me"
        "|knows about me|read my messages|read my chats|logging what|log what|log my"
        "|data collect|info collect|collect about|sell my|share my data|share my info"
        "|record my|scrub me|purge my|purge me|purge data|trash info|trash data|rid data"
        "|rid info|your database|who sees my list|who else sees|others see my list"
        "|^who can see what i follow|^who can see who i follow|is this safe|is it safe"
        "|my info"
        "|traces of me|all traces|remember our|remember what i|remember conversation"
        "|long keep"
        "|-friends see|-friend see|-family see|-wife see|-husband see|-girlfriend see"
        "|-boyfriend see"
        "|-parents see|-mom see|-anyone else see|-anybody else see|-see what i ask"
        "|-with my messages|-with my data"
        "|-see what i type"
        "|-see what i search|-see my chat|-see my messages"
        "|keep record|keep a record|keep track what|record of what|record what|what i look at"
        "|what i looked at|know what i watch|see what i watch|see what i look|knows what i"
        "|know what profiles|which profiles i|what profiles i watch|what profiles i look"
        "|wife read|husband read|girlfriend read|boyfriend read|-friend read"
        "|-friends read|-family read|-parents read|boss read|-boss see|-anyone read"
        "|-anybody read|-someone read|-others read|-people read|-read what i|-reads what i"
        "|-who can read|-who reads|-anyone see what|-anyone see my|-anybody see what"
        "|-anybody see my",
        "es": "borra* cuenta|borra* datos|borra* todo|elimina* cuenta|elimina* datos"
        "|elimina* todo|privacidad|mis datos|cerrar cuenta"
        "|dar de baja cuenta|borrar registro|datos míos"
        "|mis búsquedas|búsquedas ve|búsquedas ven|búsquedas veis"
        "|borra* información|elimina* información|quita datos|quita mis datos"
        "|quita información|mi información|guardas mensajes|guardas mis|guardan mis"
        "|guardas datos|qué guardas|sabes de mí|sabe de mí|saben de mí|vendes datos|lees mis"
        "|leen mis|limpia mis datos|es seguro usar"
        "|cuánto guardas|cuánto tiempo guardas"
        "|-amigos ven|-amigos ver|-ver lo que pregunto|-ve lo que pregunto|-ver lo que busco"
        "|-ve lo que busco|-quién puede ver lo que|-quién ve lo que|-alguien más ve"
        "|-alguien más ver"
        "|qué perfiles miro|qué perfiles veo|qué miro|qué perfiles sigo|saben qué|guarda registro"
        "|guardas registro"
        "|-leer lo que|-lee lo que|-leen lo que|-mujer ver|mujer leer|-marido ver"
        "|marido leer|-esposa ver|esposa leer|-esposo ver|-esposo leer|-jefe ver|jefe leer"
        "|-novia ver|novia leer|-novio ver|novio leer|-alguien leer|-alguien ver lo que",
        "pt_BR": "apaga* conta|apaga* dados|apaga* tudo|exclui* conta|exclui* dados|exclui* tudo"
        "|apague tudo|apague dados|apague conta|exclua tudo|exclua conta"
        "|deleta* conta|deleta* dados|deleta* tudo|privacidade|meus dados|encerrar conta"
        "|apaga* cadastro|exclui* cadastro|meu cadastro"
        "|minhas pesquisas|minhas buscas|pesquisas vê|pesquisas veem|buscas vê|buscas veem"
        "|apaga* informações|exclui* informações|deleta* informações|minhas informações"
        "|some meus dados|guarda mensagens|guarda minhas|guardam minhas|salva minhas"
        "|salvam minhas|salva mensagens|sabe de mim|sabem de mim|que guarda|lê minhas"
        "|leem minhas|limpa meus dados|limpa dados|é seguro usar"
        "|quanto tempo guarda"
        "|-amigos vêem|-amigos ver|-amigos vão ver|-que eu pergunto|-que eu procuro"
        "|-que eu pesquiso|-quem pode ver o que|-quem vê o que|-mais alguém vê"
        "|quais perfis eu|que perfis eu|que eu vejo|o que eu olho"
        "|-ler o que|-lê o que|-mulher ver|mulher ler|-marido ver|marido ler|-esposa ver"
        "|esposa ler|-chefe ver|chefe ler|-namorada ver|namorada ler|-namorado ver"
        "|namorado ler|-alguém ler|-alguém vê o que|-alguém ver o que",
        "de": "konto lösch*|account lösch*|daten lösch*|alles lösch*|lösch* mich|datenschutz"
        "|meine daten|vergiss mich"
        "|profil von mir lösch*|registrierung lösch*"
        "|meine suchen|suchen sieht|suche sieht|suchverlauf"
        "|infos lösch*|informationen lösch*|daten entfern*|infos entfern*|entferne infos"
        "|entferne daten|meine infos|infos über mich|informationen über mich|weißt über mich"
        "|wisst über mich|speicherst chats|speicherst nachrichten|was speicherst"
        "|speicherst daten|speichert über|gespeichert über|liest du mit|liest mit|lest mit"
        "|liest meine|datenbank"
        "|wie lange speicherst"
        "|-freunde sehen|-freunde das sehen|-wer sieht was ich|-wer kann sehen was ich"
        "|-sehen was ich frage|-sehen was ich suche|-sehen was ich schreibe|-sonst jemand sehen"
        "|wen ich mir|welche profile ich|was ich mir ansehe|was ich mir anschaue|wonach ich suche"
        "|frau lesen|-frau sehen|mann lesen|-mann sehen|chef lesen|-chef sehen"
        "|-freundin sehen|freundin lesen|freund lesen|-freund sehen|jemand lesen"
        "|-lesen was ich|-liest was ich|-mitlesen",
        "fr": "supprim* compte|supprim* données|supprim* tout|efface* compte|efface* données"
        "|efface* tout|mes données|confidentialité|vie privée"
        "|effacer données|fermer compte|supprime inscription mienne"
        "|mes recherches|recherches voit"
        "|supprim* infos|supprim* informations|efface* infos|efface* informations"
        "|effacer infos|vire infos|virer infos|vire données|virer données|enlève données"
        "|enlève infos|retire données|retire infos|mes infos|mes informations|gardes mes"
        "|gardez mes|gardes messages|sais sur moi|savez sur moi|infos sur moi|données sur moi"
        "|stockes|stockez|enregistres mes|enregistrez mes|lis mes|lisez mes|vends mes"
        "|combien de temps gardes"
        "|-amis voient|-amis voir|-amis peuvent voir|-qui voit ce que je|-qui peut voir ce que je"
        "|-que je cherche|-que je demande|-quelqu'un d'autre voit"
        "|quels profils je regarde|ce que je regarde|qui je regarde"
        "|femme lire|-femme voir|mari lire|-mari voir|patron lire|-patron voir"
        "|-copine voir|copine lire|-copain voir|copain lire|-quelqu'un lire|-lire ce que"
        "|-lire mes|-qui peut lire",
        "it": "cancella* account|cancella* dati|cancella* tutto|elimina* account|elimina* dati"
        "|elimina* tutto|miei dati|cancella* profilo mio"
        "|cancellami|chiudi account|chiudere account"
        "|mie ricerche|ricerche vede"
        "|cancella* informazioni|elimina* informazioni|togli dati|togli informazioni"
        "|rimuovi dati|rimuovi informazioni|mie informazioni|salvi messaggi|salvi i miei"
        "|salvi le mie|conservi messaggi|conservi chat|conservi dati|sai di me|sapete di me"
        "|leggi i miei|leggi le mie|vendi dati"
        "|quanto tempo conservi"
        "|-amici vedono|-amici vedere|-quello che cerco|-cosa cerco|-quello che chiedo"
        "|-chi può vedere cosa|-chi può vedere quello|-chi altro vede|-chi altro può vedere"
        "|quali profili guardo|quello che guardo|cosa guardo|chi guardo"
        "|moglie leggere|-moglie vedere|marito leggere|-marito vedere|capo leggere"
        "|-capo vedere|-ragazza vedere|ragazza leggere|-ragazzo vedere|ragazzo leggere"
        "|qualcuno leggere|-leggere quello|-leggere cosa|-chi può leggere",
        "tr": "hesabımı sil|hesabımı silin|hesabımı siler|hesabımı silmek"
        "|hesap sil"
        "|hesap silin|hesap siler|hesap silmek|verilerimi sil|verilerimi silin"
        "|verilerimi siler|verilerimi silmek|her şeyi sil|her şeyi silin"
        "|her şeyi siler|her şeyi silmek|gizlilik"
        "|verilerim"
        "|aramalarım*"
        "|bilgilerimi sil|bilgilerimi silin|bilgilerimi|saklıyor musun|saklıyor musunuz"
        "|kaydediyor musun|hakkımda|beni unut|kayıtlarımı temizle|verilerimi temizle"
        "|mesajlarımı okuyor|mesajlarımı saklıyor"
        "|-arkadaşlarım görebilir|-arkadaşlarım görür|-arkadaşlarım görüyor|-ne aradığımı"
        "|-ne sorduğumu|-ne yazdığımı|-başkası görebilir|-başkaları görebilir"
        "|-karım görebilir|-karım görür|-karım okuyabilir|-kocam görebilir|-kocam okuyabilir"
        "|-eşim görebilir|-eşim okuyabilir|-patronum görebilir|-patronum okuyabilir"
        "|-biri okuyabilir|-başkası okuyabilir|-yazdıklarımı|-sorduklarımı",
        "ru": "удали* аккаунт*|удали* данны*|удали* всё|удали* меня|стереть данны*"
        "|сотри* данны*|мои данные|конфиденциальност*|приватност*|удали* учетн*"
        "|забудь меня"
        "|стереть меня|сотри меня|удалить профиль мой"
        "|мои поиск*|мои запрос*|мои запросы|поиски видит"
        "|удали* информаци*|удали* инф*|сотри* инф*|сотри* все|сотри* всю"
        "|стереть информаци*|стереть все|хранишь|храните|знаешь обо мне|знаете обо мне"
        "|данные обо мне|инф* обо мне|всё обо мне|читаешь переписк*|читаешь мои"
        "|читаешь сообщ*|читаешь чат*|сохраняешь чат*|сохраняешь сообщ*|сохраняешь переписк*"
        "|мою инф*|моя инф*"
        "|сколько хранишь"
        "|-друзья видят|-друзья увидят|-друзья видеть|-друзья могут|-кто видит что я"
        "|-кто может видеть что я|-видит что я ищу|-видят что я ищу|-что я спрашиваю"
        "|-кто видит мои"
        "|-жена увидит|-жена видит|-жена прочита*|-жена читать|-муж увидит|-муж видит"
        "|-муж прочита*|-муж читать|-начальник увидит|-начальник прочита*|-кто-то прочита*"
        "|-кто-нибудь прочита*|-может прочитать|-что я пишу",
        "ar": "احذف حسابي|حذف حسابي|حذف الحساب|احذف بياناتي|حذف بياناتي|حذف البيانات|الخصوصية"
        "|بياناتي|احذف كل|امسح بياناتي|مسح بياناتي|حذف كل"
        "|عمليات بحثي|سجل البحث|بحثي"
        "|معلوماتي|احذف معلومات|امسح معلومات|تحفظ رسائل*|تحفظ محادثات*|تخزن رسائل*"
        "|تخزن المحادثات|تخزن بيانات*|تعرف عني|تعرفون عني|تقرأ رسائل*|محادثاتي"
        "|-أصدقائي يرون|-أصدقائي يشوف*|-اصحابي يشوف*|-مين يشوف|-من يرى ما أبحث"
        "|-اللي ابحث عنه|-ما أبحث عنه"
        "|-زوجتي ترى|-زوجتي تقرأ|-زوجتي تشوف|-زوجي يرى|-زوجي يقرأ|-زوجي يشوف|-مديري يرى"
        "|-مديري يقرأ|-مديري يشوف|-أحد يقرأ|-حد يقرأ",
        "id": "hapus akun|hapus data|hapus semua|privasi|data saya|hapus akunku"
        "|hapus semuanya|hapus datanya"
        "|pencarianku|pencarian saya|riwayat pencarian"
        "|hapus info|hapus infoku|hapus informasi|hapus dataku|infoku|dataku|chatku disimpan"
        "|chat disimpan|pesan disimpan|pesanku disimpan|nyimpen chat|nyimpen pesan"
        "|nyimpen pesanku|nyimpan chat|menyimpan pesan|menyimpan chat|tau tentang aku"
        "|tahu tentang aku|tahu tentang saya|tau tentang saya|tau apa tentang|baca chatku"
        "|baca pesanku"
        "|-temanku lihat|-teman lihat|-teman melihat|-temanku melihat|-orang lain lihat"
        "|-orang lain melihat|-yang aku cari|-yang aku tanya|-yang saya cari"
        "|-istriku baca|-istri baca|-istriku lihat|-istri lihat|-suami baca|-suamiku baca"
        "|-suami lihat|-suamiku lihat|-bosku baca|-bosku lihat|-pacarku baca|-pacarku lihat"
        "|-orang lain baca|-orang lain membaca|-yang aku tulis",
        "uk": "видали* акаунт*|видали* обліков*|видали* дані|видали* все|видали* мене|мої дані"
        "|приватніст*|конфіденційніст*|забудь мене"
        "|мої пошук*|мої запит*"
        "|видали* інф*|зітри* інф*|зітри* все|зітри* всю|зітри* дані|стерти дані|стерти інф*"
        "|зберігаєш|зберігаєте|знаєш про мене|знаєте про мене|дані про мене|інф* про мене"
        "|все про мене|читаєш переписк*|читаєш мої|читаєш повідом*|мою інф*|моя інф*"
        "|-друзі бачать|-друзі побачать|-друзі бачити|-друзі можуть|-хто бачить що я"
        "|-хто може бачити що я|-що я шукаю|-що я питаю|-хто бачить мої"
        "|-дружина бачить|-дружина побачить|-дружина прочита*|-чоловік бачить"
        "|-чоловік побачить|-чоловік прочита*|-начальник побачить|-начальник прочита*"
        "|-хтось прочита*|-може прочитати|-що я пишу",
        "fa": "حسابم حذف|حساب حذف|حسابمو حذف|اکانتم حذف|اکانتمو حذف|اطلاعاتم حذف|داده‌هایم حذف"
        "|همه پاک|داده‌هایم پاک"
        "|همه حذف|حریم|حسابم پاک|اکانتم پاک|اطلاعاتم پاک"
        "|اطلاعاتمو پاک|اطلاعاتمو حذف|اطلاعات منو پاک|اطلاعات منو حذف|داده‌هامو پاک"
        "|داده‌هامو حذف|حسابمو پاک|اکانتمو پاک|جستجوهام|جستجوهای من|سرچ‌هام"
        "|پیام‌هامو نگه|پیامامو نگه|چت‌هامو|چتامو|ذخیره می‌کنی|از من می‌دونی"
        "|درباره من|پیام‌هامو میخونی|پیامامو میخونی|پیام‌هام"
        "|داده هام|داده‌هام|اطلاعاتم کجا"
        "|-دوستام ببینن|-دوستام می‌بینن|-دوستانم ببینند|-دوستانم می‌بینند"
        "|-کسی میبینه چی|-چی سرچ میکنم|-چی جستجو"
        "|-زنم ببینه|-زنم بخونه|-شوهرم ببینه|-شوهرم بخونه|-همسرم ببینه|-همسرم بخونه"
        "|-رئیسم ببینه|-رئیسم بخونه|-کسی بخونه|-کسی می‌خونه",
        "hi": "अकाउंट डिलीट|खाता डिलीट|डेटा डिलीट|सब डिलीट|अकाउंट हटा*|खाता हटा*|डेटा हटा*"
        "|सब मिटा*|सब हटा*|सब कुछ मिटा*"
        "|प्राइवेसी"
        "|मेरा डेटा|अकाउंट मिटा*|डेटा मिटा*"
        "|मेरी खोज|मेरे सर्च|meri search|mere search"
        "|जानकारी हटा*|जानकारी डिलीट|जानकारी मिटा*|मेरी जानकारी|मैसेज सेव|चैट सेव|मेरे बारे"
        "|meri jankari|meri jaankari|mere bare|mere baare|message save|messages save"
        "|chat save"
        "|-दोस्त देख|-दोस्तों को दिख*|-कोई और देख|-dost dekh|-dosto ko dikh*|-koi aur dekh"
        "|-kya dhundta|-kya search"
        "|-पत्नी पढ़*|-पत्नी देख*|-बीवी पढ़*|-बीवी देख*|-पति पढ़*|-पति देख*|-बॉस पढ़*"
        "|-बॉस देख*|-कोई पढ़*|-biwi padh|-biwi dekh|-pati padh|-pati dekh|-boss padh"
        "|-boss dekh|-koi padh",
    },
    "price": {
        "en": "cost|costs|price|prices|pricing|how much|free|pay|paid|payment|charge|fee|fees"
        "|expensive|money"
        "|pays|paying|charged|charges|charging|billed|bill|cheap|dollar|dollars|euro"
        "|euros|usd|credit card|subscription fee|afford|premium"
        "|=💰|=💲|=💵|damage per"
        "|^what's the damage|^what is the damage|break bank|will set back"
        "|would set back|did set back|set back month|pricey|how steep|owe you|-need card"
        "|cost anything"
        "|monthly plan|monthly fee|yearly plan|take paypal|accept paypal|via paypal"
        "|with paypal|top up|discount|refund|invoice|gonna run"
        "|what's damage|what is damage|damage for|total damage",
        "es": "cuesta|cuestan|cuánto|precio|precios|gratis|pagar|pago|costo|coste"
        "|cobra|cobran|cobras|cobrar|cobro|cobrando|cobraron|dinero|caro"
        "|vale al mes|cuánto vale|pagas|paga|pagando|pagado|de pago|gratuito|gratuita"
        "|pesos|tarifa"
        "|barato|barata|qué valor|abonar algo|^a cómo"
        "|plan mensual|mensualidad|descuento|recargar|reembolso",
        "pt_BR": "custa|custam|quanto|preço|grátis|gratuito|pagar|pago|custo"
        "|de graça"
        "|cobra|cobram|cobrar|cobro|cobrando|cobraram|cobrou|cobrado|dinheiro|caro"
        "|pago alguma|paga|reais|de pago|gratuita|quanto sai|cobrança|mensalidade"
        "|tarifa"
        "|qual valor|qto|qnto|qnt|barato|barata"
        "|plano mensal|desconto|reembolso",
        "de": "kostet|kosten|preis|preise|kostenlos|gratis|umsonst|bezahlen|zahlen|wieviel"
        "|wie viel"
        "|teuer|gebühr*|geld"
        "|zahle|zahlt|bezahle|bezahlt|kostest|abzock*|preislich|kostenfrei|kohle"
        "|nimmst dafür|verlangst|für lau|günstig|blechen|billig"
        "|monatsabo|rabatt|aufladen|mit paypal|monatlich preis",
        "fr": "coûte|combien|prix|gratuit|payer|payant|tarif|tarifs"
        "|payante|gratuite|cher|argent"
        "|coûtent|paie|paye|paient|gratos|payantes|abonnement payant"
        "|raquer|onéreux|onéreuse|carte bleue|carte bancaire|débourser"
        "|abonnement mensuel|remise|remboursement|recharger",
        "it": "costa|costano|quanto|prezzo|prezzi|gratis|gratuito|pagare|costo"
        "|gratuita|pagamento|soldi"
        "|paga|pago|pagato|tariffa|tariffe|gratuitamente|a pagamento|costare"
        "|sborsa|sborsare|è caro|troppo caro|costoso|costosa|la spesa|sganciare|economico"
        "|abbonamento mensile|sconto|ricarica|rimborso",
        "tr": "ücret*|ne kadar|fiyat*|kaç para|kaça|bedava|ücretsiz|ödeme*|paralı"
        "|para"
        "|parası|paralı mı|lira|tl|ücretli|beleş"
        "|pahalı|ucuz|masraf|masrafı|masraflı"
        "|aylık|indirim var|iade",
        "ru": "сколько|цена|цены|стоит|стоимост*|бесплатн*|платить|платно|платный|оплат*"
        "|платн*|деньг*"
        "|заплатить|плачу|рублей|рубл*|ценник|тариф*|халяв*"
        "|почем|дорого|дешево|башлять|обойдется|прайс"
        "|скидк*|пополнить|возврат",
        "ar": "كم|السعر|سعر|التكلفة|تكلفة|مجاني|مجانًا|الدفع|أدفع|بكم"
        "|فلوس|مدفوع|ببلاش|ثمن|الثمن|سعره|رسوم"
        "|بفلوس|مجانية|بلاش|دولار|ريال"
        "|بكام|قديش|أديش|بقديش|يكلف|تكلف|بكلف|بيكلف|كلفة|=غالي|غالي ولا|مو غالي|مش غالي"
        "|هل غالي|رخيص"
        "|اشتراك شهري|خصم|تخفيض"
        "|bikam|bkam|be kam|kam el se3r|b kam|majani|majjani|b2adesh",
        "id": "berapa harga*|harga*|biaya*|bayar*|gratis|berapa"
        "|berbayar|duit|uang"
        "|bayarnya|mahal|murah|rupiah|tarif|biayanya"
        "|ongkos|ongkosnya|=brp|=brp ya|=brp sih|=brp bang|brp harga*|brp biaya|brp bayar"
        "|ongkosnya brp|brp rupiah|tarifnya|dikenakan"
        "|paket bulanan|ada paket|diskon",
        "uk": "скільки|ціна|ціни|коштує|вартіст*|безкоштовн*|платити|платно|оплат*"
        "|платн*|грош*"
        "|плачу|заплатити|гривень|гривн*|тариф*|дорого|безплатн*"
        "|почім|дешево|обійдеться|прайс"
        "|знижк*|поповнити|повернення",
        "fa": "قیمت*|چنده|چند|رایگان*|هزینه*|پول|پولی|پرداخت"
        "|مجانی|چقدر|مفت"
        "|هزینه‌ش|پولیه|رایگانه|مجانیه|تومن|تومان|قیمتش"
        "|گرون|گرونه|گران|ارزون|ارزونه|ارزان|خرجش|خرج داره|درمیاد"
        "|ماهیانه|ماهانه|تخفیف"
        "|puli|pulie|hazine|cheghadr|ghimat|rayegan|rayegane",
        "hi": "कितने पैसे|कितना|कीमत|दाम|पैसे|मुफ़्त|फ्री|शुल्क|खर्च"
        "|kitna|kitne|paisa|paise|रुपये|पैसा"
        "|महंगा|सस्ता|free hai|paise lagte|paise lagenge|रुपए|चार्ज"
        "|कितने का|कितने की|kharcha|mehnga|mahanga|sasta|सस्ती|महंगी"
        "|महीने का कितना|छूट",
    },
    "viewers": {
        "en": "see watched|see watch|see viewed|know watched|know watch|know viewed"
        "|know looked|see looked|see looking|know looking|anonymous|anonymously|seen by"
        "|-notice|-notices|they know|she know|he know|will know|secretly|who viewed"
        "|who watched|who watches|viewers|incognito|they see|she see|she sees|he see"
        "|he sees|my name see"
        "|know watching|get to know|gets to know|notified watch|notified view"
        "|notified look|told watch|alerted watch"
        "|they find out|can she find|can he find|will she find|will he find"
        "|tell watched|tell that watch|name show|name shows|name shown|name appear"
        "|name appears|name visible"
        "|am visible|i visible|me visible|viewer list|viewers list"
        "|get caught|private when watch|notification when look|notification when watch"
        "|notification when view|notification if look|notification if watch"
        "|tell looked|tell viewed|tell that i|tell if look|tell if looked|tell if viewed"
        "|-tell if i watch|=can she tell|=can he tell|=can they tell|=will she tell"
        "|=will he tell|=could she tell|=could he tell|^can she tell if|^can he tell if"
        "|^can they tell if|^can she tell that|^can he tell that|^can they tell i"
        "|^can she tell i|^can he tell i|be able to tell|give me away|gives me away"
        "|am invisible|i invisible|stay invisible|in stealth|stealthy|ghost mode|view count"
        "|as a viewer|in viewers|undetected|unnoticed|leave a trace|leave trace|leave traces"
        "|^does she get|^does he get|^do they get|^will she get|^will he get|^will they get"
        "|visible to them|visible to her|visible to him|account visible|find out i'm"
        "|find out that i|spying on|discreet|peeked"
        "|+will notice|+would notice|+notice that i|+notice if i|+notice when i|+notices if i"
        "|+realise that i|+realize that i"
        "|see it's me|see that it's me|know it's me|knows it's me"
        "|see me watch|see me watching|know who watched|know who's watching"
        "|see who's watching|see who is watching|account notified|profile notified"
        "|owner notified|person notified|they notified|notified that i"
        "|can see who i am|know who i am"
        "|does the person know|will the person know|does the account know|will the account know"
        "|does the owner know|will the owner know|does the profile know|will the profile know",
        "es": "anónimo|anónima|anónimamente|enteran|entera|enterará|enterarán|dan cuenta"
        "|da cuenta|saben vi|saben veo|sabe vi|sabe veo|ven vi|ve vi|ven veo|ve veo"
        "|quién vio"
        "|saben si|sabe si"
        "|le avisan|le avisa cuando|notificado cuando veo|notificada cuando veo"
        "|se le notifica"
        "|saber soy|saben soy|sabe soy|saber quién mira|saber miro|saber vi|saber veo"
        "|cuenta miro|aparece mi nombre|ve mi nombre|ven mi nombre|sale mi nombre|descubrir soy"
        "|cuenta miré"
        "|verá que|verán que|ver que vi|ver que la vi|ver que lo vi|ver que miré"
        "|ver que la miré|ver que lo miré|se nota|nota que|notará que|notarán que"
        "|soy invisible|aparezco en|lista de vistas|sabrá que|sabrán que|me ven|me verá"
        "|me verán|dejo rastro"
        "|me descubren|me descubre|me descubrirán|le llega notificación|le llega un aviso"
        "|le llega una notificación|les llega notificación"
        "|que soy yo|avisan a la cuenta|avisan al perfil|avisas a la cuenta|avisa a la cuenta"
        "|avisa al perfil|avisáis a la cuenta|cuenta recibe aviso|cuenta recibe notificación"
        "|perfil recibe|se da cuenta|me puede ver|ve mi cuenta|ven mi cuenta"
        "|sabe quién soy|saben quién soy"
        "|sabe q vi|ver q vi|ve q vi",
        "pt_BR": "anônimo|anônima|anonimamente|sabendo|sabe vi|sabe vejo|sabem vi|vê vi|veem vi"
        "|vê vejo|vai saber|vão saber|percebe|percebem|descobre|descobrem"
        "|sabe se"
        "|é avisada|é avisado|é notificada|é notificado"
        "|saber fui eu|sabe fui eu|ver fui eu|vê fui eu|saber vi|aparece nome"
        "|aparece meu nome|vê meu nome|veem meu nome|saber sou eu"
        "|vai ver que|ver que olhei|ver que vi|ver que eu vi|fui eu|invisível|apareço na"
        "|ele nota|ela nota|nota que|vai notar|notam que|me veem|deixo rastro|deixa rastro"
        "|ela recebe|ele recebe|eles recebem|me descobre|me descobrem|chega pra ela"
        "|chega pra ele"
        "|que sou eu|avisa a conta|avisam a conta|conta recebe|perfil recebe|conta fica sabendo"
        "|perfil fica sabendo|vê minha conta|sabe quem sou|dona da conta sabe"
        "|dono da conta sabe"
        "|ver q eu vi|ver q vi|sabe q eu vi|vê q eu vi",
        "de": "anonym|sieht dass|sehen dass|sieht wenn|sehen wenn|merkt|merken|erfährt"
        "|erfahren|mitbekommt|mitbekommen|heimlich|bekommt mit|weiß dass"
        "|weiß sie|wissen sie"
        "|benachrichtigt wenn anschaue|benachrichtigt wenn ansehe|bekommen mit"
        "|rausfinden dass|herausfinden dass|findet raus|finden raus|sieht meinen namen"
        "|sehen meinen namen|name angezeigt|name sichtbar|kriegt mit"
        "|kriegen mit|mitkriegt|mitkriegen"
        "|sehen geschaut|sieht geschaut|sehen geguckt|sieht geguckt|unsichtbar|tauche auf"
        "|fällt das auf|fällt es auf|checkt sie|checkt er|hinterlasse spuren|sieht mich"
        "|sehen mich|bemerkt|bemerken"
        "|kriegt sie|kriegt er|bekommt sie|bekommt er|^bekommen die|^kriegen die"
        "|bekommen die mit|kriegen die mit"
        "|account benachrichtigt|konto benachrichtigt|profil benachrichtigt"
        "|dass ich das bin|dass ich es bin|account bescheid"
        "|bekommt der account|bekommt das profil"
        "|weiß wer ich bin|dass ich zuschaue|dass ich gucke"
        "|wird sie benachrichtigt|wird er benachrichtigt|werden sie benachrichtigt"
        "|wird der benachrichtigt|wird die benachrichtigt",
        "fr": "anonyme|anonymement|sait que|savent que|voit que|voient que|voit si|voient si"
        "|va savoir|vont savoir|remarque|remarquent"
        "|sait si|savent si"
        "|est prévenue|est prévenu|est avertie|est averti|est notifiée|est notifié"
        "|savoir c'est moi|savoir regarde|savoir j'ai regardé|voir mon nom|voit mon nom"
        "|mon nom apparaît|mon nom affiche|mon nom afficher|mon nom affichera|mon nom visible"
        "|suis visible|notif quand regarde"
        "|notification quand regarde|voit j'ai regardé|découvrir c'est moi"
        "|voir j'ai regardé|voir j'ai vu|voir que je regarde|voit j'ai vu|elle va voir que"
        "|il va voir que|ils vont voir que|elles vont voir que|elle peut voir que"
        "|il peut voir que|ils peuvent voir que|verra que|verront que|verra si|verra j'ai"
        "|saura que|sauront que|elle saura|il saura|elle le saura|me voit|me voient"
        "|suis invisible|se voit que|est au courant|sera au courant|est courant personne"
        "|grillé|grillée|laisse traces"
        "|elle reçoit|il reçoit|ils reçoivent|elles reçoivent|elle recevra|il recevra"
        "|compte reçoit|profil reçoit|compte notifié|compte averti|profil prévenu"
        "|profil notifié|que c'est moi|sait qui je suis|savent qui je suis"
        "|voit mon compte",
        "it": "anonimo|anonima|anonimamente|sa che|sanno che|vede che|vedono che|vede se"
        "|vedono se|accorge|accorgono|accorgerà|saprà|sapranno"
        "|lo sa|sa se|sanno se"
        "|viene avvisata|viene avvisato|viene notificata|viene notificato"
        "|sapere sono io|sapere guardo|sapere ho guardato|compare mio nome|appare mio nome"
        "|vede mio nome|vedono mio nome|mi scopre|mi scoprono|scopre che|scoprono che"
        "|scoprire sono io"
        "|vedere ho visto|vedere ho guardato|vedere che guardo|vedrà che|vedranno che"
        "|sono invisibile|si nota|notano che|risulto tra|compaio tra|appaio tra|mi vede"
        "|mi vedono|lascio tracce"
        "|le arriva|gli arriva|lei riceve|lui riceve|riceve una notifica se"
        "|account riceve|profilo riceve|account notificato|profilo notificato|profilo avvisato"
        "|che sono io|sa chi sono|sanno chi sono|vede il mio profilo|vede il mio account"
        "|vedono il mio account",
        "tr": "anonim|anonimim|gizlice|görür mü|görüyor mu|görürler mi|haberi olur"
        "|haberleri olur|anlar mı|baktığımı|izlediğimi|gördüğümü"
        "|izlediğim anlaş*|bildirim gider mi|haberi olur mu|fark eder mi"
        "|baktığım belli|izlediğim belli|belli olur mu|adım görün*|ismim görün*"
        "|ismim çık*|öğrenir mi|öğrenebilir mi|anlaşılır mı|ben olduğumu"
        "|görünmez miyim|görünmezim|görünmez mi|ortaya çıkar|bilir mi izlediğimi|beni görür"
        "|beni görüyor|beni görebilir|beni fark|yakalanır mıyım|iz bırakır"
        "|ona bildirim|bildirim gidiyor mu|bildirim gider|haberi oluyor"
        "|hesaba bildirim|hesap bildirim alır|hesaba haber|profile bildirim|kim olduğumu"
        "|hesabımı görür|hesabımı görüyor|beni biliyor",
        "ru": "анонимн*|увид* что|узна* что|видит что|видят что|узнает|узнают|заметит|заметят"
        "|видно что|инкогнито|тайно|кто смотрел"
        "|придет уведомление|увидит ли|узнает ли"
        "|поймет что|поймут что|меня видно|меня видят|меня увидят|имя видно"
        "|имя видят|имя увид*|имя показыв*|имя отображ*|спалят|спалит|палит*"
        "|она поймет|он поймет|они поймут|догада*|невидим*|меня палит"
        "|спалюсь|в просмотрах|список просмотр*|меня заметят"
        "|ей придет|ему придет|им придет|ей приходит"
        "|ему приходит"
        "|что это я|это я смотрю|аккаунту придет|аккаунту приходит"
        "|уведомление аккаунту|владелец узна*|владелец увид*|мой профиль видно"
        "|мой аккаунт видно|мой аккаунт видят|кто я такой",
        "ar": "مجهول|مجهولة|يعرف أني|يعرفون أني|تعرف أني|يعرف أنني|سيعرف|ستعرف|يرى أني"
        "|يرون أني|يشوف أني|علم صاحب*|سرا|يدري أني|متخفي"
        "|يصلها إشعار|يصله إشعار|يوصلها إشعار"
        "|يظهر اسمي|يشوف اسمي|يشوفون اسمي|يبان|اني شفت|ينعرف|ينكشف"
        "|أنا مخفي|مخفي عن|بتعرف اني|بيعرف اني|يعرفوا اني"
        "|تعرف أنني|اني شفتها|اني شفته|يلاحظ|تلاحظ|بتلاحظ|بيلاحظ"
        "|يوصله اشعار|يجيها إشعار|يجيه إشعار"
        "|إشعار للحساب|إشعار لصاحب|صاحب الحساب يعرف|يعرف صاحب"
        "|أني أشاهد|إني أنا|أنه أنا|يعرفون مين|يعرف مين انا"
        "|يشوفون حسابي|يشوف حسابي"
        "|ya3ref inni|yaref inni|ta3ref inni",
        "id": "anonim|ketahuan|dia tahu|mereka tahu|orangnya tahu|dia tau|mereka tau"
        "|orangnya tau|diam-diam"
        "|dapat notifikasi kalau aku|dapet notif kalo aku"
        "|namaku muncul|namaku kelihatan|nama kelihatan|nama muncul|ketauan"
        "|namaku terlihat"
        "|kelihatan aku|keliatan aku|kelihatan gak|keliatan gak|aku terlihat"
        "|aku tidak terlihat|kepergok|tau kalo aku|tau kalau aku|tahu kalau aku|ada jejak"
        "|ninggalin jejak"
        "|dia dapet notif|dia dapat notif|dia dapat notifikasi|dia dikasih tau"
        "|tau gak aku|tahu gak aku|tau aku yang|tahu aku yang|aku yang nonton|aku yang lihat"
        "|aku yang liat|akunnya dapat notif|akunnya dapat notifikasi"
        "|akunnya dapet notif|akunnya dapet notifikasi|akun dapat notif"
        "|akun dapet notif|pemilik akun|tahu siapa aku",
        "uk": "анонімн*|побачить що|побачать що|дізна*|бачить що|бачать що|помітить|помітять"
        "|видно що|таємно|хто дивився"
        "|ім'я видно|ім'я бачать|ім'я побач*|мене видно|мене бачать|мене побачать"
        "|зрозуміє що|зрозуміють що"
        "|невидим*|здогада*|вона зрозуміє|він зрозуміє|вони зрозуміють|в переглядах"
        "|мене помітять"
        "|їй прийде|йому прийде|їм прийде|їй приходить|йому приходить"
        "|що це я|це я дивлюся|акаунту прийде|акаунту приходить|сповіщення акаунту"
        "|власник дізна*|власник побач*|мій акаунт видно|мій профіль видно",
        "fa": "ناشناس*|می‌فهمه|می‌فهمن|می‌فهمد|متوجه می‌شه"
        "|متوجه می‌شود|متوجه میشن|خبردار|مخفیانه"
        "|اسمم می‌بینه|اسمم نشون|اسمم معلوم|معلوم می‌شه من"
        "|ببینه من دیدم|ببینه که دیدم|می‌بینه من دیدم|دیده نمی‌شم|دیده میشم"
        "|لو می‌رم|لو نمیرم|نامرئی|بفهمه دیدم"
        "|بهش اعلان|بهش نوتیف|بهش پیام میره|براش اعلان"
        "|به پیج خبر|پیج خبر|پیج می‌فهم*|به اکانت|صاحب پیج|که منم|من هستم که"
        "|اکانتمو میبین*|اکانتم رو میبین*|mifahme|mifahman|motevajeh mishe",
        "hi": "गुमनाम|पता चलेगा|पता चल जाएगा|पता लगेगा|उसको पता|उसे पता|उन्हें पता|उनको पता"
        "|चुपके|pata chalega|pata lagega|usko pata|unko pata"
        "|नाम दिखेगा|नाम दिखता|नाम दिखाई|naam dikhega|naam dikhta|pata chal jayega"
        "|दिखेगा मैंने|दिखूंगा|दिखूंगी|मालूम पड़ेगा|मालूम चलेगा|कि मैंने देखा"
        "|ki maine dekha|malum padega|maloom padega|malum chalega|dikhunga|dikhungi|छुपकर"
        "|छिपकर"
        "|उसको नोटिफिकेशन|उसे नोटिफिकेशन|उसको अलर्ट|उसे अलर्ट|usko notification"
        "|use notification|unko notification"
        "|अकाउंट को नोटिफिकेशन|अकाउंट को पता|प्रोफ़ाइल को पता|पता चलता|pata chalta"
        "|account ko pata|account ko notification|main dekh raha|main dekh rahi|मैं देख रहा"
        "|मैं देख रही|कि मैं हूँ|ki main hu|ki main hoon",
    },
    "content": {
        "en": "-reels|-reel|-igtv|-livestream|-livestreams|-live videos|-live video|-posts too"
        "|-posts also|-also posts|-posts or|-or posts|-regular posts|-normal posts|-feed posts"
        "|-see posts|-show posts|-get posts|-send posts|-do posts|-their posts|-her posts"
        "|-his posts|-new posts|-private account|-private accounts|-private profile"
        "|-private profiles|-private stories|-private story|-private people|-private page"
        "|-private pages|-locked account|-locked accounts|-locked profile|-locked profiles"
        "|-profile picture|-profile pictures|-profile pic|-profile pics|-comments|-dms"
        "|followers|who follows me",
        "es": "-publicaciones|-publicación|-posts|-post|-en vivo|-directos"
        "|-cuentas privadas|-cuenta privada|-perfil privado|-perfiles privados|-perfil cerrado"
        "|-cuenta cerrada|-foto de perfil"
        "|seguidores"
        "|quién me sigue",
        "pt_BR": "-publicações|-publicação|-posts|-post|-ao vivo|-conta privada"
        "|-contas privadas|-perfil privado|-perfis privados|-perfil fechado|-conta fechada"
        "|-contas fechadas|-perfis fechados|-perfil trancado|-foto de perfil"
        "|seguidores"
        "|quem me segue",
        "de": "-beiträge|-beitrag|-posts|-private konten"
        "|-private konto|-privates konto|-privates profil|-privaten profile"
        "|-privaten profilen|-privaten konten|-privaten accounts"
        "|-private storys|-profilbild|-profilbilder"
        "|follower anzeigen|meine follower|wer folgt mir",
        "fr": "-publications|-publication|-posts|-compte privé|-comptes privés"
        "|-profil privé|-profils privés|-comptes fermés|-photo de profil"
        "|mes abonnés|qui me suit",
        "it": "-post|-dirette|-diretta|-account privati|-account privato"
        "|-profili privati|-profilo privato|-profilo chiuso|-account chiuso|-storie private"
        "|-foto profilo"
        "|miei follower|chi mi segue",
        "tr": "-reelsleri|-gönderileri|-gönderiler|-gönderilerini|-canlı yayın"
        "|-canlı yayınlar|-gizli hesap|-gizli hesapları|-gizli hesaplar|-gizli profil"
        "|-gizli profiller|-gizli profilleri|-kapalı hesap|-profil fotoğrafı"
        "|takipçi*|beni kim takip|tiktokta",
        "ru": "-рилс*|-посты|-постов|-публикаци*|-прямые эфиры|-прямой эфир|-трансляци*"
        "|-закрыт* аккаунт*|-закрыт* профил*|-закрыт* страниц*|-приватн* аккаунт*"
        "|-приватн* профил*|-аватарк*"
        "|подписчик*|тикток*|тик-ток*|ютуб*|фейсбук*|вконтакте|кто на меня подписан",
        "ar": "-ريلز|-الريلز|-المنشورات|-منشورات|-بوستات|-البوستات|-البث المباشر|-حساب خاص"
        "|-حسابات خاصة|-الحسابات الخاصة|-حساب مقفل|-الحسابات المقفلة|-صورة البروفايل"
        "|متابعين|المتابعين|متابعيني|تيك توك|تيكتوك|يوتيوب|فيسبوك",
        "id": "-postingan|-feed|-akun privat|-akun private|-akun dikunci|-akun terkunci"
        "|-akun digembok|-profil privat|-foto profil"
        "|pengikut|followersku",
        "uk": "-рілс*|-пости|-постів|-публікаці*|-дописи|-прямі ефіри|-закрит* акаунт*"
        "|-закрит* профіл*|-закрит* сторінк*|-приватн* акаунт*|-приватн* профіл*|-аватарк*"
        "|підписник*|підписчик*|тікток*|тік-ток*|ютуб*|фейсбук*",
        "fa": "-ریلز*|-پست‌ها|-پست هم|-پست رو|-پست‌های|-لایو*|-پیج خصوصی"
        "|-اکانت خصوصی|-پیج پرایوت*|-پیج‌های خصوصی|-اکانت پرایوت*|-عکس پروفایل"
        "|فالوور*|دنبال‌کننده*|تیک تاک|تیک‌تاک|یوتیوب|فیسبوک",
        "hi": "-रील*|-पोस्ट भी|-पोस्ट देख*|-पोस्ट दिखा*|-posts|-post bhi"
        "|-लाइव वीडियो|-प्राइवेट अकाउंट|-प्राइवेट प्रोफ़ाइल|-private id"
        "|फ़ॉलोअर*|टिकटॉक|यूट्यूब|फेसबुक",
    },
    "several": {
        "en": "-more than one|-more than 1|-several people|-several profiles|-several accounts"
        "|-several names|-follow several|-add several|-multiple people|-multiple profiles"
        "|-multiple accounts|-multiple names|-follow multiple|-add multiple"
        "|-subscribe multiple|-many people can|-how many people|-how many profiles"
        "|-how many accounts|-how many can|-how many names|-people at once|-profiles at once"
        "|-names at once|-accounts at once|-two at once|-few at once|-many at once"
        "|-another person|-another profile|-another account|-somebody else too"
        "|-someone else too|-add more|-add another|-follow more|-follow others|-follow another"
        "|-more people|-more profiles|-more accounts",
        "es": "-varias personas|-varias cuentas|-varios perfiles|-varias a la|-varios a la"
        "|-seguir varias|-seguir varios|-agregar varias|-agregar varios|-añadir varios"
        "|-añadir varias|-más de uno|-más de una|-cuántos puedo|-cuántas puedo"
        "|-cuántas cuentas|-cuántos perfiles|-cuántas personas|-más personas|-más cuentas"
        "|-más perfiles|-otra persona|-otro perfil|-otra cuenta",
        "pt_BR": "-várias pessoas|-várias contas|-vários perfis|-seguir várias|-seguir vários"
        "|-adicionar várias|-adicionar vários|-colocar várias|-colocar vários|-mais de um"
        "|-mais de uma|-quantos posso|-quantas posso|-quantas contas|-quantos perfis"
        "|-quantas pessoas|-mais pessoas|-mais perfis|-mais contas|-outra pessoa|-outro perfil"
        "|-outra conta",
        "de": "-mehrere leute|-mehreren leuten|-mehrere profile|-mehreren profilen"
        "|-mehrere konten|-mehreren konten|-mehrere accounts|-mehrere personen"
        "|-mehrere auf einmal|-mehreren folgen|-mehrere gleichzeitig|-mehr als einen"
        "|-mehr als eine|-mehr als einem|-mehr als ein|-wie viele kann|-wieviele kann"
        "|-wie viele profile|-wie viele leute|-wie viele konten|-mehr leute|-mehr profile"
        "|-noch jemand|-noch jemanden|-noch jemandem|-weitere profile|-weiteres profil"
        "|wieviele profile|wie viele profile|wieviele accounts|wie viele accounts",
        "fr": "-suivre plusieurs|-en suivre|-ajouter plusieurs|-en ajouter"
        "|-plusieurs personnes|-plusieurs comptes|-plusieurs profils|-plusieurs noms"
        "|-plusieurs à la fois|-plusieurs en même|-plus d'un|-plus d'une|-combien de profils"
        "|-combien de comptes|-combien de personnes|-un autre profil|-un autre compte"
        "|-une autre personne|-quelqu'un d'autre"
        "|combien de profils|combien de comptes",
        "it": "-più persone|-più profili|-più account|-più nomi|-più di uno|-più di una"
        "|-diverse persone|-diversi profili|-quanti posso|-quante posso|-quanti profili"
        "|-quante persone|-quanti account|-un'altra persona|-un altro profilo"
        "|-un altro account|-seguirne più|-aggiungerne",
        "tr": "-birden fazla|-birden çok|-birkaç kişi|-birkaç kişiyi|-birkaç hesap"
        "|-birkaç hesabı|-birkaç profil|-birkaç profili|-kaç kişi|-kaç kişiyi|-kaç hesap"
        "|-kaç hesabı|-kaç profil|-kaç profili|-başka birini|-başka bir hesap",
        "ru": "-нескольких|-больше одного|-больше одной|-больше чем|-несколько человек"
        "|-несколько профил*|-несколько аккаунт*|-сколько человек|-сколько профил*"
        "|-сколько аккаунт*|-сколько людей|-сразу нескольк*|-добавить ещё"
        "|-кого-то ещё",
        "ar": "-أكثر من شخص|-أكثر من حساب|-أكثر من واحد|-أكثر من بروفايل"
        "|-عدة أشخاص|-عدة حسابات|-كم حساب|-كم شخص|-كم واحد"
        "|-شخص آخر|-شخص ثاني|-حساب آخر|-حساب ثاني",
        "id": "-lebih dari satu|-lebih dari 1|-beberapa orang|-beberapa akun|-beberapa profil"
        "|-berapa orang|-berapa akun|-berapa profil|-banyak akun|-banyak orang|-nambah lagi"
        "|-tambah lagi|-akun lain|-orang lain lagi",
        "uk": "-кількох|-кілька людей|-кілька профіл*|-кілька акаунт*|-більше одного"
        "|-більше одної|-більше однієї|-скільки людей|-скільки профіл*|-скільки акаунт*"
        "|-скількох|-додати ще|-ще когось",
        "fa": "-چند نفر|-چند نفرو|-چند تا پیج|-چند پیج|-چند تا اکانت|-چند اکانت|-چند حساب"
        "|-بیشتر از یک|-بیشتر از یکی|-بیش از یک|-یکی دیگه|-یه نفر دیگه",
        "hi": "-एक से ज़्यादा|-एक से अधिक|-कई लोग*|-कितने लोग*|-कितने अकाउंट"
        "|-कितने प्रोफ़ाइल|-ek se zyada|-ek se jyada|-kitne log|-kitne logon"
        "|-kitne account|-kitne profile|-kai log|-kai logon|-एक साथ कई",
    },
    "places": {
        "en": "my channel|our channel|my group|our group|to channel|in channel|add channel"
        "|add group|to group|in group|channels|groups|group chat",
        "es": "mi canal|nuestro canal|mi grupo|nuestro grupo|en canal|al canal|en grupo"
        "|al grupo|canales|grupos",
        "pt_BR": "meu canal|nosso canal|meu grupo|nosso grupo|no canal|ao canal|no grupo"
        "|ao grupo|canais|grupos",
        "de": "mein kanal|meinen kanal|meinem kanal|unser kanal|unseren kanal|unserem kanal"
        "|mein channel|meinen channel|meinem channel|meine gruppe|meiner gruppe"
        "|unsere gruppe|unserer gruppe|im kanal|in kanal|in gruppe|kanäle|gruppen"
        "|zur gruppe|zum kanal",
        "fr": "mon canal|ma chaîne|notre canal|notre chaîne|mon groupe|notre groupe"
        "|dans canal|au canal|dans groupe|au groupe|canaux|groupes",
        "it": "mio canale|nostro canale|mio gruppo|nostro gruppo|nel canale|al canale"
        "|nel gruppo|al gruppo|canali|gruppi",
        "tr": "kanalım*|kanalımız*|grubum*|grubumuz*|kanala|kanalda|gruba|grupta|kanallar"
        "|gruplar",
        "ru": "мо* канал*|наш* канал*|сво* канал*|мо* групп*|наш* групп*|сво* групп*|в канал*"
        "|в групп*",
        "ar": "قناتي|قناتنا|مجموعتي|مجموعتنا|إلى القناة|في القناة|للقناة|في المجموعة"
        "|إلى المجموعة|للمجموعة|قروبي|القروب",
        "id": "channelku|kanalku|channel saya|kanal saya|saluran saya|salurananku|saluranku"
        "|grupku|grup saya|grup kami|ke grup|di grup|ke channel|di channel|ke saluran"
        "|ke kanal",
        "uk": "мі* канал*|мо* канал*|наш* канал*|сві* канал*|сво* канал*|мо* груп*|наш* груп*"
        "|сво* груп*|в канал*|у канал*|в груп*|у груп*|до групи|до каналу",
        "fa": "کانالم|کانالمون|کانال من|کانال خودم|گروهم|گروهمون|گروه من|گروه ما|توی کانال"
        "|توی گروه|تو کانال|تو گروه|به کانال|به گروه",
        "hi": "मेरे चैनल|मेरा चैनल|हमारे चैनल|मेरे ग्रुप|मेरा ग्रुप|हमारे ग्रुप|ग्रुप में"
        "|चैनल में|चैनल पर|mere channel|mere group|group mein|channel mein",
    },
    "options": {
        "en": "only video|only videos|only photo|only photos|only pics|only pictures|just video"
        "|just videos|just photo|just photos|just pics|just pictures|no video|no videos|no photo"
        "|no photos|no pics|no pictures|without video|without videos|without photo|without photos"
        "|without pics|without pictures|not video|not videos|not photo|not photos|don't photo"
        "|don't photos|don't video|don't videos"
        "|only vids|just vids|no vids|only clips|only reels|photos only|videos only|no stills"
        "|no selfies|more often|more frequently|-one message each|-one message every"
        "|-one message per|-into one|-single message|-all together|-everything together"
        "|-in one go|-recap|-roundup|-round-up|-group everything|-combine|-merge"
        "|-collect everything|-once day|-per day|-a day once|-one message day|-only daily|-batch"
        "|-bundle|-bundled|-all at once|-in one message|-quieter|-silent|-silently|-without sound"
        "|-no sound|-no sounds|-sound off|-mute sound|-as files|-as documents|-uncompressed"
        "|-original quality|-full quality|-no compression|-without compression|-full resolution"
        "|+less|+fewer|+slow down|+less frequently"
        "|skip video|skip videos|skip photo|skip photos|skip pics|-once week|-once a week"
        "|-weekly"
        "|+so often|+too often|+as often|+so frequently|+too frequently|+every hour|+all the time"
        "|+once enough|+once plenty|+once would do|+twice plenty|+twice enough|+daily enough"
        "|+once suffices|+on hold|+hold till|+hold until|+tone down|+noisy|+too loud|+quieter"
        "|+calm|+calmer"
        "|+sound off|+no sound|+without sound|+silently|+quietly|no ads|hide ads|without ads"
        "|no sponsored|hide reposts|no reposts|without reposts|skip reposts|-only important"
        "|only foto|only fotos|just fotos|blurry|better quality|bad quality|low quality"
        "|pixelated",
        "es": "solo video|solo videos|solo foto|solo fotos|solamente video|solamente videos"
        "|solamente foto|solamente fotos|únicamente video|únicamente videos|sin foto|sin fotos"
        "|sin video|sin videos|no foto|no fotos|ni foto|ni fotos|puro video"
        "|puros videos|puras fotos|nomás videos|nada de fotos|quita fotos|quitar fotos"
        "|únicamente fotos|más a menudo|más seguido|más frecuencia|-todo junto|-todos juntos"
        "|-un mensaje al|-en un mensaje|-júntalo|-júntalos|-junta todo|-agrupa|-agrupar"
        "|-una vez día|-al día|-por día|-diario|-diariamente|-un solo mensaje|-sin sonido"
        "|-silencioso|-silenciosas|-como archivos|-como documentos|-sin comprimir|-sin compresión"
        "|-calidad original|-máxima calidad"
        "|+menos mensajes|+menos avisos|+menos seguido|+menos a menudo|+menos veces"
        "|+avísame menos|+avisa menos|+manda menos|+mándame menos|+manden menos"
        "|omite videos|omite fotos|salta videos|salta fotos|-una vez semana"
        "|+tan seguido|+tan a menudo|+tantas veces|+demasiado seguido|+tanta frecuencia"
        "|+cada rato|+una vez basta|+una vez suficiente|+una vez alcanza|+en espera"
        "|+más tranquilo|+más calma|+ruidoso|+ruidosa|+calma"
        "|sin anuncios|sin publicidad|nada de anuncios|sin reposts|+sin sonido|+silencioso"
        "|-solo importantes|-solo lo importante"
        "|quita sonido|quitar sonido|apaga sonido|sin sonido|borroso|borrosa|borrosas"
        "|mejor calidad|mala calidad",
        "pt_BR": "só vídeo|só vídeos|só foto|só fotos|apenas vídeo|apenas vídeos|apenas foto"
        "|apenas fotos|somente vídeo|somente vídeos|somente foto|somente fotos|sem foto|sem fotos"
        "|sem vídeo|sem vídeos|não foto|não fotos|não vídeo|não vídeos|nada de foto|nada de fotos"
        "|nada de vídeo|tira fotos|só os vídeos|só as fotos|mais vezes|mais frequência"
        "|mais frequentemente|-tudo junto|-numa mensagem|-em uma mensagem|-junta tudo|-junte tudo"
        "|-agrupa|-agrupar|-uma vez dia|-por dia|-ao dia|-diariamente|-uma só mensagem|-sem som"
        "|-silencioso|-silenciosas|-como arquivos|-como documentos|-sem compressão|-sem comprimir"
        "|-qualidade original|-qualidade máxima"
        "|+menos mensagens|+menos alertas|+avisa menos|+manda menos|+menos vezes"
        "|+menos avisos"
        "|pula vídeos|pula fotos|pule vídeos|pule fotos|-uma vez semana"
        "|+tão seguido|+tantas vezes|+tanta vez|+tanta frequência|+toda hora|+uma vez chega"
        "|+uma vez basta|+uma vez suficiente|+em espera"
        "|+barulhento|+barulhenta|+calma|+mais calmo"
        "|sem anúncios|sem propaganda|sem publicidade|sem reposts|+sem som|+sem barulho"
        "|-só importantes|-só o importante"
        "|tira som|tirar som|desliga som|sem som|embaçado|embaçada|melhor qualidade"
        "|qualidade ruim",
        "de": "nur video|nur videos|nur foto|nur fotos|nur bild|nur bilder|kein foto|kein fotos"
        "|keine foto|keine fotos|kein bild|kein bilder|keine bild|keine bilder|kein video"
        "|kein videos|keine video|keine videos|ohne foto|ohne fotos|ohne bild|ohne bilder"
        "|ohne video|ohne videos|bloß videos|bloß fotos|lieber videos|lieber fotos|fotos weg"
        "|videos weg|öfter|häufiger|-schick auf einmal|-schicke auf einmal|-alles zusammen"
        "|-alle zusammen|-gebündelt|-zusammenfassen|-fass zusammen|-eine nachricht tag"
        "|-einmal tag|-pro tag|-täglich|-einmal täglich|-gesammelt|-in einer nachricht"
        "|-eine einzige nachricht|-ohne ton|-lautlos|-leiser|-als dateien|-als dokumente"
        "|-unkomprimiert|-originalqualität|-ohne komprimierung|-volle qualität|-voller qualität"
        "|+weniger|+seltener"
        "|videos überspringen|fotos überspringen|-einmal woche|-wöchentlich"
        "|+so oft|+zu oft|+so häufig|+zu häufig|+nicht ständig|+einmal reicht|+nur noch einmal"
        "|+einmal langt"
        "|+einmal genügt|+einmal genug|+täglich reicht|+täglich langt|+auf eis"
        "|+zu laut|+ruhiger|+leiser"
        "|keine werbung|ohne werbung|keine reposts|ohne reposts|+ohne ton|+leise|+lautlos"
        "|+stumm|-nur wichtige|-nur wichtiges"
        "|ton aus|ton abschalten|ohne ton|unscharf|verpixelt|bessere qualität"
        "|schlechte qualität",
        "fr": "que vidéo|que vidéos|que photo|que photos|seulement vidéo|seulement vidéos"
        "|seulement photo|seulement photos|uniquement vidéo|uniquement vidéos|uniquement photo"
        "|uniquement photos|juste vidéo|juste vidéos|juste photo|juste photos|pas photo"
        "|pas photos|pas vidéo|pas vidéos|sans photo|sans photos|sans vidéo|sans vidéos|pas image"
        "|pas images|sans image|sans images|que image|que images|enlève photos|enlève vidéos"
        "|plutôt vidéos|rien que vidéos|plus souvent|plus fréquemment|-envoie d'un coup"
        "|-tout ensemble|-en un message|-regroupe|-regroupez|-regrouper|-tout groupé"
        "|-une fois jour|-par jour|-quotidien|-quotidienne|-une seule fois|-un seul message"
        "|-sans son|-silencieux|-silencieuse|-sans bruit|-comme fichiers|-en fichiers"
        "|-sans compression|-qualité originale|-qualité maximale|-qualité d'origine"
        "|+moins de|+moins souvent|+moins d'alertes|+moins de messages|+envoie moins"
        "|+moins de notifs"
        "|saute vidéos|saute photos|-une fois semaine"
        "|+si souvent|+trop souvent|+aussi souvent|+pas tout le temps|+une fois suffit"
        "|+une fois assez|+en attente"
        "|+entre parenthèses"
        "|+bruyant|+bruyante|+plus calme"
        "|sans pub|sans pubs|pas de pub|sans publicité|sans reposts|+sans son|+sans bruit"
        "|-seulement importantes"
        "|coupe son|couper son|coupez son|sans son|flou|floue|floues|meilleure qualité"
        "|mauvaise qualité",
        "it": "solo video|solo foto|soltanto video|soltanto foto|solamente video|solamente foto"
        "|senza foto|senza video|niente foto|niente video|no foto|non foto|non video"
        "|solo immagini|niente immagini|togli foto|togli video|solamente i video|basta foto"
        "|basta video|più spesso|più frequentemente|-tutto insieme|-tutti insieme"
        "|-in un messaggio|-raggruppa|-raggruppare|-una volta giorno|-al giorno|-quotidiano"
        "|-un solo messaggio|-unico messaggio|-senza suono|-silenzioso|-silenziosa|-silenziose"
        "|-come file|-senza compressione|-qualità originale|-massima qualità"
        "|+meno spesso|+meno messaggi|+meno avvisi|+meno notifiche|+manda meno|+avvisa meno"
        "|salta video|salta foto|-una volta settimana"
        "|+così spesso|+troppo spesso|+ogni ora|+una volta basta|+una volta sufficiente"
        "|+in attesa"
        "|+rumoroso|+rumorosa|+calma"
        "|senza pubblicità|niente pubblicità|senza repost|+senza suono|+senza rumore"
        "|-solo importanti|-solo le importanti"
        "|togli suono|togli audio|togliere suono|senza suono|sfocato|sfocata|sfocate"
        "|qualità migliore|bassa qualità|pessima qualità",
        "tr": "sadece video|sadece videolar|sadece foto|sadece fotoğraf|sadece fotoğraflar"
        "|sadece resim|sadece resimler|yalnızca video|yalnızca videolar|yalnızca foto"
        "|yalnızca fotoğraf|yalnızca fotoğraflar|yalnız video|yalnız videolar|foto olmasın"
        "|fotoğraf olmasın|fotoğraflar olmasın|video olmasın|videolar olmasın|resim olmasın"
        "|resimler olmasın|foto istemiyorum|fotoğraf istemiyorum|fotoğraflar istemiyorum"
        "|video istemiyorum|videolar istemiyorum|resim istemiyorum|resimler istemiyorum"
        "|foto gelmesin|fotoğraf gelmesin|fotoğraflar gelmesin|video gelmesin|videolar gelmesin"
        "|fotoğraf atma|video atma|sadece fotoğrafları|sadece fotoları|sadece videoları"
        "|sadece resimleri|yalnızca videoları|yalnızca fotoğrafları|daha sık|-tek seferde|-toplu"
        "|-topluca|-hepsi birlikte|-hepsini birlikte|-hepsini birden|-tek bir mesaj*|-günde bir"
        "|-günlük|-günde|-tek mesaj*|-sessizce|-ses olmasın|-sessiz gönder*|-sessiz olsun"
        "|-daha sessiz|-dosya olarak|-sıkıştırmadan|-orijinal kalite"
        "|-orijinal kalitede|-orijinal kaliteyle|-tam kalite|-tam kalitede|-tam kaliteyle"
        "|+daha az|+daha seyrek|+daha az gelsin"
        "|videoları atla|fotoğrafları atla|-haftada bir"
        "|+çok sık|+kadar sık|+sık sık|+günde yeter|+kere yeter|+kez yeter|+beklemeye"
        "|+gürültülü|+sakinleş|+sakin"
        "|reklamsız|reklam olmasın|+sessiz|+sessizce|-sadece önemli*"
        "|sesi kapat|sesini kapat|ses olmasın|bulanık|daha kaliteli|kalitesi kötü",
        "ru": "только видео*|только фот*|только картин*|лишь видео*|лишь фот*|одни видео*"
        "|без фот*|без видео*|без картин*|не фот*|не видео*|не картин*|только вид*|лишь вид*"
        "|можно видос*|без фоток|убери фот*|убери видео|одни вид*|чаще|почаще|-все вместе"
        "|-в одно сообщение|-все разом|-одной пачкой|-потише|-раз день|-в день|-в сутки|-тише"
        "|одним сообщением|одном сообщении|-без звука|-беззвучн*|-файлами|-без сжатия"
        "|-оригинальн* качеств*|-исходн* качеств*|-полном качестве"
        "|+реже|+пореже|+меньше|+поменьше"
        "|пропускай видео|пропускай фот*|пропусти видео|пропусти фот*|-раз в неделю"
        "|+так часто|+слишком часто|+раз* хватит|+раз* достаточно|+каждый час|+на паузу"
        "|+потише|+тише|+поспокойнее|+шумн*"
        "|без рекламы|без репостов|+без звука|+тихо|-только важн*"
        "|выключи звук|выключить звук|убери звук|отключи звук|без звука|размыт*|мутн*"
        "|лучше качество|лучшем качестве|плохое качество",
        "ar": "فيديو فقط|الفيديو فقط|فيديوهات فقط|الفيديوهات فقط|مقاطع فقط|صور فقط|الصور فقط"
        "|بدون صور|بدون فيديو*|بلا صور|بس فيديو*|بس صور|بس الفيديو*|بس الصور|لا صور|لا الصور"
        "|لا فيديو|لا الفيديو|بدون صوره|مقاطع بس|فيديوهات بس|صور بس|فيديو بس|بشكل أكثر|مرات أكثر"
        "|-في رسالة واحدة|-مع بعض|-دفعة واحدة|-مرة وحدة|-مرة يوم*|-يوميا|-في اليوم|-بدون صوت"
        "|-بلا صوت|-صامت*|-كملفات|-بدون ضغط|-جودة أصلية|-الجودة الأصلية|-جودة كاملة"
        "|+أقل|+قلل*|+خفف*"
        "|تخطى الفيديو*|تخطى الصور|-مرة أسبوع*|-أسبوعيا"
        "|+كل شوي|+كل شوية|+كل ساعة|+مرة تكفي|+مرة كفاية|+مرة يكفي"
        "|+هدئ|+اهدأ|+بهدوء"
        "|بدون إعلانات|+بدون صوت|+بصمت|-المهم فقط"
        "|اطفي الصوت|اقفل الصوت|بدون صوت|غير واضحة|جودة أفضل|جودة اعلى|جودة سيئة",
        "id": "hanya video|hanya foto|video saja|foto saja|video aja|foto aja|cuma video"
        "|cuma foto|tanpa foto|tanpa video|jangan foto|jangan video|gak foto|gak video|tidak foto"
        "|tidak video|vidio aja|vidio saja|cuma vidio|gak usah foto|ga usah foto|gak usah video"
        "|jangan kirim foto|jangan kirim video|lebih sering|-sekaligus|-jadi satu|-gabung"
        "|-gabungin|-gabungkan|-digabung|-sekali sehari|-per hari|-sehari|-satu pesan"
        "|-tanpa suara|-senyap|-sebagai file|-sebagai berkas|-tanpa kompresi|-kualitas asli"
        "|-kualitas penuh"
        "|+lebih sedikit|+kurangi|+kurangin|+dikurangi|+dikurangin|+lebih jarang"
        "|lewati video|lewati foto|skip foto|-seminggu sekali"
        "|+terlalu sering|+keseringan|+sesering|+sering sering|+sekali cukup|+tiap jam"
        "|+tunda dulu"
        "|+berisik|+lebih tenang|+tenang"
        "|tanpa iklan|gak ada iklan|tanpa repost|+tanpa suara|-yang penting aja"
        "|matikan suara|suaranya matikan|tanpa suara|buram|burem|kualitas lebih|kualitas jelek",
        "uk": "тільки відео|лише відео|тільки фот*|лише фот*|тільки світлин*|без фот*|без відео"
        "|без світлин*|не фот*|не відео|тільки вид*|лише вид*|без фоток|прибери фот*"
        "|прибери відео|частіше|-все разом|-в одне повідомлення|-у одне повідомлення|-все вкупі"
        "|-тихше|-раз день|-на день|-тихіше|одним повідомленням|одному повідомленні|-без звуку"
        "|-беззвучн*|-файлами|-без стиснення|-оригінальн* якост*|-повній якості"
        "|+рідше|+менше|+поменше"
        "|пропускай відео|пропускай фот*|-раз на тиждень"
        "|+так часто|+занадто часто|+надто часто|+раз* досить|+раз* вистачить|+раз* достатньо"
        "|+щогодини|+на паузу"
        "|+тихіше|+тихше|+гучно|+спокійніше"
        "|без реклами|без репостів|+без звуку|+тихо|-лише важлив*|-тільки важлив*"
        "|вимкни звук|вимкнути звук|прибери звук|без звуку|розмит*|краща якість|кращій якості"
        "|погана якість",
        "fa": "فقط ویدیو*|فقط فیلم*|فقط عکس*|فقط کلیپ*|بدون عکس*|بدون ویدیو*"
        "|بدون فیلم*|عکس نفرست*|ویدیو نفرست*|عکس نمی‌خوام|ویدیو نمی‌خوام"
        "|عکس نباشه|ویدیو نباشه|فقط ویدیوها|فقط عکسا|بیشتر چک|-یکجا|-تو یک پیام"
        "|-تو یه پیام|-در یک پیام|-توی یک پیام|-با هم|-روزی بار|-روزانه|-در روز|-روزی|-بی‌صدا"
        "|-بی صدا|-بدون صدا|-به صورت فایل|-بصورت فایل|-بدون فشرده*|-کیفیت اصلی"
        "|+کمتر|+کم کن|+کمش کن"
        "|ویدیو رد کن|عکس رد کن|-هفته‌ای یک"
        "|+اینقدر زیاد|+انقدر زیاد|+زود به زود|+روزی کافیه|+روزی بسه|+بار کافیه|+بار بسه"
        "|+شلوغ|+آروم‌تر"
        "|بدون تبلیغ*|+بی‌صدا|+بدون صدا|-فقط مهم*"
        "|صدا قطع|صداش قطع|بدون صدا|کیفیت بهتر|کیفیت پایین",
        "hi": "सिर्फ़ वीडियो|केवल वीडियो|सिर्फ़ फ़ोटो|केवल फ़ोटो|सिर्फ़ तस्वीर*|बस वीडियो"
        "|बिना फ़ोटो|बिना वीडियो|फ़ोटो नहीं|वीडियो नहीं|फ़ोटो मत|वीडियो मत|sirf video|sirf videos"
        "|sirf photo|sirf photos|bas video|bas videos|photo nahi|video nahi|photo mat"
        "|केवल वीडियोज|sirf vdo|photos nahi|videos hi|ज़्यादा बार|zyada baar|-एक साथ"
        "|-एक मैसेज में|-एक ही मैसेज|-ek saath|-ek message|-दिन बार|-दिन में|-बिना आवाज़|-साइलेंट"
        "|-चुपचाप|-फ़ाइल के रूप|-बिना कंप्रेस*|-ओरिजिनल क्वालिटी|-bina awaaz"
        "|+कम|+kam bhejo|+kam karo|+thoda kam"
        "|वीडियो छोड़*|फ़ोटो छोड़*|-हफ़्ते में एक|-hafte mein ek"
        "|+इतनी बार|+बार बार|+itni baar|+baar baar|+एक बार काफ़ी|+ek baar kaafi"
        "|+ek baar kafi"
        "|+शोर|+शांत|+shor|+shant"
        "|बिना विज्ञापन|बिना आवाज़|+bina awaz|+bina sound|-सिर्फ़ ज़रूरी"
        "|आवाज़ बंद|awaz band|aawaz band|धुंधल*|अच्छी क्वालिटी|-din ek baar"
        "|-ek baar din",
    },
    "language": {
        "en": "language|languages|lang|english|translate|spanish|french|german|italian|portuguese"
        "|turkish|russian|arabic|indonesian|ukrainian|persian|farsi|hindi|español"
        "|deutsch|français"
        "|italiano|português|türkçe|русский|العربية|українська|فارسی|हिन्दी"
        "|=🌐",
        "es": "idioma|idiomas|lenguaje|en español|lengua"
        "|inglés|alemán|francés|ruso",
        "pt_BR": "idioma|idiomas|língua|em português"
        "|inglês|alemão|espanhol|francês",
        "de": "sprache|sprachen|auf deutsch"
        "|englisch|spanisch|französisch|türkisch|russisch|arabisch|italienisch",
        "fr": "langue|langues|en français"
        "|anglais|espagnol|allemand|italien|portugais|russe|arabe|turc",
        "it": "lingua|lingue|in italiano"
        "|inglese|spagnolo|tedesco|francese|russo|arabo",
        "tr": "dil|dili|dilini|diller"
        "|ingilizce|almanca|rusça|arapça",
        "ru": "язык*|по-русски|на русск*"
        "|английск*|по-английски|испанск*|немецк*|украинск*",
        "ar": "لغة|اللغة|لغات|بالعربية"
        "|الإنجليزية|إنجليزي|بالإنجليزي",
        "id": "bahasa|bahasanya"
        "|inggris|indonesia",
        "uk": "мова|мову|мови|мовою|українськ*"
        "|англійськ*|російськ*|німецьк*",
        "fa": "زبان*"
        "|انگلیسی|عربی|روسی",
        "hi": "भाषा*|हिंदी"
        "|अंग्रेज़ी|इंग्लिश"
        "|bhasha|bhasha badlo",
    },
    "settings": {
        "en": "settings|setting|options|preferences|configure|configuration|config|quiet hours"
        "|timezone|time zone|do not disturb|at night|by night|during night|sleep|sleeping|shut up"
        "|daily summary|digest|-quiet|-silence|-wake|-waking|-woke|-mornings|-bedtime"
        "|-don't disturb|-less|-fewer|-rarely|-midnight|after pm|until morning|-less often"
        "|-only evening|-only evenings|-only morning|-only daytime|-during day|-working hours"
        "|-office hours|-business hours|-only weekends|-at work|-in meetings|-meeting"
        "|-off from to|-stop from to|-off between|-stop between|-off until|-off at|-slow down"
        "|-ping|-tone down|-dial down|-cut down|-keep down|-ease up|-ease off|-take easy|-reduce"
        "|-lower frequency|-message often|-messages often|-too often|-not often|-so often"
        "|-not so many|-not as many|-not too many|-let me sleep|-no ping|-no pings|-buzz|-buzzing"
        "|-beep|-beeping|-pinging|-hush|-⚙*"
        "|change time|^set time|^set the time|^set my time|wrong time|time wrong"
        "|-sh|-shh|-shush|-zip it|-not before|-nothing before|-hold until|-peace quiet"
        "|-peace until|-before breakfast|-after dinner|-no noise|-noise"
        "|-not in the morning|-no messages morning|-not while|-no messages while"
        "|-while i work|-while working"
        "|tone down|dial down|too chatty|so chatty|too noisy|too talkative|less chatty"
        "|clock wrong|clocks wrong|clock off|clocks off|wrong clock"
        "|hour wrong|wrong hour|time off by|fix time|fix the clock|fix clock"
        "|-reset settings|-reset everything|-reset all|-start over|-default settings"
        "|-restore defaults",
        "es": "ajustes|ajuste|configuración|configurar|opciones|preferencias"
        "|zona horaria|horas silencio|por noche|de noche|en noche|dormir|duermo|resumen|-silencio"
        "|-despierta|-despiertas|-despiertes|-despierten|-madrugada|-menos|-no molestes"
        "|-no molesten|-no molestar|-por las noches|-solo noche|-solo mañana|-solo tarde"
        "|-solo fines|-baja mensajes|-bájale*|-reducir|-reduzca|-tan seguido"
        "|-tan a menudo|-disminuye|-disminuir|-sin ruido|-no suenes"
        "|cambia hora|cambiar hora|cambie hora|pon hora|poner hora|ponga hora|ponle hora"
        "|hora incorrecta|hora mal"
        "|-paz hasta|-callado|-calladito|-callada|-cállate hasta|-nada antes"
        "|-por la mañana no|-no por la mañana|-mientras trabajo|-mientras duermo"
        "|reloj mal|reloj equivocado|reloj está mal|hora equivocada|reloj atrasado"
        "|reloj adelantado"
        "|-no de día|-de día no",
        "pt_BR": "configurações|configuração|configurar|ajustes|opções"
        "|preferências|fuso horário|fuso|à noite|de noite|durante noite|dormir|madrugada|resumo"
        "|-silêncio|-acorda|-acorde|-acordar|-acordando|-menos|-não perturbe|-não perturba"
        "|-não perturbar|-à noite|-de madrugada|-só noite|-só manhã|-só tarde|-só à noite"
        "|-horário comercial|-diminui|-diminua|-diminuir|-reduz|-reduza|-reduzir|-pega leve"
        "|-pegue leve|-tão seguido|-tanta vez|-tantas vezes|-sem barulho|-maneira nas"
        "|muda hora|mudar hora|mude hora|muda horário|mudar horário|mude horário"
        "|hora errada|horário errado"
        "|-psiu|-quieto|-quieta|-paz até|-nada antes|-calado até"
        "|-de manhã|-pela manhã|-enquanto trabalho"
        "|relógio errado|relógio atrasado|relógio adiantado|horas erradas"
        "|-não de dia|-de dia não",
        "de": "einstellungen|einstellung|optionen|-einstellen|konfiguration|zeitzone|ruhezeiten"
        "|ruhezeit|nachts|in nacht|schlafe|schlafen|zusammenfassung|uhrzeit|-weck|-weckt|-wecken"
        "|-aufwecken|-geweckt|-weniger|-seltener|-leise|-nicht stören|-nacht|-ab uhr|-bis uhr"
        "|-nur abends|-nur morgens|-nur tagsüber|-nur abend|-arbeitszeit|-nur wochenende"
        "|-nicht so oft|-zu oft|-reduzier|-reduziere|-reduzieren|-runterfahren|-halblang|-ruhe ab"
        "|-kein gebimmel|-keine pings"
        "|zeit ändern|ändere zeit|stell zeit|falsche zeit|zeit falsch"
        "|-ruhe bis|-ruhe zwischen|-ruhe uhr|-ruhe nach|-bitte ruhe|-nachtruhe|-mittagsruhe"
        "|-psst|-pst|-erst ab|-nicht vor"
        "|-morgens|-während arbeit|-bei der arbeit"
        "|uhr falsch|uhr geht falsch|uhr stimmt nicht|uhr geht vor|uhr geht nach"
        "|zeit stimmt nicht|stunde falsch|falsche uhr"
        "|-nicht tagsüber|-tagsüber nicht",
        "fr": "réglages|réglage|paramètres|configurer"
        "|fuseau|nuit la|dormir|dors|résumé|-réveille|-réveillez|-réveiller|-moins"
        "|-dérange pas|-dérangez pas|-déranger|-nuit|-seulement soir|-que soir"
        "|-uniquement soir|-seulement matin|-que matin|-le soir seulement|-si souvent"
        "|-trop souvent|-réduis|-réduisez|-réduire|-diminue|-diminuez|-diminuer|-calme-toi"
        "|-doucement|-mollo|-lève pied|-pas bip|-aucun bruit"
        "|change heure|changer heure|changez heure|mauvaise heure|heure fausse"
        "|-chut|-tranquille jusqu'à|-rien avant|-pas avant|-du calme"
        "|-le matin|-au travail|-pendant travail"
        "|horloge fausse|horloge décalée|heure décalée|heure pas bonne|heure n'est pas bonne"
        "|décalage horaire"
        "|-pas la journée|-pas pendant journée",
        "it": "impostazioni|impostazione|opzioni|configurazione|configurare|preferenze|fuso"
        "|di notte|la notte|dormire|dormo|riepilogo|-sveglia|-svegliare|-svegliarmi|-svegli|-meno"
        "|-silenzio|-disturbare|-disturbarmi|-notte|-solo sera|-solo mattina|-solo pomeriggio"
        "|-la sera|-di sera|-così spesso|-troppo spesso|-riduci|-riducete|-ridurre|-diminuisci"
        "|-rallenta|-rallentate|-datti calmata|-calmati|-senza rumore|-niente squilli"
        "|cambia ora|cambiare ora|cambiate ora|cambia orario|cambiare orario|cambiate orario"
        "|imposta ora|impostare ora|impostate ora|ora sbagliata|orario sbagliato"
        "|-pace fino|-zitto fino|-zitta fino|-niente prima|-non prima"
        "|-la mattina|-di mattina|-mentre lavoro|-al lavoro"
        "|orologio sbagliato|orologio avanti|orologio indietro|orari sbagliati|ora non giusta"
        "|ora non è giusta"
        "|-non di giorno",
        "tr": "ayarlar|ayar|ayarları|seçenekler|tercihler|saat dilimi"
        "|sessiz saatler|gece|geceleri|uyu*|özet|-uyandır*|-daha az|-rahatsız|-geceleri"
        "|-sessizlik|-sadece akşam*|-sadece sabah*|-mesai*|-azalt|-azaltın|-azaltır|-çok sık"
        "|-kadar sık"
        "|saati değiştir*|saati ayarla*|saat yanlış"
        "|-sessiz ol|-sessiz kal|-arası sessiz|-kadar sus|-kadar rahat|-kadar yazma"
        "|-kadar gönderme|-kadar sessiz|-önce yazma|-önce gönderme|-şşt|-şş"
        "|-sabahları|-sabah yazma|-sabah gönderme|-işteyken"
        "|saatim yanlış|saatin yanlış|saatler yanlış|saatiniz yanlış|saati yanlış|saat hatalı"
        "|-gündüz|-gündüzleri",
        "ru": "настройк*|настроить|параметр*|опци*|часовой пояс|тихие часы|часовой|-ночью"
        "|-на ночь|-ночам|-сплю|-спать|сводк*|дайджест|пояс|-тихо|-буди*|-реже|-меньше|-беспокой*"
        "|-ночи|-только вечер*|-только утр*|-только днем|-рабочее время|-по вечерам|-утром все"
        "|-не так часто|-сократи*|-пореже|-поменьше|-убавь*|-сбавь*|-уменьши*"
        "|поменя* время|измени* время|смени* время|поставь время|неверное время"
        "|время неправильн*|время неверн*"
        "|-тсс|-тс|-помолч*|-молчи|-до утра|-цыц"
        "|-по утрам|-утром не|-на работе|-пока сплю"
        "|часы неправильн*|часы неверн*|часы врут|часы спешат|часы отстают|время врет"
        "|время не то|не то время"
        "|-днем не",
        "ar": "الإعدادات|إعدادات|ضبط|خيارات|الخيارات|المنطقة الزمنية|-ليلا"
        "|-الليل|-بالليل|-أنام|-نائم|ملخص|-هادئ|-هدوء|-أقل|-تزعج*|-إزعاج|-توقظ*|-النوم|-مساء فقط"
        "|-المساء فقط|-صباحا فقط|-الصباح فقط|-خفف*|-قلل*|-بدون إزعاج"
        "|غيّر الوقت|تغيير الوقت|الوقت خطأ|الوقت غلط"
        "|-اسكت|-اسكتي|-حتى الصباح|-للصباح|-حتى الساعة|-قبل الساعة|-لا ترسل قبل|-لا تبعت قبل"
        "|-الصبح|-بالدوام|-في الدوام"
        "|الساعة غلط|الساعة خطأ|ساعتك غلط|ساعتي غلط|التوقيت غلط|التوقيت خطأ"
        "|-بالنهار",
        "id": "pengaturan|setelan|atur|opsi|konfigurasi|zona waktu|malam hari|tengah malam"
        "|saat malam|tidur|ringkasan|-bangunin|-bangunkan|-bangun|-lebih sedikit|-kurangi|-malam"
        "|-malem|-jangan berisik|-sore aja|-pagi aja|-malam aja|-hanya sore|-hanya pagi"
        "|-cuma sore|-jam kerja|-terlalu sering|-keseringan|-kurangin|-dikurangi|-dikurangin"
        "|-jangan bunyi"
        "|ganti waktu|ubah waktu|ganti jam|ubah jam|jamnya salah|waktunya salah"
        "|-diem dulu|-diem sampai|-diam dulu|-diam sampai|-tenang dari|-tenang sampai|-ssst"
        "|-sst|-sebelum jam|-sampai pagi|-sampai jam"
        "|-pagi jangan|-jangan pagi|-pas kerja|-lagi kerja|-saat kerja"
        "|jam salah|jamku salah|waktu salah|zona salah|jamnya ngaco"
        "|-siang jangan",
        "uk": "налаштуван*|налаштувати|параметр*|опці*|часовий пояс|тихі години|часовий|-вночі"
        "|-уночі|-на ніч|-ночам|-сплю|-спати|зведенн*|дайджест|пояс|-тихо|-буди*|-рідше|-менше"
        "|-турбуй*|-ніч|-ночі|-тільки ввечер*|-лише ввечер*|-тільки вранці|-тільки вдень"
        "|-робочий час|-не так часто|-скороти*|-поменше|-зменш*"
        "|зміни* час|поміняй час|постав час|неправильний час|час неправильн*"
        "|-тсс|-тс|-помовч*|-мовчи|-до ранку|-цить"
        "|-зранку|-вранці не|-на роботі|-поки сплю"
        "|годинник неправильн*|годинник бреше|годинник поспішає|годинник відстає|час не той"
        "|не той час"
        "|-вдень не",
        "fa": "تنظیمات|تنظیم|گزینه‌ها|گزینه‌های|منطقه زمانی|-شب‌ها|-در شب|-نصفه شب|-خواب*"
        "|خلاصه|-بیدار*|-کمتر|-آروم|-آرام|-مزاحم|-شب|-شبا|-فقط عصر|-فقط صبح|-فقط شب*|-ساعت کاری"
        "|-کم کن|-کمش کن|-اینقدر زیاد|-انقدر زیاد|-پیام نیاد|-شب نیاد"
        "|ساعت عوض|ساعتو عوض|ساعت تغییر|تغییر ساعت|ساعت اشتباه|ساعت غلط"
        "|-ساکت باش|-ساکت|-تا ساعت|-تا صبح|-قبل از نفرست|-تا سکوت"
        "|-صبح پیام|-صبح نفرست*|-صبح‌ها|-صبحا|-سر کار"
        "|ساعتش اشتباه*|ساعتم اشتباه*|ساعتت اشتباه*|ساعت اشتباه*|ساعتش غلط*|ساعت غلط*",
        "hi": "सेटिंग*|विकल्प*|टाइमज़ोन|-रात में|-रात को|-raat|सारांश|-जगा*|-कम|-शांत"
        "|-रात|-परेशान|-नींद|-सोते|-kam|-neend|-सिर्फ़ शाम|-सिर्फ़ सुबह|-शाम को|-सुबह को"
        "|-itna zyada|-itna jyada|-इतना ज़्यादा"
        "|समय बदल*|टाइम बदल*|समय ग़लत|टाइम ग़लत|time badlo"
        "|-बजे तक|-बजे से पहले|-तक चुप|-सुबह तक|-बजे के बाद|-tak shant|-shant raho|-tak chup"
        "|-se pehle mat|-subah tak|-baje tak|-baje se pehle|-baje ke baad"
        "|-सुबह मत|-सुबह मैसेज|-subah mat|-subah message"
        "|घड़ी ग़लत|time galat|ghadi galat|samay galat"
        "|-din mein mat|-din me mat|-दिन में मत",
    },
    "export": {
        "en": "export|backup|download list",
        "es": "exportar|exporta", "pt_BR": "exportar|exporta", "de": "exportieren",
        "fr": "exporter|exporte", "it": "esportare|esporta", "tr": "dışa aktar*",
        "ru": "экспорт*|выгрузи*", "ar": "تصدير", "id": "ekspor", "uk": "експорт*",
        "fa": "خروجی|صادر", "hi": "एक्सपोर्ट",
    },
    "usage": {
        "en": "usage|limit|limits|quota|statistics|stats"
        "|credits|my credit|my balance|^balance|=balance",
        "es": "límite|límites|uso|estadísticas"
        "|créditos|saldo", "pt_BR": "limite|limites|uso|estatísticas"
        "|créditos|saldo",
        "de": "verbrauch|nutzung|statistik"
        "|guthaben", "fr": "limite|limites|statistiques"
        "|solde",
        "it": "limite|limiti|utilizzo|statistiche"
        "|crediti|saldo", "tr": "sınır|sınırı|kullanım"
        "|kredi*|bakiye*",
        "ru": "лимит*|статистик*"
        "|кредит*|баланс*", "ar": "الحد|حدود|الاستخدام"
        "|رصيد*|الرصيد", "id": "batas|kuota|statistik"
        "|kredit|saldo",
        "uk": "ліміт*|статистик*"
        "|кредит*|баланс*", "fa": "سقف|محدودیت|مصرف"
        "|اعتبار|موجودی", "hi": "सीमा|लिमिट"
        "|क्रेडिट|बैलेंस",
    },
    "why": {
        "en": "why no|why not|why stop|why stopped|not working|doesn't work"
        "|does not work|didn't get|not getting"
        "|why send*|why sent|why getting|nothing works"
        "|no alerts|nothing arrives|nothing comes|not receiving|broken"
        "|didn't receive|haven't received|haven't got|did not get|why didn't|nothing new"
        "|why this|why that"
        "|why nothing|got nothing|get nothing|getting nothing|nothing came"
        "|nothing today|still nothing|stopped working|stop working|bot dead|bot down"
        "|bot alive|bot offline|are dead|^are you there|still working|still alive|why late"
        "|so late|too late|so slow|^too slow|is slow|are slow|you're slow|it's slow"
        "|delay|delays|delayed|missed|missing"
        "|where stories|where story|where alerts|error|errors|bug|buggy|glitch|stuck"
        "|no longer getting"
        "|isn't working|not work|why aren't"
        "|why haven't|why isn't|why did not|why silent|why quiet"
        "|nothing since|nothing arrived|nothing all day|^nothing yet|how often"
        "|when check|next check|last check|how long|how fast|how quickly|how soon"
        "|how quick"
        "|single story|single alert|not one story|no story|no stories|no alert"
        "|none came|been days|been hours|been weeks|for days|for hours|days ago last"
        "|hasn't posted|did you die|nothing coming"
        "|not coming|not arriving|don't arrive|aren't coming"
        "|stopped coming|stopped sending|not sending|don't get|wasn't notified"
        "|not notified|didn't tell|didn't notify"
        "|last time check"
        "|same story|same stories|same again|over over|duplicate|duplicates|twice same"
        "|repeated|repeatedly"
        "|zero messages|zero alerts|zero stories|zero notifications|is dead|it dead"
        "|^are you still there|^hey are you there|^hello are you there"
        "|no longer receive|no longer get|no longer see|no longer works|no longer work"
        "|no longer coming|no longer arrive|no longer sends|not single message"
        "|not single notification|single message since"
        "|=does it work|=does this work|=does it even work|=does this even work"
        "|=does it really work|=does this thing work|=does this bot work|=does the bot work"
        "|=does it work now|=does it work today|does still work|=is it working"
        "|=is this working|=is the bot working|=is this bot working|=is this thing working"
        "|=is it working now|=is it working today|=is the bot working today"
        "|=is it even working|=is everything working"
        "|said nothing|you asleep"
        "|why so silent|why so quiet|gone silent|gone quiet|went silent|went quiet|single peep"
        "|not a peep|posted nothing came|posted yesterday nothing"
        "|+posted sent|+posted missed|+sent me nothing|+sent nothing|+sent me zip|+sent zip"
        "|+sent nada|+never got|+never received|+never came|+never arrived|+didn't arrive"
        "|+didn't come"
        "|nothin works|aint working|doesn't do anything"
        "|bot crashed|not responding|doesn't respond"
        "|got twice|came twice|sent twice|received twice|video play|video doesn't"
        "|video won't|can't play|won't play|won't load"
        "|doesn't load|not loading|can't hear|no audio|won't open",
        "es": "no funciona|por qué no|porque no|no llegan|no llega|no recibo"
        "|por qué envía*|por qué manda|por qué mandas|por qué mandan|por qué mandaste"
        "|por qué mandado|por qué recibo|nada funciona"
        "|no me llegan|no llegó|no ha llegado"
        "|por qué nada|no nada llegado|no nada recibido|no me mandas nada"
        "|no envías nada|no recibí|no he recibido|no recibimos|no manda nada|bot muerto"
        "|bot caído|sigue funcionando|sigues funcionando|sigues vivo|sigues ahí"
        "|estás ahí|dejó funcionar|tarda|tardan|tardando|retraso|tan tarde|muy tarde"
        "|falla|roto|dónde están|dónde historias|nada nuevo"
        "|^cada cuánto|qué frecuencia|cuánto tarda|cuánto tiempo|cuándo revisa"
        "|cuándo compruebas"
        "|no avisaste|no me avisas|no avisas|no avisa|no me enteré|ni una historia"
        "|ninguna historia|ningún aviso|hace días|sin novedades|no sale nada"
        "|no aparece nada"
        "|misma historia|mismas historias|repetida|repetidas|repetido"
        "|cada cuánto revisas|cada cuánto revisa|cada cuánto miras|cada cuánto compruebas"
        "|cada cuánto actualizas|cada cuánto actualiza|cada cuánto llegan"
        "|cada cuánto avisas|cada cuánto avisan"
        "|cada cuánto tiempo"
        "|cada cuánto consultas|cada cuánto verificas"
        "|hoy nada|nada hoy"
        "|por qué callado|por qué tan callado|por qué silencio|qué silencio|ni pío"
        "|lento|lenta|lentísimo|tardas|tarda mucho"
        "|+publicó y no|+subió y no|+no mandaste|+no enviaste|+nunca llegó|+nunca llegaron"
        "|+no llegaron|+mandaste nada|+enviaste nada"
        "|no sirve|no va nada|no anda|no jala|no furula|no chambea|no responde"
        "|llegó dos veces|llegaron dos veces|llegado dos veces|mandaste dos veces|llegan tarde"
        "|llega tarde|llegó tarde|video no se|video no abre|video no carga|video no reproduce"
        "|no se abre|no carga|no se oye",
        "pt_BR": "não funciona|não chega*|não recebo|por que não|porque não"
        "|por que recebo|por que manda|por que mandam|por que mandou|por que mandas"
        "|por que mandando|por que mandar|por que envi*|nada funciona"
        "|não chegou"
        "|por que nada|não veio|não vem|nada chegou|não recebi|não estou recebendo"
        "|nada novo|demora|demorando|demorou|atraso|atrasado|atrasada|não mandou"
        "|não mandou nada|bot morreu|bot morto|bot caiu|parou funcionar|parou mandar"
        "|tá funcionando|ainda funciona|está funcionando|-cadê|erro|bugado|travou"
        "|quebrado|ainda nada|até agora nada"
        "|quanto quanto tempo|que frequência|quanto tempo|quanto demora"
        "|não avisou|não me avisou|não avisa|nenhum story|nenhum alerta"
        "|nenhuma notificação|faz dias|sem novidade|não aparece nada|parado"
        "|mesmo story|mesmos stories|repetido|repetidos"
        "|hoje nada|nada hoje"
        "|por que quieto|por que tão quieto|por que calado|por que silêncio|que silêncio"
        "|lento|lenta|demorado|lerdo"
        "|+postou e não|+postou mas|+publicou mas|+não mandou|+não enviou|+nunca chegou"
        "|+mandou nada|+enviou nada"
        "|nada presta|não presta|não tá funcionando|não pega|não responde|tá bugado|deu ruim"
        "|chegou duas vezes|veio duas vezes|mandou duas vezes|chega tarde|vídeo não abre"
        "|vídeo não carrega|vídeo não roda|não abre|não carrega|não roda",
        "de": "funktioniert nicht|geht nicht|warum keine|kommt nichts|bekomme keine|kommen keine"
        "|warum bekomme|warum schick*|nichts funktioniert|geht nichts"
        "|bekomme nichts"
        "|warum nichts|warum nicht"
        "|kam nichts|kommt nix|kam nix|warum nix|wieso nix|nichts gekommen|nix gekommen"
        "|nichts neues|nichts bekommen|nix bekommen|wieso nichts|wieso keine"
        "|wieso kommt|warum kommt|kaputt|bot tot|geht noch|noch da|verspät*|zu spät"
        "|so spät|dauert|hängt|läuft nicht|läuft noch|wo bleibt|wo bleiben|fehler"
        "|nicht bekommen|nicht gekommen|klappt nicht|immer noch nichts|ist tot"
        "|wie oft|wie lange|wie schnell|wann prüfst|wann prüft|wann kommt"
        "|nicht bescheid|nichts geschickt|keine einzige|seit tagen|seit gestern nichts"
        "|nicht gemeldet|nix geschickt|warum so still|so still"
        "|gleiche story|gleichen story|gleichen storys|dieselbe story|dieselben storys"
        "|doppelt"
        "|krieg nichts|kriege nichts|krieg nix|kriege nix|krieg keine|kriege keine"
        "|heute nix|heute nichts"
        "|warum still|wieso still|warum so ruhig|wieso so ruhig|warum schweig*|wieso schweig*"
        "|warum ruhig|kein mucks"
        "|langsam|lahm"
        "|+nichts geschickt|+nix geschickt|+nichts gekommen|+nix gekommen|+kam nichts"
        "|+kam nix|+nichts bekommen|+nix bekommen|+nichts erhalten|+nicht bekommen"
        "|+nicht geschickt|+nicht gesendet|+nie angekommen"
        "|nix geht|geht nix|nix funktioniert|funktioniert nix|nix läuft|läuft nix|klappt nix"
        "|klappt nichts|nichts geht|nichts klappt|tut nix|tut nichts|spinnt"
        "|zweimal bekommen|zweimal gekommen|zweimal geschickt|kam zweimal|lädt nicht"
        "|öffnet nicht|öffnet sich nicht|spielt nicht|kein ton im",
        "fr": "marche pas|fonctionne pas|pourquoi pas|reçois pas|reçois rien"
        "|pourquoi reçois|pourquoi envo*|rien marche|rien fonctionne"
        "|pourquoi rien"
        "|reçu rien|arrive rien|rien arrivé|pas reçu|n'arrive|toujours rien"
        "|pourquoi plus|rien nouveau|pas arrivé|bot mort|en panne|marche encore"
        "|marche toujours|es là|retard|trop lent|si lent|si tard|trop tard|bugue"
        "|erreur|cassé|où sont|plus rien reçu|n'ai rien|rien eu"
        "|quelle fréquence|combien de temps|combien temps|^tous les combien"
        "|pas prévenu|pas averti|aucune story|aucune alerte|aucune notification"
        "|depuis jours|plus rien|rien depuis|pas notifié"
        "|même story|mêmes stories|en double"
        "|tous les combien vérifies|tous les combien regardes"
        "|aujourd'hui rien"
        "|pourquoi silence|pourquoi si calme|pourquoi ce silence|pourquoi muet|silence radio"
        "|lent|lente"
        "|+posté rien|+publié rien|+rien envoyé|+rien reçu|+pas reçu|+pas envoyé|+rien eu"
        "|+jamais reçu"
        "|marche rien|fonctionne rien|déconne|ça bug|ça plante|répond pas"
        "|reçu deux fois|arrivé deux fois|arrivée deux fois|envoyé deux fois|s'ouvre pas"
        "|charge pas|se lit pas",
        "it": "non funziona|non arrivano|perché non|non ricevo|non arriva"
        "|perché ricevo|perché mandi|perché manda|perché mandate|perché mandano"
        "|perché mandato|niente funziona"
        "|perché niente"
        "|perché nulla|arrivato niente|arrivato nulla|arriva niente|arriva nulla"
        "|ricevuto niente|ricevuto nulla|non arrivato|non arrivata|niente nuovo"
        "|nessun avviso|nessuna notifica|bot morto|rotto|funziona ancora|ci sei|ritardo"
        "|così tardi|troppo tardi|come mai|dove sono|errore|non va|ancora niente"
        "|ancora nulla|smesso funzionare"
        "|^ogni quanto|quanto spesso|quanto tempo|che frequenza"
        "|non avvisato|non avvisi|nessuna storia|da giorni|niente da ieri|non avverte"
        "|non mi avvisi|non mandi niente|non mandi più"
        "|stessa storia|stesse storie|doppioni"
        "|ogni quanto controlli|ogni quanto verifichi|ogni quanto aggiorni"
        "|ogni quanto guardi|ogni quanto tempo"
        "|oggi nulla|oggi niente"
        "|perché zitto|perché silenzio|perché così silenzioso|come mai silenzio|perché taci"
        "|lento|lenta|lentissimo|lentissima"
        "|+mandato niente|+mandato nulla|+inviato niente|+inviato nulla|+arrivato niente"
        "|+arrivato nulla|+non arrivato|+non ricevuto|+ricevuto niente|+ricevuto nulla"
        "|+non mandato|+non arrivate|+mai arrivate|+mai arrivato"
        "|non va niente|non va nulla|niente va|nulla funziona|non risponde"
        "|arrivata due volte|arrivato due volte|arrivate due volte|mandato due volte"
        "|ricevuto due volte|video non parte|video non va|video non si|non si apre|non carica"
        "|non si vede",
        "tr": "çalışmıyor|gelmiyor|almıyorum"
        "|neden gönder*|niye gönder*|neden geliyor"
        "|neden gelmedi|gelmedi"
        "|neden yok|niye yok|niye gelmiyor|niye gelmedi|hâlâ yok|hiçbir yok"
        "|bozuldu|bozuk|bot öldü|çalışıyor mu|neden geç|niye geç|çok geç|gecikti"
        "|gecikiyor|gecikme|hala gelmedi|gelmiyo|göndermiyor*|göndermedi*|hata"
        "|nerede kaldı|neden almadım|neden almıyorum|neden sessiz"
        "|ne sıklıkla|kaç dakika|kaç dakikada|ne kadar sürer|ne kadar sürüyor"
        "|ne kadar sürede"
        "|haber vermedin|haber vermiyor*|bildirim gelmez|günlerdir|hiç hikaye"
        "|hiçbir hikaye|ses yok"
        "|aynı hikaye|aynı hikayeler|aynı hikayeyi"
        "|bugün hiç|bugün yok"
        "|niye sessiz|neden sustun|niye sustun|neden ses yok|niye ses yok"
        "|neden sessizsin|niye sessizsin"
        "|yavaş|yavaşsın|yavaşsınız|ağır çalışıyor"
        "|+göndermedin|+göndermediniz|+gelmedi|+gelmiyor|+atmadın"
        "|bozulmuş|çalışmıyo|cevap vermiyor|yanıt vermiyor"
        "|iki kere geldi|iki kez geldi|iki defa geldi|geç geliyor|geç geldi|açılmıyor|oynamıyor"
        "|yüklenmiyor",
        "ru": "не работает|не приходят|почему не|не приходит|не получаю"
        "|зачем присл*|зачем присыла*|почему присл*|почему приход*"
        "|не приш*|почему ничего"
        "|ничего приш*|ничего приход*|ничего нет|ничего не получ*|почему нет"
        "|почему молч*|почему тишина|где истории|где сторис|где уведомления"
        "|не присылает|не присылаешь|не присылаете|не шлет|не шлешь|сломал*|бот умер"
        "|бот жив|ты жив|живой|завис*|опозда*|задерж*|почему поздно|так поздно"
        "|почему долго|так долго|нет новых|нет уведомлений|ошибк*|тупит|глюч*"
        "|пропустил*|не отправля*|не было ничего"
        "|как часто|как быстро|сколько времени|сколько ждать|через сколько"
        "|когда провер*"
        "|не сообщил*|не прислал*|ни одной|давно ничего|давно не|ничего не было"
        "|не уведомил*|тишина|куда пропал*|молчишь"
        "|одно то же|одну ту же|те же самые|повторя*|дубл*"
        "|сегодня ничего"
        "|чего молч*|что молч*|чо молч*|чё молч*|зачем молч*"
        "|чего тишина|почему тихо|вроде выклад*|вроде пост*|вроде публик*"
        "|тормоз|медленн*"
        "|+выложил* ничего|+не прислал*|+не пришло|+не пришла|+не получил*|+запостил* ничего"
        "|+опубликовал* ничего"
        "|не пашет|не фурычит|ничего не пашет|не отвечает|не грузит|не грузится"
        "|пришло два раза|пришла два раза|прислал* два раза|пришло дважды|пришла дважды"
        "|прислал* дважды|не открывается|не воспроизводится|видео не груз*|не проигрывается",
        "ar": "لا يعمل|لا تعمل|لا تصل|لماذا لا|لا يصلني"
        "|لماذا أرسل*|لماذا ترسل*|ليش ترسل*"
        "|لم يصل*|ليش ما|لماذا لم"
        "|لا شيء يصل|لم تصل*|لم أستلم|لم يأت*|ما وصل*|ما في شيء|ما في شي|ما يجي|ما بيجي"
        "|ما توصل*|ما يوصل*|ما يشتغل|لا يشتغل|مو شغال|مش شغال|متوقف|معطل|خربان|متأخر"
        "|متأخرة|تأخر*|لماذا تأخر*|أين القصص|وين القصص|هل تعمل|شغال|خطأ|لا جديد"
        "|كم مرة|^كل كم|كم يستغرق|كم من الوقت|كم وقت|كم دقيقة"
        "|لم ترسل*|ما أرسلت|ولا قصة|منذ أيام|من أيام|لم تنبهني|ما نبهتني|ساكت"
        "|نفس القصة|نفس القصص|مكررة|تكرار"
        "|البوت وقف|البوت واقف"
        "|اليوم ما وصل|اليوم ولا"
        "|ليش ساكت|ليه ساكت|لماذا صامت|لماذا الصمت|ليش هدوء|ساكت ليه|ساكت ليش"
        "|بطيء|بطيئ|بطئ"
        "|+نشر ولم|+لم يصل|+لم ترسل|+ما وصل|+ما وصلني|+لم يصلني|+ما أرسلت|+ما جاني"
        "|+لم أستلم"
        "|ما بيشتغل|مش شغاله|ما بيرد|لا يستجيب|ما يرد"
        "|ma wesel|ma wasal|ma yeshtaghel|mish shaghal|laish ma|leish ma|lesh ma"
        "|وصلتني مرتين|وصلني مرتين|وصلت مرتين|وصل مرتين|جاني مرتين|ما يفتح|لا يفتح|ما بيفتح"
        "|ما يحمل",
        "id": "tidak berfungsi|gak jalan|nggak jalan|kenapa tidak|tidak masuk|kenapa gak"
        "|kenapa kirim*|kenapa mengirim*|mengapa"
        "|kenapa belum|belum masuk"
        "|kok ada|kok belum|kok sepi|kok lama|kok gak|kok ga|kok tidak|kok nggak"
        "|kok ngga|kenapa ga|kenapa nggak|kenapa ngga|belum ada|gak ada yang"
        "|tidak ada yang|ga masuk|gak masuk|nggak masuk|gak muncul|tidak muncul"
        "|gak dapet|gak dapat|belum dapat|tidak dapat|ga dapat|ga dapet|rusak"
        "|eror|bot mati|masih hidup|masih jalan|masih aktif|telat|lambat|terlambat"
        "|mana storynya|gak kerja|ga jalan|tidak jalan"
        "|seberapa sering|seberapa cepat|berapa lama|berapa kali|berapa sering"
        "|kapan cek"
        "|gak ngabarin|tidak ngabarin|ga ngabarin|gak dikabari|satu pun"
        "|sudah berhari-hari|gak kirim|ga kirim|tidak kirim|gak update|sepi|diem aja"
        "|story sama|story yang sama|berulang"
        "|kok kosong|kosong terus"
        "|kok diem|kok diam|kenapa diam|kenapa diem|kok sunyi|kenapa sepi"
        "|gak ada kiriman|ga ada kiriman|tidak ada kiriman|nggak ada kiriman|gak ada apa-apa"
        "|lemot|lelet"
        "|+posting tapi|+gak kirim apa|+tidak kirim apa|+nggak kirim apa|+gak masuk"
        "|+tidak masuk|+nggak masuk|+belum masuk|+tidak sampai|+gak sampai|+gak dapat"
        "|+gak dapet|+tidak dapat|+nggak dapet"
        "|^gak bisa|^nggak bisa|^ga bisa|^tidak bisa|gak respon|tidak merespon|macet"
        "|dapet dua kali|dapat dua kali|masuk dua kali|dua kali dikirim|telat datang|gak kebuka"
        "|tidak terbuka",
        "uk": "не працює|не приходять|чому не|не приходить|не отримую"
        "|навіщо надсила*|чому надсила*|чому приход*"
        "|не прийш*|чому нічого"
        "|нічого приход*|нічого прийш*|нічого немає|нічого нема|нічого не отрим*"
        "|чому немає|чому нема|чому мовч*|чому тиша|де історії|де сторіс|де сповіщення"
        "|не надсилає|не надсилаєш|не надсилаєте|не шлеш|зламал*|бот помер|бот живий"
        "|ти живий|живий|завис*|запізн*|затрим*|чому пізно|так пізно|чому довго"
        "|так довго|нема нових|немає нових|помилк*|глюч*|пропустив*|не надход*"
        "|як часто|як швидко|скільки часу|скільки чекати|через скільки|коли перевір*"
        "|не повідомив*|не надіслав*|жодної|давно нічого|давно не|нічого не було|тиша"
        "|куди зник*|мовчиш"
        "|одне й те|ту саму|ті самі|повторю*|дубл*"
        "|сьогодні нічого"
        "|чого мовч*|що мовч*|чого тиша|чому тихо|ніби виклад*"
        "|наче виклад*"
        "|повільн*|гальмує*"
        "|+виклав* нічого|+виклала нічого|+не надіслав*|+не прийшло|+не прийшла|+не отримав*"
        "|+запостив* нічого|+опублікував* нічого"
        "|не фурычить|не відповідає|не вантажить|не робить"
        "|прийшло двічі|прийшла двічі|надіслав двічі|прийшло два рази|не відкривається"
        "|не відтворюється",
        "fa": "کار نمی‌کند|کار نمی‌کنه|نمیاد|نمی‌آید|نمی‌رسد"
        "|چرا فرست*|چرا می‌فرست*"
        "|چرا نیومد|نیومد"
        "|چرا هیچی|هیچی نیومد*|هیچی نیامد*|نمی‌رسه|نرسید*|نیامد*|خرابه|خراب"
        "|خراب شده|چرا نمی*|چرا دیر|دیر|تاخیر|هنوز نیومد*|زنده‌ای|زنده"
        "|کجاست|نفرستاد*|نمی‌فرستی|نمی‌فرسته|نگرفتم|نیومده|خطا|ارور"
        "|قطع شده"
        "|هر چند وقت|چند وقت|چقدر طول|چند دقیقه|چند ساعت"
        "|خبر ندادی|چرا ساکتی|هیچ استوری|چند روزه|نفرستادی|اطلاع ندادی|خبری نیست"
        "|تکراری|همون استوری"
        "|امروز هیچی|امروز خبری"
        "|چرا ساکت*|چرا خبری|چرا سکوت"
        "|کند|کندی|کنده|کندید"
        "|+نفرستادی|+نیومد|+نیامد|+نرسید"
        "|کار نمیده|جواب نمی‌ده|هنگ کرده|قاطی کرده"
        "|nemiad|nayomad|narsid|kar nemikone|chera nayomad|kharabe"
        "|دوبار اومد|دو بار اومد|دوبار فرستادی|دو بار فرستادی|باز نمی‌شه|پخش نمیشه"
        "|لود نمیشه",
        "hi": "काम नहीं|नहीं आया|नहीं आयी|नहीं आई|नहीं आए|नहीं आये|नहीं आ|नहीं आता|नहीं आती"
        "|नहीं आते|नहीं आएगा"
        "|क्यों नहीं"
        "|क्यों भेज*|kyu bhej*|kyon bhej*"
        "|nahi aaya|nahi aayi|kyu nahi|kyon nahi"
        "|कुछ नहीं आ*|कुछ नहीं मिल*|नहीं मिल*|कोई नहीं आ*|खराब|देर क्यों|इतनी देर|लेट"
        "|चल रहा|काम कर रहा|ज़िंदा|अब तक नहीं|अभी तक नहीं|गड़बड़|kyun nahi|kuch nahi"
        "|nahi mila|nahi mile|nahi mili|nahi milta|nahi milti|nahi milte|nahi mil"
        "|nahi milega|nahi milegi|nahi milenge|nahi aa|nahi aata|nahi aati|nahi aate"
        "|nahi aaye|nahi aayega|nahi aai|nahi aae|late kyu|late kyun|chal raha|kaam nahi|kharab"
        "|कितनी बार|कितनी देर|कितने समय|कितने मिनट|कितने घंटे|kitni baar|kitni der"
        "|एक भी|कई दिन|बताया नहीं|नहीं बताया|नहीं भेजा|कुछ नहीं भेजा|ek bhi|nahi bheja"
        "|nahi bataya"
        "|वही स्टोरी|बार-बार|बार बार"
        "|आज कुछ नहीं|aaj kuch nahi"
        "|चुप क्यों|क्यों चुप|chup kyun|kyun chup|chup kyu|kyu chup|itni shanti kyun"
        "|slow|धीमा|धीमे|सुस्त"
        "|+नहीं भेजा|+नहीं आया|+नहीं आई|+नहीं मिला|+नहीं मिली|+nahi bheja|+nahi aaya"
        "|+nahi aayi|+nahi mila|+nahi mili"
        "|काम ही नहीं|जवाब नहीं|chal nahi raha|nahi chal raha|jawab nahi|चल नहीं रहा"
        "|नहीं चल रहा"
        "|दो बार आया|दो बार आई|दो बार भेजा|do baar aaya|do baar aayi|do baar bheja|देर से आ*"
        "|der se aata|der se aati|der se aaya|नहीं खुल*|nahi khul*",
    },
    "subscriptions": {
        "en": "subscriptions|my subscription|subscribed to|am subscribed|my list|my profiles"
        "|who do follow|whom do follow|what do follow|am following|my alerts|following who"
        "|which follow|which following|following list|-mute|-pause|-snooze|-vacation"
        "|-on holiday"
        "|who am i following|list profiles|list accounts|who i follow|added so far"
        "|-alert|-alerts|-notifications"
        "|am folowing|am followin|am follwing|do folow|i folow"
        "|-🔕|-🔇|=🔔"
        "|-take break|-a break|-break for|-hold everything|-on hold|-i'm away"
        "|-be away|-suspend|-freeze|-resume|-unpause|-unmute|-start again|-start sending"
        "|-begin again|-turn back on|-switch back on|-switch on again|-turn on again|-im back"
        "|-am back|-carry on|-send again now|-continue|-holiday|-holidays"
        "|-on vacation|-back from"
        "|-home again|-accounts am on|-did i add|-have i added|-i added|-people i add"
        "|-show list|-see list|-the list|-full list",
        "es": "suscripciones|mis suscripciones|mi lista|mis avisos|sigo quién|estoy suscrit*"
        "|-pausa*|-silenci*|quién sigo|qué sigo|cuentas sigo|perfiles sigo"
        "|estoy siguiendo|quien siguiendo"
        "|a quién sigo|quién estoy siguiendo"
        "|-notificaciones|-avisos"
        "|-descanso|-descansa|-vacaciones|-de viaje|-reanuda|-reanudar|-reactiva|-reactivar"
        "|-vuelve a mandar|-vuelve a enviar|-vuelve a avisar|-ya volví|-ya regresé"
        "|-mandar otra vez|-enviar otra vez|-sigue mandando|-sigue enviando|-continúa"
        "|-suspende|-suspender"
        "|-tengo agregados|-tengo agregadas|-he agregado|-agregué|-me voy de viaje"
        "|-ya estoy en casa"
        "|-ver lista|-la lista|-mostrar lista|-muestra lista"
        "|qué perfiles tengo|q perfiles tengo|q perfiles sigo",
        "pt_BR": "inscrições|minhas inscrições|minha lista|meus alertas|assinaturas"
        "|estou inscrit*"
        "|-pausa*|-silenci*|quem sigo|que sigo|contas sigo|perfis sigo"
        "|quem seguindo|que seguindo|estou seguindo|tô seguindo|estou acompanhando"
        "|-notificações|-alertas"
        "|-férias|-dá um tempo|-dar um tempo|-voltei|-já voltei|-retoma|-retome|-retomar"
        "|-reativa|-reative|-reativar|-mandar de novo|-manda de novo|-volta a mandar"
        "|-volte a mandar|-continua mandando|-pode continuar|-suspende|-suspenda"
        "|-adicionei|-viajo|-vou viajar|-viajando|-segura aí|-minha lista quem"
        "|-ver lista|-a lista|-mostrar lista|-mostra lista",
        "de": "abos|meine abos|abonnements|meine liste|abonniert habe|wem folge"
        "|-pausier*|-stumm*|welchen folge|abonniert"
        "|wen folge|abonniert bin|wen habe abonniert"
        "|-benachrichtigung|-benachrichtigungen"
        "|-urlaub|-ferien|-auszeit|-verreist|-wieder da|-bin zurück|-wieder schicken"
        "|-wieder ein|-wieder an|-fortsetzen|-reaktivieren|-reaktiviere|-mach weiter"
        "|-weitermachen|-wieder los|-aussetzen"
        "|-hab ich alles drin|-hinzugefügt habe|-wochen weg|-bin weg|-wer steht drauf"
        "|-verreise"
        "|-zeig liste|-zeige liste|-die liste|-liste zeigen",
        "fr": "abonnements|mes abonnements|ma liste|mes alertes|suis abonné*"
        "|-silence|-muet|quels suis|quels comptes|quels profils|qui suis suivre"
        "|qui je suis|abonné à quoi|qui suis-je abonné|mes comptes"
        "|-alertes|-alerte"
        "|-vacances|-congé|-congés|-suspends|-suspendre|-suspendez|-de retour|-reprends"
        "|-reprendre|-reprenez|-recommence|-recommencez|-recommencer|-réactive|-réactiver"
        "|-réactivez|-remets"
        "|-je pars|-j'ai ajouté|-ai ajouté|-dans ma liste"
        "|-montre liste|-voir liste|la liste|-affiche liste",
        "it": "iscrizioni|mie iscrizioni|mia lista|miei avvisi|sono iscritt*|abbonamenti"
        "|-pausa|-silenzi*|chi seguo|cosa seguo|profili seguo|account seguo"
        "|chi sto seguendo|sto seguendo|cosa sto seguendo"
        "|-notifiche"
        "|-vacanza|-vacanze|-ferie|-sospendi|-sospendere|-sono tornato|-sono tornata"
        "|-riprendi|-riprendere|-ricomincia|-ricominciare|-riattiva|-riattivare"
        "|-continua a mandare|-rimanda"
        "|-in lista|-ho aggiunto|-parto per|-in viaggio"
        "|-la lista|-vedere lista|-mostra lista|seguo troppa",
        "tr": "abonelikler|aboneliklerim|abonelikleri|listem|kimlere abone*"
        "|-sustur*|-sessize|-duraklat*|kimleri takip|kimi takip|takip ettiklerim"
        "|kime aboneyim|nelere aboneyim"
        "|-bildirim|-bildirimleri"
        "|-tatil|-tatilde|-tatildeyim|-tatile|-ara ver|-ara verin|-geri döndüm|-tekrar gönder"
        "|-yeniden gönder|-tekrar başla|-yeniden başla|-devam et|-devam edin|-tekrar aç"
        "|-listemde|-ara verelim|-yokum|-kimleri ekledim"
        "|-listeyi göster|-liste göster|-listeyi gör|-listeyi aç",
        "ru": "подписки|подписок|мои подписки|мой список|подписан|подписана"
        "|-пауз*|-приостанов*|-заглуши*|на кого|список"
        "|-уведомления"
        "|-отпуск*|-каникул*|-перерыв*|-возобнов*|-продолжай*|-продолжи*|-вернулся|-вернулась"
        "|-снова присыл*|-присылай снова|-присылай опять|-опять присыл*|-снова шли"
        "|-включи обратно|-включи снова"
        "|-в списке|-в моем списке|-кого добавил*|-уезжаю",
        "ar": "اشتراكاتي|الاشتراكات|قائمتي|اشتراكات"
        "|-كتم|-اكتم|-صامت|من أتابع|الذين أتابع|مين متابع"
        "|-تنبيهات"
        "|-إجازة|-إجازتي|-عطلة|-مسافر|-استراحة|-استأنف*|-استئناف|-رجعت|-كمل|-أكمل"
        "|-واصل|-مرة ثانية أرسل|-أرسل من جديد|-شغل التنبيهات"
        "|-بالقائمة|-في القائمة|-مين أضفت|-من أضفت"
        "|أتابعهم|متابعهم|اللي أتابع|الذين أتابعهم|مين أتابع"
        "|قائمة الاشتراكات|شوف القائمة",
        "id": "daftar langganan|langganan saya|langgananku|daftarku|daftar saya"
        "|-jeda|-bisukan|-senyap*|ikuti siapa|akun ikuti"
        "|siapa diikuti|lagi ikutin siapa|aku ikutin siapa|ngikutin siapa"
        "|-notifikasi|-notif"
        "|-liburan|-libur|-cuti|-istirahat|-lanjutkan|-lanjutin|-lanjut|-mulai lagi"
        "|-aktifkan lagi|-aktifin lagi|-nyalakan lagi|-nyalain lagi|-kirim lagi|-udah balik"
        "|-sudah kembali|-tunda"
        "|-aku tambahin siapa|-di daftarku"
        "|siapa aja follow|siapa saja follow|siapa follow|follow siapa|siapa ikuti|siapa ngikutin"
        "|-lihat daftar|-liat daftar|daftarnya|-list dong",
        "uk": "підписки|підписок|мої підписки|мій список|підписаний|підписана"
        "|-пауз*|-призупин*|-заглуш*|на кого|список"
        "|-сповіщення"
        "|-відпустк*|-відпустц*|-канікул*|-перерв*|-віднов*|-продовж*|-повернувся"
        "|-повернулась|-повернулася|-знову надсил*|-надсилай знову|-увімкни знову"
        "|-в списку|-у списку|-кого додав*|-їду на",
        "fa": "اشتراک‌هایم|اشتراک‌ها|اشتراکهام|اشتراک‌های|لیستم|لیست من"
        "|-بی‌صدا|-سکوت|-مکث|چه کسانی|کیا دنبال|لیست"
        "|-اعلان*"
        "|-تعطیلات|-تعطیلاتم|-مرخصی|-مسافرت|-مسافرتم|-سفرم|-استراحت|-برگشتم|-ادامه"
        "|-دوباره بفرست|-دوباره شروع|-دوباره روشن|-از سر بگیر"
        "|-تو لیستم|-نیستم|-کیا رو اضافه",
        "hi": "सब्सक्रिप्शन|मेरी सूची|मेरी लिस्ट|सदस्यताएँ"
        "|-म्यूट|-चुप|किसे फॉलो|किन्हें|meri list"
        "|-अलर्ट"
        "|-छुट्टी|-छुट्टियों|-chutti|-chhutti|-वापस आ|-फिर से भेज*|-फिर से शुरू|-दोबारा भेज*"
        "|-दोबारा शुरू|-जारी|-phir se|-phir se shuru|-shuru karo|-fir se|-dobara|-wapas aa"
        "|-शुरू करो"
        "|-bahar hoon|-बाहर हूँ|-लिस्ट में कौन|-list mein kaun"
        "|kis follow|kisko follow|kinko follow|kise follow|kinhe follow|किस फ़ॉलो"
        "|किसको फ़ॉलो|kaun kaun list"
        "|-list dikhao|-list dikha|लिस्ट",
    },
    "unsubscribe": {
        "en": "stop|stopp|don't send|do not send|unsubscribe|unfollow|unsub|remove"
        "|cancel subscriptions|cancel all|cancel alerts|cancel everything"
        "|delete|turn off|no more|quit"
        "|disable|opt out|don't want|do not want|cancel subscription"
        "|spam|spamming|annoying|leave me alone"
        "|not interested"
        "|enough|go away|stfu|get lost|leave alone"
        "|take off list|no longer want|fed up|sick of|rid of|take out|take away|drop"
        "|bye bye forever"
        "|accident|accidentally|mistake subscribed|subscribed undo"
        "|+cancel"
        "|unsuscribe|unsubcribe|unsubsribe|unsubscibe|unsubscrib|unfolow"
        "|=🛑|=⛔|+🛑|+⛔|+🚫|+❌|+done with|+ditch|+bores me|+is boring|+bored of"
        "|+bored with|+tired of|+kick out|+no longer follow|+no longer need|+no longer care"
        "|+don't need"
        "|+don't follow|+no anymore|+scrap|+lost interest"
        "|+lose interest"
        "|+dont wanna|+nuke|+axe|+not anymore"
        "|+take off"
        "|cease|discontinue|discontinued|refrain|halt all|halt messages|terminate"
        "|stop bothering"
        "|+kill|kill all|kill everything|kill notifications|kill alerts|nuke all"
        "|nuke everything",
        "es": "por hoy ya"
        "|borra*|elimina*|parar|^para ya|^para de|detener|detén|basta"
        "|=para|=para esto|^para con|deja mandar*|deja enviar*|deja molestar"
        "|cancelar suscripciones|cancelar suscripción|desuscrib*"
        "|dejar seguir|deja enviar|no más|desactivar|quita|quitar|no quiero más"
        "|no quiero|no mandes|no envíes|deja mandar|dejar mandar|cancela suscrip*"
        "|anula suscrip*"
        "|no interesa"
        "|ya basta|cállate|harto|harta|saca|sacar|ya no manden|ya no mandes"
        "|dejes enviar|dejen enviar|dejen mandar"
        "|sin querer"
        "|+cancela|+cancelar|+cancele"
        "|+cansé de|+aburre|+aburrí de|^fuera|+ya no sigo|+ya no necesito"
        "|+me cansó|+me aburrió|+me cansa|+me tiene harto"
        "|^para todo"
        "|-deshago de ti|-deshacerme de ti|-librarme de ti|-me libro de ti"
        "|cancelar todo|cancela todo|cancelen todo|cese|cesen|deje de enviar|dejar de recibir",
        "pt_BR": "apaga*|exclui*|parar|pare|^para de|^chega|cancelar inscrição|desinscrev*"
        "|=para|^para com|me deixa paz|me deixe paz|cancelar inscrições"
        "|deixar seguir|desativar"
        "|não quero mais|remover|remova|tirar"
        "|não quero|não mande|não manda|cancela* inscri*|tira|cansei"
        "|não interessa|não tenho interesse"
        "|cala boca|já chega|enchendo saco|não mandem|retira|retirar|saco cheio|para já"
        "|sem querer"
        "|+cancela|+cancelar|+cancele"
        "|+enjoei|+não aguento mais|^fora|+enjoada de|+enjoado de"
        "|+ñ quero|+naum quero"
        "|+já deu|+já cansou|+cansou"
        "|^para tudo"
        "|-livro de você|-livrar de você|-livro de vc|-livrar de vc"
        "|cancelar tudo|cancela tudo|cancele tudo|cesse|deixe de enviar|deixar de receber",
        "de": "für heute genug"
        "|lösch*|aufhören|hör auf|abbestell*|abmelden|beenden|beende|ausschalten"
        "|lass ruhe|lasst ruhe|melde ab|meld ab"
        "|keine mehr|deabonnier*|entfern*|abo kündigen|schluss"
        "|will keine|nicht mehr|nervt|nervst|nerven|nervig|nervige|nervend|nerve"
        "|genervt|kündig*"
        "|kein interesse"
        "|genug|reicht|klappe|sei still|lass das|rausnehmen|rauswerfen|raus|weg mit"
        "|brauche nicht|kein bock|abschalten|schalte ab|schalt ab|stell ab"
        "|versehentlich|aus versehen"
        "|+storniere"
        "|+kann weg|+soll weg|+mach weg|+mache weg|+muss weg|+langweilt|+langweilig"
        "|+keine lust|+satt"
        "|+will nix mehr|+nix mehr"
        "|+interessiert nicht|+interessiert nimmer"
        "|stoppen|stoppe"
        "|-werde dich los|-dich loswerden|-dich los werden|-loswerden|+loswerden"
        "|alles kündigen|alles abbestellen|+benachrichtigungen einstellen"
        "|+nachrichten einstellen|+storys einstellen|zustellung einstellen"
        "|einstellen bitte nachrichten|unterlassen"
        "|+trag aus|+austragen|+nimm weg|+setz ab|+schmeiß raus|+hau raus",
        "fr": "supprim*|arrêter|arrête|arrêtez|stopper|désabonne*"
        "|j'en veux plus|laisse tranquille|laissez tranquille"
        "|désabonner"
        "|^plus d'alertes|désactive*|enlève*|retire*|me désabonner"
        "|ne veux plus|envoie plus|envoyez plus|désinscri*"
        "|m'intéresse pas|pas intéressé"
        "|ça suffit|assez|tais-toi|tais toi|ferme|enlever|retirer|marre|saoulé"
        "|stoppe|plus envie|veux pas|n'en veux plus"
        "|par erreur|sans faire exprès"
        "|+annule|+annuler"
        "|+fini avec|+ennuie|+m'ennuie|+vire|+virer|+dégage|+lassé|+lassée|+plus besoin"
        "|^je veux plus recevoir|^je veux plus voir|^je veux plus suivre|^je veux plus avoir"
        "|^j'veux plus|^veux plus recevoir|^je peux plus voir|+plus jamais|+j'aime plus"
        "|+c'est fini|+plus intéressé|+plus intéressée|+n'aime plus"
        "|+me saoule|+me gave|+ça saoule"
        "|+coupe|+couper|+coupez"
        "|-débarrasse de toi|-débarrasser de toi|-débarrasser de vous"
        "|tout annuler|annule tout|annuler tout|annulez tout|cesser|cessez|ne plus recevoir"
        "|mets fin|mettez fin|mettre fin",
        "it": "elimina*|cancella*|basta|ferma|fermare|fermati|smetti|smettila|disiscriv*"
        "|lasciami pace|lasciatemi pace|non interessa|non scriver*"
        "|disattiva*|rimuovi|togli"
        "|annulla iscrizione|non voglio più"
        "|non voglio|non mandare|non mandarmi|annulla iscri*|disattivare"
        "|piantala|piantatela|zitto|leva|levami|stufo|stufa|togliere|rimuovere"
        "|non ne voglio|non mandatemi|non inviarmi|non inviare"
        "|smettetela|smettete"
        "|+annulla|+annullare"
        "|+stancato|+stancata|+stanco di|+stanca di|+annoia|^via"
        "|+nn voglio"
        "|+stufato|+mi ha stufato"
        "|-libero di te|-liberarmi di te|smettere"
        "|annulla tutto|annullare tutto|annullate tutto|cessare|cessate|non ricevere più",
        "tr": "sil|durdur|dur|durdurun|yeter|abonelikten çık|abonelikten çıkar"
        "|abonelikten çıkmak|abonelikten çıkış|abonelikten çıkart|aboneliği iptal*|bırak|kapat"
        "|atma|yazma|rahat bırak"
        "|istemiyorum"
        "|çıkar"
        "|gönderme|göndermeyin|iptal|kaldır|takipten çık|takipten çıkar"
        "|takipten çıkmak|takipten çıkart"
        "|ilgilenmiyorum"
        "|gerek yok|yollama|sus|bıktım|sıkıldım|çıkart|istemiyom|gelmesin"
        "|artık gelmesin"
        "|+bitsin|+vazgeçtim|+sıkıyor"
        "|+istemem"
        "|+bıktım|+baydı"
        "|-senden kurtulurum|-senden kurtulabilirim|-senden kurtulmak|bırakmak|kapatmak"
        "|durdurmak|+çıkarmak|+silmek|+bırakayım|+bırakacağım|+kaldırmak",
        "ru": "удали*|стоп|хватит|прекрати*|отпиши*|отписаться|отписка|останови*|отключи*"
        "|отстань*|не пиши*|отвяжись"
        "|выключи*|убери"
        "|не больше надо|не больше присылай|не присылай*|перестань"
        "|спам*|отписыва*|не надо|не хочу|надоел*|достал*|не шли|убрать"
        "|не интерес*|неинтересно"
        "|не нужно|отвали*|заткни*|замолчи*|отъеб*|отцепи*|исключи*|отмени*|убира*"
        "|заебал*|бесит|бесишь|прекрат*|хорош слать|сними с"
        "|случайно подписал*"
        "|+отмена|+отменить"
        "|+выкинь*|+выбрось*|+устал*|+наскучил*"
        "|+хорош"
        "|-избавиться от тебя|-избавлюсь от тебя|-избавиться от вас|-отделаться от тебя"
        "|перестать"
        "|прекратите присылать|отменить все",
        "ar": "احذف|حذف|توقف|أوقف|إيقاف|إلغاء الاشتراك|ألغ اشتراك*|كفى"
        "|لا تكتب|لا تراسل*|اتركني"
        "|كفاية"
        "|لا تنبيهات"
        "|ألغي|لا ترسل|لا أريد|لا ترسلي|بطل|سبام|مابي"
        "|مش مهتم|غير مهتم"
        "|ما أبي|ما أبغى|ما أريد|مش عايز|مش عاوز|خلاص|ما بدي|بطلوا|يكفي"
        "|بس خلاص|اخرس|ازعجتوني|مزعج|شيل|أزل|ازالة|لا ترسلوا|لا تبعت"
        "|وقف|وقفي|وقفوا|+زهقت|+مليت|+امسح|+طفي|+سكر|+اطفي|+شيلي|+بطلي|+اقفل"
        "|+ما عاد بدي|+مو عايز|+بلاش"
        "|-أتخلص منك|-التخلص منك"
        "|الغاء الكل|الغي كل|wa2ef|wa2fi|wa2fo|wa2if|waqef|batel|khalas|bas khalas"
        "|la tursil|ma badde|mabi",
        "id": "hapus|berhenti|hentikan|setop|batal langganan|matikan"
        "|udahan|jangan chat|jangan ganggu"
        "|jangan kirim|cukup"
        "|berhenti langganan"
        "|jangan|batalkan|nonaktifkan|tidak mau|gak mau"
        "|tidak tertarik|gak tertarik"
        "|gak usah|ga usah|nggak usah|udah cukup|ga mau|nggak mau|ngga mau|keluarkan"
        "|keluarin|copot|bosan|capek|ganggu banget|diam"
        "|gak sengaja|tidak sengaja"
        "|+batal"
        "|+bosen|+buang|+males|+malas|+lepas"
        "|+gamau|+gk mau|+ogah"
        "|-singkirkan kamu|-menyingkirkan kamu|-lepas dari kamu|menghentikan"
        "|berenti|brenti|stopin",
        "uk": "видали*|стоп|досить|припини*|відпиши*|відписатися|зупини*|вимкни*|прибери"
        "|годі|не пиши*|відчепи*"
        "|не надсилай*"
        "|перестань"
        "|відпис*|відпиш*|припин*|зупин*|вимкн*|прибер*|спам*|не хочу|не треба|набрид*"
        "|скасу* підпис*"
        "|не цікав*|нецікаво"
        "|не потрібно|відвали*|замовкни*|прибра*|виключи*|скасуй*|дістал*|бісить"
        "|вимика*|не шли*"
        "|+викинь*|+викид*|+втомив*|+втомил*|+наскучи*"
        "|-позбутися тебе|-позбутись тебе|-позбутися вас|перестати"
        "|скасувати все|скасувати всі|припиніть надсилати"
        "|+забери|+забрати",
        "fa": "توقف|بس|متوقف*|قطع*|نفرست*|لغو اشتراک|خاموش|دیگه نفرست|حذف"
        "|پیام نده|پیام ندید|ولم کن"
        "|نمی‌خوام|نمی‌خواهم|نفرستید|لغو|اسپم"
        "|علاقه ندارم"
        "|کافیه|بسه|کافی است|خفه شو|خسته شدم|بردار|دیگه نمی‌خوام|نفرستین"
        "|ارسال نکن|قطعش کن|لغوش کن"
        "|+پاک|+پاکش|+خسته شدم"
        "|-از دستت خلاص|-از شرت"
        "|hazf|hazf kon|nafrest|nafrestid|dige nafrest|nemikham|bardar|ghat kon|laghv|velam kon",
        "hi": "आज बस|aaj bas|आज बहुत|aaj bahut|bas karo aaj"
        "|डिलीट|बंद|रोको|रुको|रोकें|अनसब्सक्राइब|हटाओ|हटाएँ|मत भेजो|बस करो"
        "|मैसेज मत|मत करो|message mat"
        "|band|hatao|mat bhejo|roko|नहीं चाहिए|मत भेज*|स्पैम|nahi chahiye"
        "|रुचि नहीं|दिलचस्पी नहीं"
        "|बस बहुत|परेशान मत|नहीं चाहिये|हटा|हटाना|निकालो|निकाल दो|चुप रहो|mat bhejna"
        "|nikalo|hata do|hata|bas karo"
        "|+बोर|+निकाल*|+bore|+nikal|+nikalna"
        "|+nhi chahiye|+nai chahiye|+नही चाहिए"
        "|+rok do|rok do|रोक दो"
        "|-तुमसे छुटकारा|-आपसे छुटकारा|छुटकारा|chhutkara|+hatana|+हटाना",
    },
    "highlights": {
        "en": "highlight|highlights", "es": "destacada|destacadas|destacados",
        "pt_BR": "destaque|destaques", "de": "highlight|highlights",
        "fr": "à la une", "it": "in evidenza|evidenza",
        "tr": "öne çıkanlar*", "ru": "хайлайт*|актуальн*", "ar": "المميزة|هايلايت*",
        "id": "sorotan", "uk": "хайлайт*|актуальн*", "fa": "هایلایت*",
        "hi": "हाइलाइट*",
    },
    "subscribe": {
        "en": "subscribe|subscribes|follow|notify|+alert|+alerts|+sub|+watch|+track|new stories"
        "|+add|+mute|+pause|+snooze"
        "|every new|keep posted|+notifications|tell when|sign up|let know"
        "|notified|whenever"
        "|+when|+if posts|+as soon"
        "|subcribe|subsribe|suscribe|subscibe|subscrib|folow"
        "|+🔕|+🔇|+🔔"
        "|keep loop|keep informed|keep updated|keep up to date"
        "|+keep eye|+watch over|+keep tabs|+monitor|+keep watch",
        "es": "suscríbeme|suscribir|suscribirme|suscríbete|seguir|sigue"
        "|+silenci*|+pausa*"
        "|avísame|notifícame|+notificaciones|+avisos|+añade|+agrega"
        "|avisa|avísenme|suscrib*|+cuando suba|+cuando publica|+cuando publique"
        "|+cuando publican|+cuando publiquen|+cuando publicó|+cuando publicar"
        "|avises|avise|avisar|avisarme|avisen"
        "|+cuando"
        "|mantenme al tanto|mantenme informado|mantenme informada|+al tanto"
        "|+échale ojo|+echa ojo|+ojo a|+pendiente de|+vigila|+vigilar"
        "|+ponme|+pon a|+méteme|+mete a|+síguele|+sígueme",
        "pt_BR": "inscreva|inscrever|inscreve|assinar|assine|seguir|siga|avise|avisa|notifique"
        "|+silenci*|+pausa*"
        "|+notificações|+alertas|adicione|adiciona|me inscreva|inscrição"
        "|acompanhar|assina|+quando posta|+quando poste|+quando postar|+quando postou"
        "|+quando postam"
        "|avisar|avisem|avises"
        "|+quando"
        "|mantenha informado|mantenha informada|+por dentro"
        "|+fica de olho|+fique de olho|+de olho em|+olho no|+olho na"
        "|segue|seguindo|+bota|+põe|+coloca|+inclui|+inclua|+manda tudo",
        "de": "abonniere|abonnieren|abonnier|abo|folge|folgen|benachrichtige|+benachrichtigung"
        "|+pausier*|+stummschalt*"
        "|+benachrichtigungen|melde|hinzufügen"
        "|benachrichtig*|bescheid|+sobald"
        "|+wenn"
        "|auf dem laufenden"
        "|+im auge|+im blick"
        "|+folg|+abonniern|+pack|+nimm|+trag|+setz",
        "fr": "abonne|abonne-moi|abonner|m'abonner|abonnement|suivre|+suis|préviens|préviens-moi"
        "|+muet"
        "|notifie|notifie-moi|+alertes|+alerte|+ajoute"
        "|abonnez|avertis|prévenez|+quand publie|+quand poste"
        "|prévenir|avertir|notifier"
        "|+quand|+dès"
        "|+au courant"
        "|+à l'œil|+un œil sur|+garde œil|+surveille|+surveiller"
        "|+suivez|+mets|+mettez|+rajoute|+rajoutez",
        "it": "iscrivimi|iscrivi|iscrivermi|iscriversi|iscrizione|seguire|segui|avvisami"
        "|+silenzi*|+pausa"
        "|avvisa|notificami|+notifiche|aggiungi|abbonami"
        "|abbonarmi|avvertimi|fammi sapere|+quando pubblica|+quando posta"
        "|avvisi|avvisare|avvisarmi|avverti"
        "|+quando|+appena"
        "|tienimi aggiornato|tienimi aggiornata|tienimi al corrente"
        "|+d'occhio|+un occhio a|+un occhio su|+sorveglia"
        "|+seguimi|+metti|+mettimi|+abbona",
        "tr": "abone|aboneliği|takip|bildir|+bildirim|+bildirimleri|haber ver|ekle"
        "|+sustur*|+sessize|+duraklat*"
        "|haber|takipteyim"
        "|+paylaşınca|+paylaştığında|+atınca"
        "|haberdar et|haberdar"
        "|+gözün üzerinde|+göz kulak|+gözünü ayırma"
        "|+takibe al|+takip et|+ekleyin|+ekler misin",
        "ru": "подпиши*|подписаться|подписка|подписку|следи|следить|уведомляй*|+уведомления"
        "|+приостанов*|+заглуши*|+пауз*"
        "|присылай*|сообщай*|добавь|отслеживай*"
        "|подпиш*|подписывай*|следите"
        "|сообщи*|оповещай*|оповести*|дай знать|скажи когда|+когда"
        "|держи в курсе|держите в курсе"
        "|+следи*|+последи*|+присматрив*|+присмотри*|+отслежива*|+глаз с"
        "|+закинь|+зафоловь|+фолловни|+подпишись|+добавьте",
        "ar": "اشترك*|الاشتراك|أشترك|تابع|متابعة|نبهني|أعلمني|+تنبيهات|أضف|اشتراك"
        "|+كتم|+اكتم"
        "|تشترك*|تتابع|خبرني|أخبرني|بلغني|نبهوني"
        "|+عندما|+لما|+لمن"
        "|+على اطلاع"
        "|+راقب*|+عينك على|+تابع*"
        "|+ضيف|+ضيفي|+حط|+فولو"
        "|+ابغى اتابع|+عايز اتابع|+عاوز اتابع|+بدي تابع|+ishterek|+eshterek|+taba3"
        "|+tabe3|+atabe3|+nabbehni",
        "id": "langganan|berlangganan|langgani|ikuti|beri tahu|beritahu|+notifikasi|tambahkan"
        "|+jeda|+bisukan|+senyap*"
        "|tambah|kabari"
        "|ikutin|kabarin|+notif"
        "|+kalau|+kalo|+ketika|+begitu"
        "|+kabarin terus|+infokan|+infoin"
        "|+pantau|+pantauin|+pantengin|+awasi|+awasin"
        "|+masukin|+masukkan|+tambahin|+polow|+folow",
        "uk": "підпиши*|підписатися|підписка|підписку|стеж|стежити|сповіщай*|+сповіщення"
        "|+призупин*|+заглуш*|+пауз*"
        "|надсилай*|повідомляй*|додай|відстежуй*"
        "|підпиш*|підписуй*|стежте|повідомте"
        "|повідом*|скажи коли|дай знати|+коли|+щойно"
        "|тримай в курсі|тримай у курсі"
        "|+стеж*|+слідкуй*|+пильнуй*|+наглядай*|+відстеж*"
        "|+додайте|+підпишись|+закинь",
        "fa": "مشترک*|اشتراک|دنبال|خبرم|خبر|+اعلان*|اضافه|سابسکرایب"
        "|+بی‌صدا|+سکوت|+مکث"
        "|فالو"
        "|+وقتی"
        "|+در جریان"
        "|+زیر نظر|+حواست به|+چشمت به"
        "|+فالوش|+بذار"
        "|+donbal|+donbal kon|+follow kon|+ezafe|+ezafe kon|+khabaram kon|khabar bede",
        "hi": "सब्सक्राइब*|फ़ॉलो|+अलर्ट|सूचित|जोड़ो|जोड़ें|बताओ जब"
        "|+म्यूट|+चुप"
        "|batao jab|bata dena"
        "|+जब|+jab"
        "|बताते रहना|batate rehna"
        "|+नज़र रख*|+nazar rakh*|+nazar rakho"
        "|+add karo|+add kar|+follow karo|+jodo|+jod do|+जोड़ दो",
    },
    "stories": {
        "en": "stories|story|+show|+see|+view|+watch|+display|+open|+look|+latest|+posted"
        "|+new|+what's new"
        "|-anything new|-what's new|-any new|-something new"
        "|-anyone posted|-anybody posted|-who posted",
        "es": "historias|historia|+muestra|+muéstrame|+mostrar|+mostrarme"
        "|+ver|+enseña|+enséñame|+abre"
        "|+mirar|+mira|+pasa|+pásame"
        "|+novedades|+nuevo"
        "|-algo nuevo|-qué hay de nuevo|-novedades|-alguna novedad",
        "pt_BR": "histórias|+mostra|+mostre|+mostrar|+ver|+veja|+abre"
        "|+abrir"
        "|+olhar|+mande|+assistir"
        "|+novidades|+novo"
        "|-algo novo|-alguma novidade|-novidades|-tem novidade|-que há de novo",
        "de": "storys|+zeig|+zeige|+zeigen|+sehen|+anschauen|+ansehen|+öffne"
        "|+zeigt|+anzeigen|+gucken"
        "|+neues|+neu"
        "|-was neues|-gibt's neues|-etwas neues|-neuigkeiten",
        "fr": "+montre|+montre-moi|+montrer|+montrez|+voir|+affiche|+afficher"
        "|+ouvre"
        "|+regarder|+vois"
        "|+nouveau|+neuf"
        "|-du nouveau|-des nouveautés|-quelque chose de nouveau",
        "it": "storie|storia|+mostra|+mostrami|+mostrare|+vedere|+fammi|+guarda|+apri"
        "|+guardare|+vedo|+vediamo"
        "|+novità|+nuovo"
        "|-novità|-qualcosa di nuovo|-che c'è di nuovo",
        "tr": "hikâye*|+göster*|+bak|+görmek|+aç"
        "|+izle*|+görebilir*|+gör"
        "|+yeni"
        "|-yeni bir şey|-yeni ne var|-yeni bişey|-yenilik",
        "ru": "истори*|сторис*|+покажи*|+показать|+посмотреть|+смотреть|+глянуть|+открой*"
        "|+кинь|+глянь|+посмотрим"
        "|+нового|+новое"
        "|-что нового|-есть новое|-что-нибудь новое|-есть новости|-что-то новое",
        "ar": "قصص|قصة|القصص|ستوري|+أرني|+اعرض|+عرض|+شاهد|+أظهر|+مشاهدة|ستوريات|+وريني"
        "|+شوف|+أشوف|+ورني|+فرجيني|+أشاهد"
        "|+الجديد|+جديد"
        "|+warini|+warrini|+warine|+farjini|+shoof|+shouf|+warjini|+abi ashoof|+ابغى اشوف"
        "|+عايز اشوف"
        "|-شو الجديد|-ما الجديد|-في جديد|-ايش الجديد|-إيه الجديد",
        "id": "cerita|+tampilkan|+lihat|+lihatkan|+tunjukkan|+tunjukin|+buka"
        "|+liat|+liatin|+nonton|+tonton|+kirimin"
        "|+baru"
        "|-ada yang baru|-apa yang baru|-yang baru",
        "uk": "істор*|сторіс*|+покажи*|+показати|+подивитися|+дивитися|+відкрий*"
        "|+покаж*|+глянути|+кинь"
        "|+нового|+нове"
        "|-що нового|-є нове|-щось нове|-є новини",
        "fa": "استوری*|+نشان|+نشون|+ببینم|+نمایش|+ببین*|+باز"
        "|+بیار|+ببینیم"
        "|+جدید|+تازه"
        "|+neshun|+neshoon|+neshan|+neshun bede|+bebinam|+estori|+story"
        "|-چیز جدید|-خبر جدید|-چی جدید|-جدید چی",
        "hi": "स्टोरी*|स्टोरीज़|+दिखा*|+देख*|+खोलो|+खोलें"
        "|+dikhao|+dikha|+dikhado|+dikhaiye|+dekhna|+dekhni|+dekhne"
        "|+नया|+नई"
        "|-कुछ नया|-नया क्या|-kuch naya|-kya naya|-naya kya",
    },
    "help": {
        "en": "help|menu|commands|what can do|how use|how work|how works|how does work|info"
        "|robot|human|support|contact"
        "|instructions|what this|guide|what are you|who are you|how start|features"
        "|what do do|manual|faq"
        "|private account|private accounts|private profile|private profiles|private stories"
        "|who made|who created|who built|confused|don't understand|no idea|explain|tutorial"
        "|how get|what's this"
        "|locked account|locked profile"
        "|anyone there|anyone here|anyone home|anyone around|anyone out|anybody there"
        "|anybody here|anybody home|anybody around|anybody out|someone there"
        "|somebody there|=🆘|-ℹ*"
        "|locked accounts|locked profiles|private people|work on iphone|work on android"
        "|work on pc"
        "|teach me|i'm lost|am lost|your skills|what else do|show me how|where start"
        "|get started|getting started|new here|walk me through|first time here"
        "|^a question|quick question|^i have a question|^i have question",
        "es": "ayuda|ayúdame|comandos|qué puedes|cómo funciona"
        "|instrucciones|qué haces|quién eres|cómo uso"
        "|no entiendo|cuenta privad*|cuentas privad*|perfiles privad*|perfil privad*"
        "|explica*|quién hizo"
        "|ayudar|ayudarme|perfil cerrado|cuenta cerrada"
        "|hay alguien|alguien ahí|alguien aquí"
        "|soy nuevo|soy nueva|estoy perdido|estoy perdida|dónde empiezo|cómo empiezo"
        "|cómo empezar"
        "|una pregunta|tengo duda|una duda|tengo pregunta",
        "pt_BR": "ajuda|ajude|comandos|como funciona|instruções|o que faz|o que você"
        "|quem é você|como usar|como uso"
        "|não entendi|não entendo|conta privad*|contas privad*|perfil privad*|explica*"
        "|quem fez"
        "|ajudar|perfil fechado|conta fechada|perfis fechados|perfil trancado"
        "|tem alguém|alguém aí|alguém aqui"
        "|sou novo|sou nova|estou perdido|estou perdida|tô perdido|tô perdida|onde começo"
        "|como começo|me ensina"
        "|uma pergunta|uma dúvida|tenho dúvida",
        "de": "hilfe|hilf|befehle|wie funktioniert|wie geht|anleitung|was kannst"
        "|was soll das|was ist das"
        "|wer bist|was machst|wie benutze"
        "|verstehe nicht|privat*|erklär*|wer gemacht|geht das"
        "|helfen"
        "|jemand da|jemand hier|wer da"
        "|bin neu|neu hier|wie fange|wo fange|komme nicht klar|komm nicht klar|kapier nicht"
        "|kapiere nicht|kapier nix"
        "|wer steckt dahinter|wer hat gebaut|wer hat programmiert"
        "|eine frage|ne frage|hab frage|habe frage",
        "fr": "aide|aidez|aide-moi|commandes|comment marche|ça marche|comment fonctionne"
        "|c'est quoi|quoi bot"
        "|que peux|que fais|qui es|mode d'emploi|comment utiliser"
        "|comprends pas|comprends rien|privé*|expliqu*|qui fait"
        "|aider|m'aider"
        "|y quelqu'un|quelqu'un là|quelqu'un ici"
        "|suis nouveau|suis nouvelle|suis perdu|suis perdue|où commencer|comment commencer"
        "|pige pas|pige rien"
        "|rien compris|pas compris|une question",
        "it": "aiuto|aiutami|comandi|come funziona|istruzioni|cosa puoi|cosa fai|chi sei"
        "|come si usa"
        "|non capisco|account privat*|profili privat*|profilo privat*|spiega*|chi fatto"
        "|aiutare|aiutarmi|profilo chiuso|account chiuso"
        "|c'è qualcuno|c'è nessuno|qualcuno qui"
        "|sono nuovo|sono nuova|mi sono perso|mi sono persa|come inizio|come comincio"
        "|dove inizio"
        "|non ho capito|capito niente|non capito|una domanda",
        "tr": "yardım|komutlar|nasıl çalışır|nasıl kullanılır|ne yapabilirsin"
        "|kimsin|nesin|bu ne"
        "|nasıl çalışıyor|sen kimsin|neler yapabilirsin|ne yapıyorsun"
        "|anlamadım|anlamıyorum|gizli hesap*|anlat"
        "|yardımcı ol|yardım et"
        "|kimse var|kimse yok"
        "|gizli profil|gizli profili|gizli profiller|gizli profilleri|gizli hesap"
        "|yeniyim|nasıl başlarım|nereden başlarım|nereden başlamalıyım|öğret"
        "|bir soru|sorum var",
        "ru": "помощ*|помоги*|меню|команды|как работает|как пользоваться|инструкци*|что умеешь"
        "|что можешь|справка|кто ты|как это|что делаешь|что ты"
        "|не понимаю|не понял*|непонятно|закрыт*|приватн*|кто тебя|объясни*|как пользоват*"
        "|помочь"
        "|есть кто|есть кто-нибудь|кто-нибудь тут|кто-нибудь здесь|есть кто-то"
        "|новичок|новеньк*|чего начать|научи|запутал*"
        "|че умеешь|что умеете|есть вопрос",
        "ar": "مساعدة|المساعدة|ساعدني|قائمة|القائمة|الأوامر|أوامر|كيف يعمل|كيف تعمل|ماذا تفعل"
        "|ماذا يمكنك|من أنت|كيف أستخدم|تعليمات"
        "|لم أفهم|ما فهمت|لا أفهم|حساب خاص|حسابات خاصة|الحسابات الخاصة|اشرح|كيف"
        "|في حد|فيه أحد|في أحد|من أحد|أحد هنا|حد هنا"
        "|على الحسابات الخاصة"
        "|أنا جديد|جديد هنا|علمني|وين ابدا|أين أبدأ"
        "|sa3edni|sa3dni|musa3ada|kif bta3mel|keef"
        "|مين عملك|من صنعك|مين سواك|مين صنعك"
        "|عندي سؤال|سؤال",
        "id": "bantuan|bantu|tolong bantu|perintah|cara pakai|cara kerja|bagaimana cara"
        "|bisa apa|apa bisa|siapa kamu|gimana cara|petunjuk"
        "|tidak mengerti|gak ngerti|bingung|akun privat|jelaskan|caranya|gimana"
        "|bot apa|apa ini|ini apa"
        "|bantuin|akun dikunci|akun private"
        "|ada orang|ada org|ada yang jaga"
        "|baru di sini|aku baru|mulai dari mana|ajarin"
        "|ga ngerti|nggak ngerti|mau tanya|mau nanya|nanya dong",
        "uk": "допомог*|допоможи*|меню|команди|як працює|як користуватися|інструкці*|що вмієш"
        "|що можеш|довідка|хто ти|як це"
        "|не розумію|не зрозумі*|закрит*|приватн*|поясни*|хто тебе"
        "|допомож*"
        "|допомогти"
        "|є хтось|хтось тут|є хто|хто-небудь тут"
        "|новачок|чого почати|навчи|заплутал*"
        "|є питання|є запитання|маю питання",
        "fa": "کمک|راهنما*|راهنمایی|منو|دستورها|دستورات|چطور کار|چیکار|چه کار|چگونه|کی هستی"
        "|چه کاری|چطوری"
        "|نفهمیدم|متوجه نشدم|خصوصی|توضیح"
        "|کسی هست|کسی اینجا"
        "|پرایوت*|پرایوت"
        "|تازه واردم|تازه وارد|کجا شروع|یادم بده"
        "|chetor kar|komak|rahnama|chikar"
        "|یه سوال|یک سوال|سوال دارم",
        "hi": "मदद|सहायता|मेनू|मेन्यू|कमांड|कैसे काम|क्या कर|कैसे इस्तेमाल|कौन हो|कैसे"
        "|आप कौन|तुम कौन|kaun ho|kaun hai"
        "|समझ नहीं|samajh nahi|samajh nahin|प्राइवेट|kaise|madad|समझाओ"
        "|कोई है|कोई यहाँ|koi hai"
        "|नया हूँ|नई हूँ|naya hoon|nayi hoon|kahan se shuru|कहाँ से शुरू|सिखाओ|sikhao"
        "|kisne banaya|किसने बनाया"
        "|ek sawal|एक सवाल",
    },
}  # fmt: skip

_TOO_MANY_ALERTS = {
    "en": "too many|too much|so many|overwhelming|calm down|chill",
    "es": "demasiados|demasiadas|muchos mensajes|muchos avisos|tantos mensajes|tantos avisos",
    "pt_BR": "muita mensagem|muitas mensagens|muitos alertas|mensagens demais|mensagem demais"
    "|alertas demais|tanta mensagem",
    "de": "zu viele|zu viel|zuviel|so viele|viel zu",
    "fr": "trop messages|trop alertes|trop notifications|trop stories|beaucoup trop",
    "it": "troppi|troppe|tanti messaggi|tante notifiche|sono troppi",
    "tr": "çok fazla|fazla mesaj|çok mesaj|çok bildirim",
    "ru": "слишком много|много сообщ*|много уведомл*|слишком часто",
    "ar": "رسائل كثيرة|رسائل كثير|تنبيهات كثيرة|كثيرة جدا|كثير جدا",
    "id": "kebanyakan|terlalu banyak|banyak banget|banyak sekali",
    "uk": "забагато|занадто багато|надто багато|багато повідомл*",
    "fa": "پیام‌ها زیاده|پیام زیاده|زیاده|خیلی زیاد",
    "hi": "बहुत ज़्यादा|ज़्यादा मैसेज|इतने मैसेज|बहुत मैसेज|bahut jyada|bahut zyada|itne message",
}
"""The patterns of "unsubscribe" that only say that there are too many alerts, by language."""

_ORDER: tuple[Command, ...] = (
    "privacy", "viewers", "places", "why", "several", "price", "language", "options", "content",
    "settings", "export", "usage", "unsubscribe", "subscriptions", "highlights", "subscribe",
    "stories", "help",
)  # fmt: skip

_OTHER_WORDS = {
    "en": """
        msg msgs notif notifs
        old older deleted previous expired difference hook cute cat dog
        viewed views watched watch watching their theirs stupid legal speak
        do does did how what who whom whose where why which was am could should may must stuff
        thing things messages message sending sends more much so many very really profile profiles
        account accounts user users people person bot instagram insta ig one ones someone somebody
        name named called put turn off make lets let's start started keep updates anymore receive
        receiving getting got have has had about post posting posts latest back out up need hey
        change go work works possible anything something everything like love know
        completely permanently forever totally fully whole current
        u ur r im ive dont cant wont didnt doesnt isnt thats whats whos link links
        private public hidden made created create built build last recent first next
        wrong right see seen been being kind guys guy man bro dude friend than too those
        another other both few lot might were after before already yet still ever
        because since using use automatically directly immediately asap either sure fine
        maybe wanna gonna gotta lemme gimme once twice week weekend working holiday
        vacation messaging everyone everybody him her his she he who's night sleep uploads upload
        uploaded photo pic pics content feed page pages ask question free trial
    """,
    "es": """
        apunto
        viejas viejos antiguas antiguos anteriores pasadas
        se enteran ven vieron veo visto sirve
        qué que cómo como quién quien cuál cual dónde está esta estas de del perfil cuenta usuario
        bot instagram nuevas recibir mensajes enviar enviarme mandar mandarme más mas
        alguien algo las los ver puedo puede hay hacer cambiar
        completamente permanentemente definitivamente totalmente
        tal último última ultimas suba sube suban publique publica publican novedades
        cuándo podrías puedas
        gustaría te lo le les su sus ese esa eso tiene tienen ha han ayer cuentas vez
        gente ya haz hazme ir va voy estoy estás quisiera nadie nada cada historias hizo
        privada privado entiendo usa uso
        escribas escribes escriba escriban escribe molestes
    """,
    "pt_BR": """
        qro qria storys q
        antigo antigos antiga antigas velhos velhas anteriores 1x 2x
        vi viu vê sabendo pessoa sabe
        o que como quem qual onde está esta perfil conta usuário bot instagram novos novas receber
        mensagens enviar mandar mais alguém algo ver posso tem fazer mudar mim
        completamente permanentemente definitivamente totalmente
        postar posta poste postou publicar publica publicou coisa nova quando te lhe
        pode poderia gostaria dele dela deles vê vou vai hoje ontem contas perfis vez
        gente pro uns umas essa esse desse dessa nesse tá ta né ne aí ai cara mano já ja
        têm estou tudo fez privada privado conseguem consegue consigo
    """,
    "de": """
        sag sagt gib alte alten alter altes frühere früheren gelöschte
        sieht sehe dass angeschaut angesehen soll sollen
        wie was wer wen wem wo warum welche profil konto bot instagram bekommen erhalten
        mehr jemand etwas kann kannst man gibt nachrichten es hab habe haben werden wird ändern
        mal doch neuen neues damit mit dir komplett vollständig endgültig dauerhaft
        schicken senden anzeigen zeigen sagen wissen posten postet gepostet hochlädt
        lädt gerade eben sachen neuste neusten neueste neuesten einmal nochmal gern
        gerne hätte würde könnten könnte sie ihr
        uns euch dein deine dem den des kein keine nie denn eigentlich welchen welches
        kommt folgen auch bringen bring wäre behalte behalt behaltet
    """,
    "fr": """
        anciens ancienne anciennes vieilles vieux précédentes
        voient voit regarde gens
        comment quoi qui que quel quelle où pourquoi est-ce profil compte bot instagram nouvelles
        recevoir messages envoyer plus quelqu'un quelque chose puis peut-on changer s'il vous
        complètement définitivement totalement
        publie publier poste postent quand est aimerais pourrais pourriez peux-tu
        pouvez-vous comptes profils dès lorsque y en ne n on nous ils elles son sa ses
        leur hier fois j'ai ai as veut va vais être fait faire était aimerait publient
        veuillez
    """,
    "it": """
        vecchie vecchi vecchia passate precedenti
        vede vedono ho guardato visto
        come cosa che chi quale dove perché profilo account bot instagram nuove ricevere messaggi
        mandare più qualcuno qualcosa posso può si fare cambiare dei delle
        completamente definitivamente totalmente
        pubblica pubblicano posta postano carica quando potresti ti ci vi ne suo sua
        loro profili ieri volta volte sto stai ha hanno fa vai potrebbe novità nuovi
        vedo voglio vedi fatto tieni tenere cerco metti mettere metta mettete
    """,
    "tr": """
        eski eskileri sesi
        baktığımı görüyorlar görür
        ne nasıl kim hangi nerede neden profil hesap hesabı hesabını hesabının bot instagram
        mesaj mesajlar almak istemiyorum istiyorum olmak ol et olur mu mı mi mü misin mısın
        ver yap yeni olarak değiştir tamamen kalıcı
        etmek etmem edebilir edebilirim paylaşınca paylaştığında paylaşım haber olursa
        lazım var yok bunu onu onun nın nin nun nün ın in kişi kullanıcı dün atınca
        attığında miyim zaman ettim ettiğim paylaşır paylaşırsa hesabın hesabından
        den dan ten tan yi yı yu yü ya nı nu nü tek kere kez hep
    """,
    "id": """
        lama videonya diputar
        ketahuan tahu
        apa bagaimana gimana siapa mana kenapa profil akun bot instagram ig pesan menerima terima
        lagi seseorang sesuatu dong ya nya dapat ganti ubah lihat dari untuk bisa saya
        permanen sepenuhnya selamanya
        deh sih nih aja ingin pengen gue gw aku lu kalo pas posting upload update unggah
        ada tiap yg yang dgn akunnya si bang kak min kirimin kirim kan punya milik
        kemarin saat biar
        akhir pekan
    """,
    "ar": "la el al ana biddi bidde baddi badi abi ma min shu law samaht mn",
    "fa": "ro ra az man mikham mikhay kon konid bede bedid baraye lotfan ye in un",
    "hi": """
        purani purane tumhe kisne banaya din me
        ki ka ke se karo kardo kar karna do de dena dijiye hai hain ho hu hoon mujhe
        meri mera mere aap tum bata bhejo bhej yaar bhai koi kya kuch naya nayi jab post
        kare chahiye wala wali ne to toh please sakte sakta sakti
    """,
}


_SHORT_WORD_LIST = "to from of on the de do da na no di del della von vom zu a o el la"
_ALSO_WORDS = (
    "aussi auch también tambien também anche ayrıca также тоже ещё еще أيضا juga також ще هم भी"
)
_SHORT_WORDS = frozenset(f"{_SHORT_WORD_LIST} {_ALSO_WORDS}".split())
"""The short words that can be between a word such as "and" and a profile name.

Examples are "na" in the Portuguese text "natgeo e na nike", and "aussi" in the French text "natgeo
et aussi nike".
"""

_WHEN_WORDS = """
    when whenever if cuando quando wenn sobald quand kalau kalo ketika когда если коли якщо
"""
_WHEN = frozenset(map(fold_for_comparison, _WHEN_WORDS.split()))
_POSTING_WORDS = """
    posts post uploads shares publishes adds sube suba publica publique posta poste postar publie
    postet hochlädt pubblica carica posting upload постит выложит выкладывает публикует опубликует
    викладає викладе публікує опублікує
"""
_POSTING = frozenset(map(fold_for_comparison, _POSTING_WORDS.split()))
"""The words after the name of a profile in a text such as "tell me when natgeo posts"."""
_NOT_WORDS = """
    no not don't dont never nothing nicht nichts nix kein keine nie pas jamais rien aucun aucune
    nada não nao nenhum nenhuma ningún ninguna non niente nessun nessuna hiçbir не нет никаких
    ничего ні жодних нічого لا jangan gak nggak نه मत नहीं mat nahi
"""
_NOT = frozenset(map(fold_for_comparison, _NOT_WORDS.split()))
_BOUND_WORDS = """
    after before until till between después antes entre depois nach bis zwischen après avant dopo
    prima tra fra sonra после до между بعد setelah sebelum sesudah antara після між बाद baad
    hasta até fino jusqu'à jusque kadar önce قبل حتى sampai hingga تا तक पहले tak pehle
    at las às alle um jam в о الساعة ساعت बजे baje
"""
_BOUNDS = frozenset(map(fold_for_comparison, _BOUND_WORDS.split()))
"""The words beside a time of day at which quiet hours begin or end, such as "after"."""

_NOT_ABOUT_TIMES = frozenset({None, *_VERBS, "help", "subscriptions"})
"""The commands that are not meant by a text such as "no alerts between 11pm and 7am"."""
_DAY_WORDS = """
    monday mondays tuesday tuesdays wednesday wednesdays thursday thursdays friday fridays saturday
    saturdays sunday sundays weekend weekends weekday weekdays
    lunes martes miércoles jueves viernes sábado sábados domingo domingos finde findes
    segunda segundas segunda-feira terça terças terça-feira quarta quartas quarta-feira quinta
    quintas quinta-feira sexta sextas sexta-feira
    montag montags dienstag dienstags mittwoch mittwochs donnerstag donnerstags freitag freitags
    samstag samstags sonnabend sonntag sonntags wochenende wochenenden werktags wochentags
    lundi lundis mardi mardis mercredi mercredis jeudi jeudis vendredi vendredis samedi samedis
    dimanche dimanches week-end week-ends
    lunedì martedì mercoledì giovedì venerdì sabato sabati domenica domeniche
    pazartesi* salı* çarşamba* perşembe* cuma* pazar* haftasonu hafta_sonu
    понедельник* вторник* среду средам четверг* пятниц* суббот* воскресень* выходн* будн*
    понеділ* вівтор* середу середам четвер* п'ятниц* субот* неділ* вихідн*
    الأحد الاحد الاثنين الإثنين الثلاثاء الأربعاء الاربعاء الخميس الجمعة السبت الويكند
    senin selasa rabu kamis jumat sabtu minggu weekend
    شنبه یکشنبه دوشنبه سه‌شنبه چهارشنبه پنجشنبه پنج‌شنبه جمعه شنبه‌ها جمعه‌ها پنجشنبه‌ها یکشنبه‌ها
    सोमवार मंगलवार बुधवार गुरुवार शुक्रवार शनिवार रविवार इतवार वीकेंड
    somvar mangalvar budhvar guruvar shukravar shanivar ravivar itwar
"""
_WEEKEND_PHRASES = (
    "fin de semana|fines de semana|fim de semana|fins de semana|finais de semana|fine settimana"
    "|hafta sonu|hafta sonları|hafta içi|akhir pekan|آخر هفته|نهاية الأسبوع|نهاية الاسبوع"
)
"""The phrases for the weekend and the days of work that have several words."""
_AVOIDING_WORDS = """
    gelmesin gönderme göndermeyin yazma yazmayın atma istemiyorum نفرست نفرستید نده ندید نمیخوام
"""
"""The verbs that have the meaning of "not" in their form."""
_ONLY_WORDS = """
    only just every each solo sólo solamente únicamente nomás cada todos só apenas somente todo
    toda nur bloß bloss jeden jedes seulement uniquement juste que chaque soltanto solamente ogni
    sadece yalnızca yalnız her только лишь каждый каждое каждую каждые فقط بس كل hanya cuma aja
    saja doang tiap setiap тільки лише кожен кожної кожну кожні هر सिर्फ़ सिर्फ केवल बस हर sirf bas har
"""
_UNTIL_WORDS = """
    until till til hasta até bis jusqu'à jusqu'au jusque fino kadar dek до حتى لحد لغاية sampai
    hingga sampe تا तक tak
"""
_SINCE_WORDS = "since desde seit depuis sejak dal dall' beri منذ من_يوم"
_LATER_WORDS = """
    tomorrow week month year notice day days weeks months january february march april june july
    august september october november december further
    mañana semana semanas mes meses día días nuevo aviso amanhã mês dia dias
    morgen woche wochen monat monate tage tagen demain semaine semaines mois jour jours
    domani settimana settimane mese mesi giorno giorni yarın hafta haftaya ay aya gün
    завтра недел* месяц* дня дней день غدا بكرة أسبوع الأسبوع شهر الشهر أيام يوم
    besok pekan bulan hari тижд* тижн* місяц* днів дні فردا هفته ماه روز
    कल हफ़्ते हफ्ते महीने दिन hafte mahine kal din
"""
_FOR_WORDS = "for por per für pour pendant durant lang boyunca на لمدة selama برای लिए liye"
_PAUSE_WORDS = """
    pause* paus* snooze* holiday* vacation* break hold suspend* freeze away resume* unpause*
    descanso vacaciones viaje reanuda* férias retom* urlaub ferien auszeit verreis* fortsetz*
    vacances congé* suspend* reprend* vacanz* ferie sospend* riprend* tatil* duraklat* ara
    пауз* отпуск* каникул* перерыв* приостанов* возобнов* إجازة اجازة عطلة مسافر استراحة استأنف*
    jeda* liburan libur cuti istirahat tunda lanjutkan відпуст* канікул* перерв* призупин* віднов*
    تعطیلات مرخصی مسافرت* استراحت مکث छुट्टी* chutti chhutti पॉज़
"""
_CAN_BE_PAUSE = frozenset({None, *_VERBS, "subscriptions", "options"})
"""The commands that a text with a word such as "mute" and a name does not mean."""
_WRITING_WORDS = """
    ask search type write pregunto busco escribo pergunto procuro escrevo frage suche schreibe
    demande cherche écris chiedo cerco scrivo пишу спрашиваю ищу питаю шукаю
"""
"""The words of a question about the privacy of the messages to the bot."""
_NIGHT_WORDS = """
    night nights noche noches noite noites nacht nachts nuit nuits notte notti gece geceleri ночью
    ночам ليلا الليل بالليل malam malem вночі уночі ночам شب شب‌ها रात raat
"""
_NOT_ABOUT_DAYS = frozenset({None, "unsubscribe", "subscribe", "stories", "settings", "help"})
"""The commands that are not meant by a text such as "only on sundays"."""
_NETWORK_WORDS = "tiktok facebook youtube twitter snapchat whatsapp telegram threads"
_WORKING_WORDS = """
    work works support supports funciona funcionan sirve serve suporta funktioniert geht läuft
    unterstützt kannst marche fonctionne supporte funziona va supporta çalışır çalışıyor
    destekliyor bisa dukung chalta chalega also auch aussi anche también também juga
"""
"""The words of a question about another network, as in "do you work with tiktok"."""
_SIGNS = "+-^="
_ENDINGS = {
    "es": "a as ar arla arlas arlo arlos arme arte ado ada ados adas amos an ando e en es r n s d "
    "do da dos das me mela melas melo melos la las lo los le les nos se te ndo ndome o os ción "
    "ciones cion ir irme irse imos e éndome eme enme enos emela emelo ela elo elas elos ron ste "
    "mos ria rias ría rías remos rá ra rán ran rme rlo rla rlos rlas rte rse",
    "pt_BR": "a as ar ado ada ados adas am amos ando e em es r m s do da dos das me mos ndo la lo "
    "las los ção ções cao coes o os u ir i ir-me irme ada r-me va ria rá ra rão rao ia ie io iem "
    "iar iado iada iando iamos iou ou um uma",
    "de": "e en er es em st t te ten test et est n r s ung ungen end ende enden ende bar nd d sam",
    "fr": "e es er ez é ée és ées ent ons ant ai ait ais r ra rai ras ront moi le la les nous s t "
    "z a as ation ations eur yer yez yes ye ie ies ient yé yée yés",
    "it": "a e i o are ate ati ato ata ando ano iamo re te ti to ta ndo no mi melo mela meli mele "
    "lo la li le ci ce vi si rmi rlo rla rli rle rci rsi mo va ai ono ite zione zioni ere ermi "
    "erò vere vermi er",
    "id": "nya kan in an i lah ku mu kah",
}
"""The endings in Latin letters of the words with a ``*``, by language.

English, Turkish and the languages of other scripts are not limited.
"""
_PRONOUNS = {
    "es": ("melo", "mela", "me", "nos", "los", "las", "lo", "la", "se"),
    "pt_BR": ("me", "nos", "lo", "la"),
    "it": ("melo", "mela", "mi", "ci", "lo", "la", "li", "le"),
}
"""The pronouns that people write at the end of a verb, as in "quítame", by language."""
_DIMINUTIVES = {
    "es": "resumen resumencito resumito, video videito vídeito videíto, videos videitos videítos, "
    "foto fotito fotita, fotos fotitos fotitas, historias historitas, mensaje mensajito",
    "pt_BR": "resumo resuminho resumozinho, vídeo videozinho vídeozinho videinho, "
    "vídeos videozinhos vídeozinhos videinhos, foto fotinha fotinho, fotos fotinhas fotinhos, "
    "mensagem mensagenzinha",
    "it": "riepilogo riepiloghino riassuntino, video videino videini filmatino filmatini, "
    "foto fotina fotine fotina, messaggio messaggino",
}
"""The diminutives of words in requests, by language. Each base word is before its forms."""
_KEEPING = {
    "en": "keep except besides but",
    "es": "déjame excepto menos salvo conserva mantén",
    "pt_BR": "mantém mantenha exceto menos",
    "de": "außer ausser behalte behalten",
    "fr": "sauf garde gardez excepté",
    "it": "tranne eccetto lasciami tieni",
    "tr": "",
    "ru": "кроме оставь оставьте",
    "ar": "إلا عدا باستثناء",
    "id": "kecuali selain",
    "uk": "крім окрім залиш залиште",
    "fa": "جز بجز به‌جز",
    "hi": "",
}
"""The words before the profiles that a request to stop does not mean, such as "except"."""
_SENDING_WORDS = """
    send give get bring want need manda mándame mandame envía envia envíame enviame dame quiero
    envie quero mande schick schicke gib will möchte envoie envoie-moi donne donne-moi veux invia
    inviami dammi voglio gönder at ver пришли скинь дай отправь хочу أرسل ارسل أعطني kirim kirimkan
    beri надішли скинь дай بفرست بده میخوام भेजो भेजें दो
"""
_SENDING = frozenset(map(fold_for_comparison, _SENDING_WORDS.split()))
"""The words, such as "send", that request the stories of a profile if no pattern matches."""

_ALONE = """
    help menu commands settings setting options preferences language languages timezone price
    prices cost pricing privacy subscriptions subscription subscribe unsubscribe unfollow follow
    stop stopp enough stories story highlights highlight usage limits remove delete
    ayuda menú comandos ajustes configuración configuracion opciones idioma idiomas precio precios
    privacidad suscripciones parar basta historias historia destacadas suscribirme
    ajuda configurações configuracoes opções privacidade inscrições inscricoes pare parar chega
    hilfe menü befehle einstellungen optionen sprache sprachen preis preise datenschutz abos
    abonnieren abmelden aufhören storys zeitzone leiser quieter
    aide commandes réglages reglages paramètres parametres langue langues prix confidentialité
    abonnements arrêter arreter arrête stopper désabonner
    aiuto comandi impostazioni opzioni lingua lingue prezzo prezzi iscrizioni storie ferma
    smettila smetti basta para
    yardım yardim komutlar ayarlar seçenekler diller fiyat ücret gizlilik abonelikler durdur dur
    hikayeler hikaye yeter kimsin
    cukup genug assez
    bantuan perintah pengaturan bahasa harga privasi berhenti hentikan langganan setop
    mute snooze pause silenciar pausar pausa stumm pausieren silenzia sustur sessiz jeda senyap
    unmute unpause resume reanudar reactivar retomar reativar fortsetzen weitermachen reprendre
    riprendere riattivare lanjutkan lanjutin
    """
"""The words in Latin letters that are a complete request if the text has no other word."""


@dataclass(frozen=True, slots=True)
class Request:
    """The command that a text requests, with the words that can be profile names."""

    command: Command
    names: tuple[str, ...] = ()
    """The possible names. The value is empty if the command is not in ``_WITH_NAMES``."""
    is_list: bool = False
    """Whether each word in ``names`` is certainly a name, for example because of an @."""
    is_joined: bool = False
    """Whether the text enumerates exactly the ``names``, with commas or words such as "and".

    If ``is_list`` is True, the value is False.
    """


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The words of a pattern, and the sign of its condition.

    The module's docstring explains the signs. ``sign`` is an empty string if the pattern has no
    sign. ``language`` is the language of the words.
    """

    words: tuple[str, ...]
    sign: str
    language: str

    def fits(self, words: Sequence[str], *, has_names: bool) -> bool:
        """Return whether a text with the words ``words`` matches the pattern.

        The words must have the form of ``normalize_word``. ``has_names`` means that the text has
        possible profile names.
        """
        if self.sign == "^":
            begin = _without_fillers_before(words)[: len(self.words)]
            return tuple(begin) == self.words
        if self.sign == "=":
            return tuple(word for word in words if word not in FILLERS) == self.words
        if self.sign == ("-" if has_names else "+"):
            return False
        return all(
            _count_pattern_word(words, part, self.language) >= self.words.count(part)
            for part in self.words
        )


def request_in(
    text: str,
    language: str,
    *,
    is_group: bool = False,
    is_command: bool = False,
    has_known_name: bool = False,
) -> Request | None:
    """Return the request in a short text, or None if the text requests no command.

    - ``is_group``: The text is a reply to a message of the bot in a group.
    - ``is_command``: The text is a command without the slash, so that a single word is not a name.
    - ``has_known_name``: The text has the name of a stored profile, and may have 30 instead of
      12 words.
    """
    text = separate_latin_from_arabic_and_devanagari(normalize_typed(text))
    typed = [_without_indonesian_plural_2(word, language) for word in typed_words(text)]
    typed = [_without_diminutive(word, language) for word in typed]
    written = _with_corrected_verbs(typed, language)
    words = [word for word in map(normalize_word, written) if word]
    meant = [word for word in words if word not in SMALL_TALK and word not in FILLERS]
    if len(meant) > (_LONGEST_WITH_NAME if has_known_name else _LONGEST):
        return _subscribe_request_about_posts(written, language)
    if not words or (len(words) > 1 and is_small_talk(text)):
        return None
    if not is_command and _is_single_name(written, words):
        return None
    unmarked = [word for word in written if not word.startswith("@")]
    plain = [normalize_word(word) for word in unmarked]
    # The part after a hyphen is omitted, because a hyphen joins a verb and a pronoun, as in
    # "inscreve-me". A username never has a hyphen.
    main_parts = [main_part_beside_apostrophe(word).partition("-")[0] for word in unmarked]
    plain += [normalize_word(part) for part in main_parts if part not in unmarked]
    plain += [verb for word in words if (verb := _without_pronoun(word, language)) != word]
    runs = _group_enumerated_words(text, language)
    marked = _names_joined_to_at_sign(runs, language)
    joined = _joined_names(runs, language)
    names = marked or joined or _unmarked_names(written, language)
    command = _command_of(plain, language, has_marked=bool(marked), has_names=bool(names))
    if command is None or (is_group and command == "places"):
        return None
    if command not in _WITH_NAMES:
        names = ()
    if command == "unsubscribe":
        names = _without_names_to_keep(names, written, language)
    if is_group and not names and not _is_request_in_group(written, command, language):
        return None
    are_sure = bool(marked) or not any(map(str.isalpha, names))
    is_list = bool(names) and are_sure
    is_joined = bool(names) and not is_list and names == joined
    return Request(command, names, is_list=is_list, is_joined=is_joined)


def _without_indonesian_plural_2(word: str, language: str) -> str:
    """Return a word without the "2" that marks an Indonesian plural, as in "malam2".

    Any request word or everyday word is changed, so that in Indonesian chats English words such as
    "show2" are changed too.
    """
    base = word.removesuffix("2")
    if language != "id" or base == word:
        return word
    is_known = is_request_word(base, language) or is_everyday_word(base, language)
    return base if is_known else word


def _with_corrected_verbs(written: list[str], language: str) -> list[str]:
    """Return the words of a text with the correct verbs in place of misspelled verbs.

    Examples are "unsubscirbe natgeo" and "natgeo abonieren". Known words, single words and the
    words of long texts are not corrected.
    """
    if not 1 < len(written) <= _LONGEST_WITH_NAME:
        return written
    plain = [normalize_word(word) for word in written]
    first = next((place for place, word in enumerate(plain) if word not in FILLERS), 0)
    verbs = {
        place: _verb_meant(word, language)
        for place, word in enumerate(plain)
        if not _has_digit_or_sign(word) and _may_be_username(word, language)
    }
    has_name = not all(verbs.values()) or any(map(_has_digit_or_sign, written))
    corrected = list(written)
    for place, verb in verbs.items():
        if verb and (has_name or place == first):
            corrected[place] = verb
    return corrected


def _has_digit_or_sign(word: str) -> bool:
    """Return whether a word has a digit, or a sign of profile names and links."""
    return any(char in _IN_NAMES or char.isdecimal() for char in word)


@lru_cache(maxsize=1_000)
def _verb_meant(word: str, language: str) -> str:
    """Return the verb of which ``word`` is a misspelling, or an empty text."""
    verbs = _verbs(language)
    verb = next((verb for verb in verbs if _is_misspelled(word, verb, language)), "")
    return verb.removesuffix("*")


@cache
def _verbs(language: str) -> tuple[str, ...]:
    """Return the verbs that request a command of ``_VERBS`` without any other word.

    The verbs are in English and in ``language``. A ``*`` at the end of a verb means any ending, as
    in a pattern.
    """
    return tuple(
        pattern.words[0]
        for command in _VERBS
        for pattern in _patterns(command, language)
        if len(pattern.words) == 1 and pattern.sign in {"", "+"}
    )


def _is_misspelled(word: str, verb: str, language: str) -> bool:
    """Return whether ``word`` is ``verb`` with one typing error.

    A ``*`` at the end of ``verb`` stands for any ending that ``_is_ending`` accepts.
    """
    stem = verb.removesuffix("*")
    if stem == verb:
        return _has_one_error(word, stem)
    return any(
        _has_one_error(word[:end], stem) and _is_ending(word[end:], language)
        for end in range(len(stem) - 1, len(stem) + 2)
    )


def _has_one_error(word: str, right: str) -> bool:
    """Return whether ``word`` is ``right`` with exactly one typing error.

    The shorter the word ``right`` is, the fewer kinds of errors are recognised, because an error
    can turn a short word into a different word.
    """
    pairs = zip(word, right, strict=False)
    shorter = min(len(word), len(right))
    start = next((n for n, (letter, wanted) in enumerate(pairs) if letter != wanted), shorter)
    rest, right_rest = word[start:], right[start:]
    if rest == right_rest or len(right) < _LEAST_TRANSPOSED:
        return False
    if rest[1::-1] == right_rest[:2] and rest[2:] == right_rest[2:]:
        return True
    if rest == right_rest[1:] or rest[1:] == right_rest:
        return len(right) >= _LEAST_WITH_OTHER_LENGTH
    return rest[1:] == right_rest[1:] and len(right) >= _LEAST_WITH_WRONG_LETTER


def _without_diminutive(word: str, language: str) -> str:
    """Return the base word of a diminutive, such as "resumo" for the Portuguese "resuminho".

    Any other word is returned unchanged.
    """
    return _diminutives(language).get(normalize_word(word), word)


@cache
def _diminutives(language: str) -> dict[str, str]:
    """Return a mapping from the normalized diminutives of ``language`` to their base words."""
    pairs = [line.split() for line in _DIMINUTIVES.get(language, "").split(",")]
    return {normalize_word(word): base for base, *words in filter(None, pairs) for word in words}


def _subscribe_request_about_posts(written: Sequence[str], language: str) -> Request | None:
    """Return the request for a subscription in a long text such as "... when natgeo posts".

    Return None for any other text, and for a text of more than 30 words.
    """
    if len(written) > _LONGEST_WITH_NAME:
        return None
    for when, word, posts in zip(written, written[1:], written[2:], strict=False):
        is_between = normalize_word(when) in _WHEN and normalize_word(posts) in _POSTING
        name = _username_of_word(word) if is_between and _may_be_username(word, language) else None
        if name:
            return Request("subscribe", (name,))
    return None


@cache
def _words_and_stems(table: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the normalized words of a table, and the stems of the words with a ``*``."""
    words = [_normalize_pattern_word(part) for part in table.split()]
    stems = tuple(word.removesuffix("*") for word in words if word.endswith("*"))
    return frozenset(words), stems


def _has_word_in(words: Sequence[str], table: str) -> bool:
    """Return whether one of ``words`` is in a table, or begins with a stem of the table."""
    exact, stems = _words_and_stems(table)
    return any(word in exact or (stems and word.startswith(stems)) for word in words)


def _asks_for_alerts_on_certain_days(
    plain: Sequence[str], command: Command | None, language: str
) -> bool:
    """Return whether a text without names asks for alerts only on certain days of the week.

    ``command`` is the command that the patterns find in the text.
    """
    text = " ".join(plain)
    is_weekend = any(phrase in text for phrase in _weekend_phrases())
    has_day = is_weekend or _has_word_in(plain, _DAY_WORDS)
    if not has_day or _has_word_in(plain, _UNTIL_WORDS + _SINCE_WORDS):
        return False
    if command == "why":
        return _says_only_what_to_avoid(plain, language)
    is_limited = _has_word_in(plain, _ONLY_WORDS + _AVOIDING_WORDS)
    is_limited = is_limited or not _NOT.isdisjoint(plain)
    return is_limited and command in _NOT_ABOUT_DAYS


@cache
def _weekend_phrases() -> frozenset[str]:
    return normalized_phrases([_WEEKEND_PHRASES])


def _says_only_what_to_avoid(plain: Sequence[str], language: str) -> bool:
    """Return whether a text has only everyday words, times, and words such as "no" and "after"."""
    known = _NOT | _BOUNDS
    return all(
        word in known or is_number_or_time_word(word) or is_everyday_word(word, language)
        for word in plain
    )


def _asks_for_pause_or_its_end(
    plain: Sequence[str], command: Command | None, language: str
) -> bool:
    """Return whether a text without names asks for a pause, or for the end of a pause.

    ``command`` is the command that the patterns find in the text. An example is "no more alerts
    today".
    """
    if command == "subscriptions":
        return _has_word_in(plain, _PAUSE_WORDS)
    is_for_today = has_today(plain) and _is_request_to_stop(plain, command, language)
    return is_for_today or _asks_to_stop_for_time(plain, command, language)


def _has_later_day_or_span(plain: Sequence[str]) -> bool:
    """Return whether a text has a later day or a span of time, as "until monday" or "for days"."""
    has_later = _has_word_in(plain, _DAY_WORDS) or _has_word_in(plain, _LATER_WORDS)
    return has_later and _has_word_in(plain, _UNTIL_WORDS + _FOR_WORDS)


def _command_about_one_profile(
    plain: Sequence[str], command: Command | None, language: str
) -> Command | None:
    """Return "pause" or "options" if a text with names asks for a pause or for fewer alerts.

    ``command`` is the command that the patterns find in the text. Return None for any other text.
    """
    if _asks_to_pause_profile(plain, command, language):
        return "pause"
    if command != "unsubscribe":
        return None
    patterns = _patterns_of_requests_to_stop(language)
    asks_to_stop = any(pattern.fits(plain, has_names=True) for pattern in patterns)
    return None if asks_to_stop else "options"


def _asks_to_stop_for_time(plain: Sequence[str], command: Command | None, language: str) -> bool:
    """Return whether a text asks to stop for a span of time or until a day.

    ``command`` is the command that the patterns find in the text.
    """
    has_time = has_span(plain) or _has_later_day_or_span(plain)
    return has_time and _is_request_to_stop(plain, command, language)


def _is_request_to_stop(plain: Sequence[str], command: Command | None, language: str) -> bool:
    """Return whether a text asks to stop alerts.

    ``command`` is the command that the patterns find in the text. For "why", which can be a
    complaint, the text must begin with a request to stop, such as "no more".
    """
    if command == "why":
        return _begins_with_request(plain, "unsubscribe", language)
    return command == "unsubscribe"


def _begins_with_request(plain: Sequence[str], command: Command, language: str) -> bool:
    """Return whether a text begins with the words of a pattern of ``command``.

    For example, "no more alerts today" begins with a pattern of "unsubscribe". Words of politeness
    at the beginning are ignored.
    """
    written = tuple(_without_fillers_before(plain))
    patterns = _patterns(command, language)
    return any(written[: len(pattern.words)] == pattern.words for pattern in patterns)


def _asks_to_pause_profile(plain: Sequence[str], command: Command | None, language: str) -> bool:
    """Return whether a text with names asks to pause or to resume the alerts of a profile.

    ``command`` is the command that the patterns find in the text.
    """
    if _asks_to_stop_for_time(plain, command, language):
        return True
    if command == "why" and has_span(plain):
        return has_pause_word(_without_fillers_before(plain)[:1])
    return has_pause_word(plain) and command in _CAN_BE_PAUSE


def _asks_for_no_messages_at_night(
    plain: Sequence[str], command: Command | None, language: str
) -> bool:
    """Return whether a text such as "no alerts at night" asks for no messages at night.

    ``command`` is the command that the patterns find in the text.
    """
    if command != "why" or _NOT.isdisjoint(plain):
        return False
    return _has_word_in(plain, _NIGHT_WORDS) and _says_only_what_to_avoid(plain, language)


def _command_of_wish_about_times(
    plain: Sequence[str], command: Command | None, language: str
) -> Command | None:
    """Return the command of a wish about times, or None if the text is not such a wish.

    The result is "settings" for quiet hours, "pause", or "days" for certain days. ``command`` is
    the command that the patterns find.
    """
    if _asks_for_quiet_hours(plain, command, language) or _asks_for_no_messages_at_night(
        plain, command, language
    ):
        return "settings"
    if _asks_for_pause_or_its_end(plain, command, language) or (
        command is None and is_only_span(plain)
    ):
        return "pause"
    if _asks_for_alerts_on_certain_days(plain, command, language):
        return "days"
    return None


def _asks_for_quiet_hours(plain: Sequence[str], command: Command | None, language: str) -> bool:
    """Return whether a text without names asks for no messages in a part of the day.

    The text must have two times of day, or a single time with a word such as "after". ``command``
    is the command that the patterns find.
    """
    times = [
        word for word in plain if is_number_or_time_word(word) and any(map(str.isdecimal, word))
    ]
    needed = 2 if _BOUNDS.isdisjoint(plain) else 1
    if not needed <= len(times) <= 2:  # noqa: PLR2004 - the start and the end
        return False
    is_negative = not _NOT.isdisjoint(plain)
    if command == "why":
        return _says_only_what_to_avoid(plain, language)
    return command == "unsubscribe" or (command in _NOT_ABOUT_TIMES and is_negative)


def _asks_about_other_network(plain: Sequence[str]) -> bool:
    """Return whether a text is a question such as "do you work with tiktok".

    The name of a network alone is not such a question, because profiles can have this name.
    """
    return _has_word_in(plain, _NETWORK_WORDS) and _has_word_in(plain, _WORKING_WORDS)


def possible_names_in(text: str, language: str) -> tuple[str, ...]:
    """Return the words of a text that can be profile names. The text need not be a request.

    The result is empty if the text has more than 30 words.
    """
    written = typed_words(text)
    return _names_among(written, language) if len(written) <= _LONGEST_WITH_NAME else ()


def joined_names_in(text: str, language: str) -> tuple[str, ...]:
    """Return the possible names that commas, semicolons or words such as "and" join.

    A single name is not returned.
    """
    return _joined_names(_group_enumerated_words(text, language), language)


def is_request_word(word: str, language: str) -> bool:
    """Return whether a word is common in requests in English or in ``language``.

    The words such as "send" (``_SENDING``) of all languages also count.
    """
    text = normalize_word(word)
    exact, stems = _request_words_and_stems(language)
    if text in exact or _without_pronoun(text, language) in exact:
        return True
    return any(
        _is_ending(text.removeprefix(stem), language) for stem in stems if text.startswith(stem)
    )


def is_known_word(word: str, language: str) -> bool:
    """Return whether a word is a request word, an everyday word or a common word."""
    return (
        is_request_word(word, language)
        or is_everyday_word(word, language)
        or is_common_word(word, language)
    )


def _is_ending(end: str, language: str) -> bool:
    """Return whether the ``*`` at the end of a word in a pattern can stand for ``end``.

    Without the lists in ``_ENDINGS``, "privat*" would match a name such as "privatbank".
    """
    endings = _ENDINGS.get(language)
    return not end.isascii() or endings is None or end in _split_endings(endings)


@cache
def _split_endings(endings: str) -> frozenset[str]:
    return frozenset({"", *map(fold_for_comparison, endings.split())})


def _without_pronoun(word: str, language: str) -> str:
    """Return a normalized verb without the pronoun at its end, such as "quita" for "quitame".

    A word without a pronoun at its end is returned unchanged. If fewer than three letters precede
    the pronoun, the word is also returned unchanged.
    """
    for pronoun in _PRONOUNS.get(language, ()):
        if word.endswith(pronoun) and len(word) > len(pronoun) + 2:
            return word.removesuffix(pronoun)
    return word


def excludes_names(word: str, language: str) -> bool:
    """Return whether a word such as "not" or "except" excludes the profiles after the word."""
    plain = normalize_word(word)
    return plain in _NOT or plain in _words_for_except_or_keep(language)


@cache
def _words_for_except_or_keep(language: str) -> frozenset[str]:
    return frozenset(map(normalize_word, f"{_KEEPING['en']} {_KEEPING.get(language, '')}".split()))


def _without_names_to_keep(
    names: tuple[str, ...], written: Sequence[str], language: str
) -> tuple[str, ...]:
    """Return ``names`` without the names after a word such as "except" or "keep"."""
    words = _words_for_except_or_keep(language)
    end = next(
        (n for n, word in enumerate(written) if normalize_word(word) in words), len(written)
    )
    kept = {_username_of_word(word) for word in written[end:]}
    return tuple(name for name in names if name not in kept)


def _command_of(
    plain: Sequence[str], language: str, *, has_marked: bool, has_names: bool
) -> Command | None:
    """Return the command that a text requests, or None if the text requests no command.

    ``plain`` has the words of the text, without names with an @ (``has_marked``). Usually the
    result is the first command in ``_ORDER`` with a matching pattern.
    """

    def pattern_of(command: Command) -> _Pattern | None:
        every = _patterns(command, language)
        return next(
            (pattern for pattern in every if pattern.fits(plain, has_names=has_names)), None
        )

    order = [candidate for candidate in _ORDER if candidate != "several" or _NOT.isdisjoint(plain)]
    command = next((candidate for candidate in order if pattern_of(candidate)), None)
    privacy, viewers = pattern_of("privacy"), pattern_of("viewers")
    # "Can my wife see that I watched her story?" is about viewers. "Delete my data, they know I
    # watched" is not about viewers, because the two patterns (``privacy`` and ``viewers``) have no
    # common word.
    if privacy and viewers and not _has_word_in(plain, _WRITING_WORDS):
        is_about_others = privacy.sign == "-" or bool(set(privacy.words) & set(viewers.words))
        command = "viewers" if is_about_others else command
    verb = next((candidate for candidate in _VERBS if pattern_of(candidate)), None)
    if has_names and (wish := _command_about_one_profile(plain, command, language)):
        return wish
    is_about_options = command == "options" and verb == "unsubscribe"
    if has_marked and verb and command != "places" and not is_about_options:
        is_about_viewers = command == "viewers" and not _begins_with_request(plain, verb, language)
        return "viewers" if is_about_viewers else verb
    if command == "subscriptions" and has_names and verb == "subscribe":
        listed = pattern_of("subscriptions")
        follows = pattern_of("subscribe")
        # The text requests a subscription if the two matching patterns have no common word, as in
        # "add natgeo to my list". With a common word, as in "show my current alerts", the text
        # requests the list.
        if listed and follows and not set(listed.words) & set(follows.words):
            return "subscribe"
    if not has_names and (wish := _command_of_wish_about_times(plain, command, language)):
        return wish
    if command in {None, "help"} and _asks_about_other_network(plain):
        command = "content"
    asks_to_send = has_names and any(word in _SENDING for word in plain)
    if command is None and asks_to_send:
        return "stories"
    return command


def _is_request_in_group(written: Sequence[str], command: Command, language: str) -> bool:
    """Return whether a text without names in a group is a request, and not a comment on a story.

    A text of several words must have only words that are common in requests, and everyday words.
    """
    if len(written) == 1:
        return True
    # In a group, a text such as "this story" is probably a comment, and not a request.
    if command in {"stories", "highlights", "subscribe"}:
        return False
    return all(
        is_request_word(word, language) or is_everyday_word(word, language)
        for word in written
        if normalize_word(word)
    )


def _is_single_name(written: list[str], words: list[str]) -> bool:
    """Return whether a text is a single word that is probably a name and not a request.

    ``written`` are the words of the text, and ``words`` are their normalized forms.
    """
    if len(written) > 1:
        return False
    return written[0].startswith("@") or (
        words[0] not in _requests_without_names() and _username_of_word(written[0]) is not None
    )


@cache
def _requests_without_names() -> frozenset[str]:
    return frozenset(map(normalize_word, _ALONE.split()))


def _names_joined_to_at_sign(runs: Sequence[Sequence[str]], language: str) -> tuple[str, ...]:
    """Return the names with an @, and the names that commas or "and" join to a name with an @."""
    words = [word for run in runs if _has_word_with_at_sign(run) for word in run]
    return _names_among(words, language)


def _joined_names(runs: Sequence[Sequence[str]], language: str) -> tuple[str, ...]:
    """Return the names that commas, semicolons or words such as "and" join to other names."""
    every = [_names_among(run, language) for run in runs]
    return tuple(dict.fromkeys(name for names in every if len(names) > 1 for name in names))


def _group_enumerated_words(text: str, language: str) -> list[list[str]]:
    """Return the words of a text in groups.

    The words of an enumeration, such as "natgeo, nike and bbc", are one group, without words such
    as "and". Each other word is a group of its own. Some ``_SHORT_WORDS`` are omitted.
    """
    written: list[str] = []
    for part in _SEPARATOR.split(normalize_typed(text)):
        written += [part] if _SEPARATOR.fullmatch(part) else typed_words(part)
    runs: list[list[str]] = [[]]
    is_joined = True
    for word in written:
        if _SEPARATOR.fullmatch(word) or is_connective(word, language):
            is_joined = True
            continue
        if is_joined and word.casefold() in _SHORT_WORDS:
            continue
        if not is_joined:
            runs.append([])
        runs[-1].append(word)
        is_joined = False
    return runs


def _has_word_with_at_sign(words: Sequence[str]) -> bool:
    return any(word.startswith("@") for word in words)


def _may_be_username(word: str, language: str) -> bool:
    """Return whether a word in a request can be a profile name.

    A word without an @ must be no known word (``is_known_word``), time or small talk.
    """
    if word.startswith("@"):
        return True
    parts = {word, main_part_beside_apostrophe(word)}
    is_known = any(is_known_word(part, language) for part in parts)
    return not (is_known or is_number_or_time_word(word) or is_unlikely_name(word))


def _unmarked_names(written: Sequence[str], language: str) -> tuple[str, ...]:
    """Return the possible names in a request that has no names with an @.

    If some names have a digit, a dot or an underscore, only these names are returned.
    """
    names = _names_among(written, language)
    return tuple(name for name in names if not name.isalpha()) or names


def _names_among(words: Sequence[str], language: str) -> tuple[str, ...]:
    """Return the distinct profile names among ``words``, in lower case and without an @."""
    found: dict[str, None] = {}
    for word in words:
        if not _may_be_username(word, language):
            continue
        if name := _username_of_word(word):
            found.setdefault(name)
    return tuple(found)


def _username_of_word(word: str) -> str | None:
    return links.parse_profile_username(
        word if "/" in word else main_part_beside_apostrophe(strip_punctuation(word))
    )


def _count_pattern_word(words: Sequence[str], part: str, language: str) -> int:
    """Return how many of ``words`` match ``part``, a word of a pattern in ``language``."""
    stem = part.removesuffix("*")
    if stem == part:
        return words.count(part)
    return sum(
        word.startswith(stem) and _is_ending(word.removeprefix(stem), language) for word in words
    )


def _without_fillers_before(words: Sequence[str]) -> Sequence[str]:
    """Return ``words`` without the words of politeness at the beginning."""
    begin = next((n for n, word in enumerate(words) if word not in FILLERS), len(words))
    return words[begin:]


@cache
def _patterns(command: Command, language: str) -> tuple[_Pattern, ...]:
    """Return the patterns of a command in English and in ``language``."""
    if command == "unsubscribe":
        complaints = _patterns_in(_TOO_MANY_ALERTS, language)
        return _patterns_of_requests_to_stop(language) + complaints
    return _patterns_in(_PATTERNS[command], language)


@cache
def _patterns_of_requests_to_stop(language: str) -> tuple[_Pattern, ...]:
    """Return the patterns of texts that ask to stop alerts.

    These are the patterns of "unsubscribe", except those of complaints about too many alerts.
    """
    return _patterns_in(_PATTERNS["unsubscribe"], language)


def _patterns_in(table: dict[str, str], language: str) -> tuple[_Pattern, ...]:
    return tuple(
        _pattern(text, code)
        for code in dict.fromkeys(("en", language))
        for text in table.get(code, "").split("|")
        if text
    )


def _pattern(text: str, language: str) -> _Pattern:
    sign = text[0] if text[0] in _SIGNS else ""
    return _Pattern(
        tuple(map(_normalize_pattern_word, text.removeprefix(sign).split())), sign, language
    )


def _normalize_pattern_word(part: str) -> str:
    star = "*" if part.endswith("*") else ""
    return normalize_word(part.removesuffix("*")) + star


@cache
def _request_words_and_stems(language: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the words that are common in requests in English and in ``language``.

    The first value has the complete words. The second value has the stems of the words with a
    ``*``.
    """
    parts = {
        part
        for command in _ORDER
        for pattern in _patterns(command, language)
        for part in pattern.words
    }
    stems = {part for part in parts if part.endswith("*")}
    others = f"{_OTHER_WORDS.get('en', '')} {_OTHER_WORDS.get(language, '')}"
    exact = (parts - stems) | _SENDING | set(map(normalize_word, others.split()))
    return frozenset(exact), tuple(stem.removesuffix("*") for stem in stems)
