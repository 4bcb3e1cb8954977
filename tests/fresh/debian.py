"""A Debian in a folder: debootstrap makes it, and chroot enters it with its own mounts."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

USER = "you"
NEEDED = ("debootstrap", "unshare", "chroot", "git")
PASSED_ON = (
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX",
    "DEMO_PORT", "DEMO_ARCHIVE_PORT",
)  # fmt: skip
"""Variables that say how this machine reaches packages, and which ports are free on it."""
CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Those that name a file of certificates, as behind a proxy that has its own."""
ENTER = """
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev" && mount --make-rslave "$1/dev"
mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
exec chroot "$1" /usr/bin/env -i "${@:2}"
"""


class FreshError(Exception):
    """The machine cannot make a fresh Debian; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended."""

    command: str
    code: int
    output: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Debian:
    """The folder of one Debian."""

    folder: Path

    def run(self, command: str, *, user: str = USER, where: str = "") -> Ran:
        """Run a command line there and show what it prints; what it leaves running is ended."""
        home = "/root" if user == "root" else f"/home/{user}"
        shell = f"cd {home}/{where} && {command}"
        inside = shell if user == "root" else f"exec su {user} -p -c {shlex.quote(shell)}"
        settings = [f"{name}={value}" for name, value in self._variables(home).items()]
        began, lines = time.monotonic(), []
        print(f"{'#' if user == 'root' else '$'} {command}", flush=True)
        with subprocess.Popen(
            [
                "unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", ENTER,
                "bash", str(self.folder), *settings, "bash", "-c", inside,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            for line in process.stdout or ():
                lines.append(line)
                print(line, end="", flush=True)
        seconds = round(time.monotonic() - began)
        print(f"[ended with {process.returncode} after {seconds} s]", flush=True)
        return Ran(command, process.returncode, "".join(lines), seconds)

    def _variables(self, home: str) -> Mapping[str, str]:
        passed = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        plain = {"PATH": path, "HOME": home, "LANG": "C.UTF-8", "TERM": "dumb"}
        trusted = {name: f"/{_certificates(name)}" for name in CERTIFICATES if os.environ.get(name)}
        return passed | plain | trusted | {"DEBIAN_FRONTEND": "noninteractive"}


def make_debian(folder: Path, suite: str, mirror: str) -> Debian:
    """A new minimal Debian in an empty folder, which reaches packages as this machine does.

    Raises:
        FreshError: not root, a command is missing, the folder is in use, or debootstrap failed.
    """
    check(folder)
    began = time.monotonic()
    command = [
        "debootstrap",
        "--variant=minbase",
        suite,
        str(folder),
        *([mirror] if mirror else []),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stdout + ended.stderr).strip().splitlines()[-5:]
        raise FreshError("debootstrap failed: " + "\n".join(said))
    print(f"[debootstrap {suite} took {time.monotonic() - began:.0f} s]", flush=True)
    shutil.copy("/etc/resolv.conf", folder / "etc" / "resolv.conf")
    for name in CERTIFICATES:
        if os.environ.get(name):
            shutil.copy(os.environ[name], folder / _certificates(name))
    return Debian(folder)


def _certificates(name: str) -> str:
    """Not where Debian's package of certificates would write its own."""
    return f"etc/trusted-by-{name.lower()}.crt"


def check(folder: Path) -> None:
    """Refuse before anything is written."""
    if os.geteuid() != 0:
        raise FreshError("debootstrap and chroot need root; run it as root, or with sudo -E.")
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        raise FreshError(f"{missing[0]} is missing; on Debian: apt install {missing[0]}")
    if folder.exists() and any(folder.iterdir()):
        raise FreshError(f"{folder} is not empty; remove it or name another: FOLDER=/srv/fresh")


def remove(debian: Debian) -> None:
    """Delete the folder; mounts ended with the processes that saw them."""
    with open("/proc/self/mounts") as mounts:  # noqa: PTH123 - a table of the kernel's
        held = [line.split()[1] for line in mounts if str(debian.folder) in line]
    if held:
        raise FreshError(f"{held[0]} is still mounted; umount it, then remove {debian.folder}.")
    shutil.rmtree(debian.folder)
