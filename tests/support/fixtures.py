"""What tests of the package want, made once: a campaign ready for export, quiet disks.

`tests/unit` and `tests/stages` import it in their conftest. What a fixture needs it imports itself,
so that the process of xdist that only hands out tests imports none of it.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from sa1b_captions.campaign import Campaign
    from sa1b_captions.storage import FileStore

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


class ModuleScheduling(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Sends modules as a whole, for their fixtures, and groups of modules as `ONE_START` says.

    `--dist loadgroup` groups nothing under pytest 9.2 (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        groups = (group for group, names in ONE_START.items() if Path(module).stem in names)
        return next(groups, module)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ModuleScheduling:
    return ModuleScheduling(config, log)


def pytest_collection_finish() -> None:
    """Spare every later garbage collection a look at what was imported."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """Only a machine that loses its power could tell, and it would take the tests along."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_certificate_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
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
def ready_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a campaign of which a release can be exported."""
    from sa1b_captions.storage import FileStore
    from tests.support import releases

    root = tmp_path_factory.mktemp("ready")
    releases.ready_campaign(FileStore(root))
    return root


@pytest.fixture
def local(tmp_path: Path) -> FileStore:
    """A store in a folder of the test's own."""
    from sa1b_captions.storage import FileStore

    return FileStore(tmp_path / "store")


@pytest.fixture
def campaign(ready_root: Path, local: FileStore) -> Campaign:
    """The campaign in that store, ready for export; modules that want another make their own."""
    from tests.support import builders

    shutil.copytree(ready_root, local.root)
    return builders.demo_campaign(local)
