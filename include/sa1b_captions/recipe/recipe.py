"""A whole recipe, and the fingerprints of what of it decides captions and verdicts."""

import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe.limits import Quality
from sa1b_captions.recipe.sections import Audit, Generation, Model, Track

_MODEL_DEFAULTS = tuple(
    (entry.name, entry.default) for entry in fields(Model) if entry.default is not MISSING
)

_NO_IDENTITY = ("spare_samples_per_shard", "target", "trim")
"""Of a track, what changes no caption and takes no sample out of the plan."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole recipe. `load_recipe` makes one from a file, `parse_recipe` from stored JSON."""

    name: str
    title: str
    """What the dataset card calls the release."""
    stand_in: str | None = None
    """What the archives hold in place of SA-1B's photographs; None for the real ones."""
    archives: str = "sa1b"
    """`sa1b`, or `webdataset`: JPEGs of any name without annotations, as `pack` makes them too."""
    shards: tuple[str, ...]
    """Shards that make the dataset, ascending. Constant: the release waits for exactly these."""
    images_per_shard: int | None = None
    """Images an archive is known to have; None if that is not known."""
    images_of_last_shard: int | None = None
    """Images that the archive of the last of `shards` is known to have."""
    block_size: int
    """Samples per checkpoint block."""
    seed: int
    model: Model
    generation: Generation
    tracks: dict[str, Track]
    quality: Quality
    audit: Audit | None = None
    """What is asked about accepted captions; None audits nothing."""
    source: dict[str, Any] = field(repr=False, compare=False)
    """The parsed TOML, as stored in `recipe.json`."""

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over all that decides which captions are made, and how.

        Not over quality, audit, title, shard list and its counts, spare samples and targets.
        """
        identity = {
            "name": self.name,
            "block_size": self.block_size,
            "seed": self.seed,
            "model": {
                key: value
                for key, value in asdict(self.model).items()
                # Recipes had no such keys before, and keep their fingerprints.
                if (key, value) not in _MODEL_DEFAULTS
            },
            "generation": asdict(self.generation),
            "tracks": {
                name: {key: v for key, v in asdict(track).items() if key not in _NO_IDENTITY}
                for name, track in self.tracks.items()
            },
        }
        return digest(identity)

    @property
    def repairs(self) -> bool:
        """Whether releases leave out sentences that the audit's judge is sure not to find."""
        return self.audit is not None and self.audit.repair

    def require_shards(self, shards: Iterable[str]) -> None:
        """Raise PermanentError if one of the shards is not the recipe's."""
        foreign = sorted(set(shards) - set(self.shards))
        if foreign:
            raise PermanentError(
                f"{foreign[0]} is not a shard of recipe {self.name}, which has {self.shards[0]} to "
                f"{self.shards[-1]}"
            )

    def expected_images(self, shard: str) -> int | None:
        """Images that a shard's archive is known to have."""
        return self.images_of_last_shard if shard == self.shards[-1] else self.images_per_shard

    @functools.cached_property
    def quality_fingerprint(self) -> str:
        """16 hexadecimal digits over the quality section."""
        return digest(asdict(self.quality))


def digest(content: Any) -> str:
    """16 hexadecimal digits over JSON, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
