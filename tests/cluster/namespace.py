"""A throw-away namespace with our manifests, and a store in it that both sides can reach."""

import contextlib
import secrets
import select
import socket
import socketserver
import threading
from pathlib import Path

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes"
STORE_SERVER = Path(__file__).with_name("store_server.py")
PLURALS = {"NetworkPolicy": "networkpolicies", "PriorityClass": "priorityclasses"}
WHOLE_CLUSTER = ("Namespace", "PriorityClass")
NOBODY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


class ThrowAwayNamespace:
    """Our manifests in a namespace of a new name; `delete` removes it with all that is in it."""

    def __init__(self, kubeconfig, image):
        config.load_kube_config(kubeconfig)
        self.api = client.ApiClient()
        self.core = client.CoreV1Api(self.api)
        self.kubeconfig = kubeconfig
        self.image = image
        self.name = f"sa1b-captions-test-{secrets.token_hex(4)}"

    def apply_manifests(self):
        """What `kubectl apply -k deploy/kubernetes` applies, in this namespace."""
        named = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())["resources"]
        for file in named:
            for document in yaml.safe_load_all((MANIFESTS / file).read_text()):
                if document["kind"] == "Namespace":
                    document["metadata"]["name"] = self.name
                self.apply(document)

    def apply(self, document):
        """Server-side apply of one object."""
        kind, metadata = document["kind"], document["metadata"]
        version = document["apiVersion"]
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if kind not in WHOLE_CLUSTER:
            metadata["namespace"] = self.name
            path += f"/namespaces/{self.name}"
        self.api.call_api(
            f"{path}/{PLURALS.get(kind, kind.lower() + 's')}/{metadata['name']}",
            "PATCH",
            query_params=[("fieldManager", "sa1b-captions-test"), ("force", "true")],
            header_params={
                "Content-Type": "application/apply-patch+yaml",
                "Accept": "application/json",
            },
            body=document,
            auth_settings=["BearerToken"],
            response_types_map={200: "object", 201: "object"},
        )

    def start_store(self, port):
        """Run the store in a pod of the worker image."""
        labels = {"app.kubernetes.io/name": "sa1b-test-store"}
        self.apply(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": "reach-the-store"},
                "spec": {
                    "podSelector": {"matchLabels": labels},
                    "policyTypes": ["Ingress"],
                    "ingress": [{}],
                },
            }
        )
        command = ["python3", "-u", "-c", STORE_SERVER.read_text(), str(port)]
        self.start_pod("store", command, {"limits": {"cpu": "500m", "memory": "512Mi"}}, labels)

    def start_pod(self, name, command, resources, labels=None):
        """Run a command in a pod of the worker image, by the rules of the namespace."""
        container = {
            "name": "base",
            "image": self.image,
            "command": command,
            "resources": resources,
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
        pod = {
            "metadata": {"name": name, "namespace": self.name, "labels": labels or {}},
            "spec": {
                "containers": [container],
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "securityContext": NOBODY | {"runAsUser": 1000},
            },
        }
        self.core.create_namespaced_pod(self.name, pod)

    def read_pod(self, name):
        """A pod as it is now."""
        return self.core.read_namespaced_pod(name, self.name)

    def delete(self):
        """Delete the namespace; what is in it goes with it."""
        with contextlib.suppress(ApiException):
            self.core.delete_namespace(self.name)

    @contextlib.contextmanager
    def reach(self, address, port):
        """(host, port) at which this machine reaches the store: directly, or by port-forward."""
        try:
            socket.create_connection((address, port), timeout=3).close()
        except OSError:
            with self._forward(port) as found:
                yield found
        else:
            yield address, port

    @contextlib.contextmanager
    def _forward(self, port):
        core, namespace = self.core, self.name

        class Connection(socketserver.BaseRequestHandler):
            def handle(self):
                forward = portforward(
                    core.connect_get_namespaced_pod_portforward, "store", namespace, ports=str(port)
                )
                there = forward.socket(port)
                there.setblocking(True)
                _copy(self.request, there)

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield server.server_address
            server.shutdown()


def _copy(here, there):
    """Pass bytes both ways until one side ends."""
    other = {here: there, there: here}
    while True:
        for source in select.select([here, there], [], [])[0]:
            data = source.recv(65536)
            if not data:
                there.close()
                return
            other[source].sendall(data)
