"""Compiled loops over the text of captions."""

import importlib

from sa1b_captions.errors import SettingsError

try:
    importlib.import_module("numba")
except ValueError as error:  # it reads its variables as it is imported
    raise SettingsError(
        f"numba does not start: {error}; check the NUMBA variables, as NUMBA_NUM_THREADS"
    ) from None
