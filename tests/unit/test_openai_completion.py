"""Answers of servers that almost speak the protocol, read at the border."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.engines.openai.completion import (
    QUOTED_CHARS,
    NotACompletionError,
    quote,
    read_completion,
    read_models,
    sentence,
)
from sa1b_captions.caption.engines.storable import clean_text, storable, token_count
from sa1b_captions.records import CaptionStatus


def answer(content="A dog.", reason="stop", **fields):
    choice = {"index": 0, "message": {"role": "assistant", "content": content}}
    return json.dumps({"choices": [choice | {"finish_reason": reason}], **fields}).encode()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("A dog.", "A dog."),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "A "}, {"type": "text", "text": "dog."}], "A dog."),
        (["A ", "dog."], "A dog."),
        ([{"type": "output_text", "text": {"value": "A dog."}}], "A dog."),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "A dog."}], "A dog."),
        ([{"type": "image_url", "image_url": {}}, {"type": "text", "text": "A dog."}], "A dog."),
        ({"type": "text", "text": "A dog."}, "A dog."),
        ({"parts": [{"text": "A dog."}]}, "A dog."),
        ("A \ud83d dog.", "A \ufffd dog."),
        (["A \ud83d", "\ude00 dog."], "A \U0001f600 dog."),
    ],
)
def test_text_is_found_wherever_servers_put_it(content, text):
    assert read_completion(answer(content)).text == text


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        *((name, "stop") for name in ("stop", "STOP", "eos", "eos_token", "stop_sequence")),
        *((name, "stop") for name in ("FINISH_REASON_STOP", "FinishReason.STOP", "end_turn")),
        *((name, "length") for name in ("length", "max_tokens", "MAX_TOKENS", "limit", "Length")),
        ({"type": "stop", "matched": 128009}, "stop"),
        ({"type": "length", "length": 512}, "length"),
        ({"reason": {"type": "eos-token"}}, "stop"),
        (["stop"], "stop"),
        ("content_filter", "content_filter"),
        ({"type": "abort", "message": "gone"}, "abort"),
        (None, None),
        ("", None),
        ({}, None),
        (7, "7"),
        ([[[["stop"]]]], "not_understood"),
        ("\ud800", "\ufffd"),
    ],
)
def test_reasons_of_all_servers_mean_one_of_two_ends_or_are_named(reason, end):
    assert read_completion(answer(reason=reason)).choice.finish_reason == end


@pytest.mark.parametrize(
    ("count", "kept"),
    [
        *((1800, 1800), (0, 0), (7.0, 7), ("7", 7), (2**31 - 1, 2**31 - 1)),
        *((count, None) for count in (2**31, 10**30, -1, 7.5, True, None, "many", [], {}, "")),
    ],
)
def test_token_counts_fit_their_column_or_are_missing(count, kept):
    found = read_completion(answer(usage={"prompt_tokens": count, "completion_tokens": 7}))
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (kept, 7)


@pytest.mark.parametrize("usage", [None, 5, [], "none", {"total_tokens": 3}])
def test_a_usage_that_is_none_counts_nothing(usage):
    assert read_completion(answer(usage=usage)).usage.completion_tokens is None


@pytest.mark.parametrize("number", [b"1e999", b"-Infinity", b"NaN", b"9" * 5000])
def test_numbers_that_no_column_holds_are_missing(number):
    data = answer(usage={"completion_tokens": 1}).replace(b": 1}", b": " + number + b"}")
    assert read_completion(data).usage.completion_tokens is None


def test_bytes_that_are_no_text_and_other_encodings_are_read():
    assert read_completion(answer("A dog.").replace(b"dog", b"d\xffg")).text == "A d\ufffdg."
    assert read_completion(b"\xef\xbb\xbf" + answer()).text == "A dog."
    assert read_completion(answer().decode().encode("utf-16")).text == "A dog."
    assert read_completion(answer("A\tdog.").replace(b"\\t", b"\t")).text == "A\tdog."


def test_a_choice_of_the_text_protocol_and_a_bare_message_are_read():
    assert read_completion(b'{"choices": [{"text": "A dog."}]}').text == "A dog."
    assert read_completion(b'{"choices": [{"message": "A dog."}]}').text == "A dog."


@pytest.mark.parametrize(
    "choice",
    [None, "A dog.", 5, [], {}, {"message": None}, {"message": 5}, {"message": {"content": 5}}],
)
def test_an_answer_without_text_is_the_samples_and_is_quoted(choice):
    data = json.dumps({"choices": [choice], "usage": {}}).encode()
    with pytest.raises(NotACompletionError, match="holds no text that can be read: ") as error:
        read_completion(data)
    assert error.value.of_sample
    assert data.decode()[:QUOTED_CHARS] in str(error.value)


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"{}", b'{"choices": {}}', b'{"choices": []}', b"[" * 100_000]
)
def test_what_is_no_completion_is_not_held_against_the_sample(data):
    with pytest.raises(NotACompletionError) as error:
        read_completion(data)
    assert not error.value.of_sample
    assert len(str(error.value)) < QUOTED_CHARS + 60


@given(st.binary())
def test_no_bytes_raise_anything_else(data):
    with contextlib.suppress(NotACompletionError):
        read_completion(data)
    read_models(data)
    quote(data).encode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "Not enough memory"}, "Not enough memory"),
        (
            {"detail": [{"loc": ["body", "messages", 0], "msg": "Field required"}]},
            "body.messages.0: Field required",
        ),
        ({"error": "model is loading"}, "model is loading"),
        ({"error": {"message": "too long", "code": 400}}, "too long"),
        ({"object": "error", "message": "busy", "code": 400}, "busy"),
        ({"error_code": 10402, "text": "unavailable model"}, "unavailable model"),
        ("plain text\nand more", "plain text"),
        ("<html>\n<head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        ("<!DOCTYPE html><style>b {}</style><body><h1>Oops &amp; so</h1>", "Oops & so"),
        ("\x1b[31mred\x00", "[31mred"),
        ({"message": "\ud800"}, "\ufffd"),
        (None, ""),
        (5, ""),
        ({}, ""),
    ],
)
def test_what_a_server_says_is_found_in_its_errors(body, said):
    assert sentence(body) == said


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b'{"data": [{"id": "a"}, {"id": "b"}]}', ["a", "b"]),
        (b'[{"id": "a"}]', ["a"]),
        (b'["a"]', ["a"]),
        (b'{"models": [{"name": "a"}]}', ["a"]),
        (b'{"data": {"id": "a"}}', ["a"]),
        (b'{"data": [{"id": null}, {}, null, 5, {"id": "a"}]}', ["a"]),
        (b'{"data": []}', []),
        (b'{"data": null}', []),
        (b"null", []),
        (b"[]", []),
        (b"<html>", None),
        (b"", None),
        (b'{"error": "starting"}', None),
        (b"5", None),
    ],
)
def test_models_are_read_however_they_are_wrapped(data, names):
    assert read_models(data) == names


@given(st.text(st.characters(categories=None)))
def test_clean_text_is_unicode_and_changes_nothing_else(text):
    cleaned = clean_text(text)
    cleaned.encode()
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert cleaned == text


def test_a_reply_is_made_fit_for_a_row():
    odd = Reply(CaptionStatus.OK, "A \udc00", "stop" * 40, 2**40, -3, "c\ud800", "e\ud800")
    assert storable(odd) == Reply(
        CaptionStatus.OK, "A \ufffd", "stop" * 15, None, None, "c\ufffd", "e\ufffd"
    )
    assert token_count(float("inf")) is None


@pytest.mark.parametrize(
    ("written", "caption"),
    [
        ("<think>I look.</think>A dog.", "A dog."),
        ("I look.</think>A dog.", "A dog."),
        ("\n<think>I look", ""),
        ("A <think> tag on a sign.", "A <think> tag on a sign."),
    ],
)
def test_thoughts_of_a_model_are_no_part_of_its_caption(written, caption):
    message = {"content": written}
    answer = {"choices": [{"message": message, "finish_reason": "stop"}]}
    assert read_completion(json.dumps(answer).encode()).text == caption


def told(first, **usage):
    """What is read of an answer whose first token comes with this."""
    choice = {
        "message": {"content": "Yes"},
        "finish_reason": "stop",
        "logprobs": {"content": [first]},
    }
    return read_completion(json.dumps({"choices": [choice], "usage": usage}).encode())


def test_probabilities_of_the_first_token_are_read_as_openai_and_as_lmdeploy_write_them():
    others = [{"token": "No", "logprob": -2.0}, {"token": "Ġyes", "logprob": -3.0}]
    chosen = {"token": "Yes", "logprob": -0.2}
    beside = told({**chosen, "top_logprobs": others})
    among = told({**chosen, "top_logprobs": [chosen, *others]})
    expected = pytest.approx({"Yes": -0.2, "No": -2.0, "Ġyes": -3.0})
    assert beside.choice.first_tokens == expected
    assert among.choice.first_tokens == expected


def test_the_prefix_caches_tokens_are_counted():
    completion = told({}, prompt_tokens=3400, prompt_tokens_details={"cached_tokens": 3328})
    assert completion.usage.cached_tokens == 3328
    assert told({}, prompt_tokens_details="many").usage.cached_tokens is None


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        [],
        {"content": []},
        {"content": [7]},
        {"content": [{"token": "Yes", "logprob": None}]},
        {"content": [{"token": 5, "logprob": -1, "top_logprobs": {"a": 1}}]},
        {"content": [{"token": "Yes", "logprob": 3.0, "top_logprobs": [1, None]}]},
        {"content": [{"token": "Yes", "logprob": -1e300, "top_logprobs": []}]},
    ],
    ids=str,
)
def test_odd_probabilities_are_none_and_cost_no_answer(logprobs):
    choice = {"message": {"content": "Yes"}, "finish_reason": "stop", "logprobs": logprobs}
    completion = read_completion(json.dumps({"choices": [choice]}).encode())
    assert completion.choice.first_tokens is None
    assert completion.text == "Yes"
