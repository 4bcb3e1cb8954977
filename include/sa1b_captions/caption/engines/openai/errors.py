"""Whose fault a failed request is: the sample's, the replica's, or the deployment's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.engines.generation import CONTEXT_LENGTH_EXCEEDED, failed
from sa1b_captions.errors import PermanentError

if TYPE_CHECKING:
    import openai

NOT_A_COMPLETION = (ValueError, TypeError, AttributeError, IndexError)
"""What the client's result raises when the answer was no completion, say a proxy's error page."""
_BUSY = (429, 503)
_REFUSED = (401, 403)
_NOT_HERE = 404
"""A proxy says it while a replica restarts. Whether the model is gone, `GET /models` tells."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What to do about a request that failed."""

    problem: str
    reply: Reply | None = None
    """The sample's answer; None means: send it again."""
    blames_replica: bool = False
    busy: bool = False
    """The replica is well but takes no more work now."""
    pause_s: float = 0.0
    """How long it asked to be left alone."""


def failure_of(error: Exception, elapsed_s: float, timeout_s: float) -> Failure:
    """Judge an error of the `openai` client.

    Args:
        error: an OpenAIError, or one of NOT_A_COMPLETION.
        elapsed_s: how long the request took to fail.
        timeout_s: how long it could have taken.

    Raises:
        PermanentError: the endpoint refuses every request of this kind.
    """
    import openai

    if isinstance(error, openai.APITimeoutError) and elapsed_s > 0.9 * timeout_s:
        problem = f"no answer within {timeout_s:.0f} s"
        return Failure(problem, failed("timeout", problem), blames_replica=True)
    if isinstance(error, openai.APIStatusError):
        return _status_failure(error)
    if isinstance(error, openai.APIConnectionError):  # a time-out of the connection too
        return Failure(f"connection failed: {error.__cause__ or error}", blames_replica=True)
    return Failure(f"its answer is no completion: {error}", blames_replica=True)


def _status_failure(error: "openai.APIStatusError") -> Failure:
    status, message = error.status_code, _message(error.body) or error.message
    problem = f"HTTP {status}: {message}"
    if status in _REFUSED:
        raise PermanentError(
            f"{error.request.url} answers {problem}; check CAPTIONS_OPENAI_URLS and "
            "CAPTIONS_OPENAI_API_KEY"
        )
    if status in _BUSY:
        return Failure(problem, blames_replica=True, busy=True, pause_s=_retry_after(error))
    if status >= 500 or status == _NOT_HERE:
        return Failure(problem, blames_replica=True)
    if "context length" in message.lower() or error.code == CONTEXT_LENGTH_EXCEEDED:
        return Failure(problem, failed(CONTEXT_LENGTH_EXCEEDED, message))
    return Failure(problem, failed(f"http_{status}", message))


def _message(body: Any) -> str:
    """The message of an error body; lmdeploy's is flat, the client unwraps OpenAI's."""
    return str(body.get("message") or "") if isinstance(body, dict) else ""


def _retry_after(error: "openai.APIStatusError") -> float:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "0")))
    except ValueError:  # it may be a date
        return 0.0
