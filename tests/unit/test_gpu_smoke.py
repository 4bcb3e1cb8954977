"""The parts of `make gpu-smoke` that need neither lmdeploy nor a GPU."""

import json
import struct
import sys

import pytest

from tests.gpu.fatbin import prune
from tests.gpu.machine import prepare


def kernel(architecture, code):
    return struct.pack("<HHIQIIHHI", 2, 0, 32, len(code), 0, 0, 0, 0, architecture) + code


def cuda_library(kernels):
    """A library with one fatbin: an ELF header, the sections' names, .nv_fatbin."""
    inner = b"".join(kernel(*item) for item in kernels)
    fatbin = struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(inner)) + inner + bytes(24)
    names = b"\0.shstrtab\0.nv_fatbin\0"
    names_at, fatbin_at = 64, 64 + len(names)
    table_at = fatbin_at + len(fatbin)
    header = b"\x7fELF\x02\x01" + bytes(0x28 - 6) + struct.pack("<Q", table_at)
    header = header.ljust(0x3A, b"\0") + struct.pack("<HHH", 64, 3, 1)
    sections = [(0, 0, 0, 0, 0, 0), (1, 3, 0, 0, names_at, len(names))]
    sections.append((names.index(b".nv_fatbin"), 1, 0, 0, fatbin_at, len(fatbin)))
    table = b"".join(struct.pack("<IIQQQQ", *section).ljust(64, b"\0") for section in sections)
    return header + names + fatbin + table


def test_only_kernels_of_the_wanted_architecture_stay(tmp_path):
    before = cuda_library([(80, b"A" * 40), (90, b"B" * 24), (90, b"C" * 8), (100, b"D" * 16)])
    (tmp_path / "library.so").write_bytes(before)
    found = prune(tmp_path / "library.so", tmp_path / "pruned.so", 90)
    after = (tmp_path / "pruned.so").read_bytes()
    assert found == {80: 40, 90: 32, 100: 16}
    expected = before.replace(b"A" * 40, bytes(40)).replace(b"D" * 16, bytes(16))
    assert after == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (cuda_library([(80, b"A" * 8)]), r"kernels for \[80\], not for 90"),
        (
            cuda_library([(80, b"A" * 8)]).replace(b".nv_fatbin", b".other_one"),
            "not a CUDA library",
        ),
        (b"MZ" + bytes(100), "not a 64-bit"),
    ],
    ids=["other architecture", "no kernels", "no ELF"],
)
def test_what_cannot_be_pruned_is_refused(tmp_path, content, message):
    (tmp_path / "library.so").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        prune(tmp_path / "library.so", tmp_path / "pruned.so", 90)
    assert not (tmp_path / "pruned.so").exists()


def test_a_machine_is_told_all_that_it_lacks_at_once(tmp_path, monkeypatch):
    """And nothing is installed then."""
    (tmp_path / "bundle.json").write_text(
        json.dumps({"python": "2.7", "archive": "lmdeploy.tar.xz"})
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    machine = prepare(tmp_path, tmp_path / "site")
    missing = "\n".join(machine.missing)
    for part in ("Python 2.7: this is", "module torch:", "libcuda.so.1: the NVIDIA driver"):
        assert part in missing
    assert not (tmp_path / "site").exists()


def test_the_machines_own_cublas_is_preferred_to_the_stand_in(tmp_path, monkeypatch):
    (tmp_path / "bundle.json").write_text(
        json.dumps({"python": "2.7", "archive": "lmdeploy.tar.xz"})
    )
    folder = tmp_path / "packages" / "nvidia" / "cublas" / "lib"
    folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    for name, stands_in in (("libcublas.so.13", True), ("libcublas.so.12", False)):
        (folder / name).touch()
        search = prepare(tmp_path, tmp_path / "site").environment["LD_LIBRARY_PATH"].split(":")
        assert str(folder) in search
        assert (str(tmp_path / "cublas") in search) == stands_in
        assert search[-1] == str(tmp_path / "cudart")
