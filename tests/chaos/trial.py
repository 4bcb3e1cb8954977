"""One seed from beginning to end: start, backfill, faults, recovery, verdict."""

import datetime as dt
import shutil
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.airflow_api import wait_until
from tests.chaos.ground import PER_RUN, Ground, Journal, open_ground
from tests.chaos.injectors import INJECTORS
from tests.chaos.plan import Fault, make_plan, scene
from tests.chaos.quiet import run_quietly
from tests.chaos.recovery import Recovery
from tests.chaos.verdict import judge

FIRST_DAY = dt.date(2026, 11, 1)
PATIENCE_S = 1500.0
"""For everything to finish after the last fault."""


@dataclass
class Trial:
    """The faults of a seed at work."""

    ground: Ground
    injected: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    """Faults that found nothing to hit."""

    def live_through(self, plan: list[Fault]) -> None:
        """Let every fault begin at its moment; returns when all are over."""
        began = time.monotonic()
        threads = []
        for fault in plan:
            time.sleep(max(0.0, began + fault.at_s - time.monotonic()))
            threads.append(threading.Thread(target=self._inject, args=(fault,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _inject(self, fault: Fault) -> None:
        journal, facts = self.ground.journal, {"number": fault.number, "kind": fault.kind}
        try:
            with INJECTORS[fault.kind](self.ground, fault) as hit:
                journal.note("begin", **facts, hit=hit)
                if hit is None:
                    self.missed.append(fault.kind)
                else:
                    self.injected[fault.kind] += 1
                    time.sleep(fault.lasts_s)
            journal.note("end", **facts)
        except Exception as error:
            self.missed.append(fault.kind)
            journal.note("not injected", **facts, error=f"{type(error).__name__}: {error}"[:300])


def run_trial(
    seed: int, faults: int, shards: int, keep: Path | None = None, quiet: Path | None = None
) -> dict[str, Any]:
    """Run a seed; returns what is printed of it.

    Args:
        seed: of the plan.
        faults: how many there are.
        shards: how many there are.
        keep: folder for the journal and all logs.
        quiet: folder of the quiet run, which trials with as many shards may share.
    """
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o755)  # PostgreSQL's own user has to reach it
    journal = Journal(folder / "journal.jsonl", seed)
    began = time.monotonic()
    try:
        with open_ground(folder, scene(seed), shards, journal) as ground:
            result = _live(ground, make_plan(seed, faults), keep, quiet)
    finally:
        if keep is not None:
            _keep(folder, keep)
        shutil.rmtree(folder, ignore_errors=True)
    facts = {"seed": seed, "scene": f"{scene(seed).runtime}, {scene(seed).store}"}
    return facts | result | {"minutes": round((time.monotonic() - began) / 60, 1)}


def _live(
    ground: Ground, plan: list[Fault], keep: Path | None, quiet_folder: Path | None
) -> dict[str, Any]:
    quiet = run_quietly(
        quiet_folder or ground.folder / "quiet", ground.data, ground.model.url, ground.selection
    )
    _start(ground)
    trial = Trial(ground)
    trial.live_through(plan)
    recovery = Recovery(ground)
    version = recovery.run(PATIENCE_S)
    wrong, logs = judge(ground, quiet, version) if version else (["there is no release"], {})
    if keep is not None:
        shutil.copytree(ground.disk / "airflow-logs", keep / "tasks", dirs_exist_ok=True)
    return {
        "faults": sum(trial.injected.values()),
        "planned": len(plan),
        "shards": len(ground.shards),
        "kinds": dict(sorted(trial.injected.items())),
        "restarts": ground.stack.restarts,
        "clears": sum(recovery.clears.values()),
        "triggers": len(recovery.triggers),
        "recovered": version is not None,
        "logs_end_in": logs,
        "differences": wrong,
    }


def _start(ground: Ground) -> None:
    """Unpause both DAGs and start a backfill, as deploy/README.md says."""
    api = ground.api()
    for dag in ("release_dataset", "caption_shards"):
        if not wait_until(lambda dag=dag: api.has_dags({dag}), 240):
            raise RuntimeError(f"{dag} is not there; {api.import_errors()}")
        api.unpause(dag)
    days = -(-len(ground.shards) // PER_RUN)
    ground.stack.run(
        *("airflow-scheduler", "airflow", "backfill", "create", "--dag-id", "caption_shards"),
        *("--from-date", f"{FIRST_DAY}", "--to-date", f"{FIRST_DAY + dt.timedelta(days - 1)}"),
        *("--max-active-runs", "3"),
    )
    if not wait_until(lambda: api.runs("caption_shards"), 60):
        raise RuntimeError("the backfill has no run")


def _keep(folder: Path, keep: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "journal.jsonl", keep) if (folder / "journal.jsonl").exists() else None
    if (folder / "logs").exists():
        shutil.copytree(folder / "logs", keep / "services", dirs_exist_ok=True)
