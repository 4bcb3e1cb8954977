import math
import threading

import pytest

from sa1b_captions.caption.asking import MAX_TRIES, Asker, Inquiry
from sa1b_captions.caption.decoding.images import ShardReader
from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.engines.generation import failed
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.errors import RetryableError
from sa1b_captions.records import CaptionStatus
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine

RECIPE = builders.demo_recipe()
SHARD = "sa_000000"
TOLD = {"yes": math.log(0.9), "no": math.log(0.1)}


@pytest.fixture
def shard(tmp_path):
    store = FileStore(tmp_path)
    jpegs = {number: builders.make_jpeg(number) for number in (1, 2, 3)}
    builders.put_shard(store, SHARD, jpegs | {4: b"no JPEG at all"})
    images = read_index(store, SHARD)
    samples = plan_track(RECIPE, RECIPE.tracks["single_en"], SHARD, images)
    return samples, ShardReader(store, SHARD, samples)


def ask(shard, script, prompts=("one", "two"), samples=slice(0, 3), **engine):
    engine = ScriptedEngine(script, **engine)
    asker = Asker(engine, RECIPE.generation, answer_tokens=8, top_tokens=20)
    inquiries = [Inquiry(sample, tuple(prompts)) for sample in shard[0][samples]]
    return asker.ask(inquiries, shard[1])


def told(request):
    return Reply(CaptionStatus.OK, "yes", "stop", first_tokens=TOLD if request.top_tokens else None)


def test_every_question_has_its_reply_in_order(shard):
    replies = ask(
        shard,
        lambda request: Reply(
            CaptionStatus.OK,
            f"{request.image_set} {request.track.prompt}",
            "stop",
            first_tokens=TOLD,
        ),
    )
    assert [[one.caption for one in of_image] for of_image in replies] == [
        [f"sa_000000/{image} one", f"sa_000000/{image} two"] for image in (1, 2, 3)
    ]


def test_probabilities_are_asked_of_what_is_left_to_choose_from(shard):
    """Engines tell those of the tokens that top_k leaves: of a greedy answer just one, and 1."""
    seen = []

    def script(request):
        seen.append((request.top_tokens, request.generation.top_k, request.generation.do_sample))
        return told(request)

    ask(shard, script)
    assert set(seen) == {(20, 20, True)}


def test_answers_are_short_and_images_keep_their_tiles(shard):
    seen = []

    def script(request):
        seen.append(request.generation)
        return told(request)

    ask(shard, script)
    assert {one.max_new_tokens for one in seen} == {8}
    assert {one.max_tiles for one in seen} == {RECIPE.generation.max_tiles}
    assert {one.repetition_penalty for one in seen} == {1.0}


@pytest.mark.parametrize(
    "without",
    [Reply(CaptionStatus.OK, "maybe", "stop"), failed("400", "logprobs are not enabled")],
    ids=["left out", "refused"],
)
def test_an_engine_that_tells_none_is_asked_for_its_most_probable_answer(shard, without):
    seen = []

    def script(request):
        seen.append(request.top_tokens)
        return without if request.top_tokens else Reply(CaptionStatus.OK, "yes", "stop")

    replies = ask(shard, script, prompts=["q"] * 10, window=1)
    assert {one.caption for of_image in replies for one in of_image} == {"yes"}
    assert sum(seen) in (20, 20 * MAX_TRIES)  # the first question alone


def test_a_question_that_fails_either_way_changes_nothing_for_the_others(shard):
    def script(request):
        return failed("timeout", "late") if request.track.prompt == "two" else told(request)

    replies = ask(shard, script, window=1)
    assert [one[0].first_tokens for one in replies] == [TOLD] * 3
    assert {one[1].error_code for one in replies} == {"timeout"}


def test_one_images_questions_wait_for_each_other(shard):
    """The second finds the image in the prefix cache only once the first is computed."""
    busy, lock = set(), threading.Lock()

    def script(request):
        with lock:
            assert request.image_set not in busy
            busy.add(request.image_set)
        reply = told(request)
        with lock:
            busy.remove(request.image_set)
        return reply

    ask(shard, script, prompts=["q"] * 5, delay_s=0.002)


def test_an_image_that_cannot_be_decoded_fails_its_questions_alone(shard):
    replies = ask(shard, told, samples=slice(2, 4))
    assert [[one.error_code for one in of_image] for of_image in replies] == [
        [None, None],
        ["undecodable", "undecodable"],
    ]


def test_a_fault_of_the_engine_is_the_questions_and_a_lost_engine_everyones(shard):
    def breaks(request):
        raise ValueError("odd")

    (replies, *_) = ask(shard, breaks)
    assert replies[0].error_code == "engine_fault"

    def gone(request):
        raise RetryableError("the engine is gone")

    with pytest.raises(RetryableError, match="gone"):
        ask(shard, gone)
