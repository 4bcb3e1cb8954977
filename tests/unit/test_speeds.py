import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.costs.architectures import ARCHITECTURES
from sa1b_captions.costs.sourced import Numbers, find_gpu
from sa1b_captions.costs.speeds import Engine
from sa1b_captions.errors import PermanentError

BIG = "OpenGVLab/InternVL2-Llama3-76B"


def engine(model=BIG, gpu="NVIDIA-H100-80GB-HBM3", gpus=4, window=96):
    return Engine(ARCHITECTURES[model], find_gpu(gpu), gpus, window, Numbers())


@pytest.mark.parametrize(
    ("gpu", "images_per_s"),
    [
        ("NVIDIA-A100-SXM4-80GB", (1.14, 0.93, 0.64)),
        ("NVIDIA-H100-80GB-HBM3", (2.86, 2.36, 1.65)),
    ],
)
def test_speeds_are_those_of_the_hand_made_estimates(gpu, images_per_s):
    """For 7, 8.75 and 13 tiles and 200 tokens of caption, computed apart from this."""
    found = [1 / engine(gpu=gpu).sample_s(tiles, 200) for tiles in (7, 8.75, 13)]
    assert found == pytest.approx(images_per_s, rel=0.02)


def test_an_image_that_has_just_been_read_costs_its_caption_alone():
    one = engine()
    assert one.sample_s(8.75, 75, cached=True) < 0.15 * one.sample_s(8.75, 75)


@given(st.floats(1, 13), st.integers(1, 1000), st.integers(1, 200))
def test_more_tiles_longer_captions_and_fewer_in_flight_take_longer(tiles, answer, window):
    one = engine(window=window)
    assert one.sample_s(tiles, answer) > 0
    assert one.sample_s(tiles + 1, answer) > one.sample_s(tiles, answer)
    assert one.sample_s(tiles, answer + 1) > one.sample_s(tiles, answer)
    wider = dataclasses.replace(one, window=window + 1)
    assert wider.sample_s(tiles, answer) <= one.sample_s(tiles, answer)


def test_a_model_that_does_not_fit_has_no_speed():
    with pytest.raises(PermanentError, match="does not fit 1 GPUs of 24"):
        engine(gpu="NVIDIA-L4", gpus=1).sample_s(7, 100)


def test_a_gpu_without_a_data_sheet_is_named():
    with pytest.raises(PermanentError, match="GPU NVIDIA-T4 is not known; there are: NVIDIA-A100"):
        find_gpu("NVIDIA-T4")
