"""What all commands share: the app, options, settings, exit codes and the result line."""

import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.errors import EXIT_PERMANENT, CaptioningError, NothingToDo, PermanentError
from sa1b_captions.log_lines import ERROR
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.settings import Settings, load_settings
from sa1b_captions.storage import Store, open_store

app = typer.Typer(
    help="Turn SA-1B into a bilingual caption dataset. Settings: see .env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
log = logging.getLogger("sa1b_captions")

Shards = Annotated[
    str, typer.Option(help="Shards: numbers, ranges or names, as in 0-9,17 or sa_000020.")
]
Tracks = Annotated[str, typer.Option(help=f"Tracks, separated by commas: {', '.join(TRACKS)}.")]
ALL_TRACKS = ",".join(TRACKS)
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
def exit_codes() -> Iterator[None]:
    """Turn expected errors into one line and an exit code."""
    try:
        yield
    except NothingToDo as nothing:
        log.info("%s", nothing)
        raise typer.Exit(nothing.exit_code) from None
    except CaptioningError as error:
        log.error("%s%s", ERROR, error)
        raise typer.Exit(error.exit_code) from None
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith(__package__.partition(".")[0]):
            raise
        advice = "a worker image captions; other stages need all that pyproject.toml asks for"
        log.error("%s%s: %s", ERROR, missing, advice)
        raise typer.Exit(EXIT_PERMANENT) from None


def print_result(result: dict[str, Any]) -> None:
    """Print the last line of standard output."""
    print(json.dumps(result, ensure_ascii=False, default=str), flush=True)


def open_deployment() -> tuple[Settings, Store, Campaign]:
    """Open the campaign with the deployment's recipe, refusing one that does not fit."""
    settings = load_settings()
    store = open_store(settings)
    return settings, store, open_campaign(store, settings.campaign, load_recipe(settings.recipe))


def parse_tracks(text: str) -> list[str]:
    """Track names of the `--tracks` option."""
    tracks = [track.strip() for track in text.split(",") if track.strip()]
    unknown = sorted(set(tracks) - set(TRACKS))
    if unknown or not tracks:
        raise PermanentError(
            f"no track {', '.join(unknown) or 'given'}; there are: {', '.join(TRACKS)}"
        )
    return tracks
