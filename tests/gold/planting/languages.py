"""Other languages and scripts within a caption, or instead of it."""

import functools
import random

from tests.gold.planting.base import MATERIAL, Base, defect, good_captions, inner_places, material

_LOOK_ALIKES = str.maketrans("aeopcxyi", "аеорсхуі")
_FULL_WIDTH = str.maketrans(
    {",": "，", ".": "。", ":": "：", ";": "；", "?": "？", "(": "（", ")": "）"}
)


@functools.cache
def traditional_table() -> dict[int, str]:
    """For `str.translate`: characters of simplified Chinese that have another, single form."""
    pairs = (MATERIAL / "traditional.txt").read_text(encoding="utf-8").split()
    return {ord(pair[0]): pair[1] for pair in pairs}


def _sentence(rng: random.Random, group: str) -> str:
    """A sentence of the material; every language is as likely as another."""
    by_language = material("sentences")[group]
    return str(rng.choice(by_language[rng.choice(sorted(by_language))]))


@defect("wrong_language")
def splice_latin_sentence(rng: random.Random, base: Base) -> str:
    """A sentence of another language in Latin letters."""
    return base.insert(rng, _sentence(rng, "latin"))


@defect("foreign_script", "wrong_language")
def splice_other_script(rng: random.Random, base: Base) -> str:
    """A sentence in Cyrillic, Arabic, kana, Hangul, Thai, Hebrew, Greek or Devanagari."""
    return base.insert(rng, _sentence(rng, "other_script"))


@defect("wrong_language", "foreign_script", languages=("en",))
def splice_chinese_sentence(rng: random.Random, base: Base) -> str:
    """A Chinese sentence in an English caption."""
    return base.insert(rng, _sentence(rng, "chinese"))


@defect("wrong_language", languages=("zh",))
def splice_english_sentence(rng: random.Random, base: Base) -> str:
    """An English sentence in a Chinese caption."""
    return base.insert(rng, _sentence(rng, "english"))


@defect("wrong_language", "too_short")
def whole_in_latin(rng: random.Random, base: Base) -> str:
    """A caption that is in German, French, Spanish, Italian or Portuguese."""
    sentences = list(material("sentences")["latin"][rng.choice(["de", "fr", "es", "it", "pt"])])
    rng.shuffle(sentences)
    return " ".join(sentences)


@defect("wrong_language", "foreign_script", "too_short", "too_long")
def whole_in_the_other(rng: random.Random, base: Base) -> str:
    """A Chinese caption where an English one was asked for, or the other way round."""
    return rng.choice(good_captions("zh" if base.language == "en" else "en"))


def _put_in(rng: random.Random, base: Base, word: str) -> str:
    def how(words: list[str]) -> list[str]:
        place = rng.choice(inner_places(words))
        return [*words[:place], word, *words[place:]]

    return base.change(rng, how)


@defect("foreign_script", "wrong_language")
def word_of_other_script(rng: random.Random, base: Base) -> str:
    """A single word in a script that is neither Latin nor Chinese, unquoted."""
    return _put_in(rng, base, rng.choice(material("sentences")["words"]["other_script"]))


@defect("wrong_language", "foreign_script", languages=("en",))
def chinese_word(rng: random.Random, base: Base) -> str:
    """A single Chinese word in an English caption, unquoted."""
    return _put_in(rng, base, rng.choice(material("sentences")["words"]["chinese"]))


@defect("wrong_language", languages=("zh",))
def english_word(rng: random.Random, base: Base) -> str:
    """A single lower-case English word in a Chinese caption, unquoted."""
    return _put_in(rng, base, rng.choice(material("sentences")["words"]["english"]))


@defect("wrong_language")
def word_of_another_language(rng: random.Random, base: Base) -> str:
    """A single lower-case word of another Latin-script language, unquoted."""
    return _put_in(rng, base, rng.choice(material("sentences")["words"]["abroad"].split()))


@defect("wrong_language", languages=("zh",))
def code_switching(rng: random.Random, base: Base) -> str:
    """Three to five lower-case English words here and there in a Chinese caption."""
    words = rng.sample(material("sentences")["words"]["english"], rng.randint(3, 5))
    for word in words:
        base = Base(base.language, _put_in(rng, base, word))
    return base.text


@defect("wrong_language", languages=("zh",))
def traditional_whole(rng: random.Random, base: Base) -> str:
    """The whole caption in traditional characters."""
    return base.text.translate(traditional_table())


@defect("wrong_language", languages=("zh",))
def traditional_sentence(rng: random.Random, base: Base) -> str:
    """The sentence that has most of them in traditional characters."""
    table, sentences = traditional_table(), base.sentences
    place = max(
        range(len(sentences)), key=lambda at: sum(ord(sign) in table for sign in sentences[at])
    )
    sentences[place] = sentences[place].translate(table)
    return base.join(sentences)


@defect("wrong_language", "missing_end", "replacement_character", languages=("en",))
def full_width_punctuation(rng: random.Random, base: Base) -> str:
    """Chinese punctuation in English, everywhere or in one sentence."""
    if rng.random() < 0.5:
        return base.text.translate(_FULL_WIDTH)
    return base.change(rng, lambda words: [word.translate(_FULL_WIDTH) for word in words])


@defect("foreign_script", "wrong_language", "replacement_character", languages=("en",))
def look_alike_letters(rng: random.Random, base: Base) -> str:
    """Cyrillic letters that look Latin, in three to six words."""
    words = base.text.split(" ")
    places = [
        place
        for place, word in enumerate(words)
        if word.isalpha() and len(set(word) & set("aeo")) > 1
    ]
    for place in rng.sample(places, min(len(places), rng.randint(3, 6))):
        words[place] = words[place].translate(_LOOK_ALIKES)
    return " ".join(words)


DEFECTS = (
    splice_latin_sentence,
    splice_other_script,
    splice_chinese_sentence,
    splice_english_sentence,
    whole_in_latin,
    whole_in_the_other,
    word_of_other_script,
    chinese_word,
    english_word,
    word_of_another_language,
    code_switching,
    traditional_whole,
    traditional_sentence,
    full_width_punctuation,
    look_alike_letters,
)
