import bisect
import json
import math
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sa1b_captions import layout, records
from sa1b_captions.campaign import open_campaign
from sa1b_captions.cli import app
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.health.reference import read_reference
from sa1b_captions.quality.thresholds import Trial, _values, find_knee
from sa1b_captions.receipts.receipt_files import caption_place, curate_place, read_receipt
from sa1b_captions.recipe import load_recipe
from sa1b_captions.stages.calibrate import calibrate
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import FileStore
from tests.support import builders

RECIPE = Path(__file__).parents[2] / "tests" / "support" / "two_shards.toml"
TRACK = "single_en"
SHARDS = ["sa_000000", "sa_000001"]
WORDS = (
    *("red", "kettle", "table", "white", "cup", "wooden", "chair"),
    *("window", "garden", "path", "tree", "river", "bridge", "cloud"),
)


def caption(rng, sentences):
    text = [
        f"The {' '.join(rng.sample(WORDS, 5))} stands in the light of day."
        for _ in range(sentences)
    ]
    return " ".join(text)


def fill(campaign, shard, captions):
    rows = builders.caption_rows(campaign.recipe, TRACK, shard, captions)
    builders.put_captions(campaign, shard, TRACK, rows)
    curate_shard(campaign, shard, tracks=[TRACK])


@pytest.fixture(scope="module")
def curated(tmp_path_factory):
    """A folder with two curated shards, for every test to copy."""
    folder = tmp_path_factory.mktemp("curated")
    campaign = builders.demo_campaign(FileStore(folder))
    rng = random.Random(5)
    for shard in SHARDS:
        captions = [caption(rng, rng.choice((5, 6, 7))) for _ in range(300)]
        fill(
            campaign, shard, [*captions, "Too short to be a description.", "A <image> again. " * 20]
        )
    return folder


@pytest.fixture(scope="module")
def look(curated, tmp_path_factory):
    """What calibrate finds of the two shards."""
    folder = tmp_path_factory.mktemp("look")
    shutil.copytree(curated, folder, dirs_exist_ok=True)
    (track,) = run(builders.demo_campaign(FileStore(folder))).tracks
    return track


@pytest.fixture
def campaign(curated, tmp_path):
    shutil.copytree(curated, tmp_path, dirs_exist_ok=True)
    return builders.demo_campaign(FileStore(tmp_path))


def run(campaign, **options):
    return calibrate(campaign, SHARDS, tracks=[TRACK], **options)


def reopened(campaign):
    return open_campaign(campaign.store, campaign.name)


def test_a_look_changes_nothing(campaign, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    found = run(campaign)
    assert not found.pinned
    assert found.tracks[0].captions == 604
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert read_reference(reopened(campaign)) is None


def test_the_present_limit_rejects_what_curate_rejected(campaign, look):
    rows = [
        row
        for shard in SHARDS
        for row in records.read_table(
            campaign.store,
            layout.curated_key(campaign.name, TRACK, shard, "rejected.parquet"),
            ["reasons"],
        )
        .column("reasons")
        .to_pylist()
    ]
    rules = Counter(one.rule for one in look.limits)
    for one in look.limits:
        if one.limit is None or rules[one.rule] == 1:
            (now,) = [trial.rows for trial in one.trials if trial.present]
            if one.rule != "length_outlier":  # not judged before a reference is pinned
                assert now == sum(one.rule in reasons for reasons in rows), one.rule


def test_a_looser_limit_never_rejects_more(look):
    for one in look.limits:
        rows = [trial.rows for trial in one.trials]
        stricter_upwards = (one.limit or "").startswith("min_")
        assert rows == sorted(rows, reverse=not stricter_upwards), one


def test_no_share_above_one_is_tried():
    assert max(_values("min_stopword_share", 0.6)) == 1
    assert max(_values("max_echo_units", 2)) == 20


def curve(*shares, rows=10_000):
    return tuple(
        Trial(value, value == 0, round(share * rows), round(share * rows))
        for value, share in enumerate(shares)
    )


def test_the_knee_is_where_the_bulk_of_captions_ends():
    """From 3 on a looser limit saves hardly a caption, until the broken ones pass too."""
    found = find_knee(curve(0.9, 0.4, 0.05, 0.004, 0.0036, 0.0034, 0.0033, 0.003), 10_000)
    assert found is not None
    assert found.value == 3


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.05, 0.5),
    st.floats(0.02, 0.1),
    st.floats(0.002, 0.02),
    st.integers(0, 1000),
)
def test_the_knee_parts_planted_faults_from_the_rest(middle, width, faulty, seed):
    """Captions spread about a middle, faults far above: the knee rejects these and few others."""
    rng = random.Random(seed)
    rows = 5000
    faults = math.ceil(faulty * rows)
    numbers = [rng.gauss(middle, width) for _ in range(rows - faults)]
    numbers += [middle + width * rng.uniform(8, 20) for _ in range(faults)]
    numbers.sort()
    trials = []
    for step in range(33):
        value = middle + width * (step - 4) / 2
        alone = rows - bisect.bisect_right(numbers, value)
        trials.append(Trial(value, step == 0, alone, alone))
    knee = find_knee(tuple(trials), rows)
    assert knee is not None
    assert middle + 2 * width <= knee.value < middle + 8 * width
    assert faults <= knee.alone <= faults + 0.03 * rows


@pytest.mark.parametrize(
    "shares",
    [
        (0.004, 0.002, 0.001, 0.0),  # no bulk: even the strictest rejects next to nothing
        (0.9, 0.9, 0.9, 0.9),  # nothing falls
        (0.9, 0.88, 0.8, 0.5),  # falls, and is still falling at the loosest
    ],
)
def test_a_curve_without_a_bend_has_no_knee(shares):
    assert find_knee(curve(*shares), 10_000) is None


def test_a_limit_reaches_a_share_at_the_strictest_value_that_keeps_it(look):
    (short,) = [one for one in look.limits if one.limit == "min_chars"]
    reached = short.reaching(0.1, look.captions)
    assert reached.alone <= 0.1 * look.captions
    (next_stricter,) = [
        trial
        for trial, looser in zip(short.trials[1:], short.trials, strict=False)
        if looser == reached
    ]
    assert next_stricter.alone > 0.1 * look.captions


def test_what_a_limit_alone_rejects_is_no_more_than_its_rule(look):
    for one in look.limits:
        assert all(0 <= trial.alone <= trial.rows for trial in one.trials), one


def test_examples_are_captions_that_the_rule_rejects(look):
    (short,) = [one for one in look.limits if one.rule == "too_short"]
    assert {look.examples[sample] for sample in short.rejected} == {
        "Too short to be a description."
    }
    assert all(len(look.examples[sample]) >= 200 for sample in short.at_stake)


def test_a_pinned_reference_makes_outliers_without_captioning_again(campaign):
    odd = caption(random.Random(9), 24)
    assert len(odd) < campaign.recipe.quality.languages["en"].max_chars
    fill(campaign, "sa_000002", [caption(random.Random(n), 6) for n in range(50)] + [odd])
    place = curate_place(campaign.name, TRACK, "sa_000002")
    assert "length_outlier" not in read_receipt(campaign.store, place).reasons
    captions = read_receipt(campaign.store, caption_place(campaign.name, TRACK, "sa_000002"))

    assert run(campaign, pin=True).pinned
    pinned = reopened(campaign)
    assert pinned.quality_fingerprint != campaign.quality_fingerprint
    curate_shard(pinned, "sa_000002", tracks=[TRACK])
    assert read_receipt(campaign.store, place).reasons == {"length_outlier": 1}
    assert (
        read_receipt(campaign.store, caption_place(campaign.name, TRACK, "sa_000002")) == captions
    )


def test_pinning_the_same_again_changes_nothing_and_another_takes_replace(campaign):
    fill(campaign, "sa_000002", [caption(random.Random(n), 6) for n in range(600)])
    assert calibrate(campaign, ["sa_000002"], tracks=[TRACK], pin=True).pinned
    pinned = reopened(campaign)
    curate_shard(pinned, "sa_000002", tracks=[TRACK])
    assert not calibrate(pinned, ["sa_000002"], tracks=[TRACK], pin=True).pinned
    fill(pinned, "sa_000003", [caption(random.Random(n), 9) for n in range(600)])
    with pytest.raises(PermanentError, match="has a reference already.*--replace"):
        calibrate(pinned, ["sa_000003"], tracks=[TRACK], pin=True)
    assert calibrate(pinned, ["sa_000003"], tracks=[TRACK], pin=True, replace=True).pinned


def test_a_shard_that_is_not_curated_is_named(campaign):
    with pytest.raises(
        PermanentError, match=r"single_en: shard 7 must be curated first \(sa_000007: not cap"
    ):
        calibrate(campaign, [*SHARDS, "sa_000007"], tracks=[TRACK])


def test_too_few_captions_can_be_looked_at_and_make_no_reference(campaign):
    found = calibrate(campaign, SHARDS[:1], tracks=[TRACK])
    assert found.tracks[0].limits
    assert "302 captions in 1 shard are too few" in found.unfit
    with pytest.raises(PermanentError, match="302 captions in 1 shard are too few"):
        calibrate(campaign, SHARDS[:1], tracks=[TRACK], pin=True)
    assert read_reference(reopened(campaign)) is None


def test_a_reference_changed_by_hand_is_refused(campaign):
    run(campaign, pin=True)
    content = json.loads(campaign.store.read(layout.reference_key(campaign.name)))
    content["tracks"][TRACK]["median_log_chars"] += 0.1
    campaign.store.write(layout.reference_key(campaign.name), json.dumps(content).encode())
    with pytest.raises(PermanentError, match="is not what was pinned"):
        curate_shard(reopened(campaign), "sa_000000", tracks=[TRACK])


def test_the_command_ends_with_the_table_and_shows_no_control_characters(tmp_path, monkeypatch):
    campaign = open_campaign(FileStore(tmp_path), "demo", load_recipe(str(RECIPE)))
    captions = [caption(random.Random(n), 6) for n in range(600)]
    fill(campaign, "sa_000000", [*captions, "\x1b[31mred\n"])
    monkeypatch.setenv("CAPTIONS_ROOT", tmp_path.as_uri())
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", "demo")
    monkeypatch.setenv("CAPTIONS_RECIPE", str(RECIPE))
    command = ["calibrate", "--shards", "0", "--tracks", TRACK]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "rejects single_en/sa_000000/601: \N{REPLACEMENT CHARACTER}[31mred" in done.stdout
    assert "\x1b" not in done.stdout
    *_, replaced, nothing, last = done.stdout.splitlines()
    assert replaced.split()[0] == "replacement_character"
    assert (nothing, last) == ("", "Nothing is changed.")

    (line,) = CliRunner().invoke(app, [*command, "--json"]).stdout.splitlines()
    found = json.loads(line)
    assert found["pinned"] is False
    (length,) = [one for one in found["tracks"][TRACK]["limits"] if one["limit"] == "min_chars"]
    assert length["knee"] in length["trials"]
