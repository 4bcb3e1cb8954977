"""Function words that tell a language: every second to third word of its prose is one of them.

Only words that no other language of the list shares stand for one: `die` is German and English,
`a` is English and Portuguese, so a text is judged by the words it cannot avoid.
"""

_ENGLISH = """
    a about above across after against all along also among an and another any are around as at be
    been before behind being below beneath beside besides between both but by can could down each
    either every for from had has have he her here him his how i if in inside into is it its itself
    just like many more most much near nearby neither next no nor not of off on one only onto or
    other out outside over own past per several she since so some such than that the their them
    then there these they this those though three through to together too toward towards two under
    until up upon very was we well were what when where which while who whose why will with within
    without would yet you your
    """
_STUTTERS = """
    a an and are at by for from has his into is its of or the their they this was were with
    """
STUTTERS = frozenset(_STUTTERS.split())
"""English function words that never come twice in a row, as `that` and `had` may."""

ENGLISH = frozenset(_ENGLISH.split()) - STUTTERS
"""The other English ones."""

OTHER_LANGUAGES = {
    "Afrikaans": "agter daar hierdie langs nie onder staan wat word",
    "Basque": "bat batzuk baten da dago eta ere dira duen dute hau hori",
    "Catalan": "amb als aquest aquesta dels dues els està hi ha més molt on són també una uns",
    "Croatian": "ali ili iznad ispred iza je koja koje koji kod na nalazi pokraj pored se su uz",
    "Czech": "a jsou je jeho která které který mezi na nad nebo pod před stojí ve vedle za že",
    "Danish": """
        af bagved den der det en er et foran han hun ikke med mellem nogle og som står til ved
        """,
    "Dutch": """
        aan achter bij dat deze door een eenzame en er haar het hun ligt meer met naar naast niet
        ook op staan staat te tussen twee uit van voor wordt ze zien zijn zit
        """,
    "Esperanto": "ankaŭ antaŭ apud ĉe ĉi dum estas estis kaj kiu kiuj kun malantaŭ sed sub unu",
    "Estonian": "aga ees ei ja kaks kes kuid kõrval mis oma on peal taga ning see selle",
    "Filipino": "ang ay isang ito kanyang mga may nasa ng ngunit nito sila siya",
    "Finnish": "edessä eivät ja jossa joka jotka kaksi mutta myös niiden on sekä sen takana",
    "French": """
        à au aussi autour aux avec ce ces cette contre dans de derrière des deux devant du elle
        elles en est et être il ils la le les leur leurs mais ou où par pas plus pour près que qui
        sa se ses son sont sous sur tandis très un une vers
        """,
    "German": """
        am an auch auf aus bei das dem den der des durch ein eine einem einen einer eines einige er
        es hinter ihre im ins ist kein mit neben nicht oder ohne sehr sich sie sind steht und unter
        vom von vor während wird zu zum zur zwei zwischen über
        """,
    "Hungarian": "a az alatt amely csak egy és fölött hogy is között mellett mögött nem vagy van",
    "Indonesian": """
        adalah ada atas bawah belakang berada dalam dan dari dekat dengan depan di ini itu juga
        oleh pada sebuah sedang sebelah seekor seorang terdapat terlihat untuk yang
        """,
    "Irish": "agus ach an ar atá bhfuil faoi leis na níl ó tá",
    "Italian": """
        accanto ai al alla alle anche che ci con da dai dal dalla degli dei del della delle dello
        dentro di dietro due è e gli il in la le lo loro mentre nei nel nella nelle più per presso
        sono sopra sotto su sui sul sulla suo tra un una uno verso
        """,
    "Latin": "atque autem cum est et ex hic illa in inter non quae quod qui sed sub sunt ubi ut",
    "Lithuanian": "bet ir iš kad kuris prie su už yra ant po jo",
    "Norwegian": "av bak den det eller en er et foran ikke med mellom noen og på som står til ved",
    "Polish": """
        ale dwa dwie i jest jego która które który lub między na nad nie obok od po pod przed przy
        są się stoi także to we wraz z za ze że
        """,
    "Portuguese": """
        ao aos as à às com da das de do dos duas e ela ele em entre está estão eles há isso mais
        mas na nas no nos num numa o os para pela pelo perto por que são se sem seu seus sob sobre
        sua também um uma é
        """,
    "Romanian": """
        care cu de din după este fi în între la lângă mai nu o pe pentru prin sau se sunt și un
        """,
    "Slovak": "ako je ktorá ktoré ktorý medzi na nad pod pred sa sú stojí veľa vedľa za",
    "Spanish": """
        al alrededor algunas algunos con cuyo de del desde detrás donde dos el ella en entre es ese
        esta este está están frente hacia hay junto la las le les lo los mientras muy más ni para
        pero por que se sin sobre son su sus también tiene un una unas unos y
        """,
    "Swahili": "ambao hii huu karibu katika kwa kwenye ni na pia sana wa ya za",
    "Swedish": """
        bakom bredvid den det där eller en ett framför från hon inte med mellan några och på sin
        som står till två under vid är
        """,
    "Turkish": """
        altında arasında arkasında bir bu çok da de daha gibi için ile iki kadar olan önünde
        üzerinde var ve yanında
        """,
    "Vietnamese": """
        ảnh bên cạnh cây chiếc có của cùng đang đó được dưới hai hình không là màu một này người
        những nhìn phía sau trên trong và với về
        """,
    "Welsh": "ac ar dau gan gyda mae mewn o'r sydd y yn yr wrth",
}

_SHARED = """
    a ac ad ai ali am an as at bat bet care cum com die do don door due em ex fi ha han he her hi
    hide hun i if in inter is it man may me men nasa ni no n on of on or os over pe per plus po pod
    pour see sin so son sub su te till to under up ve via was we word ya z
    """
"""Written like an English word or a name, or part of phrases that English borrowed."""

FOREIGN = frozenset(" ".join(OTHER_LANGUAGES.values()).split()) - frozenset(
    f"{_ENGLISH} {_STUTTERS} {_SHARED}".split()
)
"""Function words of the other languages that are no English ones."""
