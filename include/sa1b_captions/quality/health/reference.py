"""The reference: what captions of a campaign usually look like, pinned before they are judged.

Computed from curated shards that a person chose (`sa1b-captions calibrate`), never from the shard
or release being judged. Lengths are those of every row that has a caption, whatever the rules say
of it, so the rules can change without moving what they are measured by.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sa1b_captions import checked_json, layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.plurals import counted
from sa1b_captions.quality.health.distributions import Counts, median_and_mad
from sa1b_captions.receipts.faithfulness import Faithfulness
from sa1b_captions.receipts.receipt_files import digest
from sa1b_captions.shards import format_selection
from sa1b_captions.software import software
from sa1b_captions.typed_json import build

QUANTILES = 1001
"""Of lengths, 0 to 1 evenly: D against them is off by a thousandth at most."""

DECILES = tuple(share / 10 for share in range(1, 10))


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of a shard's planned rows, over shards."""

    median: float
    mad: float
    """Scaled median absolute deviation."""


@dataclass(frozen=True, slots=True)
class AuditReference:
    """What a judge says of captions."""

    judges: list[str]
    """As `Faithfulness.judges`; another judge's share is no measure."""
    share: float
    """Of the sentences that it refused."""
    effective: float
    """Independent sentences that would tell as much."""


@dataclass(frozen=True, slots=True)
class TrackReference:
    """What captions of one track, and so of one language, look like over some shards."""

    shards: int
    rows: int
    """That have a caption."""
    median_log_chars: float
    """Of the captions' length: natural logarithm of characters."""
    mad_log_chars: float
    """Scaled median absolute deviation of the same."""
    tail_share: float
    """Of captions farther than the recipe's `tail_mads` from the median."""
    edges: list[int]
    """Lengths that part the captions into tenths, as far as equal lengths allow."""
    shares: list[float]
    """Of captions up to the first edge, between the first and second, …, above the last."""
    quantiles: list[int]
    """QUANTILES lengths, ascending."""
    median_tokens: int
    common_tokens_share: float
    """Of captions that have the most frequent number of tokens."""
    speculation_share: float
    """Of captions with speculative wording."""
    rejected: Rate
    reasons: dict[str, Rate]
    unsupported: AuditReference | None = None
    """None where the shards were not audited."""

    def reason(self, name: str) -> Rate:
        """Rate of a reason; one never seen is expected never to be."""
        return self.reasons.get(name, Rate(0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Reference:
    """A whole reference, as `reference.json` holds it."""

    campaign: str
    recipe_fingerprint: str
    shards: str
    """Shards that it was computed from, as `--shards` takes them."""
    engines: list[str]
    model: str
    model_revision: str
    tracks: dict[str, TrackReference]
    created_at: str = ""
    software: str = ""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits over all that can change a verdict."""
        content = asdict(self)
        for track in content["tracks"].values():
            if track["unsupported"] is None:
                del track[
                    "unsupported"
                ]  # references had no such key before, and keep their digests
        return digest({k: content[k] for k in content if k not in ("created_at", "software")})


def describe_track(metrics: Sequence[Mapping[str, Any]], tail_mads: float) -> TrackReference | None:
    """Pool one track of some shards; None where none of them has a caption.

    Args:
        metrics: `metrics.json` of each shard.
        tail_mads: scaled MADs from the median at which the tail begins.
    """
    lengths = Counts.pool(one["captioned"]["chars"] for one in metrics)
    tokens = Counts.pool(one["captioned"]["tokens"] for one in metrics)
    if not lengths.total:
        return None
    planned = [one for one in metrics if one["planned"]]
    median_log_chars, mad_log_chars = lengths.log_median_and_mad()
    edges = np.unique(lengths.quantiles(DECILES))
    names = sorted({name for one in metrics for name in one["reasons"]})
    return TrackReference(
        shards=len(metrics),
        rows=lengths.total,
        median_log_chars=median_log_chars,
        mad_log_chars=mad_log_chars,
        tail_share=lengths.share_beyond(median_log_chars, tail_mads * mad_log_chars),
        edges=edges.tolist(),
        shares=(lengths.bin(edges) / lengths.total).tolist(),
        quantiles=lengths.quantiles(np.linspace(0, 1, QUANTILES)).tolist(),
        median_tokens=int(tokens.quantiles([0.5])[0]) if tokens.total else 0,
        common_tokens_share=tokens.most_common_share,
        speculation_share=sum(one["captioned"]["speculating"] for one in metrics) / lengths.total,
        rejected=_rate([one["rejected"] / one["planned"] for one in planned]),
        reasons={
            name: _rate([one["reasons"].get(name, 0) / one["planned"] for one in planned])
            for name in names
        },
    )


def _rate(shares: Sequence[float]) -> Rate:
    return Rate(*median_and_mad(shares))


def build_reference(
    campaign: Campaign,
    shards: Sequence[str],
    metrics: Mapping[str, Sequence[Mapping[str, Any]]],
    audited: Mapping[str, Faithfulness],
) -> Reference:
    """Compute a reference.

    Args:
        metrics: of each track, `metrics.json` of each of these shards.
        audited: by track, what their audits found; tracks without one are left out.

    Raises PermanentError: no captions, captions of one length, or captions of several models.
    """
    health = campaign.recipe.quality.health
    origins = [origin for many in metrics.values() for one in many for origin in one["origins"]]
    model, revision = _one_model(campaign, origins)
    tracks = {}
    for track, many in metrics.items():
        found = describe_track(many, health.tail_mads)
        if found is None:
            raise PermanentError(f"{track}: {len(shards)} shards without a caption; choose others")
        if not found.mad_log_chars:
            raise PermanentError(
                f"{track}: more than half of the {found.rows:,} captions have the same length, "
                "which nothing can be measured by; look at the shards' reports, choose others"
            )
        if (audit := audited.get(track)) is not None and audit.refused.of:
            share = AuditReference(audit.judges, audit.refused.value, audit.refused.effective)
            found = replace(found, unsupported=share)
        tracks[track] = found
    return Reference(
        campaign=campaign.name,
        recipe_fingerprint=campaign.recipe.fingerprint,
        shards=format_selection(shards),
        engines=sorted({origin["engine"] for origin in origins}),
        model=model,
        model_revision=revision,
        tracks=tracks,
    )


def _one_model(campaign: Campaign, origins: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    models = sorted({(origin["model"], origin["model_revision"]) for origin in origins})
    if len(models) > 1:
        names = ", ".join(f"{model} at {revision}" for model, revision in models)
        raise PermanentError(
            f"these shards were captioned by {names}; a reference takes captions of one model: "
            "choose other shards, or caption the strangers again"
        )
    own = campaign.recipe.model
    return models[0] if models else (own.id, own.revision)


def why_not_pin(campaign: Campaign, reference: Reference) -> str | None:
    """Why shards must not be judged by it, in a sentence; None if they may."""
    own = campaign.recipe.model.id
    if "preview" in reference.engines and reference.model != own:
        return (
            f"these captions are the preview engine's, a stand-in for {own}; a reference made of "
            f"them would reject that model's: choose shards captioned by {own}"
        )
    needed = campaign.recipe.quality.health.reference_rows
    for track, found in reference.tracks.items():
        if found.rows < needed:
            return (
                f"{track}: {counted(found.rows, 'caption')} in {counted(found.shards, 'shard')} "
                f"are too few for a reference, it takes {needed:,}; choose more shards, or lower "
                "quality.health.reference_rows in the recipe"
            )
    return None


def read_reference(campaign: Campaign) -> Reference | None:
    """Read the pinned reference; None where there is none.

    Raises PermanentError: it was changed by hand, or while this process ran.
    """
    if campaign.reference_digest is None:
        return None
    where = campaign.store.locate(layout.reference_key(campaign.name))
    try:
        content = checked_json.parse(campaign.store.read(layout.reference_key(campaign.name)))
        stored, reference = content.get("digest"), build(Reference, content)
    except (ValueError, MissingKeyError) as error:
        raise PermanentError(
            f"{where} is not a reference of this version ({error}); restore it, or delete "
            "it, curate again, and pin one with sa1b-captions calibrate --pin"
        ) from None
    if not stored == reference.digest == campaign.reference_digest:
        raise PermanentError(
            f"{where} is not what was pinned: its digest is {reference.digest}, not "
            f"{campaign.reference_digest}; run the stage again, and if that does not help pin the "
            "reference again with sa1b-captions calibrate --pin --replace"
        )
    return reference


def pin_reference(campaign: Campaign, reference: Reference, *, replace: bool) -> bool:
    """Write a reference for all that is curated and validated from now on.

    Returns:
        Whether it was written; False where the very same one is pinned already.

    Raises:
        PermanentError: `why_not_pin` has a reason, or another one is pinned and `replace` is False.
    """
    if reason := why_not_pin(campaign, reference):
        raise PermanentError(reason)
    if campaign.reference_digest == reference.digest:
        return False
    if campaign.reference_digest is not None and not replace:
        raise PermanentError(
            f"{campaign.name} has a reference already, {campaign.reference_digest}; with another "
            "one every shard is curated and validated again: if that is wanted, add --replace"
        )
    content = asdict(reference) | {
        "created_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "software": software(),
        "digest": reference.digest,
    }
    text = json.dumps(content, ensure_ascii=False)
    campaign.store.write(layout.reference_key(campaign.name), text.encode())
    return True
