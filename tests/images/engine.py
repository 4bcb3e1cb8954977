"""Builds and runs images with docker or podman; makes stand-ins for their bases."""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _working() -> str:
    for name in filter(shutil.which, ("docker", "podman")):
        if subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    needs = "a running docker, or podman (on Debian: apt install podman buildah runc)"
    pytest.exit(f"make test-images needs {needs}", returncode=1)


ENGINE = _working()
RUN = [ENGINE, "run", "--rm", "--network=none", "--tmpfs=/tmp"]
# As the pod's security context has it.
POD = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=1000:1000"]
BUILD = [ENGINE, "build"]
if ENGINE == "podman":
    # Unasked it raises limits, which a sandbox may forbid, and adds a passwd entry and more tmpfs.
    RUN += ["--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"]
    POD += ["--passwd=false", "--read-only-tmpfs=false"]
    # chroot needs no namespaces. The machine's own certificates and pip settings reach no layer.
    paths = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf")
    BUILD += ["--isolation=chroot"]
    BUILD += [f"--volume={path}:{path}:ro" for path in paths if Path(path).exists()]


def call(*command: str, check=True) -> subprocess.CompletedProcess:
    """Run a command; what it printed goes into the failure if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not (check and done.returncode), f"{command}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done


@functools.cache
def image(name: str) -> str:
    """Tag of an image of deploy/, built once from the bases that its arguments or we choose."""
    file = ROOT / f"deploy/Dockerfile.{name}"
    named = re.findall(r"^ARG (\w+)_IMAGE=", file.read_text(), re.M)
    bases = [f"--build-arg={base}_IMAGE={base_image(base.lower(), file)}" for base in named]
    tag = f"localhost/sa1b-captions-{name}:test"
    call(*BUILD, *bases, f"--tag={tag}", f"--file={file}", str(ROOT))
    return tag


def base_image(name: str, file: Path) -> str:
    """What a variable names, or else a stand-in if wanted, or else the real one of a Dockerfile."""
    variable = f"{name.upper()}_IMAGE"
    if os.environ.get(variable):
        return os.environ[variable]
    if os.environ.get("STAND_INS"):
        return _stand_in(name)
    return re.search(rf"^ARG {variable}=(.+)$", file.read_text(), re.M)[1]


@functools.cache
def _stand_in(name: str) -> str:
    debian, tag = "localhost/stand-in-debian", f"localhost/stand-in-{name}"
    requirements = ROOT / "requirements-lmdeploy-test.txt"
    torch = re.search(r"^torch==.*", requirements.read_text(), re.M)[0]
    airflow = re.search(r"^apache-airflow==\S+", (ROOT / "requirements.txt").read_text(), re.M)[0]
    with tempfile.TemporaryDirectory() as folder:
        if not call(ENGINE, "images", "--quiet", debian).stdout:
            packages = "--include=ca-certificates,curl,dumb-init,python3-venv"
            root = f"{folder}/debian.tar"
            call("mmdebstrap", "--variant=apt", packages, "bookworm", root)
            call(ENGINE, "import", root, debian)
            Path(root).unlink()
        shutil.copy(requirements, folder)
        wheels = Path(folder, "wheels")
        wheels.mkdir()
        if name == "lmdeploy":
            # Here, for this machine's pip may know where there is a torch without CUDA.
            download = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
            call(*download, "--python-version=3.11", f"--dest={wheels}", torch)
        file = Path(__file__).with_name("Containerfile")
        target = [f"--target={name}", f"--build-arg=AIRFLOW={airflow}", f"--file={file}"]
        call(*BUILD, *target, f"--tag={tag}", folder)
    return tag
