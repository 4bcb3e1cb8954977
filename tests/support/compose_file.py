"""What docker-compose.yaml says once its variables have values: services as plain data.

Only what our file uses: `${NAME:-default}`, `${NAME:?message}` and `$$`, which compose replaces
before anything else; merge keys and anchors are YAML's own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.support.deployment import COMPOSE_FILE

_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")


@dataclass(frozen=True)
class Service:
    """One service, its strings as the container gets them."""

    name: str
    command: list[str]
    environment: dict[str, str]
    volumes: list[tuple[str, str, bool]]
    """Source, target in the container, and whether it is read-only."""
    waits_for: dict[str, str]
    """Service to the condition that it must meet before this one starts."""
    health: list[str] | None
    """Command that succeeds where the service is healthy."""
    ports: list[str]
    stop_grace_s: float
    profiles: list[str]


def load_services(variables: Mapping[str, str]) -> dict[str, Service]:
    """The services of docker-compose.yaml with these variables, by name.

    Raises:
        ValueError: a variable that must be set is not, in the file's own words.
    """
    found = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
    return {name: _service(name, _filled(service, variables)) for name, service in found.items()}


def _service(name: str, service: dict[str, Any]) -> Service:
    return Service(
        name=name,
        command=service.get("command", []),
        environment=service.get("environment", {}),
        volumes=[_volume(text) for text in service.get("volumes", [])],
        waits_for={
            other: after["condition"] for other, after in service.get("depends_on", {}).items()
        },
        health=_health(service["healthcheck"]["test"]) if "healthcheck" in service else None,
        ports=service.get("ports", []),
        stop_grace_s=float(service.get("stop_grace_period", "10s").removesuffix("s")),
        profiles=service.get("profiles", []),
    )


def _volume(text: str) -> tuple[str, str, bool]:
    source, target, *mode = text.split(":")
    return source, target, mode == ["ro"]


def _health(test: list[str]) -> list[str]:
    kind, *words = test
    return ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, variables) for item in value]
    if not isinstance(value, str):
        return value

    def text_of(found: re.Match[str]) -> str:
        dollar, name, operator, rest = found.groups()
        if dollar:
            return "$"
        if variables.get(name):
            return variables[name]
        if operator == "?":
            raise ValueError(f"{name}: {rest}")
        return rest or ""

    return _VARIABLE.sub(text_of, value)
