"""What a judge is asked about a sentence, and what its answer means.

Each question holds one sentence and nothing else of the caption: judges favour what stands first in
an answer (HalDec-Bench). What all questions share comes first and the sentence last, behind images
that stand where they do in the caption's own prompt, so the engine's prefix cache serves all but
the first question about an image, and the first one, too, while the caption's prefix is there.

Whoever words a question or reads an answer otherwise raises `audits.QUESTION_VERSION`.
"""

import enum
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

ANSWER_TOKENS = 8
"""Most tokens of an answer; `cannot tell` has two or three."""
TOP_TOKENS = 20
"""First tokens whose probabilities are asked for: what servers give at most."""
_LEAST_MASS = 0.5
"""Probability of the three answers together, below which a model is saying something else."""

_QUESTIONS = {
    "en": "Judge one sentence about {images}. Does {images} clearly show what the sentence says? "
    "Answer yes if all of it is there to see. Answer no if any of it is wrong or not there. Answer "
    "cannot tell if {images} cannot settle it. Words such as it or they mean things in {images}. "
    "Answer with yes, no or cannot tell and nothing else.\n\nSentence: {sentence}",
    "zh": "请判断关于{images}的一句话。{images}是否清楚地显示了这句话所说的内容？"
    "如果全部都能看到，回答 yes。如果有任何错误或{images}中没有的内容，回答 no。"
    "如果无法根据{images}判断，回答 cannot tell。“它”“他们”等词指{images}中的事物。"
    "只回答 yes、no 或 cannot tell，不要回答其他内容。\n\n句子：{sentence}",
}
_IMAGES = {"en": ("the image", "the images"), "zh": ("图像", "这些图像")}


class Answer(enum.StrEnum):
    """What became of a question."""

    YES = "yes"  # the image shows what the sentence says
    NO = "no"
    CANNOT_TELL = "cannot_tell"
    UNREADABLE = "unreadable"  # none of the three, or more than one of them
    FAILED = "failed"  # the engine failed


ANSWERED = (Answer.YES, Answer.NO, Answer.CANNOT_TELL)

_WORDS = {
    "yes": Answer.YES,
    "是": Answer.YES,
    "是的": Answer.YES,
    "no": Answer.NO,
    "否": Answer.NO,
    "不是": Answer.NO,
    "cannot tell": Answer.CANNOT_TELL,
    "can not tell": Answer.CANNOT_TELL,
    "can't tell": Answer.CANNOT_TELL,
    "cannot_tell": Answer.CANNOT_TELL,
    "无法判断": Answer.CANNOT_TELL,
    "不能判断": Answer.CANNOT_TELL,
}
"""Whole answers in lower case, without the marks around them."""
_AROUND = " \t\r\n.。!！,，;；:：*_`\"'“”‘’"
_WORD_BEGINS = " \t\r\nĠ▁\"'“*_`"
"""What stands before a word's first token: a space, however a tokenizer spells it, or a mark."""


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Natural logarithms of the three answers' probabilities, by an answer's first token.

    None of an answer that is not among the most probable first tokens.
    """

    yes: float | None
    no: float | None
    cannot_tell: float | None

    @property
    def answer(self) -> Answer:
        """The most probable one; unreadable when the model says something else altogether."""
        found = {
            answer: math.exp(value)
            for answer, value in zip(ANSWERED, (self.yes, self.no, self.cannot_tell), strict=True)
            if value is not None
        }
        if sum(found.values()) < _LEAST_MASS:
            return Answer.UNREADABLE
        return max(found, key=lambda answer: found[answer])


def question(sentence: str, language: str, images: int) -> str:
    """The prompt that asks about one sentence.

    Args:
        language: of the caption, `en` or `zh`; the question is in it, its answer never is.
        images: how many the sample has.
    """
    shown = _IMAGES[language][images > 1]
    return _QUESTIONS[language].format(images=shown, sentence=" ".join(sentence.split()))


def read_answer(text: str) -> Answer:
    """What an answer says; `unreadable` unless it is one of the three and nothing else."""
    said = re.sub(r"\s+", " ", text).strip(_AROUND).replace("’", "'").lower()
    return _WORDS.get(said, Answer.UNREADABLE)


def read_probabilities(first_tokens: Mapping[str, float] | None) -> Probabilities | None:
    """Probabilities of the answers; None where the engine tells none.

    Args:
        first_tokens: natural logarithms of the most probable first tokens' probabilities. A token
            counts for the answer that begins with it, if there is just one.
    """
    if not first_tokens:
        return None
    sums: dict[Answer, float] = {}
    for token, logarithm in first_tokens.items():
        begun = token.lstrip(_WORD_BEGINS).rstrip(_AROUND).replace("’", "'").lower()
        meant = {answer for word, answer in _WORDS.items() if begun and word.startswith(begun)}
        if len(meant) == 1:
            (answer,) = meant
            sums[answer] = sums.get(answer, 0.0) + math.exp(min(logarithm, 0.0))
    logarithms = (math.log(sums[one]) if sums.get(one) else None for one in ANSWERED)
    return Probabilities(*logarithms)
