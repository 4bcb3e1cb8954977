from sa1b_captions.quality.report.window_occupancy import (
    check_release,
    check_shard,
    occupancy_rows,
    sum_up,
)
from sa1b_captions.receipts import Occupancy
from sa1b_captions.receipts.findings import Verdict, judge

FED = Occupancy(0.98, 500)
STARVED = Occupancy(0.62, 500)
FEW = Occupancy(0.1, 5, "of 5 samples only, which tells little")
NOTHING = Occupancy(note="this run captioned nothing")


def test_tracks_that_were_captioned_together_share_a_row():
    found = {"single_en": FED, "single_zh": FED, "multi_en": NOTHING}
    assert occupancy_rows(found) == [(["single_en", "single_zh"], FED), (["multi_en"], NOTHING)]


def test_a_starving_engine_is_a_remark_and_changes_no_verdict():
    found = {"single_en": STARVED, "single_zh": FED, "multi_en": NOTHING, "multi_zh": FED}
    checks = check_shard(found)
    assert list(checks) == ["single_en", "single_zh"]
    ((low,), (fed,)) = checks.values()
    assert (low.success, low.severity, low.observed) == (False, "info", "0.62")
    assert (fed.success, fed.observed) == (True, "0.98")
    assert judge([low]) is Verdict.PASS


def test_few_samples_earn_no_remark():
    assert check_shard({"single_en": FEW}) == {}
    assert check_release(sum_up({"sa_000000": {"single_en": FEW}})) == []


def test_a_release_has_its_lowest_shards_first_and_those_that_say_little_nowhere():
    by_shard = {f"sa_{n:06d}": {"single_en": FED} for n in range(20)}
    by_shard |= {"sa_000007": {"single_en": STARVED}, "sa_000008": {"single_en": FEW}}
    by_shard |= {"sa_000009": {"multi_en": NOTHING}}
    found = sum_up(by_shard)
    assert (found.shards, found.low, found.median) == (18, 1, 0.98)
    assert found.lowest[0] == ("sa_000007", STARVED)
    assert len(found.lowest) == 10
    (remark,) = check_release(found)
    assert (remark.success, remark.observed) == (False, "17 of 18 shards")


def test_of_a_shard_captioned_in_two_runs_the_longer_one_counts():
    rest = Occupancy(0.5, 110)
    assert sum_up({"sa_000000": {"single_zh": rest, "single_en": FED}}).lowest[0][1] == FED


def test_a_release_without_numbers_says_so():
    found = sum_up({"sa_000000": {"single_en": NOTHING}, "sa_000001": {}})
    assert (found.shards, found.median, found.lowest) == (0, None, [])
    assert check_release(found) == []


def test_a_release_of_numbers_that_say_little_shows_them_all_the_same():
    assert sum_up({"sa_000000": {"single_en": FEW}}).lowest == [("sa_000000", FEW)]
