"""Words of other languages that captions have and English borrowed none of.

Those here are written by hand for this project; `pictured` and `usual` have more.
"""

from sa1b_captions.quality.lexicon import pictured, usual
from sa1b_captions.quality.lexicon.english_words import COMMON

_ABROAD = {
    "Dutch": """
        achtergrond auto's bloemen boom bomen bruine fiets fietsen gebouw gebouwen gele gras groene
        groot grote hond honden huizen jongen kerk kinderen klein kleine lucht meisje mensen mooie
        muur paard rode rood ruit schaduw straat stoel stoelen tafel trein venster vrouw vrouwen
        vogel witte zee zwart zwarte
        """,
    "French": """
        affiche ancien ancienne arbre arbres assis assise bâtiment bâtiments blanche blanches bleue
        bois bouteille brun chaise chaises chapeau château chemise chien chiens ciel colline
        couleur couleurs debout derrière droite église enfant enfants fenêtre fenêtres femme femmes
        feuilles feuille fleurs foule gauche grande gris herbe heureux homme hommes jaune jardin
        lampadaire lumière maison maisons montagne montagnes mouillé mouton murs noire nuage nuages
        oiseau oiseaux ombre paysage personne personnes petite pierre pierres plage pluie poisson
        pomme porte-bagages rivière rouges route rues siège soleil tapis tasse toit trottoir vache
        vélo verre verte vertes vêtements ville visage vitre voiture voitures
        """,
    "German": """
        alte alten alter bäume baum berge bild blauen blauer blaue blumen braune braunen brücke
        dächer dunkel dunkle fahrrad fenster fluss frau frauen gebäude gelbe gelben gras graue
        grauen große großen großer großes grüne grünen haus häuser helle himmel hintergrund holz
        hund hunde hölzernen junge jungen katze katzen kinder kirche kleine kleinen kleiner kleines
        leute links mädchen männer menschen neben pferd pferde rechts rote roten schatten schiff
        schnee schwarze schwarzen schöne schönen sonne stein steine straße straßen stuhl stühle
        tasse tisch tür vögel vogel vordergrund wand wasser weiße weißen weißer weißes wiese wiesen
        wolken zaun
        """,
    # What fills a page until its text is there; "lorem ipsum" itself is said of such a page.
    "Latin": """
        adipiscing aliqua aliquip amet aute cillum commodo consectetur consequat cupidatat deserunt
        duis eiusmod elit excepteur exercitation fugiat incididunt irure laboris labore laborum
        mollit nostrud occaecat pariatur proident reprehenderit sunt ullamco velit veniam voluptate
        """,
    "Italian": """
        acqua albero alberi alto azzurro bambina bambini bambino bianca bianche bianchi blu casa
        cane cani cappello chiesa cielo colore colori destra donna donne edificio edifici erba
        fiore fiori finestra finestre fiume foglie foglia fondo gatta gatti giallo gialla grigio
        legno luce macchina mare montagna montagne muro nera neri nuvola nuvole ombra parete
        persone pesce piccola piccolo piedi pietra pioggia ponte porta ragazza ragazzo rossa rossi
        rosso sabbia sedia sedie sfondo sinistra spiaggia strada tavolo tazza tetto uccello uccelli
        uomini uomo vecchia vecchio verdi vestito vetro viola
        """,
    "Portuguese": """
        água amarela amarelo árvore árvores azuis branca brancas brancos cachorro cadeira cadeiras
        cão castanho céu chão chapéu cidade cinza criança crianças edifício edifícios escura flores
        floresta frente grama gato homem homens igreja janela janelas jardim lado madeira mulher
        mulheres montanhas muro nuvens pássaro pássaros pedra pedras pessoa pessoas ponte porta
        praia prédio preta preto rapaz rosto rua sombra telhado terra velha velho vermelha vermelho
        vestindo vidro
        """,
    "Spanish": """
        agua alfombra amarilla amarillas amarillo amarillos antigua antiguo árbol árboles azules
        blancas blancos bosque botella brillante calle calles camino camisa casas ciudad cielo
        coche coches cocina colores derecha edificio edificios escalera flores fondo gafas gatos
        gente grande grandes gris hierba hojas hombre hombres iglesia izquierda jardín junto
        lámpara luz madera marrón mesas montaña montañas mujer mujeres muro negras negros niña
        niñas niño niños nube nubes ojos pájaro pájaros pantalones pared pájaro pequeña pequeñas
        pequeño pequeños perro perros persona personas piedra piedras playa puente puerta puertas
        rojas rojos ropa rojo silla sillas sombra sombrero suelo taza techo tejado ventana ventanas
        verdes vestido vidrio vieja viejo
        """,
    "More": """
        abajur abeille aigle ampel ampoule apfel appel armadio asciugamano assiette aube avião
        balcón balde baldosa bandera bandiera barandilla barca barche barco barcos barque basura
        bateaux baustelle berretto bett bibliothèque bicchiere bicicleta bicicletas bigote bilder
        birne blatt blouson blume blätter boden boek boeken bolso bombilla borboleta borsa bosco
        bottiglia bougie bougies bouteilles bras brille brot brug buch bâche bäckerei bébé bücher
        bürgersteig caballo caballos cabello cabelo caisse cajas caminhão camion camión campana
        canapé carretera carro carros casquette cavalli cavallo cavalo cavalos cerca cerisier
        cestino champ champs chaqueta chaussures cheval chevaux cheveux clôture cocinero colher
        colline collines coltello cortile cortina coucher couteau cozinha cuadro cucchiaio cuchara
        cuchillo cuillère cuscino césped dak decke delante doos drapeau drapeaux dächern ecke
        edificio eimer emmer encima ente escada escritorio espejo espelho estante estatua faca
        fahne fahnen fahrräder falda farfalla fauteuil fell fenetre fietser filles fillette fische
        flasche flaschen fles flessen flugzeug forchetta foresta forêt fourchette fuente gabel
        gardine gardinen garfo garrafa garrafas garten garçon garçons gazon gehweg gesicht giacca
        giardino globo glocke gonna gordijn gorra haare hek hemel herbes heuvel hoja horloge hose
        hosen hügel hühner immeuble immeubles jacke jarrón jas jongens jupe kast kat katten kerze
        kerzen kissen kiste kleid kleider koe koeien koffer kopf kopje korb kreuzung kuchen kuh
        küche kühe lac ladrillo lago lampada lampe laterne laternen lepel libri libro licht livre
        livres livro livros lluvia lunettes lámparas löffel löwe maceta manteau mantel manzana
        marché mariposa mattone mauer mazzo maçã meer meisjes mela mes messer miroir mochila mond
        motorrad mouette mucca mucche muchacha muchacho mütze nappe nebbia nebel neige neve niebla
        nieve obst oeufs ombrelli ombrello orologio ours oveja ovejas ovelha ovelhas pantaloni
        papillon paraguas paraplu parapluie parapluies parede pasillo pecora pecore pedaço pelota
        pelouse perrito pez phare piatto pintura piso plafond pluma pluvieux plátano pneu poisson
        pollito porco poubelle poule poupée prateleira prato puesta quadro raam ramas ramen ratón
        regal regenschirm regenschirme relógio renard rideau rideaux rocher rochers rodeado rots
        rueda ruota río sapato sapatos sapin scale scarpe schaap schaf schafe schapen schild
        schilder schip schirm schirme schoenen schrank schuhe scimmia segelboot sentiero sessel
        sneeuw soffitto soir sombrilla souris specchio spiegel spielzeug stadt stella stufen tapete
        tappeto tas tasche taschen tavola techos teich tejados teller tenda tende tenedor teppich
        teto tetti tier tiere tigre toalla topf topo toren torre tortue trem tren treppe tuch tuin
        turm tüte ufer uhr vaas vaca vacas vache vaches valise vase vaso vela velas velo verdure
        vliegtuig vloer vogels volets voorgrond vorhang vorhänge vork weg weinglas welle wellen
        xícara zaino zand zapato zapatos zaun zitrone zon zug zweig zweige écharpe échelle étagère
        étang étoile óculos
        """,
    "More French": """
        accroché accrochée accrochés affichage âgée agréable aile allongé allongée allumé
        allumée animaux appuyé appuyée arrière-plan assises assiettes aucun aucune autour
        baigné baignée balançoire bâtisse bétail bleues bocal boîte boîtes bords boucles
        bouquetin briques brunes buissons calme camionnette carrée carreaux casquettes
        celui cendrier centaine chacun chaque charrette chaude chaussée chaussettes chauve
        chaîne cheminée chèvres chiot cigogne ciseaux claires clés clocher coiffé coiffée
        colonne colonnes colorée colorées colorés comptoir conducteur corde côté côtés
        couchée couleurs couronne courte coussin coussins couverte couvertes crâne cuir
        cuivre cygne cygnes dehors dessin dessins dessous dessus deuxième devanture doigt
        doigts dorée dorées dorés doublé dressé droite échafaudage éclairage éclairé
        éclairée écran écrite écrit écureuil élégante élève élèves embrasse enfance énorme
        ensoleillé ensoleillée entouré entourée épaule épaules éparpillés escaliers étals
        étroit étroite étroites fatigué fatiguée fermé fermée fermées feuillage ficelle
        fier fière figuier fillettes fleuri fleurie fleuve flottent foncé foncée forêts
        fraîches frais froide fumée géant géante genou genoux gonflable gratte-ciel
        grenouille grimpe guirlande guirlandes habillé habillée hameau hauts herbe immenses
        insecte intérieur jaunes joli jolies jolis joue jouent jouet jouets joueur joueurs
        journaux joyeux jusque légère lentement lèvres linge lisse lointain lointaine
        longues lorsque lourd lourde lueur lumineuse lumineux magasin magasins marbre
        marchande marchent meuble meubles moitié montrent musicien musiciens natte navire
        navires neigeux nombreuses nombreux nuageux obscurité ombragé ombrelle oreilles
        ornée ornées orné orteils ouvertes ouverts paille panneau panneaux paquet parfois
        parmi paroi partout passants passent pâturage pauvre paume pavé pavée pavés peinte
        peintes peint pêche pêcheur pêcheurs perché perchée perles peuplier pieds pieux
        pleine pleines pleins plongée plusieurs poches pointu pointue poireau poitrine
        portail porté poteaux poupe pousse poussière près profond profonde promène
        promènent propre puis racines raide rangée rangées rangés rangé rayé rayée rayures
        reflètent regarde regardent remplie remplies rempli remplis renversé repas reposent
        robinet rond ronds roseaux roues ruban rubans ruisseau sablonneux sapins savon seau
        seaux sèche seule seulement seuls silencieuse sommet souriant souriante sourire
        sourit soudain souvent suspendu suspendue suspendues suspendus tachetée tandis
        taureau têtes théière tient tiennent tiroir tissu tombe tondeuse tournesol
        tournesols traîneau tranquille travaille troisième trottinette troupeau trouve
        trouvent tunique tuiles tuyau usée usine vaste végétation vendeur veste vestes
        vides vieil vieille vieilles vieillard vigne vignes visibles vivante voie voilier
        voiliers volent vois voitures
        """,
    "Polish and others": """
        białe biały czarna czarne czerwona czerwone duża duże duży dziewczyna dziewczynka
        dziewczyny dzieci chłopiec chłopak człowiek drzewami drewniany drewniana góry góra
        jasny jezioro kamienie kobiety konie koty krzesło kwiat kwiaty kwiatów łódka ludzie
        ludzi mała małe mały mężczyźni miasto morze okno okna okien piękny piękna piasek
        ptak ptaki ręce ręka rzeka samochód samochody siedzi śnieg stary stoi stół stołu
        szare szary trawa trawie ulicy woda wodzie wysoki wzgórze zielona zielone żółty
        żółta stromy žena ženy děti dítě kočka květina květiny modrá modrý červená červený
        zelená zelený bílá bílý černá černý hory řeka voda město ulice auta dveře stůl
        židle sedí stojí velký velká malý malá starý stará krásná krásný lidé gambar
        terletak lelaki perempuan seorang sebuah beberapa kursi meja jendela pintu bangunan
        rumput matahari burung anjing kuning hijau biru coklat berdiri duduk berjalan
        sepeda người chàng ngôi biển sông dones nens arbre arbres cadira taula finestra
        muntanya muntanyes vermell vermella groc verd núvols platja ocell
        """,
    # Of other scripts, in the letters of this one.
    "Romanised": """
        pengyou haizi xiaohai laoren nanren nüren nvren nühai nvhai nanhai xuesheng laoshi
        gongren nongmin yeye nainai gege jiejie meimei piaoliang meili haokan gaoxing kuaile
        xingfu anjing wenxin wennuan mingliang hongse lüse lvse lanse huangse baise heise zise
        fense huise jiedao matou shichang shangdian fangzi fangjian zhuozi yizi chuanghu damen
        shulin huaduo xiaocao caodi caoping tiankong baiyun taiyang yueliang xingxing dahai
        haitan shatan hebian xiaohe gaoshan dashan qiche zixingche huoche feiji maozi yifu kuzi
        qunzi xiezi yanjing shouji dianhua beibao yusan chabei shuiguo pingguo xiangjiao putao
        xigua mianbao mifan miantiao xiaogou xiaomao fengjing chengshi xiangcun nongcun gongyuan
        xuexiao yiyuan chezhan jichang yinyue wudao yundong paobu xiuxi shuijiao chifan kanshu
        changge tiaowu weixiao shenghuo shijie guangxian yangguang yinying yanse zhengqi
        zhengjie ganjing gulao chuantong renao yongji hikari kirei kireina shizuka shizukana
        totemo utsukushii utsukushi ookii chiisai chiisana akai shiroi kuroi kiiroi tsukue kaban
        boushi kutsu kodomo kodomotachi otoko onna hitobito tomodachi gakusei mizu kuruma
        jitensha densha hikouki yuugata yuuhi tanoshii ureshii atatakai suzushii nigiyaka furui
        atarashii subarashii haneul saram yeoja namja areumdaun yeppeun haetsal gangaji goyangi
        hakgyo chingu krasivyy krasivaya ulitsa devushka malchik derevo sobaka koshka solntse
        """,
    "Others": """
        anak besar bunga gambar hitam jalan kecil kucing langit merah orang pohon putih rumah
        wanita beyaz çocuk gökyüzü kadın kedi kırmızı küçük mavi siyah budynek czarny czerwony
        drzewa drzewo dziecko kobieta mężczyzna niebo pies ulica zielony bakgrunden bakgrunn barnet
        blå blått dörr fönster gatan gräs grønne grøn gröna himlen hus hvid hvite huset kvinna
        kvinde mannen rød röd röda skov stol træ träd vit vita con chó đỏ nhà trời trắng xanh
        """,
}
_LOANS = """
    alto alter auto azul blu bois bomen boom camino casa con domo fondo gente gras grande gris
    groot haus jalan junto lado links luz mare mesas mur murs muro neri piccolo playa porta
    route ruit rues sombrero stein stole terra verdi viola vita jungen junge frau bild mannen
    orang neben anak rote casas pared alten himmel blanche noire gato verte ville bambino enfant
    femme château rouges chapeau grigio persona hus helle holz leute baum berge barnet pierre
    rode donna cane klein pies rossi bianca kinder zee vogel maison antigua schiff soleil
    madeira bianchi amarillo rojas niño visage poisson jardin donne madera vit rood rua verdes
    bosque mouton gauche frente brun tasse siège ramen lampe vase plafond tableau sofa tas bett
    rock train tigre canapé lac sol ours mango cortina tier hek licht mes carro regal mantel
    leiter libra libro livre champ scale torre stella neve kat tavola tenda manzana plaza vela
    verdure dak rocher bureau bras soir volets marché barque caisse velo plafond bilder spiegel
    topf ei mond mauer meer buch zug weg uhr nebel kopf koffer eis vaca buch teller schild kerze
    bosco vaso quadro kuchen kuh birne tuch turm ufer garten kissen appel schip toren piso gorra
    cabello sessel gonna fell hose champs barca jas rots renard messer blatt boden blume mela
    globo topo pez welle zweig grama rossa branca alte bougie toit ancien papillon mariposa
    gatti witte tren skov stol con chó flores mochila carretera pintura guarda wagen chaise
    persone acqua agua kirche wand dunkel verre petite ombre
    """

_GERMAN_NOUNS = """
    bürgersteig dächern fahnen fahrräder flaschen flugzeug gehweg hügel hühner kerzen küche laternen
    löffel mädchen motorrad mütze regenschirm regenschirme schafe schirme schrank schuhe spielzeug
    teppich treppe vorhang vorhänge zäune zweige blätter kühe stühlen tischdecke gebäuden häusern
    schloss fensterbrett fensterbank fensterbänke pappbecher pappbechern kinderwagen blumentopf
    blumentöpfe gartenzaun bücherregal kirchturm turmuhr wanderweg spaziergänger schubkarre
    gießkanne lampenschirm kopfsteinpflaster laubbaum laubbäume wäscheleine esstisch
    bäumen kunden leuten menschen kindern hintergrund vordergrund sonnenuntergang himmel wolken
    """

ABROAD = (
    frozenset(f"{' '.join(_ABROAD.values())} {_GERMAN_NOUNS}".split())
    | pictured.ABROAD
    | usual.ABROAD
) - frozenset(f"{_LOANS} {' '.join(COMMON)}".split())
"""Words of other languages' captions, in lower case; one alone shows the model slipping."""

GERMAN = frozenset(f"{_ABROAD['German']} {_GERMAN_NOUNS}".split()) & ABROAD
"""Those that may stand with a capital letter and be no name."""

_STRONG = """
    anche auch avec dans desde een ein eine einem einen einer eines está están estão für gli hacia
    het hinter jest mientras mit molto muito muy naar não naast neben nicht och oraz più são sehr
    sono steht sitzt também très uma und une unter wird zwei zwischen är
    """
STRONG = frozenset(_STRONG.split())
"""Function words so much of one language that one alone shows the model slipping."""

_ARTICLES = "ett un una unas unos"
ARTICLES = frozenset(_ARTICLES.split())
"""Articles that English prose has in no phrase of its own."""
