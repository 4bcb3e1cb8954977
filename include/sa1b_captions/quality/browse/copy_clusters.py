"""Clusters of captions that say the same: within a shard, and across shards after dedup."""

from dataclasses import dataclass

import polars as pl

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.outputs import read_duplicates
from sa1b_captions.quality.browse.catalogue import Catalogue
from sa1b_captions.quality.browse.finding.find import Page
from sa1b_captions.quality.browse.finding.orders import Hit
from sa1b_captions.receipts.receipt_files import dedup_place, read_receipt

PAGE_CLUSTERS = 50
MAX_MEMBERS = 120
"""Captions of one cluster that a page shows."""

_NO_COPIES = {"sample_id": pl.String, "winner": pl.String, "jaccard": pl.Float64}


@dataclass(frozen=True, slots=True)
class ClusterList:
    """Clusters, the largest first."""

    rows: list[tuple[str, int, float]]
    """Sample that stays, copies that are left out, the lowest Jaccard of a copy."""
    across: bool
    """Whether those across shards are among them: dedup has run, and no shard was chosen."""


def list_clusters(campaign: Campaign, catalogue: Catalogue, track: str, shard: str) -> ClusterList:
    """Clusters of a track within one shard, or across all shards.

    Raises MissingKeyError: the shard is not curated.
    """
    copies = _within(catalogue, f"{track}/{shard}") if shard else _across(campaign, track)
    rows = (
        copies.group_by("winner")
        .agg(copies=pl.len(), least=pl.col("jaccard").min())
        .sort(["copies", "winner"], descending=[True, False])
    )
    return ClusterList(list(rows.iter_rows()), not shard)


def cluster_page(campaign: Campaign, catalogue: Catalogue, winner: str) -> Page:
    """The captions of a cluster, the one that stays first.

    Raises PermanentError: there is no such sample.
    """
    unit = winner.rpartition("/")[0]
    first = catalogue.find(winner)
    if first is None:
        raise PermanentError(f"{winner} is none of the curated samples")
    others = _across(campaign, unit.split("/")[0]).filter(pl.col("winner") == winner)["sample_id"]
    hits: dict[str, Hit] = {winner: first}
    for name in others.head(MAX_MEMBERS):
        found = catalogue.find(name)
        if found is not None:
            hits[name] = found
    # Copies that curate left out of the shards of those.
    for name, hit in list(hits.items()):
        rows = hit.facets.rows.select((pl.col("winner") == name).arg_true()).to_series()
        hits |= {f"{name}~{place}": Hit(hit.facets, place, "") for place in rows.head(MAX_MEMBERS)}
    return Page(list(hits.values())[:MAX_MEMBERS], None)


def _within(catalogue: Catalogue, unit: str) -> pl.DataFrame:
    rows = catalogue.load(unit).rows.filter(pl.col("winner").is_not_null())
    return rows.select(sample_id=pl.lit(""), winner="winner", jaccard="jaccard")


def _across(campaign: Campaign, track: str) -> pl.DataFrame:
    receipt = read_receipt(campaign.store, dedup_place(campaign.name, track))
    if receipt is None:
        return pl.DataFrame(schema=_NO_COPIES)
    return pl.DataFrame(read_duplicates(campaign, receipt)).select(list(_NO_COPIES))
