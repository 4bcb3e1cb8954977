"""Names of a release's files: they say what is in them.

A name such as `internvl_sa1b_caption_11m_single_image_en.jsonl` promises a number. A release that
holds fewer rows than its recipe's target, or than the name says, is named by its true count,
rounded down: `internvl_sa1b_caption_883k_single_image_en.jsonl`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import Recipe, Track

_COUNT = re.compile(r"(?<=_)(\d+)([km])(?=_)")
_UNITS = {"k": 1_000, "m": 1_000_000}


@dataclass(frozen=True, slots=True)
class TrackFiles:
    """Names of one track's files in a release."""

    jsonl: str
    data: str
    """Folder of the published rows as Parquet, as are all that follow."""
    provenance: str
    image_hashes: str
    rejected: str


def track_files(track: str, jsonl: str) -> TrackFiles:
    """Names of a track's files.

    Args:
        jsonl: what `release_names` calls its JSONL file.
    """
    return TrackFiles(
        jsonl=jsonl,
        data=f"data/{track}/",
        provenance=f"provenance/{track}/",
        image_hashes=f"image_hashes/{track}/",
        rejected=f"rejected/{track}/",
    )


def release_names(recipe: Recipe, rows: Mapping[str, int]) -> dict[str, str]:
    """Name of each track's JSONL file.

    Args:
        recipe: with a release_file and perhaps a target for each track.
        rows: that the release will hold, by track.

    Raises PermanentError: two tracks would have the same name.
    """
    names = {track: _name(recipe.tracks[track], count) for track, count in rows.items()}
    if len(set(names.values())) < len(names):
        raise PermanentError(
            f"recipe {recipe.name}: with as many rows as there are, two tracks would be called "
            f"{' and '.join(sorted(names.values()))}; let their release_file differ in more "
            "than the number"
        )
    return names


def _name(track: Track, rows: int) -> str:
    found = _COUNT.search(track.release_file)
    promised = int(found[1]) * _UNITS[found[2]] if found else 0
    if rows >= max(promised, track.target or 0):
        return track.release_file
    return _COUNT.sub(_short(rows), track.release_file, count=1)


def _short(rows: int) -> str:
    """`883k` for 883,700."""
    for unit in ("m", "k"):
        if rows >= _UNITS[unit]:
            return f"{rows // _UNITS[unit]}{unit}"
    return str(rows)
