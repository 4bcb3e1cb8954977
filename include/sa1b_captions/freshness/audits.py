"""Whether audits are of the captions that are there, and asked what the recipe asks.

An audit hangs on the accepted captions themselves: curated again with the same outcome, they keep
it. A recipe without `[audit]` has none, whatever lies in the store.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sa1b_captions.campaign import Campaign
from sa1b_captions.freshness.stale import Output, Stale
from sa1b_captions.receipts import AuditReceipt, CurateReceipt
from sa1b_captions.receipts.receipt_files import audit_place, digest, read_receipt
from sa1b_captions.recipe import TRACKS, Recipe
from sa1b_captions.sentences import SPLIT_VERSION

QUESTION_VERSION = 1
"""Raise it when a question is worded otherwise, or its answer read otherwise."""

_CHANGES_NO_ANSWER = ("unsupported", "repair", "repair_confidence")
"""Settings of the audit that are about what its answers come to."""


def audit_fingerprint(recipe: Recipe) -> str:
    """16 hexadecimal digits over all that decides what an audit asks, and of which model."""
    if recipe.audit is None:
        return ""
    asked = {k: v for k, v in asdict(recipe.audit).items() if k not in _CHANGES_NO_ANSWER}
    own = {} if recipe.audit.model else {"own": asdict(recipe.model)}
    versions = {"questions": QUESTION_VERSION, "sentences": SPLIT_VERSION, "seed": recipe.seed}
    return digest(asked | own | versions)


def accepted_version(curated: CurateReceipt) -> str:
    """Digest of the accepted captions that a receipt vouches for."""
    return curated.files.get("accepted.parquet") or digest(curated)


@dataclass(frozen=True, slots=True)
class Audits:
    """Audits of a shard."""

    fresh: dict[str, AuditReceipt]
    """By track, those that are not stale."""
    stale: tuple[Stale, ...]

    @property
    def whole(self) -> bool:
        """Whether every track has one."""
        return set(self.fresh) == set(TRACKS)


def read_audits(
    campaign: Campaign,
    shard: str,
    curated: Mapping[str, CurateReceipt],
    stale: Sequence[Stale] = (),
    may_exist: Callable[[str], bool] = lambda key: True,
) -> Audits:
    """Audits of a shard; none where the recipe asks for none.

    Args:
        curated: by track, those that are not stale.
        stale: what is stale of its tracks.
        may_exist: False for keys that need not be asked for, as a listing lacks them.

    Raises PermanentError: a receipt is damaged.
    """
    fresh, found = {}, []
    stale_curated = {one.of for one in stale if one.output is Output.CURATED}
    for track in TRACKS if campaign.recipe.audit is not None else ():
        place = audit_place(campaign.name, track, shard)
        audit = read_receipt(campaign.store, place) if may_exist(place.key) else None
        if audit is None:
            continue
        where = f"{track}/{shard}"
        if track not in curated:
            state = "stale" if where in stale_curated else "gone"
            why = f"the curated captions that they are about are {state}"
        else:
            why = _why_stale(campaign, audit, curated[track])
        if why:
            found.append(Stale(Output.ANSWERS, where, why, place.command))
        else:
            fresh[track] = audit
    return Audits(fresh, tuple(found))


def is_fresh(campaign: Campaign, audit: AuditReceipt, curated: CurateReceipt) -> bool:
    """Whether an audit is of these captions and asked what the recipe asks."""
    return not _why_stale(campaign, audit, curated)


def _why_stale(campaign: Campaign, audit: AuditReceipt, curated: CurateReceipt) -> str:
    """Why an audit does not count; empty if it does."""
    if audit.input != accepted_version(curated):
        return "other captions are accepted since"
    if audit.audit_fingerprint != audit_fingerprint(campaign.recipe):
        return "the recipe asks otherwise since"
    return ""
