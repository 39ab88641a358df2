"""A cluster with an istiod in which whatever is applied runs at once, and an unpacked release of our own writing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pytest_ambient._kube import Kube
from pytest_ambient.errors import NotFound
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.testing import FakeKube

MESH = "accessLogFile: /dev/stdout\nrootNamespace: istio-system\n"
READY: dict[str, dict[str, int]] = {
    "Deployment": {"observedGeneration": 1, "availableReplicas": 1, "updatedReplicas": 1},
    "DaemonSet": {
        "observedGeneration": 1, "desiredNumberScheduled": 2, "numberReady": 2, "updatedNumberScheduled": 2,
    },
}  # fmt: skip
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: "istio-system"}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 1}}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}, labels: {{app: {name}}}}}
rules: []
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: istio-system}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - {{name: {name}, image: "docker.io/x/{name}:1", args: ["http://prometheus.istio-system:9090"]}}
"""


class Cluster(FakeKube):
    """A FakeKube with an istiod; Deployments named in `late` never come, kinds in `unknown` are not there."""

    def __init__(self, root: str = "istio-system", mesh: str = MESH) -> None:
        super().__init__()
        self.late: set[str] = set()
        self.unknown: set[str] = set()
        self.managers: set[str] = set()
        self.strict: set[bool] = set()
        meta = {"name": "istiod", "namespace": root, "labels": {"app": "istiod"}}
        self.objects["apps/v1/Deployment", root, "istiod"] = {"metadata": meta, "spec": {}}
        config = {"metadata": {"name": "istio", "namespace": root}, "data": {"mesh": mesh, "meshNetworks": "{}"}}
        self.objects["v1/ConfigMap", root, "istio"] = config

    def apply(
        self, obj: dict[str, Any], *, force: bool = False, field_manager: str = "", strict: bool = True
    ) -> dict[str, Any]:
        """Keep it and pretend that it runs."""
        self.managers.add(field_manager)
        self.strict.add(strict)
        if obj["kind"] in READY and obj["metadata"]["name"] not in self.late:
            obj = {**obj, "status": READY[obj["kind"]]}
        return super().apply(obj, force=force, field_manager=field_manager, strict=strict)

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object, with its kind as an API server gives it."""
        found = super().get(kind, name, namespace)
        version, _, word = kind.rpartition("/")
        return None if found is None else {"apiVersion": version, "kind": word} | found

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[dict[str, Any]]:
        """As FakeKube, but for kinds that are not there."""
        if kind in self.unknown:
            raise NotFound(f"the cluster has no kind {kind}")
        return super().list(kind, namespace, labels, fields)

    def mesh(self, root: str = "istio-system") -> str:
        """istiod's configuration as it is now."""
        return str(self.objects["v1/ConfigMap", root, "istio"]["data"]["mesh"])


@dataclass(frozen=True)
class FakeTarget(Target):
    """A target whose cluster is a double."""

    double: Cluster = field(default_factory=Cluster, compare=False)

    def kube(self) -> Kube:
        """The double."""
        return cast(Kube, self.double)


def target(cluster: Cluster, run: str = "r1", **more: Any) -> FakeTarget:
    """A cluster that is not ours, for one run."""
    return FakeTarget(Path("kubeconfig"), "c", owned=False, run=run, double=cluster, **more)


def release(folder: Path) -> Path:
    """An unpacked release with the four samples."""
    addons = folder / "release" / "samples" / "addons"
    addons.mkdir(parents=True, exist_ok=True)
    for name in ("grafana", "jaeger", "kiali", "prometheus"):
        (addons / f"{name}.yaml").write_text(SERVICE.format(name=name))
    return folder / "release"


def spec(folder: Path, *, hub: str | None = None, within: float = 1.0) -> MeshSpec:
    """What is wanted: Istio 1.30.3 out of that release."""
    return MeshSpec("1.30.3", folder, release=release(folder), hub=hub, within=within)
