"""The openai engine: captions from any OpenAI-compatible endpoint, for a shared GPU fleet.

Made for `lmdeploy serve api_server --model-name <the recipe's model id>`; replicas may come and
go. The JPEG travels as it is stored, so the model sees the pixels that the embedded engine sees. A
replica that fails hands its requests to the others. Tracks of the same images go to the same
replica, whose prefix cache then serves all but the first.
"""

import base64
import importlib.util
import logging
import time
from typing import TYPE_CHECKING, Any

from sa1b_captions.caption.engines.base import Reply, Request
from sa1b_captions.caption.engines.generation import (
    REPLICAS_FAILED,
    failed,
    finished,
    image_first,
    sampling,
)
from sa1b_captions.caption.engines.openai.completion import read_completion, sentence
from sa1b_captions.caption.engines.openai.endpoint import chat_answer, open_client, served_models
from sa1b_captions.caption.engines.openai.errors import failure_of
from sa1b_captions.caption.engines.openai.replicas import Replica, Replicas
from sa1b_captions.errors import PermanentError, RetryableError, SettingsError
from sa1b_captions.recipe import Model, Recipe
from sa1b_captions.settings import Settings
from sa1b_captions.settings.network import naming_variables

if TYPE_CHECKING:
    import openai

_log = logging.getLogger(__name__)

MAX_SENDS = 5
"""Times a request may fail its replica before the sample takes the blame: an image that crashes
the server must not take down one replica after the other."""
UNREPORTED = "unreported"
"""Revision of a model whose endpoint does not name one."""
_SHOWN_MODELS = 5
_NOT_INSTALLED = "the openai package is not installed; install sa1b-captions[openai]"


def open_engine(recipe: Recipe, settings: Settings) -> "OpenAIEngine":
    """Connect to the replicas and wait until one of them serves the recipe's model.

    Raises:
        SettingsError: no URL is set.
        PermanentError: the `openai` package is missing, or a replica serves another model or
            refuses the key.
        RetryableError: no replica came up in time.
    """
    if not settings.openai_urls:
        raise SettingsError(
            "CAPTIONS_OPENAI_URLS is not set; the openai engine needs its endpoint's URL"
        )
    engine = OpenAIEngine(
        recipe.model,
        settings.openai_urls,
        api_key=settings.openai_api_key,
        window=settings.window,
        timeout_s=settings.request_timeout_s,
        patience_s=settings.openai_patience_s,
    )
    try:
        engine.wait_until_ready()
    except BaseException:
        engine.close()
        raise
    return engine


class OpenAIEngine:
    """Spreads requests over the replicas, from many threads at once."""

    name = "openai"
    needs_pixels = False

    def __init__(
        self,
        model: Model,
        urls: tuple[str, ...],
        *,
        api_key: str | None = None,
        window: int = 96,
        timeout_s: float = 900.0,
        patience_s: float = 1800.0,
        first_pause_s: float = 1.0,
    ) -> None:
        """Make an engine and begin to ask the replicas for their model.

        Args:
            urls: base URLs, each ending in /v1.
            api_key: sent to all of them.
            window: requests in flight over all replicas.
            timeout_s: longest time for one answer.
            patience_s: how long no replica at all may work.
            first_pause_s: shortest time that a replica which failed twice is left alone.
        """
        if importlib.util.find_spec("openai") is None:
            raise PermanentError(_NOT_INSTALLED)
        self.model = model.id
        self.window = window
        self._model = model
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._served: dict[str, str] = {}
        with naming_variables("the openai engine cannot ask its servers"):
            members = [Replica(url, open_client(url, api_key, timeout_s)) for url in urls]
        self._replicas: Replicas[openai.OpenAI] = Replicas(
            members, self._check, patience_s, window, first_pause_s
        )
        self._replicas.start()

    @property
    def model_revision(self) -> str:
        """The recipe's revision if every replica seen so far named it, else `unreported`."""
        names = set(self._served.values())
        return self._model.revision if names == {self._pinned_name} else UNREPORTED

    @property
    def _pinned_name(self) -> str:
        return f"{self._model.id}@{self._model.revision}"

    def wait_until_ready(self) -> None:
        """Return once a replica serves the model; raises as `open_engine` says."""
        self._replicas.succeeded(self._replicas.take())
        _log.info(
            "engine openai: model %s, revision %s, window %d over %d replicas",
            self.model,
            self.model_revision,
            self.window,
            len(self._replicas.members),
        )

    def stop_waiting(self) -> None:
        """Finish what replicas have; what waits for one fails."""
        self._replicas.stopped = True

    def _check(self, replica: "Replica[openai.OpenAI]") -> None:
        """Ask a replica for its model, which must be called `id` or `id@revision`.

        Raises:
            RetryableError: it does not serve the model now.
            PermanentError: it refuses the key, or serves other models and not this one.
        """
        served = served_models(replica.client, replica.url)
        name = next((n for n in (self._pinned_name, self._model.id) if n in served), None)
        if name is None:
            more = f" and {len(served) - _SHOWN_MODELS} more" if len(served) > _SHOWN_MODELS else ""
            raise PermanentError(
                f"{replica.url} serves {sentence(', '.join(served[:_SHOWN_MODELS]))}{more}, the "
                f"recipe needs {self._model.id}; if it is that model, start its server with "
                f"--model-name {self._model.id} (vLLM, SGLang: --served-model-name, llama.cpp: "
                "--alias)"
            )
        self._served[replica.url] = name

    def caption(self, request: Request) -> Reply:
        """Caption one sample.

        Raises:
            RetryableError: no replica worked, or all were too busy, for `patience_s`.
            PermanentError: a replica serves another model or refuses the key.
        """
        body = self._body(request)
        began = time.monotonic()
        sends, problem = 0, ""
        while sends < MAX_SENDS:
            outcome = self._send(body, request.image_set)
            if isinstance(outcome, Reply):
                return outcome
            problem, busy = outcome
            sends += not busy
            if time.monotonic() - began > self._patience_s:
                if not self._replicas.worked_since(began):
                    raise RetryableError(
                        f"no replica took a request for {self._patience_s:.0f} s: {problem}"
                    )
                waited = f"not taken for {self._patience_s:.0f} s, while others were: {problem}"
                return failed(REPLICAS_FAILED, waited)
        return failed(REPLICAS_FAILED, f"{sends} replicas failed on it, the last with {problem}")

    def _send(self, body: dict[str, Any], image_set: str) -> Reply | tuple[str, bool]:
        """Send a request once; a problem, and whether the replica was just busy, if it failed."""
        replica = self._replicas.take(image_set)
        began = time.monotonic()
        try:
            request = {"model": self._served[replica.url], **body}
            completion = read_completion(chat_answer(replica.client, request, self._timeout_s))
        except Exception as error:
            failure = failure_of(error, time.monotonic() - began, self._timeout_s)
            if failure.blames_replica:
                self._replicas.failed(replica, failure.problem, failure.pause_s)
            else:
                self._replicas.succeeded(replica)
            if failure.asks_for_models:
                self._check_key(replica)
            return failure.reply or (failure.problem, failure.busy)
        except BaseException:
            self._replicas.failed(replica, "interrupted")
            raise
        self._replicas.succeeded(replica)
        usage = completion.usage
        return finished(
            completion.text,
            completion.choice.finish_reason,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.cached_tokens,
            completion.choice.first_tokens,
        )

    def _check_key(self, replica: "Replica[openai.OpenAI]") -> None:
        """Raise PermanentError if the replica refuses not the sample alone but the key."""
        try:
            self._check(replica)
        except RetryableError as error:
            _log.warning("replica %s: %s", replica.url, error)

    def _body(self, request: Request) -> dict[str, Any]:
        """Arguments of `chat.completions.create` but the model's name."""
        settings = sampling(request.generation, request.attempt)
        single = len(request.jpegs) == 1
        generation = request.generation
        tiles = generation.max_tiles if single else generation.max_tiles_multi
        images = [
            {
                "type": "image_url",
                "image_url": {
                    "url": f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}",
                    "max_dynamic_patch": tiles,  # lmdeploy's own; others ignore it
                },
            }
            for jpeg in request.jpegs
        ]
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": image_first(images, request.track.prompt)}
        ]
        if self._model.system_prompt:
            messages.insert(0, {"role": "system", "content": self._model.system_prompt})
        wanted = {"logprobs": True, "top_logprobs": request.top_tokens}
        return {
            **(wanted if request.top_tokens else {}),
            "messages": messages,
            "max_completion_tokens": settings.max_new_tokens,
            # Ollama, TGI and older llama.cpp know this name alone, and would write on and on
            # (huggingface/text-generation-inference #2844, ggml-org/llama.cpp #13700).
            "max_tokens": settings.max_new_tokens,
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "seed": settings.random_seed,
            # lmdeploy's server always samples, so only top_k makes it greedy.
            "extra_body": {
                "top_k": settings.top_k,
                "repetition_penalty": settings.repetition_penalty,
            },
        }

    def close(self) -> None:
        """Close the connections; idempotent."""
        self._replicas.close()
        for replica in self._replicas.members:
            replica.client.close()
