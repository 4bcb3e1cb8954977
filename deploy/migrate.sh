#!/bin/bash
# Prepares Airflow's database for this project; safe to run again. Compose's airflow-init and the
# migration job of the Helm chart run it, with GPU_SLOTS and DOWNLOAD_SLOTS.
set -euo pipefail

# A misspelt setting has no effect but here, where all of them are read.
python - <<'PYTHON'
from sa1b_captions.errors import SettingsError
from sa1b_captions.settings import load_settings

try:
    load_settings()
except SettingsError as error:
    raise SystemExit(f"settings: {error}") from None
PYTHON

airflow db migrate

# Deferred pods must hold their slot, or the pool bounds nothing.
pools=$(mktemp --suffix=.json)
trap 'rm -f "$pools"' EXIT
cat > "$pools" <<JSON
{
  "gpu": {
    "slots": ${GPU_SLOTS:?set how many caption pods or processes may run at once},
    "description": "Caption pods or processes at once",
    "include_deferred": true
  },
  "download": {
    "slots": ${DOWNLOAD_SLOTS:?set how many archives may be downloaded at once},
    "description": "Archives downloaded at once",
    "include_deferred": true
  }
}
JSON
airflow pools import "$pools"
