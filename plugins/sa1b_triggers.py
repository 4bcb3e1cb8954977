"""The trigger at the path that tasks deferred by version 0.1 wait under; goes in version 0.3."""

from sa1b_operators.trigger import ProgressPodTrigger

__all__ = ["ProgressPodTrigger"]
