"""Programs of the local runtime, and what is left of them when their task ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowException

import sa1b_operators
from sa1b_operators.lines import progress_of, redact
from sa1b_operators.local import LocalStageOperator
from sa1b_operators.process import StageProcess


def python(code):
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://h/p", "https://h/p"),
        ("https://user:pw@h/p", "https://h/p"),
        ('{"u":"http://h/p?a=1&b=2"}', '{"u":"http://h/p?…"}'),
        ("why? because", "why? because"),
    ],
)
def test_redact_cuts_logins_and_queries(text, clean):
    assert redact(text) == clean


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(condition, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def pids_of(lines):
    """Process ids printed by STUBBORN."""
    wait_until(lambda: len(lines) > 1)
    return [int(word) for word in lines[1].split()]


def test_stop_leaves_no_process_even_of_a_stubborn_group():
    lines = []
    process = StageProcess(python(STUBBORN), lines.append)
    runner = threading.Thread(target=process.run)
    runner.start()
    pids = pids_of(lines)
    process.stop(grace_s=0.2)
    runner.join(10)
    wait_until(lambda: not any(map(alive, pids)))


def test_on_kill_lets_the_program_finish_what_is_in_flight(tmp_path):
    code = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
    ready = tmp_path / "ready"
    operator = LocalStageOperator(task_id="stage", command=python(code), arguments=[str(ready)])
    failures = []

    def run():
        try:
            operator.execute({})
        except AirflowException as error:
            failures.append(str(error))

    runner = threading.Thread(target=run)
    runner.start()
    wait_until(ready.exists)
    operator.on_kill()
    runner.join(10)
    assert failures
    assert "exit code 75" in failures[0]


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_program_dies_with_its_task_process():
    task = f"""
import sys
sys.path.insert(0, {str(Path(sa1b_operators.__file__).parents[1])!r})
from sa1b_operators.process import StageProcess
StageProcess([sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); "
    "time.sleep(60)"], lambda line: print(line, flush=True)).run()
"""
    worker = subprocess.Popen(python(task), stdout=subprocess.PIPE, text=True)
    worker.stdout.readline()
    program = int(worker.stdout.readline())
    assert alive(program)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    wait_until(lambda: not alive(program))


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([], ""),
        (["", " "], ""),
        (["Traceback"], "Traceback"),
        (["12:00:00 error: no index", ""], "no index"),
        (["12:00:00 loading", "12:00:01 loaded"], "loaded"),
        (["12:00:00 progress: 1/3", "12:00:05 progress: 2/3", "12:00:06 again"], "2/3"),
        (["12:00:00 progress: 1/3", "12:00:06 no progress: the store is slow"], "1/3"),
    ],
)
def test_the_newest_progress_is_shown_or_else_the_newest_line(lines, shown):
    assert progress_of(lines) == shown
