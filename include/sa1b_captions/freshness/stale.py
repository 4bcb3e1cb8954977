"""One output that does not fit what it is made from."""

import enum
from dataclasses import dataclass


class Output(enum.StrEnum):
    """What can be stale, in words that a message begins with."""

    CAPTIONS = "captions of"
    CURATED = "curated captions of"
    ANSWERS = "answers of the audit of"
    VALIDATION = "results of the validation of"
    DEDUP = "results of the dedup of"


@dataclass(frozen=True, slots=True)
class Stale:
    """One output that does not fit what it is made from."""

    output: Output
    of: str
    """Its track and shard, such as `single_en/sa_000017`, its track or shard, or `the release`."""
    why: str
    """Such as `the archive was ingested again with other images`."""
    command: str
    """What makes it anew."""

    @property
    def what(self) -> str:
        """Such as `captions of single_en/sa_000017`."""
        return f"{self.output} {self.of}"

    @property
    def is_captions(self) -> bool:
        """Whether it is captions, which cost a GPU's hours to make anew."""
        return self.output is Output.CAPTIONS

    def __str__(self) -> str:
        """All of it in a sentence without its full stop."""
        return f"{self.what} are stale: {self.why}; run {self.command}"
