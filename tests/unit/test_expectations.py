"""The one place that imports Great Expectations besides test_validate.py: some seconds, once."""

from dataclasses import replace

import pyarrow as pa
import pytest

from sa1b_captions import records
from sa1b_captions.chance import allowed_share
from sa1b_captions.quality import expectations, metrics, release_expectations
from sa1b_captions.quality.checks import Checker
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.receipts.findings import Check, Measure, Verdict, judge
from tests.support import builders

RECIPE = builders.demo_recipe()
ROWS = 40


@pytest.fixture(scope="module")
def checker():
    return Checker()


def features(changes=None, rows=ROWS):
    """Features of fit English captions, some rows changed: {row: {column: value}}."""
    table = [
        {
            "sample_id": f"single_en/sa_000000/{row}",
            "language": "en",
            "status": "ok",
            "rejected": 0,
            "reasons": 0,
            "caption_chars": 300,
            "of_recipe_model": 1,
        }
        for row in range(rows)
    ]
    for row, values in (changes or {}).items():
        table[row] |= values
    table = pa.Table.from_pylist(table, schema=records.FEATURE_SCHEMA)
    return expectations.shard_frame(table)


def check(checker, frame, planned=ROWS):
    return checker.check(frame, expectations.shard_suite(RECIPE, "single_en", planned))


def failed(checks):
    return [check.name for check in checks if not check.success]


def test_a_sound_shard_passes(checker):
    rejected = {"status": "undecodable", "rejected": 1, "reasons": 1, "caption_chars": 0}
    checks = check(checker, features({3: rejected | {"status": "ok"}}))
    assert failed(checks) == []
    assert judge(checks) == Verdict.PASS
    found = {check.name: check.observed for check in checks}
    assert found["all_rows"] == "40"
    assert found["accepted_length"] == "all 39"
    assert found["rejected_with_reason"] == "the only one"
    assert found["rejected_warning"] == "2.5%"


REJECTED = {"rejected": 1, "reasons": 1}


FAULTS = [
    # what is wrong with one row, the checks it fails
    ({"sample_id": None}, "sample_id_given"),
    ({"sample_id": "single_en/sa_000000/39"}, "sample_id_unique"),
    ({"language": None}, "language_given"),
    ({"language": "zh"}, "language"),
    ({"reasons": 2}, "accepted_without_reason"),
    ({"rejected": 1}, "rejected_with_reason"),
    ({"status": "truncated"}, "accepted_captioned"),
    ({"caption_chars": 199}, "accepted_length"),
    ({"caption_chars": 2001}, "accepted_length"),
    ({"of_recipe_model": 0}, "recipe_model"),
    (REJECTED | {"status": "undecodable"}, "decodable"),
]


def test_each_fault_fails_its_own_check_and_no_other(checker):
    checks = check(checker, features({row: fault for row, (fault, _) in enumerate(FAULTS)}))
    assert {
        check.name: (check.severity, check.observed) for check in checks if not check.success
    } == {
        "sample_id_given": ("critical", "not so in 1 of 40"),
        "sample_id_unique": ("critical", "not so in 2 of 40"),
        "language_given": ("critical", "not so in 1 of 40"),
        "language": ("critical", "not so in 1 of 40"),
        "accepted_without_reason": ("critical", "not so in 1 of 38"),
        "rejected_with_reason": ("critical", "not so in 1 of 2"),
        "accepted_captioned": ("critical", "not so in 1 of 38"),
        "accepted_length": ("critical", "not so in 2 of 38"),
        "recipe_model": ("warning", "not so in 1 of 40"),
        "decodable": ("info", "not so in 1 of 40"),
    }
    assert {name for _, name in FAULTS} == set(failed(checks))


@pytest.mark.parametrize(("rows", "verdict"), [(6, "pass"), (7, "warn"), (10, "fail")])
def test_the_share_of_rejected_rows_decides_by_its_limits(checker, rows, verdict):
    checks = check(checker, features(dict.fromkeys(range(rows), REJECTED)))
    assert judge(checks) == verdict


def test_no_rows_never_pass(checker):
    checks = check(checker, features(rows=0), planned=0)
    assert judge(checks) == Verdict.FAIL
    assert {"enough_rows", "some_accepted"} <= set(failed(checks))


def test_a_shard_whose_rows_are_all_rejected_fails(checker):
    checks = check(checker, features(dict.fromkeys(range(ROWS), REJECTED)))
    assert "some_accepted" in failed(checks)


def test_lost_rows_fail(checker):
    assert failed(check(checker, features(), planned=41)) == ["all_rows"]


def test_a_crashed_check_says_so(checker):
    checks = check(checker, features().drop_columns(["reasons_accepted", "reasons_rejected"]))
    crashed = [check.name for check in checks if check.crashed]
    assert crashed == ["accepted_without_reason", "rejected_with_reason"]
    assert all("reasons" in check.observed for check in checks if check.crashed)


def test_chance_widens_the_limit_of_few_rows_more_than_that_of_many():
    assert allowed_share(0.1, 79) == pytest.approx(0.201, abs=0.001)
    assert allowed_share(0.1, 11_000) == pytest.approx(0.109, abs=0.001)
    assert allowed_share(0.5, 1) == 1


def test_no_column_of_features_can_hold_a_caption():
    texts = {field.name for field in records.FEATURE_SCHEMA if field.type == pa.string()}
    assert texts == {"sample_id", "language", "status"}


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ([], "pass"),
        (["info"], "pass"),
        (["info", "warning"], "warn"),
        (["warning", "critical", "info"], "fail"),
    ],
)
def test_the_gravest_failed_check_decides(severities, verdict):
    checks = [Check("name", "", severity, False, False, "") for severity in severities]
    assert judge([*checks, Check("holds", "", "critical", True, False, "")]) == verdict


def receipts(**counts):
    numbers = {"planned": 100, "accepted": 99, "rejected": 1} | counts
    others = {"track": "", "reasons": {}, "recipe_fingerprint": "", "quality_fingerprint": ""}
    others |= {"signature_version": "", "input": ""}
    return [CurateReceipt(shard=shard, **numbers, **others) for shard in RECIPE.shards]


def duplicates(rows=0):
    table = [
        {"sample_id": f"s{row}", "shard_number": 1, "winner": "w", "kind": "exact"}
        for row in range(rows)
    ]
    return pa.Table.from_pylist(table, schema=records.DUPLICATE_SCHEMA)


MEASURES = [
    Measure("psi", "reference", 0.01, 0.0, 1.0, None),
    Measure("ks_distance", "reference", 0.02, 0.0, 1.0, None),
    Measure("tail_share", "reference", 0.001, 0.0, 1.0, None),
    Measure("psi", "neighbours", 0.5, 0.0, 1.0, None),
]


def check_release(checker, verdict="pass", repeated=0, drop=0, judged=None, **counts):
    by_shard = metrics.shard_metrics(
        dict.fromkeys(RECIPE.tracks, receipts()) | {"multi_zh": receipts(**counts)},
        dict.fromkeys(RECIPE.tracks, duplicates()) | {"multi_zh": duplicates(repeated)},
        dict.fromkeys(RECIPE.shards, "pass") | {"sa_000001": verdict},
        dict.fromkeys(judged or RECIPE.shards, dict.fromkeys(RECIPE.tracks, MEASURES)),
    )
    by_shard = by_shard.slice(drop)
    totals = metrics.total_metrics(by_shard)
    return [
        *checker.check(by_shard, release_expectations.release_suite(RECIPE)),
        *checker.check(totals, release_expectations.totals_suite(RECIPE)),
    ]


@pytest.mark.parametrize(("target", "names"), [(197, []), (198, []), (199, ["target_multi_zh"])])
def test_a_release_below_its_target_fails(checker, target, names):
    tracks = RECIPE.tracks | {"multi_zh": replace(RECIPE.tracks["multi_zh"], target=target)}
    totals = metrics.total_metrics(
        metrics.shard_metrics(
            dict.fromkeys(RECIPE.tracks, receipts()),
            dict.fromkeys(RECIPE.tracks, duplicates()),
            dict.fromkeys(RECIPE.shards, "pass"),
            {},
        )
    )
    checks = checker.check(
        totals, release_expectations.totals_suite(replace(RECIPE, tracks=tracks))
    )
    assert failed(checks) == names
    assert judge(checks) == (Verdict.FAIL if names else Verdict.PASS)
    assert {check.name: check.observed for check in checks}["target_multi_zh"] == "198"


@pytest.mark.parametrize(
    ("fault", "names", "verdict"),
    [
        ({}, [], "pass"),
        ({"verdict": "warn"}, [], "pass"),
        ({"verdict": "fail"}, ["shards_valid"], "fail"),
        ({"verdict": "outdated"}, ["shards_valid"], "fail"),
        ({"drop": 1}, ["all_shards"], "fail"),
        ({"accepted": 98}, ["nothing_lost"], "fail"),
        ({"accepted": 93, "rejected": 7}, ["left_out_warning"], "warn"),
        ({"accepted": 89, "rejected": 11}, ["left_out_critical", "left_out_warning"], "fail"),
        ({"repeated": 3}, ["few_duplicates"], "pass"),
        ({"judged": ["sa_000000"]}, ["health_judged"], "pass"),
    ],
)
def test_each_fault_of_a_release_fails_its_own_check(checker, fault, names, verdict):
    checks = check_release(checker, **fault)
    assert failed(checks) == names
    assert judge(checks) == verdict


def test_the_metrics_table_holds_the_health_against_the_reference_or_nothing():
    curated = {"single_en": receipts()}
    health = {"sa_000000": {"single_en": MEASURES}, "sa_000001": {"single_en": []}}
    rows = metrics.shard_metrics(curated, {"single_en": duplicates()}, {}, health).to_pylist()
    judged = ("rejected_share", "psi", "ks_distance", "tail_share")
    assert [rows[0][name] for name in judged] == [0.01, 0.01, 0.02, 0.001]
    assert [rows[1][name] for name in judged] == [0.01, None, None, None]


def test_a_release_of_nothing_fails(checker):
    checks = check_release(checker, drop=8)
    assert judge(checks) == Verdict.FAIL
    assert {"all_shards", "all_tracks", "some_released"} <= set(failed(checks))
