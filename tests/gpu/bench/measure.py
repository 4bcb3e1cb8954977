"""One load of the engine, then timed passes: `python -m tests.gpu.bench.measure`, by the bench."""

import argparse
import concurrent.futures
import contextlib
import os
import time
from pathlib import Path
from typing import Any

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.caption.decoding.images import ShardReader, decode_jpeg
from sa1b_captions.caption.engines.base import Engine, Reply, Request
from sa1b_captions.caption.engines.generation import sampling
from sa1b_captions.caption.engines.lmdeploy.config import generation_config
from sa1b_captions.caption.engines.lmdeploy.engine import open_engine
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.receipts.receipt_files import caption_place, require_receipt
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import shard_name
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import open_store
from tests.gpu.bench import photos, words
from tests.gpu.bench.lines import Lines
from tests.gpu.bench.shapes import SHAPES, Pass, Shape

_TRACK = "single_en"


class _Open:
    """The engine with a window of its own, which notes every request and stays open."""

    def __init__(self, engine: Engine, window: int) -> None:
        self._engine, self.window = engine, window
        for name in ("name", "model", "model_revision", "needs_pixels", "gpus"):
            setattr(self, name, getattr(engine, name))
        self.requests: list[tuple[float, float, Reply]] = []
        """When each began and ended, on time.monotonic, and its reply."""

    def caption(self, request: Request) -> Reply:
        began = time.monotonic()
        reply = self._engine.caption(request)
        self.requests.append((began, time.monotonic(), reply))
        return reply

    def close(self) -> None:
        """Leave it open."""


class Bench:
    """The passes of one shape over one open engine."""

    def __init__(self, campaign: Campaign, engine: Any, shape: Shape, lines: Lines) -> None:
        self._campaign, self._engine, self._shape, self._lines = campaign, engine, shape, lines
        self._captions = words.captions(shape)
        self._slowest_s = 0.0
        """Of any pass, for one image."""

    def run(self, ends_at: float) -> None:
        """Every pass that no earlier run finished, as long as the next is likely to end in time."""
        for place, each in enumerate(self._shape.passes):
            warm = each.name == "warm-up"  # each process needs one
            if not warm and not self._lines.missing(each.name):
                continue
            left_s = ends_at - time.monotonic()
            if self._slowest_s * each.images > left_s:
                self._lines.add(each.name, left_out=f"{left_s:.0f} s were left")
                continue
            shard = shard_name(place)
            began = time.monotonic()
            facts = self._worker(each, shard) if each.window else self._pipe_list(each, shard)
            self._slowest_s = max(self._slowest_s, (time.monotonic() - began) / each.images)
            self._lines.add(each.name, **facts)

    def _worker(self, each: Pass, shard: str) -> dict[str, object]:
        """The caption stage as the command runs it, but for the engine, which stays open."""
        view = _Open(self._engine, each.window)
        run_id = f"bench-{time.time_ns()}"
        caption_shards(
            self._campaign, [shard], lambda: view, tracks=[_TRACK], force=True, run_id=run_id
        )
        store, name = self._campaign.store, self._campaign.name
        receipt = require_receipt(store, caption_place(name, _TRACK, shard))
        prefix = layout.captions_prefix(name, _TRACK, shard)
        parts = [key for key in store.list(prefix) if key.endswith(".parquet")]
        rows = [row for key in parts for row in records.read_table(store, key).to_pylist()]
        span_s = max(r[1] for r in view.requests) - min(r[0] for r in view.requests)
        replies = [reply for _, _, reply in view.requests]
        share = receipt.occupancy.share
        return {
            "window": each.window,
            "occupancy": None if share is None else round(share, 4),
            "in_flight": round(sum(e - b for b, e, _ in view.requests) / span_s, 2),
            **self._facts(
                {row["image_ids"][0]: row["caption"] for row in rows},
                span_s,
                sum(reply.prompt_tokens or 0 for reply in replies),
                sum(reply.completion_tokens or 0 for reply in replies),
            ),
        }

    def _pipe_list(self, each: Pass, shard: str) -> dict[str, object]:
        """Lmdeploy's own `pipe(list)` on the pictures of a shard, decoded before."""
        recipe, store = self._campaign.recipe, self._campaign.store
        track = recipe.tracks[_TRACK]
        plan = plan_track(recipe, track, shard, read_index(store, shard))
        reader = ShardReader(store, shard, plan)
        images = [decode_jpeg(reader.read(sample)[0]) for sample in plan]
        encoder = self._engine._pipe.async_engine.vl_encoder
        ours = encoder.executor
        if not each.wide:
            encoder.executor = concurrent.futures.ThreadPoolExecutor(1, "preprocess")
        generation = generation_config(sampling(recipe.generation, 1))
        began = time.monotonic()
        try:
            replies = self._engine._pipe(
                [(image, track.prompt) for image in images], gen_config=generation
            )
            span_s = time.monotonic() - began
        finally:
            encoder.executor = ours
        texts = {s.images[0].image_id: r.text.strip() for s, r in zip(plan, replies, strict=True)}
        return {
            "wide": each.wide,
            **self._facts(
                texts,
                span_s,
                sum(reply.input_token_len for reply in replies),
                sum(reply.generate_token_len for reply in replies),
            ),
        }

    def _facts(
        self, texts: dict[int, str], span_s: float, read: int, written: int
    ) -> dict[str, object]:
        expected = {number: self._captions[photos.colour_of(number)] for number in texts}
        wrong = [number for number, text in texts.items() if text != expected[number]]
        facts: dict[str, object] = {
            "images": len(texts),
            "right": len(texts) - len(wrong),
            "seconds": round(span_s, 2),
            "images_per_s": round(len(texts) / span_s, 3),
            "read_tokens_per_s": round(read / span_s),
            "written_tokens_per_s": round(written / span_s),
        }
        if wrong:
            facts["first_wrong"] = [wrong[0], expected[wrong[0]][:80], texts[wrong[0]][:80]]
        return facts


def main() -> None:
    """Load, and run the passes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--gpu", help="its name; without it TurboMind is faked")
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    ends_at = time.monotonic() + options.seconds
    settings = load_settings()
    lines = Lines(options.results, options.shape, options.gpu)
    with contextlib.ExitStack() as stack:
        if options.gpu is None:
            from tests.gpu.faked import cpu_turbomind

            stack.enter_context(cpu_turbomind(Path(settings.model_path or "")))
        campaign = open_campaign(open_store(settings), photos.CAMPAIGN)
        began = time.monotonic()
        engine = open_engine(campaign.recipe, settings)
        lines.add("load", seconds=round(time.monotonic() - began, 1))
        Bench(campaign, engine, SHAPES[options.shape], lines).run(ends_at)
    os._exit(0)  # closing takes time that a lent GPU does not have


if __name__ == "__main__":
    main()
