"""Dedup on a real Ray cluster: the same is stored, whatever happens to its processes."""

import os
import signal
import threading
import time

import psutil
import pytest
import ray

from benchmarks.signed_corpus import TRACK
from sa1b_captions import layout
from sa1b_captions.errors import DamagedObjectError, PermanentError, RetryableError
from sa1b_captions.quality.duplicates import ray_tasks
from sa1b_captions.quality.duplicates.ray_tasks import open_ray
from sa1b_captions.receipts.receipt_files import dedup_place, read_receipt
from sa1b_captions.stages.dedup import dedup_track

OF_THE_RUN = {"id", "written_at", "cpu_s", "stored"}


@pytest.fixture(autouse=True)
def disconnected():
    yield
    ray.shutdown()


def stored(campaign, tasks=None):
    """The bytes of dedup's table, and all that its receipt says of it."""
    dedup_track(campaign, TRACK, force=True, tasks=tasks)
    data = campaign.store.read(layout.duplicates_key(campaign.name, TRACK))
    receipt = read_receipt(campaign.store, dedup_place(campaign.name, TRACK))
    facts = {name: getattr(receipt, name) for name in receipt.__dataclass_fields__}
    return data, {name: fact for name, fact in facts.items() if name not in OF_THE_RUN}


def test_a_cluster_stores_the_same_bytes_and_facts(cluster, corpus):
    expected = stored(corpus)
    assert expected[1]["duplicates"] > corpus_rows(corpus) / 50
    assert stored(corpus, lambda: open_ray(cluster.address)) == expected


def corpus_rows(campaign):
    return read_receipt(campaign.store, dedup_place(campaign.name, TRACK)).rows


def test_what_a_killed_process_was_doing_is_done_again(cluster, corpus):
    expected = stored(corpus)
    tasks = open_ray(cluster.address)
    killed = []

    def kill():
        while not killed:
            for one in psutil.process_iter(["pid", "cmdline"]):
                if (one.info["cmdline"] or [""])[0] in ("ray::cut_bands", "ray::compare_pairs"):
                    os.kill(one.info["pid"], signal.SIGKILL)
                    killed.append(one.info["pid"])
                    break
            time.sleep(0.01)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    assert stored(corpus, lambda: tasks) == expected
    assert killed


def test_a_damaged_object_is_named_as_it_is_by_one_process(cluster, corpus):
    shard = corpus.recipe.shards[1]
    key = layout.curated_key(corpus.name, TRACK, shard, "signatures.parquet")
    data = corpus.store.read(key)
    corpus.store.write(key, data[:-100])
    try:
        with pytest.raises(DamagedObjectError, match=f"{shard}/signatures.parquet is damaged"):
            dedup_track(corpus, TRACK, force=True, tasks=lambda: open_ray(cluster.address))
    finally:
        corpus.store.write(key, data)


def test_an_object_that_is_gone_is_named_as_it_is_by_one_process(cluster, corpus):
    key = layout.curated_key(corpus.name, TRACK, corpus.recipe.shards[0], "signatures.parquet")
    data = corpus.store.read(key)
    corpus.store.delete(key)
    try:
        with pytest.raises(PermanentError, match=f"has no object {key}"):
            dedup_track(corpus, TRACK, force=True, tasks=lambda: open_ray(cluster.address))
    finally:
        corpus.store.write(key, data)


def test_nodes_with_another_version_of_this_package_are_refused(cluster, monkeypatch):
    monkeypatch.setattr(ray_tasks, "software", lambda: "sa1b-captions 9.9")
    with pytest.raises(
        PermanentError,
        match=r"node \S+ \(\w+\) of the Ray cluster has sa1b-captions [\d.]+.*, and this process "
        r"sa1b-captions 9\.9; run this command and every node of the cluster from one image",
    ):
        open_ray(cluster.address)
    assert not ray.is_initialized()


def test_another_version_of_ray_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(ray, "__version__", "2.52.0")
    with pytest.raises(PermanentError, match=r"refuses this process: .*2\.52\.0.*one image"):
        open_ray(cluster.address)


def test_an_address_where_nothing_answers_may_be_tried_again():
    with pytest.raises(RetryableError, match="no Ray cluster answers at 127.0.0.1:9"):
        open_ray("127.0.0.1:9")
