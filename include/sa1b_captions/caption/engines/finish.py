"""What a finished generation means for its sample."""

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.records import CaptionStatus

CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
"""Also what lmdeploy calls it."""
REPLICAS_FAILED = "replicas_failed"
LASTING = frozenset({CONTEXT_LENGTH_EXCEEDED, REPLICAS_FAILED})
"""Errors that other sampling does not mend: the prompt stays too long, and a sample that several
replicas failed on must not take down more of them."""

_MAX_ERROR_CHARS = 500


def finished(
    text: str,
    finish_reason: str | None,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
) -> Reply:
    """Judge a generation by why it ended; only `stop` and `length` are ends of a caption.

    An engine that was stopped half-way hands over what it has, with another reason or with none.
    """
    if finish_reason not in ("stop", "length"):
        code = finish_reason or "no_finish_reason"
        return failed(code, f"the engine ended the request with {code}")
    caption = text.strip()
    if not caption:
        status = CaptionStatus.EMPTY
    elif finish_reason == "length":
        status = CaptionStatus.TRUNCATED
    else:
        status = CaptionStatus.OK
    return Reply(status, caption, finish_reason, prompt_tokens, completion_tokens)


def failed(code: str, message: str) -> Reply:
    """A request that brought no caption."""
    return Reply(CaptionStatus.ERROR, error_code=code, error=message[:_MAX_ERROR_CHARS])
