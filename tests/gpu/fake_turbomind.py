"""A compute engine for the real lmdeploy pipeline on a machine without a GPU.

It stands where TurboMind stands and answers by script. Pipeline, scheduling of requests, tokenizer,
image preprocessing, chat template, cancellation and results are lmdeploy's own.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from lmdeploy.messages import EngineOutput, GenerationConfig, ResponseType, ScheduleMetrics

from tests.gpu import tiny_internvl2

for _operator in ("nms", "qnms"):
    # torchvision's wheel is linked to CUDA; without its library it needs these two declared.
    with contextlib.suppress(RuntimeError):
        torch.library.define(
            f"torchvision::{_operator}",
            "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        )


@dataclass(frozen=True)
class Call:
    """One request as TurboMind gets it."""

    input_ids: list[int]
    tiles: list[int]
    """Tiles of each image."""
    offsets: list[int]
    """Place of each image's first token."""
    settings: GenerationConfig
    pixels: list[torch.Tensor]
    """Of each image, (tiles, 3, 448, 448), normalised."""


@dataclass(frozen=True)
class Answer:
    """What the engine does with a request."""

    text: str = ""
    tokens: tuple[int, ...] | None = None
    """Token ids to say in place of a text, stop token and all: for another vocabulary."""
    stops: bool = True
    """End with the stop token; otherwise the token limit ends it."""
    status: ResponseType | None = None
    """Fail with this instead."""
    error: Exception | None = None
    delay_s: float = 0.0
    hangs: bool = False
    """Never answer, and never let itself be cancelled."""
    first: dict[str, float] = field(default_factory=dict)
    """Probable first characters with the logarithms of their probabilities, told if asked for."""


Script = Callable[[Call], Answer]


def red(call: Call) -> Answer:
    """Passes the start-up check."""
    return Answer("A red disc.")


@dataclass
class FakeTurboMind:
    """The engine; `script` may be replaced while it runs."""

    engine_config: object
    script: Script = red
    calls: list[Call] = field(default_factory=list)
    cancelled: list[int | None] = field(default_factory=list)
    in_flight: int = 0
    peak_in_flight: int = 0
    ticks: int = 0
    stuck: bool = False
    """The scheduler makes no progress."""
    closed: bool = False
    release: asyncio.Event = field(default_factory=asyncio.Event)

    def create_instance(self) -> "_Instance":
        return _Instance(self)

    async def get_health_status(self) -> dict[str, Any]:
        self.ticks += not self.stuck
        metrics = ScheduleMetrics(active_seqs=self.in_flight, scheduler_tick=self.ticks)
        return {"alive": True, "message": "", "schedule_metrics": metrics}

    def close(self) -> None:
        self.closed = True


class _Instance:
    def __init__(self, engine: FakeTurboMind) -> None:
        self.engine = engine
        self.hangs = False

    async def async_cancel(self, session_id: int | None = None) -> None:
        self.engine.cancelled.append(session_id)
        if self.hangs:
            await self.engine.release.wait()

    async def async_stream_infer(
        self,
        session_id: int,
        input_ids: Sequence[int],
        multimodal: Any = None,
        gen_config: Any = None,
        stream_output: bool = False,
        **rest: object,
    ) -> AsyncIterator[EngineOutput]:
        engine = self.engine
        images = multimodal or []
        call = Call(
            list(input_ids),
            [len(image["pixel_values"]) for image in images],
            [image["offset"] for image in images],
            gen_config,
            [image["pixel_values"] for image in images],
        )
        engine.calls.append(call)
        engine.in_flight += 1
        engine.peak_in_flight = max(engine.peak_in_flight, engine.in_flight)
        try:
            answer = engine.script(call)
            self.hangs = answer.hangs
            if answer.hangs:
                await engine.release.wait()
            await asyncio.sleep(answer.delay_s)
            if answer.error:
                raise answer.error
            if answer.status:
                yield EngineOutput(answer.status, [])
            else:
                if answer.tokens is None:
                    ids = tiny_internvl2.encode(answer.text)
                    ids += [tiny_internvl2.IM_END] * answer.stops
                else:
                    ids = list(answer.tokens)
                told = None
                if getattr(gen_config, "logprobs", None) and answer.first:
                    # As TurboMind: a table for each token, the one that was taken in it.
                    first = {tiny_internvl2.encode(c)[0]: p for c, p in answer.first.items()}
                    told = [first, *({token: 0.0} for token in ids[1:])]
                yield EngineOutput(ResponseType.FINISH, ids, told)
        finally:
            engine.in_flight -= 1


@contextlib.contextmanager
def installed(script: Script = red) -> Iterator[list[FakeTurboMind]]:
    """Put the fake where lmdeploy builds TurboMind; the list gets each engine that is built."""
    from lmdeploy import turbomind
    from lmdeploy.serve.core.async_engine import AsyncEngine

    built: list[FakeTurboMind] = []

    def build(
        self: object, model_path: str, backend_config: Any = None, **rest: object
    ) -> FakeTurboMind:
        built.append(FakeTurboMind(backend_config, script))
        return built[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turbomind, "is_available", lambda: True)
        patch.setattr(AsyncEngine, "_build_turbomind", build)
        patch.setattr(torch.cuda, "mem_get_info", lambda device=None: (0, 0))
        yield built
