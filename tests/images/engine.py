"""Builds and runs images with docker or podman; makes stand-ins for their bases."""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _working() -> str:
    for name in filter(shutil.which, ("docker", "podman")):
        if subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    sys.exit("images need a running docker, or podman; on Debian: apt install podman buildah runc")


ENGINE = _working()
# podman raises limits to what a sandbox may not grant.
LIMITS = ["--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"] * (ENGINE == "podman")
# As the pod's security context has it, without what podman adds: a passwd entry, more of tmpfs.
POD = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=1000:1000"]
POD += ["--tmpfs=/tmp", *(["--passwd=false", "--read-only-tmpfs=false"] * (ENGINE == "podman"))]


def call(*command: str, **options) -> subprocess.CompletedProcess:
    """Run a command; its output goes into the failure if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done


def run(image: str, *command: str, flags=(), check=True) -> subprocess.CompletedProcess:
    """Run a container without network and wait for it."""
    full = [ENGINE, "run", "--rm", "--network=none", *LIMITS, *flags, image, *command]
    if check:
        return call(*full)
    return subprocess.run(full, capture_output=True, text=True, check=False)


def build(tag: str, file: Path, context: Path, *flags: str, **arguments: str) -> str:
    """Build an image; returns its tag."""
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    if ENGINE == "podman":
        # Builds where namespaces are forbidden; the machine's own certificates and pip settings
        # are there while it builds and in no layer.
        given.append("--isolation=chroot")
        for path in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf"):
            given += [f"--volume={path}:{path}:ro"] * Path(path).exists()
    call(ENGINE, "build", *given, *flags, f"--tag={tag}", f"--file={file}", str(context))
    return tag


@functools.cache
def base(name: str) -> str:
    """Base image that a variable names, or else a stand-in if wanted, or else the real one."""
    variable = f"{name.upper()}_IMAGE"
    if os.environ.get(variable):
        return os.environ[variable]
    if os.environ.get("STAND_INS"):
        with tempfile.TemporaryDirectory() as folder:
            return _stand_in(name, Path(folder))
    (real,) = {
        image
        for file in (ROOT / "deploy").glob("Dockerfile.*")
        for image in re.findall(rf"^ARG {variable}=(.+)$", file.read_text(), re.M)
    }
    return real


def _stand_in(name: str, folder: Path) -> str:
    """Build a stand-in from `folder`, an empty one."""
    debian = "localhost/stand-in-debian"
    if not call(ENGINE, "images", "--quiet", debian).stdout:
        root = folder / "debian.tar"
        call("mmdebstrap", "--variant=apt", f"--include={PACKAGES}", "bookworm", str(root))
        call(ENGINE, "import", str(root), debian)
        root.unlink()
    requirements = ROOT / "requirements-lmdeploy-test.txt"
    shutil.copy(requirements, folder)
    wheels = folder / "wheels"
    wheels.mkdir()
    if name == "lmdeploy":
        # Here, for this machine's pip may know where there is a torch without CUDA.
        torch = re.search(r"^torch==.*", requirements.read_text(), re.M)[0]
        download = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        call(*download, "--python-version=3.11", f"--dest={wheels}", torch)
    version = re.search(r"^apache-airflow==(.*)", (ROOT / "requirements.txt").read_text(), re.M)[1]
    file = Path(__file__).with_name("Containerfile")
    tag = f"localhost/stand-in-{name}"
    return build(tag, file, folder, f"--target={name}", AIRFLOW_VERSION=version)


PACKAGES = "ca-certificates,curl,dumb-init,python3-venv"
