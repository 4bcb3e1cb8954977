"""What people type: links files, recipes, selections, changes, addresses of the gallery."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.ingest.downloading.links import parse_links
from sa1b_captions.quality.browse.finding.filters import parse_draw, parse_filters, search_patterns
from sa1b_captions.quality.browse.finding.orders import key_numbers, unit_key
from sa1b_captions.quality.browse.limits.limit_changes import parse_change
from sa1b_captions.recipe import parse_recipe
from sa1b_captions.shards import format_selection, parse_selection
from tests.fuzz.mutations import changed_json, damaged_bytes, require_sentence
from tests.support import builders

LINKS = (
    b"file_name\tcdn_link\n"
    b"sa_000000.tar\thttps://host.example/a%2Fb/0?e=1893456000&h=%22&amp;x=1\n"
    b"sa_000017.tar\thttps://host.example:443/17?X-Amz-Date=20260101T000000Z&X-Amz-Expires=60\r\n"
    b"sa_000001.tar https://[::1]/1?oe=77000000#f\n"
)
PIECES = st.sampled_from([*"0123456789,-_ \n٣", "sa_", "0-9", "000017", "1" * 400])
NAMES = st.sampled_from(["track", "shards", "reason", "seed", "text", "cluster", "order", "draw"])
WORDS = st.sampled_from(["min_chars", "zh.max_dup10", "off", "=", "nan", "1e400", "refusal", "."])
SAMPLES = ["single_en/sa_000017~21", "multi_zh/sa_000000~0~1.5", "q=1&seed=2#3", "~~", "nan~inf"]


@given(damaged_bytes([LINKS]).map(lambda data: data.decode("utf-8", "replace")))
def links(text: str) -> None:
    """A links file gives URLs whose secret part no message shows, or one sentence."""
    try:
        found = parse_links(text)
    except PermanentError as error:
        require_sentence(error)
        assert "1893456000" not in str(error)  # noqa: PT017  # the sentence is there, the secret not
        return
    assert found
    for shard, link in found.items():
        assert link.shard == shard
        assert link.url.lower().startswith(("http://", "https://"))
        assert "?" not in link.source
        assert "#" not in link.source


@given(changed_json([builders.demo_recipe().source]), st.booleans())
def recipe(source: Any, stored: bool) -> None:
    """A recipe is sound, or one sentence says what is not."""
    if not isinstance(source, dict):
        return  # TOML and the reader of stored JSON give nothing else
    try:
        found = parse_recipe(source, where="fuzz", stored=stored)
    except PermanentError as error:
        require_sentence(error, "fuzz")
        return
    assert found.fingerprint
    assert found.shards


@given(st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=8).map("".join))
def selection(text: str) -> None:
    """A selection is shards in order, or one sentence."""
    try:
        found = parse_selection(text)
    except PermanentError:
        return
    assert found == sorted(set(found))
    assert parse_selection(format_selection(found)) == found


@given(st.lists(st.one_of(WORDS, st.text(max_size=6)), max_size=5).map("".join))
def change(text: str) -> None:
    """A change of a limit is one, and can be written as it was read, or one sentence."""
    try:
        found = parse_change(text)
    except PermanentError:
        return
    assert parse_change(str(found)) == found


@given(
    st.dictionaries(NAMES, st.one_of(st.text(max_size=20), st.sampled_from(SAMPLES)), max_size=4),
    st.one_of(st.text(max_size=20), st.sampled_from(SAMPLES)),
)
def address(values: dict[str, str], key: str) -> None:
    """An address of the gallery is filters, a draw and a place, or one sentence."""
    try:
        found = parse_filters(values)
        search_patterns(found.text)
        assert found.draw is None or parse_draw(found.draw) == found
    except PermanentError:
        pass
    parse_draw(key)
    for read in (unit_key, lambda key: key_numbers(key, 2)):
        try:
            read(key)
        except PermanentError:
            continue
