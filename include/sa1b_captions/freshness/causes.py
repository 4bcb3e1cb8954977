"""Why an output does not fit what it is made from: the one cause that is true, in words.

Each is asked only once the digests say that it does not fit. What older versions stored names less
of what it was made from; then the words say no more than that.
"""

from collections.abc import Mapping, Sequence

from sa1b_captions.campaign import Campaign
from sa1b_captions.freshness.stale import Output, Stale
from sa1b_captions.receipts import CaptionReceipt, CurateReceipt, Receipt, ShardValidation
from sa1b_captions.receipts.receipt_files import digest, digest_of_parts
from sa1b_captions.recipe import TRACKS

AGAIN = "what it was made of was made again since"


def why_other_captions(curated: CurateReceipt, captions: CaptionReceipt | None) -> str:
    """Why what was curated is not of the captions that count."""
    if captions is None:
        return "the captions they were made from are gone"
    same = curated.generation == captions.generation
    if same and curated.parts is not None and curated.parts == digest_of_parts(captions.parts):
        return "the receipt of the track's captions was written anew since"
    if captions.mended and captions.same_as is None and (same or curated.generation is None):
        return "damaged blocks of the track were captioned again since"
    if captions.restored_from is not None and not same:
        return "earlier captions of the track were restored since"
    return "the track was captioned again since"


def why_other_rules(campaign: Campaign, curated: CurateReceipt) -> str:
    """Why what was curated is not judged as it would be now."""
    now, before = campaign.judged_by, curated.judged_by
    if before is None:
        # Of the rules, the reference and this package's own code, older receipts tell none apart.
        return "they were judged otherwise than the recipe and this version would"
    if before.rules != now.rules:
        return "the recipe's rules have changed since"
    if now.reference is None and before.reference is not None:
        return "the reference that they were judged by is gone"
    if before.reference != now.reference:
        return "another reference was pinned since"
    return "this version of sa1b-captions judges otherwise"


def why_validation_stale(
    validation: ShardValidation,
    curated: Mapping[str, CurateReceipt],
    stale: Sequence[Stale],
    audits: Mapping[str, Receipt] | None,
) -> str:
    """Why a shard's validation is not of what is curated and audited.

    Args:
        curated: by track, those that are not stale.
        stale: what is stale of the shard's tracks and audits.
        audits: by track, those that are not stale; None where the recipe asks for none.
    """
    by_place = {(one.output, one.of): one for one in stale}
    kinds: list[tuple[Output, Mapping[str, str], Mapping[str, Receipt], str]]
    kinds = [(Output.CURATED, validation.curated, curated, "curated")]
    if audits is not None:
        kinds.append((Output.ANSWERS, validation.audited, audits, "audited"))
    elif validation.audited:
        return "the recipe asks for no audit any more"
    if not validation.curated:
        return _older(validation, curated, stale)
    for output, before, now, done in kinds:
        for track in TRACKS:
            where = f"{track}/{validation.shard}"
            old, new = before.get(track), now.get(track)
            if old is not None and new is None:
                is_there = (output, where) in by_place
                return f"{output} {where} are {'stale' if is_there else 'gone'}"
            if new is not None and digest(new) != old:
                return f"{track} was {done}{'' if old is None else ' again'} since it was made"
    return AGAIN


def _older(
    validation: ShardValidation, curated: Mapping[str, CurateReceipt], stale: Sequence[Stale]
) -> str:
    """Why one is stale that does not name what it was made from."""
    if stale:
        return f"{stale[0].what} are stale"
    for track in validation.counts:
        if track not in curated:
            return f"{Output.CURATED} {track}/{validation.shard} are gone"
    for track in curated:
        if track not in validation.counts:
            return f"{track} was curated since it was made"
    return AGAIN
