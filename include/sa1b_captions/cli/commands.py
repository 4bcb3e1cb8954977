"""Commands that run a stage."""

import signal
import threading
from functools import partial
from typing import Annotated, NoReturn

import typer

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign, open_campaign, read_lock
from sa1b_captions.cli.common import (
    ALL_TRACKS,
    GO_ON,
    AllowPartial,
    Force,
    ReleaseTracks,
    RunId,
    Shards,
    Tracks,
    begin_campaign,
    command,
    log,
    look_at_deployment,
    open_deployment,
    parse_shards,
    parse_tracks,
    print_result,
)
from sa1b_captions.errors import NothingToDo, PermanentError
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import ENGINE_NAMES, Settings, load_settings
from sa1b_captions.shards import format_selection
from sa1b_captions.storage import Store, open_store


@command
def ingest(
    shards: Shards,
    links: Annotated[
        str | None,
        typer.Option(
            help="Meta's links file: a path, store:<key>, or - for standard input; by default "
            "CAPTIONS_LINKS."
        ),
    ] = None,
    skip_done: Annotated[
        bool, typer.Option("--skip-done", help="Exit with 99 if all of the shards are done.")
    ] = False,
    force: Force = False,
    run_id: RunId = None,
) -> None:
    """Download archives and repack them as plain tars with an index."""
    from sa1b_captions.ingest.links import read_links, read_md5_list
    from sa1b_captions.ingest.member_names import first_image_id
    from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt
    from sa1b_captions.stages.ingesting.drop import is_dropped
    from sa1b_captions.stages.ingesting.ingest import ingest_shard
    from sa1b_captions.stages.status.status import is_done

    settings, store, campaign = open_deployment()
    names = parse_shards(campaign, shards)
    if skip_done and not force and all(is_done(campaign, shard) for shard in names):
        raise NothingToDo(f"{shards} is done: captioned, curated and validated")
    if not force and (dropped := [shard for shard in names if is_dropped(campaign, shard)]):
        log.info(
            "%s: dropped after captioning and not needed; --force brings them back",
            format_selection(dropped),
        )
        names = [shard for shard in names if shard not in dropped]
    if not names:
        print_result({"stage": "ingest", "shards": {}})
        return
    recipe = campaign.recipe
    table = {}
    if force or any(read_receipt(store, ingest_place(shard)) is None for shard in names):
        location = links or settings.links
        if location is None:
            raise PermanentError("no links file; set CAPTIONS_LINKS or give --links")
        table = read_links(store, location)
    md5s = read_md5_list(store, settings.md5_list) if settings.md5_list else {}
    receipts = {
        shard: ingest_shard(
            store,
            shard,
            table,
            expected_md5=md5s.get(shard),
            expected_images=recipe.expected_images(shard),
            first_id=None if recipe.archives == "sa1b" else first_image_id(shard),
            force=force,
            run_id=run_id,
            connections=settings.download_ranges,
        )
        for shard in names
    }
    stored = {shard: dict(receipt.stored) for shard, receipt in receipts.items()}
    print_result({"stage": "ingest", "shards": stored})


@command
def caption(
    shards: Shards,
    engine: Annotated[str | None, typer.Option(help="Engine; by default CAPTIONS_ENGINE.")] = None,
    tracks: Tracks = ALL_TRACKS,
    force: Force = False,
    restore: Annotated[
        bool,
        typer.Option(
            "--restore", help="Caption nothing: let the captions before the present ones count."
        ),
    ] = False,
    run_id: RunId = None,
) -> None:
    """Caption ingested shards with one engine, resuming where an earlier worker stopped.

    With --force new captions are made beside the old, which count until the new are whole. A
    forced command that was cut off goes on where it was: in a run by its id, by hand by its engine.
    """
    stop = threading.Event()
    from sa1b_captions.caption.engines.base import Engine
    from sa1b_captions.caption.engines.registry import open_engine
    from sa1b_captions.process import end_process
    from sa1b_captions.stages.caption import caption_shards
    from sa1b_captions.stages.past_generations import restore_captions

    if restore and force:
        raise PermanentError("give either --force or --restore")
    settings = load_settings()
    store = open_store(settings)
    if restore:
        campaign = _stored_campaign(store, settings)
        names, wanted = parse_shards(campaign, shards), parse_tracks(tracks)
        print_result(restore_captions(campaign, names, wanted, run_id=run_id))
        return
    # A model loads for minutes, and until it has there is nothing that could be lost.
    signal.signal(
        signal.SIGTERM,
        lambda *_: end_process("stopped on request, before the first caption", GO_ON),
    )
    campaign = _stored_campaign(store, settings)
    name = engine or settings.engine
    if name not in ENGINE_NAMES:
        raise PermanentError(f"no engine {name!r}; there are: {', '.join(ENGINE_NAMES)}")

    def load() -> Engine:
        lock = read_lock(store, campaign.name)
        loaded = open_engine(name, campaign.recipe, settings, lock)
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        return loaded

    results = caption_shards(
        campaign,
        parse_shards(campaign, shards),
        load,
        tracks=parse_tracks(tracks),
        force=force,
        run_id=run_id,
        stop=stop,
        max_failure_share=settings.max_failure_share,
        by_hand=name,
        image=settings.image,
        profile=settings.gpu_profile if settings.image else None,
    )
    print_result({"stage": "caption", "shards": results})


def _stored_campaign(store: Store, settings: Settings) -> Campaign:
    """A pod has no recipe file: the recipe that ingest stored is the one to use."""
    if store.exists(layout.recipe_key(settings.campaign)):
        return open_campaign(store, settings.campaign)
    return begin_campaign(store, settings)


@command
def curate(
    shards: Shards, tracks: Tracks = ALL_TRACKS, force: Force = False, run_id: RunId = None
) -> None:
    """Judge every caption by the rules and split accepted from rejected."""
    from sa1b_captions.stages.curate import curate_shard

    _, _, campaign = open_deployment()
    results = {
        shard: curate_shard(
            campaign, shard, tracks=parse_tracks(tracks), force=force, run_id=run_id
        )
        for shard in parse_shards(campaign, shards)
    }
    print_result({"stage": "curate", "shards": results})


@command
def audit(
    shards: Shards,
    engine: Annotated[
        str | None,
        typer.Option(help="Engine of the judge; by default CAPTIONS_JUDGE_ENGINE."),
    ] = None,
    tracks: Tracks = ALL_TRACKS,
    force: Force = False,
    run_id: RunId = None,
) -> None:
    """Ask a judge whether the images show what sentences of accepted captions say."""
    from sa1b_captions.caption.engines.registry import open_engine
    from sa1b_captions.stages.auditing.audit import audit_shards
    from sa1b_captions.stages.auditing.judge_choice import (
        judge_engine,
        judge_recipe,
        judge_settings,
    )

    settings = load_settings()
    store = open_store(settings)
    own = load_recipe(settings.recipe)
    # A pod has the packaged recipe, which asks for no audit; elsewhere the section may be new.
    if own.audit is not None:
        campaign = begin_campaign(store, settings)
    else:
        campaign = _stored_campaign(store, settings)
    recipe, name = judge_recipe(campaign.recipe), judge_engine(settings, engine)
    print_result(
        audit_shards(
            campaign,
            parse_shards(campaign, shards),
            lambda: open_engine(
                name, recipe, judge_settings(settings), read_lock(store, campaign.name)
            ),
            tracks=parse_tracks(tracks),
            force=force,
            run_id=run_id,
            max_failure_share=settings.max_failure_share,
        )
    )


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
    from sa1b_captions.stages.exporting.selection import select
    from sa1b_captions.stages.status.projections import send_projections
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
    from sa1b_captions.quality.duplicates.ray_tasks import open_ray
    from sa1b_captions.stages.dedup import dedup_track
    from sa1b_captions.stages.exporting.selection import select

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
    from sa1b_captions.stages.exporting.export import export_release
    from sa1b_captions.stages.exporting.selection import select

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
