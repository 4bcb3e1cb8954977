"""A killed ingest is continued by another process; several connections give the same bytes."""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sa1b_captions import layout
from sa1b_captions.errors import EXIT_RETRYABLE, DamagedArchiveError, PermanentError, RetryableError
from sa1b_captions.ingest.downloading.http_client import Patience
from sa1b_captions.ingest.downloading.links import parse_links
from sa1b_captions.ingest.downloading.replies import Identity
from sa1b_captions.ingest.downloading.resume_state import ResumeState
from sa1b_captions.stages.ingesting.ingest import ingest_shard
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.fault_server import Fault, serve

SHARD = "sa_000000"
MEMBERS = builders.sa1b_members(range(1, 21), (160, 120))
ARCHIVE = builders.make_archive(MEMBERS, shuffle_seed=2)
MD5 = hashlib.md5(ARCHIVE).hexdigest()  # noqa: S324, as lists of archives have it
PART = 4_000
QUICK = Patience(attempts=9, backoff_s=0, stall_timeout_s=1)


class Killed(BaseException):
    """Nothing may catch this and go on."""


class DyingStore(FileStore):
    """Dies at its n-th call, before or after the call has its effect."""

    def __init__(self, root, calls, after=False):
        super().__init__(root)
        self.calls, self.after = calls, after

    def _count(self):
        self.calls -= 1
        if self.calls <= 0:
            raise Killed

    def write(self, key, data):
        if not self.after:
            self._count()
        super().write(key, data)
        if self.after:
            self._count()

    def delete(self, key):
        self._count()
        super().delete(key)


def ingest(server, store, **options):
    defaults = {"patience": QUICK, "part_bytes": PART}
    return ingest_shard(store, SHARD, parse_links(server.links()), **defaults | options)


def objects(store):
    return {key: store.read(key) for key in store.list("") if "receipt" not in key}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """What an untroubled run leaves."""
    store = FileStore(tmp_path_factory.mktemp("clean"))
    with serve(ARCHIVE) as server:
        ingest(server, store)
    return objects(store)


FAULTS = st.lists(
    st.builds(
        Fault,
        cut_after=st.integers(0, len(ARCHIVE)),
        reset=st.booleans(),
        ignore_range=st.booleans(),
        status=st.sampled_from([None, None, 503]),
    ),
    max_size=4,
)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kills=st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=4),
    faults=FAULTS,
)
def test_any_kills_and_faults_give_the_same_objects(tmp_path_factory, clean, kills, faults):
    folder = tmp_path_factory.mktemp("store")
    with serve(ARCHIVE, faults) as server:
        for calls, after in kills:
            with contextlib.suppress(Killed):
                ingest(server, DyingStore(folder, calls, after))
        receipt = ingest(server, FileStore(folder))
    assert objects(FileStore(folder)) == clean
    assert (receipt.source_bytes, receipt.md5) == (len(ARCHIVE), MD5)


def test_only_what_was_not_kept_is_downloaded(tmp_path):
    with serve(ARCHIVE, [Fault(cut_after=30_500)] + [Fault(status=503)] * 9) as server:
        with pytest.raises(RetryableError):
            ingest(server, FileStore(tmp_path))
        server.faults.clear()
        server.requests.clear()
        receipt = ingest(server, FileStore(tmp_path))
    assert server.requests == ["bytes=28000-"]
    assert receipt.reused_bytes == 28_000


def test_a_part_whose_write_waits_for_its_turn_is_stored_when_the_run_ends(tmp_path):
    store, turn = FileStore(tmp_path), threading.Event()
    state = ResumeState(store, SHARD, "/a.tar", PART)
    state._pool.submit(turn.wait)  # a read, or a core that is busy
    state.add(bytes(PART), Identity())
    threading.Timer(0.2, turn.set).start()
    state.close()
    after = ResumeState(store, SHARD, "/a.tar", PART)
    assert b"".join(after.read()) == bytes(PART)
    after.close()


def test_a_refreshed_link_continues_the_same_object(tmp_path):
    store = FileStore(tmp_path)
    with serve(ARCHIVE, [Fault(cut_after=9_000), Fault(status=403)]) as server:
        with pytest.raises(PermanentError, match="download a new links file"):
            ingest(server, store)
        links = parse_links(server.links().replace("SECRETSIGNATURE", "NEWSIGNATURE"))
        server.requests.clear()
        ingest_shard(store, SHARD, links, patience=QUICK, part_bytes=PART)
    assert server.requests == ["bytes=8000-"]


def test_an_object_that_changed_between_two_runs_is_downloaded_anew(tmp_path, clean):
    store = FileStore(tmp_path)
    other = builders.make_archive(builders.sa1b_members(range(40, 60), (160, 120)))
    with serve(other, [Fault(cut_after=9_000)] + [Fault(status=503)] * 9) as server:
        with pytest.raises(RetryableError):
            ingest(server, store)
        server.faults.clear()
        server.archive, server.etag = ARCHIVE, '"v2"'
        with pytest.raises(RetryableError, match="changed while it was read"):
            ingest(server, store)
        assert list(store.list("")) == []
        ingest(server, store)
    assert objects(store) == clean


def test_parts_of_another_object_or_half_a_part_are_not_used(tmp_path, clean):
    store = FileStore(tmp_path)
    with serve(ARCHIVE, [Fault(cut_after=9_000)] + [Fault(status=503)] * 9) as server:
        with pytest.raises(RetryableError):
            ingest(server, store)
        server.faults.clear()
        (key,) = (key for key in store.list("") if key.endswith("part-00001"))
        store.write(key, b"half")
        server.requests.clear()
        ingest(server, store)
        assert server.requests == ["bytes=4000-"]
    assert objects(store) == clean


@pytest.mark.parametrize("archive", [ARCHIVE[:-40], ARCHIVE[:9_000] + bytes(50_000)])
def test_parts_of_a_damaged_archive_are_not_kept(tmp_path, archive):
    store = FileStore(tmp_path)
    with serve(archive) as server, pytest.raises(DamagedArchiveError):
        ingest(server, store)
    assert list(store.list("")) == []


PROGRAM = """
import sys
from sa1b_captions.ingest.downloading.links import parse_links
from sa1b_captions.ingest.downloading.replies import Identity
from sa1b_captions.ingest.downloading.resume_state import ResumeState
from sa1b_captions.stages.ingesting.ingest import ingest_shard
from sa1b_captions.storage import open_store_url
links = parse_links(sys.argv[2])
ingest_shard(open_store_url(sys.argv[1]), "sa_000000", links, part_bytes=int(sys.argv[3]))
"""


def test_a_process_killed_by_the_kernel_is_continued_by_another(tmp_path, clean):
    store = FileStore(tmp_path)
    with serve(ARCHIVE, [Fault(drip_s=0.02)]) as server:
        command = [sys.executable, "-c", PROGRAM, store.url, server.links(), str(PART)]
        process = subprocess.Popen(command)
        while process.poll() is None and len(list(store.list("shards/"))) < 4:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        received = server.sent_bytes
        assert list(tmp_path.rglob("*.partial"))
        server.requests.clear()
        receipt = ingest(server, store)
    assert received < len(ARCHIVE)
    assert receipt.reused_bytes >= received - 2 * PART - 4_000
    assert server.requests == [f"bytes={receipt.reused_bytes}-"]
    assert objects(store) == clean
    assert not list(tmp_path.rglob("*.partial"))


def test_a_command_that_is_stopped_says_what_is_safe_and_how_to_go_on(tmp_path):
    store = FileStore(tmp_path)
    with serve(ARCHIVE, [Fault(drip_s=0.02)]) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "sa1b_captions", "ingest", "--shards", "0", "--links", "-"],
            env=os.environ | {"CAPTIONS_ROOT": store.url},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process.stdin.write(server.links())
        process.stdin.close()
        while process.poll() is None and not server.sent_bytes:
            time.sleep(0.01)
        process.terminate()
        words = process.stderr.read()
        assert process.wait(60) == EXIT_RETRYABLE
    last = words.splitlines()[-1]
    assert "stopped on request; safe: the captions that count" in last
    assert "to go on, run the same command again or clear the task" in last


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(faults=FAULTS.map(lambda faults: [f for f in faults if not f.ignore_range]))
def test_several_connections_give_the_same_objects(tmp_path_factory, clean, faults):
    store = FileStore(tmp_path_factory.mktemp("store"))
    with serve(ARCHIVE, faults) as server:
        receipt = ingest(server, store, connections=3, range_bytes=9_001)
    assert objects(store) == clean
    assert receipt.md5 == MD5


def test_several_connections_continue_a_killed_run(tmp_path, clean):
    store = FileStore(tmp_path)
    with serve(ARCHIVE, [Fault(cut_after=30_500)] + [Fault(status=503)] * 9) as server:
        with pytest.raises(RetryableError):
            ingest(server, store)
        server.faults.clear()
        server.requests.clear()
        ingest(server, store, connections=3, range_bytes=10_000)
    assert min(int(r[6:].split("-")[0]) for r in server.requests) == 28_000
    assert objects(store) == clean


def test_several_connections_need_a_server_with_ranges(tmp_path):
    with (
        serve(ARCHIVE, [Fault(ignore_range=True)]) as server,
        pytest.raises(PermanentError, match="set CAPTIONS_DOWNLOAD_RANGES=1"),
    ):
        ingest(server, FileStore(tmp_path), connections=3)


def test_several_connections_never_join_two_objects(tmp_path):
    changed = Fault(headers={"ETag": '"v2"'})
    with (
        serve(ARCHIVE, [Fault(), Fault(), changed]) as server,
        pytest.raises(RetryableError, match="changed while it was read"),
    ):
        ingest(server, FileStore(tmp_path), connections=2, range_bytes=9_000)


def test_a_finished_shard_is_tidied_when_its_run_was_killed_at_the_end(tmp_path):
    store = FileStore(tmp_path)
    with serve(ARCHIVE) as server:
        ingest(server, store)
        store.write(f"{layout.download_prefix(SHARD)}x/part-00000", b"left")
        half = tmp_path / layout.download_prefix(SHARD) / "x" / ".part-00001.abc.partial"
        half.write_bytes(b"half")
        os.utime(half, (0, 0))
        ingest(server, store)
    assert len(list(store.list(""))) == 3
    assert not half.exists()
