"""Commands that look at what is stored; the campaign's summary is all that one of them writes."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sa1b_captions import layout
from sa1b_captions.campaign import read_lock
from sa1b_captions.cli.common import (
    command,
    log,
    look_at_deployment,
    open_place,
    parse_shards,
    print_lock,
    print_result,
)
from sa1b_captions.errors import PermanentError
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import TRACKS
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import format_selection, parse_selection
from sa1b_captions.storage import Store, open_store

if TYPE_CHECKING:
    from sa1b_captions.stages.status.status import ShardStatus


Version = Annotated[str, typer.Option(help="Name of a release of the store.")]
Place = Annotated[
    str,
    typer.Option(
        help="Folder, file:///… or s3://bucket/prefix with a release, such as a repository's "
        "download, in place of --version; no store is needed."
    ),
]


@command
def verify(
    version: Version = "",
    path: Place = "",
    shard: Annotated[
        str, typer.Option(help="Check the lines of this shard only, as in sa_000017.")
    ] = "",
    public_key: Annotated[
        Path | None,
        typer.Option(help="PEM file: check the manifest's signature by this key, too."),
    ] = None,
) -> None:
    """Hash a release's files again and compare them with its manifest.

    This shows that the files are those that the manifest names, and where they are damaged. Only a
    signature shows whose manifest it is, and none shows how the captions were made.
    """
    from sa1b_captions.release.signature import check_signature
    from sa1b_captions.release.verify import verify_folder, verify_release

    store, prefix = _open_release(version, path)
    if public_key is not None:
        check_signature(store, prefix, _read_key(public_key))
    wanted = parse_selection(shard)[0] if shard else None
    if version:
        differences = verify_release(store, version, wanted)
    else:
        differences = verify_folder(store, prefix, wanted)
    for difference in differences:
        log.error("%s", difference)
    name = version or path
    if differences:
        raise PermanentError(
            f"release {name} differs from its manifest, as said above; restore these files from a "
            "copy of the release, or export a new version"
        )
    print_result({"stage": "verify", "version": name, "differences": 0})


@command
def sign(
    key: Annotated[Path, typer.Option(help="PEM file with a private Ed25519 key, no password.")],
    version: Version = "",
    path: Place = "",
) -> None:
    """Sign a release's manifest: write manifest.json.sig beside it."""
    from sa1b_captions.release.signature import SIGNATURE, sign_release

    store, prefix = _open_release(version, path)
    sign_release(store, prefix, _read_key(key))
    print_result({"stage": "sign", "signature": store.locate(prefix + SIGNATURE)})


def _open_release(version: str, path: str) -> tuple[Store, str]:
    """A release's store, and the prefix of its folder there."""
    if bool(version) == bool(path):
        raise PermanentError("name a release of the store with --version, or a place with --path")
    if version:
        return open_store(load_settings()), layout.release_prefix(version)
    return open_place(path), ""


def _read_key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PermanentError(f"the key {path} cannot be read: {error.strerror}") from None


@command
def status(
    shards: Annotated[
        str | None, typer.Option(help="Shards to show; by default the recipe's.")
    ] = None,
    require_done: Annotated[
        bool,
        typer.Option(
            "--require-done/--no-require-done", help="Exit with 65 unless every shard is done."
        ),
    ] = False,
) -> None:
    """Show what is done per shard and track, and how many captions each will have, from receipts.

    Projections are of all the recipe's shards, whichever are shown.
    """
    from sa1b_captions.release.manifest import latest_version
    from sa1b_captions.stages.status.outlook import outlook
    from sa1b_captions.stages.status.status import project_tracks, read_status

    _, store, campaign = look_at_deployment()
    found = read_status(campaign)
    statuses = found.shards
    if shards is not None:
        wanted = set(parse_shards(campaign, shards))
        statuses = [item for item in statuses if item.shard in wanted]
    done = sum(item.done for item in statuses)
    if require_done and done < len(statuses):
        missing = format_selection(item.shard for item in statuses if not item.done)
        raise PermanentError(
            f"{done} of {counted(len(statuses), 'shard')} done by the present rules; run "
            f"caption_shards for {missing}"
            + next((f" ({item.stale[0]})" for item in statuses if item.stale), "")
        )
    started = [item for item in statuses if item.state != "waiting"]
    _print_table(started)
    for item in started:
        if item.stale:
            print(f"{item.shard}: {item.stale[0]}")
    if len(started) < len(statuses):
        left = len(statuses) - len(started)
        print(f"{counted(left, 'more shard')} not started")
    lock = read_lock(store, campaign.name)
    print_lock(campaign.recipe.model, lock)
    told = outlook(found, dt.datetime.now(dt.UTC))
    print(told.describe())
    projections = project_tracks(campaign, found)
    for projection in projections:
        print(projection.describe())
    print_result(
        {
            "stage": "status",
            "campaign": campaign.name,
            "shards": len(statuses),
            "ingested": sum(item.ingested for item in statuses),
            "done": done,
            "stale": sum(bool(item.stale) for item in statuses),
            "latest_release": latest_version(store),
            "model_lock": None if lock is None else lock.digest,
            "outlook": asdict(told),
            "projections": [asdict(one) for one in projections],
        }
    )


def _print_table(statuses: "Sequence[ShardStatus]") -> None:
    if not statuses:
        return
    print(f"{'shard':<11}{'ingested':<10}" + "".join(f"{t:<12}" for t in TRACKS) + "verdict")
    for item in statuses:
        verdict = item.verdict or ("outdated" if item.outdated else "-")
        steps = "".join(f"{step or '-':<12}" for step in item.tracks.values())
        print(f"{item.shard:<11}{'yes' if item.ingested else '-':<10}{steps}{verdict}")
