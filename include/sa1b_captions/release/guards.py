"""What must hold before a row is published; each failure is a PermanentError with a remedy."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions.errors import PermanentError
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.recipe import Recipe, Track
from sa1b_captions.release.tracks.utf8 import utf8

INTERNVL_MODEL = "OpenGVLab/InternVL2-Llama3-76B"
PUBLISHED_PREFIX = "internvl_sa1b_caption"
"""How the names of InternVL-SA-1B-Caption's files begin."""

FORBIDDEN = ("<image>", "<img>", "</img>", "<IMG_CONTEXT>")
"""InternVL's loader counts or replaces these wherever they stand."""
LINE_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
"""Every character that ends a line for some reader of JSONL; the row rules reject the same."""
UNPUBLISHABLE = (
    (
        f"has a line break or one of {', '.join(FORBIDDEN)}",
        "|".join([*map(re.escape, FORBIDDEN), f"[{LINE_BREAKS}]"]),
    ),
    ("has the placeholder <video>, which loaders count", "(?i)</?video>"),
    ("has a script", r"(?i)</?script\b[^<>]*>|<[a-z][^<>]*([\s/\"']on\w+\s*=|javascript:)"),
    ("has characters of no width", "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"),
    ("begins or ends with a space", r"^[\s\pZ]|[\s\pZ]$"),
    ("begins as a formula, which spreadsheets run", r"^[=@]|^[+-]\w+[(|]"),
)
"""What is wrong with a caption, and the pattern that finds it, for RE2."""
_ANY_UNPUBLISHABLE = "|".join(f"(?:{pattern})" for _, pattern in UNPUBLISHABLE)
"""Finds the same, in a fifth of the time."""
_DOUBTFUL_FIRST, _DOUBTFUL_LAST = b" =@+-", b" "
"""ASCII that one of the patterns wants at an end of a caption; see `_doubtful`."""


def check_recipe(recipe: Recipe) -> None:
    """Refuse the published dataset's names to another model, and prompts with placeholders.

    Raises PermanentError naming the track and what to change.
    """
    for track in recipe.tracks.values():
        name = track.release_file
        if name.lower().startswith(PUBLISHED_PREFIX) and recipe.model.id != INTERNVL_MODEL:
            raise PermanentError(
                f"recipe {recipe.name}: {name} names captions by {INTERNVL_MODEL}, and these are "
                f"by {recipe.model.id}; give the track another release_file"
            )
        if any(literal in track.prompt for literal in FORBIDDEN):
            raise PermanentError(
                f"recipe {recipe.name}: the prompt of {track.name} holds one of "
                f"{', '.join(FORBIDDEN)}; export adds the placeholders itself"
            )


def check_counts(
    receipt: CurateReceipt, accepted: pa.Table, rejected: pa.Table, where: str
) -> None:
    """Accepted + rejected = planned, in the receipt and in the tables.

    Raises PermanentError: the numbers differ.
    """
    stored = (accepted.num_rows, rejected.num_rows)
    counted = (receipt.accepted, receipt.rejected)
    if stored != counted or sum(stored) != receipt.planned:
        raise PermanentError(
            f"{where}: {stored[0]} accepted + {stored[1]} rejected rows are stored, the receipt "
            f"says {counted[0]} + {counted[1]} of {receipt.planned} planned; "
            "curate the shard again with --force"
        )


def check_rows(recipe: Recipe, track: Track, accepted: pa.Table, where: str) -> None:
    """Every row is of the recipe's model, its caption is one clean line, its sample is unique.

    Raises PermanentError naming the rows that are not, and what to do.
    """
    for column, expected in (
        ("model", recipe.model.id),
        ("recipe_fingerprint", recipe.fingerprint),
        ("track", track.name),
    ):
        others = set(accepted.column(column).unique().to_pylist()) - {expected}
        if others:
            raise PermanentError(
                f"{where}: {column} is {', '.join(map(str, others))} in some rows, the recipe's is "
                f"{expected}; a release holds captions of one model and recipe only: caption the "
                "shard again with --force"
            )
    captions, blank = accepted.column("caption"), f"{where}: has no caption"
    _refuse(accepted, pc.fill_null(pc.equal(pc.binary_length(captions), 0), True), blank)
    doubtful = accepted.filter(_doubtful(captions))
    captions = doubtful.column("caption")
    _refuse(doubtful, pc.equal(pc.utf8_trim_whitespace(captions), ""), blank)
    if pc.any(pc.match_substring_regex(captions, _ANY_UNPUBLISHABLE)).as_py():
        for what, pattern in UNPUBLISHABLE:
            found = pc.match_substring_regex(captions, pattern)
            _refuse(doubtful, found, f"{where}: {what}")
    _check_images(track, accepted, where)
    if pc.count_distinct(accepted.column("sample_id")).as_py() != accepted.num_rows:
        raise PermanentError(f"{where}: a sample is accepted twice; curate the shard again")


def _doubtful(captions: pa.ChunkedArray) -> pa.Array:
    """Whether one of UNPUBLISHABLE may match a caption: of English ones it may of few.

    Each of them needs a `<`, a control character, a character beyond ASCII, or one of a few at an
    end. To look for those bytes takes a tenth of the time of a regular expression.
    """
    data, ends = utf8(captions.combine_chunks().cast(pa.large_string()))
    if not len(data):
        return pa.array(np.zeros(len(captions), bool))
    first, last = data[ends[:-1]], data[ends[1:] - 1]
    return pa.array(
        (np.minimum.reduceat(data.view(np.int8), ends[:-1]) < 0x20)  # from 0x80 on it is negative
        | np.logical_or.reduceat(data == ord("<"), ends[:-1])
        | np.isin(first, list(_DOUBTFUL_FIRST))
        | np.isin(last, list(_DOUBTFUL_LAST))
    )


def _check_images(track: Track, accepted: pa.Table, where: str) -> None:
    """Every row has as many images as its track allows, each once, each with a size."""
    images = accepted.column("images")
    counts = pc.fill_null(pc.list_value_length(images), 0)
    few, many = pc.less(counts, track.images_min), pc.greater(counts, track.images_max)
    allowed = f"{track.images_min} to {track.images_max}"
    _refuse(accepted, pc.or_(few, many), f"{where}: has other than {allowed} images")
    for column, what in (("widths", "width"), ("heights", "height")):
        sides = accepted.column(column)
        wrong = pc.not_equal(pc.fill_null(pc.list_value_length(sides), 0), counts)
        bad = pc.fill_null(pc.less(pc.list_flatten(sides), 1), True)
        if pc.any(bad).as_py():
            rows = pc.unique(pc.list_parent_indices(sides).filter(bad))
            numbers = pa.array(np.arange(accepted.num_rows)).cast(rows.type)
            wrong = pc.or_(wrong, pc.is_in(numbers, value_set=rows))
        _refuse(accepted, wrong, f"{where}: has an image without {what}")
    if track.images_max > 1:
        twice = [len(set(row)) < len(row) for row in images.to_pylist()]
        _refuse(accepted, pa.array(twice, pa.bool_()), f"{where}: has the same image twice")


def _refuse(accepted: pa.Table, found: pa.ChunkedArray | pa.Array, what: str) -> None:
    samples = accepted.column("sample_id").filter(found)
    if len(samples):
        raise PermanentError(
            f"{what}: {samples[0].as_py()} and {len(samples) - 1} more; no rule rejects them, so "
            "curate again with a rule that does"
        )
