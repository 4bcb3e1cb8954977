"""What every engine is to the worker: samples in, captions out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sa1b_captions.recipe import Generation, Track
from sa1b_captions.records import CaptionStatus

if TYPE_CHECKING:
    from PIL.Image import Image


UNNAMED_REVISIONS = frozenset({"unknown", "unreported"})
"""What engines call the revision of a model that nobody named."""


@dataclass(frozen=True, slots=True)
class Request:
    """One sample, decoded and ready to caption."""

    sample_id: str
    images: "tuple[Image, ...]"
    """Decoded RGB images, in the order the prompt counts them; none if the engine needs none."""
    track: Track
    generation: Generation
    attempt: int
    """1 for the first try; later tries may change the sampling."""
    jpegs: tuple[bytes, ...]
    """The images as stored, for engines that send bytes."""
    top_tokens: int = 0
    """Most probable first tokens whose probabilities are wanted; engines may give none."""

    @property
    def image_set(self) -> str:
        """What it shows, as `sa_000017/190188`: equal in all tracks of the same images."""
        return self.sample_id.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Reply:
    """What an engine says of one request."""

    status: CaptionStatus
    caption: str = ""
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    error_code: str | None = None
    error: str | None = None
    cached_tokens: int | None = None
    """Of the prompt, those that the engine's prefix cache had; None where it does not say."""
    first_tokens: Mapping[str, float] | None = None
    """The most probable first tokens with the natural logarithms of their probabilities."""


class Engine(Protocol):
    """Turns requests into replies. Called from many threads at once."""

    name: str
    """What the `engine` column of a caption row says."""
    model: str
    """What the captions come from; a release needs it to equal the recipe's model id."""
    model_revision: str
    window: int
    """Requests the worker keeps in flight."""
    needs_pixels: bool
    """Whether requests carry decoded images; without, they are dropped once they have decoded."""

    def caption(self, request: Request) -> Reply:
        """Caption one sample; blocks until done.

        A failure of this one sample is a Reply with a status. Any other exception than those below
        is taken for this sample's too.

        Raises:
            RetryableError: the engine itself is gone and no further request can succeed.
            PermanentError: likewise, until a person changes something.
        """

    def close(self) -> None:
        """Release the model; idempotent."""


@runtime_checkable
class Waits(Protocol):
    """An engine whose `caption` may wait long for somebody else, such as a server."""

    def stop_waiting(self) -> None:
        """Let requests that only wait fail with a RetryableError; a signal handler may call it."""
