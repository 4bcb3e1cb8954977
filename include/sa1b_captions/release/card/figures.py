"""Histograms for a card: small SVG files without text that anybody wrote."""

from collections.abc import Mapping

WIDTH_PX, HEIGHT_PX = 480, 140
_BARS = 40
_LEFT_PX, _BOTTOM_PX, _TOP_PX = 8, 24, 8


def histogram(counts: Mapping[int, int], unit: str) -> str:
    """SVG of how often each length occurs; at least one must.

    Args:
        counts: rows of each length.
        unit: what a length is counted in, for the axis.
    """
    low, high = min(counts), max(counts)
    width = -(-(high - low + 1) // _BARS)
    bars = [0] * (-(-(high - low + 1) // width))
    for length, rows in counts.items():
        bars[(length - low) // width] += rows
    step = (WIDTH_PX - 2 * _LEFT_PX) / len(bars)
    scale = (HEIGHT_PX - _BOTTOM_PX - _TOP_PX) / max(bars)
    drawn = "".join(
        f'<rect x="{_LEFT_PX + place * step:.1f}" y="{HEIGHT_PX - _BOTTOM_PX - rows * scale:.1f}" '
        f'width="{max(step - 1, 1):.1f}" height="{rows * scale:.1f}">'
        f"<title>{low + place * width:,} to {low + (place + 1) * width - 1:,} {unit}: "
        f"{rows:,} rows</title></rect>"
        for place, rows in enumerate(bars)
    )
    line = f'y="{HEIGHT_PX - 8}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" '
        f'width="{WIDTH_PX}" height="{HEIGHT_PX}" font-family="sans-serif" font-size="11">'
        f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="#ffffff"/>'
        f'<g fill="#4269d0">{drawn}</g>'
        f'<g fill="#555555"><text x="{_LEFT_PX}" {line}>{low:,}</text>'
        f'<text x="{WIDTH_PX // 2}" {line} text-anchor="middle">{unit}</text>'
        f'<text x="{WIDTH_PX - _LEFT_PX}" {line} text-anchor="end">{high:,}</text></g></svg>\n'
    )
