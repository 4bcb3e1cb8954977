"""Expectations: what must hold of a curated shard and of the whole release.

Suites for Great Expectations, as code: reviewed and tested like code, nothing stored that has to
be migrated. They see numbers about captions, never a caption.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sa1b_captions.chance import allowed_share
from sa1b_captions.findings import Measure, Verdict
from sa1b_captions.limits import Quality
from sa1b_captions.quality.health.measures import SHAPES
from sa1b_captions.recipe import Recipe
from sa1b_captions.records import CaptionStatus

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

DECODABLE_SHARE = 0.99
"""Share of samples whose images should decode; SA-1B's archives hold next to no broken file."""

HEALTH = "health_"
"""What the names of health checks begin with."""

LEFT_OUT = "left_out_"
"""What the names of the checks of left-out shares begin with."""

WARNING_SHARE = 0.05
"""Share of shards that may have warned; each is looked at one by one, so many are a pattern."""

DUPLICATE_SHARE = 0.01
"""Share of captions that may repeat another shard's before a report points it out."""


def shard_suite(recipe: Recipe, track: str, planned: int) -> "ExpectationSuite":
    """What must hold of one track of a shard, over `records.FEATURE_SCHEMA`."""
    import great_expectations.expectations as gxe
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.row_conditions import Column

    quality, language = recipe.quality, recipe.tracks[track].language
    limits = quality.languages[language]
    accepted, rejected = Column("rejected") == 0, Column("rejected") == 1
    expectations = [
        gxe.ExpectTableRowCountToEqual(
            value=planned,
            **_critical("all_rows", "Every planned sample has one row, accepted or rejected"),
        ),
        gxe.ExpectTableRowCountToBeBetween(
            min_value=max(1, quality.min_rows),
            **_critical("enough_rows", f"At least {max(1, quality.min_rows)} samples"),
        ),
        gxe.ExpectColumnMinToBeBetween(
            column="rejected",
            min_value=0,
            max_value=0,
            **_critical("some_accepted", "Some caption is accepted", unit="flag"),
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="sample_id", **_critical("sample_id_given", "Every row names its sample")
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="sample_id", **_critical("sample_id_unique", "No sample has two rows")
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="language", **_critical("language_given", "Every row names its language")
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="language",
            value_set=[language],
            **_critical("language", "Every row is of the track's language"),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="reasons",
            max_value=0,
            row_condition=accepted,
            **_critical("accepted_without_reason", "No accepted row carries a reason"),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="reasons",
            min_value=1,
            row_condition=rejected,
            **_critical("rejected_with_reason", "Every rejected row says why"),
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="status",
            value_set=[CaptionStatus.OK.value],
            row_condition=accepted,
            **_critical("accepted_captioned", "Every accepted row was captioned to its end"),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="caption_chars",
            min_value=limits.min_chars,
            max_value=limits.max_chars,
            row_condition=accepted,
            **_critical(
                "accepted_length",
                f"Accepted captions have {limits.min_chars:,} to {limits.max_chars:,} characters",
            ),
        ),
        *(
            gxe.ExpectColumnMeanToBeBetween(
                column="rejected",
                min_value=0,
                max_value=allowed_share(limit, planned),
                **_about(
                    severity,
                    f"rejected_{severity}",
                    f"At most {limit * 100:g}% of the rows are rejected, chance allowed for",
                    unit="share",
                ),
            )
            for severity, limit in _limits(quality)
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="of_recipe_model",
            value_set=[1],
            **_about("warning", "recipe_model", f"Every row is written by {recipe.model.id}"),
        ),
        gxe.ExpectColumnValuesToNotBeInSet(
            column="status",
            value_set=[CaptionStatus.UNDECODABLE.value],
            mostly=DECODABLE_SHARE,
            **_about("info", "decodable", f"At least {DECODABLE_SHARE:.0%} of samples decode"),
        ),
    ]
    return ExpectationSuite(name=f"shard {track}", expectations=expectations)


def health_suite(measures: Sequence[Measure]) -> "ExpectationSuite":
    """What must hold of a track's health, over `health.health_table` of some measures."""
    import great_expectations.expectations as gxe
    from great_expectations import ExpectationSuite

    expectations: list[gxe.Expectation] = []
    for measure in measures:
        for severity, limit in (("critical", measure.critical), ("warning", measure.warning)):
            if measure.name not in SHAPES or limit is None:
                continue
            expectations.append(
                gxe.ExpectColumnMaxToBeBetween(
                    column=f"{measure.name}_{measure.against}",
                    max_value=limit,
                    **_about(
                        severity,
                        f"{HEALTH}{measure.name}_{measure.against}_{severity}",
                        f"{SHAPES[measure.name]}: at most {limit:.3f} against the "
                        f"{measure.against}",
                        unit="number",
                    ),
                )
            )
    judged = {(m.against, m.critical is not None) for m in measures if m.name not in SHAPES}
    for against, may_fail in sorted(judged):
        for severity in ("critical", "warning") if may_fail else ("warning",):
            expectations.append(
                gxe.ExpectColumnMaxToBeBetween(
                    column=f"reasons_{severity}_{against}",
                    max_value=0,
                    **_about(
                        severity,
                        f"{HEALTH}reasons_{against}_{severity}",
                        f"No reason is far more frequent than with the {against}",
                    ),
                )
            )
    return ExpectationSuite(name="shard health", expectations=expectations)


def release_suite(recipe: Recipe) -> "ExpectationSuite":
    """What must hold of every shard and track of a release, over `metrics.SHARD_METRICS_SCHEMA`."""
    import great_expectations.expectations as gxe
    from great_expectations import ExpectationSuite

    quality, rows = recipe.quality, len(recipe.shards) * len(recipe.tracks)
    expectations = [
        gxe.ExpectTableRowCountToEqual(
            value=rows,
            **_critical(
                "all_shards", f"All {len(recipe.shards)} shards are there in all their tracks"
            ),
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["shard", "track"], **_critical("shards_once", "No shard counts twice")
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="shard",
            value_set=list(recipe.shards),
            **_critical("own_shards", "No shard but the recipe's"),
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="verdict",
            value_set=[Verdict.PASS.value, Verdict.WARN.value],
            **_critical("shards_valid", "Every shard is validated and none failed"),
        ),
        gxe.ExpectColumnValuesToNotBeInSet(
            column="verdict",
            value_set=[Verdict.WARN.value],
            mostly=1 - allowed_share(WARNING_SHARE, len(recipe.shards)),
            **_about(
                "warning",
                "few_warnings",
                f"At most {WARNING_SHARE:.0%} of the shards warned, chance allowed for",
            ),
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="unaccounted",
            value_set=[0],
            **_critical("nothing_lost", "Accepted + rejected = planned, in every shard and track"),
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="ks_distance",
            **_about(
                "info",
                "health_judged",
                "Every shard and track was compared with a pinned reference or with "
                f"{quality.health.min_neighbours} other shards",
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="planned",
            min_value=max(1, quality.min_rows),
            **_critical(
                "enough_rows",
                f"At least {max(1, quality.min_rows)} samples in every shard and track",
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
            value=len(recipe.tracks), **_critical("all_tracks", "All tracks are there")
        ),
        gxe.ExpectColumnMinToBeBetween(
            column="released",
            min_value=1,
            **_critical("some_released", "Every track releases captions"),
        ),
        *(
            gxe.ExpectColumnMinToBeBetween(
                column="released",
                min_value=track.target,
                row_condition=Column("track") == track.name,
                **_critical(
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
                **_about(
                    severity,
                    f"{LEFT_OUT}{severity}",
                    f"At most {limit * 100:g}% of any track are left out, rejected or duplicate",
                    unit="share",
                ),
            )
            for severity, limit in _limits(recipe.quality)
        ),
        gxe.ExpectColumnMaxToBeBetween(
            column="duplicate_share",
            max_value=DUPLICATE_SHARE,
            **_about(
                "info",
                "few_duplicates",
                f"At most {DUPLICATE_SHARE:.0%} of any track's captions repeat another shard's",
                unit="share",
            ),
        ),
    ]
    return ExpectationSuite(name="release totals", expectations=expectations)


def _limits(quality: Quality) -> list[tuple[str, float]]:
    """Severities of too high a share of bad rows, and the limit of each."""
    return [
        ("critical", quality.reject_share_critical),
        ("warning", quality.reject_share_warning),
    ]


def _critical(name: str, description: str, unit: str = "rows") -> dict[str, Any]:
    return _about("critical", name, description, unit)


def _about(severity: str, name: str, description: str, unit: str = "rows") -> dict[str, Any]:
    meta = {"name": name, "unit": unit}
    return {"severity": severity, "description": description, "meta": meta}
