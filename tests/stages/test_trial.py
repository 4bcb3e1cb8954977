"""The side-by-side benchmark, on a tool of few lines that does everything right."""

import json
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.peers import accounts, images, measure, server
from benchmarks.peers.accounts import Fate, Row
from benchmarks.peers.server import Mood, caption_of
from benchmarks.peers.tools import Tool
from benchmarks.peers.trial import Trial
from tests.support import fake_peer

SCRIPT = Path(fake_peer.__file__)


def read_rows(out):
    file = out / "rows.jsonl"
    for line in file.read_text().splitlines():
        yield Row(**json.loads(line))


def tool(*command):
    return Tool(
        "fake",
        "none",
        Path(sys.prefix),
        command or (sys.executable, str(SCRIPT)),
        (SCRIPT,),
        read_rows,
        "",
    )


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(server, "SPEEDUP", 200.0)
    monkeypatch.setattr(server, "SLOW_S", 0.2)


def children_that_sleep():
    mine = psutil.Process().children(recursive=True)
    return [each for each in mine if each.status() != psutil.STATUS_ZOMBIE]


def test_every_odd_reply_and_a_cut_image_find_their_fate(tmp_path, quick):
    found = measure._odd(tool(), tmp_path, 4)
    expected = dict.fromkeys([measure.CORRUPT, *Mood], Fate.SAID)
    expected |= {Mood.ERROR_TWICE: Fate.CAPTIONED, Mood.SLOW: Fate.CAPTIONED}
    assert found["fates"] == expected
    assert found["others_captioned"] == found["others"] == 17


def test_a_tool_that_ends_with_an_error_ends_every_run(tmp_path, quick):
    found = measure._odd(tool("/bin/sh", "-c", "exit 3"), tmp_path, 4)
    assert set(found["fates"].values()) == {Fate.STOPPED}
    assert found["others_captioned"] == 0


def test_a_quiet_run_is_measured_whole(tmp_path, quick):
    found = measure._quiet(tool(), tmp_path, measure.Setting(images=24, places=4))
    assert 0 < found["occupancy"] <= 1
    assert 0 < found["first_caption_s"] <= found["whole_s"]
    assert found["images_per_s"] > 0
    assert 5 < found["peak_mib"] < 500


def test_a_tool_that_captions_less_than_all_is_not_measured(tmp_path, quick):
    with pytest.raises(
        measure.NotMeasuredError, match=r"it ended with 0 and 0 of 5 captions: no word"
    ):
        measure._quiet(tool("/bin/true"), tmp_path, measure.Setting(images=5, places=4))


def test_a_kill_leaves_no_process_and_the_second_run_goes_on(tmp_path):
    names = images.write_images(tmp_path / "images", 10)
    with Trial(tool(), tmp_path, places=2) as trial:
        killed_s = trial.run(60, until=lambda: trial.replied >= 4)
        assert trial.exit_code is None
        assert children_that_sleep() == []
        trial.run(60)
        assert trial.exit_code == 0
        cost = accounts.killed(
            names, trial.asked, trial.rows(), killed_s=killed_s, caption_of=caption_of
        )
    assert (cost.lost, cost.duplicated, cost.mistaken) == (0, 0, 0)
    assert cost.in_flight <= 2
    assert cost.thrown_away <= 2
