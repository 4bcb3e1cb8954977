"""Objects of the store that are gone, empty or damaged: every page says so, and none fails."""

import re
import shutil

import pytest

from sa1b_captions.mark_logs import MarkLog
from sa1b_captions.marks import CaptionMark, Judgement
from sa1b_captions.stages.auditing.audit import audit_shards
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.validating.validate_shards import validate_shards
from tests.support.audited import SHARD, audited_recipe_campaign, judge
from tests.support.planted_falsehoods import plant

PAGES = [
    *("/", f"/board/{SHARD}", "/gallery", "/gallery?audit=refused", "/gallery?text=red"),
    *("/gallery?verdict=rejected", "/gallery?order=long", f"/samples/single_en/{SHARD}/1"),
    *("/refused", "/clusters", f"/clusters?shard={SHARD}", f"/images/{SHARD}/1", "/marks"),
    *("/marks.jsonl", "/marks.jsonl?gold=true", "/what-if", "/what-if?change=en.max_dup10=0.01"),
    *("/what-if.patch?change=en.min_chars=20", f"/compare?before=campaign:test&shard={SHARD}"),
    *("/compare/blind?before=generation:0001", f"/shards/{SHARD}", "/release"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A store with one audited, validated and marked shard."""
    root = tmp_path_factory.mktemp("whole")
    campaign = audited_recipe_campaign(root, plant(12, 0.3))
    audit_shards(campaign, [SHARD], judge(sure=0.9))
    for track in campaign.recipe.tracks:
        dedup_track(campaign, track)
    validate_shards(campaign, [SHARD])
    mark = CaptionMark(
        sample_id=f"single_en/{SHARD}/1", who="ada", text_xxh3="1", judgement=Judgement.GOOD
    )
    MarkLog(campaign.store, campaign.name).add(mark)
    return root, campaign


def kinds(root):
    """One object of each kind, by key."""
    found = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        key = path.relative_to(root).as_posix()
        found.setdefault(re.sub(r"[0-9a-f]{12,}|single_\w+|multi_\w+|\d+", "*", key), key)
    return sorted(found.values())


def test_no_page_fails_whatever_object_is_damaged(login, whole, tmp_path, monkeypatch):
    root, campaign = whole
    monkeypatch.setattr("sa1b_console.common.load_recipe", lambda name: campaign.recipe)
    client = login("user")
    for number, key in enumerate(kinds(root)):
        copy = tmp_path / str(number)  # what is remembered is of a store by its address
        shutil.copytree(root, copy)
        monkeypatch.setenv("CAPTIONS_ROOT", copy.as_uri())
        damage = (b"no such thing", None, b"", b'{"a": 1}')[number % 4]
        (copy / key).unlink() if damage is None else (copy / key).write_bytes(damage)
        for page in PAGES:
            reply = client.get(f"/captions{page}")
            assert reply.status_code in (200, 404, 503), (key, page, reply.text[:500])
