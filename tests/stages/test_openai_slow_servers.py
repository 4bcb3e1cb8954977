"""Servers whose answers drip, never end or break off, and lists that name no model."""

import gzip
import json
import threading
import time
import tracemalloc

import pytest

from sa1b_captions.caption.engines.openai import endpoint
from sa1b_captions.caption.engines.openai.engine import MAX_SENDS
from sa1b_captions.errors import RetryableError
from sa1b_captions.records import CaptionStatus
from tests.support.openai_client import engine_for, odd_completion, request
from tests.support.openai_server import Fault, serve


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(endpoint, "MAX_ANSWER_BYTES", 1 << 20)
    endless = Fault(body=b"[" * (3 << 20))
    with serve(odd=lambda asked: endless) as server, engine_for(server) as engine:
        reply = engine.caption(request())
    assert reply.error.startswith("its answer is longer than 1 MiB: [[[")


def test_an_answer_that_drips_is_given_up_in_time():
    """Every byte comes soon after the one before it, so no time-out of the connection helps."""
    slow = Fault(body=odd_completion({"content": "A dog." * 50}), drip_s=0.02)
    with serve(odd=lambda asked: slow) as server, engine_for(server, timeout_s=0.4) as engine:
        reply = engine.caption(request())
    assert (reply.error_code, reply.error) == ("timeout", "no answer within 0 s")


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_refusal_that_drips_is_read_as_far_as_it_came(monkeypatch, status):
    monkeypatch.setattr(endpoint, "REFUSAL_S", 0.3)
    slow = Fault(status, body=b"I refuse" + b"." * 500, drip_s=0.015)
    began = time.monotonic()
    with serve([slow] * MAX_SENDS) as server, engine_for(server) as engine:
        reply = engine.caption(request())
    assert "I refuse" in reply.error
    assert time.monotonic() - began < 4


def test_a_refusal_that_breaks_off_is_that_refusal():
    cut = Fault(400, body=b"\x1f\x8b I refuse", headers={"Content-Encoding": "gzip"})
    with serve([cut]) as server, engine_for(server) as engine:
        assert engine.caption(request()).error_code == "http_400"


def test_no_refusal_takes_more_memory_than_an_answer():
    """Six hundred kilobytes that unpack to six hundred megabytes."""
    bomb = Fault(400, body=gzip.compress(bytes(600 << 20), 1), headers={"Content-Encoding": "gzip"})
    with serve([bomb]) as server, engine_for(server) as engine:
        tracemalloc.start()
        reply = engine.caption(request())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert reply.error_code == "http_400"
    assert peak < 200 << 20


def test_what_a_refusal_names_as_its_place_is_one_line_without_control_characters():
    detail = {"loc": ["body", "a\n\x1b[31mb", {"c": "\ud800"}], "msg": "is bad"}
    refusal = Fault(422, body=json.dumps({"detail": [detail]}).encode())
    with serve([refusal]) as server, engine_for(server) as engine:
        error = engine.caption(request()).error
    assert error.isprintable()
    assert error.endswith(": is bad")


@pytest.mark.parametrize(
    "answer",
    [
        Fault(body=b'{"object": "list", "data": []}'),
        Fault(body=b'{"data": null}'),
        Fault(body=b"[]"),
        Fault(body=b'{"data": [{"id": null}]}'),
        Fault(502, body=b"<html><title>Bad Gateway</title>"),
        Fault(body=b"<html><title>Starting</title>"),
    ],
)
def test_a_model_list_that_names_none_is_waited_for(answer):
    with serve(model_list=answer) as server, engine_for(server, wait=False) as engine:
        threading.Timer(0.1, lambda: setattr(server, "model_list", None)).start()
        engine.wait_until_ready()
        assert engine.caption(request()).status is CaptionStatus.OK


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Fault(body=b'{"data": []}'), "it lists no model yet"),
        (Fault(body=b'{"data": [{"id": null}]}'), "it lists no model yet"),
        (Fault(body=b"<html><title>Hello</title>"), "its list of models is none, but: Hello"),
        (Fault(500, body=b'{"detail": "no GPU"}'), "its list of models fails, HTTP 500: no GPU"),
    ],
)
def test_a_model_list_that_never_names_one_ends_in_a_sentence(answer, said):
    with (
        serve(model_list=answer) as server,
        pytest.raises(RetryableError) as error,
        engine_for(server, patience_s=0.1),
    ):
        pass
    assert f"{server.url}: {said})" in str(error.value)
    assert "Error:" not in str(error.value)


def test_a_model_list_that_drips_or_never_ends_does_not_hold_up_the_other_replicas(monkeypatch):
    monkeypatch.setattr(endpoint, "MAX_ANSWER_BYTES", 1 << 20)
    monkeypatch.setattr(endpoint, "CONNECT_S", 0.2)
    with (
        serve(model_list=Fault(body=b" " * 10_000, drip_s=0.02)) as dripping,
        serve(model_list=Fault(body=b"[" * (3 << 20))) as endless,
        serve() as well,
        engine_for(dripping, endless, well, patience_s=10.0) as engine,
    ):
        assert engine.caption(request()).status is CaptionStatus.OK
        problems = {replica.problem for replica in engine._replicas.members}
    assert "its list of models did not come: the answer took too long" in problems


@pytest.mark.parametrize("answer", [b'[{"id": "preview"}]', b'{"models": [{"name": "preview"}]}'])
def test_a_bare_model_list_is_a_list(answer):
    with serve(model_list=Fault(body=answer)) as server, engine_for(server) as engine:
        assert engine.caption(request()).status is CaptionStatus.OK
