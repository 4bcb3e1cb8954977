"""One change of the rules' limits, as people write it."""

import re
from dataclasses import dataclass, fields, replace

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.rules import RULES, Rule
from sa1b_captions.recipe.limits import RULES as RULE_NAMES
from sa1b_captions.recipe.limits import LanguageQuality
from sa1b_captions.spelling import did_you_mean

OFF = "off"
LIMITS = {limit: rule for rule in RULES for limit in rule.limits}
"""Rule that looks at each limit."""

_CHANGE = re.compile(r"(?:(?P<language>[a-z]{2})\.)?(?P<name>\w+)=(?P<value>[\w.]+)")


@dataclass(frozen=True, slots=True)
class Change:
    """One limit moved, or one rule switched off."""

    name: str
    """A field of LanguageQuality; `off` for a rule."""
    value: float | str
    """The limit's; of `off` the rule's name."""
    language: str | None = None
    """None for all languages."""

    def __str__(self) -> str:
        """As `parse_change` reads it."""
        value = self.value if isinstance(self.value, str) else f"{self.value:g}"
        return f"{self.language}.{self.name}={value}" if self.language else f"{self.name}={value}"

    @property
    def rule(self) -> Rule:
        """The rule that it is about."""
        if self.name == OFF:
            return next(rule for rule in RULES if rule.name == self.value)
        return LIMITS[self.name]

    def applied(self, limits: LanguageQuality) -> LanguageQuality:
        """The limits with the change made. Raises PermanentError if the value is out of range."""
        if self.name == OFF:
            return replace(limits, off=tuple(dict.fromkeys((*limits.off, str(self.value)))))
        changed = replace(limits, **{self.name: self.value})  # type: ignore[arg-type]  # a limit
        if problems := changed.problems():
            raise PermanentError(f"{self} cannot be: {problems[0]}")
        return changed


def parse_change(text: str) -> Change:
    """A change as in `min_chars=180`, `zh.max_dup10=0.3` or `off=refusal`.

    Raises PermanentError: there is no such limit or rule, or the value is no number.
    """
    found = _CHANGE.fullmatch(text.strip())
    if found is None:
        raise PermanentError(
            f"{text!r} is no change; write a limit and its value, as in min_chars=180 or "
            "zh.max_dup10=0.3, or a rule to do without, as in off=refusal"
        )
    name, value, language = found["name"], found["value"], found["language"]
    if name == OFF:
        if value not in RULE_NAMES:
            raise PermanentError(f"no rule {value!r}{did_you_mean(value, RULE_NAMES)}")
        return Change(OFF, value, language)
    if name not in LIMITS:
        raise PermanentError(f"no limit {name!r}{did_you_mean(name, LIMITS)}")
    try:
        number = float(value)
    except ValueError:
        raise PermanentError(f"{name} is {value!r}, expected a number") from None
    kinds = {entry.name: str(entry.type) for entry in fields(LanguageQuality)}
    if "int" in kinds[name]:
        if not number.is_integer():
            raise PermanentError(f"{name} is {value}, expected a whole number")
        number = int(number)
    return Change(name, number, language)
