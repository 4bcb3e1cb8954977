"""The command that hands out what people said of captions in the console."""

from pathlib import Path
from typing import Annotated

import typer

from sa1b_captions.cli.common import command, look_at_deployment, print_result
from sa1b_captions.errors import PermanentError


@command
def marks(
    out: Annotated[Path, typer.Option(help="File to write, JSON lines.")],
    gold: Annotated[
        bool,
        typer.Option(
            "--gold", help="Only labels of the rules, as `make gold FILE=` reads them, with texts."
        ),
    ] = False,
) -> None:
    """Write people's marks of captions to a file, and say what they come to."""
    from sa1b_captions.mark_logs import line_of, read_marks
    from sa1b_captions.marks import Mark
    from sa1b_captions.quality.browse.catalogue import Catalogue
    from sa1b_captions.quality.browse.labels import gold_lines
    from sa1b_captions.stages.exporting.reviewed import read_reviews

    _, store, campaign = look_at_deployment()
    if gold:
        catalogue = Catalogue(campaign)
        catalogue.refresh()
        catalogue.require_counted()
        lines = list(gold_lines(campaign, catalogue))
    else:
        lines = [line_of(mark) for mark in read_marks(store, campaign.name, Mark)]
    try:
        out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise PermanentError(f"{out} cannot be written: {error.strerror}") from None
    found = read_reviews(campaign)
    for what, share in found.drawn:
        print(f"{what}: {share}")
    print_result({"stage": "marks", "file": str(out), "lines": len(lines), "people": found.people})
