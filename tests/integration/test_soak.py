"""A short soak: rounds of the pipeline, the console and the triggers leave nothing behind.

`make soak` runs more of them for an hour, and DAG runs besides.
"""

import pytest

from tests.soak.children import run_together
from tests.soak.slopes import growths

ROUNDS = 6
SUBJECTS = ("pipeline", "console", "triggers")


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return run_together(SUBJECTS, tmp_path_factory.mktemp("soak"), 0, ROUNDS)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_nothing_grows_with_the_rounds(samples, subject):
    assert len(samples[subject]) == ROUNDS
    assert [one for one in growths(samples[subject]) if one.leaks] == []
