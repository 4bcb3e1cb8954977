"""Makes the bundle for a GPU machine without network: `python -m tests.gpu.bundle dist/gpu-smoke`.

lmdeploy's wheel with the kernels of one GPU architecture, the packages that a machine with PyTorch
may lack, our own wheel, the CUDA 12 libraries that TurboMind asks for, and the checkpoint. All
wheels come from the package index when the bundle is made. Run it in an environment that has
torch, tokenizers and transformers, as `make gpu-smoke` does.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tests.gpu import seeing_internvl2
from tests.gpu.fatbin import prune
from tests.gpu.libraries import cublas_facade

ROOT = Path(__file__).parents[2]
PINS = ROOT / "requirements-lmdeploy-test.txt"
LMDEPLOY = "0.18.0"
CUDART = "nvidia-cuda-runtime-cu12==12.8.90"
MODEL = "InternVL2-Seeing"
MOST_MIB = 64
LACKING = (
    "addict", "annotated-types", "mmengine-lite", "platformdirs", "pybase64", "pydantic",
    "pydantic-core", "shortuuid", "simplejpeg", "termcolor", "typing-extensions",
    "typing-inspection", "yapf",
)  # fmt: skip
"""What lmdeploy's pipeline and our caption stage import, and an image with PyTorch may not have."""
_LEFT_OUT = re.compile(r"\.a$|/include/")
"""For those who build against lmdeploy."""


def main() -> None:
    """Make the bundle, and print what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default="3.12", help="the GPU machine's; default %(default)s")
    parser.add_argument("--architecture", type=int, default=90, help="H100 and H200: 90")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    summary = make(options.folder, options.python, options.architecture)
    (options.folder / "bundle.json").write_text(json.dumps(summary, indent=1))
    for name, size in summary["bytes"].items():
        print(f"{size / 2**20:8.2f} MiB  {name}")
    print(f"{summary['mib']:8.2f} MiB  in all, of {MOST_MIB}")
    if summary["mib"] > MOST_MIB:
        sys.exit(f"the bundle is larger than {MOST_MIB} MiB")


def make(folder: Path, python: str, architecture: int) -> dict[str, object]:
    """Fill the folder; what an earlier run left of the same lmdeploy is kept."""
    compact = folder / f"lmdeploy-{LMDEPLOY}-py{python}-sm{architecture}.tar.xz"
    wheels, cudart = folder / "wheels", folder / "cudart"
    cublas = folder / "cublas"
    for stale in (wheels, cudart, cublas, folder / MODEL):
        shutil.rmtree(stale, ignore_errors=True)
    for stale in set(folder.glob("lmdeploy-*")) - {compact}:
        stale.unlink()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        downloads = Path(scratch)
        if not compact.exists():
            _download(python, downloads, f"lmdeploy=={LMDEPLOY}")
            (wheel,) = downloads.glob("lmdeploy-*.whl")
            _compact(wheel, compact, architecture)
        _download(python, downloads, CUDART)
        (wheel,) = downloads.glob("nvidia_cuda_runtime*.whl")
        cudart.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            runtime = archive.read("nvidia/cuda_runtime/lib/libcudart.so.12")
        (cudart / "libcudart.so.12").write_bytes(runtime)
    cublas_facade(cublas)
    _download(python, wheels, *_pinned(LACKING))
    _pip("wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
    seeing_internvl2.build(folder / MODEL)
    sizes = {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "bundle.json"
    }
    return {
        "lmdeploy": LMDEPLOY,
        "archive": compact.name,
        "python": python,
        "architecture": architecture,
        "model": MODEL,
        "mib": round(sum(sizes.values()) / 2**20, 2),
        "bytes": sizes,
    }


def _pinned(names: tuple[str, ...]) -> list[str]:
    """Requirements with the versions that the tests of the lmdeploy engine run with."""
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", PINS.read_text(), re.M))
    return [f"{name}=={pins[name]}" for name in names]


def _download(python: str, folder: Path, *requirements: str) -> None:
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 17, 5)]
    _pip(
        *("download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)),
        *("--python-version", python, "--implementation", "cp"),
        *(part for platform in platforms for part in ("--platform", platform)),
        *requirements,
    )


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *arguments], check=True)


def _compact(wheel: Path, target: Path, architecture: int) -> None:
    """Repack lmdeploy's wheel, its engine pruned to one architecture."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        engine, pruned = Path(scratch) / "engine.so", Path(scratch) / "pruned.so"
        partial = Path(scratch) / target.name
        with zipfile.ZipFile(wheel) as archive, tarfile.open(partial, "w:xz", preset=4) as tar:
            for name in archive.namelist():
                if _LEFT_OUT.search(name):
                    continue
                if "/_turbomind." in name:
                    with archive.open(name) as source, engine.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
                    prune(engine, pruned, architecture)
                    tar.add(pruned, name)
                else:
                    tar.add(archive.extract(name, scratch), name)
        partial.replace(target)


if __name__ == "__main__":
    main()
