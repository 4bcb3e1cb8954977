"""The command line: every stage, run by hand or by Airflow with the same arguments.

Progress goes to standard error. The last line of standard output is the result as one JSON
object. Exit codes: 0 done, 2 wrong usage, 65 permanent error, 75 retryable error, 99 nothing to
do, 1 a defect of this program.
"""

import contextlib
import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.errors import CaptioningError, NothingToDo, PermanentError
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.settings import Settings, load_settings
from sa1b_captions.shards import format_selection, parse_selection
from sa1b_captions.storage import Store, open_store

if TYPE_CHECKING:
    from sa1b_captions.stages.status import ShardStatus

app = typer.Typer(
    help="Turn SA-1B into a bilingual caption dataset. Settings: see .env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_log = logging.getLogger("sa1b_captions")

Shards = Annotated[
    str, typer.Option(help="Shards: numbers, ranges or names, as in 0-9,17 or sa_000020.")
]
Tracks = Annotated[str, typer.Option(help=f"Tracks, separated by commas: {', '.join(TRACKS)}.")]
_ALL_TRACKS = ",".join(TRACKS)
Force = Annotated[bool, typer.Option("--force/--no-force", help="Do it again although it is done.")]
RunId = Annotated[str | None, typer.Option(help="Run to name in receipts; Airflow fills it.")]


@app.callback()
def _set_up() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S"
    )
    for client in ("httpx", "httpx2"):  # they log URLs, and ours are signed
        logging.getLogger(client).setLevel(logging.WARNING)
    logging.getLogger("great_expectations").setLevel(logging.WARNING)


@contextlib.contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn expected errors into one line and an exit code."""
    try:
        yield
    except NothingToDo as nothing:
        _log.info("%s", nothing)
        raise typer.Exit(nothing.exit_code) from None
    except CaptioningError as error:
        _log.error("error: %s", error)
        raise typer.Exit(error.exit_code) from None


def _result(result: dict[str, Any]) -> None:
    print(json.dumps(result, ensure_ascii=False, default=str), flush=True)


def _open() -> tuple[Settings, Store, Campaign]:
    """Open the campaign with the deployment's recipe, refusing one that does not fit."""
    settings = load_settings()
    store = open_store(settings)
    return settings, store, open_campaign(store, settings.campaign, load_recipe(settings.recipe))


def _tracks(text: str) -> list[str]:
    tracks = [track.strip() for track in text.split(",") if track.strip()]
    unknown = sorted(set(tracks) - set(TRACKS))
    if unknown or not tracks:
        raise PermanentError(
            f"no track {', '.join(unknown) or 'given'}; there are: {', '.join(TRACKS)}"
        )
    return tracks


@app.command()
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
    with _exit_codes():
        from sa1b_captions.ingest.links import read_links, read_md5_list
        from sa1b_captions.stages.drop import is_dropped
        from sa1b_captions.stages.ingest import ingest_shard
        from sa1b_captions.stages.status import is_done

        settings, store, campaign = _open()
        names = parse_selection(shards)
        if skip_done and not force and all(is_done(campaign, shard) for shard in names):
            raise NothingToDo(f"{shards} is done: captioned, curated and validated")
        if not force and (dropped := [shard for shard in names if is_dropped(campaign, shard)]):
            _log.info(
                "%s: dropped after captioning and not needed; --force brings them back",
                format_selection(dropped),
            )
            names = [shard for shard in names if shard not in dropped]
        if not names:
            _result({"stage": "ingest", "shards": {}})
            return
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
                expected_images=campaign.recipe.expected_images(shard),
                force=force,
                run_id=run_id,
                connections=settings.download_ranges,
            )
            for shard in names
        }
        _result({"stage": "ingest", "shards": receipts})


@app.command()
def caption(
    shards: Shards,
    engine: Annotated[str | None, typer.Option(help="Engine; by default CAPTIONS_ENGINE.")] = None,
    tracks: Tracks = _ALL_TRACKS,
    force: Force = False,
    run_id: RunId = None,
) -> None:
    """Caption ingested shards, resuming where an earlier worker stopped."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with _exit_codes():
        from sa1b_captions.caption.engines.registry import open_engine
        from sa1b_captions.stages.caption import caption_shard

        settings = load_settings()
        store = open_store(settings)
        campaign = _stored_campaign(store, settings)
        name = engine or settings.engine
        results = {
            shard: caption_shard(
                campaign,
                shard,
                lambda: open_engine(name, campaign.recipe, settings),
                tracks=_tracks(tracks),
                force=force,
                run_id=run_id,
                stop=stop,
            )
            for shard in parse_selection(shards)
        }
        _result({"stage": "caption", "shards": results})


def _stored_campaign(store: Store, settings: Settings) -> Campaign:
    """A pod has no recipe file: the recipe that ingest stored is the one to use."""
    if store.exists(f"campaigns/{settings.campaign}/recipe.json"):
        return open_campaign(store, settings.campaign)
    return open_campaign(store, settings.campaign, load_recipe(settings.recipe))


@app.command()
def curate(
    shards: Shards, tracks: Tracks = _ALL_TRACKS, force: Force = False, run_id: RunId = None
) -> None:
    """Judge every caption by the rules and split accepted from rejected."""
    with _exit_codes():
        from sa1b_captions.stages.curate import curate_shard

        _, _, campaign = _open()
        results = {
            shard: curate_shard(campaign, shard, tracks=_tracks(tracks), force=force, run_id=run_id)
            for shard in parse_selection(shards)
        }
        _result({"stage": "curate", "shards": results})


@app.command()
def validate(
    shards: Annotated[
        str | None, typer.Option(help="Shards to validate, as in 0-9,17; many in one process.")
    ] = None,
    release: Annotated[
        bool, typer.Option("--release", help="Validate all shards together, after dedup.")
    ] = False,
    force: Force = False,
    run_id: RunId = None,
) -> None:
    """Check curated shards, or the release, against the expectations; write the reports."""
    with _exit_codes():
        from sa1b_captions.stages.validate import validate_release, validate_shards

        if release == (shards is not None):
            raise PermanentError("give either --shards or --release")
        _, _, campaign = _open()
        if shards is None:
            _result(validate_release(campaign, force=force, run_id=run_id))
        elif not shards:
            raise NothingToDo("no shards to validate")
        else:
            names = parse_selection(shards)
            _result(validate_shards(campaign, names, force=force, run_id=run_id))


@app.command()
def drop(shards: Shards) -> None:
    """Delete archives of shards that are done in this campaign; other campaigns may need them."""
    with _exit_codes():
        from sa1b_captions.stages.drop import drop_shards

        _, _, campaign = _open()
        _result(drop_shards(campaign, parse_selection(shards)))


@app.command()
def dedup(tracks: Tracks = _ALL_TRACKS, force: Force = False, run_id: RunId = None) -> None:
    """Find captions that repeat another shard's."""
    with _exit_codes():
        from sa1b_captions.stages.dedup import dedup_track

        _, _, campaign = _open()
        results = {
            track: dedup_track(campaign, track, force=force, run_id=run_id)
            for track in _tracks(tracks)
        }
        _result({"stage": "dedup", "tracks": results})


@app.command()
def export(
    version: Annotated[
        str, typer.Option(help="Name of the release; by default the next number: v1, v2, ...")
    ] = "",
    allow_warnings: Annotated[
        bool, typer.Option("--allow-warnings", help="Export although the validation warned.")
    ] = False,
    run_id: RunId = None,
) -> None:
    """Write a release: JSONL, Parquet, provenance, card, checksums, manifest last."""
    with _exit_codes():
        from sa1b_captions.stages.export import export_release

        _, _, campaign = _open()
        allowed = ("pass", "warn") if allow_warnings else ("pass",)
        _result(export_release(campaign, version or None, allow_verdicts=allowed, run_id=run_id))


@app.command()
def verify(
    version: Annotated[str, typer.Option(help="Name of the release to check.")],
) -> None:
    """Hash a release's files again and compare them with its manifest."""
    with _exit_codes():
        from sa1b_captions.release.manifest import verify_release

        differences = verify_release(open_store(load_settings()), version)
        for difference in differences:
            _log.error("%s", difference)
        if differences:
            raise PermanentError(f"release {version} differs from its manifest")
        _result({"stage": "verify", "version": version, "differences": 0})


@app.command()
def status(
    shards: Annotated[
        str | None, typer.Option(help="Shards to show; by default the recipe's.")
    ] = None,
    require_done: Annotated[
        bool, typer.Option("--require-done", help="Exit with 65 unless every shard is done.")
    ] = False,
) -> None:
    """Show what is done per shard and track, from receipts."""
    with _exit_codes():
        from sa1b_captions.release.manifest import latest_version
        from sa1b_captions.stages.status import read_status

        _, store, campaign = _open()
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
        _result(
            {
                "stage": "status",
                "campaign": campaign.name,
                "shards": len(statuses),
                "ingested": sum(item.ingested for item in statuses),
                "done": done,
                "latest_release": latest_version(store),
            }
        )


def _print_table(statuses: "Sequence[ShardStatus]") -> None:
    if not statuses:
        return
    print(f"{'shard':<11}{'ingested':<10}" + "".join(f"{t:<12}" for t in TRACKS) + "verdict")
    for item in statuses:
        steps = "".join(f"{step or '-':<12}" for step in item.tracks.values())
        print(f"{item.shard:<11}{'yes' if item.ingested else '-':<10}{steps}{item.verdict or '-'}")
