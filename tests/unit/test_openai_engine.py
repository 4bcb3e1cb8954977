import contextlib
import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

import builders
from openai_server import Answer, Fault, content, image_bytes, serve
from sa1b_captions import records
from sa1b_captions.caption.engines.base import Request
from sa1b_captions.caption.engines.openai import MAX_SENDS, OpenAIEngine, open_engine
from sa1b_captions.caption.images import ShardReader, decode_jpeg
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.caption.worker import Worker
from sa1b_captions.cli import app
from sa1b_captions.errors import PermanentError, RetryableError, SettingsError
from sa1b_captions.records import CaptionStatus
from sa1b_captions.settings import load_settings
from sa1b_captions.storage import FileStore

DEMO_RECIPE = Path(__file__).parents[2] / "demo" / "recipe.toml"
RECIPE = builders.demo_recipe(
    model={"id": "preview", "revision": "r1", "system_prompt": "You are InternVL."}
)
CONTEXT = "Input length (9000) must be smaller than the model context length (8192)."


def request(track="single_en", images=1, attempt=1, generation=RECIPE.generation):
    jpegs = tuple(builders.make_jpeg(n, (96 + n, 64)) for n in range(images))
    decoded = tuple(decode_jpeg(jpeg) for jpeg in jpegs)
    return Request("sample", decoded, RECIPE.tracks[track], generation, attempt, jpegs)


@contextlib.contextmanager
def engine_for(*servers, wait=True, **options):
    options = {"patience_s": 5.0, "timeout_s": 10.0, "first_pause_s": 0.005} | options
    engine = OpenAIEngine(RECIPE.model, tuple(server.url for server in servers), **options)
    try:
        if wait:
            engine.wait_until_ready()
        yield engine
    finally:
        engine.close()


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
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(reset=True),
        Fault(body=b"<html>gateway</html>"),
        Fault(body=b"<html>gateway</html>", headers={"Content-Type": "text/html"}),
        Fault(body=b'{"object": "chat.completion", "choices": []}'),
    ],
    ids=["500", "503", "429", "reset", "not-json", "html", "no-choice"],
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


def test_a_url_without_v1_is_named():
    with serve() as server:
        server.url = server.url.removesuffix("/v1")
        with (
            pytest.raises(RetryableError, match="should end in /v1"),
            engine_for(server, patience_s=1.0),
        ):
            pass


def test_another_model_is_refused_at_start():
    with (
        serve(models=["internlm/other"]) as server,
        pytest.raises(PermanentError, match="serves internlm/other, the recipe needs preview"),
    ):
        open_engine(RECIPE, settings_for(server.url))


def test_a_key_is_sent_and_a_wrong_one_is_refused():
    with serve(key="secret") as server:
        engine = open_engine(RECIPE, settings_for(server.url, CAPTIONS_OPENAI_API_KEY="secret"))
        assert engine.caption(request()).status is CaptionStatus.OK
        engine.close()
        with pytest.raises(PermanentError, match="set CAPTIONS_OPENAI_API_KEY"):
            open_engine(RECIPE, settings_for(server.url))


def test_no_url_names_the_setting():
    with pytest.raises(SettingsError, match="CAPTIONS_OPENAI_URLS"):
        open_engine(RECIPE, load_settings({"CAPTIONS_ROOT": "file:///x"}))


def test_the_key_is_not_in_what_settings_print():
    assert "k3y" not in repr(settings_for("http://h/v1", CAPTIONS_OPENAI_API_KEY="k3y"))


def test_rows_name_the_revision_only_if_the_endpoint_does():
    with serve() as server, engine_for(server) as engine:
        assert (engine.name, engine.model, engine.model_revision) == (
            "openai",
            "preview",
            "unreported",
        )
    with serve(models=["preview@r1"]) as server, engine_for(server) as engine:
        assert (engine.model, engine.model_revision) == ("preview", "r1")
        assert engine.caption(request()).status is CaptionStatus.OK


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


def settings_for(url, **variables):
    return load_settings({"CAPTIONS_ROOT": "file:///x", "CAPTIONS_OPENAI_URLS": url} | variables)


def wait_for(condition, limit_s=3.0):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s
        time.sleep(0.01)
