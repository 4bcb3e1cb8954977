"""Words of captions by what they tell: English ones in Chinese, foreign ones in English, and more.

Written by hand for this project; none of the foreign ones is a loan that English writers use.
"""

import enum

from sa1b_captions.quality.slips import SLIPS
from sa1b_captions.quality.stopwords import ENGLISH, FOREIGN, STUTTERS

_COMMON = """
    able abstract accent additional adult aerial aged air airplane ancient angle animal apart
    apartment appear appears apple arch arched architectural architecture area arm arms arranged
    art asphalt atmosphere attached awning baby back background bag bags balcony ball balloon
    banner bare bark base basket beach beam bear beautiful bed beige bell belt bench bicycle big
    bike bird birds black blanket blue blurred blurry board boat boats body book books boots border
    bottle bottles bottom bouquet bowl box boxes boy boys branch branches bread brick bricks bridge
    bright brightly bronze brown brush bucket building buildings built bus bush bushes busy cabinet
    cable cables cake calm camera candle canopy cap captured captures car cardboard carpet carries
    carrying cars cart carved cat ceiling center central centre ceramic chair chairs chest child
    children church circular city clean clear clearly close closed cloth clothes clothing cloud
    clouds cloudy coast coat cobblestone coffee cold collar collection color colored colorful
    colour coloured colourful colours colors column columns concrete contains corner couch counter
    couple courtyard covered covering cow creates crowd crowded cup cups curb curtain curtains
    curved cute cyclist daily dark day daylight decorated decorations decorative deep dense depicts
    desk detailed details dim dining dirt dish display displayed displaying displays distance
    distant dog dogs dome door doors dotted dress dressed dried driving dry dusk early edge elderly
    electric elegant empty entrance evening face facing faded family farm feathers features
    featuring fence field fields figure figures filled fish flag flags flat floor floral flower
    flowers flowing flying focus foliage food foot footpath foreground forest formal fountain frame
    framed fresh front fruit fruits full fur furniture garden gate gathered gentle girl girls glass
    glasses gold golden grass grassy gravel gray green grey ground group growing hair hand handle
    hands hang hanging hangs happy harbor harbour hat hats head heavy hedge held helmet hill hills
    hold holding holds horizon horizontal horse horses hotel house houses huge image images indoor
    inside intricate iron jacket jackets jar jeans kitchen lake lamp lamps land landscape large
    laptop lawn leading leads leaf leafless leaning leans leather leaves left leg legs letters lie
    lies light lights line lined lines lit lively locals long looking low lush lying machine made
    main man map marble market metal middle mirror misty modern monument moss motorcycle mountain
    mountains mural natural narrow neat neatly night numerous ocean office old open orange ornate
    outdoor outdoors overcast painted painting pair pale palm panels pants paper park parked
    parking part partially partly party passing path patio patterned pattern patterns paved
    pavement paws peaceful pebbles pedestrian pedestrians people person petals phone photo
    photograph picture pier pillar pillars pink pipe placed plain plant plants plastic plate plates
    platform playing pleasant pole poles pond pool positioned poster pot pots printed purple quiet
    railing railings rain red reflected reflecting reflection reflections resting restaurant rests
    riding right river road roads rock rocks rocky roof roofs room rooms rope round row rows rug
    ruins running rural rustic sand sandy scattered scene scenery sea seat seated seats seen serene
    several shade shadow shadows shape shaped sheep shelf shelves shines ship shirt shirts shoes
    shop shops short shorts shoulder show showcases showing shown shows shrubs side sidewalk sign
    signs silver simple single sit sits sitting situated skin skirt sky sleeping sleeps slightly
    slope small smile smiling smooth snow snowy soft soldier spotted square stack stacked stage
    stained stairs stand standing stands statue statues steel steep steps stone stones stool store
    straw stream street streets striped stripes structure structures suit suitcase summer sun
    sunlight sunny sunset surface surrounded surrounding suspended table tables tail tall team tent
    terrace textured thick thin tile tiled tiles tin tiny tires tower town toy track traditional
    traffic trail train trees tree trousers truck trunk umbrella umbrellas uniform upper urban vase
    vegetables vegetation vehicle vehicles vertical vibrant view village visible visitors walk
    walking walks wall walls water waters waves wear wearing wears weathered wet wheel wheels white
    wide wild window windows winter wire wires woman women wood wooden woods woven yard yellow
    young
    """
_BORROWED = """
    açaí aperçu appliqué bánh blasé brûlée café cafés canapés château cliché cliqué consommé crème
    crêpe crêpes décolletage décor découpage déjà éclair éclairs émigré entrée entrées épée exposé
    façade façades fête fêtes fiancé fiancée flambé frappé glacé gruyère jalapeño jalapeños kašar
    köfte künefe macramé mâché matinée mère moiré naïve naïveté née négligée niçoise nuée papier
    passé pâté père phở piñata piñatas piqué piñon protégé purée puréed ragoût ragù résumé risqué
    rosé roué rösti sauté sautéed señor señora séance smörgåsbord soirée soufflé soupçon tête
    toupée touché trompe über vis-à-vis voilà vuvuzela
    """
"""English words with a letter that is not ASCII; each foreign one is evidence otherwise."""

_NOT_COMMON = "base focus inside open party several show"
COMMON = frozenset(f"{_COMMON} {_BORROWED}".split()) - frozenset(
    ["base", "focus", "inside", "open", "party", "several", "show"]
)
"""English words that captions are made of; not those that Chinese writes among its own."""

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
    groot haus jalan junto lado links luz mare mesas mur murs muro neri piccolo playa ponte porta
    route ruit rues sombra sombrero stein stole terra verdi viola vita jungen junge frau bild
    mannen orang neben anak rote luce casas pared alten himmel blanche noire gato verte ville
    bambino enfant femme château rouges chapeau grigio persona hus helle holz leute baum berge
    barnet pierre rode donna cane klein pies rossi bianca kinder zee vogel maison antigua schiff
    soleil madeira calle bianchi amarillo rojas niño visage poisson jardin donne praia madera vit
    rood rua verdes bosque mouton gauche frente brun viejo vecchio puente bunga fiore tasse siège
    ramen lampe vase plafond tableau sofa tas bett rock train tigre canapé lac sol ours mango
    cortina tier hek licht mes carro carros regal mantel leiter libra libro livre champ scale torre
    stella lago neve kat tavola tenda manzana plaza cocinero vela fuente estatua verdure dak
    pollito rocher bureau bras soir volets marché barque caisse camion velo plafond bilder spiegel
    topf ei mond mauer meer buch zug weg uhr nebel kopf koffer eis vaca buch teller schild kerze
    bosco vaso quadro kuchen kuh birne tuch turm ufer garten kissen appel schip toren piso gorra
    cabello sessel gonna fell hose champs barca jas rots renard messer blatt boden blume mela globo
    topo pez welle zweig grama rossa branca alte bougie toit ancien papillon mariposa gatti strada
    witte tren skov stol con chó flores mochila carretera pintura guarda wagen chaise persone acqua
    agua kirche wand dunkel verre petite ombre
    """

_GERMAN_NOUNS = """
    bürgersteig dächern fahnen fahrräder flaschen flugzeug gehweg hügel hühner kerzen küche laternen
    löffel mädchen motorrad mütze regenschirm regenschirme schafe schirme schrank schuhe spielzeug
    teppich treppe vorhang vorhänge zäune zweige blätter kühe stühlen tischdecke gebäuden häusern
    bäumen kunden leuten menschen kindern hintergrund vordergrund sonnenuntergang himmel wolken
    """

ABROAD = (
    frozenset(f"{' '.join(_ABROAD.values())} {_GERMAN_NOUNS}".split())
    - frozenset(_LOANS.split())
    - COMMON
)
"""Words of other languages' captions, in lower case; one alone shows the model slipping."""

GERMAN = frozenset(f"{_ABROAD['German']} {_GERMAN_NOUNS}".split()) & ABROAD
"""Those that may stand with a capital letter and be no name."""

_SUBJECTS = """
    a an another both each every he her here his it its many most one several she some that the
    their there these they this those three two
    """
SUBJECTS = frozenset(_SUBJECTS.split())
"""Words that begin a clause with a subject of its own."""

_CONJUNCTIONS = "and but so then where while with as"
CONJUNCTIONS = frozenset(_CONJUNCTIONS.split())
"""Words that may stand before it."""

_FINITE = """
    appears are can contains features has have hangs hang holds includes is leads lie lies looks
    makes rises runs shows sit sits sleeps stand stands stretches walk walks was wear wears were
    """
FINITE = frozenset(_FINITE.split())
"""Verbs that make a clause of it."""

_INTRODUCERS = """
    called character characters chinese cyrillic greek hangul ideogram inscribed inscription
    japanese kanji korean labeled labelled letter letters logo marked motto name named phrase read
    reading reads said say saying says sign signs slogan spelled spells symbol symbols text title
    titled word wording words written
    """
INTRODUCERS = frozenset(_INTRODUCERS.split())
"""Words before what a sign says or a thing is called, though no quotation mark follows."""

_PARTICLES = """
    a am an and at au aux in on da das de degli dei del dell della dello den der des di do dos du
    for e el en et i il im la las le les lo los og of the und van von y zu zum zur à
    """
PARTICLES = frozenset(_PARTICLES.split())
"""Words that join capitalised ones to one name."""

_STRONG = """
    anche auch avec dans desde een eine einen está están estão für gli hacia het hinter jest
    mientras mit molto muy não naast neben nicht och oraz più são sehr sono também très und unter
    wird zwei zwischen är
    """
STRONG = frozenset(_STRONG.split())
"""Function words so much of one language that one alone shows the model slipping."""

_SHARED = "a an at den do he her his i in is man me no of on over red same so to under was"
SHARED = frozenset(_SHARED.split())
"""English words that say little of the language, for others write them too."""

_AMONG_CHINESE = "a i up no in on pose up it"
AMONG_CHINESE = frozenset(f"{_AMONG_CHINESE} {_BORROWED}".split())
"""English words that Chinese writes among its own: A字, T恤, up主, in风."""

_OPENERS = """
    above additionally also behind besides finally furthermore generally here however meanwhile
    moreover nearby notably overall specifically there therefore thus
    """
OPENERS = frozenset(_OPENERS.split())
"""Words that open an English sentence, a comma behind them, and are no name."""

HAN_INTRODUCERS = "写印标刻题绣喷贴名称叫注牌"
"""The same in Chinese; 写着, 印有, 名为 and others are made of them."""

HAN_NOUN_ENDS = "子头们器机车面侧边色部筑景空木窗墙桌椅灯"
"""Characters that end nouns and next to no verb or adjective, which alone come twice."""

HAN_ADVERBIALS = "在位从以和与及并而其把按将由"
"""Characters that begin a phrase, not a clause of its own."""


class Tag(enum.IntFlag):
    """What is known of a word, as `kernels.language` has it."""

    ENGLISH = 1
    OTHER = 2
    STUTTER = 4
    COMMON = 8
    ABROAD = 16
    GERMAN = 32
    SUBJECT = 64
    FINITE = 128
    INTRODUCER = 256
    CONJUNCTION = 512
    ADVERBIAL = 1024
    ONE = 2048  # 一, which reduplicates: 一朵一朵
    PLAIN = 4096  # English, and never in Chinese but by a slip
    PARTICLE = 8192  # inside a name: Place de la Concorde
    SHARED = 16384  # an English one that other languages spell alike
    NOUN_END = 65536  # 子, which no verb ends in: 帽子帽子 is a slip, 研究研究 is not
    OPENER = 32768  # before a comma, a sentence's first word: Overall,


def tags() -> dict[str, int]:
    """What is known of each word, in lower case."""
    found: dict[str, int] = {}
    for tag, words in (
        (Tag.ENGLISH, ENGLISH | STUTTERS),
        (Tag.OTHER, FOREIGN),
        (Tag.STUTTER, STUTTERS),
        (Tag.COMMON, COMMON),
        (Tag.ABROAD, ABROAD | STRONG),
        (Tag.GERMAN, GERMAN),
        (Tag.SUBJECT, SUBJECTS),
        (Tag.FINITE, FINITE),
        (Tag.INTRODUCER, INTRODUCERS | frozenset(HAN_INTRODUCERS)),
        (Tag.CONJUNCTION, CONJUNCTIONS),
        (Tag.ADVERBIAL, frozenset(HAN_ADVERBIALS)),
        (Tag.ONE, frozenset("一")),
        (Tag.NOUN_END, frozenset(HAN_NOUN_ENDS)),
        (Tag.PARTICLE, PARTICLES),
        (Tag.SHARED, SHARED),
        (Tag.OPENER, OPENERS),
        (Tag.PLAIN, (ENGLISH | STUTTERS | COMMON | SLIPS) - AMONG_CHINESE),
    ):
        for word in words:
            found[word] = found.get(word, 0) | tag
    return found
