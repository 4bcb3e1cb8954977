"""What people's marks say of a campaign, for its card and for the command line."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sa1b_captions.campaign import Campaign
from sa1b_captions.mark_logs import read_marks
from sa1b_captions.marks import CaptionMark, Judgement, last_of_each
from sa1b_captions.quality.browse.finding.filters import parse_draw
from sa1b_captions.quality.reviews import RuleScore, Share, fit_shares, rule_scores
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.card.card_facts import ReviewTables
from sa1b_captions.release.manifest import TrackTotals


@dataclass(frozen=True, slots=True)
class Reviews:
    """Marks that count, summed up."""

    people: int
    drawn: tuple[tuple[str, Share], ...]
    """What a random sample was drawn from, and the share of it that is fit."""
    rules: tuple[RuleScore, ...]


def read_reviews(
    campaign: Campaign,
    tracks: tuple[str, ...] = TRACKS,
    rejected: Mapping[str, int] | None = None,
    accepted: int = 0,
) -> Reviews:
    """Sum up the marks of some tracks.

    Args:
        rejected: captions of these tracks by the rule that rejects them; without, no recall.
        accepted: captions of these tracks that no rule rejects.

    Raises PermanentError: a log of marks is damaged.
    """
    marks = [
        mark
        for mark in last_of_each(read_marks(campaign.store, campaign.name, CaptionMark))
        if mark.judgement != Judgement.WITHDRAWN and mark.sample_id.split("/")[0] in tracks
    ]
    drawn = [
        (filters.words, share)
        for draw, share in fit_shares(marks).items()
        if (filters := parse_draw(draw)) is not None
    ]
    scores = [] if rejected is None else rule_scores(marks, rejected, accepted)
    people = len({mark.who for mark in marks})
    return Reviews(people, tuple(sorted(drawn)), tuple(scores))


def review_tables(campaign: Campaign, tracks: Mapping[str, TrackTotals]) -> ReviewTables:
    """What people found, as a card shows it; nobody is named. Raises as `read_reviews` does."""
    rejected: Counter[str] = Counter()
    for totals in tracks.values():
        rejected.update(totals.reasons)
    accepted = sum(one.planned - one.rejected for one in tracks.values())
    found = read_reviews(campaign, tuple(tracks), rejected, accepted)
    rules = {
        one.rule: [str(one.precision), "–" if one.recall is None else f"{one.recall:.1%}"]
        for one in found.rules
    }
    return ReviewTables(found.people, {what: str(share) for what, share in found.drawn}, rules)
