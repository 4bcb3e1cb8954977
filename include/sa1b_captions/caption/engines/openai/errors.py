"""Whose fault a failed request is: the sample's, the replica's, or the deployment's."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.engines.generation import CONTEXT_LENGTH_EXCEEDED, failed
from sa1b_captions.caption.engines.openai.completion import (
    NotACompletionError,
    quote,
    sentence,
)

if TYPE_CHECKING:
    import openai

_BUSY = (429, 503)
REFUSED = (401, 403)
"""The key is wrong, or the sample's content is not liked. `GET /models` tells which."""
NOT_FOUND = 404
"""A proxy says it while a replica restarts. Whether the model is gone, `GET /models` tells."""

_TOO_LONG = re.compile(
    r"context[ _](length|size|window)|maximum (model|allowed|context) length|max_model_len"
    r"|exceed_context|tokens.? \+ .?max_new_tokens",
    re.IGNORECASE,
)
"""How lmdeploy, vLLM, SGLang, llama.cpp and TGI say that a prompt is too long."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What to do about a request that failed."""

    problem: str
    reply: Reply | None = None
    """The sample's answer; None means: send it again."""
    blames_replica: bool = False
    asks_for_models: bool = False
    """Whether the key is refused must be seen at `GET /models`."""
    busy: bool = False
    """The replica is well but takes no more work now."""
    pause_s: float = 0.0
    """How long it asked to be left alone."""


def failure_of(error: Exception, elapsed_s: float, timeout_s: float) -> Failure:
    """Judge what came of a request instead of a completion.

    Args:
        error: whatever the client, the connection or the reading of the answer raised.
        elapsed_s: how long the request took to fail.
        timeout_s: how long it could have taken.
    """
    import openai

    if isinstance(error, NotACompletionError):
        problem = str(error)
        if error.of_sample:
            return Failure(problem, failed("not_a_completion", problem))
        return Failure(problem, blames_replica=True)
    if isinstance(error, openai.APIStatusError):
        return _status_failure(error)
    if elapsed_s > 0.9 * timeout_s:
        problem = f"no answer within {timeout_s:.0f} s"
        return Failure(problem, failed("timeout", problem), blames_replica=True)
    return Failure(f"connection failed: {error.__cause__ or error}", blames_replica=True)


def explain(error: "openai.APIStatusError") -> str:
    """A refusal in the server's own words, with its status."""
    return f"HTTP {error.status_code}: {_message(error)}"


def _status_failure(error: "openai.APIStatusError") -> Failure:
    status, message, problem = error.status_code, _message(error), explain(error)
    if status in _BUSY:
        return Failure(problem, blames_replica=True, busy=True, pause_s=_retry_after(error))
    if status >= 500 or status == NOT_FOUND:
        return Failure(problem, blames_replica=True)
    if _TOO_LONG.search(message) or error.code == CONTEXT_LENGTH_EXCEEDED:
        return Failure(problem, failed(CONTEXT_LENGTH_EXCEEDED, message))
    return Failure(problem, failed(f"http_{status}", message), asks_for_models=status in REFUSED)


def _message(error: "openai.APIStatusError") -> str:
    """What the body says; the client has unwrapped OpenAI's `error` already."""
    try:
        data = error.response.content
    except Exception:  # the body could not be read to its end
        data = b""
    return sentence(error.body) or (quote(data) if data else "no reason given")


def _retry_after(error: "openai.APIStatusError") -> float:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "0")))
    except ValueError:  # it may be a date
        return 0.0
