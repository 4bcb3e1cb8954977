"""What works with a server, found out by asking it: `sa1b-captions check-server`."""

import contextlib
import io
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from sa1b_captions.caption.engines.base import Reply, Request
from sa1b_captions.caption.engines.generation import CONTEXT_LENGTH_EXCEEDED, failed
from sa1b_captions.caption.engines.golden import BLUE, GOLDEN_PROMPT, RED, golden_image, says
from sa1b_captions.caption.engines.openai.completion import sentence
from sa1b_captions.caption.engines.openai.engine import UNREPORTED, OpenAIEngine
from sa1b_captions.caption.engines.storable import storable
from sa1b_captions.errors import RetryableError
from sa1b_captions.recipe import Recipe
from sa1b_captions.records import CaptionStatus

TWO_IMAGES_PROMPT = (
    "What colour is the circle of Image-1, and what colour is that of Image-2? "
    "Answer with the two words, in this order."
)
CHINESE_PROMPT = "图中的大圆是什么颜色？只用一个词回答。"
LONG_WORDS = 200_000
"""Words of the prompt that fits no context: a million characters."""
ANSWER_TOKENS = 16
SPEED_TOKENS = 128
_FEW_TOKENS = 4
WORTH_IT = 1.1
"""More requests in flight are worth it where they write so many times as much."""
_SHOWN_CHARS = 120


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    check: str
    works: bool
    detail: str
    needed: bool = True
    """Whether captions cannot be made without it."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How much the server writes with so many requests in flight."""

    in_flight: int
    captions_per_s: float
    tokens_per_s: float | None
    """None when the server does not count tokens."""


class ServerCheck:
    """Asks one server, through the engine that would caption."""

    def __init__(
        self, open_engine: Callable[[], OpenAIEngine], recipe: Recipe, top_tokens: int
    ) -> None:
        """Encode the images.

        Args:
            open_engine: an engine for the server. Each question gets one of its own, so that none
                has to wait because the one before it failed.
            recipe: its prompts and sampling settings are asked with.
            top_tokens: first tokens whose probabilities an audit asks for.
        """
        self._open_engine = open_engine
        self._recipe = recipe
        self._top_tokens = top_tokens
        self._red, self._blue = _jpeg(RED), _jpeg(BLUE)
        self.gone: str | None = None
        """Why the server stopped to answer at all, if it did."""

    def findings(self) -> Iterator[Finding]:
        """Every check in turn, each asked when it is due.

        Raises:
            RetryableError: the server does not answer.
            PermanentError: it refuses the key, or serves another model.
        """
        with contextlib.closing(self._open_engine()) as engine:
            engine.wait_until_ready()
            model, revision = engine.model, engine.model_revision
        named = "revision not named" if revision == UNREPORTED else f"revision {revision}"
        yield Finding("model", True, f"named {model}, {named}")
        yield self._sees("image", GOLDEN_PROMPT, [self._red], ["red"])
        yield self._sees("two images", TWO_IMAGES_PROMPT, [self._red, self._blue], ["red", "blue"])
        yield self._chinese()
        yield self._cut_off()
        yield self._repeats()
        yield self._too_long()
        yield self._probabilities()

    def _sees(self, check: str, prompt: str, jpegs: list[bytes], words: list[str]) -> Finding:
        reply = self._ask(prompt, jpegs)
        places = [reply.caption.lower().find(word) for word in words]
        seen = all(says(reply.caption, word) for word in words) and places == sorted(places)
        return Finding(check, reply.status is CaptionStatus.OK and seen, _shown(reply))

    def _chinese(self) -> Finding:
        reply = self._ask(CHINESE_PROMPT, [self._red])
        return Finding("Chinese", "红" in reply.caption, _shown(reply))

    def _cut_off(self) -> Finding:
        """A limit of a few tokens must end a caption, and the server must say that it did."""
        reply = self._ask(self._recipe.tracks["single_en"].prompt, [self._red], _FEW_TOKENS)
        works = reply.status is CaptionStatus.TRUNCATED
        went_on = f"asked for {_FEW_TOKENS} tokens, it wrote: {sentence(reply.caption)}"
        shown = went_on[:_SHOWN_CHARS] if reply.status is CaptionStatus.OK else _shown(reply)
        return Finding("token limit is reported", works, shown)

    def _repeats(self) -> Finding:
        prompt = self._recipe.tracks["single_en"].prompt
        replies = [self._ask(prompt, [self._red], tokens=SPEED_TOKENS) for _ in range(2)]
        same = len({reply.caption for reply in replies}) == 1
        greedy = not self._recipe.generation.do_sample
        if not replies[0].caption:
            return Finding("greedy decoding", False, _shown(replies[0]), needed=False)
        detail = "two answers are equal" if same else "two answers differ: is top_k ignored?"
        return Finding("greedy decoding", same or not greedy, detail, needed=False)

    def _too_long(self) -> Finding:
        reply = self._ask("word " * LONG_WORDS, [self._red])
        known = reply.error_code == CONTEXT_LENGTH_EXCEEDED
        if reply.status is not CaptionStatus.ERROR:
            detail = "answered: the server cuts prompts without a word"
        else:
            detail = f"refused: {reply.error}" if known else f"{reply.error_code}: {reply.error}"
        return Finding("over-long prompt is refused", known, detail[:_SHOWN_CHARS], needed=False)

    def _probabilities(self) -> Finding:
        """Of a first token, and of what might have stood there: an audit is unsure without."""
        reply = self._ask(GOLDEN_PROMPT, [self._red], top_tokens=self._top_tokens)
        told = sorted((reply.first_tokens or {}).items(), key=lambda one: -one[1])
        if reply.status is CaptionStatus.ERROR:
            detail = _shown(reply)
        elif len(told) > 1:
            words = ", ".join(f"{token.strip()} {math.exp(told_of):.0%}" for token, told_of in told)
            detail = f"of {len(told)} first tokens: {words}"
        else:
            detail = "not told: an audit takes the words of such a judge alone, and never repairs"
        return Finding(
            "probabilities of tokens", len(told) > 1, sentence(detail)[:_SHOWN_CHARS], needed=False
        )

    def speeds(self, most_in_flight: int) -> Iterator[Speed]:
        """Captions with 1, 2, 4 … requests in flight, as long as more of them write more."""
        prompt = self._recipe.tracks["single_en"].prompt
        request = self._request(prompt, [self._red], SPEED_TOKENS)
        in_flight, before = 1, 0.0
        while in_flight <= most_in_flight:
            began = time.monotonic()
            with (
                contextlib.closing(self._open_engine()) as engine,
                ThreadPoolExecutor(in_flight) as pool,
            ):
                asked = [pool.submit(self._send, engine, request) for _ in range(2 * in_flight)]
                replies = [one.result() for one in asked]
            elapsed_s = time.monotonic() - began
            written = [r for r in replies if r.status is not CaptionStatus.ERROR]
            if not written:
                return
            counts = [reply.completion_tokens for reply in written]
            tokens = sum(count or 0 for count in counts) if all(counts) else None
            rate = (tokens or len(written)) / elapsed_s
            yield Speed(
                in_flight,
                round(len(written) / elapsed_s, 2),
                None if tokens is None else round(tokens / elapsed_s, 1),
            )
            if rate < WORTH_IT * before:
                return
            in_flight, before = 2 * in_flight, rate

    def _ask(
        self, prompt: str, jpegs: list[bytes], tokens: int = ANSWER_TOKENS, top_tokens: int = 0
    ) -> Reply:
        """The reply to a question; a server that is gone is an error of it, and is left alone."""
        if self.gone:
            return failed("gone", self.gone)
        with contextlib.closing(self._open_engine()) as engine:
            request = self._request(prompt, jpegs, tokens)
            if top_tokens:
                # As an audit asks: greedy servers tell of the one token that top_k leaves.
                generation = replace(
                    request.generation, do_sample=True, top_k=top_tokens, top_p=1.0, temperature=1.0
                )
                request = replace(request, generation=generation, top_tokens=top_tokens)
            return self._send(engine, request)

    def _send(self, engine: OpenAIEngine, request: Request) -> Reply:
        try:
            return storable(engine.caption(request))
        except RetryableError as error:
            self.gone = str(error)
            return failed("gone", self.gone)

    def _request(self, prompt: str, jpegs: list[bytes], tokens: int) -> Request:
        return Request(
            sample_id="check-server",
            images=(),
            track=replace(self._recipe.tracks["single_en"], prompt=prompt),
            generation=replace(self._recipe.generation, max_new_tokens=tokens),
            attempt=1,
            jpegs=tuple(jpegs),
        )


def best_window(speeds: list[Speed]) -> int | None:
    """The fewest requests in flight that write nearly as much as any; None without a speed."""
    rates = {speed.in_flight: speed.tokens_per_s or speed.captions_per_s for speed in speeds}
    most = max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate * WORTH_IT >= most), default=None)


def _shown(reply: Reply) -> str:
    if reply.status is CaptionStatus.ERROR:
        return f"{reply.error_code}: {reply.error}"[:_SHOWN_CHARS]
    text = sentence(" ".join(reply.caption.split()))
    return f"{reply.status}: {text}"[:_SHOWN_CHARS]


def _jpeg(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    golden_image(colour).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
