from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.caption.sampling import IndexedImage, plan_track, work_order
from tests.support import builders

RECIPE = builders.demo_recipe()
image_ids = st.lists(st.integers(1, 10**7), unique=True, max_size=40)


def index(ids, problems=None):
    return [
        IndexedImage(i, f"sa_{i}.jpg", 512 + n * 2000, 1500, 96, 64, (problems or {}).get(i))
        for n, i in enumerate(ids)
    ]


@given(image_ids)
def test_every_image_is_planned_once_in_archive_order(ids):
    plan = plan_track(RECIPE, RECIPE.tracks["single_en"], "sa_000007", index(ids))
    assert [s.sample_id for s in plan] == [f"single_en/sa_000007/{i}" for i in ids]
    assert [s.position for s in plan] == list(range(len(ids)))


@given(image_ids)
def test_a_quota_takes_that_many_in_archive_order(ids):
    track = RECIPE.tracks["single_zh"]
    plan = plan_track(RECIPE, track, "sa_000000", index(ids))
    chosen = [s.images[0].image_id for s in plan]
    assert len(chosen) == min(len(ids), track.samples_per_shard)
    assert chosen == [i for i in ids if i in set(chosen)]


@given(image_ids, st.randoms())
def test_the_choice_does_not_depend_on_archive_order(ids, rng):
    track = RECIPE.tracks["single_zh"]
    shuffled = rng.sample(ids, len(ids))
    one = {s.sample_id for s in plan_track(RECIPE, track, "sa_000000", index(ids))}
    other = {s.sample_id for s in plan_track(RECIPE, track, "sa_000000", index(shuffled))}
    assert one == other


@given(image_ids)
def test_groups_share_no_image_and_keep_to_the_recipes_sizes(ids):
    track = RECIPE.tracks["multi_en"]
    plan = plan_track(RECIPE, track, "sa_000000", index(ids))
    used = [image.image_id for sample in plan for image in sample.images]
    assert len(used) == len(set(used))
    assert len(plan) <= track.samples_per_shard
    assert all(track.images_min <= len(s.images) <= track.images_max for s in plan)
    assert len(plan) == track.samples_per_shard or len(ids) - len(used) < track.images_max


def test_both_languages_group_different_images():
    images = index(range(1, 400))
    groups = [
        {
            s.sample_id.split("/")[-1]
            for s in plan_track(RECIPE, RECIPE.tracks[t], "sa_000000", images)
        }
        for t in ("multi_en", "multi_zh")
    ]
    assert groups[0] != groups[1]


def test_a_broken_image_is_planned_alone_but_never_in_a_group():
    images = index([1, 2, 3, 4], problems={1: "truncated", 2: "no_annotation"})
    singles = plan_track(RECIPE, RECIPE.tracks["single_en"], "sa_000000", images)
    groups = plan_track(RECIPE, RECIPE.tracks["multi_en"], "sa_000000", images)
    assert [s.images[0].image_id for s in singles] == [1, 2, 3, 4]
    assert all(image.image_id != 1 for s in groups for image in s.images)


def test_chinese_follows_english_on_the_same_image():
    images = index(range(1, 10))
    samples = [
        sample
        for track in RECIPE.tracks.values()
        for sample in plan_track(RECIPE, track, "sa_000000", images)
    ]
    order = [s.sample_id for s in work_order(samples)]
    for sample_id in order:
        if sample_id.startswith("single_zh"):
            english = sample_id.replace("single_zh", "single_en")
            assert order.index(sample_id) == order.index(english) + 1
    assert [s.split("/")[0] for s in order][-1] == "multi_zh"


@given(image_ids, st.integers(0, 9), st.integers(0, 9))
def test_spare_samples_come_behind_and_take_no_place_from_those_before(ids, spare, more):
    for name in ("single_zh", "multi_en"):
        plans = [
            [
                sample.sample_id
                for sample in plan_track(
                    RECIPE,
                    replace(RECIPE.tracks[name], spare_samples_per_shard=count),
                    "sa_000000",
                    index(ids),
                )
            ]
            for count in (0, spare, spare + more)
        ]
        assert plans[1][: len(plans[0])] == plans[0]
        assert plans[2][: len(plans[1])] == plans[1]
        quota = RECIPE.tracks[name].samples_per_shard
        assert len(plans[2]) <= quota + spare + more
        assert len(set(plans[2])) == len(plans[2])
        if name == "single_zh":
            assert len(plans[2]) == min(len(ids), quota + spare + more)
