"""What a mesh runs on and of what it is made, for reports: versions, nodes, network, digests of images."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import KubeError
from pytest_ambient.mesh.bundle import BUNDLE, CHANNEL
from pytest_ambient.mesh.dataplane import Dataplane, running
from pytest_ambient.mesh.questions import GATEWAY_API
from pytest_ambient.mesh.readiness import Mesh, read

CRD = "apiextensions.k8s.io/v1/CustomResourceDefinition"

CNI: Mapping[str, tuple[str, ...]] = {
    "Cilium": ("k8s-app=cilium",),
    "Calico": ("k8s-app=calico-node",),
    "Antrea": ("app=antrea",),
    "Flannel": ("app=flannel", "k8s-app=flannel"),
    "Weave": ("name=weave-net",),
    "OVN-Kubernetes": ("app=ovnkube-node",),
    "Azure CNS": ("k8s-app=azure-cns",),
    "VPC CNI": ("k8s-app=aws-node",),
    "kindnet": ("app=kindnet", "k8s-app=kindnet"),
}
"""The cluster's own network, by the labels of its agents' pods."""
NO_NETWORK = "no agent of a network that is known here"
NO_ADDRESS = "neither nodes nor the API server's Service tell an address"


class Reading:
    """Reads parts one by one; what this user may not read, or what does not answer, is told and left out."""

    def __init__(self) -> None:
        self.found: Object = {}
        self.unknown: list[str] = []

    def take(self, what: str, read: Callable[[], Mapping[str, object]], nothing: str = "") -> None:
        """Add what a part gives; empty values are not told, but for what `nothing` says of a part without any."""
        try:
            told = {name: value for name, value in read().items() if value not in ("", [], {}, None)}
            self.found |= told
            self.unknown += [f"{what}: {nothing}"] if nothing and not told else []
        except (KubeError, LookupError, TypeError, ValueError) as error:
            self.unknown.append(f"{what}: {error if isinstance(error, KubeError) else repr(error)}")


def look(kube: Kube, run: str) -> Object:
    """All that can be read, by the names of a report's `environment`; `run` is whose workloads are looked at."""
    reading = Reading()
    reading.take("nodes", lambda: _nodes(kube.list("v1/Node")))
    reading.take("Kubernetes", lambda: {"kubernetes": kube.server_version()})
    reading.take("Gateway API", lambda: {"gatewayApi": _gateway_api(kube)})
    reading.take("network", lambda: {"cni": _networks(kube.list("apps/v1/DaemonSet"))}, NO_NETWORK)
    reading.take("IP family", lambda: {"ipFamily": _family(kube)}, NO_ADDRESS)
    plane = _plane(kube, reading)
    reading.take("mesh", lambda: _versions(read(kube, plane)))
    reading.take("images", lambda: {"images": images(kube, plane, run)})
    return {**reading.found, "unknown": reading.unknown}


def _plane(kube: Kube, reading: Reading) -> Dataplane | None:
    try:
        found = running(kube)
    except KubeError as error:
        reading.unknown.append(f"data plane: {error}")
        return None
    reading.found["dataplane"] = found.name
    return found


def _versions(mesh: Mesh) -> Mapping[str, object]:
    told = {name: part.build or part.tag for name, part in mesh.parts.items()}
    return {"istio": told.get("istiod", ""), "versions": {name: version for name, version in told.items() if version}}


def _nodes(nodes: Sequence[Object]) -> Mapping[str, object]:
    told = [(node.get("status") or {}).get("nodeInfo") or {} for node in nodes]

    def each(name: str) -> list[str]:
        return sorted({str(one[name]) for one in told if one.get(name)})

    return {
        "nodes": len(nodes),
        "kernel": each("kernelVersion"),
        "architecture": each("architecture"),
        "runtime": each("containerRuntimeVersion"),
    }


def _gateway_api(kube: Kube) -> Object | None:
    found = kube.get(CRD, f"gateways.{GATEWAY_API}")
    if found is None:
        return None
    said = found["metadata"].get("annotations") or {}
    return {"bundle": said.get(BUNDLE, ""), "channel": said.get(CHANNEL, "")}


def _networks(daemonsets: Iterable[Object]) -> list[str]:
    labels = {f"{key}={value}" for item in daemonsets for key, value in _pod_labels(item).items()}
    return [name for name, known in CNI.items() if labels & set(known)]


def _pod_labels(item: Object) -> Mapping[str, str]:
    return (item["spec"]["template"].get("metadata") or {}).get("labels") or {}


def _family(kube: Kube) -> str:
    """By the addresses of the nodes' pods: what a Service asks for says less, and a node's own address least."""
    nodes = kube.list("v1/Node")
    blocks = [block for node in nodes for block in node["spec"].get("podCIDRs") or [node["spec"].get("podCIDR")]]
    addresses = [str(block).partition("/")[0] for block in blocks if block]
    if not addresses:
        said = (kube.get("v1/Service", "kubernetes", "default") or {}).get("spec") or {}
        addresses = [one for one in said.get("clusterIPs") or [said.get("clusterIP")] if one and one != "None"]
    if not addresses:
        told = [one for node in nodes for one in (node.get("status") or {}).get("addresses") or ()]
        addresses = [one["address"] for one in told if one.get("type") == "InternalIP"]
    versions = {ip_address(address).version for address in addresses}
    return "dual-stack" if len(versions) > 1 else "".join(f"IPv{version}" for version in versions)


def images(kube: Kube, plane: Dataplane | None, run: str) -> Object:
    """The images that run, by their digests: each part of the mesh, this run's waypoints and workloads."""
    parts = {name: label for name, (_, label) in (plane.parts if plane else {}).items()}
    found = {name: digests(kube.list("v1/Pod", labels=label)) for name, label in parts.items()}
    ours = [item["metadata"]["name"] for item in kube.list("v1/Namespace", labels=f"pytest-ambient/run={run}")]
    pods = [pod for namespace in sorted(ours) for pod in kube.list("v1/Pod", namespace)]
    found["waypoint"] = digests(pod for pod in pods if waypoint(pod))
    found["workloads"] = digests(pod for pod in pods if not waypoint(pod))
    return {name: told for name, told in found.items() if told}


def waypoints(kube: Kube, namespaces: Iterable[str]) -> list[str]:
    """The images of the waypoints in some namespaces."""
    label = f"{GATEWAY_API}/gateway-name"
    return digests(pod for namespace in namespaces for pod in kube.list("v1/Pod", namespace, labels=label))


def waypoint(pod: Object) -> bool:
    """Whether a pod is a waypoint's."""
    return f"{GATEWAY_API}/gateway-name" in (pod["metadata"].get("labels") or {})


def digests(pods: Iterable[Object]) -> list[str]:
    """The images of some pods' containers, each with its digest where the node tells it."""
    return sorted({_image(one) for pod in pods for one in (pod.get("status") or {}).get("containerStatuses") or ()})


def _image(status: Object) -> str:
    name, told = str(status.get("image", "")), str(status.get("imageID", ""))
    digest = told.rpartition("sha256:")[2]
    return f"{name.partition('@')[0]}@sha256:{digest}" if "sha256:" in told and name else name or told
