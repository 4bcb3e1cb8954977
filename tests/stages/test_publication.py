"""What `publish` does with a shard, as `validate` decides it."""

import pytest

from sa1b_captions.receipts.receipt_files import curate_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.validating.publication import Wish, decide
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts

SHARD = "sa_000000"


@pytest.fixture
def campaign(tmp_path):
    return builders.demo_campaign(FileStore(tmp_path))


def answer(campaign, *, made_by, validated_by, verdict="pass", asked=TRACKS, force=False):
    """For a run `now`, of tracks that runs made, as `made_by` names them."""
    for track, run_id in made_by.items():
        receipts.put_curate(campaign, track, SHARD, run_id=run_id)
    curated = {
        track: read_receipt(campaign.store, curate_place(campaign.name, track, SHARD))
        for track in made_by
    }
    validation = None
    if validated_by is not None:
        validation = receipts.put_shard_validation(campaign, SHARD, verdict, validated_by)
    return decide(SHARD, Wish(asked, force, "now"), curated, validation)


@pytest.mark.parametrize(
    ("run", "action", "reason"),
    [
        ({}, "emit", "this run completed it"),
        ({"force": True}, "emit", "this run completed it"),
        ({"made": "before"}, "emit", "this run completed it"),
        ({"made": "before", "by": "before"}, "skip", "was done before, in run before"),
        ({"made": "before", "force": True}, "skip", "lacks this run's multi_en, multi_zh, single_"),
        ({"tracks": ["single_en"]}, "skip", "lacks this run's multi_en, multi_zh, single_zh"),
        ({"tracks": ["single_en"], "asked": ["single_en"]}, "skip", "some tracks still to caption"),
        ({"verdict": "warn"}, "emit", "this run completed it"),
        ({"verdict": "fail"}, "fail", "failed its checks; open its quality report"),
        ({"by": None}, "skip", "is not validated: see its stage that failed"),
    ],
)
def test_a_key_is_emitted_only_by_the_run_that_completed_the_shard(campaign, run, action, reason):
    found = answer(
        campaign,
        made_by=dict.fromkeys(run.get("tracks", TRACKS), run.get("made", "now")),
        validated_by=run.get("by", "now"),
        verdict=run.get("verdict", "pass"),
        asked=run.get("asked", TRACKS),
        force=run.get("force", False),
    )
    assert found.action == action
    assert found.reason.startswith(SHARD)
    assert reason in found.reason
