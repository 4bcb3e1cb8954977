"""What it costs to write a release's files, beside `datasets` and pandas, and to write them again.

    make bench-export        ROWS=100000 for a quick one, BENCH_FOLDER=/scratch for the files

One track of ROWS accepted captions of about 600 characters lies in a folder as curate leaves it,
with a tenth as many rejected ones. Measured is the export stage from receipts to manifest: JSONL,
Parquet, provenance, hashes, rejected rows, card, checksums. The peers write the tables of the same
captions, from the same files, in the same run, each in a process of its own; nobody's start counts.
Then the same with three times the rows, for growth. Bytes are counted on an S3 server, moto's, at
S3_ROWS rows, 64 batches by default as all of SA-1B has: what requests carry in and out when a
release is exported again after one shard of it was curated again, over all bytes of the release.
The last line is one JSON object.
"""

import hashlib
import json
import logging
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.bench_curate import english
from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.freshness.release_freshness import read_shards, release_validation_input, select
from sa1b_captions.imports import leave_out
from sa1b_captions.receipts import (
    CaptionReceipt,
    CurateReceipt,
    DedupReceipt,
    IngestReceipt,
    ReleaseValidation,
)
from sa1b_captions.receipts.findings import Verdict
from sa1b_captions.receipts.receipt_files import (
    caption_place,
    curate_place,
    dedup_place,
    digest,
    ingest_place,
    release_validation_place,
    write_receipt,
)
from sa1b_captions.recipe import Recipe, load_recipe, parse_recipe
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore, Store, open_store_url

TRACK = "single_en"
SHARD_ROWS = 10_000
REJECTED_OF_ACCEPTED = 10
DIFFERENT = 2_000
"""Captions that are made; the others are these with a number, for making them takes long."""
PEERS = ("datasets", "pandas")


def recipe(shards: int) -> Recipe:
    """The InternVL recipe of the preview engine, over so many shards."""
    source = json.loads(json.dumps(load_recipe("internvl").source))
    source |= {"name": "bench", "shards": f"0-{shards - 1}"}
    for name, track in source["tracks"].items():
        track["release_file"] = f"bench_{name}.jsonl"
        track.pop("target", None)
    return parse_recipe(source, where="the benchmark")


def put_shard(
    campaign: Campaign, shard: str, number: int, texts: list[str], rows: int, worse: int = 0
) -> None:
    """What curate leaves of a shard of so many accepted rows, or of so many fewer."""
    rejected = rows // REJECTED_OF_ACCEPTED + worse
    rows -= worse
    store = campaign.store
    ingest = IngestReceipt(
        shard=shard, images=rows + rejected, problems={}, archive_bytes=1, content="0" * 16
    )
    ingest = write_receipt(store, ingest_place(shard), ingest)
    captions = CaptionReceipt(
        shard=shard,
        track=TRACK,
        planned=rows + rejected,
        blocks=0,
        statuses={},
        recipe_fingerprint=campaign.recipe.fingerprint,
        input=digest(ingest),
        content=ingest.content,
    )
    captions = write_receipt(store, caption_place(campaign.name, TRACK, shard), captions)
    table = _rows(campaign, shard, number, texts, rows + rejected)
    parts = {"accepted": table.slice(0, rows), "rejected": table.slice(rows)}
    parts["rejected"] = parts["rejected"].set_column(
        parts["rejected"].schema.get_field_index("reasons"),
        "reasons",
        pa.array([["too_short"]] * rejected, pa.list_(pa.string())),
    )
    files = {}
    for name, part in parts.items():
        key = layout.curated_key(campaign.name, TRACK, shard, f"{name}.parquet")
        files[f"{name}.parquet"] = records.write_table(store, key, part, records.CURATED_SCHEMA)
    receipt = CurateReceipt(
        shard=shard,
        track=TRACK,
        planned=rows + rejected,
        accepted=rows,
        rejected=rejected,
        reasons={"too_short": rejected},
        recipe_fingerprint=campaign.recipe.fingerprint,
        quality_fingerprint=campaign.quality_fingerprint,
        signature_version="bench",
        input=digest(captions),
        files=files,
    )
    write_receipt(store, curate_place(campaign.name, TRACK, shard), receipt)


def _rows(campaign: Campaign, shard: str, number: int, texts: list[str], count: int) -> pa.Table:
    ids = [number * 20_000 + place for place in range(count)]
    one = {
        "shard": shard,
        "track": TRACK,
        "language": "en",
        "widths": [1500],
        "heights": [2250],
        "image_dhashes": [1],
        "status": "ok",
        "finish_reason": "stop",
        "prompt_tokens": 1800,
        "completion_tokens": 130,
        "latency_ms": 900,
        "attempt": 1,
        "engine": "lmdeploy",
        "model": campaign.recipe.model.id,
        "model_revision": campaign.recipe.model.revision,
        "recipe_fingerprint": campaign.recipe.fingerprint,
        "captioned_at": 0,
        "reasons": [],
    }
    each = {
        "sample_id": [f"{TRACK}/{shard}/{name}" for name in ids],
        "image_ids": [[name] for name in ids],
        "images": [[f"{shard}/sa_{name}.jpg"] for name in ids],
        "image_xxh3s": [[name] for name in ids],
        "caption": [f"{texts[name % len(texts)]} It is number {name}." for name in ids],
    }
    columns = [
        pa.array(each.get(field.name) or [one.get(field.name)] * count, field.type)
        for field in records.CURATED_SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=records.CURATED_SCHEMA)


def put_rest(campaign: Campaign) -> Campaign:
    """What dedup and validate leave when all shards are curated; the campaign as released."""
    store, chosen = campaign.store, select(campaign, [TRACK])
    states = read_shards(chosen)
    curated = [state.tracks[TRACK].curated for state in states]
    receipts = [one for one in curated if one is not None]
    key = layout.duplicates_key(campaign.name, TRACK)
    schema = records.DUPLICATE_SCHEMA
    written = records.write_table(store, key, schema.empty_table(), schema)
    dedup = DedupReceipt(
        track=TRACK,
        shards=len(receipts),
        rows=sum(one.accepted for one in receipts),
        duplicates=0,
        near_duplicates=0,
        candidate_pairs=0,
        confirmed_pairs=0,
        large_buckets=0,
        input=digest(*receipts),
        files={"duplicates.parquet": written},
    )
    dedup = write_receipt(store, dedup_place(campaign.name, TRACK), dedup)
    page = b"<!doctype html><title>Quality</title>"
    name = hashlib.sha256(page).hexdigest()[:16]
    report = layout.past_report_key(campaign.name, "release", name)
    store.write(report, page)
    validation = ReleaseValidation(
        verdict=Verdict.PASS,
        shards=len(receipts),
        checks=[],
        counts={},
        report=report,
        quality_fingerprint=campaign.quality_fingerprint,
        input=release_validation_input(
            chosen, {TRACK: receipts}, {TRACK: dedup}, [state.validation for state in states]
        ),
        dedups=digest(dedup),
    )
    write_receipt(store, release_validation_place(campaign.name), validation)
    return chosen


def put_campaign(store: Store, rows: int, shard_rows: int = SHARD_ROWS) -> Campaign:
    """A campaign whose release can be exported."""
    texts = english(DIFFERENT, np.random.default_rng(5))
    campaign = open_campaign(store, "bench", recipe(-(-rows // shard_rows)))
    for number, shard in enumerate(campaign.recipe.shards):
        put_shard(campaign, shard, number, texts, min(shard_rows, rows - number * shard_rows))
    return put_rest(campaign)


def export(folder: Path, rows: int) -> dict[str, Any]:
    """Export once, in this process; what it cost."""
    shards = -(-rows // SHARD_ROWS)
    campaign = select(open_campaign(FileStore(folder), "bench", recipe(shards)), [TRACK])
    began = time.perf_counter()
    before = _cpu_s()
    export_release(campaign, "v1")
    return {
        "rows": rows,
        "wall_s": time.perf_counter() - began,
        "cpu_s": _cpu_s() - before,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run(*command: str) -> dict[str, Any]:
    """Last line of a program's output, which is JSON."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(folder: Path, rows: int) -> dict[str, Any]:
    """Cost of one export of so many rows, in a process of its own."""
    put_campaign(FileStore(folder / "store"), rows)
    module = ("-m", "benchmarks.bench_export", "--one")
    found = run(sys.executable, *module, str(folder / "store"), str(rows))
    print(f"export of {rows:,} rows: {_told(found)}", flush=True)
    return found


def _told(found: dict[str, Any]) -> str:
    return (
        f"{found['rows'] / found['wall_s']:,.0f} rows/s, {found['wall_s']:.1f} s wall, "
        f"{found['cpu_s']:.1f} s CPU, {found['peak_rss_mib']} MiB"
    )


@contextmanager
def s3_store() -> Iterator[Store]:
    """A store on moto's S3 server, in this process."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[name] = "testing"
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    boto3.client("s3", endpoint_url=url).create_bucket(Bucket="bench")
    try:
        yield open_store_url("s3://bench/root", url)
    finally:
        server.stop()


def share_of_bytes(rows: int) -> float:
    """Bytes through the worker when one shard changed, over those of the release, on S3."""
    moved = 0

    def sent(request: Any, **_: Any) -> None:
        nonlocal moved
        moved += int(request.headers.get("Content-Length") or 0)

    def received(response_dict: Any, event_name: str, **_: Any) -> None:
        nonlocal moved
        if response_dict is not None and not event_name.endswith("HeadObject"):  # it has no body
            moved += int(response_dict["headers"].get("Content-Length") or 0)

    with s3_store() as store:
        campaign = put_campaign(store, rows)
        export_release(campaign, "v1")
        texts = english(DIFFERENT, np.random.default_rng(6))
        place = len(campaign.recipe.shards) // 2
        put_shard(campaign, campaign.recipe.shards[place], place, texts, SHARD_ROWS, worse=7)
        campaign = put_rest(campaign)
        events = store._client.meta.events  # type: ignore[attr-defined]
        events.register("before-send.s3", sent)
        events.register("response-received.s3", received)
        export_release(campaign, "v2")
        events.unregister("before-send.s3", sent)
        events.unregister("response-received.s3", received)
        from sa1b_captions.release.manifest import read_manifest
        from sa1b_captions.release.verify import verify_release

        manifest = read_manifest(store, "v2")
        if manifest is None or verify_release(store, "v2"):
            raise SystemExit("the release that was exported again is damaged")
        return moved / sum(file.bytes for file in manifest.files)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--one"]:
        leave_out("pandas", "scipy")  # as the command does
        print(json.dumps(export(Path(sys.argv[2]), int(sys.argv[3]))))
        return
    rows = int(os.environ.get("ROWS", "1000000"))
    peer_python = os.environ["PEER_PYTHON"]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        once = measure(Path(folder, "once"), rows)
        curated = Path(folder, "once/store/campaigns/bench/curated", TRACK)
        speedups = {}
        for peer in PEERS:
            target = Path(folder, peer)
            found = run(
                peer_python, "-m", "benchmarks.export_peers", peer, str(curated), str(target)
            )
            print(f"{peer}: {_told(found)}", flush=True)
            speedups[f"speedup_vs_{peer}"] = round(found["wall_s"] / once["wall_s"], 2)
            speedups[f"cpu_ratio_to_{peer}"] = round(found["cpu_s"] / once["cpu_s"], 2)
            shutil.rmtree(target)
        shutil.rmtree(Path(folder, "once"))
        thrice = measure(Path(folder, "thrice"), 3 * rows)
    share = share_of_bytes(int(os.environ.get("S3_ROWS", "640000")))
    print(
        json.dumps(
            {
                "rows_per_s": round(once["rows"] / once["wall_s"]),
                "cpu_us_per_row": round(1e6 * once["cpu_s"] / once["rows"], 2),
                "bytes_through_worker_share": round(share, 4),
                **speedups,
                "peak_rss_mib": thrice["peak_rss_mib"],
                "peak_rss_mib_of_a_third": once["peak_rss_mib"],
                "growth_exponent": round(math.log(thrice["cpu_s"] / once["cpu_s"], 3), 3),
                "load_at_start": round(load, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
