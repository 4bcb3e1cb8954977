"""Pages of a filter against what looking at every row finds."""

import dataclasses
import functools
import itertools
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.browse.caption_texts import CaptionTexts, sample_id
from sa1b_captions.quality.browse.finding import facet_counts, find
from sa1b_captions.quality.browse.finding.facets import read_facets
from sa1b_captions.quality.browse.finding.filters import Filters, parse_filters, search_patterns
from sa1b_captions.recipe import TRACKS
from sa1b_captions.storage import FileStore
from tests.support import builders, curated


class Campaign:
    """Three shards in two tracks, and everything in them."""

    def __init__(self, root):
        self.campaign = builders.demo_campaign(FileStore(root))
        self.receipts = {}
        for number, (track, rows) in itertools.product(
            range(3), (("single_en", 23), ("single_zh", 7))
        ):
            one = curated.put_curated(self.campaign, f"sa_{number:06d}", track, rows, number)
            self.receipts[f"{track}/{one.shard}"] = one
        empty = facet_counts.read_counts(self.campaign)
        self.counts = facet_counts.update_counts(
            empty, self.receipts, functools.partial(read_facets, self.campaign)
        )
        self.loaded = []
        self.all = pl.concat(
            read_facets(self.campaign, one)
            .rows.with_row_index("place")
            .with_columns(unit=pl.lit(unit))
            for unit, one in self.receipts.items()
        )

    def load(self, unit):
        self.loaded.append(unit)
        return read_facets(self.campaign, self.receipts[unit])

    def walk(self, filters, rows=5):
        """All samples of a filter, page by page."""
        found, after = [], ""
        while after is not None:
            page = find.find_page(self.counts, filters, after, self.load, rows=rows)
            found += [(hit.facets.unit, hit.place) for hit in page.hits]
            after = page.after
        return found

    def expected(self, filters):
        rows = self.all.filter(
            filters.of_facets(), pl.col("unit").is_in(filters.units(self.counts))
        )
        return {(row["unit"], row["place"]): row for row in rows.iter_rows(named=True)}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Campaign(tmp_path_factory.mktemp("find"))


FILTERS = st.builds(
    Filters,
    track=st.sampled_from(["", "single_en", "single_zh", "multi_en"]),
    shards=st.sampled_from(["", "0", "1-2", "17"]),
    verdict=st.sampled_from(["", "accepted", "rejected"]),
    reason=st.sampled_from(["", "too_short", "exact_duplicate", "refusal"]),
    engine=st.sampled_from(["", "preview", "lmdeploy"]),
    attempt=st.sampled_from([None, 1, 2]),
    min_chars=st.sampled_from([None, 0, 100, 300]),
    max_chars=st.sampled_from([None, 50, 320]),
    order=st.sampled_from(["plan", "short", "long", "random"]),
    seed=st.integers(0, 5),
)


@settings(deadline=None, max_examples=120)
@given(filters=FILTERS, rows=st.sampled_from([1, 4, 50]))
def test_pages_hold_every_sample_of_a_filter_once_and_in_order(small, filters, rows):
    found, expected = small.walk(filters, rows), small.expected(filters)
    assert len(found) == len(expected) == find.count(small.counts, filters)
    assert set(found) == set(expected)
    chars = [expected[key]["caption_chars"] for key in found]
    if filters.order == "plan":
        units = [(unit.split("/")[1], TRACKS.index(unit.split("/")[0])) for unit, _ in found]
        assert units == sorted(units)
    elif filters.order == "short":
        assert chars == sorted(chars)
    elif filters.order == "long":
        assert chars == sorted(chars, reverse=True)


def test_a_seed_shows_everybody_the_same_and_another_one_something_else(small):
    first = small.walk(Filters(order="random", seed=1))
    assert first == small.walk(Filters(order="random", seed=1), rows=50)
    assert first != small.walk(Filters(order="random", seed=2))


def test_any_beginning_of_a_random_sample_holds_each_shard_by_its_share(small):
    found = small.walk(Filters(order="random", seed=3))
    for size in range(1, len(found)):
        for unit, rows in (("single_en/sa_000000", 23), ("single_zh/sa_000002", 7)):
            share = sum(one == unit for one, _ in found[:size])
            assert math.floor(size * rows / 90) - 2 <= share <= math.ceil(size * rows / 90) + 2


def test_shards_that_come_later_leave_the_order_of_a_sample(small):
    two = facet_counts.FacetCounts(
        small.counts.rows.filter(~pl.col("unit").cast(pl.String).str.ends_with("2")),
        {unit: seen for unit, seen in small.counts.units.items() if not unit.endswith("2")},
    )
    filters = Filters(order="random", seed=4)
    page = find.find_page(two, filters, "", small.load, rows=100)
    before = [(hit.facets.unit, hit.place) for hit in page.hits]
    after = [hit for hit in small.walk(filters) if not hit[0].endswith("2")]
    assert before == after


def test_a_page_reads_only_units_that_have_some(small):
    small.loaded.clear()
    small.walk(Filters(track="single_zh", shards="1", order="long"), rows=50)
    assert set(small.loaded) == {"single_zh/sa_000001"}
    small.loaded.clear()
    page = find.find_page(small.counts, Filters(), "", small.load, rows=10)
    assert len(page.hits) == 10
    assert small.loaded == ["single_en/sa_000000"]


@pytest.mark.parametrize("key", ["x", "~", "single_en/sa_000000~", "../..~1", "nan~nan~nan", "1~2"])
@pytest.mark.parametrize("order", ["plan", "short", "random"])
def test_a_key_that_is_none_is_refused(small, key, order):
    if (order, key) == ("random", "1~2"):
        return
    with pytest.raises(PermanentError, match="where the page begins"):
        find.find_page(small.counts, Filters(order=order), key, small.load)


def search(small, filters, rows=100, after=""):
    texts = CaptionTexts(small.campaign)
    patterns = search_patterns(filters.text)
    return find.search_page(
        small.counts,
        filters,
        after,
        small.load,
        lambda facets, places: texts.search(facets, places, patterns),
        rows=rows,
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("KETTLE", 3 * 21),
        ("kettl", 0),
        ('"kettl"', 3 * 21),
        ("number 1005", 1),
        ("mug 5", 1),
        ("水壶", 3 * 6),
        ("红色 木桌", 3 * 6),
        ("Short.", 6),
        ("no.such[word", 0),
    ],
)
@pytest.mark.parametrize("order", ["plan", "random"])
def test_words_are_found_wherever_they_stand(small, text, found, order):
    filters = parse_filters({"text": text, "order": order})
    page = search(small, filters)
    assert (len(page.hits), page.after) == (found, None)
    walked, after = 0, ""
    while after is not None:
        page = search(small, filters, 5, after)
        walked, after = walked + len(page.hits), page.after
    assert walked == found


def test_a_search_that_takes_long_says_how_far_it_is_and_goes_on(small, monkeypatch):
    monkeypatch.setattr(find, "SEARCH_S", -1.0)
    page = search(small, Filters(text="mug"))
    assert (page.hits, page.searched) == ([], (0, 6))
    assert page.after == "single_en/sa_000000~-1"
    monkeypatch.setattr(find, "SEARCH_S", 60.0)
    assert len(search(small, Filters(text="mug"), after=page.after).hits) == 3 * 21


def test_texts_come_from_blocks_and_where_those_are_others_from_the_curated_tables(small):
    texts = CaptionTexts(small.campaign)
    page = find.find_page(small.counts, Filters(order="random"), "", small.load, rows=100)
    rows = texts.read(page.hits)
    assert [row["sample_id"] for row in rows] == [
        sample_id(hit.facets, hit.place) for hit in page.hits
    ]
    assert [len(row["caption"]) for row in rows] == [
        hit.facets.rows["caption_chars"][hit.place] for hit in page.hits
    ]
    unnoted = [
        dataclasses.replace(hit, facets=dataclasses.replace(hit.facets, generation=None))
        for hit in page.hits
    ]
    assert CaptionTexts(small.campaign).read(unnoted) == rows


@pytest.mark.parametrize(
    "values",
    [
        {"track": "single"},
        {"verdict": "perhaps"},
        {"reason": "x"},
        {"order": "sideways"},
        {"min_chars": "-1"},
        {"attempt": "one"},
        {"shards": "a-b"},
        {"text": "x" * 201},
        {"cluster": "../../etc/passwd"},
        {"seed": "9" * 10},
    ],
)
def test_an_address_that_says_nothing_sensible_is_refused(values):
    with pytest.raises(PermanentError):
        parse_filters(values)


@given(filters=FILTERS)
def test_an_address_says_all_of_a_filter(filters):
    from urllib.parse import parse_qsl

    assert parse_filters(dict(parse_qsl(filters.query()))) == filters
