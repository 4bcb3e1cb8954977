import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from sa1b_captions.chance import wilson
from sa1b_captions.marks import CaptionMark, Fault, Judgement
from sa1b_captions.quality import reviews
from tests.gold.captions import read_gold


def mark(sample, judgement="good", who="ada", **more):
    return CaptionMark(
        sample_id=f"single_en/sa_000000/{sample}",
        who=who,
        text_xxh3="0" * 32,
        judgement=Judgement(judgement),
        **more,
    )


def test_the_share_of_a_random_sample_counts_each_caption_once():
    marks = [
        mark(1, draw="d#1"),
        mark(1, draw="d#1", who="grace"),
        mark(2, "bad", fault=Fault.STYLE, draw="d#1"),
        mark(3, draw="d#1"),
        mark(3, "bad", fault=Fault.STYLE, draw="d#1", who="grace"),  # a tie: unfit
        mark(4),  # of nobody's sample
    ]
    (share,) = reviews.fit_shares(marks).values()
    assert (share.hits, share.of) == (1, 3)
    assert share.interval == wilson(1, 3)


def test_a_share_says_its_interval():
    assert str(reviews.Share(797, 812)) == "98.2 %, 97.0 to 98.9, from 812"
    assert str(reviews.Share(0, 0)) == "–"


def test_a_rejected_caption_whose_rule_was_wrong_is_fit():
    wrong = mark(1, "bad", fault=Fault.RULE_WAS_WRONG, reasons=("refusal",))
    assert reviews.is_fit(wrong)
    assert not reviews.is_fit(mark(1, "bad", fault=Fault.RULE_WAS_WRONG, rule="refusal"))


def test_precision_and_recall_of_a_rule_come_from_marks_on_both_sides():
    marks = [
        *(mark(n, "bad", fault=Fault.STYLE, reasons=("refusal",)) for n in range(9)),
        mark(9, "good", reasons=("refusal",)),
        *(mark(100 + n, draw="d#1") for n in range(99)),
        mark(199, "bad", fault=Fault.RULE_WAS_WRONG, rule="refusal", draw="d#1"),
    ]
    (score,) = reviews.rule_scores(marks, {"refusal": 200}, 18_000)
    assert (score.rule, score.precision.share, score.missed.share) == ("refusal", 0.9, 0.01)
    assert score.recall == pytest.approx(180 / (180 + 180))
    (score,) = reviews.rule_scores(marks[:10], {"refusal": 200}, 18_000)
    assert score.recall is None


@given(pairs=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30))
def test_kappa_is_that_of_the_literature(pairs):
    first, second = ([pair[place] for pair in pairs] for place in (0, 1))
    found = reviews.cohen_kappa(pairs)
    if len(set(first + second)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(cohen_kappa_score(first, second))


def test_two_people_are_compared_on_what_both_marked():
    marks = [mark(n) for n in range(4)]
    marks += [mark(n, "bad", fault=Fault.STYLE, who="grace") for n in range(3, 6)]
    (found,) = reviews.agreements(marks)
    assert (found.first, found.second, found.both, found.agreed) == ("ada", "grace", 1, 0)


@pytest.mark.parametrize(("share", "margin"), [(0.98, 0.01), (0.9, 0.02), (0.5, 0.05), (1, 0.005)])
def test_a_plan_gives_an_interval_of_the_margin_that_was_asked_for(share, margin):
    needed = reviews.marks_needed(share, margin)
    low, high = wilson(round(share * needed), needed)
    assert (high - low) / 2 <= margin * 1.02


def test_labels_are_what_make_gold_reads(tmp_path):
    marks = [
        mark(1),
        mark(2, "bad", fault=Fault.STYLE, reasons=("too_short",)),
        mark(3, "bad", fault=Fault.RULE_WAS_WRONG, rule="refusal"),
        mark(4, "bad", fault=Fault.FALSE_STATEMENT),
    ]
    labels = [reviews.gold_label(one) for one in marks]
    assert labels == [[], ["too_short"], ["refusal"], None]
    path = tmp_path / "gold.jsonl"
    path.write_text(
        "".join(
            json.dumps({"id": str(n), "language": "en", "text": "x", "expected": label}) + "\n"
            for n, label in enumerate(labels)
            if label is not None
        )
    )
    assert len(read_gold(path)) == 3
