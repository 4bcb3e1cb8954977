import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.shards import (
    format_selection,
    pack,
    parse_selection,
    shard_name,
    shard_number,
    shards_of_date,
)

numbers = st.sets(st.integers(0, 999_999), min_size=1, max_size=30)
START = dt.date(2026, 11, 1)
ALL = [shard_name(n) for n in range(25)]


@given(numbers)
def test_a_selection_survives_formatting_and_parsing(chosen):
    shards = [shard_name(n) for n in sorted(chosen)]
    assert parse_selection(format_selection(shards)) == shards


@given(st.integers(0, 999_999))
def test_a_shard_has_one_name(number):
    assert shard_number(shard_name(number)) == number


def test_numbers_ranges_and_names_mix():
    assert parse_selection(" 3, 0-1,sa_000017 ") == [
        "sa_000000",
        "sa_000001",
        "sa_000003",
        "sa_000017",
    ]


@pytest.mark.parametrize("text", ["", ",", "a", "1-", "sa_17x", "5-3", "1;2", "-1"])
def test_a_malformed_selection_is_an_error_that_shows_it(text):
    with pytest.raises(PermanentError):
        parse_selection(text)


def test_days_cover_every_shard_once_and_then_nothing():
    days = [START + dt.timedelta(n) for n in range(-1, 5)]
    taken = [shards_of_date(day, start_date=START, shards=ALL, shards_per_run=10) for day in days]
    assert [len(shards) for shards in taken] == [0, 10, 10, 5, 0, 0]
    assert [shard for shards in taken for shard in shards] == ALL


@given(numbers, st.integers(1, 10))
def test_packs_hold_every_shard_once_and_in_order(chosen, size):
    shards = [shard_name(number) for number in sorted(set(chosen))]
    packs = pack(shards, size)
    assert [shard for text in packs for shard in parse_selection(text)] == shards
    assert all(len(parse_selection(text)) == size for text in packs[:-1])
