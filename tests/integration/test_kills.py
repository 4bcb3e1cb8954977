"""Caption workers killed at random moments, two at once at times.

The seeds are fixed; the machine's speed moves the moments.
"""

import random
import re
import signal
import time

import pytest

from sa1b_captions.errors import EXIT_RETRYABLE
from tests.support.caption_workers import (
    AGAIN,
    IN_FLIGHT,
    Worker,
    asked,
    caption_before,
    generations,
    require_every_sample_once,
    serve_slowly,
)

LIVES = 3
LAST_WORDS = re.compile(
    r"stopped on request; safe: .*(stored|captioned|before); the earlier captions count until the "
    r"new ones are whole; lost: \d+ .*; to go on, run the same command"
)


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_killed_at_random_lose_only_the_blocks_in_flight(campaign, server, tmp_path, seed):
    rng = random.Random(seed)
    for life in range(LIVES):
        worker = Worker(campaign, server, tmp_path / f"{life}.log")
        number = rng.choice([signal.SIGKILL, signal.SIGTERM])
        worker.wait_for(server, rng.randrange(1, 60))
        code = worker.kill(number)
        words = worker.log.read_text()
        if code == 0:
            break
        if number == signal.SIGTERM:
            assert code == EXIT_RETRYABLE, words
            assert re.search(r"stopped on request; .*\d+ captions of unfinished blocks", words)
        else:
            assert code == -signal.SIGKILL
    Worker(campaign, server, tmp_path / "last.log").finish()
    rows = require_every_sample_once(campaign)
    assert len(asked(server)) == len(rows)
    assert len(server.requests) - len(rows) <= LIVES * IN_FLIGHT


def test_a_worker_whose_engine_is_not_up_yet_leaves_when_told_to(campaign, tmp_path):
    with serve_slowly() as server:
        pass  # nothing listens there any more
    worker = Worker(campaign, server, tmp_path / "worker.log")
    while "list of models did not come" not in worker.log.read_text():
        assert worker.process.poll() is None
        time.sleep(0.02)
    assert worker.kill(signal.SIGTERM) == EXIT_RETRYABLE
    assert "stopped on request, before the first caption" in worker.log.read_text()


def test_a_worker_whose_engine_is_gone_leaves_when_told_to(campaign, server, tmp_path):
    """With what it has stored, and not after the half hour for which it waits for servers."""
    worker = Worker(campaign, server, tmp_path / "worker.log")
    worker.wait_for(server, 70)
    server.stop()
    while "replica" not in worker.log.read_text().rpartition("is ready")[2]:
        assert worker.process.poll() is None
        time.sleep(0.02)
    assert worker.kill(signal.SIGTERM) == EXIT_RETRYABLE
    last = worker.log.read_text().splitlines()[-1]
    assert re.search(r"stopped on request.*; safe: .*; lost: \d+ captions of unfinished", last), (
        last
    )


def test_two_workers_at_once_of_which_one_is_killed_leave_whole_shards(campaign, server, tmp_path):
    first = Worker(campaign, server, tmp_path / "first.log")
    second = Worker(campaign, server, tmp_path / "second.log")
    first.wait_for(server, 70)
    first.kill()
    second.finish()
    require_every_sample_once(campaign)


@pytest.mark.parametrize("seed", [3])
def test_a_run_that_does_it_again_leaves_whole_captions_whenever_it_is_killed(
    campaign, server, tmp_path, seed
):
    caption_before(campaign, tmp_path / "before.log")
    rng = random.Random(seed)
    for life in range(LIVES):
        worker = Worker(campaign, server, tmp_path / f"{life}.log", arguments=AGAIN)
        number = rng.choice([signal.SIGKILL, signal.SIGTERM])
        worker.wait_for(server, rng.randrange(1, 60))
        code = worker.kill(number)
        assert generations(campaign) <= {"Old", "A"}
        if code == EXIT_RETRYABLE:
            last = worker.log.read_text().splitlines()[-1]
            assert LAST_WORDS.search(last) or "before the first caption" in last
    Worker(campaign, server, tmp_path / "last.log", arguments=AGAIN).finish()
    assert generations(campaign) == {"A"}
    rows = len(require_every_sample_once(campaign))
    assert len(asked(server)) == rows
    assert len(server.requests) - rows <= LIVES * IN_FLIGHT


def test_two_workers_of_a_run_that_does_it_again_write_into_one_generation(
    campaign, server, tmp_path
):
    caption_before(campaign, tmp_path / "before.log")
    first = Worker(campaign, server, tmp_path / "first.log", arguments=AGAIN)
    second = Worker(campaign, server, tmp_path / "second.log", arguments=AGAIN)
    first.wait_for(server, 70)
    first.kill()
    assert generations(campaign) <= {"Old", "A"}
    second.finish()
    assert generations(campaign) == {"A"}
