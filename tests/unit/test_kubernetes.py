import json
import re
from ipaddress import ip_address, ip_network

import kubernetes_validate
import pytest
import yaml

from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import load_settings
from sa1b_captions.settings.profiles import load_profile, profile_names
from tests.support.deployment import ROOT, env_example

MANIFESTS = [
    (path.name, document)
    for path in sorted((ROOT / "deploy" / "kubernetes").rglob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text())
]


def manifest(kind, name=None):
    (found,) = [
        document
        for _, document in MANIFESTS
        if document["kind"] == kind and name in (None, document["metadata"]["name"])
    ]
    return found


def test_no_secret_object_is_committed():
    assert "Secret" not in {document["kind"] for _, document in MANIFESTS}


@pytest.mark.parametrize(
    ("name", "document"), [one for one in MANIFESTS if one[1]["kind"] != "RayJob"]
)
def test_manifests_are_valid(name, document):
    kubernetes_validate.validate(document, "1.34", strict=True)


def ray_groups():
    """Head and workers of dedup's cluster."""
    spec = manifest("RayJob")["spec"]["rayClusterSpec"]
    return [spec["headGroupSpec"], *spec["workerGroupSpecs"]]


@pytest.mark.parametrize("place", [0, 1])
def test_the_pods_of_dedups_cluster_are_valid_and_restricted(place):
    """Kubernetes' schemas know no RayJob, but they know the pods in it."""
    template = ray_groups()[place]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"] = {"name": "ray", **template["metadata"]}
    kubernetes_validate.validate(pod, "1.34", strict=True)
    assert template["spec"]["securityContext"]["runAsNonRoot"]
    (container,) = template["spec"]["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["envFrom"] == [
        {"secretRef": {"name": load_settings(env_example()).store_secret}}
    ]


def test_dedups_cluster_runs_one_image_and_the_ray_that_is_pinned():
    spec = manifest("RayJob")["spec"]
    pinned = re.search(r"^ray==(\S+)", (ROOT / "requirements-ray.txt").read_text(), re.M)[1]
    assert spec["rayClusterSpec"]["rayVersion"] == pinned
    assert spec["rayClusterSpec"]["authOptions"] == {"mode": "token"}
    assert len({group["template"]["spec"]["containers"][0]["image"] for group in ray_groups()}) == 1
    assert spec["entrypoint"] == "sa1b-captions dedup --ray-address auto"


def test_only_dedups_own_pods_and_the_operator_reach_its_cluster():
    policy = manifest("NetworkPolicy", "dedup-ray")["spec"]
    labels = [group["template"]["metadata"]["labels"] for group in ray_groups()]
    assert [policy["podSelector"]["matchLabels"]] * 2 == labels
    assert policy["policyTypes"] == ["Ingress"]
    (rule,) = policy["ingress"]
    assert [list(one) for one in rule["from"]] == [["podSelector"], ["namespaceSelector"]]


def test_names_are_those_that_the_settings_expect():
    settings = load_settings(env_example())
    assert manifest("Namespace")["metadata"]["name"] == settings.namespace
    manifest("ServiceAccount", settings.service_account)
    manifest("PersistentVolumeClaim", settings.model_claim)
    for name in profile_names():
        manifest("PriorityClass", load_profile(name).priority_class)
    for _, document in MANIFESTS:
        if document["kind"] not in ("Namespace", "PriorityClass"):
            assert document["metadata"]["namespace"] == settings.namespace


def test_namespace_enforces_restricted_pods():
    labels = manifest("Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_airflow_may_not_execute_commands_in_pods():
    rules = manifest("Role")["rules"]
    assert {resource for rule in rules for resource in rule["resources"]} == {
        "pods",
        "pods/log",
        "events",
    }
    assert not [rule for rule in rules if "*" in rule["verbs"]]


def test_captioning_gets_nodes_from_the_cluster_autoscaler_and_pushes_nobody_away():
    """Its cut-off: for pods of a priority below -10 it starts no node."""
    found = manifest("PriorityClass")
    assert -10 <= found["value"] < 0
    assert found["preemptionPolicy"] == "Never"


def test_a_drain_takes_the_fleets_servers_one_at_a_time_and_holds_no_caption_pod():
    found = manifest("PodDisruptionBudget")["spec"]
    assert found["maxUnavailable"] == 1
    template = manifest("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    assert found["selector"]["matchLabels"] == template


def test_a_cluster_without_shared_volumes_can_try_the_preview():
    """A ReadWriteMany claim stays Pending there."""
    base = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())
    kinds = {
        document["kind"]
        for file in base["resources"]
        for document in yaml.safe_load_all((ROOT / "deploy/kubernetes" / file).read_text())
    }
    assert "PersistentVolumeClaim" not in kinds


def test_documented_commands_reach_the_pods_that_they_are_for():
    """Those that never started, those without a controller, those of a registry with a login."""
    deploying = (ROOT / "deploy/README.md").read_text()
    runbook = (ROOT / "docs/runbook.md").read_text()
    labels = pod_labels()
    for text in (deploying, runbook):
        for key, value in re.findall(r"delete pods -l ([\w./-]+)=([\w-]+)", text):
            assert labels[key] == value
    (selected,) = re.findall(r"--field-selector=(\S+)", deploying)
    assert selected == "status.phase!=Running"
    (drain,) = re.findall(r"kubectl drain .*", runbook.replace("`kubectl drain`", ""))
    assert {"--force", "--ignore-daemonsets", "--delete-emptydir-data"} <= set(drain.split())
    (account,) = re.findall(r"patch serviceaccount (\S+)", deploying)
    assert account == load_settings(env_example()).service_account


def pod_labels():
    policy = manifest("NetworkPolicy", "caption-egress")
    return policy["spec"]["podSelector"]["matchLabels"]


def test_quota_has_room_for_a_pod_of_every_profile():
    hard = manifest("ResourceQuota")["spec"]["hard"]
    assert max(load_profile(name).gpus for name in profile_names()) <= int(
        hard["requests.nvidia.com/gpu"]
    )


BY_HAND = {
    "dedup-ray.yaml",
    *("model-cache.yaml", "model-download.yaml", "model-node-local.yaml"),
    "caption-network.yaml",
}


@pytest.mark.parametrize("folder", ["deploy/kubernetes", "deploy/kubernetes/fleet"])
def test_kustomizations_name_every_manifest_but_those_applied_by_hand(folder):
    named = set(yaml.safe_load((ROOT / folder / "kustomization.yaml").read_text())["resources"])
    there = {path.name for path in (ROOT / folder).glob("*.yaml")}
    assert named == there - {"kustomization.yaml"} - BY_HAND


# What caption pods may reach


def reaches(port, protocol="TCP", address=None, namespace=None, pod=None):
    """Whether a caption pod's connection is let out, as network plug-ins decide it."""
    egress = manifest("NetworkPolicy", "caption-egress")["spec"]["egress"]

    def fits(peer):
        if "ipBlock" in peer:
            blocks = [peer["ipBlock"]["cidr"]], peer["ipBlock"].get("except", [])
            inside, outside = (
                address is not None
                and any(ip_address(address) in ip_network(block) for block in group)
                for group in blocks
            )
            return inside and not outside
        spaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
        own = namespace or {"kubernetes.io/metadata.name": "sa1b-captions"}
        in_space = spaces["matchLabels"].items() <= own.items() if spaces else namespace is None
        return (
            address is None
            and in_space
            and (not pods or pods["matchLabels"].items() <= pod.items())
        )

    return any(
        any(fits(peer) for peer in rule["to"])
        and (
            "ports" not in rule
            or any((one["protocol"], one["port"]) == (protocol, port) for one in rule["ports"])
        )
        for rule in egress
    )


SYSTEM = {"kubernetes.io/metadata.name": "kube-system"}
FLEET = {"app.kubernetes.io/name": "sa1b-fleet"}


def test_caption_pods_reach_names_the_store_the_fleet_and_metrics():
    assert reaches(53, "UDP", namespace=SYSTEM, pod={"k8s-app": "kube-dns"})
    assert reaches(53, "UDP", address="169.254.20.10")
    assert reaches(443, address="52.217.1.1")
    assert reaches(443, address="2600:1f18::1")
    assert reaches(8333, namespace={"sa1b-captions/store": "true"}, pod={})
    assert reaches(9125, "UDP", namespace={"kubernetes.io/metadata.name": "airflow"}, pod={})
    assert reaches(fleet_server()["containers"][0]["ports"][0]["containerPort"], pod=FLEET)


@pytest.mark.parametrize(
    "where",
    [
        {"port": 80, "address": "169.254.169.254"},
        {"port": 443, "address": "169.254.169.254"},
        {"port": 443, "address": "10.96.0.1"},
        {"port": 22, "address": "52.217.1.1"},
        {"port": 443, "address": "fd00::1"},
        {"port": 8080, "namespace": SYSTEM, "pod": {}},
        {"port": 5432, "namespace": {"kubernetes.io/metadata.name": "airflow"}, "pod": {}},
        {"port": 8000, "pod": {"app.kubernetes.io/name": "sa1b-captions"}},
    ],
    ids=lambda where: "-".join(map(str, where.values()))[:60],
)
def test_caption_pods_reach_nothing_else(where):
    assert not reaches(**where)


def test_the_policy_is_of_caption_pods_alone():
    """The download of the model needs its hub, and servers of the fleet are asked, not asking."""
    chosen = manifest("NetworkPolicy", "caption-egress")["spec"]["podSelector"]["matchLabels"]
    assert chosen == {"app.kubernetes.io/name": "sa1b-captions"}
    for _, document in MANIFESTS:
        labels = document["spec"].get("template", {}) if "spec" in document else {}
        labels = labels.get("metadata", {}).get("labels", {})
        assert not chosen.items() <= labels.items()


# The warm fleet


def fleet_server():
    return manifest("StatefulSet", "captions")["spec"]["template"]["spec"]


def test_the_fleet_has_the_chat_template_that_servers_need():
    stored = manifest("ConfigMap", "sa1b-fleet")["data"]["chat-template.json"]
    template = ROOT / "deploy" / "internvl2-chat-template.json"
    assert json.loads(stored) == json.loads(template.read_text())


def test_the_fleet_serves_the_recipes_model_and_revision():
    data = manifest("ConfigMap", "sa1b-fleet")["data"]
    model = load_recipe("internvl").model
    assert data["MODEL_NAME"] == f"{model.id}@{model.revision}"
    assert model.id.replace("/", "--") in data["MODEL_FOLDER"]


def test_fleet_pods_meet_the_restricted_standard():
    spec = fleet_server()
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    for container in [*spec["initContainers"], *spec["containers"]]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"] == container["resources"]["requests"]
    assert not any("hostPath" in volume for volume in spec["volumes"])


def test_the_fleet_asks_for_what_a_pod_of_the_same_gpus_asks_for_and_fits_the_quota():
    (server,) = fleet_server()["containers"]
    profile = load_profile("h100x4")
    limits = server["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == str(profile.gpus)
    assert limits["memory"] == f"{profile.memory_gib}Gi"
    assert f"--tp={profile.gpus}" in server["args"]
    assert fleet_server()["nodeSelector"] == profile.node_selector
    replicas = manifest("StatefulSet", "captions")["spec"]["replicas"]
    quota = manifest("ResourceQuota")["spec"]["hard"]["requests.nvidia.com/gpu"]
    assert replicas * profile.gpus <= int(quota)


def test_traffic_reaches_the_servers_from_caption_pods_alone():
    policy = manifest("NetworkPolicy", "sa1b-fleet")["spec"]
    labels = manifest("StatefulSet", "captions")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert manifest("Service", "captions")["spec"]["selector"].items() <= labels.items()
    (port,) = fleet_server()["containers"][0]["ports"]
    assert policy["ingress"][0]["ports"] == [{"port": port["name"]}]
