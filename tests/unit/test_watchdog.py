import subprocess
import sys
import threading
import time

from sa1b_captions.caption.engines.lmdeploy.watchdog import Watchdog
from sa1b_captions.errors import EXIT_RETRYABLE


def watch(probe, *, stall_s, run_s):
    """Reasons that a watchdog gave while it ran."""
    reasons = []
    watchdog = Watchdog(probe, reasons.append, every_s=0.01, stall_s=stall_s)
    watchdog.start()
    time.sleep(run_s)
    watchdog.stop()
    return reasons


def test_an_engine_that_stays_stuck_is_reported_once():
    reasons = watch(lambda: "scheduler_tick has not advanced", stall_s=0.05, run_s=0.2)
    assert len(reasons) == 1
    assert "scheduler_tick has not advanced" in reasons[0]


def test_a_probe_that_raises_counts_as_stuck():
    def probe():
        raise TimeoutError("no answer")

    assert "no answer" in watch(probe, stall_s=0.05, run_s=0.2)[0]


def test_an_engine_that_recovers_in_time_lives():
    answers = iter(["slow", "slow", None] * 1000)
    assert watch(lambda: next(answers), stall_s=0.15, run_s=0.4) == []


def test_a_stopped_watchdog_says_nothing_of_an_engine_that_is_closing():
    asked, answer = threading.Event(), threading.Event()

    def probe():
        asked.set()
        answer.wait(1)
        return "closed"

    reasons = []
    watchdog = Watchdog(probe, reasons.append, every_s=0.001, stall_s=0.0)
    watchdog.start()
    asked.wait(1)
    watchdog.stop()
    answer.set()
    time.sleep(0.05)
    assert reasons == []


def test_the_process_ends_as_retryable_although_its_threads_hang():
    """As in production: a thread that nothing can end, and an exit handler that waits for it."""
    program = """
import atexit, logging, threading, time
from sa1b_captions.caption.engines.lmdeploy.watchdog import Watchdog
from sa1b_captions.process import end_process
logging.basicConfig()
stuck = threading.Thread(target=time.sleep, args=(60,))
stuck.start()
atexit.register(stuck.join)
Watchdog(lambda: "stuck", end_process, every_s=0.01, stall_s=0.01).start()
stuck.join()
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False
    )
    assert result.returncode == EXIT_RETRYABLE
    assert "stuck; ending the process, run it again" in result.stderr
