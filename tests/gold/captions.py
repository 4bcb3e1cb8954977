"""The gold captions: written by hand for this project and labelled as a careful person would.

tests/gold/{en,zh}.jsonl, one object a line:
    id        starts with the language; `-fit-` marks the plain fit ones, the other fit ones are
              hard: they look like a fault and are none
    split     `tune` (rules may be tuned on it) or `test` (never looked at while tuning)
    reasons   every reason that a person would give for rejecting the caption
    optional  reasons that one person would give and another not; counted neither way
    note      what the caption is there for
    caption   the text
"""

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")
SPLITS = ("tune", "test")


@dataclass(frozen=True, slots=True)
class Gold:
    """One labelled caption."""

    id: str
    language: str
    split: str
    reasons: frozenset[str]
    optional: frozenset[str]
    note: str
    caption: str

    @property
    def hard(self) -> bool:
        """Whether it must pass although it looks like a fault."""
        return not self.reasons and "-fit-" not in self.id


def load_gold(language: str) -> list[Gold]:
    """All labelled captions of a language, in the order of the file."""
    rows = map(json.loads, (FOLDER / f"{language}.jsonl").read_text().split("\n")[:-1])
    return [
        Gold(
            id=row["id"],
            language=language,
            split=row["split"],
            reasons=frozenset(row["reasons"]),
            optional=frozenset(row.get("optional", ())),
            note=row["note"],
            caption=row["caption"],
        )
        for row in rows
    ]
