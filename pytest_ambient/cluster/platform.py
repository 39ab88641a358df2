"""Whose cluster it is, and what of its network ambient mode has to be told about, from nodes and DaemonSets."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_ambient.errors import Forbidden, NotFound
from pytest_ambient.finding import Finding

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube

Object: TypeAlias = dict[str, Any]

PROBES = "169.254.7.127"
"""The address from which kubelets' probes reach captured pods."""

NODES: Mapping[str, Callable[[Object], bool]] = {
    "GKE": lambda node: _label(node, "cloud.google.com/gke-") or "-gke." in _kubelet(node),
    "EKS": lambda node: _label(node, "eks.amazonaws.com/") or "-eks-" in _kubelet(node),
    "AKS": lambda node: _label(node, "kubernetes.azure.com/cluster"),
    "OpenShift": lambda node: _label(node, "node.openshift.io/"),
    "minikube": lambda node: _label(node, "minikube.k8s.io/"),
    "MicroK8s": lambda node: _label(node, "microk8s.io/"),
    "kind": lambda node: _provider(node).startswith("kind://"),
    "k3d": lambda node: "+k3s" in _kubelet(node) and node["metadata"]["name"].startswith("k3d-"),
    "k3s": lambda node: "+k3s" in _kubelet(node),
}
"""Platforms by what their nodes say of themselves; the first that fits is it."""

NETWORKS: Mapping[str, str] = {
    "Cilium": "k8s-app=cilium",
    "Calico": "k8s-app=calico-node",
    "VPC CNI": "k8s-app=aws-node",
}
"""Networks by the label of their agents' pods."""

ISTIO = {
    "GKE": "gke",
    "OpenShift": "openshift",
    "minikube": "minikube",
    "MicroK8s": "microk8s",
    "k3d": "k3d",
    "k3s": "k3s",
}
"""What Istio calls the platforms that its charts know; the others need nothing."""

CLUSTERWIDE = {
    "Cilium": ("cilium.io/v2/CiliumClusterwideNetworkPolicy",),
    "Calico": ("crd.projectcalico.org/v1/GlobalNetworkPolicy", "projectcalico.org/v3/GlobalNetworkPolicy"),
}
"""Kinds of policies that hold in namespaces that do not exist yet."""

CNI_FOLDER_MOVED = {30: 11, 31: 7, 32: 3}
"""Patches of Kubernetes 1.x from which on k3s keeps its CNI programs elsewhere, k3d's nodes too (k3d issue 1572)."""


@dataclass(frozen=True)
class Platform:
    """What was recognised."""

    name: str = ""
    """As people call it: GKE, k3s; empty when nothing special was seen."""
    word: str = ""
    """Istio's `global.platform`; empty for none."""
    networks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " with ".join(filter(None, (self.name or "Kubernetes", " and ".join(self.networks))))


def recognised(nodes: Sequence[Object], daemonsets: Sequence[Object]) -> Platform:
    """The platform that nodes and DaemonSets speak of."""
    name = next((name for name, fits in NODES.items() if any(fits(node) for node in nodes)), "")
    networks = tuple(network for network, label in NETWORKS.items() if _agents(daemonsets, label))
    word = ISTIO.get(name, "")
    if name == "k3d" and any(_moved(_kubelet(node)) for node in nodes):
        word = "k3s"
    return Platform(name, word, networks)


def look(kube: "Kube") -> tuple[Platform, tuple[Finding, ...]]:
    """The platform, and what has to be set on it; KubeError when nodes or DaemonSets cannot be listed."""
    daemonsets = kube.list("apps/v1/DaemonSet")
    platform = recognised(kube.list("v1/Node"), daemonsets)
    found = [Finding("platform", "ok", f"{platform}{f', global.platform={platform.word}' if platform.word else ''}")]
    if "Cilium" in platform.networks:
        found += _cilium(kube, _agents(daemonsets, NETWORKS["Cilium"])[0])
    if "VPC CNI" in platform.networks:
        found += _vpc_cni(_agents(daemonsets, NETWORKS["VPC CNI"])[0])
    if platform.name == "GKE":
        found += _gke(daemonsets)
    found += [finding for network in platform.networks for finding in _clusterwide(kube, network)]
    return platform, tuple(found)


def _cilium(kube: "Kube", agent: Object) -> Iterator[Finding]:
    try:
        found = kube.get("v1/ConfigMap", "cilium-config", agent["metadata"]["namespace"]) or {}
    except Forbidden as error:
        yield Finding("Cilium", "unknown", f"its configuration cannot be read: {error}")
        return
    data: Mapping[str, str] = found.get("data") or {}
    if data.get("cni-exclusive", "").lower() == "true":
        seen = "cni.exclusive is true: it removes the CNI plugin of Istio from the nodes"
        yield Finding("Cilium", "warning", seen, "helm upgrade cilium … --set cni.exclusive=false")
    if data.get("enable-bpf-masquerade", "").lower() == "true":
        seen = f"bpf.masquerade is true: kubelets' probes, from {PROBES}, do not reach captured pods"
        yield Finding("Cilium", "warning", seen, "helm upgrade cilium … --set bpf.masquerade=false")
    replaces = data.get("kube-proxy-replacement", "").lower() in ("true", "strict", "partial", "probe")
    if replaces and data.get("bpf-lb-sock-hostns-only", "").lower() != "true":
        seen = "it chooses backends in the pods' sockets, so ztunnel sees no Service and no waypoint is used"
        yield Finding("Cilium", "warning", seen, "helm upgrade cilium … --set socketLB.hostNamespaceOnly=true")


def _vpc_cni(agent: Object) -> Iterator[Finding]:
    values = {
        entry["name"]: str(entry.get("value", "")).lower()
        for container in agent["spec"]["template"]["spec"].get("containers") or []
        for entry in container.get("env") or []
    }
    if values.get("ENABLE_POD_ENI") == "true" and values.get("POD_SECURITY_GROUP_ENFORCING_MODE") == "strict":
        seen = "POD_SECURITY_GROUP_ENFORCING_MODE is strict: probes fail in pods that have a security group"
        yield Finding("VPC CNI", "warning", seen, "set it to standard on the DaemonSet aws-node")


def _gke(daemonsets: Sequence[Object]) -> Iterator[Finding]:
    for label in ("k8s-app=istio-cni-node", "app=ztunnel"):
        for item in _agents(daemonsets, label):
            where, status = item["metadata"]["namespace"], item.get("status") or {}
            if (
                where != "kube-system"
                and not status.get("currentNumberScheduled")
                and status.get("desiredNumberScheduled")
            ):
                seen = f"no pod of DaemonSet {where}/{item['metadata']['name']}: GKE takes system-node-critical ones"
                seen += " only where a ResourceQuota admits that priority class"
                remedy = "install Istio with global.platform=gke, or create that ResourceQuota"
                yield Finding("GKE", "warning", seen, remedy)


def _clusterwide(kube: "Kube", network: str) -> Iterator[Finding]:
    for kind in CLUSTERWIDE.get(network, ()):
        try:
            names = [item["metadata"]["name"] for item in kube.list(kind)]
        except (NotFound, Forbidden):
            continue
        if names:
            told = f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
            seen = f"policies for all namespaces: {told}"
            yield Finding(network, "warning", seen, f"let them admit TCP 15008 between pods, and {PROBES}")
            return


def _agents(daemonsets: Sequence[Object], label: str) -> list[Object]:
    key, _, value = label.partition("=")
    return [item for item in daemonsets if _pod_labels(item).get(key) == value]


def _pod_labels(item: Object) -> Mapping[str, str]:
    template = (item.get("spec") or {}).get("template") or {}
    return (template.get("metadata") or {}).get("labels") or {}


def _label(node: Object, start: str) -> bool:
    return any(key.startswith(start) for key in node["metadata"].get("labels") or {})


def _kubelet(node: Object) -> str:
    return str(((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion", ""))


def _provider(node: Object) -> str:
    return str((node.get("spec") or {}).get("providerID", ""))


def _moved(version: str) -> bool:
    found = re.match(r"v1\.(\d+)\.(\d+)", version)
    if found is None:
        return False
    minor, patch = int(found[1]), int(found[2])
    return minor > max(CNI_FOLDER_MOVED) or (minor in CNI_FOLDER_MOVED and patch >= CNI_FOLDER_MOVED[minor])
