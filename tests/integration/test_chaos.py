"""A short night of `make test-chaos`: few shards, few faults, and the quiet run's release."""

import json

import pytest

from tests.chaos.night import run_night
from tests.support import stack

SEED, FAULTS, SHARDS = 3, 6, 3
"""Stage and pods killed, a damaged recipe, a full disk: pods on S3."""


@pytest.mark.timeout(2400)
@pytest.mark.skipif(not stack.can_run(), reason="needs PostgreSQL, curl and wget")
def test_after_a_few_faults_the_release_is_the_quiet_runs_and_nothing_is_left_behind(tmp_path):
    result = run_night(SEED, FAULTS, SHARDS, tmp_path)
    journal = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert result["differences"] == [], journal
    assert result["recovered"]
    assert result["faults"] >= FAULTS // 2
