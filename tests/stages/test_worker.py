import gc
import threading
import time

import pytest
from PIL import Image

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.worker import MAX_ATTEMPTS, Worker
from sa1b_captions.errors import RetryableError
from sa1b_captions.records import CaptionStatus
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply

RECIPE = builders.demo_recipe()


def captioned(engine, reader, samples, **kwargs):
    """Outcomes of a worker."""
    worker = Worker(engine, RECIPE.generation, **kwargs)
    return worker.run((sample, reader) for sample in samples)


def test_every_sample_has_one_outcome_and_a_broken_jpeg_says_so(planned_shard):
    plan, reader = planned_shard
    engine = ScriptedEngine()
    outcomes = {o.sample.sample_id: o.reply for o in captioned(engine, reader, plan)}
    assert set(outcomes) == {s.sample_id for s in plan}
    broken = outcomes["single_en/sa_000000/5"]
    assert broken.status is CaptionStatus.UNDECODABLE
    assert "sa_5.jpg" in broken.error
    assert sum(r.status is CaptionStatus.OK for r in outcomes.values()) == 19


def test_the_window_is_filled_and_never_exceeded(planned_shard):
    plan, reader = planned_shard
    engine = ScriptedEngine(window=3, delay_s=0.01)
    list(captioned(engine, reader, plan))
    assert engine.peak_in_flight == 3


def test_memory_is_bounded_by_the_window_not_the_shard(planned_shard):
    """With a slow engine, no more than window + prefetch samples are taken."""
    plan, reader = planned_shard
    taken = []
    release = threading.Event()

    def samples():
        for sample in plan:
            taken.append(sample)
            yield sample

    def wait_for_release(request):
        release.wait(10)
        return honest_reply(request)

    engine = ScriptedEngine(wait_for_release, window=3)
    stream = captioned(engine, reader, samples(), prefetch=2)
    thread = threading.Thread(target=lambda: list(stream))
    thread.start()
    time.sleep(0.3)
    held = len(taken)
    release.set()
    thread.join()
    assert held == 5


@pytest.mark.parametrize("needs_pixels", [True, False])
def test_pixels_stay_in_memory_only_for_an_engine_that_needs_them(planned_shard, needs_pixels):
    plan, reader = planned_shard
    good = [sample for sample in plan if not sample.sample_id.endswith("/5")][:16]
    window, threads = 8, 2
    together, live = threading.Barrier(window), []

    def script(request):
        if together.wait(10) == 0:  # one counts for all
            live.append(
                sum(isinstance(o, Image.Image) and o.size == (96, 64) for o in gc.get_objects())
            )
        together.wait(10)
        assert len(request.jpegs) == 1
        assert len(request.images) == needs_pixels
        return Reply(CaptionStatus.OK, "A dog.")

    engine = ScriptedEngine(script, window=window, needs_pixels=needs_pixels)
    gc.freeze()  # what there is by now is not looked at
    try:
        outcomes = list(captioned(engine, reader, good, decode_threads=threads))
    finally:
        gc.unfreeze()
    assert len(live) * window == len(outcomes) == len(good)
    assert all(outcome.hashes for outcome in outcomes)
    if needs_pixels:
        assert min(live) >= window
    else:
        assert max(live) <= 2 * threads  # what is being decoded: the file and its pixels


def test_an_engine_that_needs_no_pixels_still_learns_which_images_are_broken(planned_shard):
    plan, reader = planned_shard
    engine = ScriptedEngine(needs_pixels=False)
    statuses = {o.sample.sample_id: o.reply.status for o in captioned(engine, reader, plan)}
    assert statuses.pop("single_en/sa_000000/5") is CaptionStatus.UNDECODABLE
    assert set(statuses.values()) == {CaptionStatus.OK}


def test_a_passing_failure_is_tried_again_and_a_lasting_one_keeps_its_reason(planned_shard):
    plan, reader = planned_shard

    def script(request):
        if request.sample_id.endswith("/1") and request.attempt == 1:
            return Reply(CaptionStatus.EMPTY)
        if request.sample_id.endswith("/2"):
            return Reply(CaptionStatus.ERROR, error_code="internal_error", error="KV cache full")
        return honest_reply(request)

    outcomes = {o.sample.sample_id[-2:]: o for o in captioned(ScriptedEngine(script), reader, plan)}
    assert (outcomes["/1"].reply.status, outcomes["/1"].attempt) == (CaptionStatus.OK, 2)
    assert outcomes["/2"].reply.error == "KV cache full"
    assert outcomes["/2"].attempt == MAX_ATTEMPTS


LOOP = "a red car stands in front of a white house with a garden and " * 8


@pytest.mark.parametrize(
    "reply",
    [
        Reply(CaptionStatus.EMPTY, finish_reason="length"),
        Reply(CaptionStatus.TRUNCATED, "A dog and", "length"),
        Reply(CaptionStatus.OK, LOOP, "stop"),
        Reply(CaptionStatus.ERROR, error_code="timeout", error="no caption within 900 s"),
        Reply(CaptionStatus.ERROR, error_code="internal_error", error="KV cache full"),
    ],
    ids=["empty", "truncated", "looping", "timed out", "errored"],
)
@pytest.mark.parametrize("mended_at", [2, MAX_ATTEMPTS, MAX_ATTEMPTS + 1])
def test_what_another_try_may_mend_gets_bounded_tries(planned_shard, reply, mended_at):
    plan, reader = planned_shard
    attempts = []

    def script(request):
        attempts.append(request.attempt)
        return honest_reply(request) if request.attempt >= mended_at else reply

    (outcome,) = captioned(ScriptedEngine(script), reader, plan[:1])
    assert attempts == list(range(1, min(mended_at, MAX_ATTEMPTS) + 1))
    if mended_at > MAX_ATTEMPTS:
        assert outcome.reply == reply
    else:
        assert (outcome.reply.caption, outcome.attempt) == (
            f"Sample {plan[0].sample_id} shows 96x64 pixels.",
            mended_at,
        )


@pytest.mark.parametrize("code", ["context_length_exceeded", "replicas_failed"])
def test_what_no_other_try_can_mend_gets_one(planned_shard, code):
    """A sample that crashes replicas was sent to several of them already."""
    plan, reader = planned_shard
    reply = Reply(CaptionStatus.ERROR, error_code=code, error="as before")
    engine = ScriptedEngine(lambda request: reply)
    (outcome,) = captioned(engine, reader, plan[:1])
    assert (outcome.reply, outcome.attempt, len(engine.asked)) == (reply, 1, 1)


def test_a_dead_engine_ends_the_run_as_retryable(planned_shard):
    plan, reader = planned_shard

    def script(request):
        raise RetryableError("the engine stopped answering")

    with pytest.raises(RetryableError, match="stopped answering"):
        list(captioned(ScriptedEngine(script), reader, plan))


def test_stop_finishes_what_is_in_flight_and_ends_as_retryable(planned_shard):
    plan, reader = planned_shard
    stop = threading.Event()
    engine = ScriptedEngine(window=2, delay_s=0.01)
    finished = []

    def run():
        for outcome in captioned(engine, reader, plan, stop=stop):
            finished.append(outcome.sample.sample_id)
            stop.set()

    with pytest.raises(RetryableError, match="stopped on request"):
        run()
    assert set(engine.asked) <= set(finished)
    assert len(finished) < len(plan)


@pytest.mark.parametrize("samples", [1, 8])
def test_a_failure_during_the_stop_is_no_row_but_gets_its_other_tries_later(planned_shard, samples):
    plan, reader = planned_shard
    stop = threading.Event()

    def script(request):
        stop.set()
        return Reply(CaptionStatus.ERROR, error_code="abort", error="the server goes down")

    engine = ScriptedEngine(script, window=2)
    finished = []
    with pytest.raises(RetryableError, match="stopped on request"):
        finished += captioned(engine, reader, plan[:samples], stop=stop)
    assert finished == []
    assert len(engine.asked) <= engine.window


def test_captions_that_finish_beside_a_failure_are_not_lost(planned_shard):
    plan, reader = planned_shard
    first = plan[0].sample_id

    def script(request):
        if request.sample_id != first:
            time.sleep(0.05)
        if request.sample_id == plan[1].sample_id:
            raise RetryableError("the engine stopped answering")
        return honest_reply(request)

    finished = []

    def run():
        for outcome in captioned(ScriptedEngine(script, window=4), reader, plan[:4]):
            finished.append(outcome.sample.sample_id)
            time.sleep(0.3)  # meanwhile the other three end: one failure, two captions

    with pytest.raises(RetryableError):
        run()
    assert set(finished) == {plan[0].sample_id, plan[2].sample_id, plan[3].sample_id}
