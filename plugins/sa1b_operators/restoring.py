"""Going back to the captions that counted before, as the form of `caption_shards` asks for it."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from airflow.sdk.exceptions import AirflowException

from sa1b_captions.errors import EXIT_PERMANENT, EXIT_USAGE
from sa1b_captions.plurals import counted
from sa1b_captions.shards import format_selection
from sa1b_operators.local import COMMAND, log_line
from sa1b_operators.planning import note, refuse
from sa1b_operators.process import StageProcess

log = logging.getLogger(__name__)


def restore_captions(
    ti: Any, shards: Sequence[str], params: dict[str, Any], run_id: str | None
) -> None:
    """Let the earlier captions of some shards count, once a run, and note what that came to.

    A process beside Airflow does it, whatever the runtime: it needs no GPU.

    Raises:
        AirflowFailException: what is asked for cannot be done; nothing has been changed.
        AirflowException: a retry may help; it goes on where this ended.
    """
    arguments = ["--shards", format_selection(shards), "--tracks", ",".join(params["tracks"])]
    named = [] if run_id is None else ["--run-id", run_id]
    command = [*COMMAND, "caption", "--restore", *arguments, *named]
    ending = StageProcess(command, lambda line: log_line(log, line)).run()
    if ending.exit_code in (EXIT_PERMANENT, EXIT_USAGE):
        refuse(ti, ending.last_error)
    if ending.exit_code != 0:
        raise AirflowException(
            f"{ending.last_error} (exit code {ending.exit_code}); clear this task to go on, for "
            "another run would go back one step further"
        )
    restored = json.loads(ending.last_output)["restored"]
    steps = counted(sum(len(tracks) for tracks in restored.values()), "track")
    of = f" of {len(restored)} of them" if len(restored) < len(shards) else ""
    note(ti, f"{counted(len(shards), 'shard')}: went back to the captions before in {steps}{of}")
