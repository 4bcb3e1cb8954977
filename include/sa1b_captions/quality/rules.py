"""Row rules: what makes a caption unfit, each with the name that a rejected row carries.

Rules mark; only the curate stage splits. A row that the engine did not caption carries the reason
of its status alone: a rule about text says nothing about a text that is not there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
import pyarrow as pa

from sa1b_captions.recipe.limits import LanguageQuality
from sa1b_captions.records import CaptionStatus

EXACT_DUPLICATE = "exact_duplicate"
"""Reason of a caption whose normalised text an earlier sample of its shard and track has."""

NEAR_DUPLICATE = "near_duplicate"
"""Reason of a caption that shares most of its wording with an earlier one of its shard and track.
"""

STATUS_REASONS = {
    CaptionStatus.UNDECODABLE: "an image of the sample cannot be decoded",
    CaptionStatus.ERROR: "the engine failed on this sample",
    CaptionStatus.EMPTY: "the engine said nothing: no letter and no digit",
    CaptionStatus.TRUNCATED: "the token limit cut the caption",
}
"""Reasons of rows without a usable caption, named as their status, and what they mean."""


MIN_SHARE_WORDS = 20
"""Words a caption must have, quotations apart, for shares of them to tell its language."""


class LengthReference(Protocol):
    """How long captions of a language are, from shards that people have looked at."""

    @property
    def median_log_chars(self) -> float:
        """Median of ln(caption_chars)."""

    @property
    def mad_log_chars(self) -> float:
        """1.4826 times the median distance from that median."""


Breaks = Callable[[LanguageQuality, LengthReference | None], pl.Expr]
"""Makes an expression over `records.TEXT_FEATURES`, true where a row breaks the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to reject a caption."""

    name: str
    """The reason, as rows carry it."""
    meaning: str
    """One line for people, without a full stop."""
    breaks: Breaks
    limits: tuple[str, ...] = ()
    """Names of the limits it looks at, fields of LanguageQuality."""


def _over(column: str, limit: str) -> Breaks:
    return lambda limits, _: pl.col(column) > getattr(limits, limit)


def _any(column: str) -> Breaks:
    return lambda _, __: pl.col(column) > 0


def _too_short(limits: LanguageQuality, _: LengthReference | None) -> pl.Expr:
    return pl.col("caption_chars") < limits.min_chars


def _length_outlier(limits: LanguageQuality, reference: LengthReference | None) -> pl.Expr:
    if reference is None:
        return pl.lit(value=False)
    distance = (pl.col("caption_chars").log() - reference.median_log_chars).abs()
    return distance > limits.max_length_mads * reference.mad_log_chars


def _foreign_script(limits: LanguageQuality, _: LengthReference | None) -> pl.Expr:
    stray = pl.col("stray_foreign") > limits.max_stray_letters
    return stray | (pl.col("foreign_share") > limits.max_foreign_share)


_LANGUAGE_LIMITS = {
    "max_han_share": "han_share",
    "max_stray_stopwords": "stray_stopwords",
    "max_stray_english": "stray_english",
    "max_latin_run": "latin_run",
    "max_foreign_words": "foreign_words",
    "max_foreign_sentences": "foreign_sentences",
}
"""Limits of `wrong_language` that a column must not exceed."""

_CHINESE_LIMITS = {
    "max_stray_han": "stray_han",
    "max_stray_traditional": "stray_traditional",
    "max_wide_marks": "wide_marks",
}
"""The same, where nothing is Japanese."""

_REPETITION_LIMITS = {
    "max_dup2": "dup2",
    "max_dup10": "dup10",
    "max_local_repeats": "local_repeats",
    "max_loop_units": "loop_units",
    "max_repeated_run": "repeated_run",
}


def _wrong_language(limits: LanguageQuality, _: LengthReference | None) -> pl.Expr:
    # Shares of a handful of words mean nothing, and `too_short` has such captions anyway.
    enough = pl.col("stray_words") >= MIN_SHARE_WORDS
    broken = [_above(limits, _LANGUAGE_LIMITS)]
    if limits.min_han_share is not None:
        broken.append(pl.col("han_share") < limits.min_han_share)
    if limits.min_stopword_share is not None:
        broken.append(enough & (pl.col("stopword_share") < limits.min_stopword_share))
    if limits.max_other_stopword_share is not None:
        other = pl.col("other_stopword_share")
        broken.append(enough & (other > limits.max_other_stopword_share))
    # Han letters and wide marks among kana are Japanese, which `foreign_script` sees.
    no_kana = pl.col("stray_foreign") <= limits.max_stray_letters
    broken.append(_above(limits, _CHINESE_LIMITS) & no_kana)
    return pl.any_horizontal(broken)


def _above(limits: LanguageQuality, columns: dict[str, str]) -> pl.Expr:
    """Whether some column exceeds its limit; a limit of None is none."""
    over = [
        pl.col(column) > getattr(limits, limit)
        for limit, column in columns.items()
        if getattr(limits, limit) is not None
    ]
    return pl.any_horizontal(pl.lit(value=False), *over)


def _word_echo(limits: LanguageQuality, _: LengthReference | None) -> pl.Expr:
    return (pl.col("echo_units") > limits.max_echo_units) | (pl.col("stutters") > 0)


def _ngram_repetition(limits: LanguageQuality, _: LengthReference | None) -> pl.Expr:
    return _above(limits, _REPETITION_LIMITS)


def _sentence_repetition(limits: LanguageQuality, _: LengthReference | None) -> pl.Expr:
    share = pl.col("repeated_sentence_share") > limits.max_repeated_sentence_share
    return share | _above(limits, {"max_repeated_clauses": "repeated_clauses"})


RULES = (
    Rule("too_short", "fewer characters than a description has", _too_short, ("min_chars",)),
    Rule(
        "too_long",
        "more characters than a description has",
        _over("caption_chars", "max_chars"),
        ("max_chars",),
    ),
    Rule(
        "length_outlier",
        "far shorter or longer than captions of the pinned reference",
        _length_outlier,
        ("max_length_mads",),
    ),
    Rule(
        "line_break",
        "more than one line, or a space before it; a caption is a single paragraph",
        _any("line_breaks"),
    ),
    Rule(
        "markdown",
        "Markdown, JSON, HTML, LaTeX, escapes or a formula instead of plain prose",
        _any("markdown_marks"),
    ),
    Rule(
        "special_token",
        "contains a marker of a chat template, or the coordinates of a box",
        _any("special_tokens"),
    ),
    Rule("refusal", "the model declines to describe the picture", _any("refusals")),
    Rule("meta_talk", "talks about the task or the model, not the picture", _any("meta_talk")),
    Rule(
        "foreign_script",
        "slips into a script that is neither Latin nor Chinese; a quoted sign may",
        _foreign_script,
        ("max_stray_letters", "max_foreign_share"),
    ),
    Rule(
        "wrong_language",
        "not, or not only, in the language that was asked for",
        _wrong_language,
        (
            *("min_han_share", "min_stopword_share", "max_other_stopword_share"),
            *(*_LANGUAGE_LIMITS, *_CHINESE_LIMITS),
        ),
    ),
    Rule(
        "ngram_repetition",
        "runs of words come again and again",
        _ngram_repetition,
        tuple(_REPETITION_LIMITS),
    ),
    Rule(
        "sentence_repetition",
        "sentences or clauses are said twice, word for word",
        _sentence_repetition,
        ("max_repeated_sentence_share", "max_repeated_clauses"),
    ),
    Rule(
        "word_echo",
        "a word or phrase is repeated on the spot",
        _word_echo,
        ("max_echo_units",),
    ),
    Rule(
        "character_run",
        "one character many times in a row",
        _over("character_run", "max_character_run"),
        ("max_character_run",),
    ),
    Rule(
        "missing_end",
        "the last sentence has no end",
        lambda _, __: pl.col("ends_sentence") == 0,
    ),
    Rule(
        "replacement_character",
        "broken text: replacement, control, private or unseen characters, or wrongly decoded ones",
        _any("lost_characters"),
    ),
)
"""All rules over one row, in the order in which a row lists its reasons."""

MEANINGS: dict[str, str] = {
    **{status.value: meaning for status, meaning in STATUS_REASONS.items()},
    **{rule.name: rule.meaning for rule in RULES},
    EXACT_DUPLICATE: "same text as an earlier sample, apart from case, punctuation and spaces",
    NEAR_DUPLICATE: "nearly the same words in the same order as an earlier sample",
}
"""Every reason there is and its meaning, in the order reports list them."""


def find_reasons(
    rows: pl.DataFrame, limits: LanguageQuality, reference: LengthReference | None = None
) -> pl.Series:
    """Find each row's reasons, all but duplication, which takes more than one row to see.

    Args:
        rows: `records.TEXT_FEATURES` and `status`, of one language.
        limits: that language's limits.
        reference: that language's lengths; without one no length is an outlier.

    Returns:
        Lists of strings, one per row and in its order; empty where the row is fit.
    """
    reads = (pl.col("status") == CaptionStatus.OK.value) & (pl.col("units") > 0)
    broken = rows.select(
        reads.alias("reads"),
        *(
            (reads & rule.breaks(limits, reference)).alias(rule.name)
            for rule in RULES
            if rule.name not in limits.off
        ),
    )
    unread = rows.filter(~broken["reads"])["status"]
    found = {rule: broken[rule].arg_true().to_numpy() for rule in broken.columns[1:]}
    return _as_lists(
        rows.height,
        [(~broken["reads"]).arg_true().to_numpy(), *found.values()],
        pl.concat(
            [
                unread.replace(CaptionStatus.OK.value, CaptionStatus.EMPTY.value),
                *(pl.repeat(rule, len(hits), eager=True) for rule, hits in found.items()),
            ]
        ),
    )


def _as_lists(rows: int, places: list[np.ndarray], reasons: pl.Series) -> pl.Series:
    """Lists of reasons, one per row, from the rows that each reason has.

    Few rows have any: a list made of a column for each rule would cost every row 3 µs (measured).
    """
    places_of_all = np.concatenate(places)
    edges = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(places_of_all, minlength=rows), out=edges[1:])
    ordered = reasons.gather(np.argsort(places_of_all, kind="stable"))
    lists = pa.LargeListArray.from_arrays(edges, ordered.to_arrow().cast(pa.large_string()))
    return pl.Series("reasons", lists)
