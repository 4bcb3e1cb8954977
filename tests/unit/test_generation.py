import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.caption.engines.generation import sampling
from sa1b_captions.recipe import load_recipe

GENERATION = load_recipe("internvl").generation


@given(penalty=st.floats(1.0, 1.5), attempt=st.integers(1, 6))
def test_a_greedy_recipe_stays_greedy_and_keeps_its_penalty(penalty, attempt):
    """With do_sample off lmdeploy resets the penalty, so any penalty needs it on."""
    generation = dataclasses.replace(GENERATION, repetition_penalty=penalty)
    settings = sampling(generation, attempt)
    assert settings.top_k == 1
    assert settings.repetition_penalty >= penalty
    assert settings.do_sample == (settings.repetition_penalty != 1.0)


def test_the_first_try_is_the_recipes_and_every_retry_differs_from_it():
    first = sampling(GENERATION, 1)
    assert (first.do_sample, first.repetition_penalty) == (False, 1.0)
    assert all(sampling(GENERATION, attempt) != first for attempt in (2, 3, 4))


def test_a_sampling_recipe_gets_another_seed_for_every_try():
    generation = dataclasses.replace(GENERATION, do_sample=True, top_k=40, temperature=0.8)
    tries = [sampling(generation, attempt) for attempt in (1, 2, 3)]
    assert len({settings.random_seed for settings in tries}) == 3
    assert {(s.top_k, s.temperature, s.repetition_penalty) for s in tries} == {(40, 0.8, 1.0)}
