"""Commands that look at what is stored, and compare it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sa1b_captions import layout
from sa1b_captions.campaign import read_lock
from sa1b_captions.cli.common import (
    ALL_TRACKS,
    command,
    log,
    look_at_deployment,
    open_place,
    parse_shards,
    parse_tracks,
    print_lock,
    print_result,
    read_file,
)
from sa1b_captions.errors import PermanentError
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import TRACKS
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import format_selection, parse_selection
from sa1b_captions.storage import Store, open_store

if TYPE_CHECKING:
    from sa1b_captions.stages.diff import Named
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
        check_signature(store, prefix, read_file(public_key, "the key"))
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
    sign_release(store, prefix, read_file(key, "the key"))
    print_result({"stage": "sign", "signature": store.locate(prefix + SIGNATURE)})


def _open_release(version: str, path: str) -> tuple[Store, str]:
    """A release's store, and the prefix of its folder there."""
    if bool(version) == bool(path):
        raise PermanentError("name a release of the store with --version, or a place with --path")
    if version:
        return open_store(load_settings()), layout.release_prefix(version)
    return open_place(path), ""


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


_SIDE = (
    "A release of the store (v1), campaign:NAME of the store, or a place with a release: a folder, "
    "file:///… or s3://bucket/prefix."
)
_KINDS = ("unchanged", "changed", "removed", "added")


@command
def diff(
    before: Annotated[str, typer.Argument(help=_SIDE)],
    after: Annotated[str, typer.Argument(help="The same, of what came later.")],
    tracks: Annotated[str, typer.Option(help="Tracks to compare, separated by commas.")] = (
        ALL_TRACKS
    ),
    seed: Annotated[int, typer.Option(help="Draws the twenty examples of each kind.")] = 0,
) -> None:
    """Compare two releases or campaigns: rows, reasons, lengths, settings, and examples.

    A table goes to standard output, then all numbers as JSON. With CAPTIONS_ROOT set, the same
    JSON and a page with photographs are stored under diffs/.
    """
    from sa1b_captions.stages.diff import compare

    settings = load_settings(needs_store=False)
    store = open_store(settings) if settings.has_store else None
    facts = compare(
        _open(before, store), _open(after, store), store, tracks=parse_tracks(tracks), seed=seed
    )
    _print_tables(facts)
    print_result(facts)


def _open(text: str, store: Store | None) -> "Named":
    """The side that a text names."""
    from sa1b_captions.stages.diff import CAMPAIGN, campaign_of, release_at, release_of

    if "/" in text or text in (".", ".."):
        return release_at(open_place(text))
    if store is None:
        raise PermanentError(
            f"{text} lies in a store: set CAPTIONS_ROOT; or name a place, as in ./{text}"
        )
    if text.startswith(CAMPAIGN):
        return campaign_of(store, text.removeprefix(CAMPAIGN))
    return release_of(store, text)


def _print_tables(facts: dict[str, Any]) -> None:
    """Rows, reasons and lengths by track."""
    print(f"{'track':<11}{'before':>12}{'after':>12}" + "".join(f"{kind:>12}" for kind in _KINDS))
    for track, found in facts["tracks"].items():
        numbers = [found["before"]["rows"], found["after"]["rows"]]
        numbers += [found[kind] for kind in _KINDS]
        print(f"{track:<11}" + "".join(f"{number:>12,}" for number in numbers))
    for track, found in facts["tracks"].items():
        for kind in ("removed", "added"):
            for reason, count in found[f"{kind}_by_reason"].items():
                same = f", {count['same_caption']:,} with the same caption"
                print(f"{track}: {counted(count['rows'], 'row')} {kind} ({reason}{same})")
        was, is_ = found["before"]["characters"], found["after"]["characters"]
        if was and is_:
            print(
                f"{track}: {was['mean']:.1f} characters on average before, {is_['mean']:.1f} after"
            )
        if (marks := found["marks"]) and (rate := marks["win_rate"]):
            print(
                f"{track}: the later caption is preferred in {rate['share']:.1%} of "
                f"{counted(rate['marks'], 'choice')} ({rate['low']:.1%} to {rate['high']:.1%})"
            )
    for name, (was, is_) in facts["settings"].items():
        print(f"{name}: {_shown(was)} before, {_shown(is_)} after")


def _shown(value: object) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
