"""Common words by language, which are usually not profile names in a sentence without a command.

After a command, a common word can be a profile name. Usually the word is not a name if
``bot.domain.everyday_words`` also has the word.
"""

from functools import cache

from bot.domain.everyday_words import normalize_word

_COMMON = {
    "en": """
        abroad actual actually add afraid against ago agree ahead alone along although
        amazing among angry annoyed answer answered answering apparently appear
        appears around arrive arrived arrives aware away awesome awful bad basically
        became become behind believe below beside best better between big boring bored
        bother bothering bought bring bringing brother browser button buttons buy call
        came cannot careful case cause certain chance check checked checking choose
        chose clear clearly click clicked close closed coming complain completed
        computer connect connected connection correct correctly couple crap crazy cut
        dad daughter dead deal decide declined definitely delivered deserve desktop
        details device did different difficult disappear disappeared doing done
        download downloaded drop dumb during early easier easy eight else email empty
        end ended english enough entire especially even eventually exact exactly
        example except exist exists expect expected extra fact fail failed fails fake
        fall family far favorite favourite feel few figure file files fill final
        finally find fine finish finished five fix fixed following forget forgot
        forgotten found four frequently fuck fucking full funny game general getting
        girl girlfriend boyfriend given gives giving glad god goes going gone good
        great group had half hand happen happened happening happens happy hard hate
        hated hates having hear heard held hell helped helpful helps hold home hope
        hour house however husband idea idiot ignore immediate important impossible
        included including inside install installed instant instead interested
        interesting internet invite issue issues itself job join joined joke kid kids
        kill kinda knew knows known large late lately laugh lazy learn least leave
        left less let letting lied lie life list listed listen little live lived lives
        living loading log login logged long longer look looked looking lose losing
        lost lots loved lovely loves mad made main makes making manage mean means
        meant meanwhile member members mess messed messes minute miss missed missing
        mistake mistaken mobile mom mum moment money mother move moved multiple must
        myself near nearly necessary needs negative nearby neither never news night
        nine nobody nonsense normal normally note nowhere number numbers obviously odd
        off offer old online opened opinion order others ought outside over own page
        paper part particular past patient pay people perfect perhaps permission
        personal phone picture piece place plan platform play played plus point points
        polite poor pop popped popup possibly posted pretty previous probably problem
        problems proper properly prove push put questions quickly quite random rate
        rather reach read reading ready real reality realize realized really reason
        reasons received recently recommend refresh refuse register registered regular
        relax remember remind repeat replied reply request requested require required
        restart result results return ridiculous rubbish run running sad safe said
        same save saved saw says saying screen scroll search second section seem
        seemed seems select self selected sense sent separate seriously server serve
        service setup seven several share shared shit shitty shop short shouldn showed
        showing shown shows shut sick side sign silly similar simple simply since
        sister site situation six slow slowly small smart solve solved son sometimes
        somewhere spend spent standing stands state stay stays step steps stopped
        stopping stops store strange stupid such suck sucks suddenly suggest supposed
        surely switch switched system taken takes taking talk talking tap tapped team
        tells ten terrible test text thinking think thinks thought three throughout
        till times tired together told took top total touch trash tries true trust
        truth try tried trying turned turns twice two type typed types typing unable
        understand understood unfortunately unless upset urgent used useful useless
        usual usually version via view visible visit wait waited waiting wake walk
        wants warn waste watches water ways weird welcome went whatever whenever
        whether whole wife window wish within wonder word words worked world worried
        worry worse worst worth wouldn write writes writing written wrote yesterday
        yours yourself whichever wherever afternoon evenings mornings nights weekends
        daytime midday lunchtime monday tuesday wednesday thursday friday saturday
        sunday january february march april june july august september october
        november december spanish french german
        guess charge bill care cares blue single chill legal illegal allowed allow
        noticing pm ye yea aight lol omg wtf idk btw tbh imo asap damn dear honey babe
        dude mate sir madam hiya howdy greetings cheers regards vids clips garbage
        friends friend mine ex crush neighbor neighbour coworker boss celebrity
        celebrities star stars famous singer actor actress football magazine brand
        brands whom someone's stalk stalking spy spying watcher hide hidden block
        blocked blocking report reported vacation trip travel monday's exam school
        class office meeting iphone android laptop notification vibrate ring ringing
        beep sound sounds volume popups
        wipe accident undo bit come
        anybody anyone anyway anywhere onto into upon across toward towards under
        through despite beyond per etc nor thus therefore otherwise themselves himself
        herself mostly slightly absolutely honestly literally extremely easily
        way well high low lower rest sort various shall oh pings dings noise noisy
        hush notch frequency reduce ease recap roundup collect combine merge caught
        damage viewer quit notif
        huh wdym wut wat uhm uhh umm ugh lmao lmfao rofl nah naw nm meh eww ew yikes
        oops whoops whoa woah bruh pfft argh aww aw yay hehe heh duh gosh dang geez
        jeez welp sheesh idc brb gtg np yw lmk rn tho coz ikr ngl smh ffs jk fr pass
        whoever whomever surprise third former latter depends undecided unsure yess yas
        yass noo ohh ooh aha mmm mhm kk okk okie alright exit begin celebs influencers
        models trending popular hot boys bf gf bff bestie ladies username handle url
        sec patience srsly obvs oki oke sleepy drunk ups haha hihi ahah
        skill peeked
    """,
    "es": """
        abrir acaba además adiós ahí algún alguna algunas algunos allí amigo amiga
        anda antes aparece aparecen aprender aquel aquella arreglar así aunque avisa
        ayuda bastante bien bloquear boca buen buena bueno busco buscar cada caso
        cerca claro cómo conozco cosa cosas creo cualquier cuál cuánta cuántas cuántos
        dale dame decir deja dejar demasiado demasiadas demasiados dentro desde
        después dice dicen dijo dónde durante ejemplo ellos ella ellas empezar
        encontrar encuentro encima entiendes entonces entre eran eres error ese eso
        esos esto estos estoy estuve existe fácil falta feo fin fue fuera genial
        grande grupo gusta gustan hablar hablas hace hacen hacia hasta hemos hecho
        hermana hermano horrible idiota igual inútil imposible ir jamás jefe leer
        listo llama llamada llega llegan llegar lejos lento malo mala mamá manera
        mañana mejor menos mentira mierda mientras mil mirar mismo misma momento mucha
        muchas mucho muchos mujer mundo muy nadie necesito ninguna nombre nosotros
        noticia novia novio nuestra nuestro nunca ocho oye otra otras otro otros
        parece parte pasa pasado pasó peor pero persona personas poco pocos poder
        podemos pone poner porque primera primero problema problemas pronto pues qué
        quién quiere quieres quita rara raro razón responde respuesta sabe saben saber
        sabes salir sea según ser seguro siempre siente sigue siguen sino sirves sobre
        solamente somos son suficiente también tampoco tanto tantos tarda teléfono
        tener tengo tienes todavía tonto trabajo tras tres último única usar usas
        usted ustedes vale vamos van varias varios vas vemos veces venga ver verdad
        vida viene vine volver vosotros vuelve vuelvo cuánto hacerlo verlo verlas
        verlos
        alguien sigo siguiendo guapa guapo saludos vacaciones reunión clase móvil
        celular amigos famosa famoso actriz actor cantante equipo fútbol marca legal
        ilegal permitido gratis
        ayudar ayudarme cerrado cerrada
        nos dos era uno unos unas soy estaba estar sido toda ti vos debe deben mayor
        bajo haber tenemos estamos contra embargo incluso siendo cierto junto juntos
        junta nuestros cuales pueden pueda queda quieren haya ello acerca alrededor
        aun mediante menor conmigo contigo cualquiera cualesquiera quienes siquiera
        permite tenido tuvo hubo estuvo estaban fueron fui sean seis siete cinco
        cuatro diez ambos apenas abajo arriba ante mal posible supuesto casi
        simplemente finalmente probablemente ruido suenes msj msjs msg msgs
        vea vean veas veamos venden vende vender vengo vengan vengas venir verano
        verdadero verdadera vergüenza verificar verifica verificas verte verás verá
        veremos ves vete veía vecino vecina velocidad viejo
        cambias cambian cambio cambios cambiado cambiada cambiando cambies cambien cambiaron
        cambió cambiamos ponen pones ponemos pongo pongas pongan puesto ponte
        publicaciones publicación publicado publicada publicados publicadas publiques
        publicaron publicando publicas públicos públicas publicidad publicaste
        espera espere ehh uy vaya jaja jajaja jeje talvez depende nose sip nop nones
        chao famosos ahorita segundo tranquilo tranqui
    """,
    "pt_BR": """
        abrir acabou acho adeus agora além algum alguma algumas alguns ali amigo amiga
        antes aparece aparecem aquela aquele aquilo assim atrás aviso bastante bem boa
        bom bosta burro cada caso certo chega chegam chegar coisas com comigo como
        conheço consegue consigo conseguir deixa deles demais dentro depois desde
        desculpa deve devo dia dificil difícil dinheiro direito disse dizer dois duas
        durante ela elas ele eles embora enquanto entender entendo entre era eram
        errado esquecer essas esses esta estava este estes estou existe fácil fala
        falar falta faço fazendo feio ficar fica fim foi fora foram funcionando gosto
        gostei gostaria grande grupo horrível idiota igual inútil impossível ir irmã
        irmão isso já jeito juntos lá lento lixo longe maior mal maneira mãe melhor
        menos mentira merda mesma mesmo mim minutos muita muitas muito muitos mundo
        nada namorada namorado nem nenhum nenhuma ninguém nome nós nossa nosso nunca
        obter oito onde outra outras outro outros pai parece parte passado pegar pelo
        pela pensa pequeno pergunta pior pessoas pode podem poder pois porque porquê
        posso pouco poucos precisa preciso primeira primeiro problema problemas
        próximo qualquer quais quanta quantos quase quero quer resposta ruim saber
        sair saiu seja sei sempre sendo senão ser será seria seu seus sobre somos são
        sua suas também tanto tão telefone tempo tenho tentar ter teu três trocar tua
        última único usar vai vamos vão vários várias vem venho ver verdade vez vezes
        vida viu voltar vocês
        alguém sigo seguindo legal ilegal permitido celular amigos famosa famoso ator
        atriz cantor cantora time futebol marca férias reunião aula chefe galera mano
        véi pô mds tipo kkk kkkk rs
        fechado fechada ajudar cadastro mostrar
        nas nos num numa numas dum duma aos às sou sido estar estamos temos tenha
        tinha teria toda contra meio lado nossos nossas pelos pelas neste nesta deste
        desta nessa isto fosse houve havia deveria deu ficou talvez perto disso junto
        junta conosco contigo lhes quaisquer quatro cinco seis sete dez novamente sob
        daqui dali acima abaixo msg msgs barulho realmente apesar certeza
        finalmente simplesmente atualmente apenas tal tais ambos
        veja vejam vejo vemos vendo vende vender venha venham venda verdadeiro
        verdadeira verdadeiramente vergonha verificar verifica verificam verão verá
        veremos versão velho velha velocidade vêm mandado mandei mando postado
        postados postagem postagens posterior posto
        mudança mudanças mudou mudei mudam mudando mudado mudas mudaram
        espera pera peraí calma hein opa uai eita vixe puxa rsrs aham uhum depende
        beleza momento segundo passo famosos
    """,
    "de": """
        aber abend allein allem allen aller allerdings als also alt andere anderen
        anderer anderes anfangen antwort antworte antworten arbeit arsch aufhört
        ausserdem außerdem bald bedeutet beide beim bereits besser besten bestimmt bin
        bisher bisschen bist bleib bleibt blöd blöde blöder brauche brauchen brauchst
        bringt bruder dabei dafür dagegen daher damals danach dann daran darauf darf
        darfst darin darum darunter dass dauernd davon dazu denke denken dennoch
        dessen deshalb diesem diesen dieser dieses doof doppelt dort dran drei dumm
        dummer durch dürfen ebenfalls ehrlich eher eigenen eigentlich einem einen
        einer eines einfach einige einigen einmal ende endlich entweder erst erste
        ersten fast falsch fertig finde finden frage fragen frau freund freundin früh
        früher für furchtbar ganz ganze gar geben gefällt gegen gehen gehört geht
        genau genug gerade gesagt gesehen gestern getan gewesen geworden glaube gleich
        groß grund gut gute guten haben halbe hallo halt hast hatte hatten heißt heute
        hier hilft hin hinter hört ihm ihn ihnen ihr ihre ihrem ihren ihrer immerhin
        insgesamt irgendwas irgendwie irgendwo jedem jeden jeder jedoch jemals jemand
        jetzt kaum keinem keinen keiner klar klappt kleine kommen komme komisch können
        konnte konto kurz lange langsam lass lassen laufen lässt leben leicht leid
        leider lesen letzte letzten lieber liebe liegt los machen macht mache mag
        manche manchmal mann meinem meinen meiner meines meinst meisten mensch
        menschen mehrere miese mies mist mochte möglich müssen muss musst musste
        mutter müll nachdem nächste nächsten nämlich natürlich neben nehmen nervig
        niemals niemand nirgends noch nötig nun nur nutzlos obwohl ohne okay passiert
        paar problem probleme quatsch recht reden richtig sache sage sagt schade
        schaffen schau schauen scheiß scheiße schlecht schlechter schnell schon
        schreib schreiben schreibt schwer schwester sechs seht sehr seid sein seine
        seinem seinen seiner seit seitdem selber selbst selten setzen sicher sieben
        sieht sogar solange solche sollte sollten sondern sonst soviel später spinnst
        stehen steht stellen stimmt stunde super tage tatsächlich toll trotzdem tun
        tust überall überhaupt übrigens unbedingt ungefähr unnütz unser unsere unseren
        unten unter unterwegs vater verdammt verstanden versteh verstehen versuche
        viel viele vielen vielleicht vier völlig voll vor vorher vorhin vorne wahr
        wahrscheinlich wann wären war waren wart warten warte wäre weder weg wegen
        weil weiß weit weiter weitere welche welchem wenig wenige weniger wenigstens
        wenn wieder wieso wieviele will willst wir wirklich wissen wochen woher wohin
        wohl wollen wollte worden wort wollt wurde wurden zehn zeigt ziemlich zuerst
        zufällig zurück zusammen zuviel zwar zwei zwischen kannste haste biste gibts
        gehts
        kriege kriegen kriegt krieg legal illegal erlaubt verboten rausnehmen freunde
        handy urlaub chef verein schauspieler sänger sängerin promi promis marke
        mannschaft fußball kannst meine hey na jo jup nee nö ach echt krass geil cool
        lustig nett lieb süß hübsch
        jemandem jemanden niemanden niemandem wessen fresse anschaue ansehe
        nach um ob je statt ins sich er hat deren bzw sowie beiden denen etwa teil
        werde ganzen anders besonders bevor dadurch aufgrund innerhalb trotz vorbei
        deinen deiner ebenso wobei sowohl anderem erreicht gemeinsam gleichzeitig habt
        mach sah zumindest somit siehe hinaus mindestens weiterhin jeweils welcher
        deswegen eins indem lediglich durchaus inzwischen teilweise genauso sowas
        zuvor alleine drauf freuen gebe gehabt jedenfalls vermutlich aktuell zudem
        schliesslich egal deutlich insbesondere lust satt pings notif notifs gebimmel
        nervös nervöse
        sekunde irgendwer irgendwen tja naja achso ne evtl keineahnung nutzer egalwer
        interessiert interessieren schaue
    """,
    "fr": """
        abord accord afin ailleurs ainsi aller allez alors ami amie ancien année après
        arrive arrivé assez attendre attends aucun aucune aujourd auparavant auquel
        aurait aussi autant autre autres auront avait avant avec avez aviez avoir
        avons beau besoin bête bien bientôt bonne bord bref cela celle celles celui
        cependant certain certaine certains ceux chaque chacun chez chose choses ci
        cinq claire combien comme commence comprend comprends compris connais connaît
        contre copain copine côté coup créer croire crois dedans dehors déjà demande
        demander depuis dernier dernière derrière des dessous dessus deux devant
        devient devoir devrait devrais dire dis disais disent dit dites dix doit
        doivent donc dont dormir droite dur durant effacer elle encore enfin ennuie
        ensuite entendu entier entre envie environ erreur espère essaie essayer
        étaient étais étant été êtes eu eux facile façon fais fait faites falloir
        fatigué faut faux femme fille fils fin finalement font force fou frère garçon
        gens grand grande gros guère haut heureux histoire homme horrible ici idée
        idiot impossible importe inutile jamais jeune jouer laisser leurs lequel
        laquelle lieu lire loin long longtemps lui maintenant mais maison mal malgré
        mauvais mauvaise meilleur même mêmes merde mère mettre mieux moins moment
        monde montre mort mot moyen nom nombre nos notre nôtre nouveau nul nulle
        nulles nuls oublie oublié ouvrir parce pareil parfait parfois parle parler
        parmi part partir partout passe passé penser pense père personne personnes
        petit petite peu peur peut peuvent pire place plait plaisir plupart plutôt
        possible pourquoi pourrait pouvoir pratique premier première prendre près
        presque prends problème problèmes prochain propos puis puisque quand quant
        quatre quel quelle quels quelles quelque quelques quiconque quitte raison
        rapide rapport regarde répond répondre réponse reste rester retour réussir
        revenir rire sait sais sauf savez savoir selon sens sept sera serait sérieux
        seul seule seulement si sinon six soeur sœur soit sommes sont sorte sortir
        souvent stupide suffit sûr surtout tant tard tel telle tellement temps tenir
        tes ton trois trop trouve trouver truc trucs type utile utiliser vas venir
        vérité vers veulent vie vient viens vieux vite vivre voici voilà voient vois
        voit vont vos votre vôtre voulait voulais vouloir voulez vrai vraiment vu vue
        légal légale illégal autorisé copains amis célèbre acteur actrice chanteur
        chanteuse équipe foot marque vacances boulot portable téléphone mec meuf bah
        ouais nan mdr ptdr lol
        prévenue prévenu mets
        qu ont ans bon sous toute car pendant plusieurs ta cours lors avais ait aura
        ayant pu mis ni suite ensemble semble seront etc ceci hein ah aurais soient
        devait exactement faite faits outre tandis toutefois actuellement rapidement
        directement simplement pourtant notamment fini bip bruit notif notifs
        doucement noms
        attendez bof oups mince zut ouaip jsp jspas nimporte dac dacc pseudo seconde
        tantpis
        pars mensuel
        changement changements changes changent changée changeait changera affichage
        affichés affichées affichent affichez
    """,
    "it": """
        qualcun
        abbastanza abbiamo accidenti adesso aiuta alcune alcuni allora almeno altra
        altre altri altro amico amica ancora andare andiamo anzi appena apposta aprire
        arriva arrivano arrivare aspetta aspettare attimo avanti avere avete avevo
        avuto bella bello bene bisogno brava bravo brutto buona buono capire capisci
        capito caso casa certa certe certi certo chiama chiaro chiedere ciò come
        comunque con così cosa cose credo dai dare davanti davvero deve devi devo
        dentro detto dice dicono dietro difficile dire domanda donna dopo dove
        dovrebbe due durante ecco ero errore essere esiste fa faccio facile facendo
        fanno fare fatto favore fermo figlia figlio fine finire fino finora forse
        forte fratello fuori funziona funzionano gente giorno giù giusto grande gruppo
        guardare hai hanno idea idiota ieri impossibile indietro inutile infatti
        insieme intanto invece io lasciare lavoro leggere lei lento lì loro lui lungo
        ma madre magari mai male mamma mano meglio meno mentre merda mese messo
        mettere mia miei modo molta molte molti molto momento mondo morire morto
        nessuna nessuno niente noi nome nostra nostro nuova nuovo ogni oltre oppure
        ora orribile padre papà parla parlare parola parte passato paura peggio
        pensare penso però persona persone piace piacere piccolo pochi poco poi
        possiamo possibile possono posto potere potuto prendere prego presto prima
        primo problema problemi pronto proprio prossimo prova provare punto pure quale
        quali qualche qualcuno qualsiasi quando quante quanti quanto quasi quei quella
        quelle quelli quello questa queste questi ragione ragazza ragazzo rispondere
        risposta riesco roba sanno sapere sai sarà sarebbe sbagliato scemo schifo
        scrivere scusi se secondo sei sembra semplice sempre sente senti sera serve
        servono siamo siete simile solito sono sorella sotto spesso sta stai stanno
        stare stata stato stessa stesso strano stupido su subito successo suoi tanta
        tante tanti tanto tardi telefono tempo tenere terzo tre troppa troppe troppi
        troppo trova trovare tuo tua tuoi tutti ultima ultimo unica unico usare uso
        vado vai vale vecchio vedere vedi veloce venire vera veramente verità vero
        verso via vicino vieni viene vita vivere volere volete vorrebbe vostra vostro
        vuoi vuole guardo guardi guarda anch
        legale illegale permesso amici famoso famosa attore attrice cantante squadra
        calcio marca vacanza vacanze cellulare ragazzi boh mah beh uffa pubblicato
        mandarmi inviarmi
        palle smettetela vorrei seguire
        ad cui era erano tra fra anni siano stiamo ai agli alle allo alcun dalla
        dalle dallo degli dagli sul sulla sulle sui nei negli te voi quel po aveva
        avevano avesse avrebbe avrei fosse fossero fu furono uno ce quindi circa abbia
        rispetto inoltre senso nostri nostre stessi stesse vengono devono dovuto
        dobbiamo possa nemmeno neanche ormai tuttavia piuttosto soprattutto sopra
        nonostante attraverso presso entrambi ehi sicuro tale tali cinque quattro eh
        ecc semplicemente ovviamente assolutamente solamente finalmente probabilmente
        messaggino rumore squilli
        mandati mandate mando mandato
        cambiato cambiata cambiamo cambiano cambio cambi cambiamento cambiamenti
        cambiando imposto impostato impostata
        aspettate chiunque ops ahaha dipende utente vip famosi lascia calma
    """,
    "tr": """
        acaba acil açık adam ait aklıma alma alıyor ama amaç an ancak anla anladım
        anlıyorum ara arada aralık arkadaş artık asla aslında at aynen aynı az bana
        başka başla bazen bazı bazıları be bekle belki ben beni benim bence beri
        berbat biraz birçok biri birisi birkaç birlikte biz bize bizi bizim boşuna
        böyle bugün buna bunda bundan bunlar bunlardan bunun burası bütün büyük canım
        çabuk çoğu çok çünkü dahi daha defa değil demek der derim dışında diğer diye
        doğru dolayı dün edin ederim eden en erken eski evde fakat falan fazla filan
        galiba geldi gelen gelince gelir geliyor genel gerçek gerçekten gerek gereken
        gerekli gibi git gitmek gitti giden göre gördüm güzel hâlâ hadi hakkında halde
        hani hangisi hatta hep herkes herhangi hemen henüz herşey hiç hiçbir hiçbiri
        iki ilgili ilk insan insanlar ise işe işte iyi iyice kadar kalan kapalı karar
        karşı kaç kaldı katılıyorum kendi kere kesin kez kimse kişiler konu konuda
        kötü kötüsün küçük lan lazım mesela mümkün neler nerde nereden nereye neyi
        niçin niye nerden oku oldu olduğu olan olarak olmaz olmuyor olsun olsa on ona
        onlar onları onların onu onun orada oradan öyle önce önceki özel para peki
        rağmen saçma salak sana sanırım sanki sen senin seni sevgili sık sıkıldım sil
        siz size sizi sizin son sonra sonunda soru sorun sürekli süre tabi tabii tane
        tekrar tam tanıdık tek tüm uzun üç üzere vakit var vardı varsa veriyor yani
        yanlış yap yapma yapmak yapmıyor yapıyor yararsız yardımcı yavaş yazı yeter
        yetmez yine yoksa yolla yüzden zaman zaten zor aptal gerizekalı
        yasal yasak arkadaşlar ünlü oyuncu şarkıcı takım futbol marka tatil telefon
        kanka abi abla hocam ya yaa yarıyor
        ki bile yer al hem kendini kendine kendisi kendisine ortaya pek yeniden
        boyunca olacak oluyor olabilir olup ediyor ediyorum dedi yerde zamanda olmayan
        beraber edilen neyse onlara seninle bende sende ondan bununla hepsi hepsini
        hepsine seferde toplu topluca birden belli
        bekleyin farketmez ha haa tmm oha vay aman haydi birazdan bidakika saniye
        sevgilim isim ad
        gidiyor
        profilim profilimi profilini profiline profilinden profilde profilin profilden
        profilinin profillere profillerini kaliteli kalitesi kaliteyi kalitesini
    """,
    "id": """
        ada adalah agak agar akan akhir aktif aku alasan amat anak antara apakah
        apapun arti asal atas awal ayo bagai bagaimanapun bagi bagian bagus bahkan
        bahwa banget bangsat banyak baru bawah beberapa begini begitu belakang belum
        benar benci benda bener berada berapa berarti berbeda berhasil berikut berita
        bermain berubah besar biasa biasanya bila bilang bodoh bohong boleh bosan
        bosen bukan bukankah buat buka bulan buruk butuh cara cari cepet cewek cowok
        coba cukup dalam daripada dasar datang dekat demi demikian depan diri dia
        dilihat doang dong dua dulu emang enak enggak entah fungsi ganggu ganti gila
        gini gitu goblok guna habis hal hampir hanya harap hari haruskah harus hidup
        hilang hingga ialah ibu ikut ingat ini itulah iyaa jadi jalan jangan jauh
        jawab jelas jelek juga jumlah justru kadang kah kakak kalian kalo kami kamu
        kan kapan karena kasih kata kawan kayak kayaknya kecil kecuali kejadian
        kelihatannya keluar keluarga kembali kemudian kerja kesini ketemu ketika kesal
        kesel khusus kini kita kok kurang lah lain lainnya lalu lama langsung lebih
        lewat loh lupa luar maka makin maksud maksudnya malah males masa masalah masih
        masing masuk mati mau melakukan melalui melihat memang membuat memiliki
        mencari mendapat mendapatkan mengapa mengerti menjadi menjawab menunggu
        menurut merasa mereka meski mungkin muncul mulai namun nanti napa nomor normal
        nunggu nyala nyebelin olah oleh orang pacar padahal pakai paling para parah
        pasti pacarku penting percaya perlu pernah pertama pertanyaan pikir pintar
        pribadi punya rasa rusak sadar sakit salah sama sambil sampah sana sangat
        sayang saat sebab sebabnya sebelum sebenarnya sebentar seberapa sebuah sedang
        sedikit sehingga sejak sekali sekalian selain selama selamat selesai seluruh
        semenjak sementara semoga sendiri seperti sering serta sesudah setelah
        seterusnya siapapun sial sih silakan situ soal sudah suka supaya susah tahun
        takut tanya tapi tau telah teman tempat temen tentang tentu terakhir terima
        terjadi terlalu terlihat termasuk tersebut terus tetap tiba tidur tiga tunggu
        udah umum untung usah usahakan waduh waktu walau walaupun wah yaitu yakin
        yakni yuk
        legal ilegal temanku artis aktor penyanyi tim bola merek liburan hp bro sis
        gan kak mas mbak bos woi wkwk wkwkwk
        tak baik sebagai seorang ia kau secara bersama kepada tetapi merupakan dimana
        disini disana sekitar terhadap nah yah akhirnya kedua sebelumnya sesuai suatu
        semakin mudah saling maupun meskipun sedangkan ternyata tadi lagi misalnya
        sepertinya sebaiknya setidaknya terkadang sungguh sekaligus eh ah bunyi
        pesannya gabungin kurangin
        entar ntar ntr bentar terserah bebas gatau gatw kagak gada yoi sip siap hah heh
        apaan knp aduh mantan gajadi gausah mgkn tergantung
        bulanan
    """,
    "hi": """
        kis kisko kisi kinko kinhe kise log logo logon sakte sakti raha rahi rahe hoon ek zyada
        aa aaj aap ab abhi acha accha aisa aise apna apne apni baad baat bahut bakwas
        bas batao bekar bilkul bol bola bolo chahta chahti chal chalo chalta dekh
        dekha dekho dikha dikhao diya diye dost ek fir phir gaya gayi ghatiya gussa
        haa hamesha hame hamein hi hota hoti hogaya isko iska iske isme itna itne
        jaise jaldi jo jyada zyada kaam kab kaha kahan kaise kal kar karke karte karna
        kabhi kisi kisko kitni kitna kiya kiye koi kuchh kyun kyu kyon lag laga lagta
        le lekin liya log mai main maine mat matlab mila milta milti mujhko naam nahi
        pagal paas pe pehle par pata poora pura raha rahi rahe roz sab sabhi sahi
        samajh sirf subah shaam tab tak tera tere teri thik theek thoda tha thi the
        tumhara tumko unka unki us uska uske uski usko wo woh waha yaha yahan yeh
        aadmi aage aakhir aana aane aao aate aata aati aapka aapko aayi aaya aaye
        milkar milna mile mili milega
        ruko rukiye ruk thahro kon kisiko konsa nhi ha ji thk achha shayad arre arey
        oho uff chhodo chodo rehne behen galat
    """,
}

_ENDINGS = ("s", "es", "d", "ed", "ing", "ly")  # of English words


def is_common_word(word: str, language: str) -> bool:
    """Return whether a word is a common word of English or of ``language``.

    English words may have an ending, as in "charged" or "noticing".
    """
    text = normalize_word(word)
    words = _common_words(language)
    if text in words:
        return True
    return any(
        text.endswith(ending) and text.removesuffix(ending) + letter in _common_words("en")
        for ending in _ENDINGS
        for letter in ("", "e")
    )


@cache
def _common_words(language: str) -> frozenset[str]:
    text = f"{_COMMON['en']} {_COMMON.get(language, '')}"
    return frozenset(map(normalize_word, text.split()))
