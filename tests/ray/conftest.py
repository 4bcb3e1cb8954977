"""A Ray cluster of two nodes on this machine, each with one CPU and processes of its own."""

import os

import pytest

from benchmarks.caption_corpus import SHARD_ROWS, write_corpus
from benchmarks.signed_corpus import open_corpus, sign_corpus
from tests.support.ray_cluster import start_cluster


@pytest.fixture(scope="session")
def cluster():
    found = start_cluster(2)
    yield found
    found.shutdown()


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Campaign of ROWS signed captions, a twentieth of them copies."""
    rows = max(int(os.environ.get("ROWS", "24000")) // SHARD_ROWS, 2) * SHARD_ROWS
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(rows, folder)
    campaign = open_corpus(folder, rows)
    sign_corpus(campaign)
    return campaign
