"""Prunes a CUDA library to one GPU architecture.

An nvcc library holds its kernels once per architecture in the ELF section `.nv_fatbin`. Those of
other architectures are overwritten with zeros: every offset stays, so the file loads as before,
and the zeros cost nothing once compressed.
"""

import struct
from collections import Counter
from pathlib import Path

_SECTION = b".nv_fatbin"
_FATBIN_MAGIC = 0xBA55ED50
_FATBIN_HEADER = struct.Struct("<IHHQ")  # magic, version, bytes of this header, bytes after it
_KERNEL_HEADER = struct.Struct("<HH I Q I I HH I")
# kind, -, bytes of this header, bytes of code, -, -, minor, major, architecture


def prune(library: Path, target: Path, architecture: int) -> dict[int, int]:
    """Write a library without the kernels of other architectures.

    Args:
        library: an x86-64 shared library.
        target: the pruned copy, of the same size.
        architecture: 90 keeps sm_90 and sm_90a.

    Returns:
        Bytes of code per architecture, as they were.

    Raises:
        ValueError: the library has no kernels, or none for this architecture.
    """
    code = bytearray(library.read_bytes())
    found: Counter[int] = Counter()
    place, end = _section(code)
    while place < end - _FATBIN_HEADER.size:
        magic, _, header, size = _FATBIN_HEADER.unpack_from(code, place)
        if magic != _FATBIN_MAGIC:  # the padding between two of them
            place += 8
            continue
        inner, place = place + header, place + header + size
        while inner < place:
            _, _, header, size, _, _, _, _, of = _KERNEL_HEADER.unpack_from(code, inner)
            found[of] += size
            if of != architecture:
                code[inner + header : inner + header + size] = bytes(size)
            inner += header + size
    if architecture not in found:
        raise ValueError(f"{library.name} has kernels for {sorted(found)}, not for {architecture}")
    target.write_bytes(code)
    return dict(found)


def _section(code: bytearray) -> tuple[int, int]:
    """Where the kernels begin and end in a 64-bit little-endian ELF file."""
    if code[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", code, 0x28)
    entry, count, names = struct.unpack_from("<HHH", code, 0x3A)
    sections = [struct.unpack_from("<IIQQQQ", code, table + n * entry) for n in range(count)]
    strings = sections[names][4]
    for name, _, _, _, offset, size in sections:
        begin = strings + name
        if code[begin : begin + len(_SECTION) + 1] == _SECTION + b"\0":
            return offset, offset + size
    raise ValueError("no section .nv_fatbin: not a CUDA library")
