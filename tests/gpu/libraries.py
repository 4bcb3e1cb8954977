"""Small shared libraries that are compiled here, with `cc`."""

import subprocess
import tempfile
from pathlib import Path

CUBLAS_SOURCE = Path(__file__).with_name("cublas12.c")


def compile_library(source: str, target: Path, *options: str) -> None:
    """Compile C source into a shared library whose soname is its file name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    options = (f"-Wl,-soname,{target.name}", "-o", str(target), *options)
    subprocess.run(
        ["cc", "-w", "-shared", "-fPIC", "-O2", "-xc", "-", *options],
        input=source.encode(),
        check=True,
    )


def cublas_facade(folder: Path) -> None:
    """Write libcublas.so.12 over libcublas.so.13, and the libcublasLt.so.12 that nobody calls."""
    with tempfile.TemporaryDirectory() as scratch:
        versions = Path(scratch) / "versions"
        versions.write_text("libcublas.so.12 { global: cublas*; local: *; };")
        compile_library(
            CUBLAS_SOURCE.read_text(),
            folder / "libcublas.so.12",
            f"-Wl,--version-script={versions}",
            "-ldl",
        )
    compile_library("int unused;", folder / "libcublasLt.so.12")


def driver_stubs(library: Path, folder: Path) -> None:
    """Write a driver and an NCCL whose functions trap: enough to load TurboMind without a GPU."""
    symbols = subprocess.run(
        ["nm", "--dynamic", "--undefined-only", "--just-symbols", str(library)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    for name, prefix in (("libnccl.so.2", "nccl"), ("libcuda.so.1", "cu")):
        functions = {
            symbol
            for symbol in symbols
            if symbol.startswith(prefix)
            and "@" not in symbol  # those have a library of their own
            and (prefix == "nccl" or symbol[2].isupper())
        }
        source = "".join(f"void {f}(void) {{ __builtin_trap(); }}\n" for f in sorted(functions))
        compile_library(source, folder / name)
