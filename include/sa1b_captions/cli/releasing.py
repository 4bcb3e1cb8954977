"""Commands that check captions and release them: validate, drop, dedup, export, publish."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from sa1b_captions.cli.common import (
    ALL_TRACKS,
    AllowPartial,
    Force,
    ReleaseTracks,
    RunId,
    Shards,
    Tracks,
    command,
    look_at_deployment,
    open_deployment,
    parse_shards,
    parse_tracks,
    print_result,
)
from sa1b_captions.errors import NothingToDo, PermanentError, SettingsError
from sa1b_captions.plurals import counted
from sa1b_captions.settings import Settings, load_settings, parsers
from sa1b_captions.shards import format_selection
from sa1b_captions.storage import open_store


@command
def validate(
    shards: Annotated[
        str | None, typer.Option(help="Shards to validate, as in 0-9,17; many in one process.")
    ] = None,
    release: Annotated[
        bool, typer.Option("--release", help="Validate all shards together, after dedup.")
    ] = False,
    tracks: Annotated[
        str | None,
        typer.Option(
            help="Tracks the run was to make: what its publish task does goes by them. With "
            "--release, the tracks of the release; by default all."
        ),
    ] = None,
    allow_partial: AllowPartial = False,
    force: Force = False,
    run_id: RunId = None,
) -> None:
    """Check curated shards, or the release, against the expectations; write the reports."""
    from sa1b_captions.freshness.release_freshness import select
    from sa1b_captions.stages.status.status import send_projections
    from sa1b_captions.stages.validating.validate_release import validate_release
    from sa1b_captions.stages.validating.validate_shards import validate_shards

    if release == (shards is not None):
        raise PermanentError("give either --shards or --release")
    _, _, campaign = open_deployment()
    if shards is None:
        wanted = parse_tracks(tracks or ALL_TRACKS)
        chosen = select(campaign, wanted, allow_partial=allow_partial)
        print_result(validate_release(chosen, force=force, run_id=run_id))
    elif not shards:
        raise NothingToDo("no shards to validate: the run's plan chose none")
    else:
        names = parse_shards(campaign, shards)
        asked = parse_tracks(tracks) if tracks else ()
        result = validate_shards(campaign, names, tracks=asked, force=force, run_id=run_id)
        send_projections(campaign)
        if not result["shards"]:
            _nothing_validated(result["not_curated"], run_id)
        print_result(result)


def _nothing_validated(reasons: dict[str, dict[str, str]], run_id: str | None) -> NoReturn:
    """Say so: to a person it is an error, in a run the stage that failed is the one to look at."""
    from sa1b_captions.stages.validating.validate_shards import Begin

    if run_id is not None:
        selection = format_selection(reasons)
        raise NothingToDo(f"nothing validated: no stage of this run has curated {selection}")
    first, reason = next(iter(reasons.items()))
    why, begin = reason["why"], reason["begin"]
    if begin == Begin.CAPTION_AGAIN:
        raise PermanentError(f"nothing validated: {why}, then curate it")
    after: dict[str, str]
    after = {Begin.INGEST: ", then caption, then curate", Begin.CAPTION: ", then curate"}
    alike = format_selection(shard for shard, one in reasons.items() if one["begin"] == begin)
    raise PermanentError(
        f"nothing validated: {alike} must be curated first ({first}, {why}); run sa1b-captions "
        f"{begin} --shards {alike}{after.get(begin, '')}"
    )


@command
def drop(
    shards: Shards,
    generations: Annotated[
        bool,
        typer.Option(
            "--generations", help="Delete no archive, but captions that others took the place of."
        ),
    ] = False,
    unfinished: Annotated[
        bool,
        typer.Option(
            "--unfinished", help="With --generations: also what forced runs did not finish."
        ),
    ] = False,
) -> None:
    """Delete archives of shards that are done in this campaign; other campaigns may need them."""
    from sa1b_captions.stages.ingesting.drop import drop_shards
    from sa1b_captions.stages.past_generations import drop_generations

    if unfinished and not generations:
        raise PermanentError("--unfinished goes with --generations")
    _, _, campaign = look_at_deployment()
    if generations:
        names = parse_shards(campaign, shards)
        freed = drop_generations(campaign, names, unfinished=unfinished)
        if not freed["freed"]:
            live = (
                "; what forced runs began is kept, --unfinished frees it" if freed["kept"] else ""
            )
            raise NothingToDo(
                f"nothing freed. No captions of {format_selection(names)} were superseded{live}"
            )
        print_result(freed)
        return
    result = drop_shards(campaign, parse_shards(campaign, shards))
    if not result["dropped"]:
        reasons = "; ".join(f"{shard}: {reason}" for shard, reason in result["kept"].items())
        raise NothingToDo(f"nothing dropped. {reasons}")
    print_result(result)


@command
def dedup(
    tracks: Tracks = ALL_TRACKS,
    release_tracks: ReleaseTracks = ALL_TRACKS,
    allow_partial: AllowPartial = False,
    ray_address: Annotated[
        str | None,
        typer.Option(
            help="Ray cluster that does the work: host:port, auto on one of its nodes, local to "
            "start one here; by default CAPTIONS_RAY_ADDRESS, and empty for this process alone.",
        ),
    ] = None,
    force: Force = False,
    run_id: RunId = None,
) -> None:
    """Find captions that repeat another shard's, in those of the tracks that are released."""
    from sa1b_captions.freshness.release_freshness import select
    from sa1b_captions.quality.duplicates.ray_tasks import open_ray
    from sa1b_captions.stages.dedup import dedup_track

    settings, _, campaign = open_deployment()
    address = settings.ray_address if ray_address is None else ray_address
    tasks = partial(open_ray, address) if address else None
    released = parse_tracks(release_tracks)
    wanted = [track for track in parse_tracks(tracks) if track in released]
    if wanted:
        campaign = select(campaign, released, allow_partial=allow_partial)
    results = {
        track: dedup_track(campaign, track, force=force, run_id=run_id, tasks=tasks)
        for track in wanted
    }
    print_result({"stage": "dedup", "tracks": results})


@command
def export(
    version: Annotated[
        str, typer.Option(help="Name of the release; by default the next number: v1, v2, ...")
    ] = "",
    allow_warnings: Annotated[
        bool, typer.Option("--allow-warnings", help="Export although the validation warned.")
    ] = False,
    replace_unfinished: Annotated[
        bool,
        typer.Option(
            "--replace-unfinished",
            help="Take the version over from an export of other captions that was cut off.",
        ),
    ] = False,
    tracks: ReleaseTracks = ALL_TRACKS,
    allow_partial: AllowPartial = False,
    run_id: RunId = None,
) -> None:
    """Write a release: JSONL, Parquet, provenance, card, checksums, manifest last."""
    from sa1b_captions.freshness.release_freshness import select
    from sa1b_captions.stages.exporting.export import export_release

    _, _, campaign = open_deployment()
    campaign = select(campaign, parse_tracks(tracks), allow_partial=allow_partial)
    allowed = ("pass", "warn") if allow_warnings else ("pass",)
    print_result(
        export_release(
            campaign,
            version or None,
            allow_verdicts=allowed,
            replace_unfinished=replace_unfinished,
            run_id=run_id,
        )
    )


@command
def publish(
    version: Annotated[str, typer.Argument(help="Name of a release of the store.")],
    to: Annotated[
        str,
        typer.Option(
            help="Repository: hf://owner/name or modelscope://owner/name, with @branch for another "
            "branch; by default CAPTIONS_PUBLISH_TO."
        ),
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without, only say what would go where.")
    ] = False,
) -> None:
    """Publish a release at Hugging Face or ModelScope, after verifying it.

    A repository that is made for it is private. What was sent before a kill is not sent again, and
    a repository that has the release is left as it is.
    """
    from sa1b_captions.release.hubs.hub import parse_destination
    from sa1b_captions.stages.publish import publish_release

    settings = load_settings()
    place = to or settings.publish_to
    if not place:
        raise PermanentError("say where to publish, with --to or CAPTIONS_PUBLISH_TO")
    result = publish_release(
        open_store(settings), version, parse_destination(place), _token(settings), dry_run=not yes
    )
    _print_plan(result)
    print_result(result)


def _token(settings: Settings) -> str | None:
    """The token from its setting or its file; None where there is neither."""
    if settings.publish_token_file is None:
        return settings.publish_token
    try:
        return parsers.key(Path(settings.publish_token_file).read_text(encoding="utf-8").strip())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "one line without blanks is one"
        raise SettingsError(
            f"CAPTIONS_PUBLISH_TOKEN_FILE={settings.publish_token_file} holds no token: {why}"
        ) from None


def _print_plan(result: dict[str, Any]) -> None:
    """What goes where."""
    done = "would be" if result["dry_run"] else "were"
    print(
        f"{result['version']} at {result['url']}: {counted(result['files'], 'file')}, "
        f"{result['bytes']:,} bytes; {counted(result['send_files'], 'file')} of "
        f"{result['send_bytes']:,} bytes {done} sent"
    )
    for verb, label in (("send", "send"), ("remove", "remove"), ("leave", "leave (not ours)")):
        for name in result[verb]:
            print(f"  {label} {name}")
    if result["up_to_date"]:
        print("the repository has this release already")
    elif result["dry_run"]:
        print("nothing was sent; give --yes to do it")
