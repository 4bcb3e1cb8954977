"""Row rules: what makes a caption unfit, each with the name that a rejected row carries.

Rules mark; only the curate stage splits. A row that the engine did not caption carries the reason
of its status alone: a rule about text says nothing about a text that is not there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from sa1b_captions.recipe import LanguageQuality
from sa1b_captions.records import CaptionStatus

SPECIAL_TOKENS = ("<image>", "<img>", "</img>", "<IMG_CONTEXT>", "<|im_start|>", "<|im_end|>")
"""Markers of the model's chat template; one in a caption would break whoever trains on it."""

LINE_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
"""Every character that ends a line for some reader of JSONL."""

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


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to reject a caption."""

    name: str
    """The reason, as rows carry it."""
    meaning: str
    """One line for people, without a full stop."""
    breaks: Callable[[LanguageQuality], pl.Expr]
    """Expression over the column `caption` (never null), true where the row breaks the rule."""
    languages: tuple[str, ...] = ("en", "zh")
    """Languages the rule applies to."""


def _too_short(limits: LanguageQuality) -> pl.Expr:
    return pl.col("caption").str.len_chars() < limits.min_chars


def _too_long(limits: LanguageQuality) -> pl.Expr:
    return pl.col("caption").str.len_chars() > limits.max_chars


def _line_break(_: LanguageQuality) -> pl.Expr:
    return pl.col("caption").str.contains_any(list(LINE_BREAKS))


def _special_token(_: LanguageQuality) -> pl.Expr:
    # Any case: a tokenizer that is forgiving about it is enough to do the damage.
    return pl.col("caption").str.contains_any(list(SPECIAL_TOKENS), ascii_case_insensitive=True)


RULES = (
    Rule("too_short", "fewer characters than the language's lower limit", _too_short),
    Rule("too_long", "more characters than the language's upper limit", _too_long),
    Rule("line_break", "more than one line; a caption is a single paragraph", _line_break),
    Rule("special_token", "contains a marker of the model's chat template", _special_token),
)
"""All rules over one row, in the order in which a row lists its reasons."""

MEANINGS: dict[str, str] = {
    **{status.value: meaning for status, meaning in STATUS_REASONS.items()},
    **{rule.name: rule.meaning for rule in RULES},
    EXACT_DUPLICATE: "same text as an earlier sample, apart from case, punctuation and spaces",
    NEAR_DUPLICATE: "nearly the same words in the same order as an earlier sample",
}
"""Every reason there is and its meaning, in the order reports list them."""


def find_reasons(rows: pl.DataFrame, language: str, limits: LanguageQuality) -> pl.Series:
    """Find each row's reasons, all but duplication, which takes more than one row to see.

    Args:
        rows: columns `caption` and `status`, of one language.
        language: the language of all rows.
        limits: that language's limits.

    Returns:
        Lists of strings, one per row and in its order; empty where the row is fit.
    """
    rules = [rule for rule in RULES if language in rule.languages]
    text = pl.col("caption").fill_null("")
    wordless = ~text.str.contains(r"[\p{L}\p{N}]")
    broken = [
        pl.when(rule.breaks(limits)).then(pl.lit(rule.name)).otherwise(pl.lit(None, pl.String))
        for rule in rules
    ]
    return (
        rows.select(text, "status")
        .select(
            pl.when(pl.col("status") != CaptionStatus.OK.value)
            .then(pl.concat_list(pl.col("status")))
            .when(wordless)
            .then(pl.concat_list(pl.lit(CaptionStatus.EMPTY.value)))
            .otherwise(pl.concat_list(broken).list.drop_nulls())
            .alias("reasons")
        )
        .to_series()
    )
