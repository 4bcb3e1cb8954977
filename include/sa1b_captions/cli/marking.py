"""Commands for people's marks: of sentences, which correct an audit's judge, and of captions."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sa1b_captions.cli.common import (
    ALL_TRACKS,
    Tracks,
    command,
    look_at_deployment,
    parse_shards,
    parse_tracks,
    print_result,
    write_file,
)
from sa1b_captions.errors import PermanentError


@command
def draw_sentences(
    file: Annotated[Path, typer.Option(help="JSON lines to write, one a sentence.")],
    shards: Annotated[
        str | None, typer.Option(help="Audited shards; by default the recipe's.")
    ] = None,
    tracks: Tracks = ALL_TRACKS,
    count: Annotated[int, typer.Option(min=2, help="Sentences to draw.")] = 100,
    seed: Annotated[int, typer.Option(help="Another seed draws others.")] = 0,
) -> None:
    """Draw sentences of audited captions for a person to judge.

    Look at the photographs and write yes, no or cannot_tell after "supported" in each line.
    """
    from sa1b_captions.stages.auditing.sentence_marks import draw_sentences as draw

    _, _, campaign = look_at_deployment()
    names = parse_shards(campaign, shards) if shards else list(campaign.recipe.shards)
    rows = draw(campaign, names, parse_tracks(tracks), count, seed)
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    write_file(file, text, new=True)
    print_result({"stage": "draw-sentences", "file": str(file), "sentences": len(rows)})


@command
def add_marks(
    file: Annotated[Path, typer.Option(help="JSON lines of draw-sentences, filled in.")],
    who: Annotated[str, typer.Option(help="Login of the person who judged.")],
) -> None:
    """Store what a person judged of drawn sentences; it corrects the audit's judge."""
    from sa1b_captions.stages.auditing.sentence_marks import add_sentence_marks

    _, _, campaign = look_at_deployment()
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(f"{file} cannot be read: {error}") from None
    print_result({"stage": "add-marks", "marks": add_sentence_marks(campaign, lines, who)})


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
    write_file(out, "".join(f"{line}\n" for line in lines))
    found = read_reviews(campaign)
    for what, share in found.drawn:
        print(f"{what}: {share}")
    print_result({"stage": "marks", "file": str(out), "lines": len(lines), "people": found.people})
