"""What tests of several modules want, made once: an S3 server, a campaign ready for export.

The server is moto, or the one that TEST_S3_ENDPOINT names: `make test-s3` names a real one. What
moto cannot show (it takes any secret and any checksum) is marked `real_s3`.
"""

import gc
import os
import shutil
from pathlib import Path

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

ONE_START = {
    "kernels": (
        "test_features",
        "test_rules",
        "test_wording",
        "test_minhash",
        "test_clusters",
    ),
    "s3": (
        "test_claim",
        "test_export",
        "test_ingest",
        "test_manifest",
        "test_storage_servers",
        "test_storage",
        "test_storage_clock",
        "test_verify",
    ),
    "openai": (
        "test_openai_engine",
        "test_openai_fleet",
        "test_openai_odd_servers",
        "test_openai_start",
        "test_servers",
    ),
    "great_expectations": (
        "test_audit_findings",
        "test_expectations",
        "test_cli_damage",
        "test_freshness",
        "test_receipt_files_damage",
        "test_release_partial",
        "test_repairs",
        "test_sentence_marks",
        "test_validate",
        "test_version_0_1_0",
    ),
}
"""Modules that one process of xdist runs, so that what they import or compile is paid for once.

A group of many tests starts early. By the time another process wants the kernels, the cache on disk
has them.
"""

hypothesis.settings.register_profile("quick", max_examples=40)
hypothesis.settings.register_profile("thorough", max_examples=400)
hypothesis.settings.load_profile("quick")
"""Of tests that say no number of their own; `--hypothesis-profile thorough` looks longer."""

REAL_ENDPOINT = os.environ.get("TEST_S3_ENDPOINT")


class ModuleScheduling(LoadScopeScheduling):
    """Sends modules as a whole, for their fixtures, and groups of modules as `ONE_START` says.

    `--dist loadgroup` groups nothing under pytest 9.2 (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid):
        module = nodeid.partition("::")[0]
        groups = (group for group, names in ONE_START.items() if Path(module).stem in names)
        return next(groups, module)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ModuleScheduling(config, log)


def pytest_collection_finish():
    """Spare every later garbage collection a look at what was imported."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk():
    """Only a machine that loses its power could tell, and it would take the tests along."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_certificate_authority(tmp_path_factory):
    """Every HTTP client reads all that the machine trusts, 15 ms; no test asks a server out there.

    Tests with a server of their own certificate name it themselves.
    """
    import certifi

    end = "-----END CERTIFICATE-----\n"
    first, _, _ = Path(certifi.where()).read_text().partition(end)
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first + end)
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("SSL_CERT_FILE", str(file))
        yield


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


@pytest.fixture(scope="session")
def ready_root(tmp_path_factory):
    """A folder with a campaign of which a release can be exported."""
    from sa1b_captions.storage import FileStore
    from tests.support import (
        releases,  # here and below, lest the process that only hands out tests imports it
    )

    root = tmp_path_factory.mktemp("ready")
    releases.ready_campaign(FileStore(root))
    return root


@pytest.fixture
def local(tmp_path):
    """A store in a folder of the test's own."""
    from sa1b_captions.storage import FileStore

    return FileStore(tmp_path / "store")


@pytest.fixture
def campaign(ready_root, local):
    """The campaign in that store, ready for export; modules that want another make their own."""
    from tests.support import builders

    shutil.copytree(ready_root, local.root)
    return builders.demo_campaign(local)


@pytest.fixture
def planned_shard(tmp_path):
    """The plan of 20 images, of which the fifth is broken, and the reader of their shard."""
    from sa1b_captions.caption.images import ShardReader
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
