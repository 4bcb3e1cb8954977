"""A release in a folder, and only the libraries of its users: `make test-consumers`."""

import os
from pathlib import Path

import pytest

RELEASE = os.environ.get("RELEASE")
if RELEASE is None:
    collect_ignore_glob = ["test_*.py"]

TRACKS = ("single_en", "single_zh", "multi_en", "multi_zh")


@pytest.fixture(scope="session")
def release():
    """Folder of the release."""
    return Path(RELEASE).resolve()


@pytest.fixture(scope="session")
def store(release):
    """Folder of the store that it lies in, with the shards' archives."""
    return release.parents[1]


@pytest.fixture(params=TRACKS)
def track(request):
    return request.param
