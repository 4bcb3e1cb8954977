"""How a language words claims: a table of templates, and the few rules that all languages share."""

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sa1b_captions.caption.engines.preview.claims import Claim


@dataclass(frozen=True)
class Language(string.Formatter):
    """Turns claims into sentences and decides nothing.

    Templates name the values of a claim; after a colon they may say how: `share` as a percentage,
    `whole` without decimals, `ordinal` for the place of an image in its sample, `all` for a count
    of images. Several values are joined as words, as `clauses`, or as `parts`, which may hold
    commas.
    """

    templates: Mapping[str, str]
    """By fact, without the full stop."""
    words: Mapping[str, str]
    """Of English words; those that are missing stay English."""
    ordinals: Sequence[str]
    everyone: Sequence[str]
    """All of so many images, from two."""
    joins: Mapping[str, tuple[str, str]]
    """Between several values, and before the last; by what they are joined as."""
    full_stop: str
    """With the space that follows it."""

    def describe(self, claims: Iterable[Claim]) -> str:
        """Tell claims in their order, in one paragraph."""
        return "".join(map(self.sentence, claims)).rstrip()

    def sentence(self, claim: Claim) -> str:
        """Tell one claim in a sentence; what follows it is included."""
        text = self.format_field(claim, "")
        return f"{text[0].upper()}{text[1:]}{self.full_stop}"

    def format_field(self, value: Any, format_spec: str) -> str:
        """Word one value of a template."""
        match value, format_spec:
            case tuple(), _:
                *before, last = (self.format_field(part, format_spec) for part in value)
                between, before_last = self.joins.get(format_spec, self.joins[""])
                return f"{between.join(before)}{before_last}{last}" if before else last
            case Claim(), _:
                return self.vformat(self.templates[value.fact], (), value.values)
            case str(), _:
                return self.words.get(value, value)
            case _, "share":
                return f"{value:.1%}" if value < 0.0195 else f"{value:.0%}"
            case _, "whole":
                return f"{value:.0f}"
            case _, "ordinal":
                return str(self.ordinals[value])
            case _, "all":
                return str(self.everyone[value - 2])
        return str(value)
