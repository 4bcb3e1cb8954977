"""Kubernetes' role-based access control, as far as `deploy/kubernetes/rbac.yaml` goes."""

from urllib.parse import parse_qs, urlsplit

import yaml

from tests.support.deployment import ROOT

ACCOUNT = "system:serviceaccount:airflow:airflow-worker"
Permission = tuple[str, str]
"""A resource and a verb, as `pods/log` and `get`."""


def documented() -> frozenset[Permission]:
    """What the Role allows."""
    documents = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "rbac.yaml").read_text())
    (role,) = (document for document in documents if document["kind"] == "Role")
    assert {group for rule in role["rules"] for group in rule["apiGroups"]} == {""}
    return frozenset(
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )


def needed(method: str, path: str) -> Permission:
    """What a request of the namespaced core API needs."""
    url = urlsplit(path)
    resource, *rest = url.path.strip("/").split("/")[4:]  # api/v1/namespaces/<namespace>/…
    if rest[1:]:
        resource = f"{resource}/{rest[1]}"
    if method != "GET":
        verbs = {"POST": "create", "DELETE": "delete", "PATCH": "patch", "PUT": "update"}
        return resource, verbs[method]
    if parse_qs(url.query).get("watch", [""])[0].lower() in ("true", "1"):
        return resource, "watch"
    return resource, "get" if rest else "list"


def forbidden(permission: Permission, namespace: str = "sa1b-captions") -> str:
    """What the API server says to an account without a permission."""
    resource, verb = permission
    return (
        f'{resource.partition("/")[0]} is forbidden: User "{ACCOUNT}" cannot {verb} resource '
        f'"{resource}" in API group "" in the namespace "{namespace}"'
    )
