"""The small Kubernetes API of `fake_kubernetes`, whose pods really run, as processes here."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.fake_kubernetes import FakeKubernetes, container, ended, now

NODE = "node-of-this-machine"
GRACE_PERIOD_S = 30


class ProcessKubernetes(FakeKubernetes):
    """Runs a pod's command with the pod's environment, and nothing else of this machine's.

    Images, volumes and resources do not exist: the command is looked up beside this Python.
    """

    def __init__(self, secrets: dict[str, dict[str, str]] | None = None) -> None:
        self.secrets = secrets or {}
        """Content of the Secrets that pods may name, by name."""
        self.runs: dict[str, PodRun] = {}
        """Every pod's run, by pod name; runs outlive their pods."""
        super().__init__()

    def apply(self, document: dict[str, Any]) -> None:
        super().apply(document)
        if document["kind"] == "Secret":
            self.secrets[document["metadata"]["name"]] = document["stringData"]

    def admit(self, pod: dict[str, Any]) -> None:
        self.runs[pod["metadata"]["name"]] = PodRun(pod, self.secrets)

    def read_log(self, name: str, query: dict[str, str]) -> str:
        return self.runs[name].read_log(query)

    def delete(self, name: str, grace_period_s: float | None) -> dict[str, Any]:
        run = self.runs[name]
        if grace_period_s is None:
            grace_period_s = run.pod["spec"].get("terminationGracePeriodSeconds", GRACE_PERIOD_S)
        run.stop(grace_period_s)
        return super().delete(name, grace_period_s)

    def kill(
        self, name: str, *, reason: str | None = None, status: dict[str, Any] | None = None
    ) -> None:
        """End a pod from outside: SIGKILL, for a container `reason` or with a pod `status`."""
        self.runs[name].kill(reason, status)

    def close(self) -> None:
        for run in self.runs.values():
            run.kill(None, None)
        super().close()


class PodRun:
    """One pod's process, its status and its log."""

    def __init__(self, pod: dict[str, Any], secrets: dict[str, dict[str, str]]) -> None:
        self.pod = pod
        self.lines: list[tuple[dt.datetime, str]] = []
        """(time in UTC, text) of each line of output."""
        self._reason: str | None = None
        self._status: dict[str, Any] | None = None
        (base,) = pod["spec"]["containers"]
        pod["status"] = {
            "phase": "Pending",
            "startTime": now(),
            "podIP": "127.0.0.1",
            "containerStatuses": [container({"waiting": {"reason": "ContainerCreating"}})],
        }
        self._command = [*base["command"], *base.get("args", [])]
        self._environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"}
        for source in base.get("envFrom", []):
            self._environment |= secrets[source["secretRef"]["name"]]
        self._environment |= {item["name"]: item["value"] for item in base.get("env", [])}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._thread.start()

    def _run(self) -> None:
        began = now()
        self.pod["spec"]["nodeName"] = NODE
        self._show(
            phase="Running",
            containerStatuses=[container({"running": {"startedAt": began}}) | {"ready": True}],
        )
        deadline_s = self.pod["spec"].get("activeDeadlineSeconds", threading.TIMEOUT_MAX)
        deadline = threading.Timer(deadline_s, self._end_late)
        deadline.daemon = True
        deadline.start()
        for line in self.process.stdout or ():
            self.lines.append((dt.datetime.now(dt.UTC), line.rstrip("\n")))
        code = self.process.wait()
        deadline.cancel()
        # As with `terminationMessagePolicy: FallbackToLogsOnError`.
        tail = "\n".join(text for _, text in self.lines[-80:])[-2048:] if code else ""
        found = ended(code if code >= 0 else 128 - code, tail, self._reason)
        self._show(**found | (self._status or {}))

    def _show(self, **status: object) -> None:
        # A new object: the server may be writing the old one out at this moment.
        self.pod["status"] = self.pod["status"] | status

    def _end_late(self) -> None:
        late = "Pod was active on the node longer than the specified deadline"
        self.kill(None, {"phase": "Failed", "reason": "DeadlineExceeded", "message": late})

    def kill(self, reason: str | None, status: dict[str, Any] | None) -> None:
        """SIGKILL to the whole container."""
        self._reason, self._status = reason, status
        self._signal(signal.SIGKILL)
        self._thread.join()

    def stop(self, grace_period_s: float) -> None:
        """SIGTERM, and SIGKILL to what is left after the grace period."""
        self._signal(signal.SIGTERM)
        self._thread.join(grace_period_s)
        self._signal(signal.SIGKILL)
        self._thread.join()

    def _signal(self, number: int) -> None:
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def read_log(self, query: dict[str, str]) -> str:
        """The log so far, or with `follow` to its end."""
        if query.get("follow", "").lower() == "true":
            self._thread.join()
        lines = list(self.lines)
        if "sinceSeconds" in query:
            since = time.time() - float(query["sinceSeconds"])
            lines = [line for line in lines if line[0].timestamp() >= since]
        if "tailLines" in query:
            lines = lines[-int(query["tailLines"]) :]
        stamped = query.get("timestamps", "").lower() == "true"  # one client writes True
        return "".join(
            (f"{when:%Y-%m-%dT%H:%M:%S.%f}000Z " if stamped else "") + text + "\n"
            for when, text in lines
        )
