"""A Kubernetes API just large enough for KubernetesPodOperator: pods whose fate a test decides."""

import copy
import datetime as dt
import json
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.role import Permission, forbidden, needed


class FakeKubernetes:
    """Keeps pods in memory and gives every one the status that the test has set."""

    def __init__(self) -> None:
        self.pods: dict[str, dict[str, Any]] = {}
        """Pods there are now, by name."""
        self.created: list[dict[str, Any]] = []
        """Every pod that was ever created, as it was sent."""
        self.statuses: list[dict[str, Any]] = [{"phase": "Running"}]
        """Status of the first pod that is created, of the second, …; the last one repeats."""
        self.applied: list[dict[str, Any]] = []
        """What is no pod, in the order it was applied."""
        self.refusal: tuple[int, str] | None = None
        """(HTTP status, message) with which pods are refused, or None."""
        self.refusals: list[tuple[int, str]] = []
        """Refusals of the next pods, one each; then pods are taken in."""
        self.log = "a line of the pod\n"
        self.changes: list[dict[str, Any]] = [{}]
        """What metadata the first pod is given besides, the second, …; the last one repeats."""
        self.events: list[dict[str, Any]] = []
        """Events that are told of every pod."""
        self.silent_node = False
        """Whether pods that are deleted with grace stay, as where no kubelet ends them."""
        self.forced: list[str] = []
        """Pods that were deleted without grace."""
        self.answer: Callable[[str, str], tuple[int, str] | None] = lambda method, path: None
        """(HTTP status, message) with which a request is refused; status 0 is no reply at all."""
        self.allowed: frozenset[Permission] | None = None
        """What the account may do; None allows everything."""
        self.asked: set[Permission] = set()
        """What it asked for, whether it may or not; empty where everything is allowed."""
        handler = type("Handler", (_Handler,), {"cluster": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def admit(self, pod: dict[str, Any]) -> None:
        """Take a pod in; whoever asks for it later is given its `status`."""
        number = len(self.created) - 1
        pod["status"] = self.statuses[min(number, len(self.statuses) - 1)]
        pod["metadata"] |= self.changes[min(number, len(self.changes) - 1)]

    def read_log(self, name: str, query: dict[str, str]) -> str:
        """Log of a pod, for the query parameters of a log request."""
        return self.log

    def delete(self, name: str, grace_period_s: float | None) -> dict[str, Any]:
        """Delete a pod; returns it."""
        if grace_period_s == 0:
            self.forced.append(name)
        elif self.silent_node:
            self.pods[name]["metadata"]["deletionTimestamp"] = now()
            return self.pods[name]
        return self.pods.pop(name)

    def apply(self, document: dict[str, Any]) -> None:
        """Take in anything that is no pod, by server-side apply."""
        self.applied.append(document)

    def delete_namespace(self) -> None:
        """Delete the one namespace there is."""
        for name in list(self.pods):
            self.delete(name, 0)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kube_config(self) -> dict[str, Any]:
        """A kubeconfig for this server."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "current-context": "fake",
        }


def ended(exit_code: int, message: str = "", reason: str | None = None) -> dict[str, Any]:
    """Status of a pod whose container has ended."""
    terminated = {
        "exitCode": exit_code,
        "reason": reason or ("Completed" if exit_code == 0 else "Error"),
        "message": message,
        "startedAt": now(),
        "finishedAt": now(),
    }
    return {
        "phase": "Failed" if exit_code else "Succeeded",
        "containerStatuses": [container({"terminated": terminated})],
    }


def container(state: dict[str, Any]) -> dict[str, Any]:
    """Status of the base container."""
    return {
        "name": "base",
        "image": "image",
        "imageID": "image",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }


def now() -> str:
    """The time as Kubernetes writes it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Handler(BaseHTTPRequestHandler):
    cluster: FakeKubernetes

    def log_message(self, *_: object) -> None:
        pass

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        refusal = self._forbidden() or self.cluster.answer(self.command, self.path)
        if refusal is None:
            return True
        self._body()
        if refusal[0]:
            self._error(*refusal)
        self.close_connection = True
        return False

    def _forbidden(self) -> tuple[int, str] | None:
        if self.cluster.allowed is None:
            return None
        permission = needed(self.command, self.path)
        self.cluster.asked.add(permission)
        return None if permission in self.cluster.allowed else (403, forbidden(permission))

    def do_POST(self) -> None:
        pod = self._body()
        if self.cluster.refusal:
            self._error(*self.cluster.refusal)
            return
        if self.cluster.refusals:
            self._error(*self.cluster.refusals.pop(0))
            return
        pod["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
        self.cluster.created.append(copy.deepcopy(pod))
        self.cluster.admit(pod)
        self.cluster.pods[pod["metadata"]["name"]] = pod
        self._send(pod, 201)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        words = url.path.strip("/").split("/")[4:]  # api/v1/namespaces/<namespace>/…
        if words == ["events"]:
            items = self.cluster.events
            self._send({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items})
        elif words == ["pods"]:
            self._list(parse_qs(url.query).get("labelSelector", [""])[0])
        elif words[1] not in self.cluster.pods:
            self._error(404, f"pods {words[1]!r} not found")
        elif words[2:] == ["log"]:
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            self._send_bytes(self.cluster.read_log(words[1], query).encode(), "text/plain")
        else:
            self._send(self.cluster.pods[words[1]])

    def do_PATCH(self) -> None:
        if self.headers.get("Content-Type") == "application/apply-patch+yaml":
            document = self._body()
            self.cluster.apply(document)
            self._send(document)
            return
        pod = self.cluster.pods[self._name()]
        pod["metadata"]["labels"] |= self._body()["metadata"]["labels"]
        self._send(pod)

    def do_DELETE(self) -> None:
        options = self._body() or {}
        if urlsplit(self.path).path.strip("/").split("/")[2:-1] == ["namespaces"]:
            self.cluster.delete_namespace()
            self._send({"kind": "Status", "status": "Success"})
            return
        if self._name() not in self.cluster.pods:
            self._error(404, f"pods {self._name()!r} not found")
            return
        asked = parse_qs(urlsplit(self.path).query).get("gracePeriodSeconds")  # one client's way
        grace_period_s = int(asked[0]) if asked else options.get("gracePeriodSeconds")
        self._send(self.cluster.delete(self._name(), grace_period_s))

    def _name(self) -> str:
        return urlsplit(self.path).path.rpartition("/")[2]

    def _list(self, selector: str) -> None:
        pods = [pod for pod in self.cluster.pods.values() if _selected(pod, selector)]
        self._send({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods})

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")

    def _error(self, code: int, message: str) -> None:
        self._send({"kind": "Status", "status": "Failure", "code": code, "message": message}, code)

    def _send(self, content: object, code: int = 200) -> None:
        self._send_bytes(json.dumps(content).encode(), "application/json", code)

    def _send_bytes(self, data: bytes, kind: str, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _selected(pod: dict[str, Any], selector: str) -> bool:
    labels = pod["metadata"]["labels"]
    for term in filter(None, selector.split(",")):
        if term.startswith("!"):
            fits = term[1:] not in labels
        elif "!=" in term:
            name, value = term.split("!=")
            fits = labels.get(name) != value
        else:
            name, value = term.split("=")
            fits = labels.get(name) == value
        if not fits:
            return False
    return True
