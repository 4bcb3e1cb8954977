"""Expectations: what must hold of one track of a curated shard.

Suites for Great Expectations, as code: reviewed and tested like code, nothing stored that has to
be migrated. They see numbers about captions, never a caption.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions.chance import allowed_share
from sa1b_captions.plurals import counted
from sa1b_captions.quality.health.measures import SHAPES
from sa1b_captions.receipts.findings import Measure
from sa1b_captions.recipe import Recipe
from sa1b_captions.recipe.limits import Quality
from sa1b_captions.records import CaptionStatus

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

_WHOLE = ["sample_id", "language", "status", "rejected", "of_recipe_model"]
_PARTED = {
    "reasons_accepted": ("reasons", 0),
    "reasons_rejected": ("reasons", 1),
    "status_accepted": ("status", 0),
    "caption_chars_accepted": ("caption_chars", 0),
}
"""Columns of a shard's frame of those rows only whose `rejected` is this."""

DECODABLE_SHARE = 0.99
"""Share of samples whose images should decode; SA-1B's archives hold next to no broken file."""

HEALTH = "health_"
"""What the names of health checks begin with."""


def shard_frame(features: pa.Table) -> pa.Table:
    """What a shard's suite sees of `records.FEATURE_SCHEMA`; a missing column stays missing.

    Columns named `…_accepted` and `…_rejected` hold null in the other rows, which checks of values
    leave out. Row conditions over all columns do the same in twice the time.
    """
    frame = features.select([name for name in _WHOLE if name in features.column_names])
    for name, (column, rejected) in _PARTED.items():
        if column in features.column_names:
            fate = pc.equal(features.column("rejected"), rejected)
            values = pc.if_else(fate, features.column(column), None)
            frame = frame.append_column(name, values)
    return frame


def shard_suite(recipe: Recipe, track: str, planned: int) -> "ExpectationSuite":
    """What must hold of one track of a shard, over `shard_frame`."""
    import great_expectations.expectations as gxe
    from great_expectations import ExpectationSuite

    quality, language = recipe.quality, recipe.tracks[track].language
    limits = quality.languages[language]
    expectations = [
        gxe.ExpectTableRowCountToEqual(
            value=planned,
            **critical("all_rows", "Every planned sample has one row, accepted or rejected"),
        ),
        gxe.ExpectTableRowCountToBeBetween(
            min_value=max(1, quality.min_rows),
            **critical("enough_rows", f"At least {counted(max(1, quality.min_rows), 'sample')}"),
        ),
        gxe.ExpectColumnMinToBeBetween(
            column="rejected",
            min_value=0,
            max_value=0,
            **critical("some_accepted", "Some caption is accepted", unit="flag"),
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="sample_id", **critical("sample_id_given", "Every row names its sample")
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="sample_id", **critical("sample_id_unique", "No sample has two rows")
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="language", **critical("language_given", "Every row names its language")
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="language",
            value_set=[language],
            **critical("language", "Every row is of the track's language"),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="reasons_accepted",
            max_value=0,
            **critical("accepted_without_reason", "No accepted row carries a reason", unit="given"),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="reasons_rejected",
            min_value=1,
            **critical("rejected_with_reason", "Every rejected row says why", unit="given"),
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="status_accepted",
            value_set=[CaptionStatus.OK.value],
            **critical(
                "accepted_captioned", "Every accepted row was captioned to its end", unit="given"
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="caption_chars_accepted",
            min_value=limits.min_chars,
            max_value=limits.max_chars,
            **critical(
                "accepted_length",
                f"Accepted captions have {limits.min_chars:,} to {limits.max_chars:,} characters",
                unit="given",
            ),
        ),
        *(
            gxe.ExpectColumnMeanToBeBetween(
                column="rejected",
                min_value=0,
                max_value=allowed_share(limit, planned),
                **about(
                    severity,
                    f"rejected_{severity}",
                    f"At most {limit * 100:g}% of the rows are rejected, chance allowed for",
                    unit="share",
                ),
            )
            for severity, limit in reject_limits(quality)
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="of_recipe_model",
            value_set=[1],
            **about("warning", "recipe_model", f"Every row is written by {recipe.model.id}"),
        ),
        gxe.ExpectColumnValuesToNotBeInSet(
            column="status",
            value_set=[CaptionStatus.UNDECODABLE.value],
            mostly=DECODABLE_SHARE,
            **about("info", "decodable", f"At least {DECODABLE_SHARE:.0%} of samples decode"),
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
                    **about(
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
                    **about(
                        severity,
                        f"{HEALTH}reasons_{against}_{severity}",
                        f"No reason is far more frequent than with the {against}",
                    ),
                )
            )
    return ExpectationSuite(name="shard health", expectations=expectations)


def reject_limits(quality: Quality) -> list[tuple[str, float]]:
    """Severities of too high a share of bad rows, and the limit of each."""
    return [
        ("critical", quality.reject_share_critical),
        ("warning", quality.reject_share_warning),
    ]


def critical(name: str, description: str, unit: str = "rows") -> dict[str, Any]:
    """Arguments of an expectation without which nothing is published."""
    return about("critical", name, description, unit)


def about(severity: str, name: str, description: str, unit: str = "rows") -> dict[str, Any]:
    """Arguments of an expectation: how grave it is, and what a report says of it."""
    meta = {"name": name, "unit": unit}
    return {"severity": severity, "description": description, "meta": meta}
