"""Compiled loops of near-duplicate search, over the byte buffers of Arrow strings.

Texts come normalised: units are what stands between spaces, and every character of a script that
writes no spaces is a unit of its own.
"""

import numpy as np
from numba import uint32, uint64

from sa1b_captions.quality.kernels import byte_words
from sa1b_captions.quality.kernels.compiled import compiled

BANDS = 20
ROWS = 5
SHINGLE_UNITS = 5
PERMUTATIONS = ROWS + BANDS * ROWS
"""One for each row, one for each arc that may stay empty."""

_SEED = uint64(0xCBF29CE484222325)
GOLDEN = uint64(0x9E3779B97F4A7C15)
_SPACE = 32
_NO_MINIMUM = uint32(0xFFFFFFFF)


@compiled
def mix(value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103
    value ^= value >> uint64(30)
    value *= uint64(0xBF58476D1CE4E5B9)
    value ^= value >> uint64(27)
    value *= uint64(0x94D049BB133111EB)
    return value ^ (value >> uint64(31))


@compiled
def stands_alone(code: int) -> bool:
    """Whether a code point is a unit by itself: kana and Han, and their compatibility forms."""
    return (
        0x2E80 <= code <= 0x2FDF
        or 0x3040 <= code <= 0x30FF
        or 0x31F0 <= code <= 0x31FF
        or 0x3400 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF66 <= code <= 0xFF9F
        or 0x20000 <= code <= 0x3FFFF
    )


@compiled
def hash_units(data: np.ndarray, start: int, end: int, units: np.ndarray) -> int:
    """Write one hash per unit of data[start:end]; `units` needs end - start places.

    A hash takes in its unit's bytes eight by eight, zeros behind the last, then their number.
    """
    count = 0
    place = start
    while place < end:
        first = place
        value = _SEED
        ended = False
        # Most units are short and ASCII: one load shows where they end.
        while not ended and place + byte_words.WIDTH <= end:
            eight = byte_words.load(data, place)
            width = byte_words.first(byte_words.spaces(eight))
            ended = width < byte_words.WIDTH
            if ended:
                eight &= byte_words.before(width)
            if eight & byte_words.TOPS:
                ended = False
                break
            if width:
                value = mix(value ^ eight)
            place += width
        if not ended:
            place, value = end_unit(data, place, end, first, value)
        units[count] = value + uint64(place - first)
        count += place > first
        place += ended or (place < end and data[place] == _SPACE)
    return count


@compiled
def end_unit(
    data: np.ndarray, place: int, end: int, first: int, value: np.uint64
) -> tuple[int, np.uint64]:
    """Take in a unit from a multiple of eight bytes behind its `first`; where it ends, its hash."""
    eight = uint64(0)
    filled = 0
    alone = False
    while place < end and data[place] != _SPACE and not alone:
        byte = data[place]
        width = 1
        if byte >= 0xE0:  # three bytes or four: the only ones that may stand alone
            width = min(3 if byte < 0xF0 else 4, end - place)
            code = int(byte & (0x0F if byte < 0xF0 else 0x07))
            for following in range(place + 1, place + width):
                code = (code << 6) | int(data[following] & 0x3F)
            alone = stands_alone(code)
            if alone and place > first:
                break
        for _ in range(width):
            eight |= uint64(data[place]) << uint64(8 * filled)
            place += 1
            filled += 1
            if filled == byte_words.WIDTH:
                value = mix(value ^ eight)
                eight = uint64(0)
                filled = 0
    if filled:
        value = mix(value ^ eight)
    return place, value


@compiled
def hash_shingles(units: np.ndarray, count: int, shingles: np.ndarray) -> int:
    """Write one hash per run of SHINGLE_UNITS units; a shorter text is one shingle."""
    if count == 0:
        return 0
    width = min(SHINGLE_UNITS, count)
    total = count - width + 1
    for first in range(total):
        value = uint64(0)
        for place in range(first, first + width):
            value = value * GOLDEN + units[place]
        shingles[first] = mix(value)
    return total


@compiled
def find_minima(
    shingles: np.ndarray, total: int, multipliers: np.ndarray, minima: np.ndarray
) -> None:
    """Write a minimum for each row of each band, over `total` shingles, at least one.

    A row of all bands is one permutation, cut into an arc for each band: a shingle counts in the
    arc it falls into. An arc without a shingle gets the least value of a permutation of its own.
    Either way two texts agree in an arc with a chance of their Jaccard, for it is the first of
    both texts' shingles that decides; and 5 multiplications a shingle do the work of 100.
    """
    minima[:] = _NO_MINIMUM
    for place in range(total):
        shingle = shingles[place]
        for row in range(ROWS):
            turned = ((shingle * multipliers[row]) >> uint64(32)) * uint64(BANDS)
            fallen = np.int64(turned >> uint64(32)) + row * BANDS
            minima[fallen] = min(minima[fallen], uint32(turned))
    for arc in range(BANDS * ROWS):
        if minima[arc] == _NO_MINIMUM:
            for place in range(total):
                value = (shingles[place] * multipliers[ROWS + arc]) >> uint64(32)
                minima[arc] = min(minima[arc], uint32(value))


@compiled
def sign(
    data: np.ndarray,
    offsets: np.ndarray,
    multipliers: np.ndarray,
    longest: int,
    bands: np.ndarray,
) -> None:
    """Fill `bands` (texts, BANDS) uint64 with band hashes; a text without units gets zeros.

    Args:
        data: bytes of all texts, uint8.
        offsets: where each text begins, and where the last ends, int64.
        multipliers: PERMUTATIONS odd uint64.
        longest: bytes of the longest text.
        bands: the result.
    """
    units = np.empty(longest + 1, np.uint64)
    shingles = np.empty(longest + 1, np.uint64)
    minima = np.empty(BANDS * ROWS, np.uint32)
    for text in range(bands.shape[0]):
        count = hash_units(data, offsets[text], offsets[text + 1], units)
        total = hash_shingles(units, count, shingles)
        if total == 0:
            bands[text] = 0
            continue
        find_minima(shingles, total, multipliers, minima)
        for band in range(BANDS):
            value = uint64(band + 1)
            for row in range(ROWS):
                value = value * GOLDEN + uint64(minima[row * BANDS + band])
            bands[text, band] = mix(value)


@compiled
def compare(
    data: np.ndarray,
    offsets: np.ndarray,
    firsts: np.ndarray,
    seconds: np.ndarray,
    longest: int,
    jaccard: np.ndarray,
) -> None:
    """Exact Jaccard of the shingle sets of each pair of texts; 0 where neither has a unit.

    Nothing is cut: `longest` is the bytes of the longest text, and no text has more units.
    """
    units = np.empty(longest + 1, np.uint64)
    shingles = np.empty(longest + 1, np.uint64)
    size = 16
    while size < 2 * (longest + 1):
        size *= 2
    # A table of the first text's shingles; a slot counts as empty unless it carries this pair's
    # stamp, so it is never cleared. `met` is where the second text's shingles were seen.
    keys = np.empty(size, np.uint64)
    stamps = np.zeros(size, np.int64)
    met = np.zeros(size, np.int64)
    for pair in range(firsts.shape[0]):
        stamp = pair + 1
        sizes = 0
        shared = 0
        for side in range(2):
            text = firsts[pair] if side == 0 else seconds[pair]
            count = hash_units(data, offsets[text], offsets[text + 1], units)
            for place in range(hash_shingles(units, count, shingles)):
                key = shingles[place]
                slot = np.int64(key & uint64(size - 1))
                while stamps[slot] == stamp and keys[slot] != key:
                    slot = (slot + 1) & (size - 1)
                if stamps[slot] != stamp:
                    stamps[slot] = stamp
                    keys[slot] = key
                    met[slot] = -1 - stamp if side else 0
                    sizes += 1
                elif side and met[slot] == 0:
                    met[slot] = stamp
                    shared += 1
        jaccard[pair] = shared / sizes if sizes else 0.0


@compiled
def root_of(parents: np.ndarray, row: int) -> int:
    """The lowest row of a row's cluster, halving the path to it."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@compiled
def join(parents: np.ndarray, firsts: np.ndarray, seconds: np.ndarray) -> None:
    """Join the clusters of each pair; the lower root stays root."""
    for pair in range(firsts.shape[0]):
        first, second = root_of(parents, firsts[pair]), root_of(parents, seconds[pair])
        parents[max(first, second)] = min(first, second)


@compiled
def settle(parents: np.ndarray) -> None:
    """Point every row at its root."""
    for row in range(parents.shape[0]):
        parents[row] = root_of(parents, row)


@compiled
def mark(hashes: np.ndarray, seen: np.ndarray, shared: np.ndarray) -> None:
    """Set the bit of each hash in `seen`, and in `shared` those that were set already.

    Both are uint8, a power of two of them. Without a branch: a fifth of the rows would take it,
    too many and too few to be foreseen.
    """
    last = uint64(8 * seen.shape[0] - 1)
    for row in range(hashes.shape[0]):
        slot = hashes[row] & last
        place = np.int64(slot >> uint64(3))
        bit = np.uint8(1 << np.int64(slot & uint64(7)))
        before = seen[place]
        seen[place] = before | bit
        shared[place] |= before & bit


@compiled
def marked(hashes: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Ascending rows whose bit is set."""
    last = uint64(8 * bits.shape[0] - 1)
    rows = np.empty(hashes.shape[0], np.int32)
    count = np.int64(0)
    for row in range(hashes.shape[0]):
        slot = hashes[row] & last
        rows[count] = row
        count += np.int64(bits[np.int64(slot >> uint64(3))] >> np.uint8(slot & uint64(7))) & 1
    return rows[:count].copy()
