"""Hosts with something odd about them: a stage works, or ends in one sentence that names it.

Exit code 1 and a traceback would mean a fault of ours.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import builders
from tests.support.fault_server import serve

REPOSITORY = Path(__file__).parents[2]
STAGES = (
    ["ingest", "--shards", "0"],
    ["caption", "--shards", "0", "--engine", "preview"],
    ["curate", "--shards", "0"],
    ["validate", "--shards", "0"],
    ["status"],
)


@pytest.fixture(scope="module")
def archive():
    with serve(builders.make_archive(builders.sa1b_members(range(1, 9)))) as server:
        yield server


@pytest.fixture
def run(archive, tmp_path):
    (tmp_path / "links.tsv").write_text(archive.links())

    def command(arguments, prefix=(), root=tmp_path / "store", **variables):
        environment = {
            **os.environ,
            "CAPTIONS_ROOT": root.as_uri(),
            "CAPTIONS_LINKS": str(tmp_path / "links.tsv"),
            "CAPTIONS_RECIPE": str(REPOSITORY / "tests" / "support" / "two_shards.toml"),
            "CAPTIONS_CAMPAIGN": "odd",
            **variables,
        }
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "sa1b_captions", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 1, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return command


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SSL_CERT_FILE": "/no/cert.pem"}, "SSL_CERT_FILE=/no/cert.pem does not exist"),
        ({"SSLKEYLOGFILE": "/no/keys"}, "SSLKEYLOGFILE=/no/keys cannot be written"),
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, "ALL_PROXY='socks5://127.0.0.1:9' is a SOCKS"),
        ({"HTTP_PROXY": "http://127.0.0.1:9\r"}, "HTTP_PROXY="),
        ({"NO_PROXY": "[::1]"}, "NO_PROXY='[::1]': write IPv6 addresses without brackets"),
        ({"CAPTIONS_ROOT": "file:///dev/null/store"}, "check CAPTIONS_ROOT"),
    ],
    ids=["certificates", "key-log", "socks", "proxy", "no-proxy", "a-file"],
)
def test_what_cannot_work_ends_with_65_and_names_the_place(run, variables, words):
    done = run(STAGES[0], **variables)
    assert (done.returncode, words in done.stderr) == (65, True), done.stderr
    assert "has no object" not in done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"HOME": "/dev/null/home", "NUMBA_CACHE_DIR": "/dev/null/cache"},
        {"TMPDIR": "/dev/null/tmp"},
    ],
    ids=["C", "ascii", "no-home", "no-tmp"],
)
def test_what_no_stage_needs_does_no_harm(run, variables):
    for arguments in STAGES:
        assert run(arguments, **variables).returncode == 0


def namespace(*lines):
    """A shell of its own mounts, if this machine lets us make one; the stage follows."""
    script = " && ".join([*lines, 'exec "$@"'])
    prefix = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh")
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("needs unshare and user namespaces")
    return prefix


@pytest.mark.parametrize("size_kib", [4, 40])
def test_a_full_disk_is_worth_waiting_for(run, tmp_path, size_kib):
    disk = tmp_path / "disk"
    disk.mkdir()
    prefix = namespace(f"mount -t tmpfs -o size={size_kib}k none {disk}")
    done = run(STAGES[0], prefix=prefix, root=disk / "store")
    assert done.returncode == 75, done.stderr
    assert "No space left on device" in done.stderr
    assert f"{disk.as_uri()}/store" in done.stderr


@pytest.mark.parametrize("stage", range(1, 4), ids=[stage[0] for stage in STAGES[1:4]])
def test_a_disk_that_is_full_between_the_stages_is_worth_waiting_for(run, tmp_path, stage):
    for arguments in STAGES[:stage]:
        run(arguments)
    disk, store = tmp_path / "disk", tmp_path / "store"
    disk.mkdir()
    used_kib = sum(-(-file.stat().st_size // 4096) * 4 for file in store.rglob("*"))
    mount = f"mount -t tmpfs -o size={used_kib + 4}k none {disk}"
    prefix = namespace(mount, f"cp -r {store} {disk}/", f"dd if=/dev/zero of={disk}/rest || true")
    done = run(STAGES[stage], prefix=prefix, root=disk / "store")
    assert done.returncode == 75, done.stderr
    assert "No space left on device" in done.stderr


def test_a_read_only_installation_works_and_a_read_only_store_is_named(run, tmp_path):
    package = Path(__import__("sa1b_captions").__file__).parent
    readonly = f"mount --bind {package} {package} && mount -o remount,bind,ro {package}"
    prefix = namespace(readonly)
    variables = {"HOME": "/dev/null/home"}
    for arguments in STAGES:
        assert run(arguments, prefix=prefix, **variables).returncode == 0
    store = tmp_path / "store"
    prefix = namespace(f"mount --bind {store} {store} && mount -o remount,bind,ro {store}")
    for arguments in STAGES[:3]:
        done = run([*arguments, "--force"], prefix=prefix)
        assert done.returncode == 65, done.stderr
        assert "Read-only file system" in done.stderr
