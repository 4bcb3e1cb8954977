"""What a release is made from: receipts of every shard and track, and the release's validation."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.release_freshness import read_shards, why_stale
from sa1b_captions.quality.curated import require_curated, require_deduplicated
from sa1b_captions.receipts import (
    AuditReceipt,
    CurateReceipt,
    DedupReceipt,
    IngestReceipt,
    ReleaseValidation,
    ShardValidation,
)
from sa1b_captions.receipts.findings import Verdict
from sa1b_captions.receipts.receipt_files import digest, release_validation_place, require_receipt
from sa1b_captions.release.card.cpu_spent import CpuSpent, cpu_spent
from sa1b_captions.software import software
from sa1b_captions.stages.auditing.audit_findings import find_audits
from sa1b_captions.stages.status.campaign_summary import Stamps


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a release is made from."""

    curated: dict[str, dict[str, CurateReceipt]]
    """Curate receipts by track and shard."""
    dedups: dict[str, DedupReceipt]
    audits: dict[str, dict[str, AuditReceipt]]
    """By track and shard: what texts depend on. None where the recipe repairs nothing."""
    ingests: dict[str, IngestReceipt | None]
    """Ingest receipts by shard; None of one whose archive was dropped."""
    validation: ReleaseValidation
    spent: CpuSpent
    digest: str
    mark: str
    """Over the stamps of all these receipts."""

    @property
    def verdict(self) -> str:
        """Of the release's validation."""
        return self.validation.verdict.value

    @property
    def worker_images(self) -> list[str]:
        """Container images that captioned, ascending; none of what was captioned in no pod."""
        receipts = (one for by_shard in self.curated.values() for one in by_shard.values())
        return sorted({one.image for one in receipts if one.image is not None})

    @property
    def files_digest(self) -> str:
        """Digest of all that decides the bytes of the release's files."""
        return digest({"inputs": self.digest, "software": software()}, self.validation)


def read_inputs(campaign: Campaign, allow_verdicts: Collection[str]) -> Inputs:
    """Read all receipts that a release is made from.

    Raises PermanentError: a stage is missing or outdated, or the verdict is not allowed.
    """
    recipe = campaign.recipe
    mark = _mark(campaign)
    states = read_shards(campaign)
    curated = {track: require_curated(campaign, track, states) for track in campaign.tracks}
    dedups = {
        track: require_deduplicated(campaign, track, curated[track]) for track in campaign.tracks
    }
    for stale in (one for state in states for one in state.stale_validation):
        raise PermanentError(f"{stale}, then validate --release")
    results = [state.validation for state in states]
    validation = _require_validated(campaign, curated, dedups, results)
    _require_verdict(campaign, validation, allow_verdicts)
    receipts = [receipt for track in campaign.tracks for receipt in curated[track]]
    audits = find_audits(campaign, recipe.shards, curated) if campaign.recipe.repairs else {}
    return Inputs(
        curated={
            track: dict(zip(recipe.shards, curated[track], strict=True))
            for track in campaign.tracks
        },
        dedups=dedups,
        audits={track: {one.shard: one for one in found} for track, found in audits.items()},
        ingests={state.shard: state.ingest for state in states},
        validation=validation,
        spent=cpu_spent(
            {
                "ingest": [state.ingest for state in states],
                "curate": receipts,
                "validate": [*results, validation],
                "dedup": dedups.values(),
            }
        ),
        digest=digest(
            {"recipe": recipe.source, "verdict": validation.verdict.value},
            *receipts,
            *dedups.values(),
            *(audit for found in audits.values() for audit in found),
        ),
        mark=mark,
    )


def _mark(campaign: Campaign) -> str:
    keys = [layout.dedup_receipt_key(campaign.name, track) for track in campaign.tracks]
    keys.append(layout.release_validation_key(campaign.name))
    shards = campaign.recipe.shards
    return Stamps(campaign, shards, keys).mark(shards, *keys)


def _require_validated(
    campaign: Campaign,
    curated: Mapping[str, Sequence[CurateReceipt]],
    dedups: Mapping[str, DedupReceipt],
    shard_results: Sequence[ShardValidation | None],
) -> ReleaseValidation:
    """Validation of these captions: a verdict on others says nothing of them.

    Told by what it saw, not by when: clocks of two machines differ.
    """
    store = campaign.store
    validation = require_receipt(store, release_validation_place(campaign.name))
    why = why_stale(campaign, validation, curated, dedups, shard_results)
    if not why and not store.exists(validation.report):
        why = f"its report {validation.report} is gone"
    if why:
        raise PermanentError(
            f"the validation of the release is stale: {why}; run sa1b-captions validate --release "
            "--force" + (" --allow-partial" if campaign.missing else "")
        )
    return validation


def _require_verdict(
    campaign: Campaign, validation: ReleaseValidation, allow_verdicts: Collection[str]
) -> None:
    verdict = validation.verdict.value
    if verdict not in allow_verdicts:
        report = campaign.store.locate(validation.report)
        raise PermanentError(
            f"the validation of the release ended with {verdict!r}, see {report}; "
            + _remedy(validation)
        )


def _remedy(validation: ReleaseValidation) -> str:
    if validation.verdict is Verdict.WARN:
        return "export with --allow-warnings if you accept that"
    failed = [
        check.name
        for check in validation.checks
        if not check.success and check.severity == "critical"
    ]
    return (
        f"no option exports what failed ({', '.join(failed) or 'a check'}): mend it and validate "
        "again, or leave out what is bad: single shards with --allow-partial, given to dedup, "
        "validate --release and export, a bad track with --tracks, naming the others to the last "
        "two"
    )


def require_unchanged(campaign: Campaign, inputs: Inputs) -> None:
    """Refuse to publish what is not the present state any more."""
    if _mark(campaign) == inputs.mark:
        return
    present = read_inputs(campaign, [inputs.verdict])
    if present.files_digest != inputs.files_digest:
        raise PermanentError(
            f"campaign {campaign.name} was curated, deduplicated or validated again while its "
            "release was written; nothing is published: run sa1b-captions export again"
        )
