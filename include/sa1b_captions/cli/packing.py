"""The command that makes shards of images that are not SA-1B's."""

from pathlib import Path
from typing import Annotated

import typer

from sa1b_captions.cli.common import Force, RunId, command, log, print_result
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import format_selection
from sa1b_captions.storage import open_store


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
