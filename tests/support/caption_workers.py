"""Real `sa1b-captions caption` processes on two shards, and what they must leave behind.

Their engine is the openai one; its endpoint is a local server that takes a while for each caption
and keeps what it was asked.
"""

import collections
import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.receipts.receipt_files import caption_place, read_receipt
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.openai_server import Answer, OpenAIServer, content, image_bytes, serve

DEMO_RECIPE = str(Path(__file__).parents[2] / "tests" / "support" / "two_shards.toml")
RECIPE = load_recipe(DEMO_RECIPE)
ARGUMENTS = ["caption", "--shards", "0-1", "--engine", "openai"]
SHARDS = ["sa_000000", "sa_000001"]
IMAGES = 32
WINDOW = 6
DECODED_AHEAD = WINDOW // 2
AGAIN = ["--force", "--run-id", "manual__2026-11-28T22:00:00+00:00"]
IN_FLIGHT = (len(TRACKS) + 1) * RECIPE.block_size + WINDOW + DECODED_AHEAD
"""Samples that a worker has asked for and not yet written: what a kill may cost."""


def make_campaign(folder: Path) -> Campaign:
    """A campaign whose two shards are ingested."""
    store = FileStore(folder)
    for number, shard in enumerate(SHARDS):
        ids = range(IMAGES * number + 1, IMAGES * (number + 1) + 1)
        jpegs = {n: builders.make_jpeg(n, (32, 32)) for n in ids}
        builders.put_shard(store, shard, jpegs, (32, 32))
    return Campaign("kills", store, RECIPE)


@contextlib.contextmanager
def serve_slowly(seconds: float = 0.03, word: str = "A") -> Iterator[OpenAIServer]:
    """A replica that takes so long for each caption, and begins it so."""

    def answer(body: dict[str, Any]) -> Answer:
        time.sleep(seconds)
        return Answer(f"{word} picture of {len(image_bytes(body))} things, seen from close by.")

    with serve(answer=answer, models=[RECIPE.model.id]) as running:
        yield running


class Worker:
    """One process that captions both shards."""

    def __init__(
        self,
        campaign: Campaign,
        server: OpenAIServer,
        log: Path,
        environ: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        settings = {
            "CAPTIONS_ROOT": campaign.store.url,
            "CAPTIONS_CAMPAIGN": campaign.name,
            "CAPTIONS_RECIPE": DEMO_RECIPE,
            "CAPTIONS_OPENAI_URLS": server.url,
            "CAPTIONS_WINDOW": str(WINDOW),
        }
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sa1b_captions", *ARGUMENTS, *arguments],
                env=os.environ | settings | dict(environ or {}),
                stdout=subprocess.DEVNULL,
                stderr=file,
            )

    def wait_for(self, server: OpenAIServer, requests: int) -> None:
        """Until the server has been asked so often, or the process has ended."""
        target = len(server.requests) + requests
        while len(server.requests) < target and self.process.poll() is None:
            time.sleep(0.002)

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def finish(self) -> None:
        """Wait for the end, which must be a good one."""
        assert self.process.wait(120) == 0, self.log.read_text()


def caption_before(campaign: Campaign, log: Path) -> None:
    """Let both shards be captioned, by captions that begin with `Old`."""
    with serve_slowly(0, "Old") as server:
        Worker(campaign, server, log).finish()


def generations(campaign: Campaign) -> set[str]:
    """First words of the captions that count, of which each track of a shard has one."""
    found = set()
    by_track = collections.defaultdict(set)
    for row in require_every_sample_once(campaign):
        by_track[row["track"], row["shard"]].add(row["caption"].partition(" ")[0])
    for words in by_track.values():
        assert len(words) == 1, words
        found |= words
    return found


def asked(server: OpenAIServer) -> collections.Counter[str]:
    """How often each sample was asked for."""
    return collections.Counter(
        hashlib.sha256(content(body)[-1]["text"].encode() + b"".join(image_bytes(body))).hexdigest()
        for body in server.requests
    )


def require_every_sample_once(campaign: Campaign) -> list[dict[str, Any]]:
    """Rows of all parts, after comparing them with plans and receipts."""
    rows: list[dict[str, Any]] = []
    for shard in SHARDS:
        index = read_index(campaign.store, shard)
        for track in TRACKS:
            plan = plan_track(RECIPE, RECIPE.tracks[track], shard, index)
            receipt = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
            assert receipt is not None
            keys = [
                layout.part_key(campaign.name, track, shard, receipt.generation, block)
                for block in range(receipt.blocks)
            ]
            found = [r for k in keys for r in records.read_table(campaign.store, k).to_pylist()]
            assert [row["sample_id"] for row in found] == [sample.sample_id for sample in plan]
            assert {row["status"] for row in found} == {"ok"}
            assert (receipt.planned, receipt.statuses) == (len(plan), {"ok": len(plan)})
            rows += found
    return rows
