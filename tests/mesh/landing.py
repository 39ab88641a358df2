"""A cluster into which doubles of istioctl and Helm put an Istio: they leave marks, and it declares what those mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pytest_ambient._kube import Kube
from pytest_ambient.errors import NotFound
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import CRD, DEFINITIONS, GATEWAY_CLASS
from pytest_ambient.testing import FakeKube

ROOT = "istio-system"
HOOK = "admissionregistration.k8s.io/v1"
HUB = "registry.istio.io/release"
PARTS: Mapping[str, tuple[str, str, str, str]] = {
    "istiod": ("Deployment", "discovery", "pilot", "app=istiod"),
    "istio-cni-node": ("DaemonSet", "install-cni", "install-cni", "k8s-app=istio-cni-node"),
    "ztunnel": ("DaemonSet", "istio-proxy", "ztunnel", "app=ztunnel"),
}
"""Kind, container, image and label of each part."""


class Cluster(FakeKube):
    """A FakeKube in which an Istio of `version` is while there are marks and no newer mark says otherwise."""

    def __init__(self, marks: Path, *, version: str = "1.30.3", hub: str = HUB) -> None:
        super().__init__()
        self.marks, self.version, self.hub = marks, version, hub
        self.broken: Sequence[str] = ()
        """What does not come with it: a name of PARTS, `class`, `hooks` or `definitions`."""
        self.unknown: set[str] = set()
        """Kinds that the cluster does not have."""
        self.kubernetes = "v1.34.4"
        self.landed = False

    def server_version(self) -> str:
        """Whatever was set."""
        return self.kubernetes

    def names(self, kind: str) -> list[str]:
        """`NAMESPACE/NAME` or `NAME` of all objects of a kind."""
        return sorted("/".join(filter(None, key[1:])) for key in self.objects if key[0] == kind)

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """As FakeKube, after the marks were looked at."""
        self._heed()
        if kind in self.unknown:
            raise NotFound(f"the cluster has no kind {kind}")
        return super().get(kind, name, namespace)

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[dict[str, Any]]:
        """As FakeKube, after the marks were looked at."""
        self._heed()
        if kind in self.unknown:
            raise NotFound(f"the cluster has no kind {kind}")
        return super().list(kind, namespace, labels, fields)

    def keep(self, kind: str, name: str, namespace: str = "", **more: Any) -> None:
        """Have an object."""
        meta: dict[str, Any] = {"name": name, **({"namespace": namespace} if namespace else {})}
        meta |= {key: more.pop(key) for key in ("labels", "annotations") if key in more}
        self.objects[kind, namespace, name] = {"metadata": meta, **more}

    def land(self, root: str = ROOT, revision: str = "default", ambient: bool = True) -> None:
        """Have what an installation of Istio makes."""
        for name, (kind, container, image, label) in PARTS.items():
            if name not in self.broken:
                self._workload(name, kind, container, image, label, root, revision, ambient)
        if "definitions" not in self.broken:
            for name in DEFINITIONS:
                self.define(name)
        if "class" not in self.broken:
            accepted = {"conditions": [{"type": "Accepted", "status": "True"}]}
            controller = {"controllerName": "istio.io/mesh-controller"}
            self.keep(GATEWAY_CLASS, "istio-waypoint", spec=controller, status=accepted)
        if "hooks" not in self.broken:
            hooks = [{"clientConfig": {"caBundle": "Zm9v"}}]
            labels = {"app": "sidecar-injector"}
            self.keep(f"{HOOK}/MutatingWebhookConfiguration", "injector", labels=labels, webhooks=hooks)
            self.keep(f"{HOOK}/ValidatingWebhookConfiguration", "validator", labels={"app": "istiod"}, webhooks=hooks)
        self.keep("v1/ConfigMap", "istio-ca-root-cert", "default", labels={"istio.io/config": "true"}, data={})

    def define(self, name: str, **labels: str) -> None:
        """Have an established CRD."""
        plural, _, group = name.partition(".")
        spec = {
            "group": group,
            "names": {"kind": plural.removesuffix("s").capitalize(), "plural": plural},
            "versions": [{"name": "v1", "served": True}],
        }
        status = {"conditions": [{"type": "Established", "status": "True"}]}
        self.keep(CRD, name, labels=labels, spec=spec, status=status)

    def _heed(self) -> None:
        there = (self.marks / "installed").exists()
        if there and not self.landed:
            self.landed = True
            self.land()
        if (self.marks / "removed").exists() and self.landed:
            self.landed = False
            tools = ("Deployment", "DaemonSet", "WebhookConfiguration")
            self.objects = {key: item for key, item in self.objects.items() if not key[0].endswith(tools)}
            for mark in ("installed", "removed"):
                (self.marks / mark).unlink()

    def _workload(
        self, name: str, kind: str, container: str, image: str, label: str, root: str, revision: str, ambient: bool
    ) -> None:
        key, _, value = label.partition("=")
        environment = [{"name": "PILOT_ENABLE_AMBIENT", "value": "true"}] if ambient else []
        made = {"name": container, "image": f"{self.hub}/{image}:{self.version}-distroless", "env": environment}
        ready = {"observedGeneration": 1, "availableReplicas": 1, "updatedReplicas": 1}
        ready |= {"desiredNumberScheduled": 2, "numberReady": 2, "updatedNumberScheduled": 2}
        spec = {"replicas": 1, "template": {"metadata": {"labels": {key: value}}, "spec": {"containers": [made]}}}
        labels = {key: value, "istio.io/rev": revision}
        self.keep(f"apps/v1/{kind}", name, root, labels=labels, spec=spec, status=ready)


@dataclass(frozen=True)
class FakeTarget(Target):
    """A target whose cluster is a double."""

    double: FakeKube = field(default_factory=FakeKube, compare=False)

    def kube(self) -> Kube:
        """The double."""
        return cast(Kube, self.double)


def real(kube: FakeKube) -> Kube:
    """The double where a Kube is wanted."""
    return cast(Kube, kube)


def target(cluster: FakeKube, said: list[str] | None = None, *, owned: bool = False, **more: Any) -> FakeTarget:
    """A cluster for run r1; what is said to people goes to `said`."""
    say = (said if said is not None else []).append
    return FakeTarget(Path("/k/config"), "c1", owned=owned, run="r1", double=cluster, say=say, **more)


def spec(folder: Path, **more: Any) -> MeshSpec:
    """What is wanted: Istio 1.30.3, soon."""
    return MeshSpec(**{"version": "1.30.3", "folder": folder, "within": 0.3, **more})


def release(folder: Path, version: str = "1.30.3") -> Path:
    """An unpacked release that has charts of a version, and no istioctl yet."""
    root = folder / f"istio-{version}"
    for name in ("base", "istio-control/istio-discovery", "istio-cni", "ztunnel"):
        chart = root / "manifests" / "charts" / name
        chart.mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n")
    (root / "bin").mkdir(exist_ok=True)
    return root
