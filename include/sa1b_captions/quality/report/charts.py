"""Charts as inline SVG, drawn without a library.

Horizontal coordinates are percentages and vertical ones pixels, so a chart fills any width while
its text keeps its size. Colours come from the page's style by class, so dark mode is free.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from sa1b_captions.plurals import counted
from sa1b_captions.recipe.limits import LanguageQuality

MAX_TITLED_BARS = 150
"""Bars past which only the ones over a limit get a tooltip, to keep the page small."""

_TOP, _BASE, _HEIGHT = 18, 128, 150
_NAME_PX = 12
"""Height of a limit's name."""


def length_chart(
    accepted: Mapping[int, int],
    rejected: Mapping[int, int],
    bin_chars: int,
    limits: LanguageQuality,
) -> Markup:
    """Histogram of caption lengths, rejected rows on top of accepted ones, limits drawn.

    Args:
        accepted: rows by their bin's first length, in characters.
    """
    longest = max([0, *accepted, *rejected]) + bin_chars
    # A few runaway captions must not squeeze all others: what is far out shares the last bar.
    shown = max(limits.max_chars * 1.06, min(longest, limits.max_chars * 1.3))
    bins = math.ceil(shown / bin_chars)
    end = bins * bin_chars
    columns = [[0, 0] for _ in range(bins)]
    for kind, lengths in enumerate((accepted, rejected)):
        for first, rows in lengths.items():
            columns[min(first // bin_chars, bins - 1)][kind] += rows
    tallest = max(max(sum(column) for column in columns), 1)
    body = [_grid(tallest), *_ticks(end)]
    for place, column in enumerate(columns):
        if any(column):
            last = place == bins - 1 and longest > end
            body.append(_length_bar(place, bins, bin_chars, column, tallest, open_ended=last))
    body += [
        _limit(limits.min_chars / end, f"min {limits.min_chars:,}", "start"),
        _limit(limits.max_chars / end, f"max {limits.max_chars:,}", "end"),
    ]
    rows = sum(map(sum, columns))
    return _svg(body, f"Histogram of the lengths of {counted(rows, 'caption')}, in characters")


def _length_bar(
    place: int, bins: int, bin_chars: int, column: list[int], tallest: int, *, open_ended: bool
) -> Markup:
    first = place * bin_chars
    span = f"{first:,} or more" if open_ended else f"{first:,}–{first + bin_chars - 1:,}"
    title = f"{span} characters: {column[0]:,} accepted, {column[1]:,} rejected"
    rectangles, base = [], float(_BASE)
    for rows, name in zip(column, ("accepted", "rejected"), strict=True):
        if rows:
            height = max(rows / tallest * (_BASE - _TOP), 1.5)
            base -= height
            rectangles.append(_rectangle(place / bins, 1 / bins, base, height, name))
    return _group(title, rectangles)


def share_chart(
    shards: Sequence[str], shares: Sequence[float], warning: float, critical: float
) -> Markup:
    """One bar per shard for a share of its rows, the two limits drawn.

    Args:
        shards: names, in the order of the bars.
        shares: of the same shards, 0 to 1.
        warning: bars above it are marked.
        critical: bars above it are marked more.
    """
    top = min(1.0, max(critical * 1.4, min(max(shares, default=0.0) * 1.08, critical * 4)))
    count = max(len(shards), 1)
    pitch = min(1 / count, 0.25)  # a name needs a quarter of a narrow page
    warns, fails = f"warns above {warning:.1%}", f"fails above {critical:.1%}"
    if (critical - warning) / top * (_BASE - _TOP) < _NAME_PX:  # one name would lie on the other
        warns, fails = "", fails if warning == critical else f"{warns}, {fails}"
    body = [_limit_across(warning / top, warns, "warning")]
    body.append(_limit_across(critical / top, fails, "critical"))
    quiet = []
    for place, (shard, share) in enumerate(zip(shards, shares, strict=True)):
        level = "critical" if share > critical else "warning" if share > warning else "within"
        height = min(share / top, 1.0) * (_BASE - _TOP)
        if level == "within" and count > MAX_TITLED_BARS:
            quiet.append((place, height))
            continue
        bar = _rectangle(place * pitch, pitch, _BASE - max(height, 1), max(height, 1), level)
        group = _group(f"{shard}: {share:.1%}", [bar])
        # Where the console serves the page it leads to the shard's; in a file, nowhere.
        body.append(Markup('<a href="#shards/{}">{}</a>').format(shard, group))
    if quiet:
        body.append(_bars_in_one_path(quiet, count))
    body += _bar_names(shards, pitch)
    label = f"Share of rejected captions in each of {counted(len(shards), 'shard')}"
    return _svg(body, label, "group")  # an image has no links


def series_chart(
    names: Sequence[str],
    values: Sequence[float | None],
    write: Callable[[float], str],
    label: str,
) -> Markup:
    """One bar per span of time for one number; no bar where nothing tells it.

    Args:
        names: of the spans, in their order.
        values: of the same spans, not below 0.
        write: a value for people.
    """
    top = max((value for value in values if value is not None), default=0.0) or 1.0
    pitch = min(1 / max(len(names), 1), 0.25)
    line = Markup('<line class="{}" x1="0" x2="100%" y1="{:.1f}" y2="{:.1f}"/>')
    body = [line.format("axis", _BASE, _BASE), line.format("grid", _TOP, _TOP)]
    body.append(_text(1, _TOP - 4, write(top), "end", "tick"))
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        if value is not None:
            height = max(value / top * (_BASE - _TOP), 1.0)
            bar = _rectangle(place * pitch, pitch, _BASE - height, height, "within")
            body.append(_group(f"{name}: {write(value)}", [bar]))
    body += _bar_names(names, pitch)
    return _svg(body, f"{label}, from {names[0]} to {names[-1]}, at most {write(top)}")


def _bars_in_one_path(bars: Sequence[tuple[int, float]], count: int) -> Markup:
    """A thousand bars as one shape: place and height in pixels of each, `count` places in all."""
    path = "".join(f"M{place} 0V-{height:.1f}h1V0z" for place, height in bars)
    return Markup(
        '<svg x="0" y="{top}" width="100%" height="{height}" viewBox="0 -{height} {count} '
        '{height}" preserveAspectRatio="none"><path class="within" d="{path}"/></svg>'
    ).format(top=_TOP, height=_BASE - _TOP, count=count, path=path)


def _bar_names(names: Sequence[str], pitch: float) -> list[Markup]:
    every = max(1, math.ceil(len(names) / 4))
    labels = []
    for place in range(0, len(names), every):
        at = place * pitch
        labels.append(_text(at, _HEIGHT - 6, names[place], "start", "tick"))
    return labels


def _ticks(end: int) -> list[Markup]:
    step = _round_step(end / 5)
    places = range(0, end + 1, step)
    anchors = ["start", *["middle"] * (len(places) - 1)]
    return [
        _text(place / end, _HEIGHT - 6, f"{place:,}", anchor, "tick")
        for place, anchor in zip(places, anchors, strict=True)
        if place / end < 0.97
    ]


def _grid(tallest: int) -> Markup:
    step = _round_step(tallest / 2)
    lines = [Markup('<line class="axis" x1="0" x2="100%" y1="{y}" y2="{y}"/>').format(y=_BASE)]
    for rows in range(step, tallest + 1, step):
        y = _BASE - rows / tallest * (_BASE - _TOP)
        line = Markup('<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines += [line.format(y=y), _text(1, y - 3, f"{rows:,}", "end", "tick")]
    return Markup().join(lines)


def _round_step(rough: float) -> int:
    """Smallest of 1, 2, 5, 10, 20, 50, … that is at least so much."""
    if rough <= 1:
        return 1
    power = 10 ** math.floor(math.log10(rough))
    return int(next(step * power for step in (1, 2, 5, 10) if step * power >= rough))


def _limit(share: float, label: str, anchor: str) -> Markup:
    line = Markup('<line class="limit" x1="{x:.2f}%" x2="{x:.2f}%" y1="4" y2="{base}"/>').format(
        x=share * 100, base=_BASE
    )
    shift = 5 if anchor == "start" else -5
    return line + _text(share, 12, label, anchor, "limit-name", shift)


def _limit_across(share: float, label: str, level: str) -> Markup:
    y = _BASE - share * (_BASE - _TOP)
    line = Markup('<line class="limit {level}" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
    return line.format(level=level, y=y) + _text(1, y - 4, label, "end", "limit-name")


def _rectangle(left: float, width: float, y: float, height: float, name: str) -> Markup:
    # A hairline between neighbours, as long as they are wide enough for one; never a slab.
    drawn = min(width * 0.86, 0.04) if width > 0.004 else width
    return Markup(
        '<rect class="{name}" x="{x:.3f}%" width="{w:.3f}%" y="{y:.1f}" height="{h:.1f}"/>'
    ).format(name=name, x=left * 100, w=drawn * 100, y=y, h=height)


def _text(share: float, y: float, text: str, anchor: str, name: str, shift_px: int = 0) -> Markup:
    return Markup(
        '<text class="{name}" x="{x:.2f}%" dx="{shift}" y="{y:.1f}" text-anchor="{anchor}">'
        "{text}</text>"
    ).format(name=name, x=share * 100, shift=shift_px, y=y, anchor=anchor, text=text)


def _group(title: str, shapes: Sequence[Markup]) -> Markup:
    return Markup("<g><title>{}</title>{}</g>").format(title, Markup().join(shapes))


def _svg(body: Sequence[Markup], label: str, role: str = "img") -> Markup:
    return Markup(
        '<svg class="chart" width="100%" height="{height}" role="{role}" aria-label="{label}">'
        "{body}</svg>"
    ).format(height=_HEIGHT, role=role, label=label, body=Markup().join(body))
