"""Pod profiles: what a caption pod asks of the cluster. The file says where its numbers are from.

A cheap leaf: Airflow reads it when it parses the DAGs.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sa1b_captions.errors import SettingsError

PROFILES_PATH = Path(__file__).with_name("pod_profiles.toml")


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint that the pod accepts."""

    key: str
    effect: str
    """NoSchedule, PreferNoSchedule or NoExecute."""
    operator: str = "Exists"
    value: str | None = None

    def __post_init__(self) -> None:
        if self.effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            raise ValueError(f"toleration of {self.key}: effect {self.effect!r} is not one")
        if (self.operator == "Equal") != (self.value is not None):
            raise ValueError(f"toleration of {self.key}: operator Equal takes a value, Exists none")


_GPU_NODES = (Toleration(key="nvidia.com/gpu", effect="NoSchedule"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodProfile:
    """One section of the file."""

    name: str
    gpus: int
    """Whole GPUs; 0 for an engine that needs none."""
    gpu_resource: str = "nvidia.com/gpu"
    """Name the device plugin gives to a GPU."""
    cpus: int
    memory_gib: int
    """Limit and request. What lies in shared memory counts towards it."""
    shared_memory_gib: int = 0
    """Size of /dev/shm, through which NCCL moves data between the GPUs."""
    scratch_gib: int
    """Size of /tmp, the one writable disk."""
    active_deadline_s: int
    """Kubernetes ends the pod after this; the next one resumes at the last block."""
    termination_grace_s: int = 60
    """Between SIGTERM and SIGKILL: captions in flight finish and their blocks are written."""
    startup_timeout_s: int = 1800
    """To find a node and pull the image."""
    lost_node_s: int = 300
    """A node that is NotReady for longer is lost, and another pod takes the shard over."""
    priority_class: str = "sa1b-batch"
    node_selector: dict[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = _GPU_NODES

    def __post_init__(self) -> None:
        for name in (
            *("cpus", "memory_gib", "scratch_gib"),
            *("active_deadline_s", "startup_timeout_s", "lost_node_s"),
        ):
            if not _whole(getattr(self, name)) or getattr(self, name) < 1:
                raise ValueError(f"{name} must be a whole number of at least 1")
        for name in ("gpus", "shared_memory_gib", "termination_grace_s"):
            if not _whole(getattr(self, name)) or getattr(self, name) < 0:
                raise ValueError(f"{name} must be a whole number, not below 0")
        if self.gpus > 1 and self.shared_memory_gib < 1:
            raise ValueError("shared_memory_gib must be at least 1 with more than one GPU")
        if self.shared_memory_gib >= self.memory_gib:
            raise ValueError("shared_memory_gib counts towards memory_gib and must be below it")
        if self.termination_grace_s >= self.active_deadline_s:
            raise ValueError("termination_grace_s must be below active_deadline_s")


def load_profile(name: str, path: Path = PROFILES_PATH) -> PodProfile:
    """Read one profile.

    Raises SettingsError naming the profiles there are, or the key that is missing or out of range.
    """
    sections = _sections(path)
    if name not in sections:
        raise SettingsError(
            f"CAPTIONS_GPU_PROFILE={name!r} is not in {path.name}, which has: "
            + ", ".join(sorted(sections))
        )
    section = dict(sections[name])
    try:
        if "tolerations" in section:
            section["tolerations"] = tuple(Toleration(**item) for item in section["tolerations"])
        return PodProfile(name=name, **section)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"[{name}] of {path}: {error}") from None


def profile_names(path: Path = PROFILES_PATH) -> list[str]:
    """Names of all profiles, in the file's order."""
    return list(_sections(path))


def _sections(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
