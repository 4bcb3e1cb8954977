"""Deployment settings, all from environment variables.

A required setting that is missing is an error, never an empty string. Everything about a setting is
said once, in its field in `settings.py`: `.env.example`, the variables in `docker-compose.yaml` and
`docs/settings.md` are written from there by `make docs`.
"""

from sa1b_captions.settings.caption_settings import ENGINE_NAMES, MAX_SHARDS_PER_POD
from sa1b_captions.settings.reading import (
    VARIABLE_NAMES,
    VARIABLES,
    environment,
    load_settings,
    read_setting,
    worker_environment,
)
from sa1b_captions.settings.settings import (
    Runtime,
    Settings,
)
