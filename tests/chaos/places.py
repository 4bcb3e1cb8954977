"""Faults of where things lie: the store, the disk, the model's server, the links."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.chaos.ground import Ground, replace
from tests.chaos.plan import Fault
from tests.support.openai_server import Fault as Reply

STEP_BYTES = 1 << 20


@contextmanager
def weather(ground: Ground, fault: Fault) -> Iterator[str]:
    """Weather of the store."""
    name = fault.kind.removeprefix("s3 ")
    replace(ground.weather, name)
    try:
        yield name
    finally:
        # Another one may have begun meanwhile.
        if ground.weather.read_text() == name:
            replace(ground.weather, "calm")


@contextmanager
def full_disk(ground: Ground, fault: Fault) -> Iterator[str | None]:
    """Leave not a byte of the disk, if it is one of its own."""
    if not ground.disk.is_mount():
        yield None
        return
    filler = ground.disk / f"filler-{fault.number}"
    try:
        with filler.open("wb") as file:
            _fill(file.fileno())
        yield f"{filler.stat().st_size >> 20} MiB were free"
    finally:
        filler.unlink()


def _fill(descriptor: int) -> None:
    step = STEP_BYTES
    while step:
        try:
            written = os.write(descriptor, bytes(step))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            written = 0
        if not written:
            step //= 2


@contextmanager
def model_errors(ground: Ground, fault: Fault) -> Iterator[str]:
    """Let the model's server answer with errors, resets or nothing useful."""
    reply = (Reply(status=500), Reply(status=503), Reply(reset=True), Reply(body=b"{"))[
        int(fault.which * 4)
    ]
    ground.model.odd = lambda body: reply
    try:
        yield str(reply.status or ("reset" if reply.reset else "half a reply"))
    finally:
        ground.model.odd = lambda body: None


@contextmanager
def model_restart(ground: Ground, fault: Fault) -> Iterator[str]:
    """Stop the model's server for a while."""
    ground.model.stop()
    try:
        yield "the only replica"
    finally:
        with suppress(OSError):  # it listens already: two of these met
            ground.model.start()


@contextmanager
def links_expire(ground: Ground, fault: Fault) -> Iterator[str]:
    """Let every signature end, downloads at work included; a new links file comes later."""
    replace(ground.signature, f"ended-{fault.number}")
    try:
        yield "all links"
    finally:
        ground.write_links()


INJECTORS = {
    **{f"s3 {name}": weather for name in ("restart", "500", "503", "slow", "resets")},
    "full disk": full_disk,
    "model errors": model_errors,
    "model restart": model_restart,
    "links expire": links_expire,
}
