"""Start-up checks of the lmdeploy engine: each turns a silent wrong result into an error."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.engines.golden import GOLDEN_PROMPT, golden_image, says
from sa1b_captions.errors import PermanentError, RetryableError

if TYPE_CHECKING:
    from PIL.Image import Image

LANGUAGE_MODELS = ("LlamaConfig", "InternLM2Config", "Qwen2Config", "Qwen3Config")
"""Configurations of the language models in InternVL's families, all of which TurboMind runs."""

SHAPES = {"3:2": (2250, 1500), "4:3": (2000, 1500), "1:1": (1500, 1500), "16:9": (2667, 1500)}
"""Sizes of SA-1B images, for the log."""


def check_config_class(path: Path) -> None:
    """Check that the model's own configuration code was used.

    When that code fails, lmdeploy falls back to generic dictionaries and TurboMind fails much
    later on one of them.

    Raises PermanentError saying what to repair.
    """
    from lmdeploy.archs import get_model_arch
    from lmdeploy.turbomind.supported_models import SUPPORTED_ARCHS

    _, config = get_model_arch(str(path), trust_remote_code=True)
    language = getattr(config, "llm_config", None)
    found = type(language).__name__
    if found not in LANGUAGE_MODELS:
        raise PermanentError(
            f"{path}: the language model's configuration was read as {found}, not "
            f"{' or '.join(LANGUAGE_MODELS)}: either TurboMind does not run it, or the model's "
            "configuration_internvl_chat.py fails under this transformers; then give its "
            "llm_config the default {'architectures': ['LlamaForCausalLM']}"
        )
    architectures = getattr(language, "architectures", None) or ["none"]
    if architectures[0] not in SUPPORTED_ARCHS:
        raise PermanentError(
            f"{path}: config.json names {architectures[0]} as the architecture of llm_config, "
            "which TurboMind does not run"
        )


def check_backend(pipe: Any) -> None:
    """Check that TurboMind runs the model: lmdeploy falls back to PyTorch without an error.

    Raises PermanentError naming the engine that was chosen.
    """
    backend = pipe.async_engine.backend
    if backend != "turbomind":
        raise PermanentError(
            f"lmdeploy chose its {backend} engine, not turbomind; the worker image lacks TurboMind "
            "or its CUDA 12 libraries, or this GPU is too old for it"
        )
    if not pipe.async_engine.backend_config.enable_prefix_caching:
        raise PermanentError("lmdeploy switched prefix caching off; this is not the right version")


def refuse_truncated_images() -> None:
    """Undo what importing lmdeploy does to Pillow for the whole process.

    With its flag on, a JPEG that was cut short decodes to a half-grey image without an error.
    """
    from PIL import ImageFile

    ImageFile.LOAD_TRUNCATED_IMAGES = False


def check_golden(ask: Callable[["Image", str], Reply]) -> None:
    """Check on an image whose answer is known that the model sees and speaks.

    Args:
        ask: the model's reply to a question about an image.

    Raises RetryableError: the answer is wrong; kernels have given garbage on some GPUs (lmdeploy
    #4285, #2650), and the next pod may get another node.
    """
    reply = ask(golden_image(), GOLDEN_PROMPT)
    if not says(reply.caption, "red"):
        raise RetryableError(
            "the model fails the start-up check: asked for the colour of a red disc it says "
            f"{reply.error or reply.caption[:200]!r}; this node's GPU or the model's files are "
            "not right"
        )


def tile_counts(max_tiles: int) -> dict[str, int]:
    """Tiles into which lmdeploy cuts the common image shapes, thumbnail included."""
    from lmdeploy.vl.model.internvl import dynamic_preprocess
    from PIL import Image

    return {
        shape: len(dynamic_preprocess(Image.new("L", size), 1, max_tiles, 448, use_thumbnail=True))
        for shape, size in SHAPES.items()
    }


def gpu_name() -> str:
    """The first GPU, for the log."""
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else "none"
