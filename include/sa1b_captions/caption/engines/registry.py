"""Engines by name, each imported only when chosen."""

from importlib import import_module
from typing import cast

from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import Recipe
from sa1b_captions.settings import ENGINE_NAMES, Settings


def open_engine(name: str, recipe: Recipe, settings: Settings) -> Engine:
    """Load an engine, model included: `open_engine` of `engine.py` in the folder of that name.

    Raises:
        PermanentError: no engine of that name, or the deployment does not fit it.
        RetryableError: the engine did not start.
    """
    if name not in ENGINE_NAMES:
        raise PermanentError(f"no engine {name!r}; there are: {', '.join(ENGINE_NAMES)}")
    room = import_module(f"{__package__}.{name}.engine")
    return cast("Engine", room.open_engine(recipe, settings))
