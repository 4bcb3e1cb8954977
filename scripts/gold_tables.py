"""Tables of how often rules are right, as Markdown, for docs/gold.md and for anybody's captions."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from sa1b_captions.chance import wilson
from tests.gold.captions import SPLITS, Gold
from tests.gold.planted import DEFECTS
from tests.gold.scores import JUDGED, Judged, Score, score, totals

NAMES = {"en": "English", "zh": "Chinese"}
_NAMED = 12
"""Ids named of the mistakes of a rule."""


def rule_table(
    halves: Mapping[str, Sequence[Judged]], reasons: Sequence[str] = JUDGED
) -> list[str]:
    """How each rule did; `halves` are captions by the name of the half, one name for no halves."""
    lines = [
        "| rule | half | faulty | missed | wrong | precision (95 %) | recall (95 %) |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for reason in reasons:
        name = f"`{reason}`"
        for half, judged in halves.items():
            found = score(judged, reason)
            precision = share(found.right, found.marked)
            lines.append(
                f"| {name} | {half} | {found.faulty} | {len(found.missed)} | {len(found.wrong)} "
                f"| {precision} | {share(found.right, found.faulty)} |"
            )
            name = ""
    return lines


def share(hits: int, of: int) -> str:
    """A share with Wilson's 95 % interval; a dash where nothing was tried."""
    if not of:
        return "–"
    low, high = wilson(hits, of)
    return f"{hits / of:.2f} ({low:.2f}–{high:.2f})"


def totals_table(halves: Mapping[str, Sequence[Judged]]) -> list[str]:
    """How many faulty captions are rejected, whatever the reason, and how many fit ones."""
    lines = [
        "| captions | half | of | rejected | share (95 %) |",
        "|---|---|--:|--:|--:|",
    ]
    groups: dict[str, Callable[[Gold], object]] = {
        "faulty, planted": lambda row: row.expected and row.kind != "by hand",
        "faulty, by hand": lambda row: row.expected and row.kind == "by hand",
        "**all faulty**": lambda row: row.expected,
        "fit, plain": lambda row: row.kind == "plain",
        "fit, hard": lambda row: row.kind == "hard",
        "**all fit**": lambda row: not row.expected,
    }
    for group, belongs in groups.items():
        name = group
        for half, judged in halves.items():
            counts = totals(pair for pair in judged if belongs(pair[0]))
            of, rejected = (
                counts.faulty + counts.fit,
                counts.faulty_rejected + counts.fit_rejected,
            )
            lines.append(f"| {name} | {half} | {of} | {rejected} | {share(rejected, of)} |")
            name = ""
    return lines


def kind_table(judged: Iterable[Judged]) -> list[str]:
    """How each kind of planted defect is found: for its rule, and for whatever reason."""
    judged = list(judged)
    lines = [
        "| planted defect | rule | found: tune | test | recall (95 %) | rejected at all |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for defect in DEFECTS:
        pairs = [pair for pair in judged if pair[0].kind == defect.kind]
        if not pairs:
            continue
        of = {half: [p for p in pairs if p[0].split == half] for half in SPLITS}
        hits = {half: sum(defect.expected in found for _, found in of[half]) for half in SPLITS}
        counts = " | ".join(f"{hits[half]} of {len(of[half])}" for half in SPLITS)
        lines.append(
            f"| {defect.kind.replace('_', ' ')} | `{defect.expected}` | {counts} "
            f"| {share(sum(hits.values()), len(pairs))} | {sum(bool(f) for _, f in pairs)} |"
        )
    return lines


def mistakes(judged: Sequence[Judged], named: int = _NAMED) -> list[str]:
    """Ids of captions that a rule missed or marked without cause, one line of each."""
    lines = []
    for reason in JUDGED:
        found: Score = score(judged, reason)
        for word, ids in (("missed", found.missed), ("should not have marked", found.wrong)):
            if ids:
                more = f" and {len(ids) - named} more" if len(ids) > named else ""
                lines.append(f"- `{reason}` {word} {', '.join(ids[:named])}{more}")
    return lines
