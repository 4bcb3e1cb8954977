"""What servers that almost speak the chat-completions protocol mean by their answers.

Bytes come in, and a `Completion`, the names of models, or a sentence for people goes out. What
vLLM, SGLang, TGI, llama.cpp, Ollama and gateways before them say differently is known here alone.
"""

import html
import json
import math
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from sa1b_captions.caption.engines.storable import MAX_CODE_CHARS, clean_text, token_count

QUOTED_CHARS = 200
"""So much of an answer that is not understood is quoted."""

_STOP = frozenset(
    (
        *("stop", "eos", "eos_token", "eos_token_id", "end"),
        *("end_id", "end_turn", "end_of_sequence", "end_of_text", "stop_sequence"),
        *("stop_token", "stop_word", "stop_words", "stop_str", "stop_string"),
        *("word", "complete", "completed", "finished", "done"),
    )
)
"""Names of the end that a model chose."""
_LENGTH = frozenset(
    (
        *("length", "limit", "max_tokens", "max_new_tokens", "max_output_tokens"),
        *("max_completion_tokens", "max_length", "token_limit", "length_limit", "model_length"),
        *("max_model_len", "context_length", "context_window"),
    )
)
"""Names of the end that a limit of tokens set."""
_REASON_KEYS = ("type", "reason", "finish_reason", "name", "value")
_PART_KEYS = ("text", "content", "value", "parts")
_NOT_SAID = frozenset({"reasoning", "thinking", "reasoning_content", "redacted_thinking"})
"""Types of parts that are not the answer."""
_MAX_DIGITS = 20
_LARGEST_LOGPROB = 1e-3
"""A probability is at most 1, give or take a rounding."""
_LOOKED_AT = 8_000
"""So many characters of what may be a page are looked at."""
_PAGE = re.compile(r"\s*<(!doctype|html|head|body|title|h1|\?xml|!--)", re.IGNORECASE)


class NotACompletionError(ValueError):
    """An answer that is none; the message quotes it."""

    def __init__(self, why: str, data: bytes, *, of_sample: bool) -> None:
        super().__init__(f"{why}: {quote(data)}")
        self.of_sample = of_sample
        """Whether it answers this sample: it has choices, and the next try may get the same."""


def _part_text(part: Any, depth: int = 4) -> str | None:
    """Text of a part, or of all parts that have some; None where none has."""
    if isinstance(part, str):
        return part
    if depth and isinstance(part, list):
        texts = [text for one in part if (text := _part_text(one, depth - 1)) is not None]
        return "".join(texts) if texts or not part else None
    if depth and isinstance(part, dict):
        if str(part.get("type")) in _NOT_SAID:
            return ""
        found = next((part[key] for key in _PART_KEYS if part.get(key) is not None), None)
        return _part_text(found, depth - 1)
    return None


def _content(value: Any) -> str:
    text = "" if value is None else _part_text(value)
    if text is None:
        raise ValueError("no text")
    return _after_thoughts(clean_text(text))


def _after_thoughts(text: str) -> str:
    """The answer of a model that thinks aloud; some servers begin its thoughts in the prompt."""
    _, end, answer = text.partition("</think>")
    if end:
        return answer
    return "" if text.lstrip().startswith("<think>") else text


def _message(value: Any) -> Any:
    return {"content": value} if isinstance(value, str | list) else value


def _reason(value: Any) -> str | None:
    """`stop`, `length`, or what the server calls another end; None when it names none."""
    for _ in range(3):
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            value = next((value[key] for key in _REASON_KEYS if value.get(key) is not None), None)
    if value is None or value == "":
        return None
    said = str(value) if isinstance(value, str | int | float) else "not_understood"
    name = re.sub(r"[\s-]+", "_", clean_text(said).strip()).casefold()
    name = re.sub(r"^finish_?reason[._]", "", name)
    if name in _STOP:
        return "stop"
    return "length" if name in _LENGTH else name[:MAX_CODE_CHARS]


def _choice(value: Any) -> Any:
    """A choice of the older text protocol as one of chat."""
    if isinstance(value, dict) and value.get("message") is None and value.get("text") is not None:
        return value | {"message": {"content": value["text"]}}
    return value


def _first_tokens(value: Any) -> dict[str, float] | None:
    """Logarithms of the most probable first tokens' probabilities; None where there are none.

    lmdeploy names the token that was taken only beside the other probable ones, OpenAI also among
    them; a token that several names stand for counts with all of them.
    """
    content = value.get("content") if isinstance(value, dict) else None
    first = content[0] if isinstance(content, list) and content else None
    if not isinstance(first, dict):
        return None
    others = first.get("top_logprobs")
    named = [one for one in (others if isinstance(others, list) else []) if isinstance(one, dict)]
    if all(one.get("token") != first.get("token") for one in named):
        named.append(first)
    sums: dict[str, float] = {}
    for one in named:
        token, logarithm = one.get("token"), one.get("logprob")
        if not isinstance(token, str) or not isinstance(logarithm, int | float):
            continue
        if logarithm <= _LARGEST_LOGPROB:
            sums[clean_text(token)] = sums.get(clean_text(token), 0.0) + math.exp(logarithm)
    return {token: math.log(share) for token, share in sums.items() if share > 0} or None


def _usage(value: Any) -> Any:
    """Counts of tokens, with that of the prefix cache, which lies deeper."""
    if not isinstance(value, dict):
        return {}
    details = value.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return {"cached_tokens": cached} | value


_Count = Annotated[int | None, BeforeValidator(token_count)]


class _Usage(BaseModel):
    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    cached_tokens: _Count = None


class _Message(BaseModel):
    content: Annotated[str, BeforeValidator(_content)] = ""


class _Choice(BaseModel):
    message: Annotated[_Message, BeforeValidator(_message)]
    finish_reason: Annotated[str | None, BeforeValidator(_reason)] = None
    first_tokens: Annotated[dict[str, float] | None, BeforeValidator(_first_tokens)] = Field(
        None, validation_alias="logprobs"
    )


class Completion(BaseModel):
    """The part of a chat completion that a caption needs."""

    choice: Annotated[_Choice, BeforeValidator(_choice)]
    usage: Annotated[_Usage, BeforeValidator(_usage)] = Field(default_factory=_Usage)

    @property
    def text(self) -> str:
        """What the model wrote."""
        return self.choice.message.content


def read_completion(data: bytes) -> Completion:
    """Read the answer to a chat request. Raises NotACompletionError if it is none."""
    try:
        answer = read_json(data)
    except ValueError:
        raise NotACompletionError("its answer is no JSON", data, of_sample=False) from None
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices:
        raise NotACompletionError("its answer is no completion", data, of_sample=False)
    try:
        return Completion.model_validate({"choice": choices[0], "usage": answer.get("usage")})
    except ValidationError:
        raise NotACompletionError(
            "its answer holds no text that can be read", data, of_sample=True
        ) from None


def read_models(data: bytes) -> list[str] | None:
    """Names in a list of models, whichever way it is wrapped; None when it is no list."""
    try:
        answer = read_json(data)
    except ValueError:
        return None
    for _ in range(2):
        if isinstance(answer, dict):
            answer = next((answer[key] for key in ("data", "models") if key in answer), answer)
    if isinstance(answer, dict) and "id" in answer:
        answer = [answer]
    if answer is None:
        return []
    if not isinstance(answer, list):
        return None
    names = [
        next((one[key] for key in ("id", "name", "model") if one.get(key)), None)
        if isinstance(one, dict)
        else one
        for one in answer
    ]
    return [clean_text(name) for name in names if isinstance(name, str) and name]


def read_json(data: bytes) -> Any:
    """What JSON says, however oddly it is written; a number too long to mean anything is None.

    Raises ValueError: it is no JSON, or nested too deeply.
    """
    try:
        text = data.decode(json.detect_encoding(data), "replace")
        return json.loads(text, strict=False, parse_int=_parse_int)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _parse_int(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MAX_DIGITS else None


def quote(data: bytes) -> str:
    """The beginning of an answer, on one line; of a page its first line without the tags."""
    text = data[:_LOOKED_AT].decode("utf-8", "replace")
    shown = _first_line(text) if _PAGE.match(text) else " ".join(_visible(text).split())
    return shown[:QUOTED_CHARS] or "nothing"


def sentence(body: Any, depth: int = 4) -> str:
    """What the body of an error says to people, on one line; empty when it says nothing.

    Knows a `message`, FastAPI's `detail`, an `error` that is text or holds one of these, and takes
    the first line of a page.
    """
    if isinstance(body, str):
        return _first_line(body[:_LOOKED_AT])[:QUOTED_CHARS]
    if depth and isinstance(body, dict):
        said = (
            sentence(body.get(key), depth - 1)
            for key in ("message", "msg", "detail", "error", "errors", "text", "reason", "title")
        )
        found = next((one for one in said if one), "")
        where = body.get("loc")
        if found and isinstance(where, list):
            # FastAPI names the field beside what is wrong with it.
            found = f"{'.'.join(str(one) for one in where)}: {found}"
        return _visible(found)[:QUOTED_CHARS]
    if depth and isinstance(body, list):
        said = (sentence(one, depth - 1) for one in body[:5])
        return "; ".join(one for one in said if one)[:QUOTED_CHARS]
    return ""


def _first_line(text: str) -> str:
    """The first line that says something; of a page the first that is shown or its title."""
    if _PAGE.match(text):
        text = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>|<!--.*?-->", "\n", text)
        text = html.unescape(re.sub(r"(?s)<[^>]*>", "\n", text))
    lines = (" ".join(_visible(line).split()) for line in text.splitlines())
    return next((line for line in lines if line), "")


def _visible(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in clean_text(line))
