"""Loops, echoes and things said twice."""

import random
import re

from tests.gold.planting.base import Base, defect, inner_places

_ITEMS = {
    "en": ["trees", "lamps", "bags", "chairs", "bottles", "windows", "flags", "boats", "cups"],
    "zh": ["树木", "路灯", "背包", "椅子", "瓶子", "窗户", "旗帜", "小船", "杯子"],
}

_TEMPLATES = {
    "en": (
        [
            (
                "the {} adds warmth to the scene",
                ["lamp", "rug", "fire", "wood", "red wall", "old chair", "curtain", "candle"],
            ),
            (
                "the {} seems quiet and still",
                ["room", "street", "air", "whole place", "square", "water", "morning", "garden"],
            ),
            (
                "a small table stands {} the sofa",
                ["behind", "beside", "before", "near", "next to", "left of", "right of"],
            ),
        ],
        [
            "hinting that the guests have left",
            "giving the yard a rural touch",
            "showing that someone lives here",
        ],
    ),
    "zh": (
        [
            (
                "{}透着一股古朴的气息",
                ["屋檐", "门窗", "石阶", "院墙", "廊柱", "整座院落", "砖雕", "木门"],
            ),
            (
                "{}都显得格外安静",
                ["街道", "河面", "广场", "屋顶", "整个小镇", "码头", "树林", "田野"],
            ),
            (
                "沙发的{}摆着一张小方桌",
                ["左侧", "右侧", "前方", "后方", "左后方", "右前方", "旁边", "对面"],
            ),
        ],
        ["说明主人刚刚离开", "给院子添了几分生气", "让人想起小时候的夏天"],
    ),
}
"""Clauses with one thing left open, and what may be said by turns."""


@defect("ngram_repetition", "word_echo", "sentence_repetition", "missing_end", "too_long")
def loop_phrase(rng: random.Random, base: Base) -> str:
    """A run of four to eight words that comes again until the caption stops."""
    *before, last = base.sentences
    words = base.words(last.rstrip(".。"))
    size = min(len(words), rng.randint(4, 8) * (1 if base.language == "en" else 2))
    stop = "." if base.language == "en" else "。"
    looped = base.glue.join([*words, *words[-size:] * rng.randint(5, 12)])
    return base.join([*before, looped + stop])


@defect("sentence_repetition", "ngram_repetition", "word_echo", "too_long")
def loop_sentence(rng: random.Random, base: Base) -> str:
    """The last sentence again and again."""
    return base.join([*base.sentences, *base.sentences[-1:] * rng.randint(3, 6)])


@defect("sentence_repetition", "ngram_repetition", "word_echo")
def repeat_sentence(rng: random.Random, base: Base) -> str:
    """One sentence said once more, anywhere after it."""
    sentences = base.sentences
    place = rng.randrange(len(sentences))
    sentences.insert(rng.randint(place + 1, len(sentences)), sentences[place])
    return base.join(sentences)


@defect("sentence_repetition", "ngram_repetition", "word_echo")
def repeat_clause(rng: random.Random, base: Base) -> str:
    """The first nine words (sixteen characters) of a sentence once more, in another sentence."""
    sentences = base.sentences
    size = 9 if base.language == "en" else 16
    words = base.words(rng.choice([said for said in sentences if len(base.words(said)) > size]))
    again = base.glue.join(words[:size]).strip(',.，。；：:;“‘"')
    opening = "There is also the detail that" if base.language == "en" else "还可以看到"
    tail = ["in view.", "as before."] if base.language == "en" else ["这一幕。", "的样子。"]
    return base.join([*sentences, base.glue.join([opening, again, rng.choice(tail)])])


@defect("ngram_repetition", "word_echo", "missing_end", "sentence_repetition")
def loop_list(rng: random.Random, base: Base) -> str:
    """A list that begins anew each time it ends."""
    items = rng.sample(_ITEMS[base.language], rng.randint(3, 6))
    comma, opening, stop = (
        (", ", "There are also ", ".") if base.language == "en" else ("、", "此外还有", "。")
    )
    return base.join([base.text, opening + comma.join(items * rng.randint(5, 10)) + stop])


@defect("ngram_repetition", "sentence_repetition", "word_echo", "missing_end", "too_long")
def loop_template(rng: random.Random, base: Base) -> str:
    """Clauses that say the same of one thing after the other, or one of two by turns."""
    said, by_turns = _TEMPLATES[base.language]
    comma, stop = (", ", ".") if base.language == "en" else ("，", "。")
    times = rng.randint(4, 7)
    if rng.random() < 0.3:
        clauses = rng.sample(by_turns, 2) * times
    else:
        form, slots = rng.choice(said)
        clauses = [form.format(slot) for slot in rng.sample(slots, times)]
    opening = clauses[0][0].upper() + clauses[0][1:]
    return base.insert(rng, comma.join([opening, *clauses[1:]]) + stop, first=1)


@defect("word_echo", "ngram_repetition")
def echo_word(rng: random.Random, base: Base) -> str:
    """A word three to six times, one after the other."""
    return base.change(rng, lambda words: _echo(rng, base, words, size=1, times=(3, 6)))


@defect("word_echo", "ngram_repetition")
def echo_phrase(rng: random.Random, base: Base) -> str:
    """Two or three words three to five times, one after the other."""
    return base.change(
        rng, lambda words: _echo(rng, base, words, size=rng.randint(2, 3), times=(3, 5))
    )


@defect("word_echo", "ngram_repetition")
def echo_after_commas(rng: random.Random, base: Base) -> str:
    """A word said twice or more with bare commas between and after, as in `white,white,,`."""
    comma = rng.choice([",", ", "] if base.language == "en" else ["，", "、", ","])
    times = rng.randint(2, 5)
    double = rng.random() < 0.5 or times == 2

    def how(words: list[str]) -> list[str]:
        place, word = _pick(rng, base, words)
        said = comma.join([word] * times) + comma.strip() * (2 if double else 1)
        return [*words[:place], said, *words[place + len(base.words(word)) :]]

    return base.change(rng, how)


@defect("character_run", "word_echo", "ngram_repetition", "missing_end", "markdown")
def character_run(rng: random.Random, base: Base) -> str:
    """One character twelve to sixty times, drawn out of a word or instead of the full stop."""
    times = rng.randint(12, 60)
    if rng.random() < 0.5:
        signs = ".!-_?=*" if base.language == "en" else "。！～—？…．"
        return base.text.rstrip(".。") + rng.choice(signs) * times

    def how(words: list[str]) -> list[str]:
        place = rng.choice(inner_places(words))
        letter = rng.randrange(len(words[place]))
        word = words[place][:letter] + words[place][letter] * times + words[place][letter + 1 :]
        return [*words[:place], word, *words[place + 1 :]]

    return base.change(rng, how)


def _pick(rng: random.Random, base: Base, words: list[str]) -> tuple[int, str]:
    """A word within a sentence with its place; in Chinese two characters, unequal ones."""
    if base.language == "en":
        place = rng.choice(inner_places(words))
        return place, words[place]
    pairs = [
        found.start()
        for found in re.finditer(r"(?=([\u4e00-\u9fff])(?!\1)[\u4e00-\u9fff])", "".join(words))
    ]
    place = rng.choice(pairs)
    return place, "".join(words[place : place + 2])


def _echo(
    rng: random.Random, base: Base, words: list[str], *, size: int, times: tuple[int, int]
) -> list[str]:
    if base.language == "zh":
        size *= 2
        runs = [
            place
            for place in range(len(words) - size)
            if all("\u4e00" <= sign <= "\u9fff" for sign in words[place : place + size])
            and len(set(words[place : place + size])) == size
        ]
        place = rng.choice(runs) if runs else _pick(rng, base, words)[0]
        size = size if runs else 2
    else:
        runs = [
            place
            for place in inner_places(words)
            if place + size < len(words)
            and all(word.isalpha() for word in words[place : place + size])
        ]
        place = rng.choice(runs) if runs else rng.choice(inner_places(words))
        size = size if runs else 1
    again = words[place : place + size] * (rng.randint(*times) - 1)
    return [*words[:place], *again, *words[place:]]


DEFECTS = (
    loop_phrase,
    loop_sentence,
    repeat_sentence,
    repeat_clause,
    loop_list,
    loop_template,
    echo_word,
    echo_phrase,
    echo_after_commas,
    character_run,
)
