"""A version of a release belongs to one export, on a folder and over the protocol of S3."""

import contextlib
import random
import shutil
import threading
import uuid

import pytest

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.release import claim
from sa1b_captions.release.claim import TakenError, claimed
from sa1b_captions.release.manifest import latest_version, read_manifest
from sa1b_captions.release.verify import verify_release
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore, open_store_url
from tests.support import builders, releases


class ReleasesElsewhere:
    """Another store, whose releases lie on S3: of an export, only these are what is in question."""

    def __init__(self, store, releases):
        self.store, self.releases = store, releases

    def __getattr__(self, name):
        def call(key, *arguments):
            if name == "concatenate":  # over two stores, so the bytes are read
                return self.releases.write(key, b"".join(self.read(p) for p, _ in arguments[0]))
            first = key if isinstance(key, str) else next(iter(key), "")  # of many, for stamps
            chosen = self.releases if first.startswith(layout.releases_prefix()) else self.store
            return getattr(chosen, name)(key, *arguments)

        return call


@pytest.fixture(params=["file", "s3"])
def store(request, tmp_path, ready_root):
    """A store with a campaign of which a release can be exported."""
    shutil.copytree(ready_root, tmp_path / "store")
    folder = FileStore(tmp_path / "store")
    if request.param == "file":
        return folder
    bucket = f"b-{uuid.uuid4().hex}"
    request.getfixturevalue("s3_client").create_bucket(Bucket=bucket)
    url = request.getfixturevalue("s3_url")
    return ReleasesElsewhere(folder, open_store_url(f"s3://{bucket}/some/prefix", url))


@pytest.fixture
def campaign(store):
    return builders.demo_campaign(store)


class PausingStore:
    """Another store that runs something else once, before its user begins the n-th object."""

    def __init__(self, store, key_part, pause):
        self.store, self.key_part, self.pause = store, key_part, pause

    def __getattr__(self, name):
        return getattr(self.store, name)

    def _pause(self, key):
        if self.key_part in key and self.pause is not None:
            pause, self.pause = self.pause, None
            pause()

    def write(self, key, data):
        self._pause(key)
        self.store.write(key, data)

    @contextlib.contextmanager
    def open_writer(self, key):
        self._pause(key)
        with self.store.open_writer(key) as writer:
            yield writer


def _contents(store, prefix="releases/"):
    return {key: store.read(key) for key in store.list(prefix)}


def _other_campaign(store):
    """A campaign beside `test` in a store, ready for export, with captions of its own."""
    other = open_campaign(store, "other", builders.demo_recipe())
    for track in other.recipe.tracks:
        for shard in other.recipe.shards:
            texts = [f"Other {text}" for text in releases.captions_of(track, shard)]
            releases.put_curated(other, track, shard, texts)
        releases.put_duplicates(other, track, {})
    return other


@pytest.mark.parametrize("moment", ["test_single_zh.jsonl", "manifest.json"])
def test_two_campaigns_that_export_at_once_without_a_version_get_one_each(store, campaign, moment):
    other = _other_campaign(store)
    found = {}

    def export_other():
        found["other"] = export_release(other, None)["version"]
        found["files"] = _contents(store, f"releases/{found['other']}/")

    pausing = builders.demo_campaign(PausingStore(store, moment, export_other))
    found["test"] = export_release(pausing, None)["version"]
    assert (found["test"], found["other"]) == ("v1", "v2")
    assert _contents(store, "releases/v2/") == found["files"]
    for version, name in (("v1", "test"), ("v2", "other")):
        assert verify_release(store, version) == []
        assert read_manifest(store, version).campaign == name
    assert not list(store.list("releases/.claims/"))


def test_a_version_that_another_campaign_writes_is_refused_by_name(store, campaign):
    other = _other_campaign(store)

    def export_other():
        with pytest.raises(TakenError, match="v1 was begun by campaign test on .* choose a new"):
            export_release(other, "v1")

    pausing = PausingStore(store, "test_single_zh.jsonl", export_other)
    export_release(builders.demo_campaign(pausing), "v1")
    assert pausing.pause is None
    assert verify_release(store, "v1") == []


def test_dedup_and_validation_meanwhile_let_nothing_stale_be_published(store, campaign):
    """The second export of the same version is refused, and so is the first one's manifest."""

    def judge_again():
        for track in campaign.recipe.tracks:
            releases.put_duplicates(campaign, track, {})
        with pytest.raises(TakenError, match="from other captions"):
            export_release(campaign, "v1")

    pausing = PausingStore(store, "test_multi_en.jsonl", judge_again)
    with pytest.raises(PermanentError, match="again while its release was written; nothing is pub"):
        export_release(builders.demo_campaign(pausing), "v1")
    assert read_manifest(store, "v1") is None
    assert latest_version(store) is None
    assert export_release(campaign, "v1")["version"] == "v1"  # a refused run keeps no version
    assert verify_release(store, "v1") == []


class Killed(BaseException):
    """What a process feels when it is killed, as far as Python code can."""


def _kill():
    raise Killed


def test_a_killed_export_keeps_its_version_for_the_same_inputs_until_it_is_taken_over(
    store, campaign
):
    dying = PausingStore(store, "test_multi_en.jsonl", _kill)
    with pytest.raises(Killed):
        export_release(builders.demo_campaign(dying), None)
    releases.put_duplicates(campaign, "single_en", {})
    with pytest.raises(TakenError, match="--version v1 --replace-unfinished"):
        export_release(campaign, "v1")
    assert export_release(campaign, None)["version"] == "v2"
    assert export_release(campaign, "v1", replace_unfinished=True)["version"] == "v1"
    assert verify_release(store, "v1") == []
    assert not list(store.list("releases/.claims/"))


def test_a_slow_export_whose_version_was_taken_over_writes_nothing_more(store, campaign):
    def take_over():
        releases.put_duplicates(campaign, "single_en", {})
        export_release(campaign, "v1", replace_unfinished=True)
        taken.update(_contents(store))

    taken = {}
    slow = PausingStore(store, "test_multi_en.jsonl", take_over)
    with pytest.raises(RetryableError, match="finished release v1 meanwhile, or took it over"):
        export_release(builders.demo_campaign(slow), "v1")
    assert _contents(store) == taken


def test_to_replace_an_unfinished_version_is_no_way_to_replace_a_release(store, campaign):
    export_release(campaign, "v1")
    before = _contents(store)
    releases.put_duplicates(campaign, "single_en", {})
    with pytest.raises(TakenError, match="never overwritten"):
        export_release(campaign, "v1", replace_unfinished=True)
    assert _contents(store) == before
    with pytest.raises(PermanentError, match="say which version"):
        export_release(campaign, None, replace_unfinished=True)


def test_two_runs_with_the_same_inputs_write_the_same_release(store, campaign):
    twin = {}

    def export_twin():
        twin.update(export_release(builders.demo_campaign(store), "v1"))

    slow = PausingStore(store, "test_multi_en.jsonl", export_twin)
    with pytest.raises(RetryableError, match="run it again"):
        export_release(builders.demo_campaign(slow), "v1")
    assert verify_release(store, "v1") == []
    assert export_release(campaign, "v1") == twin | {"up_to_date": True}


@pytest.mark.parametrize("seed", range(3))
def test_of_many_that_claim_at_once_at_most_one_holds_the_version(store, monkeypatch, seed):
    monkeypatch.setattr(claim, "STEP_BACK_S", 0.002)
    random.seed(seed)
    holders, most, failures = [], [], []
    lock = threading.Lock()

    def run(name):
        try:
            with claimed(store, "v1", name, "test", None):
                with lock:
                    holders.append(name)
                    most.append(len(holders))
                with lock:
                    holders.remove(name)
                raise PermanentError("so that the version is free again")
        except (PermanentError, RetryableError) as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(f"{n:016x}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failures) == len(threads)
    assert max(most, default=0) <= 1
    assert not list(store.list("releases/"))
