"""The rows of a release: the published schema, its Parquet form, provenance and rejects.

The published schema is InternVL's chat format, as its loader and the users of
InternVL-SA-1B-Caption read it. A single-image row has `image`, `width` and `height`; a multi-image
row has the list `image`, `width_list` and `height_list`. `json_rows` spells them.
"""

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
        accepted: rows of `records.CURATED_SCHEMA`, in the order they are published.
    """
    schema = published_schema(track)
    columns = [accepted.column(name).combine_chunks() for name in ("images", "widths", "heights")]
    if is_single(track):
        columns = [column.flatten() for column in columns]
    conversations = _conversations(*turns(track, accepted))
    return pa.Table.from_arrays(
        [_ids(accepted, first_id), *columns, conversations], names=schema.names
    ).cast(schema)


def turns(track: Track, accepted: pa.Table) -> tuple[pa.DictionaryArray, pa.Array]:
    """What the human says in each row, one of a few texts, and what the model says."""
    counts = range(track.images_min, track.images_max + 1)
    said = pa.array([human_turn(track, count) for count in counts], pa.string())
    images = accepted.column("images").combine_chunks()
    which = pc.subtract(pc.list_value_length(images), track.images_min)
    captions = accepted.column("caption").combine_chunks().cast(pa.string())
    return pa.DictionaryArray.from_arrays(which, said), captions


def _conversations(asked: pa.DictionaryArray, captions: pa.Array) -> pa.Array:
    rows, prompts = len(captions), len(asked.dictionary)
    places = np.empty(2 * rows, np.int64)
    places[0::2] = asked.indices.to_numpy(zero_copy_only=False)
    places[1::2] = np.arange(prompts, prompts + rows)
    speakers = pa.array(["human", "gpt"]).take(pa.array(np.arange(2 * rows) % 2))
    values = pa.concat_arrays([asked.dictionary, captions]).take(pa.array(places))
    pairs = pa.StructArray.from_arrays([speakers, values], fields=list(_CONVERSATIONS.value_type))
    return pa.ListArray.from_arrays(pa.array(np.arange(0, 2 * rows + 1, 2), pa.int32()), pairs)


def provenance_table(
    accepted: pa.Table,
    first_id: int,
    index: pa.Table | None,
    originals: Mapping[str, str] | None = None,
) -> pa.Table:
    """Where the published rows come from.

    Args:
        accepted: rows of `records.CURATED_SCHEMA` of one shard.
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


def _ids(accepted: pa.Table, first_id: int) -> pa.Array:
    return pa.array(np.arange(first_id, first_id + accepted.num_rows, dtype=np.int64))


def _keyed(accepted: pa.Table, first_id: int, names: Sequence[str]) -> pa.Table:
    ids = _ids(accepted, first_id)
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
