"""What a campaign costs, by part: GPUs, storage and requests to the store."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sa1b_captions.costs.fleet import Fleet
from sa1b_captions.costs.formula import Estimate
from sa1b_captions.costs.sourced import Numbers
from sa1b_captions.costs.work import Work
from sa1b_captions.recipe import Recipe

if TYPE_CHECKING:
    from sa1b_captions.costs.forecast import Terms

_PART_MB = 16 * 2**20 / 1e6
"""Of a download and of a multipart upload: `ingest.downloading.resume_state.PART_BYTES`."""
_READ_MB = 8 * 2**20 / 1e6
"""Of an archive, while it is captioned: `caption.decoding.images.READ_BYTES`."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Costs by part, in the currency of the prices."""

    parts: dict[str, float]

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


def bill(
    recipe: Recipe,
    terms: "Terms",
    work: Work,
    fleet: Fleet,
    estimate: Estimate,
    numbers: Numbers,
) -> Bill:
    """Price an estimate."""
    archive_mb = work.images * numbers["megabytes_per_image"]
    kept = work.shards
    if terms.drops_archives:
        # Archives in hand: those that are downloaded, captioned, or wait for either.
        kept = min(kept, fleet.downloads + 2 * fleet.places * fleet.shards_per_pod)
    captions_mb = work.shards * work.samples * numbers["caption_kb"] / 1000
    stored_gb = (kept * archive_mb + captions_mb) / 1000
    blocks = work.samples / recipe.block_size + len(recipe.tracks)
    files = numbers["small_files_per_shard"]
    # Each archive is written twice: its parts while it comes in, and repacked.
    writes = work.shards * (2 * archive_mb / _PART_MB + blocks + files)
    reads = work.shards * (archive_mb / _PART_MB + archive_mb / _READ_MB + blocks + 2 * files)
    price = terms.price_per_gpu_hour
    return Bill(
        {part: hours * price for part, hours in estimate.gpu_hours.items()}
        | {
            "storage": stored_gb * terms.months * numbers["price_per_gb_month"],
            "requests": writes / 1000 * numbers["price_per_1000_writes"]
            + reads / 1000 * numbers["price_per_1000_reads"],
        }
    )
