"""Everyday words by language, such as "and" and "please", which are usually no profile names.

The English words are used in every chat. The words of another language are used only in the chats
with this language.
"""

import re
from functools import cache

from bot.domain.foreign_text import (
    fold_for_comparison,
    normalize_typed,
    remove_format_characters,
    typed_words,
)
from bot.domain.hours import has_only_time_words

_TIME = re.compile(r"\d{1,3}|\d{1,2}[:.]\d{2}|\d{1,2}([:.]\d{2})?(am|pm|h|uhr|min|m|d|s)")
_BETWEEN = re.compile(r"[\n,;.!?،؟]+")
_LONGEST_PHRASE = 8  # the maximum number of words of a phrase such as "never mind"
_REPEATED = re.compile(r"([^\W\d])\1{2,}")
_AROUND = " \t\n.,;:!?¡¿…\"'()[]<>«»“”-–—"

_EVERYDAY = {
    "en": """
        and or then also too plus with without from to for of on in at by as the a an my
        me i you your it its is are be this that these those them they we us our all any
        some only just not but if when while until would could can will want wanted need
        like give get send show tell please pls plz sorry ok okay yes yeah no hi hello hey
        silent silently quiet quietly mute muted sound loud photo photos picture pictures
        video videos story stories post posts alert alerts notification notifications new
        topic option options fast faster daily summary hourly weekly monthly day days hour
        hours minute minutes week weeks month months every each everyday once twice always
        often sometimes now today tonight tomorrow later soon morning evening night noon
        midnight am pm here there again never mind stop cancel
        digest plis plss plez plx ples u ur thx bc cuz
        weekend weekends weekday weekdays monday mondays tuesday tuesdays wednesday
        wednesdays thursday thursdays friday fridays saturday saturdays sunday sundays
    """,
    "es": """
        y e o u también tambien con sin de del a al para por en el la los las un una mi
        mis me yo tu tú es son este esta esto eso todo todos todas solo sólo no pero si
        cuando quiero quisiera puedes favor porfa porfavor perdón perdon vale sí hola
        silencio silencioso foto fotos video vídeo videos vídeos historia historias aviso
        avisos notificaciones nuevo nuevas resumen diario diaria rápido rapido cada día
        dia días dias hora horas minuto minutos semana semanas mes siempre ahora hoy
        mañana manana luego pronto noche tarde aquí aqui
        xfa xfavor porfis plis q xq pq tb tmb
        fines finde findes lunes martes miércoles jueves viernes sábado sábados domingo
        domingos
    """,
    "pt_BR": """
        e ou também tambem com sem de do da dos das a ao à para pra por em no na o os as
        um uma meu minha me eu você voce é são isso este esta tudo todos todas só so
        apenas não nao mas se quando quero queria pode favor porfavor desculpe ok sim oi
        olá ola silencioso silêncio silencio foto fotos vídeo vídeos video videos story
        stories aviso avisos alerta alertas notificações notificacoes novo novos resumo
        diário diario rápido rapido cada dia dias hora horas minuto minutos semana semanas
        mês mes sempre agora hoje amanhã amanha depois logo noite manhã manha tarde aqui
        pfv pfvr pfvzinho pf plis vc vcs tb tbm td tds q pq blz mt mto hj notificação notificacao
        fim fins finais segunda segundas terça terças quarta quartas quinta quintas sexta
        sextas sábado sábados domingo domingos
    """,
    "de": """
        und oder auch dann mit ohne von vom zu zum zur für fuer in im am an auf bei als
        der die das den dem ein eine einen mein meine mir mich ich du es ist sind dies
        diese alle alles nur nicht aber wenn bis möchte moechte will kannst könntest bitte
        sorry ok ja nein hallo stumm leise lautlos ruhig foto fotos bild bilder video
        videos story storys meldung meldungen neu neue zusammenfassung täglich taeglich
        schnell schneller jeden jede jedes tag tage stunde stunden stündlich minute
        minuten woche wochen wöchentlich monat immer jetzt sofort heute morgen später
        spaeter bald abends abend morgens nachts nacht hier uhr
        bidde bittschön brauch brauche brauchst
        wochenende wochenenden wochentags werktags montag montags dienstag dienstags
        mittwoch mittwochs donnerstag donnerstags freitag freitags samstag samstags
        sonntag sonntags
    """,
    "fr": """
        et ou aussi puis avec sans de du des d à a au aux pour par en dans le la les l un
        une mon ma mes me moi je tu vous il elle c est sont ce cet cette ces ça tout tous
        toutes seulement juste pas mais si quand jusque veux voudrais peux pouvez stp svp
        plaît plait pardon ok oui non bonjour salut s te silencieux silence photo photos
        image images vidéo vidéos video videos story stories alerte alertes notification
        notifications nouveau nouvelles résumé resume rapide chaque jour jours quotidien
        heure heures minute minutes semaine semaines mois toujours maintenant aujourd hui
        aujourd'hui demain tard bientôt bientot matin soir nuit ici
        svpl stpl slt pq pk pcq bcp
        weekend week-end weekends lundi mardi mercredi jeudi vendredi samedi dimanche
    """,
    "it": """
        e ed o anche poi con senza di del della dei da dal a al alla per in nel su il lo
        la i gli le un una mio mia mi me io tu è sono questo questa quello tutto tutti
        tutte solo soltanto non ma se quando fino voglio vorrei puoi favore perfavore
        scusa ok sì si no ciao silenzioso silenzio foto immagini video storia storie
        avviso avvisi notifiche nuovo nuove riepilogo veloce ogni giorno giorni
        giornaliero ora ore minuto minuti settimana settimane mese sempre adesso subito
        oggi domani dopo presto mattina sera notte qui
        perfav pf plis cmq nn notifica
        weekend fine lunedì martedì mercoledì giovedì venerdì sabato domenica
    """,
    "tr": """
        ve veya ya da de ile için icin bir bu şu su o ben bana beni sen benim hepsi tüm
        tum sadece yalnızca yalnizca ama eğer eger istiyorum lütfen lutfen tamam evet
        hayır hayir merhaba selam sessiz sessizce foto fotoğraf fotograf fotoğraflar video
        videolar hikaye hikâye hikayeler bildirim bildirimler yeni özet ozet günlük gunluk
        hızlı hizli her gün gun günde saat saatte saatlik dakika hafta haftalık haftalik
        ay hep şimdi simdi bugün bugun yarın yarin sonra yakında akşam aksam sabah gece
        burada buraya kadar
        lütfenn lütfn
        haftasonu sonu pazartesi salı çarşamba perşembe cuma cumartesi pazar
    """,
    "ru": """
        и или а также тоже ещё еще с со без от из к ко для на в во у о об мой моя мои мне
        меня я ты вы это этот эта эти все всё всех только лишь не но если когда пока до
        хочу можно можешь пожалуйста плиз извини извините ок окей да нет привет
        здравствуйте тихо беззвучно молча фото фотографии картинки видео история истории
        сторис уведомления уведомление оповещения новые новый сводка ежедневно быстро
        быстрее каждый каждую каждые день дня дней час часа часов минут минуты неделю
        недели месяц всегда сейчас сегодня завтра потом позже скоро утром вечером ночью
        здесь сюда раз тишина
        выходные выходным будни будням понедельник вторник среду четверг пятницу субботу
        воскресенье
    """,
    "ar": """
        و أو او ثم أيضا أيضًا ايضا مع بدون من إلى الى على في عن ل لي أنا انا أنت انت هذا
        هذه هؤلاء كل جميع فقط لا ليس لكن إذا اذا عندما حتى أريد اريد ممكن فضلك لطفا رجاء
        عفوا آسف نعم مرحبا صامت بصمت صورة صور الصور فيديو فيديوهات الفيديو قصة قصص القصص
        تنبيه تنبيهات إشعار إشعارات جديد جديدة ملخص يومي يوميا يوميًا سريع يوم أيام ساعة
        ساعات دقيقة دقائق أسبوع شهر دائما الآن الان اليوم غدا لاحقا قريبا صباحا مساء ليلا
        هنا
        الأحد الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت
    """,
    "id": """
        dan atau juga lalu dengan tanpa dari ke untuk di pada yang itu ini saya aku ku
        kamu anda semua hanya saja cuma tidak bukan tapi jika kalau sampai mau ingin bisa
        tolong mohon terima kasih maaf oke ok ya tidak halo hai senyap diam foto gambar
        video cerita story stories pemberitahuan notifikasi baru ringkasan harian cepat
        setiap tiap hari jam menit minggu mingguan bulan selalu sekarang nanti besok
        segera pagi siang sore malam sini pukul
        plis pls tlg tolongin dong seminggu sebulan
        weekend senin selasa rabu kamis jumat sabtu
    """,
    "uk": """
        і й та або чи а також теж ще з зі із без від до для на в у о про мій моя мої мені
        мене я ти ви це цей ця ці всі все усі тільки лише не але якщо коли поки хочу можна
        можеш будь ласка прошу вибач вибачте ок так ні привіт вітаю тихо беззвучно мовчки
        фото світлини відео історія історії сторіс сповіщення нові новий зведення щодня
        щоденно швидко швидше кожен кожну кожні день дні днів година годину годин хвилин
        хвилини тиждень тижні місяць завжди зараз сьогодні завтра потім пізніше скоро
        вранці ввечері увечері вночі тут сюди раз тиша
        вихідні вихідним будні понеділок вівторок середу четвер пятницю суботу неділю
    """,
    "fa": """
        و یا هم همچنین با بدون از به برای در بر من منو مرا تو شما این آن اون همه فقط تنها
        نه اما ولی اگر وقتی تا می‌خواهم میخوام میخواهم لطفا لطفاً خواهش ببخشید باشه بله
        آره سلام بی‌صدا بیصدا ساکت عکس عکس‌ها عکسها ویدیو ویدئو فیلم استوری استوری‌ها
        اعلان اعلان‌ها جدید خلاصه روزانه سریع هر روز ساعت دقیقه هفته ماه همیشه الان اکنون
        امروز فردا بعدا بعداً زود صبح عصر شب اینجا
        شنبه یکشنبه دوشنبه سه‌شنبه چهارشنبه پنجشنبه جمعه
    """,
    "hi": """
        और या भी फिर के की का को से में पर लिए साथ बिना मैं मुझे मेरा मेरे मेरी तुम आप यह
        ये वह वो सब सभी सिर्फ सिर्फ़ केवल नहीं लेकिन अगर जब तक चाहिए चाहता चाहती कृपया
        प्लीज़ प्लीज माफ ठीक हाँ हां नमस्ते चुपचाप शांत फोटो फ़ोटो तस्वीर वीडियो स्टोरी
        स्टोरीज़ कहानी सूचना सूचनाएँ अलर्ट नया नई सारांश रोज रोज़ रोज़ाना दैनिक जल्दी हर
        दिन घंटे घंटा मिनट हफ्ते हफ़्ते महीने हमेशा अभी आज कल बाद सुबह शाम रात यहाँ यहां
        aur bhi ke ki ka ko se mein par liye mujhe sirf nahi nahin kripya roz abhi aaj kal
        har din
        वीकेंड सोमवार मंगलवार बुधवार गुरुवार शुक्रवार शनिवार रविवार
    """,
}

_CONNECTIVES = {
    "en": "and or plus also & + adn nd annd",
    "es": "y e o",
    "pt_BR": "e ou",
    "de": "und oder udn sowie",
    "fr": "et ou",
    "it": "e ed o",
    "tr": "ve veya",
    "ru": "и или плюс",
    "ar": "و أو",
    "id": "dan atau dn",
    "uk": "і й та або плюс",
    "fa": "و یا",
    "hi": "और या aur तथा",
}
"""The words that join the names of a list, such as "and", by language."""

THANKS = {
    "en": "thanks thank thx thnx thanx ty tks tnx thankyou tysm cheers",
    "es": "gracias agradezco agradecido agradecida",
    "pt_BR": "obrigado obrigada obrigadão obrigadao obg brigado brigada valeu vlw agradeço",
    "de": "danke dank dankeschön dankeschoen",
    "fr": "merci mercis remercie",
    "it": "grazie ringrazio",
    "tr": "teşekkürler teşekkür sağol sağolun tşk tşkler eyvallah",
    "ru": "спасибо спасибки спасибочки спс пасиб пасибо сенкс благодарю благодарен благодарна "
    "spasibo",
    "ar": "shukran shokran mashkoor تشكر شكرا شكر مشكور مشكورين متشكر متشكرين تسلم تسلمين shukran",
    "id": "makasih makasi trims terimakasih suwun nuwun tq",
    "uk": "дякую спасибі вдячний вдячна",
    "fa": "mamnoon mamnun mamnunam moteshakeram sepas "
    "ممنون ممنونم مرسی متشکر متشکرم تشکر سپاس سپاسگزارم سپاسگزار",
    "hi": "धन्यवाद शुक्रिया आभार आभारी थैंक्यू थैंक्स dhanyavad dhanyavaad dhanyawad shukriya",
}
"""The words that say thanks, by language. These words are also everyday words."""

ALL_THANKS = frozenset(map(fold_for_comparison, " ".join(THANKS.values()).split()))

_THANKS_PHRASES = """
    much appreciated|appreciate it|sağ ol|sağ olun|ellerine sağlık|ellerinize sağlık|от души
    |lifesaver|life saver|you're a star|you're a legend|you're a hero|you are a star
    |you are a legend|you are a hero|you're an absolute star
    |you're an absolute legend|you're an absolute lifesaver|you're a lifesaver
    |you are a lifesaver|absolute legend|what a legend
    |يعطيك العافية|جزاك الله|terima kasih|دستت درد نکنه|دستتون درد نکنه|دمت گرم
    |eline sağlık|elinize sağlık|emeğine sağlık|allah razı olsun|helal olsun
    |gott vergelt's|vergelt's gott|god bless|bless you|dios te bendiga
    |dios los bendiga|dios te lo pague|bendiciones|deus te abençoe|deus abençoe|deus lhe pague
    |dio ti benedica|che dio ti benedica|dieu te bénisse|dieu vous bénisse|храни тебя бог
    |дай бог здоровья|дай бог вам здоровья|дай боже здоров'я|хай щастить|بارك الله|يبارك فيك
    |يسعدك|الله يخليك|الله يحفظك|semoga berkah|semoga sukses|tuhan memberkati
    |خدا خیرت بده|خدا خیرتون بده|خدا حفظت کنه|दिल से|भगवान भला करे|जीते रहो|bhagwan bhala kare
    |jeete raho|allah bhala kare|khoda kheiret bede|damet garm|dastet dard nakone|merci azizam
"""
"""The phrases that say thanks, although each of their words alone has a different meaning."""

_PRAISE_PHRASES = """
    great job|good job|nice job|nice work|great work|good work|well done|you're the best
    |you are the best|you're amazing|you are amazing|you're awesome|you are awesome
    |you're great|you are great|you rock|u rock|love this bot|i love you|love you|love it
    |i love it|good bot|great bot|best bot|best bot ever|nice bot|cool bot|awesome bot|works great
    |eres genial|eres la mejor|eres el mejor|eres lo máximo|eres un crack|eres una crack|qué crack
    |buen trabajo|buen bot|me encanta|me encanta este bot|te amo|te quiero|qué maravilla
    |você é demais|você é ótimo|você é incrível|você é o melhor|você é top|vc é demais|vc é top
    |bom trabalho|amei|adorei|muito bom|que bot bom|parabéns
    |du bist super|du bist der beste|du bist die beste|du bist toll|du bist klasse|gut gemacht
    |guter bot|super bot|gute arbeit|ich liebe dich|tolle sache|läuft super|du bist spitze
    |tu es génial|tu es super|tu es le meilleur|t'es génial|t'es le meilleur|t'es super
    |bon travail|beau travail|bravo|j'adore|je t'adore|je t'aime|chapeau
    |sei fantastico|sei grande|sei il migliore|sei un grande|sei bravissimo|sei forte|sei mitico
    |ottimo lavoro|bel lavoro|bravissimo|ti amo|ti adoro|che bello
    |harikasın|süpersin|muhteşemsin|mükemmelsin|çok iyisin|en iyisisin|seni seviyorum|kralsın
    |adamsın|iyi iş|güzel bot|bayıldım
    |ты лучший|ты лучшая|ты супер|ты крут|ты классный|ты молодец|молодец|красавчик|отличная работа
    |хорошая работа|классный бот|хороший бот|лучший бот|люблю тебя|я тебя люблю|умница
    |أنت رائع|أنت الأفضل|أحسنت|عمل رائع|بوت رائع|أحبك|برافو
    |kamu keren|kamu hebat|kamu terbaik|kerja bagus|bagus banget|keren banget|mantap|mantul
    |bot bagus|bot keren|love you bot
    |ти найкращий|ти найкраща|ти супер|ти молодець|ти крутий|молодець|чудова робота|гарна робота
    |класний бот|люблю тебе
    |عالی هستی|تو عالی هستی|عالیه|تو بهترینی|بهترینی|کارت عالیه|کارت درسته|آفرین|دوستت دارم
    |तुम बहुत अच्छे हो|आप बहुत अच्छे हैं|बहुत अच्छे|शाबाश|बहुत बढ़िया|बढ़िया काम|कमाल है
    |qué chévere|qué chido|qué bien|top demais|muito top|trop bien|trop cool|che figo|figo|fico
    |çok iyi|çok güzel|geil|mega geil|حلو|حلو كثير|حلو كتير|خیلی خوبه|خیلی خوب|keren abis
    |keren|mast hai|bahut mast|zabardast|очень круто|дуже круто|amazing bot|i like it|i like this
    |tum bahut acche ho|bahut accha|bahut acche|bahut badhiya|shabash|kamaal hai|mast bot
"""
"""The phrases of praise. A text that only says praise gets the same reaction as thanks."""

_GREETING_PHRASES = (
    "how are you|how are u|how r u|how are you doing|how's it going|what's up"
    "|see you|see ya|see you later|see you soon|see u|talk to you later|take care"
    "|bye for now|have a nice day|have a good day|have a good one|good to see you"
    "|nice to meet you|qué tal|qué onda|cómo estás|cómo andas|cómo va|cómo te va|todo bien"
    "|hasta luego|hasta mañana|hasta pronto|hasta la vista|nos vemos|mucho gusto|tudo bem"
    "|tudo bom|tudo certo|como vai|como você está|como vc está|até mais|até logo|até amanhã"
    "|até breve|até a próxima|um abraço|wie geht's|wie geht es dir|wie geht es ihnen"
    "|wie läuft's|alles klar|alles gut|na du|na wie geht's"
    "|na wie läuft's|bis später|bis dann|bis bald|bis morgen|mach's gut"
    "|auf wiedersehen|auf wiederhören|schönen tag|schönen abend|schönen tag noch"
    "|schönen abend noch|ça va|comment ça va|comment vas-tu|comment vas tu|comment allez-vous"
    "|comment allez vous|quoi de neuf|tu vas bien|à bientôt|à plus|à plus tard|à demain"
    "|au revoir|à la prochaine|bonne journée|bonne soirée|come stai|come va|come sta|tutto bene"
    "|tutto ok|a dopo|a presto|a domani|ci vediamo|buona giornata|buona serata|ne haber"
    "|nasıl gidiyor|hoşça kal|hoşça kalın|güle güle|kendine iyi bak|iyi akşamlar|как жизнь"
    "|как ты|как поживаешь|до свидания|до встречи|до завтра|всего доброго|всего хорошего"
    "|хорошего дня|хорошего вечера|доброго времени суток|доброго дня|كيف الحال|كيفك اليوم|شلونك"
    "|شو الأخبار|شو اخبارك|إزيك|عامل ايه|مع السلامة|إلى اللقاء|في أمان الله"
    "|apa kabar|gimana kabarnya|sampai jumpa|sampai nanti|sampai ketemu|sampai besok|як ся маєш"
    "|як життя|як ти|до побачення|до зустрічі|гарного дня|гарного вечора|на все добре"
    "|всього найкращого|چه خبر|حالت چطوره|حالتون چطوره|خوب هستی|خوب هستید|خدا نگهدار|خدا حافظ"
    "|روز بخیر|صبح بخیر|कैसे हो|कैसे हैं|कैसी हो|क्या हाल है|क्या हाल|फिर मिलेंगे|शुभ रात्रि"
    "|शुभ प्रभात|kaise ho|kaise hain|kaisi ho|kya haal hai|kya haal|aap kaise ho|aap kaise hain"
    "|phir milenge|fir milenge|khuda hafiz|chetori|khubi|salam chetori|che khabar|kif halak"
    "|kifak|kifik|keefak|shlonak|izayak|kak dela|kak ti|kak zhizn|yak spravy|salam aleykum"
    "|salam aleikum|assalamualaikum|as salam alaykum|sabah el kheir|masa el kheir|ma3 salama"
    "|khodahafez|khoda hafez|poka poka"
)
"""The greetings and farewells whose words alone can have another meaning, in all languages."""

_AROUND_THANKS = """
    a lot many million so much very again really indeed my friend much and all
    muchas muchísimas mil infinitas de nuevo te lo muito mesmo demais vielen lieben herzlichen
    besten tausend schön sehr dir ihnen vielmals beaucoup bien mille grand un infiniment vous je
    à tante molte infinite ti di cuore çok ederim ol большое огромное очень вам тебе вас
    جزيلا لك لكم كتير جدا ألف خيرا يا بطل غالي حبيبي قلبي معلم
    crack genio genia máquina campeón campeona
    banyak ya yah matur hatur дуже щиро велике красно вам
    خیلی زیاد عزیزم बहुत जी ji bahut आपका
"""
"""The words that people write beside words of thanks, in any language."""

_CANCEL = {
    "en": "cancel|never mind|nevermind|nvm|changed my mind|i changed my mind|i've changed my mind",
    "es": "cancelar|cancela|olvídalo|olvidalo|da igual|cambié de idea|cambié de opinión"
    "|he cambiado de idea|he cambiado de opinión|me arrepentí",
    "pt_BR": "cancelar|cancela|esquece|deixa pra lá|deixa para lá|mudei de ideia|mudei de idéia",
    "de": "abbrechen|abbruch|egal|vergiss es|schon gut|hab mich umentschieden"
    "|ich hab mich umentschieden|ich habe mich umentschieden|ich hab's mir anders überlegt"
    "|hab's mir anders überlegt|habs mir anders überlegt",
    "fr": "annuler|annule|laisse tomber|tant pis|peu importe|j'ai changé d'avis",
    "it": "annulla|lascia stare|lascia perdere|non importa|ho cambiato idea",
    "tr": "iptal|iptal et|vazgeç|vazgeçtim|boş ver|boşver|fikrimi değiştirdim|fikrim değişti",
    "ru": "отмена|отменить|отмени|неважно|не важно|забудь|я передумал|я передумала",
    "ar": "إلغاء|الغاء|ألغ|ألغي|لا يهم|انس الأمر|غيرت رأيي|لقد غيرت رأيي",
    "id": "batal|batalkan|lupakan|tidak jadi|gak jadi|nggak jadi|berubah pikiran"
    "|aku berubah pikiran|saya berubah pikiran",
    "uk": "скасувати|скасуй|відміна|неважливо|не важливо|забудь|я передумав|я передумала",
    "fa": "لغو|لغو کن|بی‌خیال|بیخیال|بی خیال|مهم نیست|نظرم عوض شد|پشیمون شدم",
    "hi": "रद्द|रद्द करें|रद्द करो|रहने दो|रहने दें|मेरा मन बदल गया|मन बदल गया|इरादा बदल गया"
    "|rehne do|rehne de",
}

_NOBODY = {
    "en": "no|nope|no one|nobody|none|nothing|not now|stop|skip|forget it|leave it"
    "|nah|naw|nm|pass|later|maybe later|not yet",
    "es": "no|nada|nadie|ninguno|déjalo|dejalo|no importa|ahora no"
    "|nop|paso|luego|más tarde|mejor no|todavía no"
    "|para|basta|detente",
    "pt_BR": "não|nao|nada|ninguém|ninguem|esqueça|deixa|não importa|agora não"
    "|depois|mais tarde|melhor não|ainda não|passo"
    "|pare|para|chega",
    "de": "nein|nichts|niemand|keiner|doch nicht|lass es|lass mal|nicht so wichtig|jetzt nicht"
    "|nö|nee|später|noch nicht|lieber nicht"
    "|stopp|halt",
    "fr": "non|rien|personne|aucun|oublie|laisse|pas maintenant"
    "|nan|plus tard|pas encore|non merci"
    "|arrête|ça suffit",
    "it": "no|niente|nulla|nessuno|fa niente|non ora|dopo|più tardi|non ancora|meglio di no"
    "|basta|ferma|fermati",
    "tr": "hayır|hiç|hiçbiri|hiç kimse|neyse|gerek yok|şimdi değil|yok|sonra|daha sonra|olmaz"
    "|dur|yeter",
    "ru": "нет|не надо|не нужно|ничего|никого|никто|ладно не надо|передумал|передумала|стоп"
    "|не сейчас"
    "|неа|потом|позже|лучше не надо"
    "|хватит",
    "ar": "لا|لا شيء|لا أحد|غير مهم|ليس الآن|لاحقا|بعدين|مو الآن|مش الآن|توقف|كفى|خلاص",
    "id": "tidak|gak|nggak|tidak ada|bukan sekarang|ga|nanti|nanti aja|gak usah|gausah|gajadi"
    "|berhenti|cukup|udah",
    "uk": "ні|не треба|не потрібно|нічого|нікого|ніхто|передумав|передумала|стоп|не зараз"
    "|нє|потім|пізніше|краще не треба"
    "|досить",
    "fa": "نه|هیچی|هیچ‌کس|هیچکس|ولش کن|فراموشش کن|الان نه|بعدا|بعداً|نه الان|بس|بسه|ولش",
    "hi": "नहीं|कुछ नहीं|कोई नहीं|छोड़ो|जाने दो|कोई बात नहीं|अभी नहीं|बाद में|baad mein|baad me|nahi|nahin"
    "|रुको|बस",
}
"""The phrases that cancel a request only in an answer to a question of the bot, by language.

After a command, the words of these phrases can be profile names.
"""

_UNSURE = {
    "en": "i don't know|i dont know|dunno|idk|not sure|i'm not sure|im not sure|unsure|no idea"
    "|i have no idea|no clue|i have no clue|beats me|don't care|i don't mind|doesn't matter"
    "|it doesn't matter|whatever|anyone|anybody|anyone you like|surprise me|no preference"
    "|you choose|you pick|you decide|you tell me|up to you|can't decide|i can't decide"
    "|haven't decided|still thinking",
    "es": "no sé|nose|no lo sé|no se|yo qué sé|quién sabe|ni idea|no tengo idea"
    "|no estoy seguro|no estoy segura|cualquiera|me da igual|da lo mismo|lo que sea|tú eliges"
    "|elige tú|sorpréndeme",
    "pt_BR": "não sei|n sei|sei lá|sla|nem ideia|não faço ideia|não tenho ideia"
    "|não tenho certeza|qualquer um|qualquer uma|tanto faz|sei não|você escolhe|escolhe você"
    "|me surpreende",
    "de": "weiß nicht|weiss nicht|weiß ich nicht|weiss ich nicht|weiß ich noch nicht"
    "|ich weiß nicht|ich weiß es nicht|ich weiß noch nicht|keine ahnung|hab keine ahnung"
    "|keinen plan|kein plan|bin nicht sicher|bin mir nicht sicher|ich bin mir nicht sicher"
    "|egal wer|irgendwer|irgendwen|egalwer|such du aus|such dir eins aus|überrasch mich"
    "|keineahnung",
    "fr": "je ne sais pas|je sais pas|j'sais pas|chais pas|sais pas|aucune idée|j'en sais rien"
    "|je suis pas sûr|je suis pas sûre|pas sûr|pas sûre|n'importe qui|n'importe lequel"
    "|comme tu veux|choisis pour moi|jsp|bof",
    "it": "non lo so|non so|non saprei|boh|nessuna idea|non ho idea|non ne ho idea"
    "|non sono sicuro|non sono sicura|chiunque|fa lo stesso|uno qualsiasi|scegli tu"
    "|sorprendimi",
    "tr": "bilmiyorum|bilmiyorum ki|bilmem|bilmem ki|fikrim yok|emin değilim|karar veremedim"
    "|fark etmez|farketmez|sen seç|herhangi biri",
    "ru": "не знаю|я не знаю|даже не знаю|без понятия|понятия не имею|хз|фиг знает|не уверен"
    "|не уверена|не решил|не решила|любой|любого|кого угодно|без разницы|все равно|выбери сам"
    "|реши сам",
    "ar": "لا أعرف|لا أعلم|لا أدري|مش عارف|مش عارفة|ما أدري|ما أعرف|ما بعرف|معرفش|مدري"
    "|لست متأكدا|مو متأكد|أي واحد|أي شخص|لا فرق|ما يفرق|اختر أنت",
    "id": "tidak tahu|tidak tau|gak tahu|nggak tahu|ga tahu|ga tau|gak tau|nggak tau|gatau"
    "|gatau deh|belum tau|belum tahu|entah|entahlah|bingung|tidak yakin|gak yakin|siapa aja"
    "|siapa saja|terserah|terserah kamu|bebas",
    "uk": "не знаю|я не знаю|навіть не знаю|гадки не маю|без поняття|хз|не певен|не певна"
    "|не впевнений|не впевнена|не вирішив|не вирішила|будь-хто|будь-кого|без різниці|байдуже"
    "|все одно|обери сам",
    "fa": "نمی‌دونم|نمیدونم|نمی‌دانم|نمیدانم|نمیدونم والا|مطمئن نیستم|نظری ندارم|فرقی نداره"
    "|هرکی|هر کسی|فرقی نمیکنه|خودت انتخاب کن",
    "hi": "पता नहीं|मालूम नहीं|मुझे नहीं पता|मुझे पता नहीं|मुझे मालूम नहीं|पक्का नहीं"
    "|pata nahi|pata nahin|pata ni|pta nahi|malum nahi|mujhe nahi pata|कोई भी|koi bhi"
    "|koi bhi chalega|तुम चुनो",
}
"""The phrases that answer a question of the bot without a decision, by language."""

_NOT_UNDERSTOOD = {
    "en": "how|how so|how do i|how do i do that|how does this work|what|what now"
    "|what do you mean|what do u mean|what you mean|wdym|what does that mean|what do i write"
    "|what do i type|what do i send|what should i write|what should i type|what should i say"
    "|what can i write|what can i choose|what are my options|like what|like who|like|such as"
    "|for example|for instance|example|example please|an example|give me an example"
    "|give an example|show me an example|can you give me an example|which|which name|what name"
    "|which one|which ones|whose|who|who for example|huh|i don't understand|don't understand"
    "|i don't get it|don't get it|explain|please explain|meaning|help me|any suggestions"
    "|suggestions|what do you suggest|who do you suggest|who do you recommend"
    "|what do you recommend|recommend me someone|where do i find it|where do i find that"
    "|where do i find the name|i need help|confused|i'm confused",
    "es": "cómo|cómo así|cómo se hace|cómo lo hago|qué|qué quieres decir|qué quiere decir"
    "|qué significa|qué significa eso|qué escribo|qué pongo|qué tengo que escribir|por ejemplo"
    "|ejemplo|un ejemplo|dame un ejemplo|me das un ejemplo|como cuál|cuál|cuáles|como quién"
    "|quién|no entiendo|no entendí|no comprendo|a qué te refieres|explícame|explica"
    "|qué me recomiendas|a quién me recomiendas|alguna sugerencia|cuáles hay|qué nombre|mande",
    "pt_BR": "como|como assim|como faço|como é|o quê|o que|que|o que quer dizer"
    "|o que você quer dizer|o que significa|o que eu escrevo|o que escrevo|o que eu coloco"
    "|por exemplo|exemplo|um exemplo|me dá um exemplo|dá um exemplo|tipo|tipo o quê|tipo quem"
    "|qual|quais|quem|não entendi|não entendo|explica|que nome|qual nome|o que você recomenda"
    "|quem você recomenda|alguma sugestão",
    "de": "wie|wie jetzt|wie denn|wie geht das|wie mache ich das|wie mach ich das"
    "|wie meinst du das|was meinst du|was meinst du damit|was heißt das|was bedeutet das"
    "|was soll ich schreiben|was muss ich schreiben|was schreibe ich|was|hä|zum beispiel"
    "|beispiel|beispiel bitte|ein beispiel|gib mir ein beispiel|gib ein beispiel"
    "|hast du ein beispiel|z b|verstehe ich nicht|versteh ich nicht|ich verstehe nicht"
    "|ich versteh das nicht|nicht verstanden|welchen namen|welcher name|welche|wen"
    "|wen zum beispiel|welche gibt es|erklär mal|erklär|was empfiehlst du|wen empfiehlst du"
    "|irgendwelche vorschläge|vorschläge",
    "fr": "comment|comment ça|comment faire|comment je fais|quoi|c'est-à-dire"
    "|tu veux dire quoi|que veux-tu dire|qu'est-ce que tu veux dire|ça veut dire quoi"
    "|je mets quoi|j'écris quoi|par exemple|exemple|un exemple|donne-moi un exemple"
    "|t'as un exemple|genre|genre qui|comme qui|je comprends pas|je ne comprends pas"
    "|j'ai pas compris|pas compris|quel nom|qui|hein|lequel|lesquels|explique"
    "|tu me conseilles qui|tu me conseilles quoi|une suggestion|des suggestions",
    "it": "come|come faccio|come si fa|cosa|che|in che senso|cioè|che vuol dire|cosa vuol dire"
    "|che significa|cosa intendi|che intendi|cosa devo scrivere|cosa scrivo|che scrivo"
    "|per esempio|ad esempio|esempio|un esempio|fammi un esempio|dammi un esempio|tipo"
    "|tipo chi|tipo cosa|non capisco|non ho capito|quale|quali|chi|quale nome|che nome"
    "|spiegami|spiega|chi mi consigli|cosa mi consigli|qualche suggerimento",
    "tr": "nasıl|nasıl yani|nasıl yapacağım|ne|yani|ne demek|o ne demek|ne demek istiyorsun"
    "|ne yazayım|ne yazmam lazım|ne yazmalıyım|örnek|örnek ver|bir örnek ver|bir örnek|mesela"
    "|mesela kim|örneğin|anlamadım|anlamıyorum|hangi isim|hangisi|kim|kim mesela|efendim"
    "|ne önerirsin|kimi önerirsin|öneri|önerin var mı",
    "ru": "как|как это|в смысле|в каком смысле|что|что значит|что это значит"
    "|что ты имеешь в виду|что вы имеете в виду|что писать|что мне писать|что написать"
    "|что нужно написать|например|пример|дай пример|дайте пример|приведи пример|можно пример"
    "|не понял|не поняла|не понимаю|я не понял|я не поняла|непонятно|какое имя|чье имя|какой"
    "|какие|кого|кого например|кто|чё|че|чего|поясни|объясни|а что можно|что посоветуешь"
    "|кого посоветуешь",
    "ar": "كيف|كيف يعني|كيف أعمل|ماذا|ماذا تقصد|ماذا يعني|ايش|ايش تقصد|وش|وش تقصد|شو|شو يعني"
    "|شو قصدك|يعني|يعني ايه|قصدك ايه|ما فهمت|لم أفهم|لا أفهم|مش فاهم|مثل|مثلا|مثال|مثل ماذا"
    "|مثل مين|أعطني مثال|اعطني مثال|عطني مثال|ماذا أكتب|وش أكتب|ايش اكتب|شو اكتب|أي اسم|وضح"
    "|اشرح|إزاي|ازاي|من تقترح|اقترح",
    "id": "gimana|bagaimana|gimana caranya|apa|maksudnya|maksudnya apa|maksudnya gimana"
    "|apa maksudnya|maksud kamu|contohnya|contohnya apa|contohnya siapa|contoh|contoh dong"
    "|misalnya|misalnya siapa|misal|kasih contoh|kasih contoh dong|tidak mengerti|gak ngerti"
    "|ga ngerti|nggak ngerti|gak paham|ga paham|tulis apa|nulis apa|nama apa|siapa"
    "|siapa misalnya|yang mana|apa itu|hah|jelaskan|rekomendasi dong|rekomendasinya apa"
    "|ada saran",
    "uk": "як|як це|в сенсі|у сенсі|в якому сенсі|що|що значить|що це значить|що це означає"
    "|що ти маєш на увазі|що ви маєте на увазі|що писати|що мені писати|що написати|наприклад"
    "|приклад|дай приклад|наведи приклад|можна приклад|не зрозумів|не зрозуміла|не розумію"
    "|незрозуміло|яке ім'я|чиє ім'я|який|які|кого|кого наприклад|хто|поясни|що порадиш"
    "|кого порадиш",
    "fa": "چطور|چطوری|چی|یعنی چی|یعنی|منظورت چیه|منظورتون چیه|مثلا|مثلاً|مثلا کی|مثلا چی|مثال"
    "|یه مثال|مثال بزن|یه مثال بزن|نفهمیدم|متوجه نشدم|چی بنویسم|کدوم اسم|چه اسمی|کی|کدوم"
    "|توضیح بده|پیشنهادت چیه",
    "hi": "कैसे|कैसे मतलब|क्या|मतलब|मतलब क्या|क्या मतलब|क्या मतलब है|जैसे|जैसे कि|जैसे क्या"
    "|उदाहरण|कोई उदाहरण|उदाहरण दो|एक उदाहरण दो|समझा नहीं|समझी नहीं|समझ नहीं आया|क्या लिखूँ"
    "|क्या लिखूं|कौन सा नाम|कौन|kaise|matlab|matlab kya|kya matlab|kya matlab hai|kya|jaise"
    "|jaise ki|udaharan|samjha nahi|samajh nahi aaya|samajh nahi aya|kya likhu|kya likhna hai"
    "|kaun sa naam|kaun|example do|koi example",
}
"""The phrases that ask what a question of the bot means, or for an example, by language."""

_CONSENT = {
    "en": "yes yeah yep yup sure",
    "es": "sí claro",
    "pt_BR": "sim claro isso",
    "de": "ja klar jawohl",
    "fr": "oui ouais",
    "it": "sì certo",
    "tr": "evet",
    "ru": "да ага конечно",
    "ar": "نعم ايوه ايوا أيوه أجل",
    "id": "ya iya",
    "uk": "так ага звісно",
    "fa": "بله آره اره",
    "hi": "हाँ हां जी haan han",
}
"""The words that agree to a question with buttons, such as "yes", by language."""

_ALL = {
    "en": "all both everything",
    "es": "todo todos todas ambos ambas",
    "pt_BR": "tudo todos todas ambos",
    "de": "alle alles beide beides",
    "fr": "tout tous toutes",
    "it": "tutto tutti tutte entrambi entrambe",
    "tr": "hepsi hepsini ikisi her şeyi",
    "ru": "все всё оба",
    "ar": "الكل كل كلها كلاهما",
    "id": "semua semuanya keduanya",
    "uk": "все всі обидва",
    "fa": "همه هردو",
    "hi": "सब सभी दोनों",
}
"""The words that choose several buttons or all subscriptions, such as "all", by language."""

_HESITATION = """
    hm hmm hmmm oh ah uh um er well ok okay sorry please pls you actually maybe ach äh
    na ja also bitte euh ben bah bon pardon désolé bueno pues eh ay perdón perdon por
    favor bom é desculpa beh mah scusa şey hımm lütfen ой эх ну хм короче слушай ладно извини
    извините пожалуйста та гаразд вибач вибачте будь ласка آه طيب حسنا آسف عفوا ya sudah maaf
    terima kasih خب باشه ببخشید अच्छा ओह ठीक है माफ़ माफ करें
    plz plis plss plez porfa porfis xfa pfv bidde svp stp perfav lutfen плиз пж tolong dong
    فضلك رجاء لطفا प्लीज़ प्लीज kripya
"""
FILLERS = ALL_THANKS.union(map(fold_for_comparison, _HESITATION.split()))
"""The words of politeness and hesitation that people write around a request or a cancellation."""


def normalize_word(word: str) -> str:
    """Return the normalized form of a word, which is used to compare words.

    A letter that is repeated more than twice, as in "pleaseee", is written once.
    """
    return _REPEATED.sub(r"\1", fold_for_comparison(strip_punctuation(word)))


def strip_punctuation(word: str) -> str:
    """Return a word without invisible characters and without the punctuation around the word.

    The characters of the word are normalized by ``normalize_typed``.
    """
    return remove_format_characters(normalize_typed(word)).strip(_AROUND)


@cache
def thanks_phrases() -> frozenset[tuple[str, ...]]:
    """Return the phrases that say thanks or a blessing.

    The words are normalized (``normalize_word``).
    """
    return _phrases_as_words(_THANKS_PHRASES)


@cache
def greeting_phrases() -> frozenset[tuple[str, ...]]:
    """Return the phrases of greetings and farewells.

    The words are normalized (``normalize_word``).
    """
    return _phrases_as_words(_GREETING_PHRASES)


@cache
def praise_phrases() -> frozenset[tuple[str, ...]]:
    """Return the phrases of praise, such as "great job".

    The words are normalized (``normalize_word``).
    """
    return _phrases_as_words(_PRAISE_PHRASES)


def _phrases_as_words(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in normalized_phrases([text]))


@cache
def words_around_thanks() -> frozenset[str]:
    """Return the words that people write beside thanks, such as "muchas" in "muchas gracias".

    The words are normalized (``normalize_word``).
    """
    return frozenset(map(normalize_word, _AROUND_THANKS.split()))


@cache
def everyday_words(language: str) -> frozenset[str]:
    """Return the everyday words of English and of ``language``.

    The words are normalized (``normalize_word``).
    """
    text = " ".join(
        _english_and_local_texts(_EVERYDAY, language) + _english_and_local_texts(THANKS, language)
    )
    return frozenset(map(normalize_word, text.split()))


def _english_and_local_texts(table: dict[str, str], language: str) -> list[str]:
    """Return the English text of a table, and the text of the table in ``language``."""
    return [table["en"], table.get(language, "")]


def is_connective(word: str, language: str) -> bool:
    """Return whether a word such as "and" joins names in English or in ``language``."""
    return word.casefold() in _connectives(language)


@cache
def _connectives(language: str) -> frozenset[str]:
    return frozenset(" ".join(_english_and_local_texts(_CONNECTIVES, language)).split())


def is_everyday_word(word: str, language: str) -> bool:
    """Return whether a word is an everyday word of English or of ``language``."""
    return normalize_word(word) in everyday_words(language)


def is_number_or_time_word(word: str) -> bool:
    """Return whether a word is a number of at most three digits, or names a time.

    A word of ASCII characters names a time only in a short form such as "9pm".
    """
    text = strip_punctuation(word).casefold()
    if _TIME.fullmatch(text):
        return True
    return not word.isascii() and has_only_time_words(text)


def is_cancellation(text: str, language: str, *, is_answer: bool = False) -> bool:
    """Return whether a text cancels a request and says nothing else, as in "hm, never mind".

    Cancellations in English and in ``language`` count. In the answer to a question of the bot
    (``is_answer``), "no" also cancels.
    """
    return _has_only_phrases(text, _cancel_phrases(language, is_answer=is_answer))


def is_unsure(text: str, language: str) -> bool:
    """Return whether an answer neither decides nor cancels, as in "not sure, for example?".

    The text says only that the person does not know or care, or asks what the question means.
    Phrases in English and in ``language`` are recognised.
    """
    return _has_only_phrases(text, _unsure_phrases(language))


def _has_only_phrases(text: str, phrases: frozenset[str]) -> bool:
    """Return whether a text consists only of phrases and words of politeness.

    A phrase can contain punctuation marks, so the whole text is compared before the parts between
    the marks.
    """
    if _has_only_phrases_and_fillers(_normalized_words(text), phrases):
        return True
    parts = [words for words in map(_normalized_words, _BETWEEN.split(text)) if words]
    meant = [words for words in parts if not FILLERS.issuperset(words)]
    return bool(meant) and all(_has_only_phrases_and_fillers(words, phrases) for words in meant)


def _has_only_phrases_and_fillers(words: list[str], phrases: frozenset[str]) -> bool:
    """Return whether ``words`` consist only of phrases and words of politeness."""
    meant = [word for word in words if word not in FILLERS]
    return _has_only_given_phrases(words, phrases) or _has_only_given_phrases(meant, phrases)


def _has_only_given_phrases(words: list[str], phrases: frozenset[str]) -> bool:
    """Return whether ``words`` consist only of phrases, as in "never mind forget it"."""
    ends = {0}  # all numbers n for which the first n words consist of phrases
    for end in range(1, len(words) + 1):
        begins = range(max(0, end - _LONGEST_PHRASE), end)
        if any(begin in ends and " ".join(words[begin:end]) in phrases for begin in begins):
            ends.add(end)
    return bool(words) and len(words) in ends


def is_consent(text: str, language: str) -> bool:
    """Return whether a text agrees to a question with buttons, as in "yes please" or "all".

    The words are in English or in ``language``. Words of politeness are ignored. The first other
    word must agree, and the following words must agree or be everyday words.
    """
    consent = _words_of_consent(language) | _words_meaning_all(language)
    words = _normalized_words(text)
    meant = [word for word in words if word in consent or word not in FILLERS]
    if not meant or meant[0] not in consent:
        return False
    return all(word in consent or word in everyday_words(language) for word in meant)


def has_word_meaning_all(text: str, language: str) -> bool:
    """Return whether a text has a word such as "all" in English or in ``language``."""
    return not _words_meaning_all(language).isdisjoint(_normalized_words(text))


def _normalized_words(text: str) -> list[str]:
    return [word for word in map(normalize_word, typed_words(text)) if word]


@cache
def _words_of_consent(language: str) -> frozenset[str]:
    return frozenset(
        map(normalize_word, " ".join(_english_and_local_texts(_CONSENT, language)).split())
    )


@cache
def _words_meaning_all(language: str) -> frozenset[str]:
    return frozenset(
        map(normalize_word, " ".join(_english_and_local_texts(_ALL, language)).split())
    )


@cache
def _cancel_phrases(language: str, *, is_answer: bool) -> frozenset[str]:
    texts = _english_and_local_texts(_CANCEL, language)
    if is_answer:
        texts += _english_and_local_texts(_NOBODY, language)
    return normalized_phrases(texts)


@cache
def _unsure_phrases(language: str) -> frozenset[str]:
    return normalized_phrases(
        _english_and_local_texts(_UNSURE, language)
        + _english_and_local_texts(_NOT_UNDERSTOOD, language)
    )


def normalized_phrases(texts: list[str]) -> frozenset[str]:
    """Return the phrases of several texts. In each text, a "|" separates the phrases.

    The words of the phrases are normalized (``normalize_word``).
    """
    phrases = [phrase.split() for phrase in "|".join(texts).split("|") if phrase]
    return frozenset(" ".join(map(normalize_word, words)) for words in phrases)
