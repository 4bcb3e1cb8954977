"""The plan: which samples a shard's track has, in which order.

A pure function of the recipe and the shard's index, so a restarted worker, another worker and a
later reader all plan the same. Choice is by hash rank, which does not change when other images
come or go; order is archive order, so neighbours in the plan are neighbours in bytes. Spare
samples follow the quota by rank: where more of them are planned, those planned before keep their
places, and full blocks stay what they were.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import xxhash

from sa1b_captions import layout, records
from sa1b_captions.generations import FIRST
from sa1b_captions.recipe import TRACKS, Recipe, Track
from sa1b_captions.storage import Store

UNUSABLE_PROBLEMS = frozenset({"not_jpeg", "truncated", "too_large", "bad_dimensions"})
"""Problems that ingest saw and that keep an image out of multi-image samples.

One such image would spoil the captions of its neighbours. The single-image tracks plan it all the
same: the row then says that it could not be decoded.
"""


_Choice = TypeVar("_Choice", int, list[int])
"""A place in the index, or the places of a group."""


@dataclass(frozen=True, slots=True)
class IndexedImage:
    """One row of a shard's index."""

    image_id: int
    file_name: str
    offset: int
    """Byte of the JPEG's first byte in the shard's plain tar."""
    size: int
    """Bytes."""
    width: int
    """Pixels, from the JPEG header."""
    height: int
    problem: str | None
    jpeg_xxh3: str | None = None
    """xxh3-128 of the JPEG, hexadecimal."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One thing to caption: one or more images of a shard in one track."""

    sample_id: str
    shard: str
    track: Track
    images: tuple[IndexedImage, ...]
    position: int
    """Place in the track's plan, from 0."""


_COLUMNS = ["image_id", "file_name", "offset", "size", "width", "height", "problem", "jpeg_xxh3"]


def read_index(
    store: Store, shard: str, generation: str = FIRST, digest: str | None = None
) -> list[IndexedImage]:
    """A shard's images in archive order; later rows of a repeated image id are left out.

    Args:
        generation: of the archive, as the shard's ingest receipt names it.
        digest: of the index, as that receipt names it.
    """
    table = records.read_table(store, layout.index_key(shard, generation), _COLUMNS, digest=digest)
    images = (IndexedImage(**row) for row in table.to_pylist())
    return [image for image in images if image.problem != "duplicate_id"]


def plan_track(
    recipe: Recipe, track: Track, shard: str, images: Sequence[IndexedImage]
) -> list[Sample]:
    """Plan one track of a shard, in archive order of each sample's first image, spare ones last.

    Args:
        recipe: gives the seed.
        track: gives image counts and quota.
        images: the shard's index, in archive order.
    """
    if track.images_max == 1:
        groups = _singles(recipe, track, images)
    else:
        groups = _groups(recipe, track, images)
    return [
        Sample(
            sample_id=f"{track.name}/{shard}/{'-'.join(str(image.image_id) for image in group)}",
            shard=shard,
            track=track,
            images=group,
            position=position,
        )
        for position, group in enumerate(groups)
    ]


def _rank(recipe: Recipe, track: Track, image: IndexedImage) -> int:
    return xxhash.xxh3_64_intdigest(f"{recipe.seed}/{track.name}/{image.image_id}".encode())


def _singles(
    recipe: Recipe, track: Track, images: Sequence[IndexedImage]
) -> Iterable[tuple[IndexedImage, ...]]:
    ranked = sorted(range(len(images)), key=lambda place: _rank(recipe, track, images[place]))
    return [(images[place],) for place in _quota_first(track, ranked)]


def _groups(
    recipe: Recipe, track: Track, images: Sequence[IndexedImage]
) -> Iterable[tuple[IndexedImage, ...]]:
    """Cut the rank order into groups whose size the first member's hash chooses."""
    usable = [place for place, image in enumerate(images) if image.problem not in UNUSABLE_PROBLEMS]
    ranked = sorted(usable, key=lambda place: _rank(recipe, track, images[place]))
    spread = track.images_max - track.images_min + 1
    wanted = _planned(track)
    groups: list[list[int]] = []
    while ranked and (wanted is None or len(groups) < wanted):
        count = track.images_min + _rank(recipe, track, images[ranked[0]]) // 7 % spread
        group, ranked = ranked[:count], ranked[count:]
        if len(group) >= track.images_min:
            groups.append(sorted(group))
    return [tuple(images[place] for place in group) for group in _quota_first(track, groups)]


def _planned(track: Track) -> int | None:
    """Samples to plan; None for all there are."""
    if track.samples_per_shard is None:
        return None
    return track.samples_per_shard + track.spare_samples_per_shard


def _quota_first(track: Track, ranked: list[_Choice]) -> list[_Choice]:
    """Choices by rank: those of the quota in archive order, then the spare ones as they come."""
    quota = track.samples_per_shard
    if quota is None:
        return sorted(ranked)
    return sorted(ranked[:quota]) + ranked[quota : quota + track.spare_samples_per_shard]


def work_order(samples: Iterable[Sample]) -> list[Sample]:
    """Order samples of several tracks as a worker takes them.

    Single-image tracks come first, by place in the archive and then by track: `single_zh` follows
    `single_en` on the same image while the image is in the engine's prefix cache. Multi-image
    tracks follow, one after the other.
    """

    def key(sample: Sample) -> tuple[int, int, int]:
        track = TRACKS.index(sample.track.name)
        if sample.track.images_max == 1:
            return (0, sample.images[0].offset, track)
        return (1, track, sample.position)

    return sorted(samples, key=key)
