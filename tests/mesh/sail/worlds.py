"""A cluster with a Sail operator that does its work, and what is asked of Helm."""

import re
from typing import Any

from pytest_ambient.mesh import sail_operator
from pytest_ambient.mesh.installer import MeshSpec
from pytest_ambient.mesh.landed import CRD
from pytest_ambient.mesh.sail import Sail
from tests.doubles import Doubles
from tests.mesh.operated import HEALTHY, Operated, OperatedTarget, control_plane, daemonset, deployment

ISTIO, CNI, ZTUNNEL = (f"sailoperator.io/v1/{kind}" for kind in ("Istio", "IstioCNI", "ZTunnel"))
MINE = "pytest-ambient/run"
ANY = "--deployed --failed --pending --uninstalled --uninstalling"
WHERE = r"--namespace sail-operator --kubeconfig \S+/kubeconfig --kube-context ctx"
LABELLED = f"--labels {MINE}=r1"
FINALIZER = "sailoperator.io/sail-operator"
NOT_READY = {
    "state": "IstiodNotReady",
    "conditions": [
        {"type": "Reconciled", "status": "True"},
        {"type": "Ready", "status": "False", "reason": "IstiodNotReady", "message": "not all istiod pods are ready"},
    ],
}


class World(Operated):
    """A cluster whose Sail operator is there while Helm has put it in, or `others` did."""

    helm: Doubles
    others = ""
    broken: dict[str, Any]
    """Statuses by kind that stay as they are."""

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[dict[str, Any]]:
        """With the operator's Deployment, where it is."""
        lines = self.helm.lines("helm")
        last = next((line.split()[0] for line in reversed(lines) if line.split()[0] in ("upgrade", "uninstall")), "")
        self.objects.pop(("apps/v1/Deployment", "sail-operator", "sail-operator"), None)
        if last == "upgrade":
            deployment(self, "sail-operator", "sail-operator", "quay.io/sail-dev/sail-operator:1.30.3")
            for name in ("istios", "istiocnis", "ztunnels"):
                crd = {"metadata": {"name": f"{name}.sailoperator.io"}, "spec": {"group": "sailoperator.io"}}
                self.objects.setdefault((CRD, "", f"{name}.sailoperator.io"), crd)
        return super().list(kind, namespace, labels, fields)

    def operates(self) -> bool:
        """Whether an operator runs."""
        return any(item["metadata"]["name"] == "sail-operator" for item in self.list("apps/v1/Deployment"))


def reconciled(kube: Operated, item: dict[str, Any]) -> None:
    """What the operator does for each resource of its own."""
    assert isinstance(kube, World)
    kind, spec = item["kind"], item.get("spec") or {}
    if item["apiVersion"].partition("/")[0] != "sailoperator.io":
        return
    key = (f"{item['apiVersion']}/{kind}", "", "default")
    kube.objects[key]["metadata"]["finalizers"] = [FINALIZER]
    kube.objects[key]["status"] = kube.broken.get(kind, HEALTHY)
    version, namespace = spec["version"].removeprefix("v"), spec["namespace"]
    if kind == "Istio":
        control_plane(kube, namespace, version)
    elif kind == "IstioCNI":
        label = ("k8s-app", "istio-cni-node")
        daemonset(kube, namespace, "istio-cni-node", f"registry.istio.io/release/install-cni:{version}", label)
    else:
        daemonset(kube, namespace, "ztunnel", f"registry.istio.io/release/ztunnel:{version}", ("app", "ztunnel"))


def taken_back(kube: Operated, item: dict[str, Any]) -> bool:
    """A finalizer goes while an operator runs, and what was made goes before it."""
    assert isinstance(kube, World)
    if not kube.operates():
        return False
    for key in [key for key in kube.objects if key[0].startswith("apps/") and key[1] == item["spec"]["namespace"]]:
        del kube.objects[key]
    return True


def easy(helm: Doubles) -> None:
    """Whatever was not answered otherwise goes well."""
    helm.answer("helm", rf"list {ANY} --filter \^sail-operator\$ --output json( --selector {MINE}=r1)? {WHERE}", "[]")
    pull = rf"pull sail-operator --repo {re.escape(sail_operator.REPOSITORY)} --version 1\.30\.3 --destination (\S+)"
    helm.answer("helm", pull, files={r"\1/sail-operator-1.30.3.tgz": "chart"})
    helm.answer(
        "helm",
        r"upgrade --install sail-operator \S+/sail-operator-1\.30\.3\.tgz --values \S+/sail-operator-values\.json "
        rf"--wait --timeout 10s {WHERE} {LABELLED}".replace(f" {WHERE} {LABELLED}", f" {LABELLED} {WHERE}"),
    )
    helm.answer("helm", rf"uninstall sail-operator --ignore-not-found --wait --timeout 10s {WHERE}")


def do(where: OperatedTarget, spec: MeshSpec) -> None:
    """All steps, one after another."""
    for group in Sail().steps(where, spec):
        for step in group:
            step.do()


def left(kube: World) -> set[str]:
    """Names of namespaces, of the operator's CRDs and of its resources."""
    kube.list("v1/Namespace")
    wanted = ("v1/Namespace", CRD, ISTIO, CNI, ZTUNNEL)
    return {name for kind, _, name in kube.objects if kind in wanted and not name.endswith(".istio.io")}


def planned(kube: Operated, item: dict[str, Any]) -> None:
    """What OLM does with a Subscription, once its plan is approved."""
    reconciled(kube, item)
    if item["kind"] == "Subscription":
        spec = {"clusterServiceVersionNames": [item["spec"]["startingCSV"]], "approved": False}
        kube.objects[sail_operator.PLAN, "sail-operator", "install-x"] = {
            "metadata": {"name": "install-x"},
            "spec": spec,
        }
        csv = {
            "metadata": {"name": "sailoperator.v1.30.3", "namespace": "sail-operator"},
            "status": {"phase": "Succeeded"},
        }
        kube.objects[sail_operator.CSV, "sail-operator", "sailoperator.v1.30.3"] = csv
        deployment(kube, "sail-operator", "sail-operator-by-olm", "quay.io/sail-dev/sail-operator:1.30.3")
