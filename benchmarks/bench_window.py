"""How full the worker keeps an engine, and how fast images can be fed to it.

    make bench-window        IMAGES=3000 for more

A real worker, reader and shard; the engine is simulated (tests/support/simulated_engine.py), for it
has to be seeded and must not cost CPU. Its window is 32 and it runs 20 times as fast as a GPU. Its
shard has small images of 3:2, so that this machine's two cores can feed it; what full-size
images cost the CPU is measured beside it, in lmdeploy's own environment. The last line is one
JSON object.
"""

import io
import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from PIL import Image

from benchmarks import sa1b_archive
from sa1b_captions.caption.decoding.images import ShardReader, decode_jpeg
from sa1b_captions.caption.occupancy import window_occupancy
from sa1b_captions.caption.sampling import Sample, plan_track, read_index
from sa1b_captions.caption.worker import Outcome, Worker
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.simulated_engine import SimulatedEngine

SHARD = "sa_000000"
IMAGES = 12
RECIPE = builders.demo_recipe()


def put_shard(store: FileStore, jpegs: list[bytes], images: int, size: tuple[int, int]) -> None:
    """A shard of so many images; the JPEGs repeat."""
    numbered = {n: jpegs[n % len(jpegs)] for n in range(1, images + 1)}
    builders.put_shard(store, SHARD, numbered, size)


def plan_of(store: FileStore) -> list[Sample]:
    """Its single_en samples."""
    index = read_index(store, SHARD)
    return plan_track(RECIPE, RECIPE.tracks["single_en"], SHARD, index)


def run(store: FileStore, *, static: bool) -> tuple[SimulatedEngine, float]:
    """Caption the shard.

    Returns:
        The engine, which knows how busy its slots were from the first request to the last reply,
        and the window occupancy that a receipt would hold.
    """
    engine = SimulatedEngine(window=32, static=static)
    plan = plan_of(store)
    reader = ShardReader(store, SHARD, plan)
    outcomes = list(Worker(engine, RECIPE.generation).run((sample, reader) for sample in plan))
    engine.close()
    if len(outcomes) != len(plan):
        raise SystemExit(f"{len(outcomes)} outcomes of {len(plan)} samples")
    spans = [
        (outcome.began_s, outcome.began_s + outcome.latency_s)
        for outcome in outcomes
        if isinstance(outcome, Outcome)
    ]
    return engine, window_occupancy(spans, engine.window).share or 0.0


def read_ms(store: FileStore) -> float:
    """CPU-milliseconds per image of ranged reads through the reader."""
    plan = plan_of(store)
    reader = ShardReader(store, SHARD, plan)
    began = time.process_time()
    for sample in plan:
        reader.read(sample)
    return 1000 * (time.process_time() - began) / len(plan)


def jpeg_speedup(jpegs: list[bytes]) -> float:
    """CPU of Pillow's usual three calls over that of ours, interleaved, best of six."""

    def pillow(jpeg: bytes) -> Image.Image:
        return Image.open(io.BytesIO(jpeg)).convert("RGB")

    best = dict.fromkeys((pillow, decode_jpeg), float("inf"))
    for _ in range(6):
        for decode in best:
            began = time.process_time()
            for jpeg in jpegs:
                decode(jpeg)
            best[decode] = min(best[decode], time.process_time() - began)
    return best[pillow] / best[decode_jpeg]


def main() -> None:
    """Run everything and print."""
    images = int(os.environ.get("IMAGES", "1500"))
    with tempfile.TemporaryDirectory() as folder:
        small = FileStore(Path(folder) / "small")
        put_shard(small, [builders.make_jpeg(n, (96, 64)) for n in range(20)], images, (96, 64))
        continuous, window_share = run(small, static=False)
        static, _ = run(small, static=True)
        speedup = static.wall_s / continuous.wall_s
        print(f"{images} samples, window 32, at {continuous._speedup:.0f} times a GPU's speed")
        print(
            f"continuous: {continuous.wall_s:.1f} s, occupancy {continuous.occupancy:.3f}, "
            f"by a receipt {window_share:.3f}"
        )
        print(f"static batches: {static.wall_s:.1f} s, occupancy {static.occupancy:.3f}")

        stored = Path(folder) / "images"
        stored.mkdir()
        jpegs = [sa1b_archive.made_up_jpeg(seed) for seed in range(IMAGES)]
        for number, jpeg in enumerate(jpegs):
            (stored / f"{number}.jpg").write_bytes(jpeg)
        large = FileStore(Path(folder) / "large")
        put_shard(large, jpegs, 10 * IMAGES, sa1b_archive.SIZE)
        reading_ms = read_ms(large)
        decoder_gain = jpeg_speedup(jpegs[:6])
        # Decoded images in flight, bounded by window and prefetch: this is the peak.
        run(large, static=False)
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = subprocess.run(
            [os.environ["LMDEPLOY_PYTHON"], "-m", "benchmarks.preprocess_cost", str(stored)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    cost = json.loads(told.splitlines()[-1])
    feed_ms = reading_ms + cost["whole_ms"]
    print(f"read {reading_ms:.2f} ms, then in lmdeploy's environment: {cost}")
    print(
        json.dumps(
            {
                "occupancy": round(continuous.occupancy, 4),
                "window_occupancy": window_share,
                "speedup_vs_static_batches": round(speedup, 2),
                "feed_images_per_s_core": round(1000 / feed_ms, 1),
                "jpeg_speedup_vs_pillow": round(decoder_gain, 2),
                "peak_rss_mib": round(peak_mib),
            }
        )
    )


if __name__ == "__main__":
    main()
