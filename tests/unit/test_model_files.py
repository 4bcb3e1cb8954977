import os
import shutil
from pathlib import Path

import pytest

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import model_files
from sa1b_captions.recipe.model_files import lock_folder, require_locked

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(params=["plain", "cache"])
def folder(request, tmp_path):
    """A model's folder in both layouts; the hub's cache has links to files called by hashes."""
    if request.param == "plain":
        path = tmp_path / "volume" / "Tiny"
        path.mkdir(parents=True)
        (path / "config.json").write_text("{}")
        (path / "model.safetensors").write_bytes(b"weights")
        return path
    home = tmp_path / "volume" / "models--lab--Tiny"
    path = home / "snapshots" / COMMIT
    path.mkdir(parents=True)
    (home / "blobs").mkdir()
    for name, data in {"config.json": b"{}", "model.safetensors": b"weights"}.items():
        (home / "blobs" / name.upper()).write_bytes(data)
        (path / name).symlink_to(f"../../blobs/{name.upper()}")
    return path


@pytest.fixture
def hashed(monkeypatch):
    """Folders that were hashed."""
    calls = []
    really = model_files._hashed

    def hashing(path, stats):
        calls.append(path)
        return really(path, stats)

    monkeypatch.setattr(model_files, "_hashed", hashing)
    return calls


@pytest.fixture
def locked(folder, hashed):
    lock = lock_folder(folder, "lab/Tiny", "main")
    hashed.clear()
    return lock


def test_a_model_is_hashed_once_and_then_known_by_its_stamp(folder, locked, hashed):
    for _ in range(3):
        require_locked(folder, locked)
    assert hashed == [folder]
    require_locked(folder, locked, again=True)
    assert len(hashed) == 2


def test_a_stamp_lies_neither_in_the_folder_nor_among_the_caches_snapshots(folder, locked):
    before = sorted(folder.rglob("*"))
    require_locked(folder, locked)
    assert sorted(folder.rglob("*")) == before
    (stamp,) = folder.parents[1].rglob("*.verified.json")
    assert stamp.parent.name != "snapshots"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: (f / "model.safetensors").write_bytes(b"weightS"),
            "model.safetensors has SHA-2",
        ),
        (lambda f: (f / "model.safetensors").write_bytes(b"weight"), "has 6 bytes in place of 7"),
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
        (lambda f: (f / "config.json").resolve().unlink(), "config.json is miss"),
        (lambda f: (f / "extra.py").write_text("import os"), "extra.py is not in the lock"),
    ],
)
def test_a_model_that_differs_is_refused_although_it_was_stamped(folder, locked, change, message):
    require_locked(folder, locked)
    change(folder)
    for _ in range(2):
        with pytest.raises(PermanentError, match=message) as caught:
            require_locked(folder, locked)
        assert "\n" not in str(caught.value)
        assert str(folder) in str(caught.value)


def test_a_file_of_the_wrong_size_is_told_without_hashing(folder, locked, hashed):
    (folder / "model.safetensors").write_bytes(b"w")
    with pytest.raises(PermanentError):
        require_locked(folder, locked)
    assert hashed == []


def test_a_stamp_is_of_one_lock(folder, locked, hashed):
    require_locked(folder, locked)
    (folder / "config.json").write_text("[]")
    other = lock_folder(folder, "lab/Tiny", "main")
    hashed.clear()
    require_locked(folder, other)
    assert hashed == [folder]


def test_a_copy_with_its_times_and_stamp_is_hashed(folder, locked, hashed, tmp_path):
    require_locked(folder, locked)
    shutil.copytree(tmp_path / "volume", tmp_path / "copy", symlinks=True)  # keeps times
    copied = tmp_path / "copy" / folder.relative_to(tmp_path / "volume")
    hashed.clear()
    require_locked(copied, locked)
    assert hashed == [copied]


def test_a_file_touched_is_hashed_again_and_a_damaged_stamp_is_none(folder, locked, hashed):
    require_locked(folder, locked)
    os.utime(folder / "config.json", (1, 1))
    require_locked(folder, locked)
    (stamp,) = folder.parents[1].rglob("*.verified.json")
    stamp.write_bytes(stamp.read_bytes()[:-5])
    require_locked(folder, locked)
    assert len(hashed) == 3


def test_where_no_stamp_can_be_written_every_start_hashes_and_says_why(
    folder, locked, hashed, caplog, monkeypatch
):
    def refuse(self, data):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    for _ in range(2):
        require_locked(folder, locked)
    assert len(hashed) == 2
    assert "cannot be written (Read-only file system), so every start hashes" in caplog.text
    assert "sa1b-captions model verify" in caplog.text


def test_notes_of_clients_change_nothing(folder, locked):
    (folder / ".complete").touch()
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x.metadata").touch()
    require_locked(folder, locked)
