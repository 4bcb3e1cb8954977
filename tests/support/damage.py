"""A whole small store with every kind of stored object in it, and ways to damage one of them."""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign, lock_model, open_campaign
from sa1b_captions.ingest.downloading.links import parse_links
from sa1b_captions.mark_logs import MarkLog
from sa1b_captions.marks import CaptionMark, Judgement
from sa1b_captions.quality.curated import read_all_metrics, require_curated
from sa1b_captions.quality.health.reference import build_reference, pin_reference
from sa1b_captions.receipts import BegunNote
from sa1b_captions.receipts.receipt_files import (
    begun_place,
    caption_place,
    require_receipt,
    write_receipt,
)
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.recipe.model_lock import LockedFile, ModelLock
from sa1b_captions.release.signature import sign_release
from sa1b_captions.stages.auditing.audit import audit_shards
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.ingesting.ingest import ingest_shard
from sa1b_captions.stages.status.status import why_release_stale
from sa1b_captions.stages.validating.validate_shards import validate_shards
from sa1b_captions.storage import FileStore
from tests.support import audited, builders, receipts, releases

SHARD, TRACK, REDONE = "sa_000000", "single_en", "multi_zh"
ARCHIVE = builders.make_archive(builders.sa1b_members(range(1, 9)))
ENGLISH = f"A path of {TRACK} leads past a house to the lake of the village. " * 5
RECIPE = """
base = "internvl"
name = "damage"
shards = "0"
block_size = 4
without = ["tracks.single_en.target", "tracks.single_zh.target", "tracks.multi_en.target",
  "tracks.multi_zh.target", "tracks.multi_en.spare_samples_per_shard",
  "tracks.multi_zh.spare_samples_per_shard", "tracks.single_zh.spare_samples_per_shard"]
[model]
id = "preview"
revision = "1"
system_prompt = ""
[tracks.single_en]
release_file = "damage_single_en.jsonl"
[tracks.single_zh]
release_file = "damage_single_zh.jsonl"
[tracks.multi_en]
release_file = "damage_multi_en.jsonl"
[tracks.multi_zh]
release_file = "damage_multi_zh.jsonl"
[quality]
min_rows = 1
near_duplicate_jaccard = 1.0
[quality.health]
reference_rows = 1
[quality.language.en]
off = ["ngram_repetition", "sentence_repetition", "word_echo", "length_outlier"]
[quality.language.zh]
off = ["ngram_repetition", "sentence_repetition", "word_echo", "length_outlier"]
[audit]
captions_per_shard = 2
"""


def make(folder: Path, links: str) -> None:
    """Put a recipe, keys, a links file, and a shard that was made and released into a folder."""
    _put_keys(folder)
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "links.txt").write_text(links)
    store, recipe = FileStore(folder / "store"), load_recipe(str(folder / "recipe.toml"))
    campaign = open_campaign(store, "test", recipe)
    files = {"model.safetensors": LockedFile(3, hashlib.sha256(b"abc").hexdigest())}
    lock_model(campaign, ModelLock("preview", "1", files))
    ingest_shard(store, SHARD, parse_links(links))
    for track in TRACKS:
        text = releases.ZH if track.endswith("zh") else ENGLISH
        table = builders.caption_rows(recipe, track, SHARD, [(text * n).strip() for n in (5, 6, 8)])
        builders.put_captions(campaign, SHARD, track, table)
        if track == REDONE:
            _put_generation(campaign, track, table)
    curate_shard(campaign, SHARD)
    metrics = {t: read_all_metrics(campaign, require_curated(campaign, t)) for t in TRACKS}
    pin_reference(campaign, build_reference(campaign, [SHARD], metrics, {}), replace=False)
    write_receipt(store, begun_place("test", TRACK, SHARD, "0001"), BegunNote(run_id="sunday"))
    campaign = open_campaign(store, "test", recipe)
    curate_shard(campaign, SHARD)
    audit_shards(campaign, [SHARD], audited.judge())
    _put_mark(campaign)
    validate_shards(campaign, [SHARD], run_id="sunday")
    receipts.put_shard_validation(campaign, SHARD)
    for track in TRACKS:
        dedup_track(campaign, track)
    releases.put_validation(campaign)
    why_release_stale(campaign)  # keeps a summary
    export_release(campaign, "v1")
    sign_release(store, layout.release_prefix("v1"), (folder / "key.pem").read_bytes())


def _put_keys(folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(private)
    (folder / "public.pem").write_bytes(public)


def _put_generation(campaign: Campaign, track: str, table: object) -> None:
    """Captions made again, and the receipt that counted before beside theirs."""
    store, place = campaign.store, caption_place("test", track, SHARD)
    store.write(layout.past_receipt_key("test", track, SHARD, "0001"), store.read(place.key))
    builders.put_captions(campaign, SHARD, track, table, "0002-hand")
    present = require_receipt(store, place)
    write_receipt(store, place, dataclasses.replace(present, previous="0001"))


def _put_mark(campaign: Campaign) -> None:
    MarkLog(campaign.store, campaign.name).add(
        CaptionMark(
            sample_id=f"{TRACK}/{SHARD}/1",
            text_xxh3="0" * 32,
            judgement=Judgement.GOOD,
            who="ada",
            at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC).isoformat(),
        )
    )


def _flipped(data: bytes, key: str) -> bytes:
    """One bit, in a text where it leaves a text, and in an archive within the first image."""
    place = 600 if key.endswith(".tar") else len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _other_kind(data: bytes, key: str) -> bytes:
    return b'["something else"]' if data.startswith(b"PAR1") else b"PAR1 of another kind PAR1"


def _newer(data: bytes, key: str) -> bytes | None:
    try:
        content = json.loads(data) if data.startswith(b"{") else {}
    except ValueError:
        content = {}  # lines of JSON
    if "stage" not in content:
        return None  # nothing of it says which version wrote it
    del content["checksum"]
    return json.dumps(content | {"format": 99, "software": "sa1b-captions 99"}).encode()


WAYS: dict[str, Callable[[bytes, str], bytes | None]] = {
    "empty": lambda data, key: b"",
    "cut": lambda data, key: data[: len(data) // 2],
    "flipped": _flipped,
    "other kind": _other_kind,
    "newer": _newer,
}
"""How an object is damaged, by what is left of it; None where that cannot be."""
