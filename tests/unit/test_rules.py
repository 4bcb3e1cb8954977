import polars as pl
import pytest

from sa1b_captions.quality.rules import MEANINGS, RULES, find_reasons
from sa1b_captions.recipe import LanguageQuality
from sa1b_captions.records import CaptionStatus

LIMITS = LanguageQuality(min_chars=20, max_chars=60)
FIT = "A red kettle stands on a wooden table."

EXAMPLES = {
    # rule: (a caption it lets pass, one it rejects)
    "too_short": ("x" * 20, "x" * 19),
    "too_long": ("x" * 60, "x" * 61),
    "line_break": (FIT, "A red kettle.\nIt stands on a table."),
    "special_token": ("An image of a <b>red</b> kettle here.", "A red <image> kettle on a table."),
}


def reasons(*captions, status="ok", language="en"):
    rows = pl.DataFrame(
        {"caption": captions, "status": [status] * len(captions)},
        schema={"caption": pl.String, "status": pl.String},
    )
    return find_reasons(rows, language, LIMITS).to_list()


def test_every_rule_has_a_passing_and_a_failing_example():
    assert list(EXAMPLES) == [rule.name for rule in RULES]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_rule_rejects_its_failing_example_alone(name, language):
    passing, failing = EXAMPLES[name]
    assert reasons(passing, failing, language=language) == [[], [name]]


@pytest.mark.parametrize("character", ["\n", "\r", "\u2028", "\u2029", "\x85", "\x0b"])
def test_every_line_break_counts(character):
    assert reasons(f"A red kettle{character}stands on a table.") == [["line_break"]]


@pytest.mark.parametrize(
    "token",
    ["<image>", "<img>", "</img>", "<IMG_CONTEXT>", "<|im_end|>", "<|im_start|>", "<Image>"],
)
def test_every_special_token_counts_in_any_case(token):
    assert reasons(f"A red kettle {token} on a table.") == [["special_token"]]


def test_length_is_counted_in_characters_not_bytes():
    assert reasons("红" * 20, "红" * 19, language="zh") == [[], ["too_short"]]


@pytest.mark.parametrize("status", [s.value for s in CaptionStatus if s != CaptionStatus.OK])
def test_a_row_without_a_caption_has_the_reason_of_its_status_alone(status):
    assert reasons("", None, "cut\nhere", status=status) == [[status]] * 3


@pytest.mark.parametrize("caption", [None, "", "   ", "\n", "...!?" * 8, "。" * 30])
def test_a_caption_without_words_is_empty_and_nothing_else(caption):
    assert reasons(caption) == [["empty"]]


def test_a_row_lists_all_its_reasons_in_the_order_of_the_rules():
    assert reasons("<image>\n" + "x" * 60) == [["too_long", "line_break", "special_token"]]


def test_no_rows_give_no_reasons():
    assert reasons() == []


def test_every_reason_has_a_meaning():
    found = {*EXAMPLES, *(s.value for s in CaptionStatus if s != CaptionStatus.OK)}
    assert found | {"exact_duplicate", "near_duplicate"} == set(MEANINGS)
    assert all(MEANINGS.values())
