import dataclasses
import threading
import time

import pytest
from lmdeploy.messages import ResponseType
from PIL import Image

from sa1b_captions.audit.judge import question
from sa1b_captions.caption.decoding.images import ShardReader
from sa1b_captions.caption.engines.base import Request
from sa1b_captions.caption.engines.lmdeploy.engine import LmdeployEngine
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.caption.worker import Worker
from sa1b_captions.errors import RetryableError
from sa1b_captions.records import CaptionStatus
from sa1b_captions.storage import FileStore
from tests.gpu.fake_turbomind import Answer
from tests.support import builders

SHARD = "sa_000000"


def request(recipe, images=1, attempt=1, size=(96, 64), **generation):
    track = recipe.tracks["single_en" if images == 1 else "multi_en"]
    return Request(
        "sample",
        tuple(Image.new("RGB", size) for _ in range(images)),
        track,
        dataclasses.replace(recipe.generation, **generation),
        attempt,
        jpegs=(),
    )


@pytest.fixture
def second(started, engine):
    """Makes another engine on the same pipeline, with other limits."""
    made = []

    def make(**limits):
        gave_up = []
        limits = {"timeout_s": 30.0, "cancel_s": 5.0, "give_up": gave_up.append} | limits
        made.append(LmdeployEngine(engine._pipe, "tiny", "unknown", window=4, **limits))
        return made[-1], gave_up

    yield make
    for other in made:
        other._watchdog.stop()


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Answer(" A dog. "), CaptionStatus.OK, None),
        (Answer("A dog and", stops=False), CaptionStatus.TRUNCATED, None),
        (Answer("", stops=True), CaptionStatus.EMPTY, None),
        (Answer("", stops=False), CaptionStatus.EMPTY, None),
        (Answer(status=ResponseType.OUT_OF_MEMORY), CaptionStatus.ERROR, "internal_error"),
        (Answer(error=RuntimeError("bad")), CaptionStatus.ERROR, "internal_error"),
        (Answer(status=ResponseType.CANCEL), CaptionStatus.ERROR, "abort"),
        (
            Answer(status=ResponseType.INPUT_LENGTH_ERROR),
            CaptionStatus.ERROR,
            "context_length_exceeded",
        ),
    ],
    ids=str,
)
def test_what_the_engine_ends_with_becomes_the_samples_status(
    engine, turbomind, recipe, answer, status, code
):
    turbomind.script = lambda call: answer
    reply = engine.caption(request(recipe))
    assert (reply.status, reply.error_code) == (status, code)
    if status is CaptionStatus.OK:
        assert reply.caption == "A dog."
        assert reply.prompt_tokens == len(turbomind.calls[0].input_ids)
        assert reply.completion_tokens == len(answer.text)


def test_chinese_comes_back_whole(engine, turbomind, recipe):
    turbomind.script = lambda call: Answer("图中有一只红色的鸟。")
    assert engine.caption(request(recipe)).caption == "图中有一只红色的鸟。"


def test_images_beyond_the_context_are_the_samples_error(engine, turbomind, recipe):
    reply = engine.caption(request(recipe, images=3, size=(2000, 1500), max_tiles_multi=12))
    assert reply.error_code == "context_length_exceeded"
    assert "8192" in reply.error
    assert turbomind.calls == []


def test_an_engine_that_has_stopped_ends_the_run(engine, turbomind, recipe):
    turbomind.script = lambda call: Answer(status=ResponseType.ENGINE_STOP_ERROR)
    with pytest.raises(RetryableError, match="the engine has stopped"):
        engine.caption(request(recipe))


def test_the_penalty_of_a_retry_reaches_the_engine(engine, turbomind, recipe):
    for attempt in (1, 2, 3):
        engine.caption(request(recipe, attempt=attempt))
    settings = [call.settings for call in turbomind.calls]
    assert [s.top_k for s in settings] == [1, 1, 1]
    assert [s.repetition_penalty for s in settings] == [1.0, 1.02, 1.05]
    assert [s.random_seed for s in settings[1:]] == [0, 0]


def test_a_greedy_recipes_own_penalty_reaches_the_engine(engine, turbomind, recipe):
    engine.caption(request(recipe, repetition_penalty=1.1))
    assert turbomind.calls[0].settings.repetition_penalty == 1.1


def test_a_late_request_is_cancelled_and_the_next_one_works(second, turbomind, recipe):
    """The cancelled stream just ends, without a finish reason: lmdeploy swallows it."""
    engine, gave_up = second(timeout_s=1.0)
    turbomind.script = lambda call: Answer("late", delay_s=20.0)
    began = time.monotonic()
    reply = engine.caption(request(recipe))
    assert (reply.status, reply.error_code) == (CaptionStatus.ERROR, "timeout")
    assert time.monotonic() - began < 4
    assert len(turbomind.cancelled) == 1
    turbomind.script = lambda call: Answer("in time")
    assert engine.caption(request(recipe)).caption == "in time"
    assert gave_up == []


def test_a_request_that_cannot_be_cancelled_ends_the_process(second, turbomind, recipe):
    engine, gave_up = second(timeout_s=0.3, cancel_s=0.3)
    turbomind.script = lambda call: Answer(hangs=True)
    with pytest.raises(RetryableError, match="did not end"):
        engine.caption(request(recipe))
    assert len(gave_up) == 1
    engine._loop.call_soon_threadsafe(turbomind.release.set)


def test_a_scheduler_that_stands_still_ends_the_process(second, turbomind, recipe):
    turbomind.script = lambda call: Answer("late", delay_s=2.0)
    turbomind.stuck = True
    engine, gave_up = second(stall_s=0.6)
    waiting = threading.Thread(target=engine.caption, args=(request(recipe),))
    waiting.start()
    wait_for(lambda: gave_up)
    turbomind.stuck = False
    assert "scheduler_tick has not advanced" in gave_up[0]
    waiting.join()


def test_a_scheduler_that_works_slowly_does_not(second, turbomind, recipe):
    turbomind.script = lambda call: Answer("slow", delay_s=2.0)
    engine, gave_up = second(stall_s=0.4)
    assert engine.caption(request(recipe)).caption == "slow"
    assert gave_up == []


def test_a_worker_keeps_the_window_full_and_finds_the_truncated_jpeg(
    engine, turbomind, recipe, tmp_path
):
    """Importing lmdeploy makes Pillow accept truncated files for the whole process."""
    store = FileStore(tmp_path)
    jpegs = {n: builders.make_jpeg(n) for n in range(1, 17)}
    jpegs[3] = jpegs[3][: len(jpegs[3]) // 2]
    builders.put_shard(store, SHARD, jpegs)
    plan = plan_track(recipe, recipe.tracks["single_en"], SHARD, read_index(store, SHARD))
    # However slow this machine prepares images: the first answers wait until the window is full.
    turbomind.script = lambda call: Answer(
        "A dog.", delay_s=0.1 if turbomind.peak_in_flight == engine.window else 2.0
    )
    reader = ShardReader(store, SHARD, plan)
    outcomes = list(Worker(engine, recipe.generation).run((sample, reader) for sample in plan))
    status = {outcome.sample.images[0].image_id: outcome.reply.status for outcome in outcomes}
    assert status.pop(3) is CaptionStatus.UNDECODABLE
    assert set(status.values()) == {CaptionStatus.OK}
    assert len(status) == 15
    assert turbomind.peak_in_flight == engine.window == 4


def wait_for(condition, limit_s=10.0):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s
        time.sleep(0.02)


def test_the_first_tokens_probabilities_come_with_their_texts(engine, turbomind, recipe):
    turbomind.script = lambda call: Answer("yes", first={"y": -0.1, "n": -2.5})
    asked = dataclasses.replace(request(recipe, do_sample=True, top_k=20), top_tokens=20)
    reply = engine.caption(asked)
    assert reply.first_tokens == pytest.approx({"y": -0.1, "n": -2.5})
    assert turbomind.calls[-1].settings.logprobs == 20
    assert turbomind.calls[-1].settings.top_k == 20
    assert reply.cached_tokens == 0


def test_captions_ask_for_no_probabilities(engine, turbomind, recipe):
    turbomind.script = lambda call: Answer("A dog.", first={"A": -0.1})
    assert engine.caption(request(recipe)).first_tokens is None
    assert turbomind.calls[-1].settings.logprobs is None


def test_a_question_and_the_caption_begin_alike_up_to_the_images_end(engine, turbomind, recipe):
    """So the engine's prefix cache serves the question what the caption computed."""
    turbomind.script = lambda call: Answer("yes")
    engine.caption(request(recipe))
    asked = request(recipe)
    track = dataclasses.replace(asked.track, prompt=question("A dog runs.", "en", 1))
    engine.caption(dataclasses.replace(asked, track=track))
    caption, judged = (call.input_ids for call in turbomind.calls[-2:])
    shared = next(
        n for n, pair in enumerate(zip(caption, judged, strict=False)) if len(set(pair)) > 1
    )
    images = turbomind.calls[-1].offsets[0] + 256 * turbomind.calls[-1].tiles[0]
    assert shared >= images
