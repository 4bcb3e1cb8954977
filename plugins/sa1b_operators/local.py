"""A stage as a process beside Airflow."""

import json
import logging
import signal
import sys
from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sa1b_captions.observing.log_lines import ERROR
from sa1b_captions.settings import load_settings
from sa1b_operators.base import StageOperator, count_retry, raise_for, show_progress
from sa1b_operators.lines import told
from sa1b_operators.process import Ending, StageProcess

COMMAND = (sys.executable, "-m", "sa1b_captions")
_CONNECTION = "connection:"


def log_line(log: Any, line: str) -> None:
    """Log a line of a stage; what it ends with in anger is an error here, too."""
    level = logging.ERROR if told(line).startswith(ERROR) else logging.INFO
    log.log(level, "%s", line.removeprefix(ERROR))


class LocalStageOperator(StageOperator):
    """Runs a stage as a process; its task returns the stage's JSON result."""

    def __init__(self, *, command: Sequence[str] = COMMAND, **kwargs: Any) -> None:
        """Describe the stage.

        Args:
            command: what is put before the arguments.
            kwargs: as for StageOperator.
        """
        super().__init__(**kwargs)
        self.command = command
        self._process: StageProcess | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        """Run the stage."""
        count_retry(self.arguments[0], context)
        secret = self._links_text()
        arguments = [*self.arguments, *([] if secret is None else ["--links", "-"])]
        self._process = StageProcess(
            [*self.command, *arguments],
            self._log_line,
            secret,
            lambda line: show_progress(line, context),
        )
        return self._result(self._process.run())

    def _log_line(self, line: str) -> None:
        log_line(self.log, line)

    def on_kill(self) -> None:
        """Stop the process."""
        if self._process is not None:
            self._process.stop()

    def _links_text(self) -> str | None:
        """Text of the links file when an Airflow connection holds it; a pipe takes it to ingest."""
        links = load_settings().links if self.arguments[0] == "ingest" else None
        if links is None or not links.startswith(_CONNECTION):
            return None
        found = BaseHook.get_connection(links.removeprefix(_CONNECTION))
        if not found.password:
            raise AirflowFailException(f"{links} has no password; put the links file's text there")
        return str(found.password)

    def _result(self, ending: Ending) -> dict[str, Any]:
        stage = f"sa1b-captions {self.arguments[0]}"
        if ending.exit_code < 0:
            name = signal.Signals(-ending.exit_code).name
            raise AirflowException(f"{stage} was killed by {name}; last line: {ending.last_error}")
        raise_for(ending.exit_code, ending.last_error or f"{stage} said nothing")
        try:
            result = json.loads(ending.last_output)
        except ValueError:
            result = None
        if not isinstance(result, dict):
            raise AirflowFailException(
                f"{stage} ended well but its last line is no JSON object: {ending.last_output!r}"
            )
        return result
