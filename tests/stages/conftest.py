"""What tests of whole stages want beside the package's fixtures: an S3 server, a planned shard.

The server is moto, or the one that TEST_S3_ENDPOINT names: `make test-s3` names a real one. What
moto cannot show (it takes any secret and any checksum) is marked `real_s3`.
"""

import os

import pytest

from tests.support.compared import facts, two_releases
from tests.support.fixtures import (
    _no_waiting_for_the_disk,
    _one_certificate_authority,
    campaign,
    local,
    pytest_collection_finish,
    pytest_xdist_make_scheduler,
    ready_root,
)

__all__ = [
    "_no_waiting_for_the_disk",
    "_one_certificate_authority",
    "campaign",
    "facts",
    "local",
    "pytest_collection_finish",
    "pytest_xdist_make_scheduler",
    "ready_root",
    "two_releases",
]

REAL_ENDPOINT = os.environ.get("TEST_S3_ENDPOINT")


@pytest.fixture(scope="session")
def s3_url():
    """Endpoint of the server; credentials for it are in the environment."""
    if REAL_ENDPOINT:
        yield REAL_ENDPOINT
        return
    from moto.server import ThreadedMotoServer

    with pytest.MonkeyPatch.context() as environ:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environ.setenv(name, "testing")
        environ.setenv("AWS_DEFAULT_REGION", "us-east-1")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        yield "http://{}:{}".format(*server.get_host_and_port())
        server.stop()


@pytest.fixture
def s3_client(s3_url):
    """The plain client, to look behind the store."""
    import boto3

    return boto3.client("s3", endpoint_url=s3_url)


@pytest.fixture
def planned_shard(tmp_path):
    """The plan of 20 images, of which the fifth is broken, and the reader of their shard."""
    from sa1b_captions.caption.decoding.images import ShardReader
    from sa1b_captions.caption.sampling import plan_track, read_index
    from sa1b_captions.storage import FileStore
    from tests.support import builders

    store, recipe = FileStore(tmp_path), builders.demo_recipe()
    jpegs = {n: builders.make_jpeg(n) for n in range(1, 21)}
    jpegs[5] = jpegs[5][:200]
    builders.put_shard(store, "sa_000000", jpegs)
    track = recipe.tracks["single_en"]
    plan = plan_track(recipe, track, "sa_000000", read_index(store, "sa_000000"))
    return plan, ShardReader(store, "sa_000000", plan)


@pytest.fixture(autouse=True)
def _only_on_a_real_server(request):
    if request.node.get_closest_marker("real_s3") and not REAL_ENDPOINT:
        pytest.skip("moto cannot show this; make test-s3 can")
