"""Hands Istio's charts as Applications to an Argo CD that the cluster has, and takes them out by its finalizers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import InstallerError, Misuse, NotFound
from pytest_ambient.mesh import claim, values, versions
from pytest_ambient.mesh.awaited import await_
from pytest_ambient.mesh.bookinfo import RUN_LABEL
from pytest_ambient.mesh.charts import RELEASES, REPOSITORY, namespace_of
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import verify
from pytest_ambient.mesh.owned import put
from pytest_ambient.mesh.planes import beyond, check_beyond, remove_beyond
from pytest_ambient.mesh.present import usable
from pytest_ambient.steps import Group, Step

APPLICATION = "argoproj.io/v1alpha1/Application"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
CONTROLLER = "app.kubernetes.io/name=argocd-application-controller"
"""The label of the pods that act on Applications, in whatever namespace."""
HERE = "https://kubernetes.default.svc"
ORDERS = (("base",), ("istiod",), ("cni", "ztunnel"))
HOOKS = "admissionregistration.k8s.io"
WRITTEN_BY_ISTIOD = [
    {
        "group": HOOKS,
        "kind": "ValidatingWebhookConfiguration",
        "jqPathExpressions": [".webhooks[]?.failurePolicy", ".webhooks[]?.clientConfig.caBundle"],
    },
    {
        "group": HOOKS,
        "kind": "MutatingWebhookConfiguration",
        "jqPathExpressions": [".webhooks[]?.clientConfig.caBundle"],
    },
]
"""istiod changes these once it is ready; Argo CD would call its Application out of sync ever after."""


class ArgoCd:
    """The `argocd` installer."""

    def check(self, spec: MeshSpec) -> None:
        """Refuse versions that are not known, and a local release: Argo CD fetches charts by itself."""
        versions.of(spec.version)
        if spec.release is not None:
            raise Misuse("--ambient-istio-dir is of no use to --ambient-installer=argocd: it fetches charts by itself")
        check_beyond(spec)

    def steps(self, target: Target, spec: MeshSpec) -> Sequence[Group]:
        """Claim istio-system, unless the wanted mesh is there; an Application for each chart; see that all landed."""
        one, undo = _Run(target, spec), None if target.owned else partial(self.uninstall, target, spec)
        names = values.charts(target, spec)
        groups = [[_step(one, name) for name in order if name in names] for order in ORDERS]
        return [
            [Step(f"{claim.ROOT} namespace", one.begin, undo)],
            *(group for group in groups if group),
            [Step(f"istio {spec.version} by argocd", one.verify)],
            *beyond(target, spec),
        ]

    def uninstall(self, target: Target, spec: MeshSpec) -> None:
        """Take out this run's Applications with what they brought; InstallerError while others use the mesh."""
        remove_beyond(target, spec)
        claim.give_back(target.kube(), target, spec, partial(_remove, target, spec))


@dataclass
class _Run:
    """One installation: what its first step finds out is for the others to follow."""

    target: Target
    spec: MeshSpec
    place: str | None = None
    """The namespace of Argo CD; None while nothing is to be done."""
    excluded: Sequence[str] = field(default=())

    def begin(self) -> None:
        kube = self.target.kube()
        versions.refuse_old(kube.server_version(), self.spec.version)
        if usable(kube, self.target, self.spec):
            return
        place = controller(kube)
        if place is None:
            raise InstallerError(
                f"no Argo CD runs in the cluster, no running pod has the label {CONTROLLER}: install it first, "
                "https://argo-cd.readthedocs.io, or choose another --ambient-installer"
            )
        self.excluded = claim.claim(kube, self.target).definitions
        self.place = place

    def install(self, chart: str) -> None:
        if self.place is None:
            return
        kube, trees = self.target.kube(), values.charts(self.target, self.spec, self.excluded)
        item = application(self.target, self.spec, chart, trees[chart], self.place)
        put(kube, item, self.target.run, "argocd")
        await_(kube, APPLICATION, item["metadata"]["name"], self.place, unfinished, within=self.spec.within)

    def verify(self) -> None:
        if self.place is not None:
            verify(self.target.kube(), self.spec, within=self.spec.within)


def controller(kube: Kube) -> str | None:
    """The namespace of the Argo CD that runs; None without one."""
    pods = kube.list("v1/Pod", labels=CONTROLLER, fields="status.phase=Running")
    return str(pods[0]["metadata"]["namespace"]) if pods else None


def application(target: Target, spec: MeshSpec, chart: str, tree: Object, place: str) -> Object:
    """One chart as Argo CD takes it; deleting it takes out what it brought."""
    helm = {"releaseName": RELEASES[chart], **({"values": json.dumps(tree)} if tree else {})}
    source = {"repoURL": REPOSITORY, "chart": chart, "targetRevision": spec.version, "helm": helm}
    options = ["ServerSideApply=true", "RespectIgnoreDifferences=true"]
    meta = {"name": f"{target.run}-{RELEASES[chart]}", "namespace": place, "finalizers": [FINALIZER]}
    wanted = {
        "project": "default",
        "source": source,
        "destination": {"server": HERE, "namespace": namespace_of(target, chart)},
        "ignoreDifferences": WRITTEN_BY_ISTIOD,
        "syncPolicy": {"automated": {"prune": True}, "syncOptions": options, "retry": {"limit": 5}},
    }
    return {"apiVersion": APPLICATION.rpartition("/")[0], "kind": "Application", "metadata": meta, "spec": wanted}


def unfinished(item: Object) -> str:
    """Why an Application is not both Synced and Healthy, with Argo CD's own words; empty when it is."""
    status = item.get("status") or {}
    sync, health = status.get("sync") or {}, status.get("health") or {}
    operation = status.get("operationState") or {}
    if sync.get("status") == "Synced" and health.get("status") == "Healthy" and operation.get("phase") != "Running":
        return ""
    words = [str(health.get("message", "")), *(str(one.get("message", "")) for one in status.get("conditions") or [])]
    words += [str(operation.get("message", ""))] if operation.get("phase") in ("Failed", "Error") else []
    said = "; ".join(word for word in words if word)
    return f"{sync.get('status') or 'not compared'}, {health.get('status') or 'unknown'}" + (
        f": {said}" if said else ""
    )


def _step(one: _Run, chart: str) -> Step:
    return Step(f"application {RELEASES[chart]}", partial(one.install, chart))


def _remove(target: Target, spec: MeshSpec) -> None:
    """The last first, each until it is gone: Argo CD takes back what it brought before it lets it go."""
    kube = target.kube()
    try:
        left = {item["metadata"]["name"]: item for item in kube.list(APPLICATION, labels=f"{RUN_LABEL}={target.run}")}
    except NotFound:
        return
    names = [name for chart in reversed([*RELEASES]) if (name := f"{target.run}-{RELEASES[chart]}") in left]
    if names and controller(kube) is None:
        place = left[names[0]]["metadata"]["namespace"]
        raise InstallerError(
            f"Argo CD runs no more, and its Applications {', '.join(names)} in {place} wait for it: bring it back and "
            "call pytest-ambient cleanup"
        )
    for name in names:
        kube.delete(APPLICATION, name, left[name]["metadata"]["namespace"], wait=spec.within)
