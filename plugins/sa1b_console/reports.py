"""Stored quality reports, each under a few lines that say whether it is the present one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError
from sa1b_captions.receipts import ReleaseValidation, ShardValidation
from sa1b_captions.receipts.receipt_files import read_receipt
from sa1b_captions.stages.status.status import read_shard, why_release_stale
from sa1b_captions.stages.validating.validations import (
    Subject,
    V,
    name_of,
    of_release,
    of_shard,
    read_history,
)

_MAIN = "<main>\n"


@dataclass(frozen=True, slots=True)
class Report:
    """One validation of a shard or of the release among the others."""

    subject: str
    """The shard, or `release`."""
    shown: str
    """Name of the validation."""
    present: str | None
    """Name of the present validation; None where there is none any more."""
    history: Mapping[str, ShardValidation | ReleaseValidation]
    """All validations by name, the newest first."""
    outdated: str
    """Why the present validation is not of the present state; empty where it is."""
    page: str
    """HTML as the validate stage wrote it."""

    def below(self, notice: str, root: str) -> str:
        """The page with a notice on top, inside its margins, and its links into the console."""
        page = self.page
        for place, sign in (("gallery", "?"), ("shards", "/")):  # captions have no such quotes
            page = page.replace(f'href="#{place}{sign}', f'href="{root}/{place}{sign}')
        head, main, rest = page.partition(_MAIN)
        return f"{head}{main}{notice}{rest}" if main else notice + page


def shard_report(campaign: Campaign, shard: str, name: str | None = None) -> Report | None:
    """Report of a shard: the named one, or else the present or the newest; None without one."""
    found = _read(campaign, of_shard(campaign, shard), name)
    if found is None or found.shown != found.present:
        return found
    status = read_shard(campaign, shard)
    return replace(found, outdated=status.stale[0]) if status.outdated else found


def release_report(campaign: Campaign, name: str | None = None) -> Report | None:
    """Report over all shards; as `shard_report`."""
    found = _read(campaign, of_release(campaign), name)
    if found is None or found.shown != found.present:
        return found
    why = why_release_stale(campaign)
    return replace(found, outdated=f"{why}; release_dataset validates it again" if why else "")


def release_report_of_run(campaign: Campaign, run_id: str) -> str | None:
    """Name of the release's validation that a run made, of a run that left no summary."""
    history = read_history(campaign, of_release(campaign))
    return next((name for name, one in history.items() if one.run_id == run_id), None)


def _read(campaign: Campaign, subject: Subject[V], name: str | None) -> Report | None:
    history = read_history(campaign, subject)
    present = read_receipt(campaign.store, subject.place)
    named = None if present is None else name_of(present)
    shown = name or named or next(iter(history), None)
    if shown is None or shown not in history:
        return None
    try:
        page = campaign.store.read(history[shown].report).decode()
    except MissingKeyError:
        return None
    return Report(subject.name, shown, named, history, "", page)
