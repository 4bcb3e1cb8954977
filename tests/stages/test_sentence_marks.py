import json

import pytest

from sa1b_captions.errors import PermanentError
from sa1b_captions.mark_logs import read_marks
from sa1b_captions.marks import SentenceMark
from sa1b_captions.stages.auditing.audit import audit_shards
from sa1b_captions.stages.auditing.audit_findings import Reviews
from sa1b_captions.stages.auditing.sentence_marks import add_sentence_marks, draw_sentences
from tests.support.audited import SHARD, audited_recipe_campaign, judge
from tests.support.planted_falsehoods import plant

TRACKS = ["single_en"]
REFUSED = "umbrella|kettle|lantern"


@pytest.fixture
def campaign(tmp_path):
    campaign = audited_recipe_campaign(tmp_path, plant(30, 0.0))
    audit_shards(campaign, [SHARD], judge(REFUSED), tracks=TRACKS)
    return campaign


def test_half_of_what_is_drawn_was_refused_and_nothing_says_which(campaign):
    rows = draw_sentences(campaign, [SHARD], TRACKS, 40, 0)
    refused = [
        "umbrella" in r["text"] or "kettle" in r["text"] or "lantern" in r["text"] for r in rows
    ]
    assert (len(rows), sum(refused)) == (40, 20)
    assert sorted(refused, reverse=True) != refused
    for row in rows:
        assert row["text"] in row["caption"]
        assert row["images"] == [f"{SHARD}/sa_{row['sample_id'].rpartition('/')[2]}.jpg"]
        assert row["supported"] == ""
        assert "answer" not in row
    assert rows == draw_sentences(campaign, [SHARD], TRACKS, 40, 0)
    assert rows != draw_sentences(campaign, [SHARD], TRACKS, 40, 1)


def test_what_a_person_fills_in_measures_the_judge(campaign):
    rows = draw_sentences(campaign, [SHARD], TRACKS, 50, 0)
    for row in rows[:48]:
        row["supported"] = "no" if "umbrella" in row["text"] else "yes"
    lines = [json.dumps(row) for row in rows]
    assert add_sentence_marks(campaign, [*lines, ""], "ada") == 48
    assert len(read_marks(campaign.store, campaign.name, SentenceMark)) == 48
    quality, missing = Reviews(campaign).quality
    assert missing == ""
    assert (quality.marks, quality.reviewers) == (48, 1)
    assert 0 < quality.precision.value < 1
    assert quality.recall.value == 1


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"supported": "maybe"}', '{"supported": "yes"}', '"yes"'],
)
def test_a_line_that_is_no_judgement_is_named_and_nothing_is_stored(campaign, line):
    good = draw_sentences(campaign, [SHARD], TRACKS, 2, 0)[0] | {"supported": "yes"}
    with pytest.raises(PermanentError, match="line 2 is no judgement"):
        add_sentence_marks(campaign, [json.dumps(good), line], "ada")
    assert read_marks(campaign.store, campaign.name, SentenceMark) == []


def test_what_is_not_audited_gives_no_sentences(campaign):
    with pytest.raises(PermanentError, match="none of these shards is audited"):
        draw_sentences(campaign, [SHARD], ["multi_en"], 10, 0)
