"""What tests with caption workers of their own want."""

import pytest


@pytest.fixture
def campaign(tmp_path):
    """A campaign whose shards are ready for captions."""
    from tests.support.caption_workers import make_campaign

    return make_campaign(tmp_path / "store")


@pytest.fixture
def server():
    """A model's server whose answers take a while."""
    from tests.support.caption_workers import serve_slowly

    with serve_slowly() as running:
        yield running
