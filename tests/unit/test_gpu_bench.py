"""What `make gpu-bench` measures, and what becomes of its results when it is killed."""

import pytest

from tests.gpu.bench.lines import Lines, read
from tests.gpu.bench.shapes import SHAPES
from tests.gpu.bench.table import HEAD, table

GPU = "NVIDIA H200"


def lines_of(path):
    return Lines(path, "8b", GPU)


def cells(row):
    return dict(zip(HEAD, row.strip("| ").split(" | "), strict=True))


@pytest.mark.parametrize("name", SHAPES)
def test_every_pass_has_a_name_and_a_window_of_its_own_kind(name):
    shape = SHAPES[name]
    names = [each.name for each in shape.passes]
    assert len(set(names)) == len(names)
    assert names[0] == "warm-up"
    assert {each.wide for each in shape.passes if not each.window} == {True, False}
    assert shape.hidden % shape.heads == 0
    assert shape.hidden // shape.heads == 128, "TurboMind has kernels for heads of 128"


def test_captions_of_the_colours_differ_in_length():
    lengths = SHAPES["8b"].caption_tokens()
    assert list(lengths.values()) == [120, 140, 160, 180, 200, 220]


def test_a_finished_step_is_not_run_again_but_a_failed_one_is(tmp_path):
    path = tmp_path / "results.jsonl"
    lines = lines_of(path)
    lines.add("warm-up", images=4)
    lines.add("worker 64", left_out="3 s were left")
    lines.add("Transformers, batch 16", error="out of memory")
    assert not lines_of(path).missing("warm-up")
    assert lines_of(path).missing("worker 64")
    assert lines_of(path).missing("Transformers, batch 16")
    assert Lines(path, "8b", None).missing("warm-up"), "another machine's line"
    assert Lines(path, "76b", GPU).missing("warm-up"), "another shape's line"


@pytest.mark.parametrize("kept", [1, 5, 40, -1])
def test_a_line_that_a_kill_cut_off_harms_no_other(tmp_path, kept):
    path = tmp_path / "results.jsonl"
    lines_of(path).add("warm-up", images=4)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:kept])
    lines_of(path).add("load", seconds=20.0)
    steps = [line["step"] for line in read(path)]
    assert steps[0] == "warm-up"
    assert steps[-1] == "load"


def test_the_table_states_medians_and_ratios(tmp_path):
    lines = lines_of(tmp_path / "r")
    lines.add("machine", driver="580.1", torch="2.13.0", lmdeploy="0.18.0", cuda="13.0")
    lines.add("load", seconds=41.2)
    lines.add("warm-up", window=64, images=64, right=64, images_per_s=2.0, occupancy=0.5)
    lines.add("w1", window=64, images=100, right=100, images_per_s=9.0, occupancy=0.98)
    lines.add("w2", window=64, images=100, right=99, images_per_s=11.0, occupancy=0.96)
    lines.add("w3", window=128, images=100, right=100, images_per_s=12.0, occupancy=0.9)
    lines.add("p1", wide=True, images=100, right=100, images_per_s=10.2)
    lines.add("p2", wide=False, images=100, right=100, images_per_s=8.0)
    lines.add("t1", batch=1, images=1, images_per_s=0.5)
    lines.add("t8", batch=8, images=8, images_per_s=2.0)
    row = cells(table(read(tmp_path / "r")).splitlines()[2])
    assert row["GPU"] == GPU
    assert row["driver, versions"] == "driver 580.1, cuda 13.0, torch 2.13.0, lmdeploy 0.18.0"
    assert row["load s"] == "41"
    assert row["worker images/s (window)"] == "10.00 (64)"
    assert row["occupancy"] == "97.0%"
    assert row["of `pipe(list)`, as many threads"] == "0.98"
    assert row["of stock `pipe(list)`"] == "1.25"
    assert row["of Transformers, batch 1"] == "20.00"
    assert row["of Transformers, best batch"] == "5.00"
    assert row["best window"] == "128"
    assert row["captions right"] == "563 of 564"


def test_the_table_says_what_was_not_measured(tmp_path):
    lines_of(tmp_path / "r").add("pictures", seconds=3.0)
    row = cells(table(read(tmp_path / "r")).splitlines()[2])
    assert row["GPU"] == GPU
    assert row["worker images/s (window)"] == row["of Transformers, batch 1"] == "not measured"
