"""One run of one tool against a server of its own, watched from outside."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import images
from benchmarks.peers.accounts import Row
from benchmarks.peers.process import Tree
from benchmarks.peers.server import Asked, CaptionServer, Mood
from benchmarks.peers.tools import Tool

LOOK_S = 0.2


@dataclass
class Trial:
    """A folder of images, a server for it, and what came of it."""

    tool: Tool
    home: Path
    places: int
    moods: Mapping[str, Mood] = field(default_factory=dict)

    exit_code: int | None = None
    """Of the last run; None if it was killed."""
    whole_s: float = 0.0
    """Of the last run."""
    first_caption_s: float | None = None
    """From the start of the process until its output held a caption."""
    peak_bytes: int = 0
    asked: Sequence[Asked] = ()
    occupancy: float = 0.0

    def __post_init__(self) -> None:
        self.out.mkdir()
        self.scratch.mkdir()
        names = images.names_by_digest(self.images)
        self._server = CaptionServer(names, self.places, self.moods)

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    @property
    def images(self) -> Path:
        """The folder of images, which is there before the trial."""
        return self.home / "images"

    @property
    def out(self) -> Path:
        """What the tool writes."""
        return self.home / "out"

    @property
    def scratch(self) -> Path:
        """For its temporary files; a short path, for sockets lie in it."""
        return self.home / "tmp"

    @property
    def replied(self) -> int:
        """Images whose caption was ready at least once."""
        return self._server.replied

    def run(self, limit_s: float, *, until: Callable[[], bool] = lambda: False) -> float:
        """Run the tool until it ends, or kill it at the limit or when `until` says so.

        Returns:
            When it ended, by the clock of `asked`.
        """
        environment = {
            "IMAGES": str(self.images),
            "OUT": str(self.out),
            "URL": self.tool.url(self._server.url),
            "PLACES": str(self.places),
            "PATH": f"{self.tool.environment}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "RAY_TMPDIR": str(self.scratch),  # its default is shared by all of a machine's users
        }
        with Tree(self.tool.command, environment, self.home / "log.txt") as tree:
            self.exit_code = None
            while (code := tree.exit_code) is None and not until():
                tree.watch()
                now = time.monotonic() - tree.began_s
                if self.first_caption_s is None and self._has_caption():
                    self.first_caption_s = now
                if now > limit_s:
                    break
                time.sleep(LOOK_S)
            self.exit_code = code
            ended_s = time.monotonic()
            self.whole_s = ended_s - tree.began_s
            self.peak_bytes = max(self.peak_bytes, tree.peak_bytes)
        self.asked = list(self._server.asked)
        self.occupancy = self._server.engine.occupancy if self.replied else 0.0
        return ended_s

    def rows(self) -> list[Row]:
        """Rows of the output, as far as it can be read."""
        found: list[Row] = []
        with contextlib.suppress(OSError, ValueError):
            for row in self.tool.rows(self.out):
                found.append(row)  # what was read before a damaged file counts
        return found

    def _has_caption(self) -> bool:
        # Most tools ask before they write, so nothing is read until the server has replied.
        return self.replied > 0 and any(row.caption for row in self.rows())
