"""Engines by name, each imported only when chosen."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import Recipe
from sa1b_captions.settings import Settings

_ENGINES = {
    "preview": "preview.engine:open_engine",
    "openai": "openai.engine:open_engine",
    "lmdeploy": "lmdeploy.engine:open_engine",
}


def open_engine(name: str, recipe: Recipe, settings: Settings) -> Engine:
    """Load an engine, model included.

    Raises:
        PermanentError: no engine of that name, or the deployment does not fit it.
        RetryableError: the engine did not start.
    """
    if name not in _ENGINES:
        raise PermanentError(f"no engine {name!r}; there are: {', '.join(_ENGINES)}")
    module, function = _ENGINES[name].split(":")
    package = __name__.rpartition(".")[0]
    opener = getattr(import_module(f"{package}.{module}"), function)
    return cast("Callable[[Recipe, Settings], Engine]", opener)(recipe, settings)
