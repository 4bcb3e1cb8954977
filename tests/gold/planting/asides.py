"""What slips into the middle of a long caption, far from both of its ends."""

import random

from tests.gold.planting.base import Base, Defect, defect, good_captions, inner_places, material


def _between(rng: random.Random, base: Base, group: str) -> str:
    """A sentence of the group between two captions."""
    said = rng.choice(material("asides")[group][base.language])
    others = [text for text in good_captions(base.language) if text != base.text]
    return base.join([base.text, said, rng.choice(others)])


def _within(rng: random.Random, base: Base, thing: str) -> str:
    """Something between two words of a sentence."""

    def how(words: list[str]) -> list[str]:
        place = rng.choice(inner_places(words))
        return [*words[:place], thing, *words[place:]]

    return base.change(rng, how)


@defect("refusal", "meta_talk", "sentence_repetition")
def declines_within(rng: random.Random, base: Base) -> str:
    """A refusal of one sentence, by deed or by reason."""
    return _between(rng, base, "declines")


@defect("refusal", "meta_talk", "sentence_repetition", "special_token")
def rules_within(rng: random.Random, base: Base) -> str:
    """A hint at rules that keep the model from saying more."""
    return _between(rng, base, "hints_at_rules")


@defect("meta_talk", "refusal", "sentence_repetition")
def prompt_within(rng: random.Random, base: Base) -> str:
    """The prompt, said again."""
    return _between(rng, base, "echoes_the_prompt")


@defect("meta_talk", "refusal", "sentence_repetition")
def question_within(rng: random.Random, base: Base) -> str:
    """A question to the reader."""
    return _between(rng, base, "asks_the_reader")


@defect("meta_talk", "refusal", "markdown", "sentence_repetition")
def talk_within(rng: random.Random, base: Base) -> str:
    """A remark on the description itself or on the task."""
    return _between(rng, base, rng.choice(["talks_about_itself", "talks_of_the_task"]))


@defect("meta_talk", "refusal", "sentence_repetition")
def offer_within(rng: random.Random, base: Base) -> str:
    """An offer to say more, or thanks."""
    return _between(rng, base, "offers")


@defect(
    "markdown",
    *("meta_talk", "special_token", "missing_end", "sentence_repetition", "wrong_language"),
    *("line_break", "too_long"),
)
def list_within(rng: random.Random, base: Base) -> str:
    """A list or heads of parts in running text."""
    return _between(rng, base, "lists")


@defect("special_token", "markdown", "wrong_language", "foreign_script", "replacement_character")
def token_within(rng: random.Random, base: Base) -> str:
    """A marker between two words, whole or broken."""
    return _within(rng, base, rng.choice(material("asides")["tokens"]["both"]))


@defect(
    "replacement_character",
    *(
        "markdown",
        "wrong_language",
        "foreign_script",
        "character_run",
        "special_token",
        "word_echo",
    ),
    *("meta_talk", "ngram_repetition"),
)
def damage_within(rng: random.Random, base: Base) -> str:
    """A few letters that were lost or read wrongly."""
    return _within(rng, base, rng.choice(material("asides")["damage"][base.language]))


DEFECTS: tuple[Defect, ...] = (
    declines_within,
    rules_within,
    prompt_within,
    question_within,
    talk_within,
    offer_within,
    list_within,
    token_within,
    damage_within,
)
