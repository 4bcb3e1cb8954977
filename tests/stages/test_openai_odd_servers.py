"""The openai engine and the worker over servers that answer what they like."""

import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sa1b_captions import records
from sa1b_captions.caption.decoding.images import ShardReader
from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.engines.openai import replicas
from sa1b_captions.caption.engines.openai.engine import MAX_SENDS
from sa1b_captions.caption.resuming.parts import caption_row
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.caption.worker import MAX_ATTEMPTS, Worker
from sa1b_captions.errors import PermanentError
from sa1b_captions.records import CaptionStatus
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply
from tests.support.openai_client import RECIPE, engine_for, odd_completion, request
from tests.support.openai_server import Fault, image_sizes, serve

SHARD = "sa_000000"
ODD = (48, 32)
"""Size of the image that is answered oddly."""
WAITING = (429, 503)
"""The server takes no more work now, which is waited for."""


WORDS = [
    "choices",
    "message",
    "content",
    "finish_reason",
    "usage",
    "text",
    "type",
    "completion_tokens",
    "prompt_tokens",
    "error",
    "detail",
    "loc",
    "msg",
    "data",
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(categories=None), max_size=20)
    | st.sampled_from(["stop", "length", "STOP", "text", "A dog.", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
bodies = (
    json_values.map(lambda value: json.dumps(value).encode())
    | st.builds(odd_completion, json_values, json_values, usage=json_values, error=json_values)
    | st.builds(
        lambda content, reason, usage: odd_completion({"content": content}, reason, usage=usage),
        json_values,
        json_values,
        st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens"]), json_values),
    )
    | st.binary(max_size=60)
    | st.just(b"<html><title>Bad Gateway</title>")
)
NAMES = [
    "Content-Type",
    "Retry-After",
    "Location",
    "Content-Encoding",
    "X-Request-Id",
    "X-Should-Retry",
    "Content-Length",
    "Transfer-Encoding",
    "openai-processing-ms",
]
VALUES = [
    "text/html",
    "application/json",
    " charset=gbk",
    "text/event-stream",
    "",
    "nonsense",
    "-1",
    "0",
    "nan",
    "gzip",
    "br\n",
    "true",
    "Fri, 31 Dec 2027 23:59:59 GMT",
    "http://[::1",
    "/v1",
]
headers = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(VALUES).map(str.strip), max_size=3
)
statuses = st.sampled_from([200] * 6 + [201, 204, 206, 301, 302, 304, 307]) | st.sampled_from(
    [400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 418, 422, 451, 500, 501, 502, 504, 520, 599]
)


def is_odd(body):
    return image_sizes(body) == [ODD]


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """Samples of a shard, its first image of the odd size, and their reader."""
    store = FileStore(tmp_path_factory.mktemp("store"))
    sizes = {n: ODD if n == 1 else (96, 64) for n in range(1, 5)}
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n, size) for n, size in sizes.items()})
    plan = plan_track(RECIPE, RECIPE.tracks["single_en"], SHARD, read_index(store, SHARD))
    return plan, ShardReader(store, SHARD, plan * 100_000)


@pytest.fixture(scope="module")
def server_and_engine():
    with serve() as server, engine_for(server, first_pause_s=0.0002, timeout_s=0.4) as engine:
        yield server, engine


def rows_of(engine, samples, reader):
    """What the stage would store of these samples, by the image's id."""
    rows = {}
    for outcome in Worker(engine, RECIPE.generation).run((sample, reader) for sample in samples):
        rows[outcome.sample.images[0].image_id] = caption_row(
            outcome.sample,
            outcome.reply,
            engine=engine,
            fingerprint="f",
            attempt=outcome.attempt,
            latency_s=outcome.latency_s,
            hashes=outcome.hashes,
        )
    return rows


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(status=statuses, body=bodies, headers=headers)
def test_no_reply_costs_more_than_its_own_sample(server_and_engine, shard, status, body, headers):
    """Whatever its JSON, headers and status are, on every try."""
    (server, engine), (plan, reader) = server_and_engine, shard
    server.odd = lambda asked: Fault(status, headers=headers, body=body) if is_odd(asked) else None
    rows = rows_of(engine, plan[:2], reader)
    assert set(rows) == {1, 2}
    assert (rows[2]["status"], rows[2]["caption"]) == ("ok", "Images of 96x64")
    table = pa.Table.from_pylist([*rows.values()], schema=records.CAPTION_SCHEMA)
    assert table.num_rows == 2  # and every value fits its column
    if rows[1]["status"] == "error":
        assert rows[1]["error"]


@pytest.mark.parametrize(
    ("body", "status", "caption"),
    [
        (odd_completion({"content": "A \ud800 dog."}), "ok", "A \ufffd dog."),
        (odd_completion({"content": [{"type": "text", "text": "A dog."}]}), "ok", "A dog."),
        (odd_completion({"content": "A dog."}, {"type": "stop"}), "ok", "A dog."),
        (odd_completion({"content": "A dog."}, "eos_token"), "ok", "A dog."),
        (odd_completion({"content": "A dog."}, "STOP"), "ok", "A dog."),
        (odd_completion({"content": "A dog."}, "max_tokens"), "truncated", "A dog."),
        (odd_completion({"content": "A dog."}, usage={"prompt_tokens": 1e99}), "ok", "A dog."),
        (odd_completion(None), "error", ""),
        (odd_completion({"content": 5}), "error", ""),
        (odd_completion({"content": "A dog."}, "tool_calls"), "error", ""),
    ],
)
def test_an_odd_answer_becomes_the_samples_row_whichever_way(
    server_and_engine, shard, body, status, caption
):
    (server, engine), (plan, reader) = server_and_engine, shard
    server.odd = lambda asked: Fault(body=body) if is_odd(asked) else None
    rows = rows_of(engine, plan, reader)
    assert (rows[1]["status"], rows[1]["caption"]) == (status, caption)
    assert [rows[n]["status"] for n in (2, 3, 4)] == ["ok"] * 3


def test_an_answer_that_is_not_understood_is_quoted_in_its_row():
    body = odd_completion(None, id="x" * 1000)
    with serve(odd=lambda asked: Fault(body=body)) as server, engine_for(server) as engine:
        reply = engine.caption(request())
    assert (reply.status, reply.error_code) == (CaptionStatus.ERROR, "not_a_completion")
    assert reply.error.endswith(body.decode()[:200])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(422, body=b'{"detail": "too many images"}'), "too many images"),
        (
            Fault(422, body=b'{"detail": [{"loc": ["body", "top_k"], "msg": "not an integer"}]}'),
            "body.top_k: not an integer",
        ),
        (Fault(400, body=b'{"error": "model is loading"}'), "model is loading"),
        (Fault(413, body=b"<html>\n<head><title>413 Too Large</title></head>"), "413 Too Large"),
        (Fault(400, body=b"plain words"), "plain words"),
        (Fault(400, body=b""), "no reason given"),
        (Fault(400, body=b'{"code": 7}'), '{"code": 7}'),
    ],
)
def test_what_the_server_says_reaches_the_operator(fault, said):
    with serve(odd=lambda asked: fault) as server, engine_for(server) as engine:
        reply = engine.caption(request())
    assert (reply.error_code, reply.error) == (f"http_{fault.status}", said)


def test_a_page_of_a_broken_gateway_is_named_too():
    fault = Fault(502, body=b"<html><head><title>502 Bad Gateway</title></head></html>")
    with serve(odd=lambda asked: fault) as server, engine_for(server) as engine:
        reply = engine.caption(request())
    assert (
        reply.error == f"{MAX_SENDS} replicas failed on it, the last with HTTP 502: 502 Bad Gateway"
    )


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens.",
        "the request exceeds the available context size, try increasing it",
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.",
    ],
)
def test_a_prompt_that_is_too_long_is_known_by_the_words_of_each_server(message):
    with serve(odd=lambda asked: Fault(400, message)) as server, engine_for(server) as engine:
        assert engine.caption(request()).error_code == "context_length_exceeded"


def test_a_refused_sample_is_its_own_row_and_a_refused_key_ends_the_run():
    """A filter may answer 403 to one image; the list of models tells whether it is the key."""
    with (
        serve(odd=lambda asked: Fault(403, "not this image")) as server,
        engine_for(server) as engine,
    ):
        reply = engine.caption(request())
        assert (reply.error_code, reply.error) == ("http_403", "not this image")
        server.key = "changed"
        with pytest.raises(PermanentError, match="refuses the key"):
            engine.caption(request())


def test_a_sample_that_no_server_takes_while_it_takes_others_is_a_row(shard, monkeypatch):
    monkeypatch.setattr(replicas, "LONGEST_PAUSE_S", 0.02)
    plan, reader = shard
    busy = Fault(503, "no room", {"Retry-After": "0"})
    with (
        serve(odd=lambda asked: busy if is_odd(asked) else None) as server,
        engine_for(server, patience_s=2) as engine,
    ):
        rows = rows_of(engine, plan * 20, reader)
    assert rows[1]["error_code"] == "replicas_failed"
    assert "while others were" in rows[1]["error"]
    assert "no room" in rows[1]["error"]
    assert {rows[n]["status"] for n in (2, 3, 4)} == {"ok"}


@pytest.mark.parametrize(
    "error", [KeyError("choices"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"), MemoryError()]
)
def test_a_fault_of_any_engine_costs_its_own_sample(shard, caplog, error):
    plan, reader = shard

    def script(asked):
        if asked.sample_id.endswith("/1"):
            raise error
        return honest_reply(asked)

    engine = ScriptedEngine(script)
    rows = rows_of(engine, plan, reader)
    assert (rows[1]["status"], rows[1]["error_code"]) == ("error", "engine_fault")
    assert rows[1]["error"].startswith(type(error).__name__)
    assert engine.asked.count(plan[0].sample_id) == MAX_ATTEMPTS
    assert {rows[n]["status"] for n in (2, 3, 4)} == {"ok"}
    assert "Traceback" in caplog.text


def test_what_no_row_can_hold_is_mended_for_any_engine(shard):
    plan, reader = shard
    odd = Reply(CaptionStatus.OK, "A \ud800", "stop", 2**40, -1)
    rows = rows_of(ScriptedEngine(lambda asked: odd), plan, reader)
    assert rows[1]["caption"] == "A \ufffd"
    assert (rows[1]["prompt_tokens"], rows[1]["completion_tokens"]) == (None, None)
    assert rows_of(ScriptedEngine(lambda asked: None), plan[:1], reader)[1]["status"] == "error"
