from collections import Counter

import pytest

from gold_set import LANGUAGES, SPLITS, load_gold

JUDGED = (
    "too_short",
    "too_long",
    "line_break",
    "markdown",
    "special_token",
    "refusal",
    "meta_talk",
    "foreign_script",
    "wrong_language",
    "ngram_repetition",
    "sentence_repetition",
    "word_echo",
    "character_run",
    "missing_end",
    "replacement_character",
)
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
