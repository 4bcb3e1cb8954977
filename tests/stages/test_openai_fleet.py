import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.records import CaptionStatus
from tests.support.openai_client import engine_for, request
from tests.support.openai_server import Answer, Fault, serve


def test_requests_spread_to_the_least_loaded_replica():
    def slow(body):
        time.sleep(0.02)
        return Answer("A dog")

    with (
        serve(answer=slow) as one,
        serve(answer=slow) as two,
        engine_for(one, two) as engine,
        ThreadPoolExecutor(8) as pool,
    ):
        wait_for(lambda: all(member.ready for member in engine._replicas.members))
        list(pool.map(lambda _: engine.caption(request()), range(32)))
    assert len(one.requests) + len(two.requests) == 32
    assert abs(len(one.requests) - len(two.requests)) <= 8
    assert max(one.peak_in_flight, two.peak_in_flight) <= 5


def test_a_failing_replica_is_avoided():
    """It answers faster than the others, and still gets hardly any requests."""

    def slow(body):
        time.sleep(0.01)
        return Answer("A dog")

    with (
        serve([Fault(status=500)] * 1000) as sick,
        serve(answer=slow) as well,
        engine_for(sick, well, first_pause_s=0.3) as engine,
        ThreadPoolExecutor(8) as pool,
    ):
        replies = list(pool.map(lambda _: engine.caption(request()), range(60)))
    assert {reply.status for reply in replies} == {CaptionStatus.OK}
    assert len(well.requests) == 60
    assert len(sick.requests) < 20


def test_a_replica_that_restarts_gets_work_again():
    with serve() as server, engine_for(server) as engine:
        engine.caption(request())
        server.stop()
        threading.Timer(0.1, server.start).start()
        assert engine.caption(request()).status is CaptionStatus.OK
    assert len(server.requests) == 2


def test_a_replica_that_comes_back_with_another_model_ends_the_run():
    with serve([Fault(reset=True)]) as server, engine_for(server) as engine:
        server.models = ["other"]
        with pytest.raises(PermanentError, match="serves other"):
            engine.caption(request())


def test_a_fleet_that_is_gone_for_long_is_retryable_and_says_why():
    with serve() as server, engine_for(server, patience_s=0.2) as engine:
        server.stop()
        with pytest.raises(RetryableError, match=r"no replica has answered.*127\.0\.0\.1"):
            engine.caption(request())


def test_start_waits_for_a_server_that_is_still_loading():
    with serve() as server:
        server.stop()
        with engine_for(server, wait=False) as engine:
            threading.Timer(0.1, server.start).start()
            engine.wait_until_ready()
            assert engine.caption(request()).status is CaptionStatus.OK


def test_start_gives_up_on_a_server_that_never_comes():
    with serve() as server:
        server.stop()
        with (
            pytest.raises(RetryableError, match="no replica has answered"),
            engine_for(server, patience_s=0.2),
        ):
            pass


def wait_for(condition, limit_s=3.0):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s
        time.sleep(0.01)
