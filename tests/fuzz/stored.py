"""What lies in the store: tables, receipts, recipes, manifests, marks; any of it may be damaged."""

import atexit
import functools
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions import checked_json, layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.mark_logs import line_of, read_marks
from sa1b_captions.marks import CaptionMark, Judgement, Mark, PairMark, SentenceMark, Support
from sa1b_captions.receipts import receipt_files
from sa1b_captions.receipts.receipt_files import Place, read_receipt
from sa1b_captions.records import parse_table
from sa1b_captions.release.manifest import read_manifest
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.fuzz.mutations import changed_json, damaged_bytes, json_bytes, require_sentence
from tests.support import builders, receipts, releases

CAMPAIGN = "test"
TRACK, SHARD = "single_en", "sa_000000"
PLACES: dict[str, Place[Any]] = {
    place.key: place
    for place in (
        receipt_files.ingest_place(SHARD),
        receipt_files.caption_place(CAMPAIGN, TRACK, SHARD),
        receipt_files.curate_place(CAMPAIGN, TRACK, SHARD),
        receipt_files.dedup_place(CAMPAIGN, TRACK),
        receipt_files.shard_validation_place(CAMPAIGN, SHARD),
        receipt_files.release_validation_place(CAMPAIGN),
    )
}
MARK: dict[str, Any] = {"sample_id": f"{TRACK}/{SHARD}/1", "who": "ann", "note": "a\u2028b"}
MARKS: list[Mark] = [
    CaptionMark(**MARK, text_xxh3="0" * 32, judgement=Judgement.GOOD),
    SentenceMark(**MARK, text_xxh3="0" * 32, sentence=2, supported=Support.NO),
]


@functools.cache
def store() -> FileStore:
    """A campaign with a release and one receipt of each kind; targets break one object of it."""
    root = tempfile.mkdtemp(prefix="sa1b-fuzz-")
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    made = FileStore(Path(root))
    campaign = releases.ready_campaign(made)
    export_release(campaign, "v1")
    builders.put_shard(made, SHARD, {1: builders.make_jpeg(1)})
    receipts.put_caption(campaign, TRACK, SHARD, {"ok": 3})
    receipts.put_shard_validation(campaign, SHARD)
    return made


@functools.cache
def stored(key: str) -> bytes:
    """An object as it was written."""
    return store().read(key)


def put(key: str, data: bytes) -> None:
    """Replace an object, without waiting for the disk."""
    path = store().root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def broken(read: Callable[[], Any], key: str) -> Any:
    """What is read of the present object; None if one sentence names the object instead."""
    try:
        return read()
    except PermanentError as error:
        require_sentence(error, key)
        return None


def as_written(content: Any, *, checked: bool) -> bytes:
    """JSON with a checksum that fits the change, or without one, as older versions wrote it."""
    if not isinstance(content, dict):
        return json_bytes(content)
    if not checked:
        return json_bytes({key: value for key, value in content.items() if key != "checksum"})
    try:
        return checked_json.render(content)
    except ValueError:  # halves of surrogates
        return json_bytes(content)


@st.composite
def damaged_json(draw: st.DrawFn, key: str) -> bytes:
    """An object of JSON with other bytes or other values."""
    data = stored(key)
    if draw(st.booleans()):
        return draw(damaged_bytes([data]))
    return as_written(draw(changed_json([json.loads(data)])), checked=draw(st.booleans()))


@given(st.data(), st.sampled_from(sorted(PLACES)))
def receipt(data: st.DataObject, key: str) -> None:
    """A receipt is one of its kind, or one sentence names it."""
    stored(key)
    put(key, data.draw(damaged_json(key)))
    place = PLACES[key]
    found = broken(lambda: read_receipt(store(), place), key)
    assert found is None or isinstance(found, place.kind)
    put(key, stored(key))


@given(st.data())
def stored_recipe(data: st.DataObject) -> None:
    """A campaign's recipe is sound, or one sentence names it."""
    key = layout.recipe_key(CAMPAIGN)
    stored(key)
    put(key, data.draw(damaged_json(key)))
    broken(lambda: open_campaign(store(), CAMPAIGN), key)
    put(key, stored(key))


@given(st.data())
def manifest(data: st.DataObject) -> None:
    """A release's manifest is one, or one sentence names it."""
    key = layout.manifest_key("v1")
    stored(key)
    put(key, data.draw(damaged_json(key)))
    broken(lambda: read_manifest(store(), "v1"), key)
    put(key, stored(key))


@given(
    st.lists(
        st.one_of(
            damaged_bytes([line_of(mark).encode() for mark in MARKS]),
            changed_json([json.loads(line_of(mark)) for mark in MARKS]).map(json_bytes),
        ),
        max_size=3,
    ).map(b"\n".join)
)
def marks(data: bytes) -> None:
    """A log of marks is marks, or one sentence names it."""
    key = layout.marks_key(CAMPAIGN, "fuzz")
    put(key, data)
    for kind in (CaptionMark, SentenceMark, PairMark):
        read = functools.partial(read_marks, store(), CAMPAIGN, kind)
        for mark in broken(read, key) or []:
            assert isinstance(mark, kind)
            assert mark.subject


@given(st.data(), st.sampled_from(["accepted.parquet", "rejected.parquet"]))
def table(data: st.DataObject, name: str) -> None:
    """A table is what was written, or one sentence names it: its pages have checksums.

    Metadata has none, so values are compared and not the schema's notes.
    """
    key = layout.curated_key(CAMPAIGN, TRACK, SHARD, name)
    whole = parse_table(stored(key), key, key)
    found = broken(lambda: parse_table(data.draw(damaged_bytes([stored(key)])), key, key), key)
    if found is not None and found.num_rows == whole.num_rows and found.schema == whole.schema:
        assert found.equals(whole)
