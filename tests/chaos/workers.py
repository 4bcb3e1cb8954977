"""Faults of what works: stages beside Airflow, pods, and the API that pods are asked for with."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import psutil

from tests.chaos.ground import Ground
from tests.chaos.plan import Fault
from tests.chaos.services import NAMES, stopped
from tests.support.jumping_clock import Jumps

WAIT_S = 45.0
"""For somebody to hit."""
EVICTED = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}
T = TypeVar("T")


def stages(ground: Ground) -> list[psutil.Process]:
    """Processes of stages that Airflow's tasks run now."""
    found = []
    for name in (NAMES["scheduler"], NAMES["second scheduler"]):
        with suppress(psutil.Error):
            for process in ground.stack.process(name).children(recursive=True):
                with suppress(psutil.Error):
                    if "sa1b_captions" in process.cmdline():
                        found.append(process)
    return found


def running_pods(ground: Ground) -> list[str]:
    """Names of pods whose process runs."""
    cluster = ground.cluster
    return [name for name in [*cluster.pods] if cluster.runs[name].process.poll() is None]


def _wait_for(find: Callable[[Ground], list[T]], ground: Ground, fault: Fault) -> T | None:
    deadline = time.monotonic() + WAIT_S
    while not (targets := find(ground)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return fault.pick(targets)


def _describe(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        words = process.cmdline()
        return " ".join(words[words.index("sa1b_captions") + 1 :][:3])
    return "a stage that ended"


@contextmanager
def kill_stage(ground: Ground, fault: Fault) -> Iterator[str | None]:
    """SIGKILL to a stage's process, or to the task that runs it."""
    stage = _wait_for(stages, ground, fault)
    if stage is None:
        yield None
        return
    said = _describe(stage)
    with suppress(psutil.Error):
        whom = stage if fault.number % 2 else stage.parent() or stage
        whom.kill()
        said += "" if whom == stage else ", its task"
    yield f"SIGKILL to {said}"


@contextmanager
def pause_stage(ground: Ground, fault: Fault) -> Iterator[str | None]:
    """Stop a stage, its task and whoever watches over that until Airflow gives them up.

    Then they go on, beside those that Airflow began in their place.
    """
    stage = _wait_for(stages, ground, fault)
    if stage is None:
        yield None
        return
    said = _describe(stage)
    first = {ground.stack.process(NAMES[word]).pid for word in ("scheduler", "second scheduler")}
    above = []
    with suppress(psutil.Error):
        above = [parent for parent in stage.parents() if parent.pid not in (first | {0, 1})]
        above = [parent for parent in above if first & {each.pid for each in parent.parents()}]
    with stopped([stage, *above]):
        yield f"SIGSTOP to {said}"


def _end_pod(**how: object) -> Callable[[Ground, Fault], Iterator[str | None]]:
    def end(ground: Ground, fault: Fault) -> Iterator[str | None]:
        name = _wait_for(running_pods, ground, fault)
        if name is not None:
            ground.cluster.kill(name, **how)  # type: ignore[arg-type]
        yield name

    return end


@contextmanager
def pause_pod(ground: Ground, fault: Fault) -> Iterator[str | None]:
    """Stop all of a pod's processes for a while."""
    name = _wait_for(running_pods, ground, fault)
    if name is None:
        yield None
        return
    group = ground.cluster.runs[name].process.pid
    _signal_group(group, signal.SIGSTOP)
    try:
        yield name
    finally:
        _signal_group(group, signal.SIGCONT)


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


@contextmanager
def forget_pod(ground: Ground, fault: Fault) -> Iterator[str | None]:
    """Let Kubernetes forget a pod that runs on behind a broken network."""
    name = _wait_for(running_pods, ground, fault)
    if name is not None:
        ground.cluster.pods.pop(name, None)
    yield name


@contextmanager
def kubernetes_away(ground: Ground, fault: Fault) -> Iterator[str]:
    """Let the API server refuse, or say nothing at all."""
    status = (0, 500, 503)[int(fault.which * 3)]
    ground.cluster.answer = lambda method, path: (status, "the server is not well")
    try:
        yield f"answers {status or 'nothing'}"
    finally:
        ground.cluster.answer = lambda method, path: None


@contextmanager
def clock_jumps(ground: Ground, fault: Fault) -> Iterator[str]:
    """Let the wall clock of all pods jump by up to years."""
    import random

    with Jumps(ground.clock, random.Random(fault.number), every_s=0.5):
        yield "the clock of all pods"
    ground.clock.jump(0)


INJECTORS = {
    "kill stage": kill_stage,
    "pause stage": pause_stage,
    "kill pod": contextmanager(_end_pod(reason="OOMKilled")),
    "evict pod": contextmanager(_end_pod(status=EVICTED)),
    "pause pod": pause_pod,
    "forget pod": forget_pod,
    "kubernetes away": kubernetes_away,
    "clock jumps": clock_jumps,
}
