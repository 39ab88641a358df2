"""What must be ready before ambient mode can be judged: istiod, the CNI agents, the ztunnels, and captured pods."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import KubeError, NotInTime

PARTS: Mapping[str, tuple[str, str]] = {
    "istiod": ("apps/v1/Deployment", "app=istiod"),
    "istio-cni": ("apps/v1/DaemonSet", "k8s-app=istio-cni-node"),
    "ztunnel": ("apps/v1/DaemonSet", "app=ztunnel"),
}
"""What ambient mode consists of: kind and its pods' label; some distributions keep them outside of istio-system."""

CAPTURED = "ambient.istio.io/redirection"
_TAG = re.compile(r":(v?\d+\.\d+\.\d+[^@/]*?)(?:-distroless|-debug)?(?:@.*)?$")


@dataclass(frozen=True)
class Part:
    """One part of the mesh, as its Deployment or DaemonSet reports it."""

    name: str
    namespace: str
    wanted: int
    """Replicas, or nodes that must have one."""
    ready: int
    version: str
    """The tag of its image, empty when that is no version."""
    waiting: tuple[str, ...] = ()
    """Nodes without a ready pod of a DaemonSet."""

    @property
    def problem(self) -> str | None:
        """Why it is not ready; None when it is."""
        if self.wanted and self.ready >= self.wanted and not self.waiting:
            return None
        where = f", not on {', '.join(self.waiting)}" if self.waiting else ""
        return f"{self.name} in {self.namespace}: {self.ready} of {self.wanted} ready{where}"


@dataclass(frozen=True)
class Mesh:
    """The facts of one mesh at one moment."""

    parts: Mapping[str, Part] = field(hash=False)
    """By the names istiod, istio-cni and ztunnel; absent when there is none."""
    nodes: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing or not ready, one line each; empty when the mesh is ready."""
        return tuple(problem for name in PARTS if (problem := self.problem(name)) is not None)

    def problem(self, name: str) -> str | None:
        """Why one part is missing or not ready; None when it is ready."""
        if name in self.parts:
            return self.parts[name].problem
        kind, label = PARTS[name]
        return f"no {name}: no {kind.rpartition('/')[2]} with label {label}"

    def disagreement(self, wanted: str | None = None) -> str | None:
        """How the parts' versions differ from each other, or from the one wanted; None when they agree."""
        told = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        if len(set(self.versions.values())) > 1:
            return f"the parts run different versions: {told}"
        other = [v for v in self.versions.values() if wanted and v != wanted and not v.startswith(f"{wanted}.")]
        return f"wanted Istio {wanted}, found {told}" if other else None

    @property
    def root(self) -> str:
        """The namespace of istiod, where mesh-wide policies live."""
        return self.parts["istiod"].namespace if "istiod" in self.parts else "istio-system"

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each part whose image has one."""
        return {name: part.version for name, part in self.parts.items() if part.version}


@dataclass(frozen=True)
class Capture:
    """One pod and whether ambient mode has it."""

    pod: str
    """`NAMESPACE/NAME`."""
    annotation: str
    """The CNI agent's word: `enabled`, `pending` or empty."""
    protocol: str
    """ztunnel's word: `HBONE` or `TCP`; empty when it doesn't know the pod or can't be asked."""
    doubt: str = ""
    """Why no ztunnel could be asked; empty when one answered, or when there is none."""

    @property
    def complete(self) -> bool:
        """Whether both say that traffic to the pod is tunnelled."""
        return self.annotation == "enabled" and self.protocol == "HBONE"


def read(kube: Kube) -> Mesh:
    """The mesh as it is now."""
    nodes = tuple(sorted(node["metadata"]["name"] for node in kube.list("v1/Node")))
    found = {}
    for name, (kind, label) in PARTS.items():
        items = workloads(kube, kind, label)
        if items:
            found[name] = _part(kube, name, items[0], label)
    return Mesh(found, nodes)


def workloads(kube: Kube, kind: str, label: str) -> list[Object]:
    """The Deployments with a label, or the DaemonSets whose pods have it: Istio's charts put ztunnel's only there."""
    if kind.endswith("/Deployment"):
        return kube.list(kind, labels=label)
    return [item for item in kube.list(kind) if _makes(item, *label.split("=", 1))]


def wait(kube: Kube, within: float) -> Mesh:
    """The mesh once it is ready; as it is, with its problems, when it is not so `within` seconds."""

    def check() -> Mesh | NotYet:
        mesh = read(kube)
        return NotYet("; ".join(mesh.problems)) if mesh.problems else mesh

    try:
        return until(check, what="the mesh to be ready", within=within)
    except NotInTime:
        return read(kube)


def captured(kube: Kube, namespaces: Iterable[str]) -> tuple[Capture, ...]:
    """Every pod of some namespaces that is not about to go, and whether it is captured."""
    protocols, doubt = _protocols(kube)
    found = []
    for namespace in namespaces:
        for pod in kube.list("v1/Pod", namespace):
            meta = pod["metadata"]
            if "deletionTimestamp" not in meta:
                key = f"{namespace}/{meta['name']}"
                annotation = (meta.get("annotations") or {}).get(CAPTURED, "")
                found.append(Capture(key, annotation, protocols.get(key, ""), doubt))
    return tuple(found)


def _makes(item: Object, key: str, value: str) -> bool:
    template = (item.get("spec") or {}).get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    return bool(labels.get(key) == value)


def _part(kube: Kube, name: str, item: Object, label: str) -> Part:
    meta, status = item["metadata"], item.get("status") or {}
    image = item["spec"]["template"]["spec"]["containers"][0].get("image", "")
    tag = _TAG.search(image)
    version = tag[1].removeprefix("v") if tag else ""
    if item["kind"] == "Deployment":
        wanted, ready = item["spec"].get("replicas", 1), status.get("availableReplicas", 0)
        return Part(name, meta["namespace"], wanted, ready, version)
    pods = kube.list("v1/Pod", meta["namespace"], labels=label)
    waiting = sorted(pod["spec"].get("nodeName", "a node to come") for pod in pods if not _ready(pod))
    wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    return Part(name, meta["namespace"], wanted, ready, version, tuple(waiting))


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _protocols(kube: Kube) -> tuple[dict[str, str], str]:
    """`HBONE` or `TCP` by `NAMESPACE/POD`, from a ztunnel's workload list, or why none was to be had.

    Every ztunnel knows all pods.
    """
    doubt = ""
    for pod in kube.list("v1/Pod", labels=PARTS["ztunnel"][1], fields="status.phase=Running"):
        meta = pod["metadata"]
        try:
            dump = json.loads(kube.pod_http(meta["namespace"], meta["name"], 15000, "/config_dump"))
        except (KubeError, ValueError) as error:
            doubt = f"{meta['namespace']}/{meta['name']}: {error}"
            continue
        workloads = dump.get("workloads") or []
        entries = workloads.values() if isinstance(workloads, dict) else workloads
        known = {f"{entry.get('namespace')}/{entry.get('name')}": str(entry.get("protocol", "")) for entry in entries}
        return known, ""
    return {}, doubt
