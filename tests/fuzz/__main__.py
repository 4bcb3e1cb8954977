"""Run targets one after the other: `python -m tests.fuzz SECONDS [TARGET ...]`."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "fuzz",
    max_examples=1_000,  # a round; rounds follow until the time is up
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=True,
)


def counted(target: Callable[..., None], seconds: float) -> int:
    """How many inputs a target has had in that time.

    Raises:
        BaseException: whatever an input led to, with the smallest such input in its notes.
    """
    tried = 0
    inner = target.hypothesis.inner_test  # type: ignore[attr-defined]

    def count(*arguments: Any, **keywords: Any) -> None:
        nonlocal tried
        tried += 1
        inner(*arguments, **keywords)

    target.hypothesis.inner_test = count  # type: ignore[attr-defined]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        target()
    return tried


def main(seconds: float, names: list[str]) -> int:
    """Give each target that many seconds; print one line each, and JSON at the end."""
    settings.load_profile("fuzz")  # before the targets are decorated
    from tests.fuzz.routes import route
    from tests.fuzz.targets import TARGETS

    targets = TARGETS | {"route": route}
    unknown = sorted(set(names) - set(targets))
    if unknown:
        print(f"no target {unknown[0]}; there are: {', '.join(targets)}", file=sys.stderr)  # noqa: T201
        return 2
    inputs: dict[str, int] = {}
    for name in names or targets:
        inputs[name] = counted(targets[name], seconds)
        print(f"{name}: {inputs[name]:,} inputs, no finding", flush=True)  # noqa: T201
    print(json.dumps({"seconds_each": seconds, "inputs": inputs}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
