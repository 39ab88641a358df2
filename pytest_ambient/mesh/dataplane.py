"""The data planes that ambient mode can have, as data: how pods are enrolled, what must run, what it offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Misuse
from pytest_ambient.manifest import REVISION

LABEL = "istio.io/dataplane-mode"
"""The label that enrols a namespace or a pod; its value is the data plane's `mode`."""

ISTIOD = ("apps/v1/Deployment", "app=istiod")
DEFAULT = "default"
"""The revision of what names none."""


@dataclass(frozen=True)
class Dataplane:
    """One data plane; parts are found by their pods' label, in whatever namespace they are."""

    name: str
    mode: str
    """The value of the label that enrols."""
    annotation: str
    """What a pod carries once it is captured, with the value `enabled`."""
    parts: Mapping[str, tuple[str, str]] = field(hash=False)
    """What must be ready, by name: kind and the label of its pods. The one with the data plane's name moves bytes."""
    hbone: bool = True
    """Whether traffic between captured pods is tunnelled over HBONE, so that ztunnel's list tells who is."""
    identity: bool = True
    """Whether callers show an identity that a certificate proves, per connection."""
    silent: str = ""
    """Why no proxy testifies at L4: verdicts rest on curl, control and twin there; empty where one does."""
    proxy_image: str = ""
    """The repository of the image that waypoints must run, its tag being the data plane's; empty for Istio's own."""
    dns: tuple[str, str] = ("", "")
    """The part that is told to have pods' DNS queries answered, and its variable that is `true` then."""
    product: str = "istio"
    """Whose versions the data plane's image has."""
    mounts: tuple[tuple[str, str], ...] = ()
    """File systems that it takes for given on a node, by type and folder: nodes that are containers have them not."""

    @property
    def kind(self) -> str:
        """The kind of what moves the bytes."""
        return self.parts[self.name][0]

    @property
    def label(self) -> str:
        """The label of the pods that move the bytes."""
        return self.parts[self.name][1]


ZTUNNEL = Dataplane(
    "ztunnel",
    mode="ambient",
    annotation="ambient.istio.io/redirection",
    parts={
        "istiod": ISTIOD,
        "istio-cni": ("apps/v1/DaemonSet", "k8s-app=istio-cni-node"),
        "ztunnel": ("apps/v1/DaemonSet", "app=ztunnel"),
    },
    dns=("istio-cni", "AMBIENT_DNS_CAPTURE"),
)

KMESH = Dataplane(
    "kmesh",
    mode="Kmesh",
    annotation="kmesh.net/redirection",
    parts={"istiod": ISTIOD, "kmesh": ("apps/v1/DaemonSet", "app=kmesh")},
    hbone=False,
    identity=False,
    silent="Kmesh writes nothing that says why a connection ended",
    proxy_image="ghcr.io/kmesh-net/waypoint",
    dns=("kmesh", "KMESH_ENABLE_DNS_PROXY"),
    product="kmesh",
    mounts=(("bpf", "/sys/fs/bpf"),),  # each node its own: https://github.com/kmesh-net/kmesh/issues/662
)

KNOWN = {plane.name: plane for plane in (ZTUNNEL, KMESH)}


def named(name: str) -> Dataplane:
    """The data plane of that name; Misuse lists the known ones."""
    if name not in KNOWN:
        raise Misuse(f"unknown data plane {name!r}, known are {', '.join(KNOWN)}")
    return KNOWN[name]


def running(kube: Kube) -> Dataplane:
    """The data plane that a cluster has: Kmesh only where it runs and no ztunnel does."""
    there = {plane.name: bool(workloads(kube, plane.kind, plane.label)) for plane in (ZTUNNEL, KMESH)}
    return KMESH if there["kmesh"] and not there["ztunnel"] else ZTUNNEL


def revision(item: Object) -> str:
    """The revision of a part of the mesh: a label of istiod, an annotation of ztunnel (charts of Istio 1.30.3)."""
    meta = item["metadata"]
    marks = {**(meta.get("annotations") or {}), **(meta.get("labels") or {})}
    return str(marks.get(REVISION) or DEFAULT)


def workloads(kube: Kube, kind: str, label: str) -> list[Object]:
    """The Deployments with a label, or the DaemonSets whose pods have it: Istio's charts put ztunnel's only there."""
    if kind.endswith("/Deployment"):
        return kube.list(kind, labels=label)
    return [item for item in kube.list(kind) if _makes(item, *label.split("=", 1))]


def _makes(item: Object, key: str, value: str) -> bool:
    template = (item.get("spec") or {}).get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    return bool(labels.get(key) == value)
