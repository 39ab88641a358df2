"""A cluster in which controllers of others do their work: finalizers hold, conditions come, workloads appear."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from pytest_ambient._kube import Kube
from pytest_ambient.errors import NotInTime
from pytest_ambient.mesh.installer import Target
from pytest_ambient.mesh.landed import CRD, DEFINITIONS, GATEWAY_CLASS, HOOKS
from pytest_ambient.testing import FakeKube

Object = dict[str, Any]
IMAGES = {"istiod": ("discovery", "pilot"), "istio-cni-node": ("install-cni", "install-cni")}
RUNS = {"observedGeneration": 1}
HEALTHY = {
    "state": "Healthy",
    "conditions": [{"type": name, "status": "True", "reason": "Healthy"} for name in ("Reconciled", "Ready")],
}


@dataclass
class Operated(FakeKube):
    """A FakeKube with hooks: what happens when something is applied, and whether a deletion comes to its end."""

    applied: Callable[["Operated", Object], None] = lambda kube, item: None
    finished: Callable[["Operated", Object], bool] = lambda kube, item: True
    diary: list[str] = field(default_factory=list)
    """`apply KIND NAME` and `delete KIND NAME`, in order."""

    def apply(
        self, obj: Object, *, force: bool = False, field_manager: str = "pytest-ambient", strict: bool = True
    ) -> Object:
        """Keep it; then the controllers see it."""
        self.diary.append(f"apply {obj['kind']} {obj['metadata']['name']}")
        super().apply(obj, force=force, field_manager=field_manager)
        self.applied(self, obj)
        found = self.get(
            f"{obj['apiVersion']}/{obj['kind']}", obj["metadata"]["name"], obj["metadata"].get("namespace")
        )
        assert found is not None
        return found

    def delete(self, kind: str, name: str, namespace: str | None = None, *, wait: float | None = None) -> None:
        """Mark it; it goes once its finalizers are taken off."""
        self.diary.append(f"delete {kind.rpartition('/')[2]} {name}")
        item = self.objects.get((kind, namespace or "", name))
        if item is None:
            return
        if item["metadata"].get("finalizers") and not self.finished(self, item):
            item["metadata"]["deletionTimestamp"] = "now"
            if wait is not None:
                raise NotInTime(f"deletion of {name}: not within {wait:g} s; last: {item['metadata']['finalizers']}")
            return
        super().delete(kind, name, namespace)

    def status(self, kind: str, name: str, namespace: str, status: Object) -> None:
        """Write an object's status."""
        self.objects[kind, namespace, name]["status"] = copy.deepcopy(status)

    def labels(self, kind: str, name: str, namespace: str = "") -> dict[str, str]:
        """An object's labels."""
        return dict(self.objects[kind, namespace, name]["metadata"].get("labels") or {})


class OperatedTarget(Target):
    """A target whose cluster is a double."""

    cluster: Operated

    def kube(self) -> Kube:
        """The double where a Kube is wanted."""
        return cast(Kube, self.cluster)


def target(cluster: Operated, folder: Any, run: str = "r1", **more: Any) -> OperatedTarget:
    """A cluster that the run does not own, unless it says so."""
    made = OperatedTarget(folder / "kubeconfig", "ctx", **{"owned": False, **more}, run=run)
    object.__setattr__(made, "cluster", cluster)
    return made


def deployment(kube: Operated, namespace: str, name: str, image: str, app: str = "") -> None:
    """A Deployment that runs."""
    meta = {"name": name, "namespace": namespace, "labels": {"app": app or name}}
    containers = [{"name": IMAGES.get(name, (name, ""))[0], "image": image}]
    if name == "istiod":
        containers[0]["env"] = [{"name": "PILOT_ENABLE_AMBIENT", "value": "true"}]  # type: ignore[assignment]  # a list
    kube.objects["apps/v1/Deployment", namespace, name] = {
        "kind": "Deployment",
        "metadata": meta,
        "spec": {"template": {"spec": {"containers": containers}}},
        "status": {"observedGeneration": 1, "availableReplicas": 1, "updatedReplicas": 1},
    }


def daemonset(kube: Operated, namespace: str, name: str, image: str, label: tuple[str, str]) -> None:
    """A DaemonSet that runs on one node."""
    containers = [{"name": {"ztunnel": "istio-proxy", "istio-cni-node": "install-cni"}.get(name, name), "image": image}]
    kube.objects["apps/v1/DaemonSet", namespace, name] = {
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"metadata": {"labels": dict([label])}, "spec": {"containers": containers}}},
        "status": {**RUNS, "desiredNumberScheduled": 1, "numberReady": 1, "updatedNumberScheduled": 1},
    }


def control_plane(kube: Operated, namespace: str, version: str) -> None:
    """What an istiod is and brings."""
    deployment(kube, namespace, "istiod", f"registry.istio.io/release/pilot:{version}")
    for name in DEFINITIONS:
        group = name.partition(".")[2]
        status = {"conditions": [{"type": "Established", "status": "True"}]}
        crd: Object = {"metadata": {"name": name}, "spec": {"group": group, "names": {"kind": "X"}}, "status": status}
        kube.objects.setdefault((CRD, "", name), crd)
    accepted = {"conditions": [{"type": "Accepted", "status": "True"}]}
    spec = {"controllerName": "istio.io/mesh-controller"}
    kube.objects[GATEWAY_CLASS, "", "istio-waypoint"] = {
        "metadata": {"name": "istio-waypoint"},
        "spec": spec,
        "status": accepted,
    }
    for kind, label in HOOKS.items():
        hook = {"clientConfig": {"caBundle": "Q0E="}}
        meta = {"name": "hook", "labels": dict([label.split("=")])}
        kube.objects[kind, "", "hook"] = {"metadata": meta, "webhooks": [hook]}
