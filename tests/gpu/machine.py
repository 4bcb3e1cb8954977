"""Installs the bundle on the GPU machine and says what is missing there.

Only the standard library and pip: nothing of ours is installed yet when this runs.
"""

import ctypes.util
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

EXPECTED = (
    "torch", "torchvision", "transformers", "tokenizers", "safetensors", "huggingface_hub",
    "numpy", "PIL", "pyarrow", "xxhash", "typer", "rich", "requests", "psutil", "yaml", "tqdm",
    "prometheus_client", "pytest", "regex", "packaging", "filelock",
)  # fmt: skip
"""Modules that the machine must have itself: large, or part of every image with PyTorch."""

NVIDIA_FOLDERS = ("cu13", "cublas", "nccl", "cuda_runtime", "curand")


@dataclass
class Machine:
    """What was found and made."""

    missing: list[str] = field(default_factory=list)
    """What the run cannot do without, each with what to do."""
    found: dict[str, str] = field(default_factory=dict)
    """Versions and places, for the log."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables to run Python with."""


def prepare(bundle: Path, site: Path) -> Machine:
    """Check the machine, and install the bundle into a folder of its own unless something lacks.

    Args:
        bundle: the folder that `tests.gpu.bundle` made.
        site: where its packages go; emptied first.
    """
    contents = json.loads((bundle / "bundle.json").read_text())
    machine = Machine()
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    machine.found["python"] = f"{here} {sys.executable}"
    if here != contents["python"]:
        machine.missing.append(
            f"Python {contents['python']}: this is {here}; make gpu-smoke GPU_PYTHON={here} "
            "builds a bundle for it"
        )
    for module in EXPECTED:
        if importlib.util.find_spec(module) is None:
            machine.missing.append(f"the Python module {module}: add its wheel to the bundle")
    folders = _libraries(bundle, machine)
    if not machine.missing:
        _install(bundle, contents["archive"], site)
    machine.environment = {
        "PYTHONPATH": os.pathsep.join([str(site), "."]),
        "LD_LIBRARY_PATH": os.pathsep.join(
            [*map(str, folders), os.environ.get("LD_LIBRARY_PATH", "")]
        ).strip(os.pathsep),
    }
    return machine


def _libraries(bundle: Path, machine: Machine) -> list[Path]:
    """Folders to search for TurboMind's libraries: the machine's own, then the bundle's."""
    folders = [folder for folder in _nvidia_folders() if folder.is_dir()]

    def locate(name: str) -> str | None:
        beside = (str(folder / name) for folder in folders if (folder / name).exists())
        return next(beside, None) or _system_library(name)

    for name, advice in (
        ("libcuda.so.1", "the NVIDIA driver"),
        ("libnccl.so.2", "NCCL, which comes with PyTorch for CUDA"),
    ):
        place = locate(name)
        if place is None:
            machine.missing.append(f"{name}: {advice}")
        machine.found[name] = place or "missing"
    cublas = locate("libcublas.so.12")
    machine.found["libcublas.so.12"] = cublas or "the bundle's, over libcublas.so.13"
    if cublas is None and locate("libcublas.so.13") is None:
        machine.missing.append("libcublas.so.12 or .13, which comes with PyTorch for CUDA")
    machine.found["libcudart.so.12"] = locate("libcudart.so.12") or "the bundle's"
    return [*folders, *([] if cublas else [bundle / "cublas"]), bundle / "cudart"]


def _nvidia_folders() -> list[Path]:
    """Where PyTorch's wheels put CUDA's libraries."""
    roots = [Path(entry) / "nvidia" for entry in sys.path if entry]
    return [root / name / "lib" for root in roots for name in NVIDIA_FOLDERS]


def _system_library(name: str) -> str | None:
    """A library as the loader would find it, by soname."""
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep):
        if folder and (Path(folder) / name).exists():
            return str(Path(folder) / name)
    ldconfig = shutil.which("ldconfig", path=f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin")
    if ldconfig is None:
        return ctypes.util.find_library(name.split(".")[0].removeprefix("lib"))
    listed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    match = re.search(rf"^\s*{re.escape(name)} .*=> (\S+)$", listed, re.M)
    return match[1] if match else None


def _install(bundle: Path, archive: str, site: Path) -> None:
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    wheels = sorted(str(wheel) for wheel in (bundle / "wheels").glob("*.whl"))
    options = ("--no-index", "--no-deps", "--no-cache-dir", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *options, "--target", str(site), *wheels],
        check=True,
    )
    with tarfile.open(bundle / archive) as tar:
        tar.extractall(site, filter="data")  # our own archive, and the filter keeps it inside
