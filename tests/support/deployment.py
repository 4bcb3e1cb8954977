"""Files of a deployment, read once for the tests of them."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yaml"
SERVICES = yaml.safe_load(COMPOSE_FILE.read_text())["services"]


def env_example() -> dict[str, str]:
    """Variables of `.env.example` with their values."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def filled_env(own: Mapping[str, str]) -> dict[str, str]:
    """A usable `.env`: the example with credentials of its own, files in `data`, and `own`."""
    example = env_example()
    empty = [name for name, value in example.items() if not value]
    made = {name: secrets.token_hex(16) for name in empty if not name.startswith("CAPTIONS_")}
    files = {
        "AIRFLOW_FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "CAPTIONS_LINKS": "/opt/airflow/data/links.tsv",
        "CAPTIONS_RECIPE": "/opt/airflow/data/recipe.toml",
    }
    return example | made | files | dict(own)


def small_recipe(shards: int, block_size: int = 8) -> str:
    """The recipe of two shards for so many: the preview engine says much the same of any."""
    text = (ROOT / "tests" / "support" / "two_shards.toml").read_text()
    for written, meant in (
        ('shards = "0-1"', f'shards = "0-{shards - 1}"'),
        ("block_size = 8", f"block_size = {block_size}"),
        ("reject_share_warning = 0.25", "reject_share_warning = 1.0"),
        ("reject_share_critical = 0.5", "reject_share_critical = 1.0"),
        ("min_rows = 5", "min_rows = 1"),
    ):
        if written not in text:
            raise ValueError(f"two_shards.toml has no {written}")
        text = text.replace(written, meant)
    return text
