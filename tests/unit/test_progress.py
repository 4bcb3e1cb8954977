import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.progress import ENOUGH_IMAGES, Progress
from sa1b_captions.caption.sampling import IndexedImage, Sample
from sa1b_captions.records import CaptionStatus
from tests.support import builders

RECIPE = builders.demo_recipe()
LINE = re.compile(
    r"sa_000017 \d+/\d+ samples \((\w+ \d+/\d+(, )?)+\), \d+\.\d images/s, \d+ tokens/s"
    r"(, \d+ failed)?(, about (\d+ s|\d+ min|\d+ h \d+ min) left)?"
)


def sample(track, position, images=1):
    group = tuple(IndexedImage(n, f"sa_{n}.jpg", 0, 1, 1, 1, None) for n in range(images))
    return Sample(f"{track}/{position}", "sa_000017", RECIPE.tracks[track], group, position)


def reply(status=CaptionStatus.OK):
    return Reply(status, "A dog.", "stop", completion_tokens=200)


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


def test_the_line_names_shard_tracks_rates_and_time_left(caplog):
    caplog.set_level(logging.INFO)
    clock = Clock()
    todo = [sample("single_en", n) for n in range(60)] + [
        sample("multi_en", n, 3) for n in range(4)
    ]
    progress = Progress("sa_000017", {"single_en": 100, "multi_en": 4}, todo, clock=clock)
    clock.now_s += 600  # until the engine is loaded
    progress.start()
    for done in todo[:12]:
        clock.now_s += 4
        progress.add(done, reply())
    progress.add(todo[12], reply(CaptionStatus.ERROR))
    progress.log()
    assert caplog.messages[-1] == (
        "progress: sa_000017 53/104 samples (single_en 53/100, multi_en 0/4), 0.3 images/s, "
        "54 tokens/s, 1 failed, about 4 min left"
    )
    assert len(caplog.messages) == 1 + 6  # one in five seconds at most
    assert caplog.messages[0].startswith("progress: sa_000017 ")


@pytest.mark.parametrize(
    ("seconds_a_sample", "left"), [(1, "99 s"), (0.5, "50 s"), (20, "33 min"), (200, "5 h 30 min")]
)
def test_the_time_left_reads_as_people_say_it(seconds_a_sample, left):
    clock = Clock()
    planned = 99 + ENOUGH_IMAGES
    todo = [sample("single_en", n) for n in range(planned)]
    progress = Progress("sa_000017", {"single_en": planned}, todo, clock=clock)
    for done in todo[:ENOUGH_IMAGES]:
        progress.log()
        assert "left" not in progress.line()  # of so few nobody can tell
        clock.now_s += seconds_a_sample
        progress.add(done, reply())
    progress.log()
    expected = {"99 s": "2 min"}.get(left, left)
    assert progress.line().endswith(f", about {expected} left")


@given(
    steps=st.lists(st.sampled_from([0.0, 0.001, 3.0, 86_400.0]), max_size=30),
    tracks=st.lists(st.sampled_from(["single_en", "multi_zh"]), min_size=30, max_size=30),
)
def test_no_leap_of_the_clock_makes_nonsense_of_the_line(steps, tracks):
    clock = Clock()
    todo = [sample(track, n, 1 + track.startswith("multi") * 2) for n, track in enumerate(tracks)]
    planned = {track: tracks.count(track) for track in ("single_en", "multi_zh")}
    progress = Progress("sa_000017", planned, todo, clock=clock)
    for step, done in zip(steps, todo, strict=False):
        clock.now_s += step
        progress.add(done, reply())
        assert LINE.fullmatch(progress.line()), progress.line()
