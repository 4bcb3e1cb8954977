"""A campaign: one recipe applied to the shards, and the keys of everything it writes."""

import hashlib
import json
from dataclasses import dataclass

from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.recipe import Recipe, parse_recipe
from sa1b_captions.storage import Store

CURATION_VERSION = 2
"""Raise it when code, not a setting, makes curate decide otherwise or store other numbers."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A recipe bound to a name in a store. All keys below are in `store`."""

    name: str
    store: Store
    recipe: Recipe
    reference_digest: str | None = None
    """Of the reference that `sa1b-captions calibrate --pin` wrote; None before it did."""

    @property
    def quality_fingerprint(self) -> str:
        """16 hexadecimal digits over all that decides how captions are curated and judged."""
        judged_by = [self.recipe.quality_fingerprint, self.reference_digest, CURATION_VERSION]
        return hashlib.sha256(json.dumps(judged_by).encode()).hexdigest()[:16]

    @property
    def reference(self) -> str:
        """The pinned reference: what captions of this campaign usually look like."""
        return _reference_key(self.name)

    @property
    def prefix(self) -> str:
        """Folder of the campaign, with its final slash."""
        return f"campaigns/{self.name}/"

    def captions(self, track: str, shard: str) -> str:
        """Folder of a shard's caption parts, with its final slash."""
        return f"{self.prefix}captions/{track}/{shard}/"

    def part(self, track: str, shard: str, block: int) -> str:
        """Caption part of one block (`records.CAPTION_SCHEMA`)."""
        return f"{self.captions(track, shard)}part-{block:05d}.parquet"

    def caption_receipt(self, track: str, shard: str) -> str:
        """Receipt of the caption stage for one track of a shard."""
        return f"{self.captions(track, shard)}receipt.json"

    def curated(self, track: str, shard: str, name: str) -> str:
        """What curate leaves of a shard, such as `accepted.parquet` and `duplicates.parquet`."""
        return f"{self.prefix}curated/{track}/{shard}/{name}"

    def curate_receipt(self, track: str, shard: str) -> str:
        """Receipt of the curate stage for one track of a shard."""
        return self.curated(track, shard, "receipt.json")

    def shard_validation(self, shard: str) -> str:
        """Validation result of a shard; also the receipt of its validate stage."""
        return f"{self.prefix}quality/shards/{shard}.json"

    def shard_report(self, shard: str) -> str:
        """HTML quality report of a shard."""
        return f"{self.prefix}quality/shards/{shard}.html"

    def run_summary(self, run_id: str) -> str:
        """What one Airflow run validated, for the run's page."""
        return f"{self.prefix}quality/runs/{run_id}.json"

    def duplicates(self, track: str) -> str:
        """Captions to leave out of the release (`records.DUPLICATE_SCHEMA`)."""
        return f"{self.prefix}dedup/{track}/duplicates.parquet"

    def repeated_photographs(self) -> str:
        """Photographs that are there under several ids (`records.REPEAT_SCHEMA`)."""
        return f"{self.prefix}quality/photographs.parquet"

    def dedup_receipt(self, track: str) -> str:
        """Receipt of the dedup stage for one track."""
        return f"{self.prefix}dedup/{track}/receipt.json"

    def release_validation(self) -> str:
        """Validation result over all shards; also the receipt of that stage."""
        return f"{self.prefix}quality/release.json"

    def release_report(self) -> str:
        """HTML quality report over all shards."""
        return f"{self.prefix}quality/release.html"


def open_campaign(store: Store, name: str, recipe: Recipe | None = None) -> Campaign:
    """Bind a campaign to its recipe.

    The first call with a recipe stores it. Afterwards the stored one rules: a recipe with another
    fingerprint is refused, and one that differs only in quality, title or shard list replaces it.

    Args:
        store: where the campaign lives.
        name: its folder under `campaigns/`.
        recipe: what the caller wants to use; None takes the stored one (as a pod does).

    Raises:
        PermanentError: no recipe stored and none given, or the fingerprints differ.
    """
    key = f"campaigns/{name}/recipe.json"
    try:
        stored = parse_recipe(json.loads(store.read(key)), where=store.locate(key))
    except MissingKeyError:
        stored = None
    if recipe is None:
        if stored is None:
            raise PermanentError(
                f"campaign {name!r} has no recipe at {store.locate(key)}; set CAPTIONS_RECIPE"
            )
        return Campaign(name, store, stored, _reference_digest(store, name))
    if stored is not None and stored.fingerprint != recipe.fingerprint:
        raise PermanentError(
            f"campaign {name!r} was started with recipe {stored.name} ({stored.fingerprint}), "
            f"not {recipe.name} ({recipe.fingerprint}); captions of two recipes never mix: "
            "set CAPTIONS_CAMPAIGN to a new name"
        )
    if stored is None or stored.source != recipe.source:
        text = json.dumps(recipe.source, ensure_ascii=False, indent=1)
        store.write(key, text.encode())
    return Campaign(name, store, recipe, _reference_digest(store, name))


def _reference_key(name: str) -> str:
    return f"campaigns/{name}/reference.json"


def _reference_digest(store: Store, name: str) -> str | None:
    key = _reference_key(name)
    try:
        return str(json.loads(store.read(key))["digest"])
    except MissingKeyError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise PermanentError(
            f"{store.locate(key)} is no reference ({error!r}); restore it, or delete it and run "
            "sa1b-captions calibrate --pin"
        ) from None
