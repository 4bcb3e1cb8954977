"""What a campaign's captions cost from curate to a verified release, stage by stage.

    make bench-scale         ROWS=120000 for a quick one, BENCH_FOLDER=/scratch for the store

ROWS synthetic captions lie in a folder as the caption stage leaves them: shards of 11,000 English
and 1,000 Chinese ones, in blocks of 128, of sentences drawn at random; one in fifty is an earlier
one again, one in forty one less a sentence. Each stage does all shards in a process of its own,
whose start counts. A request is a call of the store. Before it runs the same with a quarter of the
rows: growth is from there. The last line is one JSON object.
"""

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.imports import leave_out
from sa1b_captions.recipe import Recipe, load_recipe, parse_recipe
from sa1b_captions.storage import FileStore

TRACKS = {"single_en": 11_000, "single_zh": 1_000}
"""Captions of a shard."""
SHARD_ROWS = sum(TRACKS.values())
SMALLER = 4
GOAL_MIB = {"dedup": 3_072}
OTHERS_GOAL_MIB = 1_024
GOAL_EXPONENT = 1.02


class Counting(FileStore):
    """Counts its calls."""

    METHODS = (
        *("read", "read_range", "write", "open_writer", "concatenate", "exists", "list"),
        *("stamps", "delete", "clear_unfinished"),
    )

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.calls: Counter[str] = Counter()
        for name in self.METHODS:
            setattr(self, name, self._counted(name, getattr(self, name)))

    def _counted(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls[name] += 1
            return method(*arguments, **options)

        return call


def recipe(shards: int) -> Recipe:
    """The InternVL recipe over so many shards, without targets."""
    source = json.loads(json.dumps(load_recipe("internvl").source))
    source |= {"name": "bench", "shards": f"0-{shards - 1}"}
    for name, track in source["tracks"].items():
        track["release_file"] = f"bench_{name}.jsonl"
        track.pop("target", None)
    return parse_recipe(source, where="the benchmark")


class Writer:
    """Makes captions, some of which repeat earlier ones."""

    def __init__(self, seed: int = 5) -> None:
        from benchmarks.bench_curate import chinese, english  # it wants polars to use one thread

        self._rng = np.random.default_rng(seed)
        makers = {"single_en": english, "single_zh": chinese}
        self._sentences = {
            track: sorted({one for text in make(20_000, self._rng) for one in _sentences(text)})
            for track, make in makers.items()
        }
        self._remembered: dict[str, list[str]] = {track: [] for track in TRACKS}

    def texts(self, track: str, rows: int) -> Iterator[str]:
        """Captions of a shard."""
        rng, sentences, remembered = self._rng, self._sentences[track], self._remembered[track]
        joint, fewest, most = (" ", 6, 11) if track.endswith("en") else ("", 3, 4)
        for place, chance in enumerate(rng.random(rows).tolist()):
            if chance < 0.045 and remembered:
                text = remembered[rng.integers(len(remembered))]
                yield text if chance < 0.02 else joint.join(_sentences(text)[:-1])
                continue
            picked = rng.integers(0, len(sentences), int(rng.integers(fewest, most + 1)))
            text = joint.join([sentences[one] for one in picked.tolist()])
            if place % 10 == 0 and len(remembered) < 200_000:
                remembered.append(text)
            yield text


def _sentences(text: str) -> list[str]:
    stop = "。" if "。" in text else "."
    return [one.strip() + stop for one in text.split(stop) if one.strip()]


def caption(folder: Path, shards: int) -> None:
    """What the caption stage leaves of every shard."""
    from sa1b_captions import layout, records
    from sa1b_captions.generations import FIRST
    from sa1b_captions.receipts import IngestReceipt
    from sa1b_captions.receipts.receipt_files import ingest_place, write_receipt
    from tests.support import receipts

    store, writer = FileStore(folder), Writer()
    campaign = open_campaign(store, "bench", recipe(shards))
    for number, shard in enumerate(campaign.recipe.shards):
        index = records.write_table(
            store, layout.index_key(shard), _index(number), records.INDEX_SCHEMA
        )
        ingested = IngestReceipt(
            shard=shard,
            images=TRACKS["single_en"],
            problems={},
            archive_bytes=1,
            content="0" * 16,
            index=index,
        )
        write_receipt(store, ingest_place(shard), ingested)
        for track, rows in TRACKS.items():
            table = _rows(campaign, shard, number, track, list(writer.texts(track, rows)))
            size = campaign.recipe.block_size
            for block in range(-(-rows // size)):
                key = layout.part_key(campaign.name, track, shard, FIRST, block)
                part = table.slice(block * size, size)
                records.write_table(store, key, part, records.CAPTION_SCHEMA)
            receipts.put_caption(campaign, track, shard, {"ok": rows})


def _index(number: int) -> pa.Table:
    """Where the JPEGs of a shard lie."""
    from sa1b_captions import records

    count = TRACKS["single_en"]
    places = range(count)
    columns: dict[str, Any] = {
        "image_id": [number * 20_000 + place for place in places],
        "file_name": [f"sa_{number * 20_000 + place}.jpg" for place in places],
        "offset": [512 + 1_000_000 * place for place in places],
        "size": [950_000] * count,
        "width": [1500] * count,
        "height": [2250] * count,
        "jpeg_xxh3": [f"{place:032x}" for place in places],
        "problem": [None] * count,
    }
    return pa.table(columns, schema=records.INDEX_SCHEMA)


def _rows(campaign: Campaign, shard: str, number: int, track: str, texts: list[str]) -> pa.Table:
    from sa1b_captions import records

    count = len(texts)
    ids = [number * 20_000 + place for place in range(count)]
    one = {
        "shard": shard,
        "track": track,
        "language": campaign.recipe.tracks[track].language,
        "widths": [1500],
        "heights": [2250],
        "image_dhashes": [1],
        "status": "ok",
        "finish_reason": "stop",
        "prompt_tokens": 1800,
        "completion_tokens": 190,
        "latency_ms": 900,
        "attempt": 1,
        "engine": "lmdeploy",
        "model": campaign.recipe.model.id,
        "model_revision": campaign.recipe.model.revision,
        "recipe_fingerprint": campaign.recipe.fingerprint,
        "captioned_at": 0,
    }
    each = {
        "sample_id": [f"{track}/{shard}/{name}" for name in ids],
        "image_ids": [[name] for name in ids],
        "images": [[f"{shard}/sa_{name}.jpg"] for name in ids],
        "image_xxh3s": [[name] for name in ids],
        "caption": texts,
    }
    columns = [
        pa.array(each.get(field.name) or [one.get(field.name)] * count, field.type)
        for field in records.CAPTION_SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=records.CAPTION_SCHEMA)


def curate(campaign: Campaign) -> None:
    """Curate every shard."""
    from sa1b_captions.stages.curate import curate_shard

    for shard in campaign.recipe.shards:
        curate_shard(campaign, shard, tracks=list(TRACKS))


def validate(campaign: Campaign) -> None:
    """Validate every shard."""
    from sa1b_captions.stages.validating.validate_shards import validate_shards

    validate_shards(campaign, campaign.recipe.shards, tracks=list(TRACKS))


def dedup(campaign: Campaign) -> None:
    """Find the duplicates of every track."""
    from sa1b_captions.stages.dedup import dedup_track

    for track in TRACKS:
        dedup_track(campaign, track)


def validate_release(campaign: Campaign) -> None:
    """Validate all shards together."""
    from sa1b_captions.stages.validating import validate_release as stage

    found = stage.validate_release(campaign)
    if found["verdict"] == "fail":
        sys.exit(f"the release failed: {found['checks_failed']}")


def export(campaign: Campaign) -> None:
    """Write the release."""
    from sa1b_captions.stages.exporting.export import export_release

    export_release(campaign, "v1", allow_verdicts=("pass", "warn"))


def verify(campaign: Campaign) -> None:
    """Hash the release again."""
    from sa1b_captions.release.verify import verify_release

    if problems := verify_release(campaign.store, "v1"):
        sys.exit(f"the release is damaged: {problems[:3]}")


STAGES: dict[str, Callable[[Campaign], None]] = {
    "curate": curate,
    "validate": validate,
    "dedup": dedup,
    "validate_release": validate_release,
    "export": export,
    "verify": verify,
}


def run_stage(name: str, folder: Path, shards: int) -> None:
    """One stage in this process; the last line says what it cost."""
    from sa1b_captions.freshness.release_freshness import select

    began = time.perf_counter()
    store = Counting(folder)
    campaign = open_campaign(store, "bench", recipe(shards))
    if name in ("dedup", "validate_release", "export"):
        campaign = select(campaign, list(TRACKS))
    STAGES[name](campaign)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "wall_s": round(time.perf_counter() - began, 1),
        "peak_rss_mib": used.ru_maxrss // 1024,
        "requests": sum(store.calls.values()),
    }
    print(json.dumps(cost))


def measure(folder: Path, shards: int) -> dict[str, dict[str, float]]:
    """Cost of every stage over so many shards."""
    module = (sys.executable, "-m", "benchmarks.bench_scale")
    subprocess.run([*module, "caption", str(folder), str(shards)], check=True)
    costs = {}
    for name in STAGES:
        done = subprocess.run(
            [*module, name, str(folder), str(shards)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        costs[name] = json.loads(done.stdout.splitlines()[-1])
        load = os.getloadavg()[0]
        print(f"{shards * SHARD_ROWS:,} {name}: {costs[name]} at load {load:.0f}", flush=True)
    return costs


def main() -> None:
    """Measure and print."""
    if len(sys.argv) > 1:
        name, folder, shards = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
        if name == "caption":
            caption(folder, shards)
            return
        if not name.startswith("validate"):
            leave_out("pandas", "scipy")  # as the command does
        run_stage(name, folder, shards)
        return
    shards = max(int(os.environ.get("ROWS", "12000000")) // SHARD_ROWS, SMALLER)
    smaller = shards // SMALLER
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as scratch:
        measure(Path(scratch, "start"), 1)  # compiles, where nothing is compiled yet
        few = measure(Path(scratch, "few"), smaller)
        many = measure(Path(scratch, "many"), shards)
    result: dict[str, Any] = {"rows": shards * SHARD_ROWS, "rows_of_fewer": smaller * SHARD_ROWS}
    missed = []
    for name, cost in many.items():
        # Of CPU seconds: wall follows whatever else the machine does.
        exponent = math.log(cost["cpu_s"] / few[name]["cpu_s"], shards / smaller)
        result[name] = {**cost, "growth_exponent": round(exponent, 3)}
        if cost["peak_rss_mib"] > GOAL_MIB.get(name, OTHERS_GOAL_MIB):
            missed.append(f"{name}'s memory")
        if exponent > GOAL_EXPONENT:
            missed.append(f"{name}'s growth")
    minutes = sum(cost["cpu_s"] for cost in many.values()) / 60
    print(json.dumps({**result, "cpu_minutes": round(minutes, 1), "goals_missed": missed}))


if __name__ == "__main__":
    main()
