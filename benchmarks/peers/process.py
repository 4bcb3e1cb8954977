"""A tool's processes: started together, watched, killed without mercy."""

import contextlib
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil


class Tree:
    """A command with all processes that it starts, daemons included."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Start it; what it says is appended to the log."""
        self.began_s = time.monotonic()
        self.peak_bytes = 0
        self._seen: dict[int, psutil.Process] = {}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._root = psutil.Process(self._process.pid)

    def __enter__(self) -> "Tree":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def exit_code(self) -> int | None:
        """Of the command itself; None while it runs."""
        return self._process.poll()

    def watch(self) -> None:
        """Look who is there, and how much memory they take together: pages shared count once."""
        self._look()
        self.peak_bytes = max(self.peak_bytes, sum(map(_memory, self._seen.values())))

    def kill(self) -> None:
        """SIGKILL for all of them, until none is left."""
        self._look()
        while alive := [each for each in self._seen.values() if _runs(each)]:
            for process in alive:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self._process.poll()
            self._look()
            time.sleep(0.02)
        self._process.wait()

    def _look(self) -> None:
        """Children of whoever is known; who was adopted by init since is known already."""
        parents: dict[int, list[psutil.Process]] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                parents.setdefault(process.ppid(), []).append(process)
        known = [self._root, *self._seen.values()]
        while known:
            process = known.pop()
            self._seen.setdefault(process.pid, process)
            new = [each for each in parents.get(process.pid, []) if each.pid not in self._seen]
            known += new


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _memory(process: psutil.Process) -> int:
    """Proportional set size in bytes; 0 for one that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
