"""OpenStack Swift's S3 API on 127.0.0.1, for the time of one command: a real S3 server from PyPI.

    .venv-swift/bin/python -m tests.support.swift_server pytest tests/stages/test_storage.py

The command finds the endpoint in TEST_S3_ENDPOINT and credentials where boto3 looks. Everything
lies in a temporary folder, which needs a file system with extended attributes.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

SERVERS = {"account": "account", "container": "container", "object": "obj", "proxy": "proxy"}
"""Server to the name of its package."""
START_S = 60
KEY, SECRET = "test:tester", "testing"

SWIFT_CONF = """[swift-hash]
swift_hash_path_prefix = test
swift_hash_path_suffix = test
[storage-policy:0]
name = one
default = yes
"""
COMMON = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
log_address = {folder}/no-syslog
fallocate_reserve = 0
"""
STORAGE = """[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
PROXY = f"""[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_{KEY.replace(":", "_")} = {SECRET} .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


def main(command: list[str]) -> int:
    """Start Swift, run a command, stop Swift; returns the command's exit code."""
    with tempfile.TemporaryDirectory(prefix="swift-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        ports = configure(folder)
        processes = [stack.enter_context(running(folder, server)) for server in SERVERS]
        for server, process in zip(SERVERS, processes, strict=True):
            wait_for(folder, server, process, ports[server])
        endpoint = f"http://127.0.0.1:{ports['proxy']}"
        credentials = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        environment = {"TEST_S3_ENDPOINT": endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
        return subprocess.call(command, env=os.environ | credentials | environment)


def configure(folder: Path) -> dict[str, int]:
    """Write configuration and rings; returns the port of each server."""
    from swift.common.ring import RingBuilder

    ports = dict(zip(SERVERS, free_ports(len(SERVERS)), strict=True))
    (folder / "devices" / "d0").mkdir(parents=True)
    (folder / "swift.conf").write_text(SWIFT_CONF)
    for server, port in ports.items():
        text = COMMON + (PROXY if server == "proxy" else STORAGE)
        (folder / f"{server}.conf").write_text(text.format(port=port, folder=folder, name=server))
        if server != "proxy":
            device = {"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1"}
            ring = RingBuilder(4, 1, 1)
            ring.add_dev(device | {"port": port, "device": "d0"})
            ring.rebalance()
            ring.get_ring().save(str(folder / f"{server}.ring.gz"))
    return ports


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def running(folder: Path, server: str) -> Iterator[subprocess.Popen[bytes]]:
    """One server as a process, its output in `<server>.log`."""
    with (folder / f"{server}.log").open("wb") as log:
        command = [
            sys.executable,
            "-m",
            "tests.support.swift_server",
            "--serve",
            server,
            str(folder),
        ]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(folder: Path, server: str, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit(f"Swift's {server} server did not start:\n{(folder / f'{server}.log').read_text()}")


def serve(server: str, folder: str) -> None:
    """Be one of the servers."""
    from swift.common.utils import set_swift_dir

    set_swift_dir(folder)  # before anything imports the storage policies
    sys.argv = [f"swift-{server}-server", f"{folder}/{server}.conf", "-v"]
    import_module(f"swift.{SERVERS[server]}.server").main()


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(*sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1:]))
