"""Real processes whose wall clock jumps by seconds, hours, days and years while they run.

The seeds are fixed; the machine's speed moves the moments. A failure shows all jumps in its log.
"""

import contextlib
import random

from tests.support.caption_workers import (
    AGAIN,
    IN_FLIGHT,
    Worker,
    asked,
    caption_before,
    generations,
    require_every_sample_once,
)
from tests.support.jumping_clock import JumpingClock, Jumps, years
from tests.support.openai_server import Fault

LIVES = 2
BUSY = 5
"""Requests that the server puts off, each by a quarter of a second: several jumps."""
PUT_OFF = Fault(status=429, headers={"Retry-After": "0.25"})


def test_a_worker_under_a_jumping_clock_asks_for_every_sample_once(campaign, server, tmp_path):
    server.faults = ([Fault()] * 20 + [PUT_OFF]) * BUSY
    clock = JumpingClock(tmp_path / "clock")
    with Jumps(clock, random.Random(1)):
        Worker(campaign, server, tmp_path / "log", clock.environ).finish()
    rows = require_every_sample_once(campaign)
    assert len(asked(server)) == len(rows)
    assert len(server.requests) == len(rows) + BUSY
    assert min(years(rows)) < 1980
    assert max(years(rows)) >= 2038


def test_killed_workers_with_other_clocks_lose_only_the_blocks_in_flight(
    campaign, server, tmp_path
):
    rng = random.Random(2)
    clock = JumpingClock(tmp_path / "clock")
    with Jumps(clock, rng):
        for life in range(LIVES):
            worker = Worker(campaign, server, tmp_path / f"{life}.log", clock.environ)
            worker.wait_for(server, rng.randrange(1, 60))
            worker.kill()
        Worker(campaign, server, tmp_path / "last.log", clock.environ).finish()
    rows = require_every_sample_once(campaign)
    assert len(asked(server)) == len(rows)
    assert len(server.requests) - len(rows) <= LIVES * IN_FLIGHT
    assert len(years(rows)) > 1


def test_a_run_that_does_it_again_under_a_jumping_clock_goes_on_in_its_generation(
    campaign, server, tmp_path
):
    caption_before(campaign, tmp_path / "before.log")
    rng = random.Random(3)
    clock = JumpingClock(tmp_path / "clock")
    with Jumps(clock, rng):
        for life in range(LIVES):
            worker = Worker(campaign, server, tmp_path / f"{life}.log", clock.environ, AGAIN)
            worker.wait_for(server, rng.randrange(1, 60))
            worker.kill()
            assert generations(campaign) <= {"Old", "A"}
        Worker(campaign, server, tmp_path / "last.log", clock.environ, AGAIN).finish()
    assert generations(campaign) == {"A"}
    rows = len(require_every_sample_once(campaign))
    assert len(server.requests) - rows <= LIVES * IN_FLIGHT


def test_two_workers_whose_clocks_disagree_leave_whole_shards(campaign, server, tmp_path):
    clocks = [JumpingClock(tmp_path / name) for name in ("first", "second")]
    with contextlib.ExitStack() as jumping:
        for seed, clock in enumerate(clocks):
            jumping.enter_context(Jumps(clock, random.Random(seed)))
        first, second = (
            Worker(campaign, server, tmp_path / f"{number}.log", clock.environ)
            for number, clock in enumerate(clocks)
        )
        first.wait_for(server, 70)
        first.kill()
        second.finish()
    rows = require_every_sample_once(campaign)
    assert len(server.requests) <= 2 * len(rows)
    assert len(years(rows)) > 1
