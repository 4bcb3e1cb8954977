"""The feature frame: what can be measured of a caption's text, one row of numbers per caption.

Rules are expressions over these columns, validation checks them, reference and health compare
their distributions. No text is among them.
"""

import numpy as np
import polars as pl
import pyarrow as pa

from sa1b_captions.quality.duplicates.wording import buffers
from sa1b_captions.quality.kernels import columns as kernel
from sa1b_captions.quality.kernels.quotations import blank_quotations
from sa1b_captions.quality.lexicon import characters, markers, phrases, romanised, vocabulary
from sa1b_captions.quality.lexicon.characters import LINE_BREAKS
from sa1b_captions.records import TEXT_FEATURES

SPECIAL_TOKENS = (
    *("<image>", "<img>", "</img>", "<IMG_CONTEXT>", "<|im_start|>", "<|im_end|>"),
    *("<box>", "</box>", "<ref>", "</ref>", "<quad>", "</quad>", "<s>", "</s>", "<unk>", "<pad>"),
    *("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>"),
    *("<|end_header_id|>", "<|endoftext|>", "[INST]", "[/INST]", "<<SYS>>"),
)
"""Markers of chat templates that a report shows as such; `markers.SPECIAL` finds these and more."""

__all__ = ["LINE_BREAKS", "SPECIAL_TOKENS", "measure"]

_WORD_SLOTS = 131072
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def measure(captions: pa.ChunkedArray | pa.Array) -> pl.DataFrame:
    """Measure captions (`records.TEXT_FEATURES`), in their order; null counts as empty.

    The numbers of a caption depend on its text alone, not on the others and not on its language.
    """
    texts = pl.Series("caption", captions, dtype=pl.String).fill_null("")
    counts = _slips(texts, _count(texts))
    tags = _special_tokens(texts, counts["brackets"])
    heads = _heads(texts, counts["colons"])
    return pl.concat(
        [counts, tags, heads, _count_phrases(texts, counts["bare_han"] > 0, counts["talks"])],
        how="horizontal",
    ).select(
        _FEATURES[name].cast(_POLARS[kind]).alias(name)
        for name, kind in zip(TEXT_FEATURES.names, TEXT_FEATURES.types, strict=True)
    )


def _count(texts: pl.Series) -> pl.DataFrame:
    """The kernel's counts, a column each."""
    counts = np.zeros((len(texts), len(kernel.COLUMNS)), np.int32)
    if len(texts):
        utf8, edges = buffers(texts.to_arrow().cast(pa.large_string()))
        kernel.measure(utf8, edges, *_TABLES, int(np.diff(edges).max()), counts)
    return pl.DataFrame(dict(zip(kernel.COLUMNS, counts.T, strict=True)))


def _special_tokens(texts: pl.Series, brackets: pl.Series) -> pl.DataFrame:
    """How many markers and tags a text has; few have a bracket at all."""
    rows = (brackets > 0).arg_true()
    few = texts.gather(rows)
    own = _without_quotations(few)
    counts = {name: np.zeros(len(texts), np.int32) for name in ("special_tokens", "tags")}
    # A screen may show tags and numbers; what runs, and what a tokenizer reads, may not be quoted.
    counts["tags"][rows] = own.str.count_matches(_MARKUP) + few.str.count_matches(_RUNS)
    # The first pattern takes any tag.
    special = few.str.count_matches(_SPECIAL) - few.str.count_matches(_MARKUP)
    counts["special_tokens"][rows] = special + own.str.count_matches(_BOXES)
    return pl.DataFrame(counts)


def _heads(texts: pl.Series, colons: pl.Series) -> pl.DataFrame:
    """How many heads of parts and scripts a text has; few have a colon at all."""
    rows = (colons > 0).arg_true()
    counts = np.zeros(len(texts), np.int32)
    few = texts.gather(rows)
    counts[rows] = few.str.count_matches(markers.BRACKETED_HEADS)
    own = _without_quotations(few)
    counts[rows] += own.str.count_matches(markers.HEADS).to_numpy()
    counts[rows] += own.str.count_matches(markers.SCRIPTS).to_numpy()
    return pl.DataFrame({"heads": counts})


def _slips(texts: pl.Series, counts: pl.DataFrame) -> pl.DataFrame:
    """English words by their endings, and pinyin, in Chinese, all in lower case.

    Few texts have one unquoted.
    """
    rows = ((counts["bare_han"] > 0) & (counts["latin_run"] > 0)).arg_true()
    found = counts["stray_english"].to_numpy().copy()
    few = _without_quotations(texts.gather(rows))
    found[rows] += few.str.count_matches(_ENDINGS).to_numpy()
    runs = few.str.extract_all(romanised.RUNS).to_list()
    found[rows] += np.array([sum(map(romanised.is_pinyin, of_one)) for of_one in runs], np.int32)
    return counts.with_columns(stray_english=pl.Series(found))


def _count_phrases(texts: pl.Series, han: pl.Series, talks: pl.Series) -> pl.DataFrame:
    """Phrases per text. Most have none, so quotations are taken out of the others only."""
    counts = texts.to_frame().select(speculations=phrases.count_speculations(pl.col("caption")))
    found = {name: np.zeros(len(texts), np.int32) for name in ("refusals", "meta_talk")}
    rows = phrases.suspects(texts, han)
    few = phrases.find(_without_quotations(texts.gather(rows)))
    for name in found:
        found[name][rows] = few[name]
    # What no phrase has and words tell; a refusal is full of such words.
    found["meta_talk"] += (found["refusals"] + found["meta_talk"] == 0) * talks.to_numpy()
    return counts.with_columns(**{name: pl.Series(found[name]) for name in found})


def _without_quotations(texts: pl.Series) -> pl.Series:
    """Texts with spaces for what they quote, unless next to nothing is left."""
    if not len(texts):
        return texts
    utf8, edges = buffers(texts.to_arrow().cast(pa.large_string()))
    blanked = utf8[edges[0] : edges[-1]].copy()
    blank_quotations(blanked, edges - edges[0], _TABLES[0], int(np.diff(edges).max()))
    rest = pl.Series(
        pa.LargeStringArray.from_buffers(
            len(texts), pa.py_buffer((edges - edges[0]).astype(np.int64)), pa.py_buffer(blanked)
        )
    ).str.replace_all(" {2,}", "  ")
    enough = rest.str.len_chars() * 2 > texts.str.len_chars()
    return rest.zip_with(enough, texts).alias("caption")


def _share(part: str, whole: str | pl.Expr) -> pl.Expr:
    total = pl.col(whole) if isinstance(whole, str) else whole
    return pl.when(total > 0).then(pl.col(part) / total).otherwise(0.0)


def _word_table() -> np.ndarray:
    """What is known of words, in the slots of `kernels.tags.find_tag`."""
    table = np.zeros(_WORD_SLOTS, np.uint64)
    words, pairs = vocabulary.tags(), vocabulary.pair_tags()
    hashes = np.concatenate([_hash_words(list(words)), _hash_pairs(list(pairs))])
    known = np.array([*words.values(), *pairs.values()], np.uint64)
    slots = (hashes % _WORD_SLOTS).astype(np.int64)
    entries = hashes >> np.uint64(32) << np.uint64(32) | known
    while len(slots):
        # Each free slot goes to the first who asks for it, the others look at the next one.
        free, first = np.unique(slots, return_index=True)
        first = first[table[free] == 0]
        table[slots[first]] = entries[first]
        left = np.ones(len(slots), bool)
        left[first] = False
        slots = (slots[left] + 1) % _WORD_SLOTS
        entries = entries[left]
    return table


def _hash_words(words: list[str]) -> np.ndarray:
    """The kernel's hashes of lower-case words, uint64."""
    codes = np.array(words).view(np.uint32).reshape(len(words), -1)
    values = np.full(len(words), 0xCBF29CE484222325, np.uint64)
    for code in codes.T.astype(np.uint64):
        values = np.where(code, (values ^ code) * np.uint64(0x100000001B3), values)
    return _scramble(values)


def _hash_pairs(pairs: list[str]) -> np.ndarray:
    """The kernel's hashes of two Han letters in a row, uint64."""
    first, second = (_hash_words([pair[place] for pair in pairs]) for place in (0, 1))
    return _scramble(first * _GOLDEN + second)


def _scramble(values: np.ndarray) -> np.ndarray:
    values = (values ^ (values >> np.uint64(32))) * _GOLDEN
    spread: np.ndarray = values ^ (values >> np.uint64(29))
    return spread


_TABLES = (
    *(characters.table(), characters.gbk_table()),
    _word_table(),
)

_SPECIAL = "|".join(markers.SPECIAL)
_BOXES = "|".join(markers.BOXES)
_MARKUP = rf"(?i)</?(?:{'|'.join(markers.HTML)})(?:[\s/][^<>]{{0,200}})?/?>"
# What runs needs no end: browsers close a tag themselves.
_RUNS = r"(?i)<[a-z][^<>]{0,200}[\s/\"']on[a-z]{3,20}\s*=|<[!?%][a-z=-]"

_ENDINGS = (
    r"[\p{Han}，。、；：] ?[a-z]{3,}(?:ing|ed|ly|tion|sion|ness|ment|ous|ful|able|ible|ive|ity|"
    r"ance|ence|"
    r"less|ish|ated|ery|scape|tures?|ies)(?:[\p{Han}，。、；： ]|$)"
)

_POLARS = {pa.int32(): pl.Int32, pa.float32(): pl.Float32}

_FEATURES = {name: pl.col(name) for name in TEXT_FEATURES.names} | {
    "han_share": _share("bare_han", "stray_letters"),
    "foreign_share": _share("foreign", "letters"),
    "stopword_share": _share("stopwords", "stray_words"),
    "other_stopword_share": _share("other_stopwords", "stray_words"),
    "markdown_marks": pl.col("markdown_marks") + pl.col("tags") + pl.col("heads"),
    "dup2": _share("repeats2", pl.col("units") - 1),
    "dup10": _share("repeats10", pl.col("units") - 9),
    "repeated_sentence_share": _share("repeated_sentences", "sentences"),
}
