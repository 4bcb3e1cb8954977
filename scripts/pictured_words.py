"""Writes the lexicon's pictured_words.toml from Unicode's names of emoji: what pictures show.

    python -m scripts.pictured_words CLDR WORDS [WORDS ...]

CLDR is the folder `annotations` of the npm package cldr-annotations-full, WORDS are lists of
English words, one a line, such as Debian's wamerican-huge and wbritish-huge and the first column
of WordNet's index files. Needs the package wordfreq, which tells how usual a word is in English.
A word that English uses at all is none of another language.
"""

import json
import sys
from pathlib import Path

PATH = Path(__file__).parents[1] / "include/sa1b_captions/quality/lexicon/pictured_words.toml"
LANGUAGES = ("de", "es", "fr", "it", "nl", "pt")
MAX_ENGLISH_ZIPF = 1.5
"""More than one in 30 million words of English text: it may be borrowed, or a name."""
MIN_LETTERS, MIN_ENGLISH_LETTERS = 4, 5

FOOD = (
    *(range(0x1F32D, 0x1F331), range(0x1F33D, 0x1F340), range(0x1F345, 0x1F380)),
    *(range(0x1F382, 0x1F383), range(0x1F950, 0x1F970), range(0x1F9C0, 0x1F9CC)),
    *(range(0x1FAD0, 0x1FAE0), range(0x2615, 0x2616)),
)
"""Emoji of food and drink, whose words languages borrow most."""

_BORROWED = """
    bombilla enoteca gelateria konditorei paleta pasticceria pâtisserie traghetto tuktuk
    """
BORROWED = frozenset(_BORROWED.split())
"""What else pictures of a country show under its own name."""

_AMONG_CHINESE = """
    android angel angels babes badge ballet basic bingo birthday bitcoin bling blink bloom boom
    boots brand buffet button cable champion chapel charm check chess chill chips classy click
    clock cloud coder comic corner cosmo crazy cream crush curry dance delete denim detective
    diesel disco discord dream dreams droid eject email emoji enter epic escape facebook fancy
    fashion fighter flash focus freedom fresh friday fun game gamer games glory groove guess happy
    heart hello hero hiphop hippo hotel icon iconic instagram internet jazz joker joystick karaoke
    karate kimono king kitty league legend lemon level limit lives living logo loose lover lovers
    lucky magic master menu message metro mindblown mobile model monster naive network nirvana
    notebook oasis offer omega online option orange panda party phone photo piano pixel player
    poker polaroid power premium prime princess print queen remix reset retro robot rocker rocket
    rolex royal ruler sauna scroll selfie sexy shift shopping short shots smart smile snapshot
    sofa solid space spotify stage steam stick story street studio style stylish sunday super surf
    surfing swift switch tabata taboo tango taobao taxi teddy tempo thanks tiger title today token
    touch trend tribal tshirt turbo twitter union utopia versus video videogame vintage vlog
    welcome whatsapp wifi windows wonder woohoo world yahoo yolo young youtube zombie zoom
    """
AMONG_CHINESE = frozenset(_AMONG_CHINESE.split())
"""English words in lower case that Chinese writes among its own, keys and brands among them."""

NOTICE = """\
# Written by scripts/pictured_words.py from the annotations of Unicode CLDR {version}, less food and
# drink, what English uses (`abroad`) and what Chinese writes among its own (`english`).
#
"""


def annotated(folder: Path, language: str, *, food: bool) -> set[str]:
    """Words that are a name or keyword of an emoji by themselves, in lower case.

    Only German writes a noun with a capital letter; any other such word is a name. `food` chooses
    the emoji of food and drink, or all others.
    """
    text = (folder / language / "annotations.json").read_text(encoding="utf-8")
    words = {
        word
        for emoji, entry in json.loads(text)["annotations"]["annotations"].items()
        if food == any(ord(emoji[0]) in block for block in FOOD)
        for words in entry.values()
        for word in words
        if word.isalpha() and (language == "de" or word.islower())
    }
    return {word.lower() for word in words}


def main(folder: Path, lists: list[Path]) -> None:
    """Write the file."""
    from wordfreq import zipf_frequency  # no dependency of the project

    known = {
        word
        for path in lists
        for line in path.read_text(encoding="utf-8").split("\n")
        if (word := line.split(" ")[0]).islower()
    }
    pictured, edible = (annotated(folder, "en", food=food) for food in (False, True))
    english = {
        word
        for word in (pictured & known) - edible - AMONG_CHINESE
        if word.isascii() and len(word) >= MIN_ENGLISH_LETTERS
    }
    abroad = {
        word
        for language in LANGUAGES
        for word in annotated(folder, language, food=False)
        - annotated(folder, language, food=True)
        - known
        - pictured
        - BORROWED
        if len(word) >= MIN_LETTERS and zipf_frequency(word, "en") <= MAX_ENGLISH_ZIPF
    }
    about = json.loads((folder.parent / "package.json").read_text(encoding="utf-8"))
    licence = (folder.parent / "LICENSE").read_text(encoding="utf-8").strip()
    header = NOTICE.format(version=about["version"])
    header += "".join(f"# {line}".rstrip() + "\n" for line in licence.split("\n"))
    PATH.write_text(f"{header}\n{_listed('english', english)}\n{_listed('abroad', abroad)}")
    print(f"{len(english)} English words, {len(abroad)} of other languages")


def lines_of(words: set[str]) -> list[str]:
    """Words in ascending order, as many as fit into each line."""
    lines, line = [], ""
    for word in sorted(words):
        if len(line) + len(word) > 98:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    return [*lines, line]


def _listed(name: str, words: set[str]) -> str:
    return "\n".join([f'{name} = """', *lines_of(words), '"""\n'])


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
