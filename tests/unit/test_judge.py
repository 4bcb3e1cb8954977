import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.audit.judge import (
    ANSWERED,
    Answer,
    question,
    read_answer,
    read_probabilities,
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("yes", Answer.YES),
        (" Yes.\n", Answer.YES),
        ("**No**", Answer.NO),
        ("“no”", Answer.NO),
        ("Cannot tell.", Answer.CANNOT_TELL),
        ("can’t  tell", Answer.CANNOT_TELL),
        ("是。", Answer.YES),
        ("不是", Answer.NO),
        ("无法判断", Answer.CANNOT_TELL),
    ],
)
def test_the_three_answers_are_read_however_they_are_dressed(text, answer):
    assert read_answer(text) is answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes and no",
        "Yes, the dog is",
        "not really",
        "no yes",
        "The image shows",
        "yes no",
        "42",
    ],
)
def test_what_is_none_of_the_three_is_not_guessed_at(text):
    assert read_answer(text) is Answer.UNREADABLE


@given(st.text(max_size=30))
def test_any_text_has_one_reading(text):
    assert read_answer(text) in Answer


def test_the_most_probable_answer_counts_whatever_was_written():
    told = read_probabilities({"Yes": math.log(0.3), "No": math.log(0.45), "ĠNo": math.log(0.1)})
    assert told.answer is Answer.NO
    assert math.exp(told.no) == pytest.approx(0.55)
    assert told.cannot_tell is None


def test_the_first_token_of_cannot_tell_is_enough():
    for token in ("can", "Cannot", "▁can", "无法"):
        assert read_probabilities({token: -0.1}).answer is Answer.CANNOT_TELL


def test_a_model_that_says_something_else_has_not_answered():
    told = read_probabilities({"The": math.log(0.9), "yes": math.log(0.05)})
    assert told.answer is Answer.UNREADABLE


def test_an_engine_that_tells_nothing_has_no_probabilities():
    assert read_probabilities(None) is read_probabilities({}) is None


@given(st.dictionaries(st.text(max_size=8), st.floats(max_value=0, allow_nan=False), max_size=6))
def test_any_tokens_have_one_reading(tokens):
    told = read_probabilities(tokens)
    assert told is None or told.answer in (*ANSWERED, Answer.UNREADABLE)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_questions_differ_in_their_end_alone(language):
    """So the engine's prefix cache serves all but the first about an image."""
    first, second = (question(text, language, 1) for text in ("A {dog}\nruns.", "B"))
    shared = first.removesuffix("A {dog} runs.")
    assert shared == second.removesuffix("B")
    assert len(shared) > 100
    assert "\n\n" in shared[-20:]
    assert question("A", language, 2) != question("A", language, 1)
