"""What an audit costs, in tokens that the engine computes.

Questions about an image differ in their last line only. The first one is computed whole; of the
others the engine keeps the prefix in its cache, block by block, and computes the rest.
"""

from collections.abc import Sequence

CACHE_BLOCK_TOKENS = 64
"""The engine keeps whole blocks; of a longer prefix it computes the part of the last one again."""
_AFTER_SENTENCE_TOKENS = 8
"""What the chat template puts behind a prompt."""


def computed_tokens(prompts: Sequence[int], answers: Sequence[int], shortest_bytes: int) -> int:
    """Most tokens that all questions about a caption make the engine compute.

    Args:
        prompts: tokens of each question, images included.
        answers: tokens of each answer.
        shortest_bytes: of the shortest sentence in UTF-8; no tokenizer makes more tokens of it.
    """
    if not prompts:
        return 0
    tail = shortest_bytes + _AFTER_SENTENCE_TOKENS + CACHE_BLOCK_TOKENS
    prefix = max(0, min(prompts) - tail)
    return sum(prompts) - (len(prompts) - 1) * prefix + sum(answers)
