"""English words, by what they do in a caption. Written by hand for this project."""

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

COMMON = frozenset(f"{_COMMON} {_BORROWED}".split()) - frozenset(
    ["base", "focus", "inside", "open", "party", "several", "show"]
)
"""English words that captions are made of; not those that Chinese writes among its own."""

_SUBJECTS = """
    a an another both each every he her here his it its many most one several she some that the
    their there these they this those three two
    """
SUBJECTS = frozenset(_SUBJECTS.split())
"""Words that begin a clause with a subject of its own."""

_CONJUNCTIONS = "and but or so then where while with as"
CONJUNCTIONS = frozenset(_CONJUNCTIONS.split())
"""Words that may stand before it."""

_FINITE = """
    appears are can contains features has have hangs hang holds includes is leads lie lies looks
    makes rises runs shows sit sits sleeps stand stands stretches walk walks was wear wears were
    """
FINITE = frozenset(_FINITE.split())
"""Verbs that make a clause of it."""

_INTRODUCERS = """
    arabic armenian bengali bulgarian called character characters chinese cyrillic devanagari
    georgian greek hangul hebrew hindi hiragana ideogram inscribed inscription japanese kanji
    katakana korean labeled labelled letter letters logo marked motto name named persian phrase
    read reading reads russian serbian tamil thai ukrainian urdu said say saying says sign signs
    slogan spelled spells symbol symbols text title
    titled word wording words written
    """
INTRODUCERS = frozenset(_INTRODUCERS.split())
"""Words before what a sign says or a thing is called, though no quotation mark follows."""

_SCRIPTS = """
    arabic armenian bengali bulgarian character characters cyrillic devanagari georgian greek hangul
    hebrew hindi hiragana inscribed inscription japanese kana kanji katakana korean labelled labeled
    letter lettered lettering letters marked persian phrase reads reading russian saying says
    serbian symbol tamil thai ukrainian urdu word words
    """
SCRIPTS = frozenset(_SCRIPTS.split())
"""Those right before words of another script."""

_PARTICLES = """
    a al alla alle am an and at au aux con in on da das de degli dei del dell della dello den der
    des di do dos du for e el en et i il im la las le les lo los og of the und van von
    y zu zum zur à
    """
PARTICLES = frozenset(_PARTICLES.split())
"""Words that join capitalised ones to one name."""

_SHARED = "a an at den do he her his i in is man me no of on over red same so to under was"
SHARED = frozenset(_SHARED.split())
"""English words that say little of the language, for others write them too."""

_AMONG_CHINESE = "a i up no in on pose up it"
AMONG_CHINESE = frozenset(f"{_AMONG_CHINESE} {_BORROWED}".split())
"""English words that Chinese writes among its own: A字, T恤, up主, in风."""

BRANDS = frozenset(["beats", "chips", "crocs", "keds", "lays", "levis", "toms", "vans"])
"""Names in lower case that look like plurals of English words."""

_OPENERS = """
    above additionally also behind besides finally furthermore generally here however meanwhile
    moreover nearby notably overall specifically there therefore thus
    """
OPENERS = frozenset(_OPENERS.split())
"""Words that open an English sentence, a comma behind them, and are no name."""

_TWICE = """
    bing dan dum gado kare halo in on sari shabu tiki agar bling blah bon boo bora chop chow
    clip clop cha choo can had ha her hey ho hubba hush knock
    little long lava mahi many much never night no pad peri piri ping pom poms pretty quack really
    so super tam tap that tick tok tom tuk tut tutti very who wah yada ylang yo yum
    """
TWICE = frozenset(_TWICE.split())
"""Words that may come twice in a row: "the book that that man holds", "a very very long pier"."""

_JOINS = """
    above after against and around before behind below beneath beside between beyond by for from in
    into near on onto or over past through to under upon with within
    """
JOINS = frozenset(_JOINS.split())
"""Words between a word and itself: row after row after row."""

_SERIES = """
    again and are black blank blue bright brown circle cold cool cream dark deep dim down eight
    eleven empty far fast five four full gold grand gray green grey hard heart high in is left
    light long loud low maroon narrow new nine no off old on one or orange out pale pink plain
    purple quiet red right round sad seven silver six slow slowly small soft spade square still
    tall tan teal ten thick thin three tiny triangle turquoise twelve two up violet warm was
    were wet white wide yellow yes
    """
SERIES = frozenset(_SERIES.split())
"""Words that may come twice in a list or for emphasis: red, red and white."""

_HALTS = """
    a above an beneath beside behind between from hangs his holds its looks near of sits stands the
    their under walks wears with
    """
HALTS = frozenset(_HALTS.split())
"""Words that never come twice with a comma between."""

_LOOKS = """
    burning charming exciting falling flowing gleaming glowing interesting living longing
    overwhelming rolling sparkling spinning stunning turning winding
    """
LOOKS = frozenset(_LOOKS.split())
"""Words in -ing that may: a winding, winding road."""
