"""Faults that people are: captioning again, exporting twice, editing the recipe under way."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx

from sa1b_captions import layout
from sa1b_captions.errors import RetryableError
from tests.chaos.ground import BLOCK, Ground, replace
from tests.chaos.plan import Fault
from tests.support.deployment import small_recipe


@contextmanager
def forced_redo(ground: Ground, fault: Fault) -> Iterator[str | None]:
    """Press *Do it again* for a shard."""
    shard = fault.pick(ground.shards)
    try:
        ground.api().trigger("caption_shards", {"shards": shard, "force": True})
    except httpx.HTTPError:
        yield None  # the API server is away: nobody can press anything
        return
    yield shard


EXPORT_WAIT_S = 300.0
"""For a shard that can be exported."""


@contextmanager
def two_exports(ground: Ground, fault: Fault) -> Iterator[str | None]:
    """Export what is there by two commands at once, under one name, once there is something."""
    if not _has_validated_shard(ground):
        yield None
        return
    version = f"early{fault.number}"
    said: list[str] = []

    def export() -> None:
        for stage in (["dedup"], ["validate", "--release"]):
            ground.command(*stage, "--allow-partial")
        barrier.wait()
        done = ground.command("export", "--version", version, "--allow-partial", "--allow-warnings")
        said.append(f"exit {done.returncode}: {(done.stderr.splitlines() or [''])[-1]}")

    barrier = threading.Barrier(2)
    exports = [threading.Thread(target=export, daemon=True) for _ in range(2)]
    for thread in exports:
        thread.start()
    yield version
    for thread in exports:
        thread.join(600)
    ground.journal.note("exports", number=fault.number, said=said)


def _has_validated_shard(ground: Ground) -> bool:
    prefix = layout.shard_validations_prefix(ground.stack.variables["CAPTIONS_CAMPAIGN"])
    deadline = time.monotonic() + EXPORT_WAIT_S
    while time.monotonic() < deadline:
        with suppress(RetryableError):
            if any(ground.store().list(prefix)):
                return True
        time.sleep(2)
    return False


def _edited(change: Callable[[str], str]) -> Callable[[Ground, Fault], Iterator[str]]:
    def edit(ground: Ground, fault: Fault) -> Iterator[str]:
        file = ground.data / "recipe.toml"
        right = small_recipe(len(ground.shards), BLOCK)
        replace(file, change(right))
        try:
            yield fault.kind
        finally:
            replace(file, right)

    return edit


INJECTORS = {
    "forced redo": forced_redo,
    "two exports": two_exports,
    "recipe rule": contextmanager(
        _edited(lambda text: text.replace("min_chars = 200", "min_chars = 400"))
    ),
    "recipe model": contextmanager(
        _edited(lambda text: text.replace('revision = "1"', 'revision = "2"'))
    ),
    "recipe damaged": contextmanager(_edited(lambda text: text[: len(text) // 3])),
}
