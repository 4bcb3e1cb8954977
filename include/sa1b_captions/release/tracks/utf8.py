"""The bytes of a column of texts, to look at all of them at once."""

import numpy as np
import pyarrow as pa


def utf8(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Bytes of texts, one after the other, without copying them.

    Args:
        texts: of type `large_string`.

    Returns:
        All bytes (uint8), and where each text begins in them and the last one ends (int64, one
        more than there are texts). Bytes of nulls are anything.
    """
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return np.empty(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]], ends - ends[0]
