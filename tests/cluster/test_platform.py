"""Whose cluster it is, read from nodes and DaemonSets, and what has to be set there."""

from pathlib import Path
from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.cluster.existing import Existing
from pytest_ambient.cluster.platform import Platform, look, recognised
from pytest_ambient.cluster.provider import ClusterSpec
from pytest_ambient.errors import Forbidden, NotFound
from pytest_ambient.finding import Finding
from pytest_ambient.testing import FakeKube

Object = dict[str, Any]


def node(name: str = "n1", *labels: str, kubelet: str = "v1.34.1", provider: str = "") -> Object:
    """A node as a platform makes it."""
    spec = {"providerID": provider} if provider else {}
    meta = {"name": name, "labels": dict.fromkeys(labels, "x")}
    return {"metadata": meta, "spec": spec, "status": {"nodeInfo": {"kubeletVersion": kubelet}}}


def daemonset(name: str, label: str, *, namespace: str = "kube-system", **env: str) -> Object:
    """A DaemonSet of agents."""
    entries = [{"name": key, "value": value} for key, value in env.items()]
    template = {"metadata": {"labels": dict([label.split("=")])}, "spec": {"containers": [{"env": entries}]}}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"template": template}}


@pytest.mark.parametrize(
    ("nodes", "name", "word"),
    [
        ([node("gke-a", "cloud.google.com/gke-nodepool", kubelet="v1.34.1-gke.1200")], "GKE", "gke"),
        ([node("ip-10-0-0-1", "eks.amazonaws.com/nodegroup", kubelet="v1.34.1-eks-113cf36")], "EKS", ""),
        ([node("ip-10-0-0-2", kubelet="v1.33.5-eks-113cf36", provider="aws:///eu-west-1a/i-1")], "EKS", ""),
        ([node("aks-1", "kubernetes.azure.com/cluster")], "AKS", ""),
        ([node("m0", "node.openshift.io/os_id")], "OpenShift", "openshift"),
        ([node("minikube", "minikube.k8s.io/name")], "minikube", "minikube"),
        ([node("m", "microk8s.io/cluster")], "MicroK8s", "microk8s"),
        ([node("kind-control-plane", provider="kind://docker/kind/kind-control-plane")], "kind", ""),
        ([node("k3d-x-server-0", kubelet="v1.30.4+k3s1")], "k3d", "k3d"),
        ([node("k3d-x-server-0", kubelet="v1.34.1+k3s1")], "k3d", "k3s"),
        ([node("box", kubelet="v1.34.1+k3s1", provider="k3s://box")], "k3s", "k3s"),
        ([node()], "", ""),
        ([], "", ""),
    ],
)
def test_platforms_are_known_by_their_nodes(nodes: list[Object], name: str, word: str) -> None:
    """Labels first, then the kubelet's version, then the provider's id."""
    assert recognised(nodes, []) == Platform(name, word)


def test_networks_are_known_by_their_agents() -> None:
    """Several may be there: Cilium chained to the VPC CNI."""
    agents = [daemonset("cilium", "k8s-app=cilium"), daemonset("aws-node", "k8s-app=aws-node")]
    found = recognised([node("a", "eks.amazonaws.com/x")], agents)
    assert (found.networks, str(found)) == (("Cilium", "VPC CNI"), "EKS with Cilium and VPC CNI")
    assert recognised([], [daemonset("calico-node", "k8s-app=calico-node")]).networks == ("Calico",)


def findings(*objects: tuple[str, Object]) -> dict[str, list[Finding]]:
    """What is said of a cluster with these objects, the platform's own line left out, by what it is about."""
    kube = FakeKube()
    for kind, item in objects:
        kube.objects[kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]] = item
    found: dict[str, list[Finding]] = {}
    for finding in look(cast(Kube, kube))[1][1:]:
        found.setdefault(finding.what, []).append(finding)
    return found


def cilium(**data: str) -> list[tuple[str, Object]]:
    """Cilium with that configuration."""
    config = {"metadata": {"name": "cilium-config", "namespace": "kube-system"}, "data": data}
    return [("apps/v1/DaemonSet", daemonset("cilium", "k8s-app=cilium")), ("v1/ConfigMap", config)]


def test_cilium_must_leave_the_plugin_and_the_probes_alone() -> None:
    """Each setting that is in the way is told with its remedy; one that is right is not."""
    wrong = {"cni-exclusive": "true", "enable-bpf-masquerade": "true", "kube-proxy-replacement": "true"}
    found = findings(*cilium(**wrong))["Cilium"]
    assert [finding.remedy for finding in found] == [
        "helm upgrade cilium … --set cni.exclusive=false",
        "helm upgrade cilium … --set bpf.masquerade=false",
        "helm upgrade cilium … --set socketLB.hostNamespaceOnly=true",
    ]
    assert {finding.state for finding in found} == {"warning"}
    right = {"cni-exclusive": "false", "kube-proxy-replacement": "true", "bpf-lb-sock-hostns-only": "true"}
    assert findings(*cilium(**right)) == {}


def test_a_run_is_told_of_what_should_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings that stop nothing are said at its start; the platform's name goes to whoever installs."""
    kube = FakeKube()
    for kind, item in [*cilium(**{"cni-exclusive": "true"}), ("v1/Node", node("minikube", "minikube.k8s.io/name"))]:
        kube.objects[kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]] = item
    monkeypatch.setattr("pytest_ambient._kube.Kube", lambda path, context: kube)
    (tmp_path / "config").write_text("{current-context: c, contexts: [{name: c}]}")
    cluster = Existing().create(ClusterSpec("x", tmp_path, kubeconfig=tmp_path / "config"))
    assert cluster.platform == "minikube"
    assert cluster.notes == (
        "Cilium: cni.exclusive is true: it removes the CNI plugin of Istio from the nodes: "
        "helm upgrade cilium … --set cni.exclusive=false"
    )


def test_policies_for_all_namespaces_must_admit_the_mesh() -> None:
    """They hold in namespaces that this run has yet to make."""
    policies: list[tuple[str, Object]] = [
        ("cilium.io/v2/CiliumClusterwideNetworkPolicy", {"metadata": {"name": f"p{number}"}}) for number in range(4)
    ]
    (found,) = findings(*cilium(), *policies)["Cilium"]
    assert str(found) == (
        "Cilium: policies for all namespaces: p0, p1, p2 and 1 more: let them admit TCP 15008 between pods, "
        "and 169.254.7.127"
    )


def test_what_may_not_be_looked_at_is_unknown_and_stops_nothing() -> None:
    """A cluster without such policies, or a user who may not see them, is no problem; an unread setting is unknown."""

    class Closed(FakeKube):
        def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Object]:
            if "cilium" in kind:
                raise NotFound("no such kind")
            return super().list(kind, namespace, labels, fields)

        def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
            raise Forbidden("no")

    kube = Closed()
    kube.objects["apps/v1/DaemonSet", "kube-system", "cilium"] = daemonset("cilium", "k8s-app=cilium")
    assert [(one.what, one.state) for one in look(cast(Kube, kube))[1]] == [("platform", "ok"), ("Cilium", "unknown")]


def test_probes_and_security_groups_on_eks() -> None:
    """The strict mode sends link-local packets astray."""
    strict = daemonset(
        "aws-node", "k8s-app=aws-node", ENABLE_POD_ENI="true", POD_SECURITY_GROUP_ENFORCING_MODE="strict"
    )
    (found,) = findings(("apps/v1/DaemonSet", strict))["VPC CNI"]
    assert (found.state, found.remedy) == ("warning", "set it to standard on the DaemonSet aws-node")
    assert findings(("apps/v1/DaemonSet", daemonset("aws-node", "k8s-app=aws-node", ENABLE_POD_ENI="true"))) == {}


def test_gke_takes_critical_pods_only_with_a_quota() -> None:
    """Where the agents' DaemonSets have no pods outside of kube-system, that is why."""
    gke = ("v1/Node", node("gke-a", "cloud.google.com/gke-nodepool"))
    held = daemonset("ztunnel", "app=ztunnel", namespace="istio-system")
    held["status"] = {"desiredNumberScheduled": 3, "currentNumberScheduled": 0}
    (found,) = findings(gke, ("apps/v1/DaemonSet", held))["GKE"]
    assert "no pod of DaemonSet istio-system/ztunnel" in found.seen
    assert found.remedy == "install Istio with global.platform=gke, or create that ResourceQuota"
    held["status"]["currentNumberScheduled"] = 3
    assert findings(gke, ("apps/v1/DaemonSet", held)) == {}
