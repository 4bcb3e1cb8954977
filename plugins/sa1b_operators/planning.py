"""What a run of `caption_shards` is asked to do: understood and told, or refused in a sentence."""

import datetime as dt
import importlib.util
import logging
import shutil
from pathlib import Path
from typing import Any, NoReturn

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sa1b_captions.errors import CaptioningError
from sa1b_captions.observing import telemetry
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import Recipe
from sa1b_captions.settings import Settings
from sa1b_captions.shards import format_selection, parse_selection, shards_of_date
from sa1b_operators.base import send

log = logging.getLogger(__name__)

NOTE = "note"
"""XCom in which a task says in a sentence what its run comes to; the plugin makes it the run's
note, which is above the grid and needs no log to be opened."""


def choose_shards(
    ti: Any, date: dt.datetime | None, params: dict[str, Any], recipe: Recipe, settings: Settings
) -> list[str]:
    """Shards of a run: those the form names, else those of the logical date.

    Args:
        ti: the task instance, which gets the note; None in a test.
        date: the run's logical date.
        params: what the form says.
        recipe: whose shards there are.
        settings: of the deployment.

    Raises:
        AirflowFailException: what is asked for cannot be done; nothing has been touched yet.
        AirflowSkipException: the date has no shards.
    """
    try:
        if params.get("restore") and params.get("force"):
            raise CaptioningError(
                "Do it again and Go back exclude each other; choose one of them in the form"
            )
        if (engine := params.get("engine")) and not params.get("restore"):
            _require_engine(engine, settings)
        selection = (params.get("shards") or "").strip()
        shards = (
            _named(selection, recipe) if selection else _of_date(date, recipe=recipe, of=settings)
        )
    except CaptioningError as error:
        refuse(ti, str(error))
    if not shards:
        reason = (
            f"nothing to do: {recipe.name} has no shards on {date and date.date()}; it takes "
            f"{counted(len(recipe.shards), 'shard')} at {settings.shards_per_run} a day from "
            f"{settings.start_date}"
        )
        note(ti, reason)
        log.warning("%s", reason)
        raise AirflowSkipException(reason)
    count = counted(len(shards), "shard")
    note(ti, f"{count}: {format_selection(shards)}")
    log.info("%s: %s", count, ", ".join(shards))
    send(telemetry.of(telemetry.PLANNED, len(shards)))
    return shards


def refuse(ti: Any, reason: str) -> NoReturn:
    """Fail at once, with a reason that the log and the run's note end with."""
    note(ti, f"refused: {reason}")
    raise AirflowFailException(reason) from None


def skip_behind(ti: Any, task_id: str) -> NoReturn:
    """Skip, and so what follows, in the words of a task that refused or had nothing to do.

    The first task behind that one calls it, with the trigger rule ALL_DONE: else all tasks behind
    it would show as failed with it. The run fails by a last task that also stands behind it.
    """
    said = ti.xcom_pull(task_ids=task_id, key=NOTE)
    reason = f"`{task_id}` says: {said}" if said else f"`{task_id}` failed; see its log"
    raise AirflowSkipException(f"skipped, for {reason}")


def note(ti: Any, sentence: str) -> None:
    """Say what the run comes to."""
    if ti is not None:
        ti.xcom_push(key=NOTE, value=sentence)


def _named(selection: str, recipe: Recipe) -> list[str]:
    shards = parse_selection(selection)
    recipe.require_shards(shards)
    return shards


def _of_date(date: dt.datetime | None, *, recipe: Recipe, of: Settings) -> list[str]:
    if date is None:
        raise CaptioningError(
            "this run has no logical date; name the shards in the form, or give a date"
        )
    return shards_of_date(
        date.date(),
        start_date=of.start_date,
        shards=recipe.shards,
        shards_per_run=of.shards_per_run,
    )


def _require_engine(engine: str, settings: Settings) -> None:
    """Refuse an engine that cannot start, before hours of downloading."""
    if engine == "openai" and not settings.openai_urls:
        raise CaptioningError("engine openai has no server; set CAPTIONS_OPENAI_URLS")
    if engine != "lmdeploy" or settings.runtime != "local":
        return  # a pod's image, model and GPU are seen by the pod alone
    other = "choose another engine, or set CAPTIONS_RUNTIME=pod"
    if not settings.model_path:
        raise CaptioningError(f"engine lmdeploy has no model; set CAPTIONS_MODEL_PATH, or {other}")
    if not Path(settings.model_path).is_dir():
        raise CaptioningError(
            f"engine lmdeploy has no model: CAPTIONS_MODEL_PATH={settings.model_path} is no folder "
            f"here; {other}"
        )
    if not _has_gpu():
        raise CaptioningError(f"engine lmdeploy needs a GPU, and this machine has none; {other}")
    if importlib.util.find_spec("lmdeploy") is None:
        raise CaptioningError(f"engine lmdeploy is not installed beside Airflow; {other}")


def _has_gpu() -> bool:
    return shutil.which("nvidia-smi") is not None or any(Path("/dev").glob("nvidia[0-9]*"))
