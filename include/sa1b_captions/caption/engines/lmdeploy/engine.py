"""The lmdeploy engine: the model in this process, run by TurboMind on all its GPUs.

Requests go straight to the pipeline's event loop, one coroutine per request, so the engine's batch
is full as long as the worker's window is. Every request ends: with a reply, or with the process
when the engine hangs. A CUDA error ends the process as well; TurboMind aborts on it.
"""

import asyncio
import concurrent.futures
import logging
import math
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sa1b_captions.caption.engines.base import Reply, Request
from sa1b_captions.caption.engines.generation import failed, finished, image_first, sampling
from sa1b_captions.caption.engines.lmdeploy import checks
from sa1b_captions.caption.engines.lmdeploy.config import (
    find_snapshot,
    generation_config,
)
from sa1b_captions.caption.engines.lmdeploy.loading import (
    load_pipeline,
    widen_preprocessing,
)
from sa1b_captions.caption.engines.lmdeploy.watchdog import Watchdog
from sa1b_captions.errors import RetryableError
from sa1b_captions.process import end_process
from sa1b_captions.recipe import Generation, Recipe
from sa1b_captions.recipe.model_files import require_locked
from sa1b_captions.recipe.model_lock import ModelLock
from sa1b_captions.settings import Settings

if TYPE_CHECKING:
    from lmdeploy import GenerationConfig
    from PIL.Image import Image

_log = logging.getLogger(__name__)
T = TypeVar("T")

_PROBE_S = 30.0
_CLOSE_S = 120.0


def check_files(recipe: Recipe, settings: Settings, lock: ModelLock) -> None:
    """Check that the model's folder holds what is locked.

    Raises:
        SettingsError: there is no folder.
        PermanentError: it is of another model, or a file differs.
        RetryableError: a file cannot be read.
    """
    require_locked(find_snapshot(recipe.model, settings.model_path).path, lock)


def open_engine(recipe: Recipe, settings: Settings) -> "LmdeployEngine":
    """Load the model and check that it is the right one, on the right engine, and in its senses.

    Raises:
        SettingsError: a setting is missing or would be ignored.
        PermanentError: lmdeploy is missing, the model is another one, or it would run wrong.
        RetryableError: the model did not load, or fails the check on this node.
    """
    snapshot = find_snapshot(recipe.model, settings.model_path)
    pipe = load_pipeline(recipe, settings, snapshot)
    engine = LmdeployEngine(
        pipe,
        recipe.model.id,
        snapshot.revision,
        window=settings.window,
        timeout_s=settings.request_timeout_s,
    )
    try:
        checks.check_backend(pipe)
        widen_preprocessing(pipe)
        checks.check_golden(engine.ask)
    except BaseException:
        engine.close()
        raise
    _log_start(engine, recipe.generation)
    return engine


def _log_start(engine: "LmdeployEngine", generation: Generation) -> None:
    def tiles(most: int) -> str:
        return " ".join(f"{shape}={n}" for shape, n in checks.tile_counts(most).items())

    _log.info(
        "engine lmdeploy: model %s, revision %s, %d x %s, tiles %s (several images: %s), window %d",
        engine.model,
        engine.model_revision,
        engine.gpus,
        checks.gpu_name(),
        tiles(generation.max_tiles),
        tiles(generation.max_tiles_multi),
        engine.window,
    )


class LmdeployEngine:
    """Captions through a running lmdeploy pipeline, from many threads at once."""

    name = "lmdeploy"
    needs_pixels = True

    def __init__(
        self,
        pipe: Any,
        model: str,
        model_revision: str,
        *,
        window: int,
        timeout_s: float,
        cancel_s: float = 60.0,
        stall_s: float = 120.0,
        give_up: Callable[[str], object] = end_process,
    ) -> None:
        """Take over a pipeline and start its watchdog.

        Args:
            pipe: lmdeploy's Pipeline; this engine closes it.
            window: requests in flight.
            timeout_s: longest time for one caption.
            cancel_s: how long a request that was timed out may take to end.
            stall_s: how long the scheduler may stand still with work to do.
            give_up: called with the reason when the engine hangs; does not return in production.
        """
        self.model = model
        self.model_revision = model_revision
        self.window = window
        self.gpus: int = pipe.backend_config.tp
        self._pipe = pipe
        self._engine = pipe.async_engine
        self._loop: asyncio.AbstractEventLoop = pipe.internal_thread.loop
        self._timeout_s = timeout_s
        self._cancel_s = cancel_s
        self._stall_s = stall_s
        self._give_up = give_up
        self._closed = False
        self._watchdog = Watchdog(self._probe, give_up, every_s=stall_s / 4, stall_s=stall_s / 2)
        self._watchdog.start()

    def caption(self, request: Request) -> Reply:
        """Caption one sample. Raises RetryableError if the engine has stopped."""
        generation = request.generation
        single = len(request.images) == 1
        tiles = generation.max_tiles if single else generation.max_tiles_multi
        messages = user_message(request.images, request.track.prompt, tiles)
        settings = generation_config(sampling(generation, request.attempt), request.top_tokens)
        return self._run(messages, settings)

    def ask(self, image: "Image", prompt: str) -> Reply:
        """Answer a question about an image in a few words."""
        from lmdeploy import GenerationConfig

        # As many tiles as an image gets, so that the check goes the way the captions go.
        return self._run(user_message([image], prompt, 12), GenerationConfig(max_new_tokens=16))

    def _run(self, messages: list[dict[str, Any]], settings: "GenerationConfig") -> Reply:
        try:
            return self._wait(self._generate(messages, settings), self._timeout_s + self._cancel_s)
        except concurrent.futures.TimeoutError:
            reason = f"a request did not end {self._cancel_s:.0f} s after it was cancelled"
            self._give_up(reason)
            raise RetryableError(reason) from None

    def _wait(self, task: Coroutine[Any, Any, T], limit_s: float) -> T:
        """Run a coroutine on the pipeline's event loop."""
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(limit_s)

    async def _generate(
        self, messages: list[dict[str, Any]], settings: "GenerationConfig"
    ) -> Reply:
        from lmdeploy.serve.core.exceptions import ErrorCode, RequestError

        texts: list[str] = []
        first_tokens = last = None
        try:
            async with asyncio.timeout(self._timeout_s):
                prepared = await self._engine.preprocess(
                    messages, session_id=self._pipe.session(), gen_config=settings
                )
                async for last in self._engine.generate(prepared, stream_response=False):
                    texts.append(last.response)
                    if last.logprobs and first_tokens is None:
                        first_tokens = self._named(last.logprobs[0])
        except RequestError as error:
            if error.code is ErrorCode.ENGINE_UNAVAILABLE:
                raise RetryableError(f"the engine has stopped: {error.message}") from None
            return failed(error.code.value, error.message)
        except TimeoutError:
            return self._timed_out()
        if last is None:  # lmdeploy swallows the cancellation: the stream just ends
            return self._timed_out()
        return finished(
            "".join(texts),
            last.finish_reason,
            last.input_token_len,
            last.generate_token_len,
            last.cached_tokens,
            first_tokens,
        )

    def _named(self, tokens: dict[int, float]) -> dict[str, float]:
        """Logarithms of probabilities by the tokens' texts; several with one text add up."""
        shares: dict[str, float] = {}
        for token, logarithm in tokens.items():
            text = self._engine.tokenizer.decode([token])
            shares[text] = shares.get(text, 0.0) + math.exp(logarithm)
        return {text: math.log(share) for text, share in shares.items() if share > 0}

    def _timed_out(self) -> Reply:
        return failed("timeout", f"no caption within {self._timeout_s:.0f} s")

    def _probe(self) -> str | None:
        """What lmdeploy says is wrong with its engine."""
        probe = self._engine.health_probe(scheduler_stall_timeout=self._stall_s)
        health = self._wait(probe, _PROBE_S)
        return None if health["status"] == "healthy" else str(health["message"])

    def close(self) -> None:
        """Release the model; idempotent. A pipeline that does not close ends the process."""
        if self._closed:
            return
        self._closed = True
        self._watchdog.stop()
        closing = threading.Thread(target=self._pipe.close, name="close", daemon=True)
        closing.start()
        closing.join(_CLOSE_S)
        if closing.is_alive():
            self._give_up(f"the engine did not close within {_CLOSE_S:.0f} s")


def user_message(images: "Sequence[Image]", prompt: str, max_tiles: int) -> list[dict[str, Any]]:
    """Chat messages of one request, in lmdeploy's form for decoded images."""
    parts = [
        {"type": "image_data", "image_data": {"data": image, "max_dynamic_patch": max_tiles}}
        for image in images
    ]
    return [{"role": "user", "content": image_first(parts, prompt)}]
