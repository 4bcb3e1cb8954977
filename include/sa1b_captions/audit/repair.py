"""Captions without the sentences that a judge is sure not to find in the image.

A pure function of stored answers: nothing that is stored is changed, and whoever publishes a
caption decides whether it is repaired. An engine that tells no probabilities is never sure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sa1b_captions.audit.answers import Row
from sa1b_captions.audit.judge import Answer
from sa1b_captions.audit.totals import probability_of_no

_BETWEEN = {"en": " ", "zh": ""}
"""What stands between two sentences."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A caption of which sentences are removed."""

    sample_id: str
    text_xxh3: str
    """`marks.text_digest` of the caption as it was."""
    text: str
    """What is left; may be empty."""
    removed: tuple[int, ...]
    """Places of the removed sentences, ascending."""
    chars_before: int


def repair_captions(rows: Iterable[Row], language: str, confidence: float) -> list[Repaired]:
    """Captions from which a sentence is to be removed, in the order of the rows.

    Args:
        rows: of `records.ANSWER_SCHEMA`, every sentence of a caption there.
        language: of the captions.
        confidence: least probability of no that removes a sentence.
    """
    captions: dict[str, list[Row]] = {}
    for row in rows:
        captions.setdefault(row["sample_id"], []).append(row)
    repaired = []
    for sample_id, sentences in captions.items():
        removed = tuple(row["sentence"] for row in sentences if _goes(row, confidence))
        if removed:
            left = [row["text"] for row in sentences if row["sentence"] not in removed]
            first = sentences[0]
            repaired.append(
                Repaired(
                    sample_id,
                    first["text_xxh3"],
                    _BETWEEN[language].join(left),
                    removed,
                    first["caption_chars"],
                )
            )
    return repaired


def _goes(row: Row, confidence: float) -> bool:
    sure = probability_of_no(row)
    return row["answer"] == Answer.NO and sure is not None and sure >= confidence
