"""What a server answers that calls itself compatible with OpenAI's."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.caption.engines.openai.completion import (
    Completion,
    NotACompletionError,
    quote,
    read_completion,
    read_models,
    sentence,
)
from tests.fuzz.mutations import VALUES, changed_json, damaged_bytes, json_bytes, require_sentence

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "A red bus.", "reasoning_content": "hm"},
            "finish_reason": "stop",
            "logprobs": {
                "content": [
                    {
                        "token": "Yes",
                        "logprob": -0.1,
                        "top_logprobs": [{"token": "No", "logprob": -2.5}],
                    }
                ]
            },
        }
    ],
    "usage": {"prompt_tokens": 1800, "completion_tokens": 5, "total_tokens": 1805},
}
PARTS = {"choices": [{"message": {"content": [{"type": "text", "text": "A bus."}]}}]}
MODELS = {"object": "list", "data": [{"id": "internvl", "max_model_len": 8192}]}
ERROR = {"error": {"message": "too long", "code": 400}, "detail": [{"msg": "no", "loc": ["body"]}]}
PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head></html>"
SEEDS = [COMPLETION, PARTS, MODELS, ERROR]
BODIES = st.one_of(
    damaged_bytes([PAGE, b"", *(json.dumps(seed).encode() for seed in SEEDS)]),
    changed_json(SEEDS).map(json_bytes),
    VALUES.map(json_bytes),
    st.integers(0, 5_000).map(lambda depth: b"[" * depth),
    changed_json(SEEDS).map(lambda content: json.dumps(content).encode("utf-16")),
)


@given(BODIES)
def completion(body: bytes) -> None:
    """A body is a completion whose text can be stored, or the engine's own error says why not."""
    try:
        found = read_completion(body)
    except NotACompletionError as error:
        require_sentence(error)
        return
    assert isinstance(found, Completion)
    found.model_dump_json().encode()


@given(BODIES)
def models(body: bytes) -> None:
    """A body is a list of names that can be shown, or none."""
    for name in read_models(body) or []:
        assert name.encode()


@given(BODIES, VALUES)
def refusal(body: bytes, content: object) -> None:
    """What is quoted of an answer is one short line that can be printed."""
    for line in (quote(body), sentence(content)):
        assert len(line) <= 300
        assert "\n" not in line
        line.encode()
