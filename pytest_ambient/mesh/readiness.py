"""What must be ready before ambient mode can be judged: istiod, what moves the bytes, and captured pods."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import KubeError, NotInTime
from pytest_ambient.mesh.dataplane import ISTIOD, ZTUNNEL, Dataplane, istiods, running, workloads

_VERSION = re.compile(r":(v?\d+\.\d+\.\d+[^@/]*?)(?:-distroless|-debug)?(?:@.*)?$")


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
    tag: str = ""
    """The tag of its image as it is written, `latest` too."""

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
    """By the names of the data plane's parts; absent when there is none."""
    nodes: tuple[str, ...]
    dataplane: Dataplane = ZTUNNEL

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing or not ready, one line each; empty when the mesh is ready."""
        return tuple(problem for name in self.dataplane.parts if (problem := self.problem(name)) is not None)

    def problem(self, name: str) -> str | None:
        """Why one part is missing or not ready; None when it is ready. `ztunnel` stands for what is in its place."""
        name = self.dataplane.name if name == ZTUNNEL.name else name
        if name in self.parts:
            return self.parts[name].problem
        kind, label = self.dataplane.parts[name]
        return f"no {name}: no {kind.rpartition('/')[2]} with label {label}"

    def disagreement(self, wanted: str | None = None) -> str | None:
        """How the parts' versions differ from each other, or from the one wanted; None when they agree."""
        found = [part for name, part in self.versions.items() if self.product(name) == "istio"]
        told = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        if len(set(found)) > 1:
            return f"the parts run different versions: {told}"
        other = [v for v in found if wanted and v != wanted and not v.startswith(f"{wanted}.")]
        return f"wanted Istio {wanted}, found {told}" if other else None

    @property
    def root(self) -> str:
        """The namespace of istiod, where mesh-wide policies live."""
        return self.parts["istiod"].namespace if "istiod" in self.parts else "istio-system"

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each part whose image has one."""
        return {name: part.version for name, part in self.parts.items() if part.version}

    @property
    def waypoint_image(self) -> str:
        """The image that waypoints must run here, its tag that of the data plane's own; empty for Istio's."""
        repository, part = self.dataplane.proxy_image, self.parts.get(self.dataplane.name)
        return f"{repository}:{part.tag}" if repository and part and part.tag else ""

    def product(self, name: str) -> str:
        """Whose versions a part has: `istio`, or the data plane's own."""
        return self.dataplane.product if name == self.dataplane.name else "istio"


@dataclass(frozen=True)
class Capture:
    """One pod and whether ambient mode has it."""

    pod: str
    """`NAMESPACE/NAME`."""
    annotation: str
    """The word of what redirects (the CNI agent, Kmesh): `enabled`, `pending` or empty."""
    protocol: str
    """ztunnel's word: `HBONE` or `TCP`; empty when it doesn't know the pod or can't be asked."""
    doubt: str = ""
    """Why no ztunnel could be asked; empty when one answered, or when there is none."""
    hbone: bool = True
    """Whether the data plane tunnels over HBONE; where it does not the annotation is all there is."""

    @property
    def complete(self) -> bool:
        """Whether all that can be asked say that ambient mode has the pod."""
        return self.annotation == "enabled" and (self.protocol == "HBONE" or not self.hbone)

    def __str__(self) -> str:
        said = f"{self.pod}: annotation {self.annotation or 'absent'}"
        return f"{said}, ztunnel says {self.protocol or 'nothing'}" if self.hbone else said


def read(kube: Kube, dataplane: Dataplane | None = None) -> Mesh:
    """The mesh as it is now, with the data plane that is wanted, or else the one that runs."""
    plane = dataplane or running(kube)
    nodes = tuple(sorted(node["metadata"]["name"] for node in kube.list("v1/Node")))
    found = {}
    for name, (kind, label) in plane.parts.items():
        items = istiods(kube) if (kind, label) == ISTIOD else workloads(kube, kind, label)
        if items:
            found[name] = _part(kube, name, items[0], label)
    return Mesh(found, nodes, plane)


def wait(kube: Kube, within: float, dataplane: Dataplane | None = None) -> Mesh:
    """The mesh once it is ready; as it is, with its problems, when it is not so `within` seconds."""

    def check() -> Mesh | NotYet:
        mesh = read(kube, dataplane)
        return NotYet("; ".join(mesh.problems)) if mesh.problems else mesh

    try:
        return until(check, what="the mesh to be ready", within=within)
    except NotInTime:
        return read(kube, dataplane)


def captured(kube: Kube, namespaces: Iterable[str], dataplane: Dataplane = ZTUNNEL) -> tuple[Capture, ...]:
    """Every pod of some namespaces that is not about to go, and whether it is captured."""
    protocols, doubt = _protocols(kube) if dataplane.hbone else ({}, "")
    found = []
    for namespace in namespaces:
        for pod in kube.list("v1/Pod", namespace):
            meta = pod["metadata"]
            if "deletionTimestamp" not in meta:
                key = f"{namespace}/{meta['name']}"
                annotation = (meta.get("annotations") or {}).get(dataplane.annotation, "")
                found.append(Capture(key, annotation, protocols.get(key, ""), doubt, dataplane.hbone))
    return tuple(found)


def _part(kube: Kube, name: str, item: Object, label: str) -> Part:
    meta, status = item["metadata"], item.get("status") or {}
    image = item["spec"]["template"]["spec"]["containers"][0].get("image", "")
    found, tag = _VERSION.search(image), image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    version = found[1].removeprefix("v") if found else ""
    if item["kind"] == "Deployment":
        wanted, ready = item["spec"].get("replicas", 1), status.get("availableReplicas", 0)
        return Part(name, meta["namespace"], wanted, ready, version, tag=tag)
    pods = kube.list("v1/Pod", meta["namespace"], labels=label)
    waiting = sorted(pod["spec"].get("nodeName", "a node to come") for pod in pods if not _ready(pod))
    wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    return Part(name, meta["namespace"], wanted, ready, version, tuple(waiting), tag)


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _protocols(kube: Kube) -> tuple[dict[str, str], str]:
    """`HBONE` or `TCP` by `NAMESPACE/POD`, from a ztunnel's workload list, or why none was to be had.

    Every ztunnel knows all pods.
    """
    doubt = ""
    for pod in kube.list("v1/Pod", labels=ZTUNNEL.label, fields="status.phase=Running"):
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
