"""Commands that fill shards and caption them: ingest, pack, caption, curate, audit."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign, open_campaign, read_lock
from sa1b_captions.cli.common import (
    ALL_TRACKS,
    GO_ON,
    Force,
    RunId,
    Shards,
    Tracks,
    begin_campaign,
    command,
    log,
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
    from sa1b_captions.ingest.downloading.links import read_links, read_md5_list
    from sa1b_captions.ingest.repacking.member_names import first_image_id
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
    from sa1b_captions.caption.engines.base import Engine, Waits
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

        def finish(*_: object) -> None:
            stop.set()
            if isinstance(loaded, Waits):
                loaded.stop_waiting()

        signal.signal(signal.SIGTERM, finish)
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
def pack(
    folder: Annotated[Path, typer.Argument(help="Folder of images; folders in it count.")],
    images_per_shard: Annotated[
        int, typer.Option(help="Images of one shard, the unit that one worker captions.")
    ] = 10_000,
    first_shard: Annotated[int, typer.Option(help="Number of the first shard.")] = 0,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help="Leave out and name files that no caption can be made of."),
    ] = False,
    re_encode: Annotated[
        bool,
        typer.Option("--re-encode", help="Make JPEGs of PNG, WebP, TIFF and other images."),
    ] = False,
    force: Force = False,
    run_id: RunId = None,
) -> None:
    """Pack a folder of images into shards, in place of ingest. JPEGs are taken byte for byte.

    Run again, it goes on after the last whole shard and compares those that are packed.
    """
    from sa1b_captions.stages.ingesting.pack import pack_folder

    receipts = pack_folder(
        open_store(load_settings()),
        folder,
        images_per_shard=images_per_shard,
        first_shard=first_shard,
        skip_bad=skip_bad,
        re_encode=re_encode,
        force=force,
        run_id=run_id,
    )
    selection = format_selection(receipts)
    log.info('shards = "%s" is what the recipe names', selection)
    stored = {shard: dict(receipt.stored) for shard, receipt in receipts.items()}
    print_result({"stage": "pack", "selection": selection, "shards": stored})
