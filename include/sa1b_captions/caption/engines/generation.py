"""What a recipe's generation settings mean for a request, and what its end means for the sample.

Three things on which every engine with a model agrees: how tokens are picked on the n-th try, in
which order images and text stand in the prompt, and when a finished generation is a caption.

A greedy model that loops, or stops at once, does so again on the same prompt. So later tries still
take the most probable token, but make those already said less probable; a recipe that samples gets
another seed instead.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.recipe import Generation, Sampling
from sa1b_captions.records import CaptionStatus

RETRY_PENALTIES = (1.02, 1.05)
"""Repetition penalty of the second try, and of all later ones."""
CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
"""Error of a prompt that is too long; lmdeploy calls it so too."""
REPLICAS_FAILED = "replicas_failed"
LASTING = frozenset({CONTEXT_LENGTH_EXCEEDED, REPLICAS_FAILED})
"""Errors that other sampling does not mend: the prompt stays too long, and a sample that several
replicas failed on must not take down more of them."""

_MAX_ERROR_CHARS = 500


def sampling(generation: Generation, attempt: int) -> Sampling:
    """Sampling settings of a sample's n-th try, from 1.

    A greedy recipe becomes `top_k=1`, which every engine understands. With a repetition penalty it
    also becomes `do_sample=True`: lmdeploy resets the penalty to 1 when that is off.
    """
    penalty = generation.repetition_penalty
    if generation.do_sample:
        return Sampling(
            max_new_tokens=generation.max_new_tokens,
            do_sample=True,
            top_k=generation.top_k,
            top_p=generation.top_p,
            temperature=generation.temperature,
            repetition_penalty=penalty,
            random_seed=generation.random_seed + attempt - 1,
        )
    if attempt > 1:
        penalty = max(penalty, RETRY_PENALTIES[min(attempt - 2, len(RETRY_PENALTIES) - 1)])
    return Sampling(
        max_new_tokens=generation.max_new_tokens,
        do_sample=penalty != 1.0,
        top_k=1,
        top_p=1.0,
        temperature=1.0,
        repetition_penalty=penalty,
        random_seed=generation.random_seed,
    )


def image_first(images: Sequence[dict[str, Any]], prompt: str) -> list[dict[str, Any]]:
    """Content parts of a user message, in the layout that InternVL2 was trained on.

    One image:       <image>, line break, prompt.
    Several images:  Image-1: <image>, line break, Image-2: <image>, line break, prompt.

    lmdeploy writes the line break after every image, so the parts hold none. Images come first:
    the model was trained so, and the second prompt on an image finds it in the prefix cache.

    Args:
        images: content parts, one per image, in the order the prompt counts them.
    """
    text = {"type": "text", "text": prompt}
    if len(images) == 1:
        return [images[0], text]
    numbered = [
        part
        for number, image in enumerate(images, start=1)
        for part in ({"type": "text", "text": f"Image-{number}: "}, image)
    ]
    return [*numbered, text]


def finished(
    text: str,
    finish_reason: str | None,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
    cached_tokens: int | None = None,
    first_tokens: Mapping[str, float] | None = None,
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
    return Reply(
        *(status, caption, finish_reason, prompt_tokens, completion_tokens),
        cached_tokens=cached_tokens,
        first_tokens=first_tokens,
    )


def failed(code: str, message: str) -> Reply:
    """A request that brought no caption."""
    return Reply(CaptionStatus.ERROR, error_code=code, error=message[:_MAX_ERROR_CHARS])
