"""A model that declines, or talks to its reader."""

import random

from tests.gold.planting.base import Base, defect, material


def _say(rng: random.Random, base: Base, group: str) -> str:
    return str(rng.choice(material("talk")[group][base.language]))


@defect("refusal", "meta_talk", "too_short")
def refusal_alone(rng: random.Random, base: Base) -> str:
    """Nothing but a refusal of one to three sentences."""
    refusals = material("talk")["refusal"][base.language]
    return base.join(rng.sample(refusals, rng.randint(1, 3)))


@defect("refusal", "meta_talk")
def refusal_beside(rng: random.Random, base: Base) -> str:
    """A refusal before, after or within a description."""
    return base.insert(rng, _say(rng, base, "refusal"))


@defect("meta_talk")
def question_at_the_end(rng: random.Random, base: Base) -> str:
    """A question to the reader."""
    return base.join([base.text, _say(rng, base, "question")])


@defect("meta_talk", "refusal")
def offer_of_help(rng: random.Random, base: Base) -> str:
    """An offer to say more."""
    return base.join([base.text, _say(rng, base, "offer")])


@defect("meta_talk", "refusal")
def note_on_itself(rng: random.Random, base: Base) -> str:
    """A remark on the description."""
    return base.insert(rng, _say(rng, base, "note"), first=1)


@defect("meta_talk")
def announcement(rng: random.Random, base: Base) -> str:
    """Says that a description follows."""
    return base.join([_say(rng, base, "announcement"), base.text])


@defect("meta_talk", "markdown", "special_token")
def speaker_label(rng: random.Random, base: Base) -> str:
    """As Assistant: in front."""
    return base.join([_say(rng, base, "label"), base.text])


@defect("meta_talk")
def invitation(rng: random.Random, base: Base) -> str:
    """Takes the reader by the hand."""
    return base.insert(rng, _say(rng, base, "invitation"))


@defect("meta_talk", "missing_end")
def word_count(rng: random.Random, base: Base) -> str:
    """Counts its words in brackets behind the last one."""
    return base.join([base.text, _say(rng, base, "count")])


DEFECTS = (
    refusal_alone,
    refusal_beside,
    question_at_the_end,
    offer_of_help,
    note_on_itself,
    announcement,
    speaker_label,
    invitation,
    word_count,
)
