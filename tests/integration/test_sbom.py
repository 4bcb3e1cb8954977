"""`make sbom`: the list names what is installed here, and what goes into the images."""

import json
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def lists():
    subprocess.run(["make", "--silent", "sbom"], cwd=ROOT, check=True, capture_output=True)
    folder = ROOT / "dist" / "sbom"
    return {path.name: json.loads(path.read_text()) for path in folder.glob("*.cdx.json")}


def test_the_environments_list_names_what_is_installed(lists):
    found = lists["venv.cdx.json"]
    named = {(normal(one["name"]), one["version"]) for one in found["components"]}
    own = found["metadata"]["component"]["name"]
    assert own == "sa1b-captions"
    installed = {(normal(one.name), one.version) for one in metadata.distributions()}
    assert named == {one for one in installed if one[0] != own}
    assert found["bomFormat"] == "CycloneDX"


@pytest.mark.parametrize(
    ("name", "requirements"),
    [
        ("airflow", "requirements.txt"),
        ("worker-cpu", "requirements-worker-cpu.txt"),
        ("dedup", "requirements-ray.txt"),
    ],
)
def test_an_images_list_names_what_is_pinned_with_its_hashes(lists, name, requirements):
    pins = re.findall(r"^(\S+)==(\S+)", (ROOT / requirements).read_text(), re.M)
    components = lists[f"{name}.cdx.json"]["components"]
    assert {(one["name"], one["version"]) for one in components} == set(pins)
    for one in components:
        assert any(each.get("hashes") for each in one["externalReferences"]), one["name"]
