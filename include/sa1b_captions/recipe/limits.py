"""Limits of the quality rules and checks: the recipe's `[quality]` section."""

import math
from dataclasses import dataclass, field, fields

RULES = (
    "too_short",
    "too_long",
    "length_outlier",
    "line_break",
    "markdown",
    "special_token",
    "refusal",
    "meta_talk",
    "foreign_script",
    "wrong_language",
    "ngram_repetition",
    "sentence_repetition",
    "word_echo",
    "character_run",
    "missing_end",
    "replacement_character",
)
"""Names of the row rules, which `quality.rules` holds, in the order rows list their reasons."""


@dataclass(frozen=True, slots=True)
class LanguageQuality:
    """Row rules' limits for one language. A limit is the last value that is allowed.

    Shares of letters and words: `quality.features` says what each number counts.
    """

    min_chars: int
    max_chars: int
    max_length_mads: float
    """Distance of log length from the reference's median, in scaled MADs of the reference."""
    max_stray_letters: int
    """Letters of a script that is neither Latin nor Han, outside quotations."""
    max_foreign_share: float
    """Of the letters, quoted or not: scripts that are neither Latin nor Han."""
    max_dup2: float
    """Share of runs of 2 units that occurred before in the caption."""
    max_dup10: float
    """Share of runs of 10 units that occurred before in the caption."""
    max_repeated_sentence_share: float
    max_echo_units: int
    """Units in a row that repeat the word or phrase right before them."""
    max_character_run: int
    min_han_share: float | None = None
    """Of the letters outside quotations. None, here and below: no such limit."""
    max_han_share: float | None = None
    min_stopword_share: float | None = None
    """Of the words outside quotations: English function words."""
    max_other_stopword_share: float | None = None
    """The same: function words of French, Spanish, German, Italian, Portuguese, Dutch."""
    max_stray_stopwords: int | None = None
    """English function words outside quotations."""
    max_stray_han: int | None = None
    """Han letters outside quotations that no "reads" or "character" announces."""
    max_stray_traditional: int | None = None
    """The same of letters that Simplified Chinese writes otherwise."""
    max_stray_english: int | None = None
    """The same of English words in lower case."""
    max_latin_run: int | None = None
    """The same of words of Latin letters in lower case, most in a row."""
    max_wide_marks: int | None = None
    """Punctuation of Chinese outside quotations."""
    max_foreign_words: int | None = None
    """Words of French, Spanish, ... that stand alone, names and announced ones apart."""
    max_foreign_sentences: int | None = None
    """Sentences and clauses of any other language of Latin letters."""
    max_repeated_clauses: int | None = None
    """Sentences and clauses outside quotations that were said before, word for word."""
    max_local_repeats: int | None = None
    """Runs of 2 units that occurred before, among any 40 in a row."""
    max_loop_units: int | None = None
    """Units in a row that repeat the 9 to 40 right before them."""
    max_repeated_run: int | None = None
    """Runs of 10 units that occurred before, most in a row."""
    off: tuple[str, ...] = ()
    """Rules that do not apply to the language."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "off", tuple(self.off))

    def problems(self) -> list[str]:
        """What is out of range, a sentence each."""
        found = []
        for name in type(self).__slots__:
            value = getattr(self, name)
            if name == "off" or (value is None and name in _OPTIONAL_LIMITS):
                continue
            if not _is_number(value):
                found.append(f"{name} is {value!r}, expected a number")
            elif not 0 <= value <= (1 if is_share(name) else math.inf):
                found.append(f"{name} is {value!r}, out of range")
        if not found and self.min_chars > self.max_chars:
            found.append("min_chars is above max_chars")
        unknown = sorted(set(self.off) - set(RULES))
        if unknown:
            found.append(f"off names no rule with {unknown}; rules are {', '.join(RULES)}")
        return found


_OPTIONAL_LIMITS = {field.name for field in fields(LanguageQuality) if field.default is None}


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """How far a shard's captions may differ from the reference and from other shards.

    Pairs are (warning, critical). What chance explains in a shard of its size comes on top.
    """

    reference_rows: int = 500
    """Fewest captions of a track that make a reference."""
    neighbours: int = 20
    """Nearest curated shards that a shard is compared with."""
    min_neighbours: int = 5
    """Fewest of them that say what is usual."""
    tail_mads: float = 4.0
    """Scaled MADs from the reference's median log length at which the tail begins."""
    tail_share: tuple[float, float] = (0.002, 0.01)
    """Of captions in that tail: 1 % of loops or of nearly empty ones shows nowhere else."""
    psi: tuple[float, float] = (0.05, 0.25)
    """Population stability index of lengths over the reference's tenths."""
    ks_distance: tuple[float, float] = (0.05, 0.15)
    """Greatest distance between the cumulative shares of lengths."""
    spread: tuple[float, float] = (0.10, 0.30)
    """Logarithm of the ratio of MADs of log length: 0.10 is a tenth wider or narrower."""
    common_tokens_share: tuple[float, float] = (0.02, 0.10)
    """Captions with the most frequent token count, above the reference's: a hard cut shows here."""
    reason_share: tuple[float, float] = (0.005, 0.05)
    """Of a reason, above its median; or `reason_mads` scaled MADs if that is more."""
    reason_mads: float = 5.0
    """Scaled MADs of the shards' shares, and of the neighbours' median lengths."""

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(entry.default, tuple):
                object.__setattr__(self, entry.name, tuple(value))

    def problems(self) -> list[str]:
        """What is out of range, a sentence each."""
        found = []
        for entry in fields(self):
            value = getattr(self, entry.name)
            numbers = value if isinstance(value, tuple) else (value,)
            if not all(_is_number(number) and number >= 0 for number in numbers):
                found.append(f"{entry.name} is {value!r}, expected numbers of at least 0")
            elif isinstance(entry.default, tuple) and (
                len(numbers) != 2 or numbers[0] > numbers[1]
            ):
                found.append(f"{entry.name} is {list(value)}, expected [warning, critical]")
        return found


def is_share(limit: str) -> bool:
    """Whether a limit of a language is a share, from 0 to 1."""
    return limit.endswith("_share") or "_dup" in limit


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Quality:
    """Limits of the quality rules and checks."""

    languages: dict[str, LanguageQuality]
    reject_share_warning: float
    """Share of a shard's rows that may be rejected before the check warns."""
    reject_share_critical: float
    """Share of a shard's rows that may be rejected before the check fails."""
    min_rows: int
    """Fewest planned rows a shard's track may have; zero rows must never pass."""
    near_duplicate_jaccard: float = 0.7
    """Least share of five-unit shingles that two captions have in common to count as one. Of pairs
    at .7 the search sees 98 in 100, at .5 only 47."""
    health: HealthLimits = field(default_factory=HealthLimits)
