"""This process: its end where nothing else can end it, and what it costs."""

import logging
import os
import threading
import time
from typing import NoReturn

from sa1b_captions.errors import EXIT_RETRYABLE
from sa1b_captions.observing.log_lines import ERROR

_log = logging.getLogger(__name__)


def end_process(reason: str, advice: str = "ending the process, run it again") -> NoReturn:
    """Log both, then leave without any clean-up, with the exit code that means run it again.

    Threads that hang and exit handlers that wait for them cannot hold it up.
    """
    _log.critical("%s%s; %s", ERROR, reason, advice)
    logging.shutdown()
    os._exit(EXIT_RETRYABLE)


class _CpuMeter:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted_s = 0.0

    def lap_s(self) -> float:
        with self._lock:
            spent_s = time.process_time()
            lap_s, self._counted_s = spent_s - self._counted_s, spent_s
        return round(lap_s, 2)


_meter = _CpuMeter()


def cpu_lap_s() -> float:
    """CPU seconds of this process since this was last asked, or since its start.

    So what a process' receipts say adds up to what it took, its imports included.
    """
    return _meter.lap_s()
