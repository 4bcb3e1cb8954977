"""Reads a card as its users do: front matter, configs, and the code that it shows.

Nothing here needs the project: tests/consumers run without it.
"""

import os
import re
from pathlib import Path
from typing import Any

import yaml

PLACEHOLDER = "path/or/repository"


def front_matter(release: Path) -> dict[str, Any]:
    """The YAML at the card's top."""
    found: dict[str, Any] = yaml.safe_load((release / "README.md").read_text().split("---\n")[1])
    return found


def configs(release: Path) -> dict[str, list[Path]]:
    """Files of each config of the card, in order."""
    return {
        config["config_name"]: sorted(release.glob(config["data_files"][0]["path"]))
        for config in front_matter(release)["configs"]
    }


def snippets(release: Path) -> list[str]:
    """Python examples of the card, with this release in place of the placeholder."""
    card = (release / "README.md").read_text()
    found = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    return [code.replace(PLACEHOLDER, str(release)) for code in found]


def run(code: str, folder: Path) -> dict[str, Any]:
    """Run an example in a folder and return what it defines."""
    names: dict[str, Any] = {}
    before = Path.cwd()
    os.chdir(folder)
    try:
        exec(compile(code, "card", "exec"), names)  # noqa: S102
    finally:
        os.chdir(before)
    return names
