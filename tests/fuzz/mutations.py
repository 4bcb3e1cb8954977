"""Input that was sound once: bytes with holes and lies, JSON with values that do not belong."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "0", "-1", "1e999", "\ud800", "../..", "sa_000000", "single_en", "\0"]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def damaged_bytes(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with a few bits flipped, and parts of it overwritten, cut out or repeated."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        here = data[at : at + 1]
        flipped = st.sampled_from([bytes(b ^ (1 << bit) for b in here) for bit in range(8)])
        patch = draw(st.one_of(flipped, st.binary(max_size=40), st.just(data[at : at + 200])))
        cut = draw(st.sampled_from([0, 1, len(patch), 200, len(data)]))
        data = data[:at] + patch + data[at + cut :]
    return data


@st.composite
def changed_json(draw: st.DrawFn, seeds: list[Any]) -> Any:
    """A seed of which a few values, somewhere within, are others, are gone, or are more."""
    content = [copy.deepcopy(draw(st.sampled_from(seeds)))]
    for _ in range(draw(st.integers(0, 3))):
        parent: Any = content
        while True:
            places = list(range(len(parent))) if isinstance(parent, list) else sorted(parent)
            place = draw(st.sampled_from(places))
            inner = parent[place]
            if not isinstance(inner, list | dict) or not inner or draw(st.booleans()):
                break
            parent = inner
        match draw(st.sampled_from(["other", "other", "gone", "more"])):
            case "gone" if parent is not content:
                del parent[place]
            case "more" if isinstance(parent, dict):
                parent[draw(st.text(max_size=8))] = draw(VALUES)
            case _:
                parent[place] = draw(VALUES)
        if not content[0]:
            break
    return content[0]


def require_sentence(error: Exception, *words: str) -> None:
    """An error is one line that has these words."""
    assert "\n" not in str(error)
    assert all(word in str(error) for word in words)


def json_bytes(content: Any) -> bytes:
    """As a careless program would write it: with NaN, and with halves of surrogates."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
