"""What all commands share: the app, options, settings, exit codes and the result line."""

import contextlib
import errno
import functools
import io
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from sa1b_captions.campaign import Campaign, look_at_campaign, open_campaign
from sa1b_captions.errors import (
    EXIT_FAULT,
    EXIT_NOTHING_TO_DO,
    EXIT_PERMANENT,
    EXIT_RETRYABLE,
    CaptioningError,
    MissingKeyError,
    NothingToDo,
    PermanentError,
    RetryableError,
)
from sa1b_captions.observing import telemetry
from sa1b_captions.observing.log_format import JsonFormatter, TextFormatter
from sa1b_captions.observing.log_lines import ERROR
from sa1b_captions.process import end_process
from sa1b_captions.recipe import TRACKS, Model, load_recipe
from sa1b_captions.recipe.model_lock import ModelLock, parse_lock
from sa1b_captions.recipe.recipe_files import read_lock_file
from sa1b_captions.remedies import remedy
from sa1b_captions.settings import Settings, load_settings, read_setting
from sa1b_captions.shards import parse_selection
from sa1b_captions.storage import Store, open_store, open_store_url

app = typer.Typer(
    help="Turn SA-1B into a bilingual caption dataset. Settings: see .env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
log = logging.getLogger("sa1b_captions")
P = ParamSpec("P")

_ENDINGS = {
    EXIT_PERMANENT: "permanent",
    EXIT_RETRYABLE: "retryable",
    EXIT_NOTHING_TO_DO: "nothing",
}
"""What the metrics call exit codes; others are faults of this program."""

Shards = Annotated[
    str, typer.Option(help="Shards: numbers, ranges or names, as in 0-9,17 or sa_000020.")
]
Tracks = Annotated[str, typer.Option(help=f"Tracks, separated by commas: {', '.join(TRACKS)}.")]
STOPPED = (
    "stopped on request; safe: the captions that count and all that was finished; lost: what was "
    "being made"
)
GO_ON = "to go on, run the same command again or clear the task"
ALL_TRACKS = ",".join(TRACKS)
AllowPartial = Annotated[
    bool,
    typer.Option(
        "--allow-partial/--no-allow-partial",
        help="Make the release without shards that are not done or failed. Give it to dedup, "
        "validate --release and export.",
    ),
]
ReleaseTracks = Annotated[
    str, typer.Option(help=f"Tracks of the release, separated by commas: {', '.join(TRACKS)}.")
]
Force = Annotated[bool, typer.Option("--force/--no-force", help="Do it again although it is done.")]
RunId = Annotated[str | None, typer.Option(help="Run to name in receipts; Airflow fills it.")]


@app.callback()
def _set_up() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # what reads it expects that, under LC_ALL=C too
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    _write_lines(TextFormatter())
    for client in ("httpx", "httpx2"):  # they log URLs, and ours are signed
        logging.getLogger(client).setLevel(logging.WARNING)
    logging.getLogger("great_expectations").setLevel(logging.WARNING)


def _write_lines(formatter: logging.Formatter) -> None:
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setFormatter(formatter)


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Add a command to the app; whatever it raises ends in one line and an exit code."""
    run = ends_in_words(function)
    app.command()(run)
    return run


def ends_in_words(function: Callable[P, None]) -> Callable[P, None]:
    """Make a command of a function: whatever it raises ends in one line and an exit code."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        stage, began = function.__name__.replace("_", "-"), time.monotonic()
        try:
            with _last_words():
                if read_setting("log_format") == "json":
                    _write_lines(JsonFormatter(stage))
                telemetry.send_to(read_setting("statsd"))
                function(*args, **kwargs)
        except (typer.Exit, BrokenPipeError):  # a chosen end; a reader that has seen enough
            raise
        except Exception as error:
            exit_code = _explain(error)
            _send_end(stage, began, _ENDINGS.get(exit_code, "fault"))
            raise typer.Exit(exit_code) from None
        _send_end(stage, began, "done")

    return run


def _send_end(stage: str, began: float, ending: str) -> None:
    telemetry.send(
        telemetry.of(telemetry.STAGES, stage=stage, ending=ending),
        telemetry.of(telemetry.STAGE_TIME, time.monotonic() - began, stage=stage),
    )


@contextlib.contextmanager
def _last_words() -> Iterator[None]:
    """Say what is safe when SIGTERM ends a command that has no more to say of it."""
    before = signal.signal(signal.SIGTERM, lambda *_: end_process(STOPPED, GO_ON))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _explain(error: Exception) -> int:
    """Log why a command ends; returns its exit code."""
    if isinstance(error, NothingToDo):
        log.info("%s", error)
        return error.exit_code
    if isinstance(error, CaptioningError):
        advice = ""
        if isinstance(error, MissingKeyError):
            advice = f"; {remedy(error.key, 'restore it, or run its stage again')}"
        log.error("%s%s%s", ERROR, error, advice)
        return error.exit_code
    if isinstance(error, ModuleNotFoundError) and not _is_ours(error.name or ""):
        advice = "a worker image captions; other stages need all that pyproject.toml asks for"
        log.error("%s%s: %s", ERROR, error, advice)
        return EXIT_PERMANENT
    if lacking := _lack_of_host(error):
        log.error("%s%s", ERROR, lacking)
        return EXIT_RETRYABLE
    traceback.print_exception(error)
    log.error(
        "%s%s; this is a fault of sa1b-captions; please report it with the lines above. "
        "What is stored is whole, and the same command goes on from there",
        *(ERROR, " ".join("".join(traceback.format_exception_only(error)).split())),
    )
    return EXIT_FAULT


def _lack_of_host(error: Exception) -> str:
    """What this machine has too little of, if an error says so and nothing else; else empty."""
    if isinstance(error, MemoryError):
        lacking = "memory: raise its limit (ulimit -v, the container's)"
    elif isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        lacking = "memory or threads: raise their limits (ulimit -v and -u, the container's)"
    elif isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        lacking = "open files: raise their limit (ulimit -n)"
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        lacking = f"room on the disk of {error.filename or 'a temporary file'}: free space"
    else:
        return ""
    return (
        f"this machine has too little {lacking}, then run the command again; what is stored is "
        "whole and counts as before"
    )


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == __package__.partition(".")[0]


def print_result(result: dict[str, Any]) -> None:
    """Print the last line of standard output."""
    try:
        print(json.dumps(result, ensure_ascii=False, default=str), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try again at its end
        raise RetryableError(f"the result cannot be written to standard output: {error}") from None


def write_file(path: Path, text: str, *, new: bool = False) -> None:
    """Write a file. Raises PermanentError if it cannot be, or must be new and exists."""
    try:
        with path.open("x" if new else "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise PermanentError(f"{path} exists; name another file with --out") from None
    except OSError as error:
        raise PermanentError(f"{path} cannot be written: {error.strerror}") from None


def read_file(path: Path, what: str) -> bytes:
    """The bytes of a file. Raises PermanentError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PermanentError(f"{what} {path} cannot be read: {error.strerror}") from None


def open_deployment() -> tuple[Settings, Store, Campaign]:
    """Open the campaign with the deployment's recipe, refusing one that does not fit."""
    settings = load_settings()
    store = open_store(settings)
    return settings, store, begin_campaign(store, settings)


def begin_campaign(store: Store, settings: Settings) -> Campaign:
    """Open the campaign with the deployment's recipe, and with the lock that lies beside it."""
    lock = lock_beside_recipe(settings.recipe)
    return open_campaign(store, settings.campaign, load_recipe(settings.recipe), lock)


def lock_beside_recipe(name_or_path: str) -> ModelLock | None:
    """The lock of a recipe's model, a file beside the recipe, if there is one."""
    found = read_lock_file(name_or_path)
    return parse_lock(found[1], str(found[0])) if found else None


def print_lock(model: Model, lock: ModelLock | None) -> None:
    """Print whether a campaign's model is locked."""
    held = "not locked" if lock is None else f"locked to revision {lock.revision}"
    print(f"model {model.id}: {held}")


def open_place(path: str) -> Store:
    """Open a folder, file:///… or s3://bucket/prefix, which need not be the deployment's store."""
    url = path if "://" in path else Path(path).resolve().as_uri()
    return open_store_url(url, load_settings(needs_store=False).s3_endpoint_url)


def look_at_deployment() -> tuple[Settings, Store, Campaign]:
    """Open a campaign that has started, with the deployment's recipe, and write nothing."""
    settings = load_settings()
    store = open_store(settings)
    recipe = load_recipe(settings.recipe)
    return settings, store, look_at_campaign(store, settings.campaign, recipe)


def parse_shards(campaign: Campaign, text: str) -> list[str]:
    """Shards of the `--shards` option.

    Raises PermanentError: it selects none, or one that is not the recipe's.
    """
    shards = parse_selection(text)
    campaign.recipe.require_shards(shards)
    return shards


def parse_tracks(text: str) -> list[str]:
    """Track names of the `--tracks` option.

    Raises PermanentError: a name is no track, or there is none.
    """
    tracks = [track.strip() for track in text.split(",") if track.strip()]
    unknown = sorted(set(tracks) - set(TRACKS))
    if unknown or not tracks:
        raise PermanentError(
            f"no track {', '.join(unknown) or 'given'}; there are: {', '.join(TRACKS)}"
        )
    return tracks
