import pytest

from benchmarks.peers import accounts
from benchmarks.peers.accounts import Fate, Row
from benchmarks.peers.server import Asked, Mood, caption_of

NAMES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]


def good(name):
    return Row(name, caption_of(name))


def count(asked, rows, killed_s=10.0):
    return accounts.killed(NAMES, asked, rows, killed_s=killed_s, caption_of=caption_of)


def test_throughput_counts_captions_between_the_first_request_and_the_last_reply():
    asked = [Asked("a.jpg", 2.0, 4.0), Asked("b.jpg", 3.0, None), Asked("c.jpg", 4.0, 6.0)]
    speed = accounts.throughput(asked, 9.0)
    assert (speed.images_per_s, speed.whole_s) == (0.5, 9.0)


def test_what_was_in_flight_is_not_thrown_away():
    """B was asked for but not answered when the kill came, a was answered and is asked again."""
    before = [Asked("a.jpg", 1.0, 3.0), Asked("b.jpg", 2.0, 11.0), Asked("c.jpg", 2.0, 4.0)]
    after = [Asked(name, 20.0, 22.0) for name in ("a.jpg", "b.jpg", "d.jpg")]
    cost = count(before + after, [good(name) for name in NAMES])
    assert (cost.in_flight, cost.thrown_away) == (1, 1)
    assert (cost.lost, cost.duplicated, cost.mistaken) == (0, 0, 0)


def test_rows_are_lost_twice_or_anothers():
    rows = [good("a.jpg"), good("a.jpg"), Row("b.jpg", caption_of("c.jpg")), Row("c.jpg", "", "no")]
    cost = count([Asked("a.jpg", 1.0, 2.0)], rows)
    assert (cost.lost, cost.duplicated, cost.mistaken) == (2, 1, 1)


@pytest.mark.parametrize(
    ("rows", "mood", "exit_code", "expected"),
    [
        ([], Mood.ERROR, 0, Fate.LEFT_OUT),
        ([], Mood.ERROR, 1, Fate.STOPPED),
        ([], Mood.ERROR, None, Fate.WAITING),
        ([Row("a.jpg", "", "error")], Mood.ERROR, 0, Fate.SAID),
        ([Row("a.jpg", "half", "length")], Mood.CUT, 0, Fate.SAID),
        ([Row("a.jpg", "half")], Mood.CUT, 0, Fate.PASSED_OFF),
        ([Row("a.jpg", "")], Mood.EMPTY, 0, Fate.EMPTY_CAPTION),
        ([good("a.jpg")], Mood.SLOW, 0, Fate.CAPTIONED),
        ([good("a.jpg")], Mood.ERROR_TWICE, 1, Fate.CAPTIONED),
        ([good("a.jpg")], None, 0, Fate.PASSED_OFF),
        ([good("b.jpg")], Mood.GARBAGE, 0, Fate.LEFT_OUT),
    ],
)
def test_the_fate_of_an_image_is_what_its_rows_say(rows, mood, exit_code, expected):
    assert accounts.fate("a.jpg", mood, rows, exit_code=exit_code) is expected
