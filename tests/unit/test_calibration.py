from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.audit.calibration import (
    MIN_MARKS,
    Agreement,
    Marked,
    corrected_share,
    judge_quality,
    lacking,
    settle,
)
from sa1b_captions.audit.estimates import Stratum, refused_share
from sa1b_captions.marks import SentenceMark, Support
from sa1b_captions.receipts.faithfulness import SentenceCounts

SEEDS = 200
FALSE, SENSITIVITY, SPECIFICITY = 0.08, 0.7, 0.95


def audit(rng, captions=800):
    """Caption, falsehood and the judge's refusal of each sentence; the judge's errors are known."""
    sentences = rng.integers(3, 8, captions)
    caption = np.repeat(np.arange(captions), sentences)
    rates = rng.beta(FALSE * 8, (1 - FALSE) * 8, captions)
    false = rng.random(caption.size) < rates[caption]
    refused = rng.random(caption.size) < np.where(false, SENSITIVITY, 1 - SPECIFICITY)
    return caption, false, refused


def judged(caption, refused):
    sentences, refusals = np.bincount(caption), np.bincount(caption, refused).astype(int)
    counts = SentenceCounts(
        captions=sentences.size,
        sentences=int(sentences.sum()),
        refused=int(refusals.sum()),
        refused_squared=int((refusals**2).sum()),
        refused_by_sentences=int((refusals * sentences).sum()),
        sentences_squared=int((sentences**2).sum()),
    )
    return refused_share([Stratum(counts)])


def marks_of(caption, false, refused, rng, kinds):
    """Marks of so many refused and other sentences, drawn at random; people are right."""
    marked = []
    for kind, count in zip((True, False), kinds, strict=True):
        found = np.flatnonzero(refused == kind)
        chosen = rng.choice(found, min(count, found.size), replace=False)
        marked += [Marked(str(caption[n]), kind, not false[n]) for n in chosen]
    return Agreement(marked, 1, 0)


def shares(marks):
    return Agreement([Marked(f"c{n}", *mark) for n, mark in enumerate(marks)], 1, 0)


@pytest.mark.parametrize("kinds", [(80, 400), (200, 200)], ids=["as chance has it", "evenly"])
def test_the_corrected_share_covers_the_truth_at_the_stated_rate(kinds):
    """95 % over 200 seeds: fewer than 182 would happen to an honest interval once in a hundred."""
    rate = FALSE * SENSITIVITY + (1 - FALSE) * (1 - SPECIFICITY)
    covered, truths = np.zeros(3, int), (FALSE, FALSE * SENSITIVITY / rate, SENSITIVITY)
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        caption, false, refused = audit(rng)
        share = judged(caption, refused)
        quality = judge_quality(marks_of(caption, false, refused, rng, kinds), share)
        found = (corrected_share(share, quality), quality.precision, quality.recall)
        covered += [one.low <= true <= one.high for one, true in zip(found, truths, strict=True)]
    assert covered.min() >= 182, covered


def test_what_the_judge_says_is_not_the_truth():
    caption, _, refused = audit(np.random.default_rng(0))
    share = judged(caption, refused)
    assert not share.low <= FALSE <= share.high


@given(st.floats(0.01, 0.99), st.floats(0.02, 1), st.floats(0.02, 1))
def test_it_is_rogan_and_gladens_estimate(q, a, b):
    false = q * a + (1 - q) * b
    if false in (0, 1) or abs(a - b) < 1e-3 or false > 0.999:
        return
    sensitivity = q * a / false
    specificity = 1 - q * (1 - a) / (1 - false)
    estimate = (q + specificity - 1) / (sensitivity + specificity - 1)
    assert estimate == pytest.approx(false, abs=1e-6)


@given(
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 50),
)
def test_intervals_hold_their_values_whatever_is_marked(hits, alarms, misses, rights, refused):
    marks = shares(
        [(True, False)] * hits
        + [(True, True)] * alarms
        + [(False, False)] * misses
        + [(False, True)] * rights
    )
    share = refused_share([Stratum(SentenceCounts.of_caption(50, refused, 0))])
    quality = judge_quality(marks, share)
    for found in (
        quality.precision,
        quality.missed,
        quality.recall,
        corrected_share(share, quality),
    ):
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_marks_that_never_contradict_the_judge_still_leave_a_doubt():
    share = refused_share([Stratum(SentenceCounts.of_caption(1, 0, 0))] * 1000)
    quality = judge_quality(shares([(False, True)] * 100), share)
    assert corrected_share(share, quality).high > 0.03


def mark(sample, sentence, supported, who, draw="d1", text="t"):
    return SentenceMark(
        sample_id=sample, text_xxh3=text, sentence=sentence, supported=supported, who=who, draw=draw
    )


def test_of_several_people_the_majority_counts_and_a_tie_counts_for_nothing():
    refused = {("a", "t", 0): True, ("a", "t", 1): False, ("b", "t", 0): False}
    said = [
        *(mark("a", 0, s, w) for s, w in (("no", "x"), ("yes", "y"), ("yes", "z"))),
        mark("a", 0, "no", "y"),  # thought again
        *(mark("a", 1, s, w) for s, w in (("no", "x"), ("yes", "y"))),
        mark("b", 0, "yes", "x"),
    ]
    found = settle([replace(m, supported=Support(m.supported)) for m in said], refused)
    assert sorted(found.sentences, key=str) == [Marked("a", True, False), Marked("b", False, True)]
    assert (found.reviewers, found.disputed) == (3, 1)


def test_marks_of_other_words_of_no_draw_or_without_a_view_are_passed_over():
    refused = {("a", "t", 0): True}
    said = [
        mark("a", 7, Support.NO, "x"),
        mark("a", 0, Support.NO, "x", text="captioned again"),
        mark("a", 0, Support.NO, "y", draw=None),
        mark("a", 0, Support.CANNOT_TELL, "z"),
    ]
    assert settle(said, refused) == Agreement([], 0, 0)


def test_too_few_marks_are_named():
    assert "nobody" in lacking(shares([]), 100)
    few = shares([(True, False)] * 3 + [(False, True)] * MIN_MARKS)
    assert "3 of 20" in lacking(few, 100)
    assert lacking(few, 3) == ""
    assert "0 of 20" in lacking(shares([(True, False)] * MIN_MARKS), 100)
