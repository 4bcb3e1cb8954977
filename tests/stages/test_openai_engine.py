import dataclasses
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sa1b_captions import records
from sa1b_captions.caption.decoding.images import ShardReader
from sa1b_captions.caption.engines.openai.engine import MAX_SENDS
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.caption.worker import Worker
from sa1b_captions.cli import app
from sa1b_captions.records import CaptionStatus
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.openai_client import RECIPE, engine_for, request
from tests.support.openai_server import Answer, Fault, content, image_bytes, serve

DEMO_RECIPE = Path(__file__).parents[2] / "tests" / "support" / "two_shards.toml"
CONTEXT = "Input length (9000) must be smaller than the model context length (8192)."


def ask(*faults, answer=None, **options):
    """Reply to one request of a server with these faults, and what the server saw."""
    server_options = {"answer": lambda body: answer} if answer else {}
    with serve(faults, **server_options) as server, engine_for(server, **options) as engine:
        return engine.caption(request()), server.requests


def test_the_stored_jpeg_travels_before_the_prompt():
    reply, (body,) = ask()
    assert reply.status is CaptionStatus.OK
    assert reply.caption == "Images of 96x64"
    assert (reply.prompt_tokens, reply.completion_tokens) == (1800, 7)
    assert image_bytes(body) == [builders.make_jpeg(0, (96, 64))]
    assert [part["type"] for part in content(body)] == ["image_url", "text"]
    assert content(body)[1]["text"] == RECIPE.tracks["single_en"].prompt
    assert content(body)[0]["image_url"]["max_dynamic_patch"] == RECIPE.generation.max_tiles
    assert body["messages"][0] == {"role": "system", "content": "You are InternVL."}
    assert body["model"] == "preview"
    limit = RECIPE.generation.max_new_tokens
    assert (body["max_completion_tokens"], body["max_tokens"]) == (limit, limit)


def test_several_images_are_numbered_and_get_fewer_tiles():
    with serve() as server, engine_for(server) as engine:
        engine.caption(request("multi_zh", images=3))
    parts = content(server.requests[0])
    texts = [part.get("text", "<image>") for part in parts]
    prompt = RECIPE.tracks["multi_zh"].prompt
    expected = ["Image-1: ", "<image>", "Image-2: ", "<image>", "Image-3: ", "<image>", prompt]
    assert texts == expected
    tiles = {part["image_url"]["max_dynamic_patch"] for part in parts if "image_url" in part}
    assert tiles == {RECIPE.generation.max_tiles_multi}


def test_a_greedy_recipe_sends_top_k_1_and_a_retry_adds_a_penalty():
    """Lmdeploy's server samples whatever the temperature, unless top_k is 1."""
    with serve() as server, engine_for(server) as engine:
        for attempt in (1, 2, 3, 4):
            engine.caption(request(attempt=attempt))
    assert [body["top_k"] for body in server.requests] == [1, 1, 1, 1]
    assert [body["repetition_penalty"] for body in server.requests] == [1.0, 1.02, 1.05, 1.05]


def test_a_sampling_recipe_keeps_its_settings_and_a_retry_changes_the_seed():
    generation = dataclasses.replace(
        RECIPE.generation, do_sample=True, top_k=40, temperature=0.7, random_seed=5
    )
    with serve() as server, engine_for(server) as engine:
        for attempt in (1, 2):
            engine.caption(request(attempt=attempt, generation=generation))
    assert [(b["top_k"], b["temperature"], b["seed"]) for b in server.requests] == [
        (40, 0.7, 5),
        (40, 0.7, 6),
    ]


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Answer("A dog", "length"), CaptionStatus.TRUNCATED, None),
        (Answer(" \n", "stop"), CaptionStatus.EMPTY, None),
        (Answer("", "length"), CaptionStatus.EMPTY, None),
        (Answer("A d", "abort"), CaptionStatus.ERROR, "abort"),
        (Answer("A d", "error"), CaptionStatus.ERROR, "error"),
        (Answer("A d", None), CaptionStatus.ERROR, "no_finish_reason"),
    ],
)
def test_only_a_stop_with_text_is_ok(answer, status, code):
    reply, _ = ask(answer=answer)
    assert (reply.status, reply.error_code) == (status, code)
    if status is CaptionStatus.ERROR:
        assert reply.caption == ""


def test_a_prompt_beyond_the_context_is_the_samples_error_and_not_sent_again():
    reply, requests = ask(Fault(status=400, message=CONTEXT))
    assert reply.status is CaptionStatus.ERROR
    assert reply.error_code == "context_length_exceeded"
    assert "9000" in reply.error
    assert len(requests) == 1


def test_a_refused_request_is_the_samples_error():
    reply, requests = ask(Fault(status=400, message="Request preprocessing failed."))
    assert (reply.error_code, reply.error) == ("http_400", "Request preprocessing failed.")
    assert len(requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503),
        Fault(status=404),
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(reset=True),
        Fault(body=b"<html>gateway</html>"),
        Fault(body=b"<html>gateway</html>", headers={"Content-Type": "text/html"}),
        Fault(body=b'{"object": "chat.completion", "choices": []}'),
    ],
    ids=["500", "503", "404", "429", "reset", "not-json", "html", "no-choice"],
)
def test_a_passing_fault_costs_nothing_but_a_second_send(fault):
    reply, requests = ask(fault)
    assert reply.status is CaptionStatus.OK
    assert len(requests) == 2


def test_a_request_that_fails_every_replica_takes_the_blame():
    reply, requests = ask(*[Fault(reset=True)] * 20)
    assert reply.status is CaptionStatus.ERROR
    assert reply.error_code == "replicas_failed"
    assert len(requests) == MAX_SENDS


def test_being_busy_is_not_held_against_the_request():
    reply, requests = ask(*[Fault(status=429)] * (MAX_SENDS + 1))
    assert reply.status is CaptionStatus.OK
    assert len(requests) == MAX_SENDS + 2


def test_a_request_that_is_not_answered_in_time_is_an_error_of_its_own():
    reply, requests = ask(Fault(stall_s=0.3), timeout_s=0.15)
    assert reply.status is CaptionStatus.ERROR
    assert reply.error_code == "timeout"
    assert len(requests) == 1


def test_a_worker_fills_the_window_over_all_replicas(tmp_path):
    store = FileStore(tmp_path)
    builders.put_shard(store, "sa_000000", {n: builders.make_jpeg(n) for n in range(1, 21)})
    plan = plan_track(
        RECIPE, RECIPE.tracks["single_en"], "sa_000000", read_index(store, "sa_000000")
    )

    together = threading.Barrier(5)

    def slow(body):
        together.wait(timeout=30)
        return Answer("A dog")

    with serve(answer=slow) as server, engine_for(server, window=5) as engine:
        reader = ShardReader(store, "sa_000000", plan)
        outcomes = list(Worker(engine, RECIPE.generation).run((s, reader) for s in plan))
    assert {outcome.sample for outcome in outcomes} == set(plan)
    assert all(outcome.reply.status is CaptionStatus.OK for outcome in outcomes)
    assert server.peak_in_flight == 5


def test_the_command_line_captions_a_shard_through_an_endpoint(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    builders.put_shard(store, "sa_000000", {n: builders.make_jpeg(n) for n in range(1, 9)})
    with serve() as server:
        monkeypatch.setenv("CAPTIONS_ROOT", tmp_path.as_uri())
        monkeypatch.setenv("CAPTIONS_CAMPAIGN", "demo")
        monkeypatch.setenv("CAPTIONS_RECIPE", str(DEMO_RECIPE))
        monkeypatch.setenv("CAPTIONS_OPENAI_URLS", server.url)
        arguments = ["caption", "--shards", "0", "--engine", "openai", "--tracks", "single_en"]
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    part = "campaigns/demo/captions/single_en/sa_000000/part-00000.parquet"
    rows = records.read_table(store, part).to_pylist()
    assert [row["caption"] for row in rows] == ["Images of 96x64"] * 8
    assert {(row["engine"], row["model_revision"]) for row in rows} == {("openai", "unreported")}
