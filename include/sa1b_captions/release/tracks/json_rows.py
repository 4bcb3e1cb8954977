"""Published rows as lines of JSON, put together column by column."""

import json

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions.release.tracks.utf8 import utf8

_encode = json.JSONEncoder(ensure_ascii=False).encode
_FIRST_PLAIN = 0x20
"""Bytes below are control characters, which JSON writes as more than a backslash and themselves.
Captions seldom hold any."""


def json_lines(published: pa.Table, asked: pa.DictionaryArray, said: pa.Array) -> memoryview:
    """One JSON object per published row, each with its line's end, as `json.dumps` spells it.

    Put together column by column: a Python object for each row takes ten times as long.

    Args:
        published: the rows, whose last column is their `conversations`.
        asked: what the human says in each.
        said: what the model says in each. Both stand in `conversations`, where they are slow to
            take out.
    """
    if not published.num_rows:
        return memoryview(b"")
    pieces: list[str | pa.Array] = ["{"]
    for name in published.schema.names[:-1]:
        pieces += [f'"{name}": ', *_json(published.column(name).combine_chunks()), ", "]
    pieces += ['"conversations": [{"from": "human", "value": "']
    pieces += [_escaped(asked.dictionary).take(asked.indices)]
    pieces += ['"}, {"from": "gpt", "value": "', _escaped(said), '"}]}\n']
    return utf8(_joined(*pieces))[0].data


def _json(column: pa.Array) -> list[str | pa.Array]:
    """Pieces of each value as JSON: a number, a text, or a list of those."""
    if not pa.types.is_list(column.type):
        number = pa.types.is_integer(column.type)
        return [column.cast(pa.large_string())] if number else ['"', _escaped(column), '"']
    values = _joined(*_json(column.flatten()))
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
    lists = pa.LargeListArray.from_arrays(offsets, values)
    return ["[", pc.binary_join(lists, pa.scalar(", ", pa.large_string())), "]"]


def _escaped(values: pa.Array) -> pa.Array:
    """Texts as they stand between the quotation marks of JSON."""
    texts = values.cast(pa.large_string())
    data, _ = utf8(texts)
    if data.min(initial=_FIRST_PLAIN) < _FIRST_PLAIN:
        return pa.array([_encode(text)[1:-1] for text in texts.to_pylist()], pa.large_string())
    for character in ("\\", '"'):
        # Found in all bytes at once and replaced by polars: Arrow's own take ten times as long.
        if (data == ord(character)).any():
            found = pl.Series(texts).str.replace_all(character, "\\" + character, literal=True)
            texts = found.to_arrow(compat_level=pl.CompatLevel.oldest())
    return texts


def _joined(*pieces: str | pa.Array) -> pa.Array:
    """Texts put together row by row; a `str` is the same in every row."""
    large = pa.large_string()
    texts = [pa.scalar(one, large) if isinstance(one, str) else one for one in pieces]
    return pc.binary_join_element_wise(*texts, pa.scalar("", large))
