"""Every kind of stored object, damaged in five ways, as the commands that read it meet it.

The log ends with one sentence that names the object and says what to do, the exit code says that no
retry helps, and nothing of Python shows.
"""

import dataclasses
import json
import logging
import re
import shutil

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.cli import app
from sa1b_captions.errors import EXIT_PERMANENT
from sa1b_captions.quality.curated import read_all_metrics, require_curated
from sa1b_captions.quality.health.reference import build_reference, pin_reference
from sa1b_captions.receipt_files import begun_place, caption_place, require_receipt, write_receipt
from sa1b_captions.receipts import BegunNote
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.release.signature import SIGNATURE, sign_release
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts, releases

SHARD, TRACK, REDONE = "sa_000000", "single_en", "multi_zh"
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
"""

STATUS = "status"
CAPTION = f"caption --shards 0 --tracks {TRACK} --engine preview --force --run-id monday"
RESTORE = f"caption --shards 0 --tracks {REDONE} --restore"
CURATE = f"curate --shards 0 --tracks {TRACK} --force"
VALIDATE = "validate --shards 0 --force"
DEDUP = f"dedup --tracks {TRACK} --force"
RELEASE = "validate --release --force"
EXPORT = "export --version v2"
VERIFY = "verify --version v1"


def curated(name):
    return layout.curated_key("test", TRACK, SHARD, name)


READERS = {
    layout.recipe_key("test"): [STATUS, CAPTION, CURATE, DEDUP, EXPORT],
    layout.reference_key("test"): [CURATE, VALIDATE],
    layout.ingest_receipt_key(SHARD): [STATUS, CAPTION, CURATE, EXPORT],
    layout.index_key(SHARD): [CAPTION, EXPORT],
    layout.archive_key(SHARD): [CAPTION],
    layout.part_key("test", TRACK, SHARD, "0001", 0): [CURATE],
    layout.caption_receipt_key("test", TRACK, SHARD): [STATUS, CAPTION, CURATE, DEDUP, EXPORT],
    layout.past_receipt_key("test", REDONE, SHARD, "0001"): [RESTORE],
    layout.begun_key("test", TRACK, SHARD, "0001"): [CAPTION],
    layout.curate_receipt_key("test", TRACK, SHARD): [STATUS, VALIDATE, DEDUP, EXPORT],
    curated("accepted.parquet"): [EXPORT],
    curated("rejected.parquet"): [EXPORT],
    curated("signatures.parquet"): [DEDUP],
    curated("features.parquet"): [VALIDATE],
    curated("metrics.json"): [VALIDATE],
    curated("photographs.parquet"): [DEDUP],
    layout.shard_validation_key("test", SHARD): [STATUS, RELEASE, EXPORT],
    layout.dedup_receipt_key("test", TRACK): [RELEASE, EXPORT],
    layout.duplicates_key("test", TRACK): [RELEASE, EXPORT],
    layout.release_validation_key("test"): [EXPORT],
    layout.latest_key(): [STATUS],
    layout.manifest_key("v1"): [VERIFY, "sign --version v1 --key key.pem", "export --version v1"],
    layout.release_key("v1", SIGNATURE): ["verify --version v1 --public-key public.pem"],
    layout.release_key("v1", "pieces.csv"): [VERIFY],
    layout.release_key("v1", "README.md"): [VERIFY],
}
"""Each kind of object by the key of one of them, and the commands that read it."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a recipe, keys, and a shard that was captioned, curated and released."""
    folder = tmp_path_factory.mktemp("whole")
    put_keys(folder)
    (folder / "recipe.toml").write_text(RECIPE)
    store, recipe = FileStore(folder / "store"), load_recipe(str(folder / "recipe.toml"))
    campaign = open_campaign(store, "test", recipe)
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 9)})
    for track in TRACKS:
        text = releases.ZH if track.endswith("zh") else ENGLISH
        table = builders.caption_rows(recipe, track, SHARD, [(text * n).strip() for n in (5, 6, 8)])
        builders.put_captions(campaign, SHARD, track, table)
        if track == REDONE:
            put_generation(campaign, track, table)
    curate_shard(campaign, SHARD)
    metrics = {t: read_all_metrics(campaign, require_curated(campaign, t)) for t in TRACKS}
    pin_reference(campaign, build_reference(campaign, [SHARD], metrics, {}), replace=False)
    write_receipt(store, begun_place("test", TRACK, SHARD, "0001"), BegunNote(run_id="sunday"))
    campaign = open_campaign(store, "test", recipe)
    curate_shard(campaign, SHARD)
    receipts.put_shard_validation(campaign, SHARD)
    for track in TRACKS:
        dedup_track(campaign, track)
    releases.put_validation(campaign)
    export_release(campaign, "v1")
    sign_release(store, layout.release_prefix("v1"), (folder / "key.pem").read_bytes())
    for track in TRACKS:  # an export that finds its batches reads no captions
        for key in list(store.list(layout.batches_prefix("test", track))):
            store.delete(key)
    return folder


def put_keys(folder):
    key = Ed25519PrivateKey.generate()
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(private)
    (folder / "public.pem").write_bytes(public)


def put_generation(campaign, track, table):
    """Captions made again, and the receipt that counted before beside theirs."""
    store, place = campaign.store, caption_place("test", track, SHARD)
    store.write(layout.past_receipt_key("test", track, SHARD, "0001"), store.read(place.key))
    builders.put_captions(campaign, SHARD, track, table, "0002-hand")
    present = require_receipt(store, place)
    write_receipt(store, place, dataclasses.replace(present, previous="0001"))


@pytest.fixture
def store(whole, tmp_path, monkeypatch):
    shutil.copytree(whole, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    for name, value in {
        "CAPTIONS_ROOT": (tmp_path / "copy" / "store").as_uri(),
        "CAPTIONS_CAMPAIGN": "test",
        "CAPTIONS_RECIPE": "recipe.toml",
    }.items():
        monkeypatch.setenv(name, value)
    return FileStore(tmp_path / "copy" / "store")


def _flipped(data, key):
    """One bit, in a text where it leaves a text, and in an archive within the first image."""
    place = 600 if key.endswith(".tar") else len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _other_kind(data, key):
    return b'["something else"]' if data.startswith(b"PAR1") else b"PAR1 of another kind PAR1"


def _newer(data, key):
    content = json.loads(data) if data.startswith(b"{") else {}
    if "stage" not in content:
        return None  # nothing of it says which version wrote it
    del content["checksum"]
    return json.dumps(content | {"format": 99, "software": "sa1b-captions 99"}).encode()


WAYS = {
    "empty": lambda data, key: b"",
    "cut": lambda data, key: data[: len(data) // 2],
    "flipped": _flipped,
    "other kind": _other_kind,
    "newer": _newer,
}
OF_PYTHON = re.compile(
    r"Traceback|\w+(Error|Exception)\b|codec|Expecting|unpack|unexpected key|\\x"
)


@pytest.mark.parametrize("key", READERS)
def test_a_damaged_object_ends_a_command_in_one_sentence_that_names_it(store, caplog, key):
    good = store.read(key)
    for way, damage in WAYS.items():
        bad = damage(good, key)
        if bad is None:
            continue
        assert bad != good
        for command in READERS[key]:
            store.write(key, bad)
            caplog.clear()
            with caplog.at_level(logging.INFO):
                result = CliRunner().invoke(app, command.split())
            said = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
            where = f"{command} after {way}: {said}"
            assert result.exit_code == EXIT_PERMANENT, where
            assert key in "".join(said), where
            assert not OF_PYTHON.search(result.output + caplog.text), where
            assert all("\n" not in sentence for sentence in said), where
            assert said[-1].startswith("error: "), where
            if command != VERIFY:
                assert re.search(r"\b(run|restore|delete|install|again|ask)\b", said[-1]), where
    store.write(key, good)
    for command in READERS[key]:
        caplog.clear()
        CliRunner().invoke(app, command.split())
        said = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
        assert key not in "".join(said), said
