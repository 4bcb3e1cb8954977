"""The diff stage: what is different between two releases, or two campaigns.

Nothing that is compared is changed. Numbers and examples are stored as JSON, a page for people
beside them; neither lies in a release.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.report.differences import render_difference
from sa1b_captions.release.comparing.changes import changed_settings
from sa1b_captions.release.comparing.chosen import dealt
from sa1b_captions.release.comparing.difference import (
    EXAMPLES,
    KINDS,
    NOT_THERE,
    compare_track,
    track_names,
)
from sa1b_captions.release.comparing.judged import collect_marks
from sa1b_captions.release.comparing.sides import CampaignSide, ReleaseSide, Side
from sa1b_captions.release.manifest import read_manifest, read_manifest_at
from sa1b_captions.shards import format_selection
from sa1b_captions.stages.exporting.release_files import MEANINGS
from sa1b_captions.storage import Store

CAMPAIGN = "campaign:"
"""How the name of a side begins that is a campaign of the store."""

_MEANINGS = MEANINGS | {
    NOT_THERE: "the other side has no such sample: another plan, or no such shard or track"
}


@dataclass(frozen=True, slots=True)
class Named:
    """A side with what it is called in keys."""

    side: Side
    key: str


def release_of(store: Store, version: str) -> Named:
    """A release of the deployment's store.

    Raises PermanentError: there is none of that version, or it cannot be read.
    """
    manifest = read_manifest(store, version)
    if manifest is None:
        raise PermanentError(
            f"{store.url} has no release {version}; see {layout.releases_prefix()}"
        )
    return Named(ReleaseSide(store, layout.release_prefix(version), manifest), version)


def release_at(place: Store) -> Named:
    """A release that lies anywhere. Raises as `release_of` does."""
    manifest = read_manifest_at(place, layout.MANIFEST)
    if manifest is None:
        raise PermanentError(
            f"{place.locate(layout.MANIFEST)} is missing; name the folder that holds it"
        )
    layout.release_prefix(manifest.version)  # it becomes part of a key
    where = hashlib.sha256(place.url.encode()).hexdigest()[:8]
    return Named(ReleaseSide(place, "", manifest), f"{manifest.version}@{where}")


def campaign_of(store: Store, name: str) -> Named:
    """A campaign of the deployment's store, as it is now. Raises as `release_of` does."""
    return Named(CampaignSide(open_campaign(store, name)), f"campaign@{name}")


def compare(
    before: Named,
    after: Named,
    store: Store | None,
    *,
    tracks: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare two sides; store the result if there is a store.

    Args:
        store: of the deployment, which has the photographs and people's marks; None for none.
        tracks: those to compare; None for all that either side has.

    Returns:
        Names, settings that differ and figures by track, and where JSON and page lie.

    Raises PermanentError: a side cannot be read, or neither has a track asked for.
    """
    sides = (before.side, after.side)
    wanted = [track for track in track_names(*sides) if tracks is None or track in tracks]
    if not wanted:
        there = ", ".join(track_names(*sides))
        raise PermanentError(f"neither side has {', '.join(tracks or ())}; there are {there}")
    marks = {} if store is None else collect_marks(store, [side.campaign for side in sides])
    found = {track: compare_track(*sides, track, seed, marks) for track in wanted}
    facts: dict[str, Any] = {
        "stage": "diff",
        "before": _describe(before.side, wanted),
        "after": _describe(after.side, wanted),
        "settings": changed_settings(before.side.recipe, after.side.recipe),
        "seed": seed,
        "tracks": {track: difference.figures() for track, (difference, _) in found.items()},
    }
    if store is not None:
        examples = {
            kind: dealt([chosen[kind] for _, chosen in found.values()], EXAMPLES) for kind in KINDS
        }
        facts |= _store(store, before.key, after.key, facts, examples)
    return facts


def _describe(side: Side, tracks: Sequence[str]) -> dict[str, Any]:
    shards = {shard for track in tracks if track in side.tracks for shard in side.shards(track)}
    return {
        "name": side.name,
        "campaign": side.campaign,
        "software": side.software,
        "shards": format_selection(sorted(shards)),
    }


def _store(
    store: Store,
    before: str,
    after: str,
    facts: Mapping[str, Any],
    examples: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, str]:
    """Write page, then JSON; returns their URLs."""
    html, numbers = (layout.difference_key(before, after, kind) for kind in ("html", "json"))
    store.write(html, render_difference(facts, examples, _MEANINGS, store).encode())
    text = json.dumps({**facts, "examples": examples}, ensure_ascii=False, indent=1)
    store.write(numbers, text.encode())
    return {"json": store.locate(numbers), "page": store.locate(html)}
