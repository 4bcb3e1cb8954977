"""Folders that cannot do what a local disk can: they work, or say in a sentence what is wrong."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sa1b_captions.errors import MissingKeyError, PermanentError, RetryableError, SettingsError
from sa1b_captions.storage import FileStore, open_store_url


def refusing(code):
    def refuse(*arguments, **options):
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS])
def test_a_folder_without_modes_and_syncing_works(local, monkeypatch, code):
    """CIFS answers so, FUSE and 9p too."""
    for name in ("fchmod", "chmod", "fsync", "fdatasync", "link", "symlink", "utime", "fchown"):
        monkeypatch.setattr(os, name, refusing(code))
    with local.open_writer("a/k") as writer:
        writer.write(b"1")
    local.write("a/k", b"2")
    local.clear_unfinished("a/", 0)
    assert local.read("a/k") == b"2"
    assert [path.name for path in local.root.rglob("*")] == ["a", "k"]


def test_a_folder_where_an_open_file_can_be_neither_renamed_nor_removed_works(local, monkeypatch):
    """As on Windows shares."""
    rename, unlink = os.rename, os.unlink

    def is_open(path):
        files = Path("/proc/self/fd").iterdir()
        return any(f.readlink() == Path(path) for f in files if f.is_symlink())

    def guarded(call):
        def guard(path, *others, **options):
            if is_open(path):
                raise OSError(errno.EBUSY, "open")
            return call(path, *others, **options)

        return guard

    monkeypatch.setattr(os, "rename", guarded(rename))
    monkeypatch.setattr(os, "replace", guarded(os.replace))
    monkeypatch.setattr(os, "unlink", guarded(unlink))
    local.write("k", b"1")
    (local.root / ".k.abc.partial").write_bytes(b"half")
    local.clear_unfinished("k", 0)
    assert [path.name for path in local.root.iterdir()] == ["k"]
    with pytest.raises(RuntimeError, match="killed"), local.open_writer("k"):
        raise RuntimeError("killed")
    assert [path.name for path in local.root.iterdir()] == ["k"]


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_sync_that_fails_for_real_is_an_error(local, monkeypatch, code):
    local.write("k", b"old")
    monkeypatch.setattr(os, "fsync", refusing(code))
    with pytest.raises(RetryableError, match="/k"):
        local.write("k", b"new")
    assert local.read("k") == b"old"


class FullFile:
    """A file on a disk without room, past its first write."""

    def __init__(self, file, code):
        self.file, self.code, self.writes = file, code, 0
        self.name, self.fileno = file.name, file.fileno
        self.flush, self.close = file.flush, file.close

    def write(self, data):
        self.writes += 1
        if self.writes > 1:
            refusing(self.code)()
        return self.file.write(data)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.ENOSPC, RetryableError, "GiB free on that disk"),
        (errno.EIO, RetryableError, "GiB free on that disk"),
        (errno.EDQUOT, PermanentError, "raise the quota"),
        (errno.EROFS, PermanentError, "check CAPTIONS_ROOT"),
        (errno.EACCES, PermanentError, "no permission"),
    ],
)
def test_a_disk_that_fails_in_the_middle_is_named(local, monkeypatch, code, kind, words):
    local.write("k", b"old")
    make = tempfile.NamedTemporaryFile
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", lambda **how: FullFile(make(**how), code))

    def write():
        with local.open_writer("k") as writer:
            writer.write(b"1")
            writer.write(b"2")

    with pytest.raises(kind, match=f"{local.url}/k.*{words}"):
        write()
    assert local.read("k") == b"old"
    assert [path.name for path in local.root.iterdir()] == ["k"]


@pytest.mark.parametrize(
    "error", [FileNotFoundError("/no/cert.pem"), PermissionError("x"), OSError(28, "full")]
)
def test_an_error_of_the_work_in_a_writers_block_is_not_the_stores(local, error):
    """A certificate file that is missing is no missing object."""
    with pytest.raises(type(error)) as caught, local.open_writer("k"):
        raise error
    assert caught.value is error
    assert list(local.list("")) == []


def test_a_key_missing_while_another_is_written_is_named(local):
    with pytest.raises(MissingKeyError, match="no object other"), local.open_writer("k"):
        local.read("other")


def test_a_folder_that_cannot_be_read_makes_no_listing_short(local, monkeypatch):
    local.write("a/k", b"1")
    local.write("b/k", b"1")
    scan = os.scandir

    def guarded(path):
        if str(path).endswith("/b"):
            raise PermissionError(errno.EACCES, "no", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(PermanentError, match="no permission"):
        local.list("")


@pytest.mark.parametrize("root", ["/dev/null/store", "/proc/store"])
def test_a_root_that_can_be_no_folder_is_named(root):
    store = FileStore(Path(root))
    with pytest.raises((PermanentError, RetryableError), match=root):
        store.write("k", b"1")
    assert not store.exists("k")


def test_a_root_that_this_process_cannot_spell_names_the_variable(tmp_path):
    program = (
        "from sa1b_captions.storage import open_store_url\n"
        "from sa1b_captions.errors import SettingsError\n"
        f"try: open_store_url({(tmp_path / 'é').as_uri()!r})\n"
        "except SettingsError as error: assert 'set LC_ALL=C.UTF-8' in str(error)\n"
        "else: raise SystemExit(3)\n"
    )
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with pytest.raises(SettingsError, match="CAPTIONS_ROOT"):
        open_store_url("file:///tmp/%00")
