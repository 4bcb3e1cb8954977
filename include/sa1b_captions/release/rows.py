"""The rows of a release: the published schema, its Parquet form, provenance and rejects.

The published schema is InternVL's chat format, as its loader and the users of
InternVL-SA-1B-Caption read it. A single-image row has `image`, `width` and `height`; a multi-image
row has the list `image`, `width_list` and `height_list`.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions.recipe import Track
from sa1b_captions.records import CURATED_SCHEMA

_CONVERSATIONS = pa.list_(pa.struct([("from", pa.string()), ("value", pa.string())]))

SINGLE_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("image", pa.string()),  # sa_000017/sa_190188.jpg
        ("width", pa.int64()),  # pixels
        ("height", pa.int64()),
        ("conversations", _CONVERSATIONS),  # human, then gpt
    ]
)
"""Rows of a single-image file. Integers are 64 bits wide because JSON readers make them so."""

MULTI_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("image", pa.list_(pa.string())),
        ("width_list", pa.list_(pa.int64())),
        ("height_list", pa.list_(pa.int64())),
        ("conversations", _CONVERSATIONS),
    ]
)
"""Rows of a multi-image file."""

PROVENANCE_SCHEMA = pa.schema(
    [pa.field("id", pa.int64())]
    + [
        CURATED_SCHEMA.field(name)
        for name in (
            "sample_id",
            "shard",
            "engine",
            "model",
            "model_revision",
            "recipe_fingerprint",
            "attempt",
            "finish_reason",
            "prompt_tokens",
            "completion_tokens",
            "captioned_at",
        )
    ]
    + [
        # Of each image's JPEG in the shard's plain tar, in bytes; null where no index is stored.
        pa.field("offsets", pa.list_(pa.int64())),
        pa.field("sizes", pa.list_(pa.int64())),
    ]
)
"""One row per published row, in its order; `id` is the key of both."""

_ORIGINAL = pa.field("original_caption", pa.string())  # null where no sentence was removed

IMAGE_HASHES_SCHEMA = pa.schema(
    [pa.field("id", pa.int64())]
    + [CURATED_SCHEMA.field(name) for name in ("images", "image_xxh3s", "image_dhashes")]
)
"""One row per published row, in its order, keyed as provenance is."""

REJECTED_SCHEMA = pa.schema(
    [
        *CURATED_SCHEMA,
        pa.field("winner", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("jaccard", pa.float64()),
    ]
)
"""Samples that are not published. `winner` is the sample whose caption stays, if one does; `kind`
and `jaccard` say how like it the caption is."""

_encode = json.JSONEncoder(ensure_ascii=False).encode
_FIRST_PLAIN = 0x20
"""Bytes below are control characters, which JSON writes as more than a backslash and themselves.
Captions seldom hold any."""


def provenance_schema(*, repairs: bool) -> pa.Schema:
    """Schema of provenance, of a recipe that removes sentences from captions or of another."""
    return PROVENANCE_SCHEMA.append(_ORIGINAL) if repairs else PROVENANCE_SCHEMA


def is_single(track: Track) -> bool:
    """Whether the track's rows hold one image each."""
    return track.images_max == 1


def published_schema(track: Track) -> pa.Schema:
    """Schema of the track's published rows."""
    return SINGLE_SCHEMA if is_single(track) else MULTI_SCHEMA


def human_turn(track: Track, images: int) -> str:
    """What the human says: one placeholder per image, then the track's prompt."""
    if is_single(track):
        return f"<image>\n{track.prompt}"
    return "".join(f"Image-{n}: <image>\n" for n in range(1, images + 1)) + track.prompt


def published_table(track: Track, accepted: pa.Table, first_id: int) -> pa.Table:
    """Published rows of accepted captions, ids running from `first_id`.

    Args:
        track: the captions' track.
        accepted: rows of `records.CURATED_SCHEMA`, in the order they are published.
        first_id: id of the first row.
    """
    schema = published_schema(track)
    images, widths, heights = (
        accepted.column(name).combine_chunks() for name in ("images", "widths", "heights")
    )
    conversations = _conversations(track, images, accepted.column("caption").combine_chunks())
    columns = [images, widths, heights]
    if is_single(track):
        columns = [column.flatten() for column in columns]
    ids = pa.array(range(first_id, first_id + accepted.num_rows), pa.int64())
    return pa.Table.from_arrays([ids, *columns, conversations], names=schema.names).cast(schema)


def _conversations(track: Track, images: pa.Array, captions: pa.Array) -> pa.Array:
    """Two turns a row: what the human says of so many images, and the caption."""
    rows = len(captions)
    counts = range(track.images_min, track.images_max + 1)
    turns = pa.array([human_turn(track, count) for count in counts], pa.string())
    asked = pc.subtract(pc.list_value_length(images), track.images_min)
    values = pa.concat_arrays([turns, captions.cast(pa.string())])
    places = np.empty(2 * rows, np.int64)
    places[0::2] = asked.to_numpy(zero_copy_only=False)
    places[1::2] = np.arange(len(turns), len(turns) + rows)
    speakers = pa.array(["human", "gpt"]).take(pa.array(np.arange(2 * rows) % 2))
    pairs = pa.StructArray.from_arrays(
        [speakers, values.take(pa.array(places))], fields=list(_CONVERSATIONS.value_type)
    )
    return pa.ListArray.from_arrays(pa.array(np.arange(0, 2 * rows + 1, 2), pa.int32()), pairs)


def json_lines(published: pa.Table) -> bytes:
    """One JSON object per published row, each with its line's end, as `json.dumps` spells it.

    Put together column by column: a Python object for each row takes ten times as long.
    """
    rows = published.num_rows
    if not rows:
        return b""
    turns = published.column("conversations").combine_chunks().flatten()
    asked, said = (
        turns.field("value").take(pa.array(np.arange(turn, 2 * rows, 2))) for turn in (0, 1)
    )
    prompts = asked.dictionary_encode()  # a handful
    pieces: list[str | pa.Array] = ["{"]
    for name in published.schema.names[:-1]:
        pieces += [f'"{name}": ', _json(published.column(name).combine_chunks()), ", "]
    pieces += ['"conversations": [{"from": "human", "value": ']
    pieces += [_quoted(prompts.dictionary).take(prompts.indices)]
    pieces += ['}, {"from": "gpt", "value": ', _quoted(said), "}]}\n"]
    lines = _joined(*pieces)
    return _utf8(lines).tobytes()


def _json(column: pa.Array) -> pa.Array:
    """Each value as JSON: a number, a text, or a list of those."""
    if not pa.types.is_list(column.type):
        return _quoted(column)
    values = _quoted(column.flatten())
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
    lists = pa.LargeListArray.from_arrays(offsets, values)
    return _joined("[", pc.binary_join(lists, pa.scalar(", ", pa.large_string())), "]")


def _quoted(values: pa.Array) -> pa.Array:
    """Numbers as they are, texts between quotation marks."""
    texts = values.cast(pa.large_string())
    if pa.types.is_integer(values.type):
        return texts
    if _utf8(texts).min(initial=_FIRST_PLAIN) < _FIRST_PLAIN:
        return pa.array([_encode(text) for text in texts.to_pylist()], pa.large_string())
    for character in ("\\", '"'):
        if pc.any(pc.match_substring(texts, character)).as_py():
            texts = pc.replace_substring(texts, character, "\\" + character)
    return _joined('"', texts, '"')


def _utf8(texts: pa.Array) -> np.ndarray:
    """Bytes (uint8) of large strings, one after the other."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int64)
    return np.frombuffer(data, np.uint8)[ends[texts.offset] : ends[texts.offset + len(texts)]]


def _joined(*pieces: str | pa.Array) -> pa.Array:
    """Texts put together row by row; a `str` is the same in every row."""
    large = pa.large_string()
    texts = [pa.scalar(one, large) if isinstance(one, str) else one for one in pieces]
    return pc.binary_join_element_wise(*texts, pa.scalar("", large))


def provenance_table(
    accepted: pa.Table,
    first_id: int,
    index: pa.Table | None,
    originals: Mapping[str, str] | None = None,
) -> pa.Table:
    """Where the published rows come from.

    Args:
        accepted: rows of `records.CURATED_SCHEMA` of one shard.
        first_id: id of the first row.
        index: `image_id`, `offset` and `size` of the shard's images; None where none is stored.
        originals: captions as the model wrote them, by sample, where sentences were removed; None
            of a recipe that removes none, whose rows have no such column.
    """
    table = _keyed(accepted, first_id, PROVENANCE_SCHEMA.names[1:-2])
    for name, column in zip(PROVENANCE_SCHEMA.names[-2:], _places(accepted, index), strict=True):
        table = table.append_column(name, column)
    if originals is None:
        return table.cast(PROVENANCE_SCHEMA)
    texts = [originals.get(sample) for sample in accepted.column("sample_id").to_pylist()]
    table = table.append_column(_ORIGINAL.name, pa.array(texts, pa.string()))
    return table.cast(provenance_schema(repairs=True))


def repaired(accepted: pa.Table, texts: Mapping[str, str]) -> tuple[pa.Table, dict[str, str]]:
    """Rows with other texts for some of their captions, and these captions as they were.

    Args:
        accepted: rows of `records.CURATED_SCHEMA`.
        texts: by sample.
    """
    samples = accepted.column("sample_id").to_pylist()
    captions = accepted.column("caption").to_pylist()
    originals = {
        sample: caption
        for sample, caption in zip(samples, captions, strict=True)
        if sample in texts
    }
    shown = [texts.get(sample, caption) for sample, caption in zip(samples, captions, strict=True)]
    place = accepted.schema.get_field_index("caption")
    return accepted.set_column(place, "caption", pa.array(shown, pa.string())), originals


def image_hashes_table(accepted: pa.Table, first_id: int) -> pa.Table:
    """Hashes of the published rows' images."""
    return _keyed(accepted, first_id, IMAGE_HASHES_SCHEMA.names[1:]).cast(IMAGE_HASHES_SCHEMA)


def _keyed(accepted: pa.Table, first_id: int, names: Sequence[str]) -> pa.Table:
    ids = pa.array(range(first_id, first_id + accepted.num_rows), pa.int64())
    return accepted.select(names).add_column(0, "id", ids)


def _places(accepted: pa.Table, index: pa.Table | None) -> list[pa.Array]:
    """Offsets and sizes of each row's images; of a repeated id the first counts."""
    if index is None:
        return [pa.nulls(accepted.num_rows, pa.list_(pa.int64()))] * 2
    images = accepted.column("image_ids").combine_chunks()
    found = pc.index_in(images.flatten(), value_set=index.column("image_id").combine_chunks())
    ends = pc.cumulative_sum(pc.list_value_length(images))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends.cast(pa.int32())])
    return [
        pa.ListArray.from_arrays(offsets, index.column(name).combine_chunks().take(found))
        for name in ("offset", "size")
    ]


def rejected_table(
    curated: pa.Table, reasons: pa.Array, repeats: Mapping[str, tuple[str, str, float]]
) -> pa.Table:
    """Rows with why they are not published.

    Args:
        curated: rows of `records.CURATED_SCHEMA`.
        reasons: lists, one of each.
        repeats: winner, kind and Jaccard of those that repeat another sample.
    """
    schema = REJECTED_SCHEMA
    position = schema.get_field_index("reasons")
    table = curated.set_column(position, "reasons", reasons)
    samples = pa.array(list(repeats), pa.string())
    found = pc.index_in(curated.column("sample_id"), value_set=samples)
    for place, name in enumerate(schema.names[-3:]):
        facts = pa.array([fact[place] for fact in repeats.values()], schema.field(name).type)
        table = table.append_column(name, facts.take(found))
    return table.cast(schema)
