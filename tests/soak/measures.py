"""What is measured of a process after each round."""

import gc
from pathlib import Path

import psutil

MEASURES = {
    "memory_kib": 100.0,
    "handles": 0.05,
    "threads": 0.05,
    "children": 0.05,
    "temporary_files": 0.05,
    "rows": 0.5,
    "unchanging_rows": 0.05,
}
"""The slope that each may have at most, per round. Allocators never give everything back, so memory
gets a little; of the others one in twenty rounds would be a leak."""

ALLOWANCES = {
    "memory_kib": 24 * 1024.0,
    "handles": 3.0,
    "threads": 3.0,
    "children": 2.0,
    "temporary_files": 3.0,
    "rows": 5.0,
    "unchanging_rows": 1.0,
}
"""What each may grow by over all rounds, whatever the slope: caches fill, pools open."""


class SoakError(Exception):
    """The soak cannot say anything; the message says why."""


Sample = dict[str, float]
"""Measure to its value after a round."""


def of_process(process: psutil.Process, temporary: Path) -> Sample:
    """What a process and those it started hold at this moment."""
    with process.oneshot():
        return {
            "memory_kib": process.memory_full_info().uss / 1024,
            "handles": process.num_fds(),
            "threads": process.num_threads(),
            "children": len(process.children(recursive=True)),
            "temporary_files": count_files(temporary),
        }


def of_this_process(temporary: Path) -> Sample:
    """The same of this one, after what nobody holds is collected."""
    gc.collect()
    return of_process(psutil.Process(), temporary)


def count_files(folder: Path) -> int:
    """Files and folders below a folder."""
    return sum(1 for _ in folder.rglob("*"))
