"""Real `sa1b-captions caption` processes, killed at random moments, two at once at times.

Their engine is the openai one; its endpoint is a local server that takes a while for each caption
and keeps what it was asked. The seeds are fixed; the machine's speed moves the moments.
"""

import collections
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import builders
from openai_server import Answer, content, image_bytes, serve
from sa1b_captions import records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.errors import EXIT_RETRYABLE
from sa1b_captions.receipts import read_receipt
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.storage import FileStore

DEMO_RECIPE = str(Path(__file__).parents[2] / "demo" / "recipe.toml")
RECIPE = load_recipe(DEMO_RECIPE)
ARGUMENTS = ["caption", "--shards", "0-1", "--engine", "openai"]
SHARDS = ["sa_000000", "sa_000001"]
IMAGES = 32
LIVES = 3
WINDOW = 6
DECODED_AHEAD = WINDOW // 2


@pytest.fixture
def campaign(tmp_path):
    store = FileStore(tmp_path / "store")
    for number, shard in enumerate(SHARDS):
        ids = range(IMAGES * number + 1, IMAGES * (number + 1) + 1)
        jpegs = {n: builders.make_jpeg(n, (32, 32)) for n in ids}
        builders.put_shard(store, shard, jpegs, (32, 32))
    return Campaign("kills", store, RECIPE)


@pytest.fixture
def server():
    def answer(body):
        time.sleep(0.03)
        return Answer(f"A picture of {len(image_bytes(body))} things, seen from close by.")

    with serve(answer=answer, models=[RECIPE.model.id]) as running:
        yield running


class Worker:
    """One process that captions both shards."""

    def __init__(self, campaign, server, log):
        environ = {
            "CAPTIONS_ROOT": campaign.store.url,
            "CAPTIONS_CAMPAIGN": campaign.name,
            "CAPTIONS_RECIPE": DEMO_RECIPE,
            "CAPTIONS_OPENAI_URLS": server.url,
            "CAPTIONS_WINDOW": str(WINDOW),
        }
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sa1b_captions", *ARGUMENTS],
                env=os.environ | environ,
                stdout=subprocess.DEVNULL,
                stderr=file,
            )

    def kill_after(self, server, requests, number):
        """Send a signal once the server has been asked so often; returns the exit code."""
        target = len(server.requests) + requests
        while len(server.requests) < target and self.process.poll() is None:
            time.sleep(0.002)
        self.process.send_signal(number)
        return self.process.wait(60)


def asked(server):
    """How often each sample was asked for."""
    return collections.Counter(
        hashlib.sha256(content(body)[-1]["text"].encode() + b"".join(image_bytes(body))).hexdigest()
        for body in server.requests
    )


def require_every_sample_once(campaign):
    total = 0
    for shard in SHARDS:
        index = read_index(campaign.store, shard)
        for track in TRACKS:
            plan = plan_track(RECIPE, RECIPE.tracks[track], shard, index)
            receipt = read_receipt(campaign.store, campaign.caption_receipt(track, shard))
            keys = [campaign.part(track, shard, block) for block in range(receipt["blocks"])]
            rows = [r for k in keys for r in records.read_table(campaign.store, k).to_pylist()]
            assert [row["sample_id"] for row in rows] == [sample.sample_id for sample in plan]
            assert {row["status"] for row in rows} == {"ok"}
            total += len(rows)
    return total


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_killed_at_random_lose_only_the_blocks_in_flight(campaign, server, tmp_path, seed):
    rng = random.Random(seed)
    for life in range(LIVES):
        worker = Worker(campaign, server, tmp_path / f"{life}.log")
        number = rng.choice([signal.SIGKILL, signal.SIGTERM])
        code = worker.kill_after(server, rng.randrange(1, 60), number)
        words = worker.log.read_text()
        if code == 0:
            break
        if number == signal.SIGTERM:
            assert code == EXIT_RETRYABLE, words
            assert re.search(r"stopped on request; .*\d+ captions of unfinished blocks", words)
        else:
            assert code == -signal.SIGKILL
    last = Worker(campaign, server, tmp_path / "last.log")
    assert last.process.wait(120) == 0, last.log.read_text()
    total = require_every_sample_once(campaign)
    repeats = len(server.requests) - len(asked(server))
    assert len(asked(server)) == total
    in_flight = (len(TRACKS) + 1) * RECIPE.block_size + WINDOW + DECODED_AHEAD
    assert repeats <= LIVES * in_flight


def test_two_workers_at_once_of_which_one_is_killed_leave_whole_shards(campaign, server, tmp_path):
    first = Worker(campaign, server, tmp_path / "first.log")
    second = Worker(campaign, server, tmp_path / "second.log")
    first.kill_after(server, 70, signal.SIGKILL)
    assert second.process.wait(120) == 0, second.log.read_text()
    require_every_sample_once(campaign)
