"""What must be ready before ambient mode can be judged: istiod, and what moves the bytes on every node."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import NotInTime
from pytest_ambient.mesh.dataplane import ISTIOD, ZTUNNEL, Dataplane, running, workloads
from pytest_ambient.mesh.revisions import chosen
from pytest_ambient.mesh.tags import build_of, fits, image_of, release, release_of, tag_of


@dataclass(frozen=True)
class Part:
    """One part of the mesh, as its Deployment or DaemonSet reports it."""

    name: str
    namespace: str
    wanted: int
    """Replicas, or nodes that must have one."""
    ready: int
    version: str
    """The release that its image's tag or its label names, empty when neither does."""
    waiting: tuple[str, ...] = ()
    """Nodes without a ready pod of a DaemonSet."""
    tag: str = ""
    """The tag of its image as it is written, `latest` too."""
    build: str = ""
    """The build in that tag, a vendor's words with it; its version where there is no tag."""

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
    istiods: str = ""
    """Which istiod is the one among the parts and why, where there are several; else empty."""

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
        told = ", ".join(f"{name} {build}" for name, build in self.builds.items())
        found = [self.parts[name] for name in self.versions if self.product(name) == "istio"]
        if not all(fits(a.version, b.version) or fits(b.version, a.version) for a, b in combinations(found, 2)):
            return f"the parts run different versions: {told}"
        other = [part for part in found if wanted and not (fits(part.version, wanted) or fits(part.build, wanted))]
        return f"wanted Istio {wanted}, found {told}" if other else None

    @property
    def root(self) -> str:
        """The namespace of istiod, where mesh-wide policies live."""
        return self.parts["istiod"].namespace if "istiod" in self.parts else "istio-system"

    @property
    def versions(self) -> Mapping[str, str]:
        """The release of each part that tells one."""
        return {name: part.version for name, part in self.parts.items() if part.version}

    @property
    def builds(self) -> Mapping[str, str]:
        """The same with the words that vendors add."""
        return {name: part.build or part.version for name, part in self.parts.items() if part.version}

    @property
    def waypoint_image(self) -> str:
        """The image that waypoints must run here, its tag that of the data plane's own; empty for Istio's."""
        repository, part = self.dataplane.proxy_image, self.parts.get(self.dataplane.name)
        return f"{repository}:{part.tag}" if repository and part and part.tag else ""

    def product(self, name: str) -> str:
        """Whose versions a part has: `istio`, or the data plane's own."""
        return self.dataplane.product if name == self.dataplane.name else "istio"


def read(kube: Kube, dataplane: Dataplane | None = None) -> Mesh:
    """The mesh as it is now, with the data plane that is wanted, or else the one that runs."""
    plane = dataplane or running(kube)
    nodes = tuple(sorted(node["metadata"]["name"] for node in kube.list("v1/Node")))
    found, istiods = {}, ""
    for name, (kind, label) in plane.parts.items():
        items = workloads(kube, kind, label)
        if items and (kind, label) == ISTIOD:
            one = chosen(kube, items)
            items, istiods = [one.istiod], one.words
        if items:
            found[name] = _part(kube, name, items[0], label)
    return Mesh(found, nodes, plane, istiods)


def wait(kube: Kube, within: float, dataplane: Dataplane | None = None) -> Mesh:
    """The mesh once it is ready; as it is, with its problems, when it is not so `within` seconds."""

    def check() -> Mesh | NotYet:
        mesh = read(kube, dataplane)
        return NotYet("; ".join(mesh.problems)) if mesh.problems else mesh

    try:
        return until(check, what="the mesh to be ready", within=within)
    except NotInTime:
        return read(kube, dataplane)


def _part(kube: Kube, name: str, item: Object, label: str) -> Part:
    meta, status = item["metadata"], item.get("status") or {}
    image = image_of(item, name)
    version, tag = release_of(item, image), tag_of(image)
    build = build_of(image) if release(tag) else version
    if item["kind"] == "Deployment":
        wanted, ready = item["spec"].get("replicas", 1), status.get("availableReplicas", 0)
        return Part(name, meta["namespace"], wanted, ready, version, tag=tag, build=build)
    pods = kube.list("v1/Pod", meta["namespace"], labels=label)
    waiting = sorted(pod["spec"].get("nodeName", "a node to come") for pod in pods if not _ready(pod))
    wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    return Part(name, meta["namespace"], wanted, ready, version, tuple(waiting), tag, build)


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
