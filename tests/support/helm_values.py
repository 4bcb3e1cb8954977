"""The values of deploy/helm as Helm merges them, and what they say in one place."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from tests.support.deployment import ROOT

FOLDER = ROOT / "deploy" / "helm"
VARIANTS = {"kubernetes": ["values.yaml"], "celery": ["values.yaml", "celery.yaml"]}
"""What `helm --values` is given, by executor."""
VARIANT_NAMES = sorted(VARIANTS)
KNOWN = json.loads((ROOT / "tests/support/airflow_chart_values.json").read_text())
"""Schema of the chart's values that we use."""


def load_values(variant: str) -> dict[str, Any]:
    """The files of a variant, one laid over the other: maps merge, lists are replaced."""
    merged: dict[str, Any] = {}
    for name in VARIANTS[variant]:
        merged = _laid_over(merged, yaml.safe_load((FOLDER / name).read_text()))
    return merged


def _laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _laid_over(below.get(key), value) for key, value in above.items()}


def settings_of(values: dict[str, Any]) -> dict[str, str]:
    """The package's variables, as every Airflow container gets them."""
    found: dict[str, str] = yaml.safe_load(values["extraConfigMaps"]["sa1b-settings"]["data"])
    return found


def secrets_of(values: dict[str, Any]) -> Iterator[str]:
    """Names of the Secrets that the values refer to."""
    yield from (name for key, name in values.items() if key.endswith("SecretName"))
    yield from (name for key, name in values["data"].items() if key.endswith("SecretName"))
    yield from _values_of("secretName", values)
    for source in yaml.safe_load(values["extraEnvFrom"]):
        if "secretRef" in source:
            yield source["secretRef"]["name"]


def _values_of(key: str, tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            else:
                yield from _values_of(key, value)
    elif isinstance(tree, list):
        for item in tree:
            yield from _values_of(key, item)


def as_environment(values: dict[str, Any]) -> dict[str, str]:
    """`config` and `env` as variables that Airflow reads."""
    config = {
        f"AIRFLOW__{section}__{option}".upper(): str(value)
        for section, options in values["config"].items()
        for option, value in options.items()
    }
    return config | {each["name"]: each["value"] for each in values["env"]}
