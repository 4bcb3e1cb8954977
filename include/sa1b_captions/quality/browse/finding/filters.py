"""Filters: what a gallery shows, as its address says it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import polars as pl

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.rules import MEANINGS
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import SHARD_PATTERN, parse_selection

ACCEPTED, REJECTED = "accepted", "rejected"
REFUSED = "refused"
PLAN, SHORT, LONG, RANDOM = "plan", "short", "long", "random"
ORDERS = {
    PLAN: "shard by shard",
    SHORT: "shortest first",
    LONG: "longest first",
    RANDOM: "at random",
}
"""Orders that a gallery has, and their names for people."""

MAX_TEXT_CHARS = 200
SAMPLE_PATTERN = rf"(?:{'|'.join(TRACKS)})/{SHARD_PATTERN}/[0-9]{{1,19}}(?:-[0-9]{{1,19}}){{0,15}}"
"""A sample_id."""

_ALL = pl.col("caption_chars") >= 0
"""True of every row, and as long as they are many."""

_QUOTED = re.compile(r'"([^"]+)"')
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which captions, and in which order; an empty field or None leaves all in."""

    track: str = ""
    shards: str = ""
    """A selection, as in 0-9,17."""
    verdict: str = ""
    reason: str = ""
    engine: str = ""
    attempt: int | None = None
    min_chars: int | None = None
    max_chars: int | None = None
    text: str = ""
    """Words that all have to be there; in quotation marks, or Chinese, any part of the text."""
    audit: str = ""
    """`REFUSED`: captions with a sentence that the audit's judge refused."""
    cluster: str = ""
    """sample_id of the caption that stays of a cluster of duplicates."""
    order: str = PLAN
    seed: int = 1

    def query(self, **changes: Any) -> str:
        """The part of an address that says this, with some fields changed."""
        shown = replace(self, **changes)
        pairs = [
            (entry.name, getattr(shown, entry.name))
            for entry in fields(shown)
            if getattr(shown, entry.name) != entry.default
        ]
        return urlencode(pairs)

    @property
    def draw(self) -> str | None:
        """Name of the random sample that this goes through; None where nothing is drawn."""
        if self.order != RANDOM or self.text or self.cluster:
            return None
        return self.query(order=PLAN, seed=1) + f"#{self.seed}"

    @property
    def words(self) -> str:
        """What is drawn from, for people."""
        named = ("track", "verdict", "order", "seed")
        others = [
            f"{entry.name.replace('_', ' ')} {getattr(self, entry.name)}"
            for entry in fields(self)
            if entry.name not in named and getattr(self, entry.name) != entry.default
        ]
        what = f"{self.verdict or 'all'} captions of {self.track or 'all tracks'}"
        return ", ".join([what, *others, f"seed {self.seed}"])

    @property
    def selection(self) -> frozenset[str] | None:
        """Names of the shards; None for all."""
        return frozenset(parse_selection(self.shards)) if self.shards else None

    def units(self, counts: FacetCounts) -> list[str]:
        """Units that may have such captions, shard by shard."""
        chosen = self.selection
        found = [unit.split("/") for unit in counts.units]
        return [
            f"{track}/{shard}"
            for track, shard in sorted(found, key=lambda one: (one[1], TRACKS.index(one[0])))
            if (not self.track or track == self.track) and (chosen is None or shard in chosen)
        ]

    def of_counts(self, rows: pl.DataFrame) -> pl.Expr:
        """Which rows of facet counts these are, their unit apart."""
        kept = [_ALL, *self._numbers()]
        if self.verdict or self.reason:
            kept.append(_of_category(rows, "reasons", self._has_reasons))
        if self.engine:
            kept.append(_of_category(rows, "engine", lambda name: name == self.engine))
        return pl.all_horizontal(kept)

    def of_facets(self) -> pl.Expr:
        """Which rows of a unit's facets these are; text and cluster are not looked at."""
        kept = [_ALL, *self._numbers()]
        if self.verdict == ACCEPTED:
            kept.append(pl.col("reasons") == "")
        if self.verdict == REJECTED:
            kept.append(pl.col("reasons") != "")
        if self.reason:
            kept.append(pl.col("reasons").str.split(" ").list.contains(self.reason))
        if self.engine:
            kept.append(pl.col("engine") == self.engine)
        return pl.all_horizontal(kept)

    def _numbers(self) -> list[pl.Expr]:
        kept = []
        if self.attempt is not None:
            kept.append(pl.col("attempt") == self.attempt)
        if self.min_chars is not None:
            kept.append(pl.col("caption_chars") >= self.min_chars)
        if self.max_chars is not None:
            kept.append(pl.col("caption_chars") <= self.max_chars)
        return kept

    def _has_reasons(self, reasons: str) -> bool:
        if self.verdict and (self.verdict == ACCEPTED) != (reasons == ""):
            return False
        return not self.reason or self.reason in reasons.split(" ")


def _of_category(rows: pl.DataFrame, name: str, fits: Callable[[str], bool]) -> pl.Expr:
    kind = rows.schema[name]
    names = kind.categories if isinstance(kind, pl.Enum) else pl.Series([], dtype=pl.String)
    codes = [code for code, value in enumerate(names) if fits(value)]
    return pl.col(name).to_physical().is_in(codes)


def parse_filters(values: Mapping[str, str]) -> Filters:
    """Filters of an address. Raises PermanentError if a value is none that the field can have."""
    given: dict[str, Any] = {
        entry.name: values.get(entry.name, "").strip() for entry in fields(Filters)
    }
    numbers = {
        name: _number(name, given[name]) for name in ("attempt", "min_chars", "max_chars", "seed")
    }
    seed = numbers.pop("seed")
    given |= numbers | {"order": given["order"] or PLAN, "seed": 1 if seed is None else seed}
    found = Filters(**given)
    for name, known in {
        "track": TRACKS,
        "verdict": (ACCEPTED, REJECTED),
        "reason": tuple(MEANINGS),
        "order": tuple(ORDERS),
        "audit": (REFUSED,),
    }.items():
        value = getattr(found, name)
        if value and value not in known:
            raise PermanentError(f"{name} is {value!r}; there are: {', '.join(known)}")
    if len(found.text) > MAX_TEXT_CHARS:
        raise PermanentError(f"a search has at most {MAX_TEXT_CHARS} characters")
    if found.cluster and not re.fullmatch(SAMPLE_PATTERN, found.cluster):
        raise PermanentError("a cluster is named by a sample, as in single_en/sa_000017/190188")
    if found.shards:
        parse_selection(found.shards)
    return found


def parse_draw(draw: str) -> Filters | None:
    """Filters of a random sample's name, `Filters.draw`; None of what was never one."""
    query, _, seed = draw.partition("#")
    try:
        found = parse_filters(dict(parse_qsl(query)) | {"seed": seed, "order": RANDOM})
    except PermanentError:
        return None
    return found if found.draw == draw else None


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise PermanentError(f"{name} is {text!r}; write a whole number of at most nine digits")
    return int(text)


def search_patterns(text: str) -> list[str]:
    """Regular expressions that all have to be found in a caption; case does not count."""
    parts = _QUOTED.findall(text)
    patterns = [pl.escape_regex(part) for part in parts]
    for word in _QUOTED.sub(" ", text).split():
        pattern = pl.escape_regex(word)
        if not _HAN.search(word):
            # A sign at the end of a word has no word's edge beside it.
            start, end = (r"\b" if re.match(r"\w", word[at]) else "" for at in (0, -1))
            pattern = f"{start}{pattern}{end}"
        patterns.append(pattern)
    return [f"(?i){pattern}" for pattern in patterns]
