"""Temporary files in a folder: whoever writes an object again removes what killed writers left."""

import os
import subprocess
import sys
import time

import pytest

from sa1b_captions.storage import FileStore
from sa1b_captions.storage.abandoned import LOCKED_S

WRITE = """
import sys, time
from pathlib import Path
from sa1b_captions.storage import FileStore
with FileStore(Path(sys.argv[1])).open_writer("folder/k") as writer:
    writer.write(b"half")
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of an object, begun a while ago."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "open\n"
    (partial,) = (tmp_path / "folder").iterdir()
    begun = time.time() - LOCKED_S - 1
    os.utime(partial, (begun, begun))
    yield process
    process.kill()
    process.communicate()


def names(folder):
    return sorted(path.name for path in (folder / "folder").iterdir())


def test_what_a_killed_writer_left_is_removed_by_the_next_one(writer, tmp_path):
    writer.kill()
    writer.wait()
    store = FileStore(tmp_path)
    assert len(names(tmp_path)) == 1
    store.write("folder/k2", b"another's")
    assert len(names(tmp_path)) == 2
    store.write("folder/k", b"whole")
    assert names(tmp_path) == ["k", "k2"]


def test_what_a_writer_that_lives_has_begun_is_left_to_it(writer, tmp_path):
    store = FileStore(tmp_path)
    store.write("folder/k", b"first")
    assert len(names(tmp_path)) == 2
    writer.communicate()
    assert writer.returncode == 0
    assert store.read("folder/k") == b"half"
    assert names(tmp_path) == ["k"]


def test_a_folder_without_locks_keeps_them(writer, tmp_path, monkeypatch):
    def unsupported(file, operation):
        raise OSError(95, "not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    writer.kill()
    writer.wait()
    FileStore(tmp_path).write("folder/k", b"whole")
    assert len(names(tmp_path)) == 2
