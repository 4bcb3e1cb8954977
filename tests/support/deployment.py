"""Files of a deployment, read once for the tests of them."""

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
