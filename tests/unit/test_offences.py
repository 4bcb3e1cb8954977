import pytest

from sa1b_captions.quality.browse.offences import find_offences
from sa1b_captions.recipe import load_recipe
from tests.gold.examples import EXAMPLES

LIMITS = load_recipe("internvl").quality.languages
WITHOUT_WORDS = {"too_short", "length_outlier"}


@pytest.mark.parametrize(
    ("language", "text", "reason", "marked"),
    [
        ("en", "A red cup. I am sorry, I cannot help.", "refusal", ["I am sorry, I cannot help."]),
        ("zh", "图中有杯子。抱歉，我无法回答。", "refusal", ["抱歉，我无法回答。"]),
        ("en", "A cup on a table. <|im_end|> It is red.", "special_token", ["<|im_end|>"]),
        ("en", "A cup stands on the the table.", "word_echo", [" the the"]),
        ("en", "A red cup stands on a table. It is", "missing_end", ["is"]),
        ("en", "A cup.\nA table.", "line_break", ["\n"]),
        ("en", "A cup. На столе чашка.", "foreign_script", ["На столе чашка."]),
        ("en", "A cup \ufffd there.", "replacement_character", [" \ufffd"]),
    ],
)
def test_the_words_that_break_a_rule_are_marked(language, text, reason, marked):
    spans = find_offences(text, reason, LIMITS[language])
    assert [text[start:end] for start, end in spans] == marked


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.rule}-{one.language}")
def test_a_failing_example_is_marked_and_a_passing_one_is_not(example):
    passing, failing = example.captions
    limits = LIMITS[example.language]
    spans = find_offences(failing, example.rule, limits)
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(failing) for start, end in spans)
    assert bool(spans) == (example.rule not in WITHOUT_WORDS)
    assert find_offences(passing, example.rule, limits) == []


def test_what_is_longer_than_allowed_is_marked_from_there_on():
    text = "x" * (LIMITS["en"].max_chars + 5)
    assert find_offences(text, "too_long", LIMITS["en"]) == [(len(text) - 5, len(text))]


def test_a_status_has_no_words():
    assert find_offences("", "undecodable", LIMITS["en"]) == []
    assert find_offences("A cup.", "exact_duplicate", LIMITS["en"]) == []
