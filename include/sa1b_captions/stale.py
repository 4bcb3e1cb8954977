"""One output that does not fit what it is made from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stale:
    """One output that does not fit what it is made from."""

    what: str
    """Such as `captions of single_en/sa_000017`."""
    why: str
    """Such as `the archive was ingested again with other images`."""
    command: str
    """What makes it anew."""

    @property
    def is_captions(self) -> bool:
        """Whether it is captions, which cost a GPU's hours to make anew."""
        return self.what.startswith("captions of ")

    def __str__(self) -> str:
        """All of it in a sentence without its full stop."""
        return f"{self.what} are stale: {self.why}; run {self.command}"
