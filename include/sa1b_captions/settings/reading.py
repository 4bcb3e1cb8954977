"""The settings of this process: the one module that reads `os.environ`."""

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sa1b_captions.settings.settings import NO_STORE, Settings
from sa1b_captions.settings.variables import Variable, as_text, refuse_unknown

VARIABLES: dict[str, Variable] = {
    entry.name: entry.metadata["variable"] for entry in fields(Settings)
}
"""Every setting's variable by its field's name."""

VARIABLE_NAMES = tuple(entry.name for entry in VARIABLES.values())


def worker_environment(settings: Settings) -> dict[str, str]:
    """Variables that give a worker elsewhere the same settings, without the secret ones."""
    values = {
        entry.name: getattr(settings, field)
        for field, entry in VARIABLES.items()
        if entry.for_worker
    }
    return {name: as_text(value) for name, value in values.items() if value is not None}


def environment() -> Mapping[str, str]:
    """All variables of this process, for messages about those that other programs read."""
    return os.environ


def load_settings(
    environ: Mapping[str, str] | None = None, *, needs_store: bool = True
) -> Settings:
    """Read the settings; a variable set to the empty string counts as not set.

    Args:
        environ: variables; by default those of the process.
        needs_store: whether `CAPTIONS_ROOT` must be set; without, no store may be opened.

    Raises SettingsError naming the variable, what is wrong with it and what to write. A variable
    that begins with `CAPTIONS_` and is no setting is refused: somebody misspelt it.
    """
    source = os.environ if environ is None else environ
    refuse_unknown(source, VARIABLE_NAMES)
    root = VARIABLES["captions_root"].name
    if not needs_store and not source.get(root):
        source = {**source, root: NO_STORE}
    return Settings(**{field: entry.read(source) for field, entry in VARIABLES.items()})


def read_setting(field: str) -> Any:
    """One setting of this process, whatever the others are.

    Raises SettingsError: its variable is not usable.
    """
    return VARIABLES[field].read(os.environ)
