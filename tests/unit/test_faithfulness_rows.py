"""What a card says of an audit."""

import dataclasses

import pytest

from sa1b_captions.receipts.faithfulness import AuditFindings, Faithfulness, JudgeQuality, Share
from sa1b_captions.release.card.card import faithfulness_rows, in_words, render_card
from tests.support import builders
from tests.support.card_facts import facts

REFUSED = Share(0.061, 0.05, 0.073, 4000, 2500.0)
TRUE = Share(0.042, 0.031, 0.056, 300, 300.0)
QUALITY = JudgeQuality(300, 2, 1, TRUE, TRUE, Share(0.71, 0.6, 0.8, 300, 300.0))
FOUND = Faithfulness(
    judges=["openai judge-7b v2"],
    judges_itself=False,
    captions=640,
    refused=REFUSED,
    unsure=Share(0.01, 0.0, 0.02, 4000, 640.0),
    captions_refused=Share(0.2, 0.17, 0.23, 640, 640.0),
    unanswered=0,
    slices=[],
    uncalibrated="nobody has marked sentences that were drawn for it",
)
CORRECTED = dataclasses.replace(FOUND, quality=QUALITY, corrected=TRUE, uncalibrated="")


def card(found, shards=2):
    audit = AuditFindings({"single_en": found} if found else {}, found, shards, [])
    return render_card(facts(builders.demo_recipe(), audit=audit))


def test_a_share_stands_with_its_interval():
    assert in_words(TRUE) == "4.2% (3.1% to 5.6%)"
    rows = faithfulness_rows(AuditFindings({"single_en": CORRECTED}, FOUND, 2, []))
    assert {len(shares) for shares in rows.values()} == {2}


def test_the_card_states_the_corrected_share_and_the_judges_quality():
    text = card(CORRECTED)
    assert "**Of the sentences 4.2% (3.1% to 5.6%) are not supported by the image.**" in text
    assert "300 sentences show that 2 people marked" in text
    assert "| 71.0% (60.0% to 80.0%) |" in text
    assert "约 4.2% (3.1% to 5.6%) 的句子与图像不符" in text
    assert "uncalibrated" not in text


def test_without_marks_the_card_says_that_it_is_uncalibrated_and_why():
    text = card(FOUND)
    assert "**The audit is uncalibrated**: nobody has marked" in text
    assert "6.1% (5.0% to 7.3%)" in text
    assert "未经人工校准" in text


@pytest.mark.parametrize("found", [FOUND, CORRECTED])
def test_a_model_that_judges_itself_is_named(found):
    own = dataclasses.replace(found, judges_itself=True)
    assert "The judge is the model that wrote the captions" in card(own)
    assert "The judge is the model that wrote the captions" not in card(found)


def test_a_release_that_is_not_audited_says_so_if_the_recipe_asks_for_it():
    assert "no shard of this release is audited" in card(None, 0)
    assert "aithful" not in render_card(facts(builders.demo_recipe()))
