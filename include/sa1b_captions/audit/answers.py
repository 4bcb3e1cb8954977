"""From an engine's replies to rows of answers, and from rows to counts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sa1b_captions.audit.judge import ANSWERED, Answer, read_answer, read_probabilities
from sa1b_captions.receipts.faithfulness import SentenceCounts

Row = Mapping[str, Any]
"""A row of `records.ANSWER_SCHEMA`."""

SAID_CHARS = 120
_LENGTHS = {"en": (300, 600), "zh": (100, 200)}
"""Characters up to which a caption is short, and middling."""
_LAST_POSITION = 5


def read_reply(
    text: str, failure: str | None, first_tokens: Mapping[str, float] | None
) -> dict[str, Any]:
    """Columns of a row that say what the judge answered.

    Where the engine tells probabilities, the most probable answer counts: what it wrote was drawn.

    Args:
        text: what it wrote.
        failure: what went wrong, if it could not write.
        first_tokens: as `read_probabilities` takes them.
    """
    told = None if failure is not None else read_probabilities(first_tokens)
    if failure is not None:
        answer, said = Answer.FAILED, failure
    else:
        answer, said = (told.answer if told else read_answer(text)), text
    return {
        "answer": answer.value,
        "yes_logprob": told.yes if told else None,
        "no_logprob": told.no if told else None,
        "cannot_tell_logprob": told.cannot_tell if told else None,
        "said": None if answer in ANSWERED else " ".join(said.split())[:SAID_CHARS],
    }


def count_answers(rows: Sequence[Row]) -> dict[str, int]:
    """Sentences by answer."""
    found = Counter(row["answer"] for row in rows)
    return {answer.value: found[answer.value] for answer in Answer if found[answer.value]}


def count_sentences(rows: Iterable[Row]) -> SentenceCounts:
    """Counts over captions."""
    captions: dict[str, list[str]] = {}
    for row in rows:
        if row["answer"] in ANSWERED:
            captions.setdefault(row["sample_id"], []).append(row["answer"])
    total = SentenceCounts()
    for answers in captions.values():
        found = Counter(answers)
        total += SentenceCounts.of_caption(
            len(answers), found[Answer.NO.value], found[Answer.CANNOT_TELL.value]
        )
    return total


def count_slices(rows: Sequence[Row], language: str) -> dict[str, dict[str, SentenceCounts]]:
    """Counts by the place of a sentence in its caption, and by the caption's length."""
    groups: dict[str, dict[str, list[Row]]] = {"position": {}, "length": {}}
    for row in rows:
        place = min(row["sentence"] + 1, _LAST_POSITION)
        name = f"sentence {place}{' and later' if place == _LAST_POSITION else ''}"
        groups["position"].setdefault(name, []).append(row)
        groups["length"].setdefault(_length(row["caption_chars"], language), []).append(row)
    return {
        by: {name: count_sentences(found[name]) for name in sorted(found)}
        for by, found in groups.items()
    }


def _length(chars: int, language: str) -> str:
    short, middling = _LENGTHS[language]
    if chars <= short:
        return f"{language}: up to {short} characters"
    if chars <= middling:
        return f"{language}: {short + 1} to {middling} characters"
    return f"{language}: {middling + 1} characters or more"
