"""Seconds that an engine takes for a sample on its GPUs, computed from published sizes.

Reading a prompt is bound by operations, writing an answer by memory bandwidth; a full window does
both all the time, so their seconds add up. The vision model's attention is not divided among GPUs.
"""

from dataclasses import dataclass

from sa1b_captions.costs.architectures import Architecture, kv_tokens
from sa1b_captions.costs.sourced import Gpu, Numbers
from sa1b_captions.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Engine:
    """A model on the GPUs of a pod."""

    model: Architecture
    gpu: Gpu
    gpus: int
    window: int
    """Samples in flight."""
    numbers: Numbers

    def sample_s(self, tiles: float, answer_tokens: float, *, cached: bool = False) -> float:
        """Seconds of a sample in a full window.

        Args:
            tiles: of all its images.
            answer_tokens: of the caption.
            cached: whether the engine has just read the images, and reads the prompt alone.

        Raises PermanentError: the model does not fit the GPUs.
        """
        image_tokens = tiles * self.numbers["tokens_per_tile"]
        prompt_tokens = self.numbers["prompt_tokens"]
        read = prompt_tokens + (0 if cached else image_tokens)
        all_tokens = image_tokens + prompt_tokens + answer_tokens
        vision_s = 0.0 if cached else self._vision_s(tiles)
        return self._reading_s(read) + vision_s + answer_tokens * self._token_s(all_tokens)

    def _reading_s(self, tokens: float) -> float:
        weights = 2 * self.model.layer_parameters * tokens
        attention = 2 * self.model.layers * self.model.hidden * tokens**2
        peak = self.gpus * self.gpu.tflops * 1e12
        return (weights + attention) / (peak * self.gpu.language_share)

    def _vision_s(self, tiles: float) -> float:
        billions = self.model.vision_parameters / 1e9
        tflop = tiles * billions * self.numbers["vision_tflop_per_tile"]
        whole = self.numbers["vision_replicated"]
        seconds = tflop / (self.gpu.tflops * self.gpu.vision_share)
        return seconds * self.numbers["vision_again"] * (whole + (1 - whole) / self.gpus)

    def _token_s(self, tokens: float) -> float:
        """A token of one sample, its share of a step that makes one for every sample in flight."""
        room = kv_tokens(self.model, self.gpu.memory_gb, self.gpus, self.numbers)
        if room < tokens:
            raise PermanentError(
                f"the model does not fit {self.gpus} GPUs of {self.gpu.memory_gb:g} GB; "
                "docs/models.md says which recipe fits which profile"
            )
        together = min(self.window, room / tokens)
        moved_gb = self.model.layer_gb + together * tokens * self.model.kv_bytes / 1e9
        bandwidth = self.gpus * self.gpu.bandwidth_gb_s * self.numbers["bandwidth_share"]
        return moved_gb / bandwidth / together
