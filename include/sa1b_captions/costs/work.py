"""What there is to caption, in seconds of a pod."""

import functools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sa1b_captions.costs.sourced import Numbers
from sa1b_captions.costs.speeds import Engine
from sa1b_captions.recipe import WHOLE_TRACK, Recipe, Track

AUDITED_CAPTIONS = 64
"""Of each track of a shard, in the share that `numbers.toml` names."""

_THREE_BY_TWO, _FOUR_BY_THREE = (2250, 1500), (2000, 1500)


@dataclass(frozen=True, slots=True)
class Mix:
    """Images of a shard and their tiles, on average."""

    images: float
    tiles: float
    """Of an image in a single-image track."""
    tiles_multi: float
    """The same in a multi-image track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Shards to caption, all alike. Seconds are of one pod and one shard."""

    shards: int
    images: float
    samples: float
    captioning_s: float
    retried_s: float
    """Captions that take another try."""
    audit_s: float
    low: float
    """The least of `captioning_s` that is likely, as a factor."""
    high: float
    """The most."""
    spread: float
    """Standard deviation of the shards' times, as a share."""

    @property
    def shard_s(self) -> float:
        """All of it, tries again and audit included."""
        return self.captioning_s + self.retried_s + self.audit_s

    @property
    def images_per_s(self) -> float:
        """Images of a shard over the time that its captions take, all tracks together."""
        return self.images / self.captioning_s


def usual_mix(recipe: Recipe, numbers: Numbers) -> Mix:
    """The mix of SA-1B, as far as it is known without an index."""
    share = numbers["four_by_three"]
    return Mix(
        recipe.images_per_shard or numbers["images_per_shard"],
        *(
            (1 - share) * mean_tiles([_THREE_BY_TWO], most)
            + share * mean_tiles([_FOUR_BY_THREE], most)
            for most in (recipe.generation.max_tiles, recipe.generation.max_tiles_multi)
        ),
    )


def indexed_mix(recipe: Recipe, shards: int, sizes: Iterable[tuple[int, int]]) -> Mix:
    """The mix of images in the indexes of some shards; at least one image."""
    found = list(sizes)
    generation = recipe.generation
    return Mix(
        len(found) / shards,
        mean_tiles(found, generation.max_tiles),
        mean_tiles(found, generation.max_tiles_multi),
    )


def samples_of(track: Track, mix: Mix) -> float:
    """Samples that a shard's track has."""
    images = (track.images_min + track.images_max) / 2
    if track.samples_per_shard is None:
        return mix.images / images
    return min(mix.images / images, track.samples_per_shard + track.spare_samples_per_shard)


def captioning_s(recipe: Recipe, mix: Mix, engine: Engine) -> float:
    """Seconds that a pod captions a shard, computed for its engine.

    Raises PermanentError: the model does not fit the pod's GPUs.
    """
    return sum(
        samples_of(track, mix) * _sample_s(track, mix, engine) for track in recipe.tracks.values()
    )


def _sample_s(track: Track, mix: Mix, engine: Engine) -> float:
    single = track.images_max == 1
    images = (track.images_min + track.images_max) / 2
    return engine.sample_s(
        images * (mix.tiles if single else mix.tiles_multi),
        engine.numbers[f"answer_tokens_{track.name}"],
        # Its images have just been captioned in the track that plans all of them.
        cached=single and track.name != WHOLE_TRACK,
    )


def shards_of_work(
    recipe: Recipe,
    shards: int,
    mix: Mix,
    numbers: Numbers,
    *,
    seconds: float,
    low: float,
    high: float,
    spread: float,
) -> Work:
    """Put together what some shards take.

    Args:
        recipe: names the tracks, and whether there is an audit.
        shards: how many.
        mix: of their images.
        numbers: shares of tries again and of the audit.
        seconds: that a pod captions a shard.
        low: least factor of that.
        high: greatest factor of that.
        spread: of the shards' times, as a share.
    """
    audit = recipe.audit
    share = numbers["audit_share"] * audit.captions_per_shard / AUDITED_CAPTIONS if audit else 0.0
    return Work(
        shards=shards,
        images=mix.images,
        samples=sum(samples_of(track, mix) for track in recipe.tracks.values()),
        captioning_s=seconds,
        retried_s=seconds * numbers["retried_captions"],
        audit_s=seconds * share,
        low=low,
        high=high,
        spread=spread,
    )


TILE_SIDE = 448
"""Pixels."""


def count_tiles(width: int, height: int, max_tiles: int) -> int:
    """Tiles of an image, its thumbnail included.

    The grid of at most `max_tiles` whose shape is nearest the image's; of two as near, a larger one
    if the image fills half of it. It is InternVL2's own rule.

    Args:
        width: pixels.
        height: pixels.
        max_tiles: of the recipe, thumbnail not counted.
    """
    if width < 1 or height < 1:
        return 1
    shape, area = width / height, width * height
    nearest, distance = (1, 1), float("inf")
    for columns, rows in _grids(max_tiles):
        away = abs(shape - columns / rows)
        fills = area > 0.5 * TILE_SIDE**2 * columns * rows
        if away < distance or (away == distance and fills):
            nearest, distance = (columns, rows), away
    count = nearest[0] * nearest[1]
    return count + (count > 1)


def mean_tiles(sizes: Iterable[tuple[int, int]], max_tiles: int) -> float:
    """Tiles of an image on average.

    Args:
        sizes: width and height in pixels of each image; at least one.
        max_tiles: of the recipe, thumbnail not counted.
    """
    counts = Counter(sizes)
    tiles = sum(count_tiles(*size, max_tiles) * count for size, count in counts.items())
    return tiles / counts.total()


@functools.cache
def _grids(max_tiles: int) -> list[tuple[int, int]]:
    sides = range(1, max_tiles + 1)
    grids = [(columns, rows) for columns in sides for rows in sides if columns * rows <= max_tiles]
    return sorted(grids, key=lambda grid: grid[0] * grid[1])
