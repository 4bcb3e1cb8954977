"""One endpoint's answers as bytes: no more than fit a caption, no later than is waited for."""

import contextlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sa1b_captions.caption.engines.openai.completion import NotACompletionError, quote, read_models
from sa1b_captions.caption.engines.openai.errors import NOT_FOUND, REFUSED, explain
from sa1b_captions.errors import PermanentError, RetryableError

if TYPE_CHECKING:
    import openai

MAX_ANSWER_BYTES = 4 << 20
"""A caption has a few thousand; what is longer is no caption, and is not read to its end."""
CONNECT_S = 10.0
"""Longest time for a connection, and for a list of models."""


REFUSAL_S = 10.0
"""Longest time for what a server says of a refusal; its status has come by then."""


def open_client(url: str, api_key: str | None, timeout_s: float) -> "openai.OpenAI":
    """A client of one endpoint that sends each request once.

    Args:
        url: its base URL, ending in /v1.
        api_key: sent with every request, if there is one.
        timeout_s: longest time for the next byte of an answer.
    """
    from openai import DefaultHttpxClient, OpenAI, Timeout

    # Retries are the engine's: the client's own would go to the replica that just failed.
    return OpenAI(
        base_url=url,
        api_key=api_key or "none",
        max_retries=0,
        timeout=Timeout(timeout_s, connect=CONNECT_S),
        http_client=DefaultHttpxClient(event_hooks={"response": [_shorten_refusal]}),
    )


def _shorten_refusal(response: Any) -> None:
    """Keep the beginning of what is no answer, since the client reads it whole, however long."""
    if response.is_success:
        return
    kind, status = type(response), response.status_code
    deadline = time.monotonic() + REFUSAL_S
    read, size = [], 0
    with contextlib.closing(response.stream) as stream, contextlib.suppress(Exception):
        for part in kind(status, headers=response.headers, stream=stream).iter_bytes():
            read.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                break
    response.headers.pop("Content-Encoding", None)  # it is decoded
    response.stream = kind(status, content=b"".join(read)[:MAX_ANSWER_BYTES]).stream


def chat_answer(client: "openai.OpenAI", request: dict[str, Any], timeout_s: float) -> bytes:
    """The answer to a chat request.

    Args:
        request: arguments of `chat.completions.create`.
        timeout_s: longest time for all of it.

    Raises:
        NotACompletionError: it is too long.
        TimeoutError: it did not all come in time.
        Exception: the client's or the connection's errors.
    """
    deadline = time.monotonic() + timeout_s
    with client.chat.completions.with_streaming_response.create(**request) as response:
        return _read(response.iter_bytes(), deadline)


def served_models(client: "openai.OpenAI", url: str) -> list[str]:
    """Names of the models that an endpoint serves, at least one.

    Raises:
        RetryableError: it names none now.
        PermanentError: it refuses the key.
    """
    import openai

    deadline = time.monotonic() + CONNECT_S
    try:
        with client.models.with_streaming_response.list(timeout=CONNECT_S) as response:
            data = _read(response.iter_bytes(), deadline)
    except openai.APIStatusError as error:
        if error.status_code in REFUSED:
            raise PermanentError(
                f"{url} refuses the key, {explain(error)}; set CAPTIONS_OPENAI_API_KEY"
            ) from None
        if error.status_code == NOT_FOUND:
            raise RetryableError("no /models here; the URL should end in /v1") from None
        raise RetryableError(f"its list of models fails, {explain(error)}") from None
    except Exception as error:  # the client's, the connection's, or of an endless answer
        problem = f"{error.__cause__ or error}" or type(error).__name__
        raise RetryableError(f"its list of models did not come: {problem}") from None
    served = read_models(data)
    if served is None:
        raise RetryableError(f"its list of models is none, but: {quote(data)}")
    if not served:
        raise RetryableError("it lists no model yet")
    return served


def _read(parts: Iterable[bytes], deadline: float) -> bytes:
    """Read an answer, however it comes.

    Args:
        deadline: by `time.monotonic`. A connection's own time-out starts anew with each byte.
    """
    read, size = [], 0
    for part in parts:
        read.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            why = f"its answer is longer than {MAX_ANSWER_BYTES >> 20} MiB"
            raise NotACompletionError(why, read[0], of_sample=True)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
    return b"".join(read)
