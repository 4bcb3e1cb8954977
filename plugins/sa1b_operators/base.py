"""What every stage's task has wherever it runs: names, a report, progress, and exit codes.

A stage takes the arguments that follow `sa1b-captions` on a command line. Its exit code decides
what Airflow does: 65 (permanent) and 2 (wrong usage) fail at once, 99 (nothing to do) skips,
anything else retries.
"""

import contextlib
from collections.abc import Sequence
from typing import Any, Literal

from airflow.sdk import BaseOperator, BaseOperatorLink
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

from sa1b_captions.errors import EXIT_NOTHING_TO_DO, EXIT_PERMANENT, EXIT_USAGE
from sa1b_captions.observing import telemetry
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import format_selection, parse_selection
from sa1b_operators.events import console_path
from sa1b_operators.state_keys import NODE_KEY, PROGRESS_KEY

Report = Literal["shard", "run"]


class QualityReportLink(BaseOperatorLink):
    """The button that opens a task's quality report in the console."""

    name = "Quality report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Path of the report below the address Airflow is served at."""
        report = operator.report
        if report == "shard" and operator.shard_count > 1:
            report = "run"
        page = {
            "shard": f"shards/{operator.shard}",
            "run": f"runs/{ti_key.dag_id}/{ti_key.run_id}",
        }[report]
        return console_path(page)


LABEL_CHARS = 250
"""Of a task instance's name. PostgreSQL refuses the end of a task with a longer one, and SQLite
keeps it; 26 shards by their names are longer."""


class StageOperator(BaseOperator):
    """One stage; its subclasses say where it runs."""

    NAMED_BY_LABEL = "{{ task.label }}"
    template_fields: Sequence[str] = ("shard", "arguments")
    operator_extra_links = (QualityReportLink(),)

    def __init__(
        self,
        *,
        arguments: list[str],
        shard: str | None = None,
        report: Report | None = None,
        map_index_template: str | None = NAMED_BY_LABEL,
        **kwargs: Any,
    ) -> None:
        """Describe the stage.

        Args:
            arguments: stage and options, as after `sa1b-captions`; templated.
            shard: the shard worked on, or a selection of some as `--shards` takes it, for labels
                and the report link; templated.
            report: what *Quality report* opens; by default the shard's, or else the run's.
            map_index_template: name of a mapped task instance.
            kwargs: as for the next class in line.
        """
        super().__init__(map_index_template=map_index_template, **kwargs)
        self.arguments = arguments
        self.shard = shard
        self.report: Report = report or ("shard" if shard is not None else "run")

    @property
    def label(self) -> str:
        """What the stage works on: its shard, shards or tracks, or else its own name."""
        values = dict(zip(self.arguments, self.arguments[1:], strict=False))
        # No shards were chosen where the option is there and empty.
        found = str(self.shard or values.get("--shards", values.get("--tracks")) or "")
        if len(found) > LABEL_CHARS:
            found = format_selection(parse_selection(found))
        if len(found) > LABEL_CHARS:
            found = f"{found[: LABEL_CHARS - 1]}…"
        return found or self.arguments[0]

    @property
    def first_shard(self) -> str:
        """The shard worked on, or the first of them."""
        return parse_selection(self.shard or "")[0]

    @property
    def shard_count(self) -> int:
        """How many shards are worked on."""
        return len(parse_selection(self.shard or ""))


def show_progress(line: str, context: Any) -> None:
    """Keep a stage's last line where Airflow shows it beside the task."""
    _keep(PROGRESS_KEY, line, context)


def show_node(node: str, context: Any) -> None:
    """Keep the name of the node that a stage's pod runs on, in the same place."""
    _keep(NODE_KEY, node, context)


def _keep(key: str, value: str, context: Any) -> None:
    store = context.get("task_state_store")
    if store is not None:
        with contextlib.suppress(Exception):  # whatever it is, the stage goes on without it
            store.set(key, value)


def send(*metrics: telemetry.Sent) -> None:
    """Send metrics of a task, if CAPTIONS_STATSD asks for them."""
    if not telemetry.is_on():
        telemetry.send_to(load_settings().statsd)
    telemetry.send(*metrics)


def count_retry(stage: str, context: Any) -> None:
    """Count a try after a task's first."""
    ti = context.get("ti")
    if getattr(ti, "try_number", 1) > 1:
        send(telemetry.of(telemetry.TASK_RETRIES, stage=stage))


def raise_for(exit_code: int, message: str) -> None:
    """Do to the task what a stage's exit code asks for.

    Raises:
        AirflowFailException: no retry would help.
        AirflowSkipException: there was nothing to do.
        AirflowException: a retry may help.
    """
    if exit_code in (EXIT_PERMANENT, EXIT_USAGE):
        raise AirflowFailException(message)
    if exit_code == EXIT_NOTHING_TO_DO:
        raise AirflowSkipException(message)
    if exit_code != 0:
        raise AirflowException(f"{message} (exit code {exit_code})")
