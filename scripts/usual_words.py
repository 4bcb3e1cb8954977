"""Writes the lexicon's usual_words.txt: usual words of English and other languages.

    python -m scripts.usual_words SNOWBALL WORDNET CLDR WORDS [WORDS ...]

SNOWBALL is the folder `data` of Debian's package snowball-data, of which only lists under the
3-clause BSD licence are read; WORDNET is the folder of wordnet-base; CLDR and WORDS are those of
scripts/pictured_words.py. Needs the package wordfreq, which tells how usual a word is. A word that
English uses at all is none of another language, and no food is: its words travel with the dishes.
"""

import sys
from pathlib import Path

from scripts.pictured_words import AMONG_CHINESE, BORROWED, annotated, lines_of

PATH = Path(__file__).parents[1] / "include/sa1b_captions/quality/lexicon/usual_words.txt"

MIN_ZIPF = {
    **dict.fromkeys(("dutch", "german", "italian", "portuguese", "spanish"), 3.6),
    **dict.fromkeys(("danish", "finnish", "hungarian", "norwegian", "romanian", "swedish"), 4.3),
    "turkish": 4.3,
}
"""How usual a word must be in its language: 3.6 is four in a million words of text."""
CODES = {
    **{"danish": "da", "dutch": "nl", "finnish": "fi", "german": "de", "hungarian": "hu"},
    **{"italian": "it", "norwegian": "nb", "portuguese": "pt", "romanian": "ro", "spanish": "es"},
    **{"swedish": "sv", "turkish": "tr"},
}
MIN_LETTERS = 4
MIN_NOUN_ZIPF = 3.2
"""Of German words, which have a capital letter where a name would stand."""
MIN_ENGLISH_ZIPF, MAX_ENGLISH_ZIPF = 3.3, 1.5
"""Of English words, and of the others in English."""

_DISHES = """
    abbacchio aceite aceto agnello aglio ajillo albóndigas alici apfelstrudel aringa arroz
    arrosto atún bacalao bacalhau batatas bier birra bocadillo bocadillos bolo bolos
    bratkartoffeln bratwurst brood brot brötchen burro calamares caldo camarones carne carnes
    carnitas cebolla cerdo cerveza cerveja cipolla cipolle churrasco cochinillo cordero cozze
    croquetas dulce dulces empanadas ensalada fagioli fave feijão feijoada fisch fleisch
    formaggi formaggio frango fragole frijoles frites funghi gambas gelato gemüse gnocchi
    grelhado griglia haring helado helados huevo huevos hähnchen insalata jamón jambon kaas
    kaffee kalb kartoffel kartoffeln kase käse klöße knödel knoblauch kuchen köttbullar latte
    leberkäse leche lechón lechuga legumbres limón limone linguiça maiale mantequilla manteca
    manzo mejillones melanzane merluza miele milch milho molho naranja natas noci olio oliva
    olive olivo pan pane panini papas parmigiana pasteis pastel pasteles pasticcio patata
    patatas patate peixe peperoni pesce pescado pescados pesto picante piselli plátanos pollo
    polpette polpo pomodori pomodoro porchetta postre prosciutto pulpo pão quark queijo queijos
    queso quesos refritos ricotta riso risotto rosso sahne salchicha salchichas salame salat
    salsicce salsiccia salumi sardinhas sardinas saucen schinken schnitzel schwein schweinshaxe
    semmel sopa sopas sorvete speck spinaci spätzle strudel suppe tapas tartufo ternera torrone
    torta tortas torte tortilla trucha uova uovo verdura verdure vinho vino vitello vleermuis
    vlees vongole wein weißwurst wurst würste würstchen zanahoria zucca zucchine zucchini zuppa
    zwiebel zwiebeln kanelbullar lussekatter smørrebrød gravlax lefse lutfisk makkara pulla
    mämmi gulyás pálinka lángos ciorbă mămăligă sarmale papel picado bicho feira fachwerk gasse
    gassen zócalo simit börek baklava kebap köfte ayran lahmacun pide meze rakı çorba
    """
DISHES = frozenset(_DISHES.split())
"""Food, drink and what else English prose names as its country does."""

_BRANDS = """
    anime armour bagel brunch cafe cappuccino cheese cocktail coffee donut matcha mocha pasta pizza
    toast vodka whisky avatar beetle blog blogger blues boss burger canon chrome club coach columbia
    converse cooper costa demo disney espresso excel ford funk google java jeep kappa latte lego
    linux lite loft marvel micro mini mustang nike nissan notion outlook pickup plus podcast polo
    premier punk python rock rover ruby rust safari slogan solo subway sushi tablet techno tesla
    toyota ultra vans word yoga
    """
BRANDS = frozenset(_BRANDS.split())
"""More English words that Chinese writes among its own."""

NOTICE = """\
# Written by scripts/usual_words.py from the vocabularies of Snowball and WordNet: words that are
# usual in their language, less what English uses and food (`abroad`), and less what Chinese writes
# among its own (`english`).
#
"""


def main(snowball: Path, wordnet: Path, cldr: Path, lists: list[Path]) -> None:
    """Write the file."""
    from wordfreq import zipf_frequency  # no dependency of the project

    known = {
        word
        for path in lists
        for line in path.read_text(encoding="utf-8").split("\n")
        if (word := line.split(" ")[0])
    }
    used = {word.lower() for word in known}
    lemmas = {
        line.split(" ")[0]
        for kind in ("adj", "adv", "noun", "verb")
        for line in (wordnet / f"index.{kind}").read_text(encoding="utf-8").split("\n")
    }

    def vocabulary(language: str) -> set[str]:
        return set((snowball / language / "voc.txt").read_text(encoding="utf-8").split())

    def usual(words: set[str], code: str, least: float) -> set[str]:
        return {
            word
            for word in words
            if word.isalpha() and len(word) >= MIN_LETTERS and zipf_frequency(word, code) >= least
        }

    told = (vocabulary("english") | lemmas) & known - AMONG_CHINESE - BRANDS
    english = {word for word in usual(told, "en", MIN_ENGLISH_ZIPF) if word.isascii()}
    edible = {
        word
        for code in ("de", "es", "fr", "it", "nl", "pt", *CODES.values())
        if (cldr / code.replace("nb", "no")).exists()
        for word in annotated(cldr, code.replace("nb", "no"), food=True)
    }

    def of(language: str, least: float) -> set[str]:
        words = usual(vocabulary(language), CODES[language], least)
        return {
            word
            for word in words - used - edible - DISHES - BORROWED
            if zipf_frequency(word, "en") <= MAX_ENGLISH_ZIPF
        }

    german = of("german", MIN_NOUN_ZIPF)
    abroad = german.union(*(of(language, least) for language, least in MIN_ZIPF.items()))
    licences = (
        "# Snowball: copyright 2001, Dr Martin Porter; 2004-2005, Richard Boulton\n",
        _licence(snowball.parents[1] / "doc/snowball-data/copyright", "BSD-3-clause"),
        "#\n# WordNet 3.0 copyright 2006 by Princeton University. All rights reserved.\n",
        _licence(wordnet.parent / "doc/wordnet-base/copyright", "WordNet3.0"),
    )
    sections = "".join(
        "\n".join(["", f"[{name}]", *lines_of(words), ""])
        for name, words in (("english", english), ("abroad", abroad), ("german", german))
    )
    PATH.write_text(f"{NOTICE}{''.join(licences)}{sections}", encoding="utf-8")
    print(f"{len(english)} English words, {len(abroad)} of other languages")


def _licence(path: Path, name: str) -> str:
    """The text of a licence in one of Debian's copyright files, as a comment."""
    text = path.read_text(encoding="utf-8").split(f"License: {name}\n ", 2)[-1]
    lines = text.split("\n\n", 1)[0].split("\n")
    # Debian writes an empty line as a dot.
    return "".join(
        f"# {line.strip() if line.strip() != '.' else ''}".rstrip() + "\n" for line in lines
    )


if __name__ == "__main__":
    folders = [Path(name) for name in sys.argv[1:]]
    main(folders[0], folders[1], folders[2], folders[3:])
