"""The feature frame: what can be measured of a caption's text, one row of numbers per caption.

Rules are expressions over these columns, validation checks them, reference and health compare
their distributions. No text is among them.
"""

import re

import numpy as np
import polars as pl
import pyarrow as pa

from sa1b_captions.quality import characters, phrases, stopwords
from sa1b_captions.quality.duplicates.wording import buffers
from sa1b_captions.quality.kernels import columns as kernel
from sa1b_captions.records import TEXT_FEATURES

SPECIAL_TOKENS = (
    *("<image>", "<img>", "</img>", "<IMG_CONTEXT>", "<|im_start|>", "<|im_end|>"),
    *("<box>", "</box>", "<ref>", "</ref>", "<quad>", "</quad>", "<s>", "</s>", "<unk>", "<pad>"),
    *("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>"),
    *("<|end_header_id|>", "<|endoftext|>", "[INST]", "[/INST]", "<<SYS>>"),
)
"""Markers of chat templates; one in a caption would break whoever trains on it."""

LINE_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
"""Every character that ends a line for some reader of JSONL."""

_STOPWORD_SLOTS = 2048
_MASK = 2**64 - 1


def measure(captions: pa.ChunkedArray | pa.Array) -> pl.DataFrame:
    """Measure captions (`records.TEXT_FEATURES`), in their order; null counts as empty.

    The numbers of a caption depend on its text alone, not on the others and not on its language.
    """
    texts = pl.Series("caption", captions, dtype=pl.String).fill_null("")
    counts = _count(texts)
    tags = _special_tokens(texts, counts["brackets"])
    return pl.concat([counts, tags, _count_phrases(texts)], how="horizontal").select(
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
    found = texts.gather(rows).to_frame()
    counts = {name: np.zeros(len(texts), np.int32) for name in ("special_tokens", "tags")}
    counts["special_tokens"][rows] = found.select(_matches(_SPECIAL)).to_series()
    counts["tags"][rows] = found.select(_matches(_TAG)).to_series()
    return pl.DataFrame(counts)


def _count_phrases(texts: pl.Series) -> pl.DataFrame:
    """Phrases per text. Most have none, so quotations are taken out of the others only."""
    frame = texts.to_frame()
    counts = frame.select(speculations=phrases.count(pl.col("caption"), phrases.SPECULATIONS))
    found = {name: np.zeros(len(texts), np.int32) for name in ("refusals", "meta_talk")}
    rows = frame.select(phrases.suspect(pl.col("caption"))).to_series().arg_true()
    few = frame[rows].select(phrases.unquoted(pl.col("caption")))
    few = few.with_columns(edges=phrases.edges(pl.col("caption")))
    few = few.select(
        refusals=phrases.count(pl.col("edges"), phrases.REFUSALS),
        meta_talk=phrases.count(pl.col("edges"), phrases.META_TALK),
        first_person=pl.col("caption").str.count_matches("|".join(phrases.FIRST_PERSON)),
    )
    found["refusals"][rows] = few["refusals"]
    # A refusal speaks in the first person by itself.
    spoken = pl.when(pl.col("refusals") == 0).then(pl.col("first_person")).otherwise(0)
    found["meta_talk"][rows] = few.select(pl.col("meta_talk") + spoken).to_series()
    return counts.with_columns(**{name: pl.Series(found[name]) for name in found})


def _matches(pattern: str) -> pl.Expr:
    return pl.col("caption").str.count_matches(pattern)


def _share(part: str, whole: str | pl.Expr) -> pl.Expr:
    total = pl.col(whole) if isinstance(whole, str) else whole
    return pl.when(total > 0).then(pl.col(part) / total).otherwise(0.0)


def _stopword_table() -> tuple[np.ndarray, np.ndarray]:
    """Hashes of stopwords in the kernel's slots, and the tags it knows them by."""
    keys, tags = np.zeros(_STOPWORD_SLOTS, np.uint64), np.zeros(_STOPWORD_SLOTS, np.uint8)
    for tag, words in ((1, stopwords.ENGLISH), (2, stopwords.FOREIGN), (3, stopwords.STUTTERS)):
        for word in sorted(words):
            value = _hash_word(word)
            slot = value % _STOPWORD_SLOTS
            while tags[slot]:
                slot = (slot + 1) % _STOPWORD_SLOTS
            keys[slot], tags[slot] = value, tag
    return keys, tags


def _hash_word(word: str) -> int:
    """The kernel's hash of a lower-case word."""
    value = 0xCBF29CE484222325
    for character in word:
        value = ((value ^ ord(character)) * 0x100000001B3) & _MASK
    value = ((value ^ (value >> 32)) * 0x9E3779B97F4A7C15) & _MASK
    return value ^ (value >> 29)


_TABLES = (characters.kind_table(), *_stopword_table())

_SPECIAL = "(?i)" + "|".join([*map(re.escape, SPECIAL_TOKENS), r"<\|\w{1,30}\|>"])
_TAG = r"(?i)</?(?:br|p|b|i|em|strong|div|span|ul|ol|li|table|tr|td|h[1-6])\s*/?>"

_POLARS = {pa.int32(): pl.Int32, pa.float32(): pl.Float32}

_FEATURES = {name: pl.col(name) for name in TEXT_FEATURES.names} | {
    "han_share": _share("han", "letters"),
    "foreign_share": _share("foreign", "letters"),
    "stopword_share": _share("stopwords", "words"),
    "other_stopword_share": _share("other_stopwords", "words"),
    "markdown_marks": pl.col("markdown_marks") + pl.col("tags"),
    "dup2": _share("repeats2", pl.col("units") - 1),
    "dup10": _share("repeats10", pl.col("units") - 9),
    "repeated_sentence_share": _share("repeated_sentences", "sentences"),
}
