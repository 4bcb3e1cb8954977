"""Captions that end too early, are too short or long, or are broken into lines."""

import random

from tests.gold.planting.base import Base, defect, good_captions

_STOPS = ".。!！"


@defect("missing_end", "too_short")
def cut_in_a_word(rng: random.Random, base: Base) -> str:
    """Stops within the last sentence, within a word in English."""
    *before, last = base.sentences
    words = base.words(last)
    place = rng.randrange(len(words) // 3, len(words) - 2)
    while not words[place][:2].isalpha():
        place -= 1
    kept = [*words[:place], words[place][: max(1, len(words[place]) // 2)]]
    return base.join([*before, base.glue.join(kept)])


@defect("missing_end", "too_short")
def cut_after_a_comma(rng: random.Random, base: Base) -> str:
    """Stops after a comma that has most of the caption before it."""
    comma = "," if base.language == "en" else "，"
    half = len(base.text) * 3 // 5
    places = [place for place, sign in enumerate(base.text) if sign == comma and place > half]
    if not places:
        return base.text.rstrip(_STOPS) + comma
    return base.text[: rng.choice(places) + 1]


@defect("missing_end")
def no_full_stop(rng: random.Random, base: Base) -> str:
    """The whole caption, without its last full stop."""
    return base.text.rstrip(_STOPS)


@defect("missing_end")
def cut_after_a_small_word(rng: random.Random, base: Base) -> str:
    """Goes on after its end with the beginning of a sentence."""
    tails = {
        "en": ["In the", "Behind them, a", "The", "To the right of the", "Next to it is"],
        "zh": ["在画面的", "右侧还有一", "旁边的", "背景中", "此外"],
    }
    return base.join([base.text, rng.choice(tails[base.language])])


@defect("too_short")
def too_short(rng: random.Random, base: Base) -> str:
    """Its shortest sentence only."""
    return min(base.sentences, key=len)


@defect("too_long")
def too_long(rng: random.Random, base: Base) -> str:
    """So many captions in one that no description is as long."""
    least = 2100 if base.language == "en" else 640
    text = base.text
    others = [other for other in good_captions(base.language) if other != base.text]
    rng.shuffle(others)
    while len(text) < least:
        text = base.join([text, others.pop()])
    return text


@defect("line_break", "replacement_character")
def line_break(rng: random.Random, base: Base) -> str:
    """Sentences on lines or paragraphs of their own."""
    sentences = base.sentences
    place = rng.randrange(1, len(sentences))
    breaks = ["\n", "\n\n", "\r\n", "\u2028", "\n\n\n", " \n"]
    return base.join(sentences[:place]) + rng.choice(breaks) + base.join(sentences[place:])


DEFECTS = (
    cut_in_a_word,
    cut_after_a_comma,
    no_full_stop,
    cut_after_a_small_word,
    too_short,
    too_long,
    line_break,
)
