"""Our own commands on the same pictures: killed and resumed, then timed from what they stored."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.receipts.receipt_files import caption_place, read_receipt, require_receipt
from sa1b_captions.recipe import TRACKS
from tests.gpu import shards

_LIMIT_S = 400.0


@dataclass(frozen=True, slots=True)
class Runner:
    """How `sa1b-captions` is started here."""

    module: str
    """`sa1b_captions`, or `tests.gpu.faked` without a GPU."""
    environment: dict[str, str]

    def start(self, shard: str, *options: str) -> "subprocess.Popen[bytes]":
        """Start the caption stage of a shard."""
        command = [sys.executable, "-m", self.module, "caption", "--shards", shard]
        return subprocess.Popen(
            [*command, "--engine", "lmdeploy", *options],
            env=self.environment,
            stdout=sys.stderr,
        )

    def caption(self, shard: str, *options: str) -> int:
        """Caption a shard to the end; the exit code."""
        return self.start(shard, *options).wait(_LIMIT_S)


def kill_and_resume(campaign: Campaign, runner: Runner) -> dict[str, Any]:
    """Kill a worker in the middle with SIGKILL, run it again, and look at every row.

    Returns:
        Checks by name: what holds is true.
    """
    shard = shards.KILLED
    process = runner.start(shard)
    began = time.monotonic()
    while process.poll() is None and len(_parts(campaign, shard)) < 2:
        if time.monotonic() - began > _LIMIT_S:
            break
        time.sleep(0.02)
    killed = process.poll() is None
    if killed:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = _parts(campaign, shard)
    exit_code = runner.caption(shard)
    after = _parts(campaign, shard)
    rows = [row for key in after for row in _rows(campaign, key)]
    counts = Counter(row["sample_id"] for row in rows)
    receipts = {
        t: read_receipt(campaign.store, caption_place(campaign.name, t, shard)) for t in TRACKS
    }
    planned = sum(receipt.planned for receipt in receipts.values() if receipt)
    single = [row for row in rows if len(row["image_ids"]) == 1]
    return {
        "killed_midway": killed and 0 < len(before) < len(after),
        "resumed": exit_code == 0 and all(receipts.values()),
        "kept_what_was_stored": all(after[key] == content for key, content in before.items()),
        "each_sample_once": len(counts) == planned == sum(counts.values()),
        "every_caption_ok": {row["status"] for row in rows} == {"ok"},
        "every_picture_seen_right": all(
            row["caption"] == shards.expected_caption(row["image_ids"][0]) for row in single
        ),
    }


def timed(campaign: Campaign, runner: Runner, run_id: str) -> dict[str, Any]:
    """Caption the English track of a shard anew; rates from the stored rows, model load excluded.

    Returns:
        `images_per_s`; `occupancy`, the window occupancy that the receipt holds; and `captions` by
        image id.
    """
    shard = shards.MEASURED
    code = runner.caption(shard, "--tracks", "single_en", "--force", "--run-id", run_id)
    if code:
        raise RuntimeError(f"sa1b-captions caption ended with {code}")
    rows = [row for key in _parts(campaign, shard) for row in _rows(campaign, key)]
    ends = [row["captioned_at"].timestamp() for row in rows]
    latencies = [row["latency_ms"] / 1000 for row in rows]
    began = min(end - latency for end, latency in zip(ends, latencies, strict=True))
    elapsed_s = max(ends) - began
    receipt = require_receipt(campaign.store, caption_place(campaign.name, "single_en", shard))
    occupancy = receipt.occupancy
    if occupancy.share is None:
        raise RuntimeError(f"no window occupancy: {occupancy.note}; take more images")
    return {
        "images_per_s": len(rows) / elapsed_s,
        "occupancy": occupancy.share,
        "captions": {row["image_ids"][0]: row["caption"] for row in rows},
    }


def _parts(campaign: Campaign, shard: str) -> dict[str, bytes]:
    """Stored parts of a shard, all tracks."""
    return {
        key: campaign.store.read(key)
        for track in TRACKS
        for key in campaign.store.list(layout.captions_prefix(campaign.name, track, shard))
        if key.endswith(".parquet")
    }


def _rows(campaign: Campaign, key: str) -> list[dict[str, Any]]:
    table = records.read_table(campaign.store, key)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
