"""How the model picks tokens: the recipe's way first, another way on every retry.

A greedy model that loops, or stops at once, does so again on the same prompt. So later tries still
take the most probable token, but make those already said less probable; a recipe that samples gets
another seed instead.
"""

from dataclasses import dataclass

from sa1b_captions.recipe import Generation

RETRY_PENALTIES = (1.02, 1.05)
"""Repetition penalty of the second try, and of all later ones."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """Sampling settings of one request."""

    max_new_tokens: int
    do_sample: bool
    """False only for plain greedy decoding."""
    top_k: int
    top_p: float
    temperature: float
    repetition_penalty: float
    random_seed: int


def decoding(generation: Generation, attempt: int) -> Decoding:
    """Sampling settings of a sample's n-th try, from 1.

    A greedy recipe becomes `top_k=1`, which every engine understands. With a repetition penalty it
    also becomes `do_sample=True`: lmdeploy resets the penalty to 1 when that is off.
    """
    penalty = generation.repetition_penalty
    if generation.do_sample:
        return Decoding(
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
    return Decoding(
        max_new_tokens=generation.max_new_tokens,
        do_sample=penalty != 1.0,
        top_k=1,
        top_p=1.0,
        temperature=1.0,
        repetition_penalty=penalty,
        random_seed=generation.random_seed,
    )
