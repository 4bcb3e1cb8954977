"""Loads a model as a pipeline of lmdeploy's, and lets it prepare images on all cores."""

import concurrent.futures
import os
from typing import Any

from sa1b_captions.caption.engines.lmdeploy import checks
from sa1b_captions.caption.engines.lmdeploy.config import Snapshot, chat_template, engine_config
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.recipe import Recipe
from sa1b_captions.settings import Settings

_NOT_INSTALLED = "the lmdeploy engine is not installed ({}); it runs in the GPU worker image"


def load_pipeline(recipe: Recipe, settings: Settings, snapshot: Snapshot) -> Any:
    """Load the model; an lmdeploy Pipeline.

    Raises:
        PermanentError: lmdeploy is missing, or does not know the model.
        RetryableError: the model did not load.
    """
    try:
        import lmdeploy
        import torch
    except ImportError as error:
        raise PermanentError(_NOT_INSTALLED.format(error)) from None
    # Preprocessing is many small operations on one thread; more threads make it 2-3 times slower.
    torch.set_num_threads(1)
    config = engine_config(settings, recipe.model)
    checks.check_config_class(snapshot.path)
    try:
        pipe = lmdeploy.pipeline(
            str(snapshot.path),
            backend_config=config,
            chat_template_config=chat_template(recipe.model),
            log_level="WARNING",
            trust_remote_code=True,  # InternVL2's configuration is code in its own folder
        )
    except Exception as error:
        raise RetryableError(f"lmdeploy did not load {snapshot.path}: {error}") from error
    checks.refuse_truncated_images()
    return pipe


def widen_preprocessing(pipe: Any) -> None:
    """Let lmdeploy cut images into tiles on several threads; it has one, good for 14 images/s.

    Its preprocessing keeps no state, and Pillow and torch let other threads run meanwhile.
    """
    encoder = pipe.async_engine.vl_encoder
    encoder.executor.shutdown()
    encoder.executor = concurrent.futures.ThreadPoolExecutor(
        len(os.sched_getaffinity(0)), "preprocess"
    )
