import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.quality.projection import check_projection, project
from sa1b_captions.stages.status.status import project_tracks, read_status
from sa1b_captions.storage import FileStore
from tests.support import builders, releases

TRACK = replace(builders.demo_recipe().tracks["single_zh"], target=1_000_000)


def test_nothing_is_projected_from_nothing():
    assert project(TRACK, [], 1000) is None
    assert check_projection(None) == []


def test_shards_that_lose_too_much_warn_long_before_the_last():
    rng = random.Random(7)
    few = [990 + rng.randint(-8, 8) for _ in range(20)]
    found = project(TRACK, few, 1000)
    assert found.falls_short
    assert found.low < found.rows < found.high < 1_000_000
    (check,) = check_projection(found)
    assert (check.severity, check.success) == ("warning", False)
    assert "1,000,000" in check.description
    assert "short of a target" in found.describe()


def test_what_chance_explains_is_in_doubt_and_does_not_warn():
    found = project(TRACK, [999, 1020, 980, 1010, 985, 1001], 1000)
    assert found.in_doubt
    assert not found.falls_short
    (check,) = check_projection(found)
    assert check.success
    assert "perhaps short" in found.describe()


def test_enough_is_enough():
    found = project(TRACK, [1030, 1031, 1029, 1030, 1030], 1000)
    assert not found.falls_short
    assert not found.in_doubt
    assert found.describe().endswith("for a target of 1,000,000")


def test_few_shards_say_nothing_of_the_spread():
    found = project(TRACK, [900, 901, 899, 900], 1000)
    assert (found.rows, found.low, found.high) == (900_000, 0, None)
    assert not found.falls_short
    assert check_projection(found) == []


def test_without_a_target_there_is_nothing_to_warn_of():
    found = project(replace(TRACK, target=None), [1] * 9, 10)
    assert not found.falls_short
    assert not found.in_doubt
    assert check_projection(found) == []


@given(st.lists(st.integers(0, 1053), min_size=1, max_size=40))
def test_all_shards_leave_no_doubt(accepted):
    found = project(TRACK, accepted, len(accepted))
    assert found.low == found.rows == found.high == sum(accepted)
    assert found.falls_short == (sum(accepted) < TRACK.target)


def test_the_interval_holds_what_comes_as_often_as_three_deviations_promise():
    rng = random.Random(14)
    held = 0
    for _ in range(400):
        shards = [sum(rng.random() < 0.97 for _ in range(79)) for _ in range(60)]
        found = project(TRACK, shards[:20], 60)
        assert found.low >= sum(shards[:20])
        held += found.low <= sum(shards) <= found.high
    assert held >= 0.98 * 400


def test_projections_are_read_from_what_is_curated(tmp_path):
    campaign = builders.demo_campaign(FileStore(tmp_path))
    assert project_tracks(campaign, read_status(campaign)) == []
    releases.put_curated(campaign, "single_zh", "sa_000000", ["一条路。", "一座山。"])
    (found,) = project_tracks(campaign, read_status(campaign))
    assert (found.track, found.curated, found.shards, found.rows) == ("single_zh", 1, 2, 4)
