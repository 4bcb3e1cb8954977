"""`make gpu-bench` on its toy shapes: the weights see, and a run that was killed goes on."""

import os
import subprocess
import sys

import pytest
import torch

from tests.gpu.bench import awq, checkpoint, words
from tests.gpu.bench.lines import read
from tests.gpu.bench.shapes import COLOURS, SHAPES
from tests.gpu.bench.weights import MEAN, STD, specs
from tests.gpu.reference_internvl2 import Reference

_PRIMARY = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 0))


@pytest.mark.parametrize(("name", "gigabytes"), [("8b", 16.7), ("76b-awq", 51.2), ("76b", 152.6)])
def test_a_shape_weighs_what_the_published_model_does(name, gigabytes):
    shape = SHAPES[name]
    total = sum(spec.bytes for spec in specs(shape, words.Vocabulary(shape)).values())
    assert total / 1e9 == pytest.approx(gigabytes, rel=0.02)


def test_four_bit_weights_come_back_as_they_were_packed():
    values = torch.randint(0, 16, (128, 64), generator=torch.Generator().manual_seed(1))
    assert torch.equal(awq.unpack(awq.pack(values)), values.to(torch.int32))


@pytest.mark.parametrize("name", ["tiny", "tiny-awq"])
def test_the_weights_say_the_caption_of_each_colour(name, tmp_path):
    shape = SHAPES[name]
    checkpoint.make(tmp_path / "model", shape, "cpu")
    reference, vocabulary = Reference(tmp_path / "model"), words.Vocabulary(shape)
    image = vocabulary.special["<IMG_CONTEXT>"]
    for colour, bright in zip(COLOURS, _PRIMARY, strict=True):
        channels = [((0.3 + 0.3 * b) - m) / s for b, m, s in zip(bright, MEAN, STD, strict=True)]
        tiles = torch.tensor(channels).view(1, 3, 1, 1).expand(1, 3, 448, 448)
        said = reference.answer([*[image] * 256, vocabulary.newline], [tiles], 64)
        assert said == vocabulary.chains[colour]


def test_a_run_measures_every_pass_and_a_second_one_only_what_is_missing(tmp_path):
    results = tmp_path / "results.jsonl"
    command = [sys.executable, "-m", "tests.gpu.bench", "none", "--results", str(results)]
    command += ["--scratch", str(tmp_path / "scratch")]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    reply = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert reply.returncode == 0, reply.stderr
    assert "34 of 34" in reply.stdout
    steps = [line["step"] for line in read(results)]
    assert {each.name for each in SHAPES["tiny"].passes} <= set(steps)
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert [line["step"] for line in read(results)] == [*steps, "machine"]
