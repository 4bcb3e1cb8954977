"""What is known of a batch: counted while its samples pass, and stored beside its files."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions.release.card.summary import Lengths
from sa1b_captions.release.written import Written


@dataclass(slots=True, kw_only=True)
class Batched:
    """What is known of a batch that is written; stored beside its files, last."""

    jsonl: Written
    tables: dict[str, Written]
    """By kind: `data`, `provenance`, `image_hashes` and `rejected`."""
    rows: list[int]
    """Published ones of each shard."""
    rejected: int = 0
    """Samples, not the duplicates of other shards and those beyond the target."""
    duplicates: int = 0
    trimmed: int = 0
    retried: int = 0
    near_duplicates: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    engines: list[str] = field(default_factory=list)
    model_revisions: list[str] = field(default_factory=list)
    characters: dict[str, int] = field(default_factory=dict)
    """Published captions by length, which JSON wants as a text."""
    tokens: dict[str, int] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    """The store's, of its files when they were written. Others tell of a damaged file."""

    @property
    def keys(self) -> list[str]:
        """Of all its files."""
        return [self.jsonl.key, *(table.key for table in self.tables.values())]


@dataclass(frozen=True, slots=True)
class Split:
    """One shard's samples, published and not."""

    kept: pa.Table
    """`records.CURATED_SCHEMA`, in plan order."""
    left_out: pa.Table
    """`rows.REJECTED_SCHEMA`: the rejected, the duplicates, the trimmed, each in plan order."""
    duplicates: int
    trimmed: int


class BatchCounts:
    """Counts a batch's samples while they pass."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._engines: set[str] = set()
        self._revisions: set[str] = set()
        self._summary = Lengths(), Lengths()

    def add(self, split: Split) -> None:
        """Count one shard's samples."""
        kept, left_out = split.kept, split.left_out
        self._rows.append(kept.num_rows)
        self._counts["duplicates"] += split.duplicates
        self._counts["trimmed"] += split.trimmed
        self._counts["rejected"] += left_out.num_rows - split.duplicates - split.trimmed
        self._counts["retried"] += pc.sum(pc.greater(kept.column("attempt"), 1)).as_py() or 0
        near = pc.sum(pc.equal(left_out.column("kind"), "near")).as_py()
        self._counts["near_duplicates"] += near or 0
        reasons = pc.list_flatten(left_out.column("reasons")).value_counts()
        for item in reasons.to_pylist():
            self._reasons[item["values"]] += item["counts"]
        self._engines.update(kept.column("engine").unique().to_pylist())
        self._revisions.update(kept.column("model_revision").unique().to_pylist())
        self._summary[0].add(pc.utf8_length(kept.column("caption")))
        self._summary[1].add(kept.column("completion_tokens"))

    def batched(self, jsonl: Written, tables: dict[str, Written]) -> Batched:
        """All that is known of the batch, whose files these are."""
        characters, tokens = (
            {str(length): rows for length, rows in sorted(one.counts.items())}
            for one in self._summary
        )
        return Batched(
            jsonl=jsonl,
            tables=tables,
            rows=self._rows,
            reasons=dict(sorted(self._reasons.items())),
            engines=sorted(self._engines),
            model_revisions=sorted(self._revisions),
            characters=characters,
            tokens=tokens,
            stamps={},
            **self._counts,
        )
