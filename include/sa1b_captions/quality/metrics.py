"""Numbers about one track of a shard: what expectations check and what reports draw."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.receipts.findings import Measure
from sa1b_captions.recipe import Model
from sa1b_captions.shards import shard_name

LENGTH_BIN_CHARS = 20
"""Width of one bar of a length histogram."""

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


SHARD_METRICS_SCHEMA = pa.schema(
    [
        ("shard", pa.string()),
        ("track", pa.string()),
        ("verdict", pa.string()),  # of the shard's own validation; `missing` or `outdated`
        ("planned", pa.int64()),
        ("accepted", pa.int64()),
        ("rejected", pa.int64()),
        ("duplicates", pa.int64()),  # accepted, but another shard says the same
        ("unaccounted", pa.int64()),  # planned - accepted - rejected
        ("rejected_share", pa.float64()),  # of planned; null where nothing was
        ("psi", pa.float64()),  # this and what follows: null where health was not judged
        ("ks_distance", pa.float64()),
        ("tail_share", pa.float64()),
    ]
)
"""One row per shard and track."""

HEALTH_COLUMNS = ("psi", "ks_distance", "tail_share")

TRACK_METRICS_SCHEMA = pa.schema(
    [
        ("track", pa.string()),
        ("released", pa.int64()),  # accepted and not a duplicate
        ("left_out_share", pa.float64()),  # of planned: rejected or a duplicate
        ("duplicate_share", pa.float64()),  # of accepted
    ]
)
"""One row per track, over all shards."""


def feature_table(curated: pa.Table, features: pl.DataFrame, model: Model) -> pa.Table:
    """Describe curated rows by numbers alone (`records.FEATURE_SCHEMA`), accepted ones first.

    Validation sees this table instead of the captions: it is small, and untrusted text that never
    enters a validation tool can never leave it unescaped.

    Args:
        curated: rows of `records.CURATED_SCHEMA`.
        features: `records.TEXT_FEATURES` of their captions, in their order.
    """
    frame = pl.DataFrame(curated.select(["sample_id", "language", "status", "reasons", "model"]))
    described = frame.select(
        "sample_id",
        "language",
        "status",
        rejected=(pl.col("reasons").list.len() > 0).cast(pl.Int32),
        reasons=pl.col("reasons").list.len().cast(pl.Int32),
        of_recipe_model=pl.col("model").eq_missing(pl.lit(model.id)).cast(pl.Int32),
    )
    both = pl.concat([described, features], how="horizontal")
    return both.sort("rejected", maintain_order=True).to_arrow()


def count_reasons(rejected: pa.Table) -> dict[str, int]:
    """Rows per reason, most frequent first. A row with two reasons counts under both."""
    reasons = pl.DataFrame(rejected.select(["reasons"])).explode("reasons").drop_nulls()
    counts = reasons.group_by("reasons").len().sort(["len", "reasons"], descending=[True, False])
    return {str(reason): int(rows) for reason, rows in counts.iter_rows()}


def track_metrics(accepted: pa.Table, rejected: pa.Table, features: pa.Table) -> dict[str, Any]:
    """Summarise one track of a shard, as `metrics.json` stores it.

    Lengths are in characters and leave out rows that have no caption; `percentiles` are of
    accepted rows, keyed `p50`; null where there is no row to take one of. `captioned` counts all
    rows that have a caption, whatever the rules say of it: rows per length and per number of
    completion tokens, as pairs in ascending order, and rows with speculative wording.

    Args:
        accepted: rows of `records.CURATED_SCHEMA`.
        features: `records.FEATURE_SCHEMA` of all of them, accepted ones first.
    """
    numbers = pl.DataFrame(accepted.select(["caption", "completion_tokens", "latency_ms"]))
    numbers = numbers.with_columns(caption_chars=pl.col("caption").str.len_chars())
    rows = pl.DataFrame(
        pa.concat_tables([accepted, rejected]).select(
            ["engine", "model", "model_revision", "attempt", "captioned_at"]
        )
    )
    origins = rows.group_by("engine", "model", "model_revision").len("rows")
    return {
        "planned": accepted.num_rows + rejected.num_rows,
        "accepted": accepted.num_rows,
        "rejected": rejected.num_rows,
        "reasons": count_reasons(rejected),
        "lengths": {
            "bin_chars": LENGTH_BIN_CHARS,
            "accepted": _histogram(accepted),
            "rejected": _histogram(rejected),
        },
        "captioned": _captioned(pa.concat_tables([accepted, rejected]), features),
        "percentiles": {
            name: _percentiles(numbers[name])
            for name in ("caption_chars", "completion_tokens", "latency_ms")
        },
        "completion_tokens": int(numbers["completion_tokens"].sum() or 0),
        "retried": rows.filter(pl.col("attempt") > 1).height,
        "origins": origins.sort("rows", "engine", descending=[True, False]).to_dicts(),
        "captioned_from": _instant(rows["captioned_at"].min()),
        "captioned_to": _instant(rows["captioned_at"].max()),
    }


def _captioned(rows: pa.Table, features: pa.Table) -> dict[str, Any]:
    frame = pl.DataFrame(features.select(["caption_chars", "speculations"])).with_columns(
        pl.Series("completion_tokens", rows.column("completion_tokens"))
    )
    frame = frame.filter(pl.col("caption_chars") > 0)
    return {
        "rows": frame.height,
        "chars": _count_values(frame["caption_chars"]),
        "tokens": _count_values(frame["completion_tokens"].drop_nulls()),
        "speculating": frame.filter(pl.col("speculations") > 0).height,
    }


def _count_values(values: pl.Series) -> list[list[int]]:
    counts = values.alias("value").value_counts(name="rows").sort("value")
    return [[int(value), int(rows)] for value, rows in counts.iter_rows()]


def _histogram(rows: pa.Table) -> list[list[int]]:
    """Pairs of a bin's first length and its rows, ascending, empty bins left out."""
    chars = pl.DataFrame(rows.select(["caption"])).select(
        chars=pl.col("caption").fill_null("").str.len_chars()
    )
    bins = (
        chars.filter(pl.col("chars") > 0)
        .select(first=pl.col("chars") // LENGTH_BIN_CHARS * LENGTH_BIN_CHARS)
        .group_by("first")
        .len()
        .sort("first")
    )
    return [[int(first), int(count)] for first, count in bins.iter_rows()]


def _percentiles(values: pl.Series) -> dict[str, float | None]:
    return {f"p{share}": values.quantile(share / 100, "nearest") for share in PERCENTILES}


def _instant(value: Any) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")


def shard_metrics(
    curated: Mapping[str, Sequence[CurateReceipt]],
    duplicates: Mapping[str, pa.Table],
    verdicts: Mapping[str, str],
    health: Mapping[str, Mapping[str, Sequence[Measure]]],
) -> pa.Table:
    """One row per shard and track (SHARD_METRICS_SCHEMA).

    Args:
        curated: curate receipts of each track.
        duplicates: `records.DUPLICATE_SCHEMA` of each track.
        health: measures of each track of each shard, as its validation stores them; a shard or
            track that is not there was not judged. Where a measure was taken against the reference
            and against the neighbours, the first one counts, which is the reference's.
    """
    rows = []
    for track, receipts in curated.items():
        numbers = duplicates[track].column("shard_number").value_counts().to_pylist()
        repeated = {shard_name(item["values"]): item["counts"] for item in numbers}
        for receipt in receipts:
            measures = health.get(receipt.shard, {}).get(track, [])
            planned, accepted, rejected = receipt.planned, receipt.accepted, receipt.rejected
            rows.append(
                {
                    "shard": receipt.shard,
                    "track": track,
                    "verdict": verdicts.get(receipt.shard, "missing"),
                    "planned": planned,
                    "accepted": accepted,
                    "rejected": rejected,
                    "duplicates": repeated.get(receipt.shard, 0),
                    "unaccounted": planned - accepted - rejected,
                    "rejected_share": rejected / planned if planned else None,
                    **{
                        column: next((m.value for m in measures if m.name == column), None)
                        for column in HEALTH_COLUMNS
                    },
                }
            )
    return pa.Table.from_pylist(rows, schema=SHARD_METRICS_SCHEMA)


def total_metrics(by_shard: pa.Table) -> pa.Table:
    """One row per track (TRACK_METRICS_SCHEMA) from `shard_metrics`; shares of nothing are null."""
    totals = (
        pl.DataFrame(by_shard)
        .group_by("track", maintain_order=True)
        .agg(pl.col("planned", "accepted", "rejected", "duplicates").sum())
        .with_columns(released=pl.col("accepted") - pl.col("duplicates"))
        .select(
            "track",
            "released",
            left_out_share=_share(pl.col("planned") - pl.col("released"), pl.col("planned")),
            duplicate_share=_share(pl.col("duplicates"), pl.col("accepted")),
        )
    )
    return totals.to_arrow().cast(TRACK_METRICS_SCHEMA)


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)
