"""A short look, at the same inputs every time, at what `make fuzz` looks at for long."""

import pytest
from hypothesis import settings

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_odd_input_leads_to_a_result_or_a_sentence(name):
    settings(deadline=None, derandomize=True)(TARGETS[name])()
