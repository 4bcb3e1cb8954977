"""Small slips of a model within a sentence that is good otherwise."""

import random
import re

from tests.gold.planting.base import Base, defect, inner_places, material

_LOOK_ALIKES = {"a": "аα", "c": "с", "e": "е", "i": "і", "o": "оο", "p": "рρ", "x": "х", "y": "у"}
_FUNCTION_LETTERS = "是有和了在被"


def _pick(rng: random.Random, group: str, language: str) -> str:
    return str(rng.choice(material("slips")[group][language]))


def _within(base: Base, rng: random.Random, thing: str) -> str:
    """Something between two words of a sentence."""

    def how(words: list[str]) -> list[str]:
        place = rng.choice(inner_places(words))
        return [*words[:place], thing, *words[place:]]

    return base.change(rng, how)


@defect("wrong_language", languages=("en",))
def switch_in_a_sentence(rng: random.Random, base: Base) -> str:
    """The end of a sentence in another language of Latin letters."""
    sentences = base.sentences
    place = rng.randrange(len(sentences))
    clause = _pick(rng, "clauses", rng.choice(sorted(material("slips")["clauses"])))
    sentences[place] = f"{sentences[place].rstrip('.!?”')}, {clause}."
    return base.join(sentences)


@defect("foreign_script", "wrong_language", "replacement_character", languages=("en",))
def look_alike_letter(rng: random.Random, base: Base) -> str:
    """One Cyrillic or Greek letter that looks Latin, inside one word."""
    words = base.text.split(" ")
    places = [
        (place, letter)
        for place in inner_places(words)
        for letter in range(1, len(words[place]) - 1)
        if words[place][letter] in _LOOK_ALIKES
    ]
    place, letter = rng.choice(places)
    word = words[place]
    words[place] = word[:letter] + rng.choice(_LOOK_ALIKES[word[letter]]) + word[letter + 1 :]
    return " ".join(words)


@defect("wrong_language", "missing_end", languages=("en",))
def wide_quotation_marks(rng: random.Random, base: Base) -> str:
    """Two words in the quotation marks of Chinese."""

    def how(words: list[str]) -> list[str]:
        place = rng.choice([at for at in inner_places(words) if words[at + 1][0].isalpha()])
        first, last = rng.choice([("「", "」"), ("『", "』"), ("《", "》"), ("【", "】")])
        both = re.sub(r"^(\w+ [\w-]+)", rf"{first}\1{last}", f"{words[place]} {words[place + 1]}")
        return [*words[:place], both, *words[place + 2 :]]

    return base.change(rng, how)


@defect("word_echo", "ngram_repetition", languages=("zh",))
def doubled_function_letter(rng: random.Random, base: Base) -> str:
    """A letter such as 是 twice, between two words."""
    places = [
        found.start()
        for found in re.finditer(
            rf"(?<=[\u4e00-\u9fff])[{_FUNCTION_LETTERS}](?=[一两三几这那个名])", base.text
        )
    ]
    if not places:
        return base.join([base.text, rng.choice(["旁边是是一堵矮墙。", "地上有有几片落叶。"])])
    place = rng.choice(places)
    return base.text[:place] + base.text[place] + base.text[place:]


@defect("wrong_language", languages=("zh",))
def pinyin(rng: random.Random, base: Base) -> str:
    """A word in pinyin."""
    return _within(base, rng, _pick(rng, "pinyin", "zh"))


@defect("meta_talk")
def correction(rng: random.Random, base: Base) -> str:
    """The model takes back what it said."""
    return base.insert(rng, _pick(rng, "corrections", base.language), first=1)


@defect("replacement_character", "wrong_language", languages=("zh",))
def broken_letter(rng: random.Random, base: Base) -> str:
    """Two of the three bytes of a Han letter, read as cp1252."""
    return _within(base, rng, _pick(rng, "broken", "zh"))


@defect("sentence_repetition", "ngram_repetition")
def clause_said_within(rng: random.Random, base: Base) -> str:
    """A whole clause once more, within a longer one."""
    parts = re.split(r"[,.;:，。；：] ?", base.text)
    least = 9 if base.language == "en" else 10
    plain = re.compile(r"[\w' -]+" if base.language == "en" else r"[\u4e00-\u9fff]+")
    clauses = [part for part in parts if plain.fullmatch(part) and len(base.words(part)) >= least]
    again, opening, tail = (
        ("the sky is clear with only a few thin clouds", "and ", " around it.")
        if base.language == "en"
        else ("屋檐下挂着一排红色的灯笼", "院子里安安静静", "随风摆动。")
    )
    if clauses:
        again = rng.choice(clauses)
        again = again[0].lower() + again[1:]
        return base.join(
            [
                base.text,
                f"Next to it {again}{tail}" if base.language == "en" else f"{opening}{again}{tail}",
            ]
        )
    stop = ". " if base.language == "en" else "。"
    return base.join([base.text, f"{again}{stop}{opening}{again}{tail}".capitalize()])


@defect("sentence_repetition", "ngram_repetition", "word_echo")
def phrase_three_times(rng: random.Random, base: Base) -> str:
    """Nine words (twelve letters) or more, said of three things."""
    things = rng.sample(["vase", "mask", "panel", "jug", "tile"], 3)
    places = rng.sample(["上面", "中间", "下面", "左边", "右边"], 3)
    said = {
        "en": f"is decorated with a border of interlaced {rng.choice(['ivy', 'acanthus'])} and",
        "zh": f"的{rng.choice(['陶罐', '木雕'])}表面刻着细密的缠枝{rng.choice(['莲', '菊'])}纹样",
    }[base.language]
    if base.language == "en":
        tails = ["has a chip", "leans to one side", "shines in the light"]
        told = [f"The {thing} {said} {tail}." for thing, tail in zip(things, tails, strict=True)]
    else:
        tails = ["略有残缺", "保存完好", "泛着微光"]
        told = [f"{place}{said}，{tail}。" for place, tail in zip(places, tails, strict=True)]
    return base.join([base.text, *told])


DEFECTS = (
    switch_in_a_sentence,
    look_alike_letter,
    wide_quotation_marks,
    doubled_function_letter,
    pinyin,
    correction,
    broken_letter,
    clause_said_within,
    phrase_three_times,
)
