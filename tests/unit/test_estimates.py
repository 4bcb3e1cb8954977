import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.audit.estimates import (
    Stratum,
    captions_refused_share,
    refused_share,
    unsure_share,
)
from sa1b_captions.chance import wilson
from sa1b_captions.receipts.faithfulness import SentenceCounts

SEEDS = 200


def counts_of(captions):
    """Counts of captions given as (sentences, refused)."""
    return sum((SentenceCounts.of_caption(m, x, 0) for m, x in captions), SentenceCounts())


def alike_captions(rng, captions, share, likeness):
    """Counts of captions that each have a rate of their own around a share."""
    spread = (1 - likeness) / likeness
    rates = rng.beta(share * spread, (1 - share) * spread, captions)
    sentences = rng.integers(3, 9, captions)
    refused = rng.binomial(sentences, rates)
    return SentenceCounts(
        captions=captions,
        sentences=int(sentences.sum()),
        refused=int(refused.sum()),
        refused_squared=int((refused**2).sum()),
        refused_by_sentences=int((refused * sentences).sum()),
        sentences_squared=int((sentences**2).sum()),
    )


@given(st.floats(0, 1), st.floats(0.5, 1e6))
def test_wilsons_interval_holds_the_share_of_rows_that_are_no_whole_number(share, rows):
    hits = share * rows
    low, high = wilson(hits, rows)
    assert 0 <= low <= hits / rows <= high <= 1


def test_of_nothing_anything_may_be_true():
    share = refused_share([])
    assert (share.low, share.high, share.of) == (0, 1, 0)


def test_captions_whose_sentences_are_wrong_together_tell_less():
    alone = refused_share([Stratum(counts_of([(5, 1)] * 40 + [(5, 0)] * 60))])
    together = refused_share([Stratum(counts_of([(5, 5)] * 8 + [(5, 0)] * 92))])
    assert alone.value == together.value == 0.08
    assert alone.effective > 4 * together.effective
    assert together.effective == pytest.approx(100, rel=0.05)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_where_no_sentence_was_refused_captions_are_what_counts():
    share = refused_share([Stratum(counts_of([(6, 0)] * 64))])
    assert (share.value, share.effective) == (0.0, 64)
    assert share.high == pytest.approx(0.0566, abs=1e-3)


def test_a_shard_weighs_by_the_captions_that_it_stands_for():
    small = Stratum(counts_of([(5, 1)] * 10), weight=1.0)
    large = Stratum(counts_of([(5, 0)] * 10), weight=9.0)
    assert refused_share([small, large]).value == pytest.approx(0.02)
    assert captions_refused_share([small, large]).value == pytest.approx(0.1)


def test_sentences_that_the_judge_cannot_tell_of_are_a_share_of_their_own():
    counts = SentenceCounts.of_caption(4, 1, 2) + SentenceCounts.of_caption(0, 0, 0)
    assert counts.captions == 1
    assert unsure_share([Stratum(counts)]).value == 0.5


@pytest.mark.parametrize(("share", "likeness"), [(0.05, 0.15), (0.2, 0.3), (0.02, 0.05)])
def test_intervals_cover_the_truth_at_the_stated_rate(share, likeness):
    """95 % over 200 seeds: fewer than 182 would happen to an honest interval once in a hundred."""
    covered = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        strata = [Stratum(alike_captions(rng, 64, share, likeness)) for _ in range(5)]
        found = refused_share(strata)
        covered += found.low <= share <= found.high
    assert covered >= 182


def test_intervals_that_took_sentences_for_independent_would_not():
    covered = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        counts = alike_captions(rng, 320, 0.2, 0.3)
        low, high = wilson(counts.refused, counts.sentences)
        covered += low <= 0.2 <= high
    assert covered < 170
