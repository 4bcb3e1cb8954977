"""What one Airflow run validated."""

import json
from dataclasses import dataclass
from typing import Any

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, PermanentError


@dataclass(frozen=True, slots=True)
class RunPage:
    """The run's shards and whatever numbers the validate stage gives for each."""

    run_id: str
    columns: list[str]
    """Names of the numbers, in the order they first appear."""
    shards: dict[str, dict[str, Any]]
    """For each shard its `verdict` and its numbers."""


def read_run(campaign: Campaign, run_id: str) -> RunPage | None:
    """Read a run's summary; None when the run has validated nothing yet.

    Raises:
        PermanentError: the summary is not what the validate stage writes.
    """
    key = layout.run_summary_key(campaign.name, run_id)
    try:
        summary = json.loads(campaign.store.read(key))
        shards = {
            shard: {"verdict": str(found["verdict"]), **_numbers(found)}
            for shard, found in sorted(summary["shards"].items())
        }
    except MissingKeyError:
        return None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        where = campaign.store.locate(key)
        raise PermanentError(f"{where} is no run summary ({error!r}); validate again") from None
    columns = dict.fromkeys(name for found in shards.values() for name in found)
    return RunPage(run_id, [name for name in columns if name != "verdict"], shards)


def _numbers(found: dict[str, Any]) -> dict[str, int | float]:
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
