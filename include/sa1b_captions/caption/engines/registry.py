"""Engines by name, each imported only when chosen."""

import logging
from importlib import import_module
from types import ModuleType
from typing import cast

from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import Recipe
from sa1b_captions.recipe.model_lock import ModelLock
from sa1b_captions.settings import ENGINE_NAMES, Settings

_log = logging.getLogger(__name__)


def open_engine(
    name: str, recipe: Recipe, settings: Settings, lock: ModelLock | None = None
) -> Engine:
    """Load an engine, model included: `open_engine` of `engine.py` in the folder of that name.

    Args:
        lock: what the files of that model must be, for engines that load them: `check_files` of
            their module.

    Raises:
        PermanentError: no engine of that name, the deployment does not fit it, or the model's
            files are not those of the lock.
        RetryableError: the engine did not start.
    """
    room = _room(name)
    locked = lock is not None and lock.model == recipe.model.id and hasattr(room, "check_files")
    if locked:
        room.check_files(recipe, settings, lock)
    engine = cast("Engine", room.open_engine(recipe, settings))
    if name != "preview" and not recipe.model.pinned and not locked:
        _log.warning(
            "the recipe asks for revision %s of %s, which names no commit: weights of any date "
            "pass, and the captions are stored as of revision %s. Pin the commit of your snapshot "
            "in [model] revision before a campaign begins, or run sa1b-captions model lock",
            recipe.model.revision,
            engine.model,
            engine.model_revision,
        )
    return engine


def _room(name: str) -> ModuleType:
    if name not in ENGINE_NAMES:
        raise PermanentError(f"no engine {name!r}; there are: {', '.join(ENGINE_NAMES)}")
    return import_module(f"{__package__}.{name}.engine")
