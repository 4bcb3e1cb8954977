"""What a gallery shows of a sample: its photographs, all that was said of them, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.marks import CaptionMark, text_digest
from sa1b_captions.quality.browse.caption_texts import found_words, sample_id
from sa1b_captions.quality.browse.catalogue import Catalogue, places_with
from sa1b_captions.quality.browse.finding.facets import Facets
from sa1b_captions.quality.browse.finding.orders import Hit
from sa1b_captions.quality.browse.offences import Span, find_offences
from sa1b_captions.quality.lexicon.characters import LINE_BREAKS
from sa1b_captions.quality.rules import MEANINGS

SHOWN_CHARS = 6000
"""Longest text shown in full; rejected ones can run away."""


@dataclass(frozen=True, slots=True)
class Caption:
    """One caption as a page shows it."""

    sample_id: str
    track: str
    language: str
    passages: list[tuple[str, str]]
    """Pieces of the text, and what each is: empty, `found`, `refused` or `offence`."""
    chars: int
    cut: bool
    """Whether the passages leave out the end."""
    reasons: list[tuple[str, str]]
    """Why it is rejected, and what that means."""
    winner: str | None
    """Of a duplicate within the shard, the sample that stays."""
    digest: str
    facts: str
    """Engine, attempt and more, for people."""
    error: str


@dataclass(frozen=True, slots=True)
class Card:
    """A sample and what belongs to it."""

    caption: Caption
    shard: str
    images: list[tuple[int, str]]
    """Id and name of each photograph."""
    others: list[Caption] = field(default_factory=list)
    """Captions of the same photograph in other languages."""
    groups: list[str] = field(default_factory=list)
    """Samples of several photographs that it is in."""
    mark: CaptionMark | None = None
    """What the reader said of it."""


class CardMaker:
    """Makes the cards of one page."""

    def __init__(
        self,
        campaign: Campaign,
        catalogue: Catalogue,
        patterns: Sequence[str] = (),
        refused: Mapping[str, Sequence[Span]] | None = None,
    ) -> None:
        self._campaign, self._catalogue, self._patterns = campaign, catalogue, patterns
        self._refused = refused or {}
        self._units = catalogue.counts().units

    def cards(self, hits: Sequence[Hit], marks: Mapping[str, CaptionMark]) -> list[Card]:
        """Cards of samples, in their order."""
        shards = dict.fromkeys(hit.facets.shard for hit in hits if len(_ids(hit)) == 1)
        tracks = self._campaign.recipe.tracks
        around = (f"{track}/{shard}" for shard in shards for track in tracks)
        self._catalogue.load_all(unit for unit in around if unit in self._units)
        beside = [self._beside(hit) for hit in hits]
        wanted = [*hits, *(other for others, _ in beside for other in others)]
        rows = iter(self._catalogue.rows(wanted))
        own = [next(rows) for _ in hits]
        cards = []
        for hit, row, (others, groups) in zip(hits, own, beside, strict=True):
            caption = self._caption(hit, row)
            said = [self._caption(other, next(rows)) for other in others]
            mark = marks.get(caption.sample_id)
            cards.append(
                Card(
                    caption,
                    hit.facets.shard,
                    list(zip(row["image_ids"], row["images"], strict=True)),
                    said,
                    groups,
                    mark if mark is not None and mark.text_xxh3 == caption.digest else None,
                )
            )
        return cards

    def _beside(self, hit: Hit) -> tuple[list[Hit], list[str]]:
        """Other captions of a sample's only photograph, and the groups it is in."""
        ids = _ids(hit)
        if len(ids) != 1:
            return [], []
        others, groups = [], []
        for track in self._campaign.recipe.tracks.values():
            unit = f"{track.name}/{hit.facets.shard}"
            if track.name == hit.facets.track or unit not in self._units:
                continue
            facets = self._load(unit)
            if facets is None:
                continue
            for place in places_with(facets, ids[0]):
                if track.images_max == 1:
                    others.append(Hit(facets, place, ""))
                else:
                    groups.append(sample_id(facets, place))
        return others, groups

    def _load(self, unit: str) -> Facets | None:
        try:
            return self._catalogue.load(unit)
        except PermanentError:  # it is being curated again; the sample itself can be shown
            return None

    def _caption(self, hit: Hit, row: Mapping[str, Any]) -> Caption:
        facets = hit.facets.rows.row(hit.place, named=True)
        settings = self._campaign.recipe.tracks[hit.facets.track]
        text: str = row["caption"] or ""
        reasons = facets["reasons"].split()
        limits = self._campaign.recipe.quality.languages[settings.language]
        offences = [span for reason in reasons for span in find_offences(text, reason, limits)]
        shown, digest = text[:SHOWN_CHARS], text_digest(text)
        facts = [f"{row['engine']}, attempt {row['attempt']}"]
        if row["completion_tokens"] is not None:
            facts.append(f"{row['completion_tokens']:,} tokens")
        return Caption(
            sample_id=row["sample_id"],
            track=hit.facets.track,
            language=settings.language,
            passages=passages(
                shown,
                found=found_words(shown, self._patterns),
                refused=self._refused.get(digest, ()),
                offence=offences,
            ),
            chars=len(text),
            cut=len(text) > len(shown),
            reasons=[(reason, MEANINGS.get(reason, "")) for reason in reasons],
            winner=facets["winner"],
            digest=digest,
            facts=", ".join(facts),
            error=row["error"] or "",
        )


def _ids(hit: Hit) -> Sequence[int]:
    ids: Sequence[int] = hit.facets.rows["image_ids"][hit.place]
    return ids


def passages(text: str, **marked: Sequence[Span]) -> list[tuple[str, str]]:
    """A text in pieces, each with what it is; what is named later covers what is named before."""
    kinds = [""] * len(text)
    for kind, spans in marked.items():
        for start, end in spans:
            kinds[start:end] = [kind] * (min(end, len(text)) - start)
    pieces: list[tuple[str, str]] = []
    for character, kind in zip(text, kinds, strict=True):
        seen = "↵" if character in LINE_BREAKS else character
        if pieces and pieces[-1][1] == kind:
            pieces[-1] = (pieces[-1][0] + seen, kind)
        else:
            pieces.append((seen, kind))
    return pieces
