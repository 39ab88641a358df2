"""The Sail operator itself: put in by Helm, by OLM on OpenShift, left alone where it was there before."""

import json
from dataclasses import dataclass, field
from functools import partial

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import InstallerError
from pytest_ambient.mesh import releases
from pytest_ambient.mesh.awaited import await_
from pytest_ambient.mesh.bookinfo import RUN_LABEL
from pytest_ambient.mesh.claim import FOUND, PRIVILEGED
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import CRD
from pytest_ambient.mesh.owned import put
from pytest_ambient.mesh.releases import Release
from pytest_ambient.mesh.tags import build_of

PART = "sail"
NAMESPACE = "sail-operator"
REPOSITORY = "https://istio-ecosystem.github.io/sail-operator"
DEFINITIONS = ".sailoperator.io"
DEPLOYMENT = "apps/v1/Deployment"
NAMES = ("sail-operator", "servicemesh-operator3")
"""What the operator's Deployment is called, in its own releases and in those of OpenShift."""
OLM = "operators.coreos.com/v1alpha1"
SUBSCRIPTION, PLAN, CSV = f"{OLM}/Subscription", f"{OLM}/InstallPlan", f"{OLM}/ClusterServiceVersion"
PACKAGE = "sailoperator"
CATALOG = ("community-operators", "openshift-marketplace")


@dataclass(frozen=True)
class Operator:
    """One release of the operator."""

    version: str
    istio: tuple[str, ...] = field(repr=False)
    """The Istio patches that it installs."""
    ztunnel: str
    """The API version of its kind ZTunnel."""
    profile: bool
    """Whether that kind wants `profile: ambient`."""
    target_ref: bool
    """Whether that kind may name the Istio that it belongs to."""
    source: str = field(default="", compare=False)


def check() -> None:
    """Misuse when Helm is missing; where OLM does the work it is not needed, but no cluster is known yet."""
    releases.check("--ambient-installer=sail")


def namespace(name: str) -> Object:
    """A Namespace in which pods may be privileged."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(PRIVILEGED)}}


def install(target: Target, spec: MeshSpec, row: Operator) -> None:
    """See that an operator runs: one that is there already is used as it is and left, else ours is put in."""
    kube = target.kube()
    others = running(kube)
    if others is not None and not _ours(kube, target):
        target.say(f"{others} is there already: it is used as it is, and left")
        return
    item = namespace(NAMESPACE)
    item["metadata"]["annotations"] = {FOUND: json.dumps({"definitions": _noted(kube) or _definitions(kube)})}
    put(kube, item, target.run, PART)
    _put_in(target, spec, row)


def revive(target: Target, spec: MeshSpec, row: Operator) -> None:
    """Put our operator in again where it is gone: without it its resources never go, their finalizers hold them."""
    kube = target.kube()
    if running(kube) is None:
        target.say("the Sail operator is gone and comes back to take out what it made")
        put(kube, namespace(NAMESPACE), target.run, PART)
        _put_in(target, spec, row)


def uninstall(target: Target, spec: MeshSpec, row: Operator) -> None:
    """Take our operator out with its namespace and the CRDs that came with it; nothing where it is somebody else's."""
    kube = target.kube()
    if not _ours(kube, target):
        return
    before = _noted(kube)
    if target.platform == "openshift":
        for kind, name in ((SUBSCRIPTION, PACKAGE), (CSV, _csv(row))):
            kube.delete(kind, name, NAMESPACE, wait=spec.within)
    else:
        releases.uninstall(target, spec, _release(row))
    for name in _definitions(kube):
        if name not in before:
            kube.delete(CRD, name, wait=spec.within)
    kube.delete("v1/Namespace", NAMESPACE, wait=spec.within)


def _put_in(target: Target, spec: MeshSpec, row: Operator) -> None:
    kube = target.kube()
    if target.platform == "openshift":
        _subscribe(kube, target, spec, row)
    else:
        image = {"image": f"{spec.hub.rstrip('/')}/sail-operator:{row.version}"} if spec.hub else {}
        releases.install(target, spec, _release(row), image)

    def runs() -> bool | NotYet:
        return True if running(kube) else NotYet("no Deployment sail-operator with a pod that is available")

    until(runs, what="the Sail operator to run", within=spec.within)


def _release(row: Operator) -> Release:
    source = ("sail-operator", "--repo", REPOSITORY, "--version", row.version)
    return Release("sail-operator", NAMESPACE, "sail-operator", row.version, (source,))


def _subscribe(kube: Kube, target: Target, spec: MeshSpec, row: Operator) -> None:
    """Have OLM install one release, which nobody but us approves: no newer one comes while a run lasts."""
    group = {"apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup", "spec": {}}
    put(kube, {**group, "metadata": {"name": NAMESPACE, "namespace": NAMESPACE}}, target.run, PART)
    source, place = CATALOG
    wanted = {
        "name": PACKAGE,
        "channel": f"stable-{row.version.rpartition('.')[0]}",
        "source": source,
        "sourceNamespace": place,
        "startingCSV": _csv(row),
        "installPlanApproval": "Manual",
    }
    meta = {"name": PACKAGE, "namespace": NAMESPACE}
    item: Object = {"apiVersion": OLM, "kind": "Subscription", "metadata": meta, "spec": wanted}
    put(kube, item, target.run, PART)
    until(partial(_approved, kube, _csv(row)), what=f"OLM's plan for {_csv(row)}", within=spec.within)
    await_(kube, CSV, _csv(row), NAMESPACE, _unfinished, within=spec.within)


def _approved(kube: Kube, csv: str) -> bool | NotYet:
    """Approve the plan that installs our release, once OLM has made it."""
    for plan in kube.list(PLAN, NAMESPACE):
        if csv in (plan["spec"].get("clusterServiceVersionNames") or []):
            if not plan["spec"].get("approved"):
                kube.patch(PLAN, plan["metadata"]["name"], NAMESPACE, {"spec": {"approved": True}})
            return True
    found = (kube.get(SUBSCRIPTION, PACKAGE, NAMESPACE) or {}).get("status") or {}
    words = [str(one.get("message")) for one in found.get("conditions") or [] if one.get("message")]
    return NotYet("; ".join(words) or "none yet")


def _unfinished(csv: Object) -> str:
    status = csv.get("status") or {}
    if status.get("phase") == "Succeeded":
        return ""
    return f"phase {status.get('phase') or 'unknown'}" + (f": {status['message']}" if status.get("message") else "")


def _csv(row: Operator) -> str:
    return f"{PACKAGE}.v{row.version}"


@dataclass(frozen=True)
class Running:
    """An operator that runs."""

    namespace: str
    version: str
    """From its image's tag; empty when that is none."""

    def __str__(self) -> str:
        return f"the Sail operator {self.version or 'of unknown version'} in {self.namespace}"


def running(kube: Kube) -> Running | None:
    """The operator that runs, in whatever namespace that is."""
    for item in kube.list(DEPLOYMENT):
        meta = item["metadata"]
        if meta["name"] in NAMES and (item.get("status") or {}).get("availableReplicas"):
            image = str(item["spec"]["template"]["spec"]["containers"][0].get("image", ""))
            return Running(str(meta["namespace"]), build_of(image))
    return None


def _ours(kube: Kube, target: Target) -> bool:
    there = kube.get("v1/Namespace", NAMESPACE)
    return there is not None and (there["metadata"].get("labels") or {}).get(RUN_LABEL) == target.run


def _definitions(kube: Kube) -> list[str]:
    names = (str(item["metadata"]["name"]) for item in kube.list(CRD))
    return sorted(name for name in names if name.endswith(DEFINITIONS))


def _noted(kube: Kube) -> list[str]:
    """The operator's CRDs that were there before, as our namespace has noted them."""
    there = kube.get("v1/Namespace", NAMESPACE)
    text = ((there or {}).get("metadata", {}).get("annotations") or {}).get(FOUND, "{}")
    try:
        return [str(name) for name in json.loads(text).get("definitions", [])]
    except (ValueError, AttributeError, TypeError):
        raise InstallerError(f"namespace {NAMESPACE}: its annotation {FOUND} cannot be read: {text[:80]}") from None
