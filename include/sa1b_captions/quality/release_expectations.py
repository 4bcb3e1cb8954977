"""Expectations of the whole release: its shards one by one, and its tracks over all shards."""

from typing import TYPE_CHECKING

from sa1b_captions.chance import allowed_share
from sa1b_captions.plurals import counted
from sa1b_captions.quality.expectations import about, critical, reject_limits
from sa1b_captions.receipts.findings import Verdict
from sa1b_captions.recipe import Recipe

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

LEFT_OUT = "left_out_"
"""What the names of the checks of left-out shares begin with."""

WARNING_SHARE = 0.05
"""Share of shards that may have warned; each is looked at one by one, so many are a pattern."""

DUPLICATE_SHARE = 0.01
"""Share of captions that may repeat another shard's before a report points it out."""


def release_suite(recipe: Recipe) -> "ExpectationSuite":
    """What must hold of every shard and track of a release, over `metrics.SHARD_METRICS_SCHEMA`."""
    import great_expectations.expectations as gxe
    from great_expectations import ExpectationSuite

    quality, rows = recipe.quality, len(recipe.shards) * len(recipe.tracks)
    expectations = [
        gxe.ExpectTableRowCountToEqual(
            value=rows,
            **critical(
                "all_shards", f"All {len(recipe.shards)} shards are there in all their tracks"
            ),
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["shard", "track"], **critical("shards_once", "No shard counts twice")
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="shard",
            value_set=list(recipe.shards),
            **critical("own_shards", "No shard but the recipe's"),
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="verdict",
            value_set=[Verdict.PASS.value, Verdict.WARN.value],
            **critical("shards_valid", "Every shard is validated and none failed"),
        ),
        gxe.ExpectColumnValuesToNotBeInSet(
            column="verdict",
            value_set=[Verdict.WARN.value],
            mostly=1 - allowed_share(WARNING_SHARE, len(recipe.shards)),
            **about(
                "warning",
                "few_warnings",
                f"At most {WARNING_SHARE:.0%} of the shards warned, chance allowed for",
            ),
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="unaccounted",
            value_set=[0],
            **critical("nothing_lost", "Accepted + rejected = planned, in every shard and track"),
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="ks_distance",
            **about(
                "info",
                "health_judged",
                "Every shard and track was compared with a pinned reference or with "
                f"{quality.health.min_neighbours} other shards",
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="planned",
            min_value=max(1, quality.min_rows),
            **critical(
                "enough_rows",
                f"At least {counted(max(1, quality.min_rows), 'sample')} in every shard and track",
            ),
        ),
    ]
    return ExpectationSuite(name="release", expectations=expectations)


def totals_suite(recipe: Recipe) -> "ExpectationSuite":
    """What must hold of each track over all shards, over `metrics.TRACK_METRICS_SCHEMA`."""
    import great_expectations.expectations as gxe
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.row_conditions import Column

    expectations = [
        gxe.ExpectTableRowCountToEqual(
            value=len(recipe.tracks), **critical("all_tracks", "All tracks are there")
        ),
        gxe.ExpectColumnMinToBeBetween(
            column="released",
            min_value=1,
            **critical("some_released", "Every track releases captions"),
        ),
        *(
            gxe.ExpectColumnMinToBeBetween(
                column="released",
                min_value=track.target,
                row_condition=Column("track") == track.name,
                **critical(
                    f"target_{track.name}",
                    f"{track.name} releases the {track.target:,} captions that the recipe asks for",
                ),
            )
            for track in recipe.tracks.values()
            if track.target is not None
        ),
        *(
            gxe.ExpectColumnMaxToBeBetween(
                column="left_out_share",
                min_value=0,
                max_value=limit,
                **about(
                    severity,
                    f"{LEFT_OUT}{severity}",
                    f"At most {limit * 100:g}% of any track are left out, rejected or duplicate",
                    unit="share",
                ),
            )
            for severity, limit in reject_limits(recipe.quality)
        ),
        gxe.ExpectColumnMaxToBeBetween(
            column="duplicate_share",
            max_value=DUPLICATE_SHARE,
            **about(
                "info",
                "few_duplicates",
                f"At most {DUPLICATE_SHARE:.0%} of any track's captions repeat another shard's",
                unit="share",
            ),
        ),
    ]
    return ExpectationSuite(name="release totals", expectations=expectations)
