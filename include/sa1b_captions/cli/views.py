"""Commands that look at what is stored and change nothing."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sa1b_captions.cli.common import command, log, open_deployment, print_result
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import TRACKS
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import format_selection, parse_selection
from sa1b_captions.storage import open_store

if TYPE_CHECKING:
    from sa1b_captions.stages.status import ShardStatus


@command
def verify(
    version: Annotated[str, typer.Option(help="Name of the release to check.")],
) -> None:
    """Hash a release's files again and compare them with its manifest."""
    from sa1b_captions.release.manifest import verify_release

    differences = verify_release(open_store(load_settings()), version)
    for difference in differences:
        log.error("%s", difference)
    if differences:
        raise PermanentError(f"release {version} differs from its manifest")
    print_result({"stage": "verify", "version": version, "differences": 0})


@command
def status(
    shards: Annotated[
        str | None, typer.Option(help="Shards to show; by default the recipe's.")
    ] = None,
    require_done: Annotated[
        bool, typer.Option("--require-done", help="Exit with 65 unless every shard is done.")
    ] = False,
    project: Annotated[
        bool,
        typer.Option("--project", help="Also project how many captions each track will release."),
    ] = False,
) -> None:
    """Show what is done per shard and track, from receipts."""
    from sa1b_captions.quality.projection import read_projections
    from sa1b_captions.release.manifest import latest_version
    from sa1b_captions.stages.status import read_status

    _, store, campaign = open_deployment()
    statuses = read_status(campaign).shards
    if shards is not None:
        wanted = set(parse_selection(shards))
        statuses = [item for item in statuses if item.shard in wanted]
    done = sum(item.done for item in statuses)
    if require_done and done < len(statuses):
        missing = format_selection(item.shard for item in statuses if not item.done)
        raise PermanentError(
            f"{done} of {len(statuses)} shards are done; run caption_shards for {missing}"
        )
    started = [item for item in statuses if item.state != "waiting"]
    _print_table(started)
    if len(started) < len(statuses):
        print(f"{len(statuses) - len(started)} more shards are not started")
    projections = read_projections(campaign) if project else []
    for projection in projections:
        print(projection.describe())
    print_result(
        {
            "stage": "status",
            "campaign": campaign.name,
            "shards": len(statuses),
            "ingested": sum(item.ingested for item in statuses),
            "done": done,
            "latest_release": latest_version(store),
            **({"projections": [asdict(found) for found in projections]} if project else {}),
        }
    )


def _print_table(statuses: "Sequence[ShardStatus]") -> None:
    if not statuses:
        return
    print(f"{'shard':<11}{'ingested':<10}" + "".join(f"{t:<12}" for t in TRACKS) + "verdict")
    for item in statuses:
        steps = "".join(f"{step or '-':<12}" for step in item.tracks.values())
        print(f"{item.shard:<11}{'yes' if item.ingested else '-':<10}{steps}{item.verdict or '-'}")
