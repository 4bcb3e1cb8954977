"""A stage as a process beside Airflow: its lines go to the task log, its exit code is the answer.

The process leads its own group, so stopping it stops what it started, and the kernel kills it when
the task process dies: a lost Airflow worker leaves no captioning behind.
"""

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sa1b_operators.lines import message_of, redact, without_time

REPORT_INTERVAL_S = 5.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Ending:
    """How a stage process ended."""

    exit_code: int
    """Negative: minus the number of the signal that killed it."""
    last_output: str
    """Last non-empty line of standard output."""
    last_error: str
    """Last non-empty line of standard error, without the logger's prefix."""


class StageProcess:
    """One run of a command.

    `log` gets each of its lines; `report`, every few seconds and from the thread that runs it, the
    last line of standard error; `text` is its standard input.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Callable[[str], object],
        text: str | None = None,
        report: Callable[[str], object] = lambda line: None,
    ) -> None:
        self._command = list(command)
        self._log = log
        self._text = text
        self._report = report
        self._process: subprocess.Popen[str] | None = None

    def run(self) -> Ending:
        """Run to the end, logging every line of both streams as it comes."""
        self._log("running " + redact(shlex.join(self._command)))
        # Our own command and no shell.
        self._process = process = subprocess.Popen(  # noqa: S603
            self._command,
            stdin=subprocess.DEVNULL if self._text is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        last = {"output": "", "error": ""}
        # Both streams are read in threads: the main one must stay free for Airflow's SIGTERM.
        readers = [
            threading.Thread(target=self._follow, args=(stream, name, last), daemon=True)
            for name, stream in (("output", process.stdout), ("error", process.stderr))
        ]
        try:
            for reader in readers:
                reader.start()
            self._feed(process)
            self._follow_progress(readers, last)
            process.wait()
        finally:
            self.stop(grace_s=0)
        return Ending(process.returncode, last["output"], message_of(last["error"]))

    def _follow_progress(self, readers: list[threading.Thread], last: dict[str, str]) -> None:
        reported = ""
        while any(reader.is_alive() for reader in readers):
            for reader in readers:
                reader.join(REPORT_INTERVAL_S)
            if last["error"] != reported:
                reported = last["error"]
                self._report(message_of(reported))

    def _feed(self, process: "subprocess.Popen[str]") -> None:
        if process.stdin is not None:
            # A stage that ends without reading says why in its own words.
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(self._text or "")

    def _follow(self, stream: Iterable[str], name: str, last: dict[str, str]) -> None:
        for line in stream:
            if text := redact(line.rstrip()):
                self._log(without_time(text))  # Airflow's log has its own
                last[name] = text

    def stop(self, grace_s: float = 20.0) -> None:
        """Ask the process group to end, and after `grace_s` seconds kill what is left of it."""
        process = self._process
        if process is None:
            return
        if process.poll() is None and grace_s > 0:
            self._log(f"stopping the stage: SIGTERM, and SIGKILL after {grace_s:g} s")
            _signal_group(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace_s)
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: "subprocess.Popen[Any]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
