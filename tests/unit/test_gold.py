import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gold.captions import LANGUAGES, SPLITS, load_gold
from tests.gold.scores import JUDGED, judge, score
from tests.support.planted_pairs import expected_share, plant, search

GOLD = {language: load_gold(language) for language in LANGUAGES}
ALL = [row for rows in GOLD.values() for row in rows]


def test_the_gold_set_is_large_and_half_of_it_is_never_tuned_on():
    assert len(ALL) >= 300
    assert len({row.id for row in ALL}) == len({row.caption for row in ALL}) == len(ALL)
    assert sum(row.hard for row in ALL) >= 80
    assert {row.split for row in ALL} == set(SPLITS)
    assert 0.4 < sum(row.split == "test" for row in ALL) / len(ALL) < 0.6


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_examples_in_both_halves(language):
    found = Counter((reason, row.split) for row in GOLD[language] for reason in row.reasons)
    assert {reason for reason, _ in found} == set(JUDGED)
    for reason in JUDGED:
        assert found[reason, "tune"] + found[reason, "test"] >= 5
        assert min(found[reason, "tune"], found[reason, "test"]) >= 3


def test_no_label_is_both_certain_and_optional():
    assert all(not row.reasons & row.optional for row in ALL)
    assert all(row.optional <= set(JUDGED) for row in ALL)


@pytest.fixture(scope="module")
def judged():
    return {language: judge(language) for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("split", "floor"), [("tune", 0.98), ("test", 0.93)])
def test_rules_agree_with_people(judged, language, split, floor):
    half = [pair for pair in judged[language] if pair[0].split == split]
    scores = [score(half, reason) for reason in JUDGED]
    right = sum(found.right for found in scores)
    assert right / sum(found.faulty for found in scores) >= floor
    assert right / sum(found.right + len(found.wrong) for found in scores) >= floor
    assert sum(bool(found) for row, found in half if not row.reasons) <= 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", JUDGED)
def test_every_rule_is_right_three_times_in_four(judged, language, reason):
    found = score(judged[language], reason)
    assert min(found.precision, found.recall) >= 0.75


def test_a_score_tells_wrong_from_missed_and_leaves_out_what_is_optional():
    row = next(row for row in GOLD["en"] if row.optional and len(row.reasons) == 1)
    (reason,) = row.reasons
    (optional, *_) = row.optional
    assert score([(row, frozenset({reason, optional}))], reason).right == 1
    assert score([(row, frozenset())], reason).missed == (row.id,)
    assert score([(row, frozenset({optional}))], optional).wrong == ()
    assert score([(row, frozenset({"else"}))], "else").wrong == (row.id,)
    assert score([(row, frozenset({"else"}))], "else").precision == 0


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32), limit=st.sampled_from([0.6, 0.7, 0.8]))
@pytest.mark.parametrize("language", LANGUAGES)
def test_planted_copies_are_found_as_often_as_the_bands_promise(language, seed, limit):
    planted = plant(language, 60, seed)
    random.Random(seed).shuffle(planted)
    found = search(planted, limit)
    assert found.wrong == 0
    alike = [pair for pair in found.pairs if pair.jaccard >= limit]
    promised = sum(expected_share(pair.jaccard) for pair in alike)
    # Three standard deviations of so many independent pairs, and one pair for good measure.
    spread = sum(s * (1 - s) for s in (expected_share(pair.jaccard) for pair in alike)) ** 0.5
    assert sum(pair.found for pair in alike) >= promised - 3 * spread - 1


def test_what_is_below_the_limit_is_found_only_through_others():
    found = search(plant("en", 300), 0.7)
    unlike = [pair for pair in found.pairs if pair.jaccard < 0.7]
    assert len(unlike) > 20
    assert sum(pair.found for pair in unlike) <= 0.02 * len(unlike)
