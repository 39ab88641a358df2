"""Installs Istio by the Sail operator: the operator by Helm or OLM, Istio by its resources, out again in reverse."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import InstallerError, Misuse, NotFound
from pytest_ambient.mesh import claim, sail_operator, values, versions
from pytest_ambient.mesh.awaited import healthy
from pytest_ambient.mesh.bookinfo import RUN_LABEL
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import verify
from pytest_ambient.mesh.owned import kind_of, put
from pytest_ambient.mesh.present import usable
from pytest_ambient.mesh.sail_operator import PART, Operator, Running
from pytest_ambient.steps import Group, Step

TABLE = Path(__file__).with_name("sail.toml")
GROUP = "sailoperator.io"
ISTIO, CNI = f"{GROUP}/v1/Istio", f"{GROUP}/v1/IstioCNI"
ZTUNNELS = (f"{GROUP}/v1/ZTunnel", f"{GROUP}/v1alpha1/ZTunnel")
NAMESPACES = ("istio-cni", "ztunnel")
"""Where the CNI agents and the ztunnels go, beside istio-system."""
NAME = "default"
"""The one name that the operator takes for IstioCNI and ZTunnel."""


class Sail:
    """The `sail` installer."""

    def check(self, spec: MeshSpec) -> None:
        """Refuse versions that no known operator installs, Kmesh, and a missing Helm."""
        versions.of(spec.version)
        operator(spec.version)
        if spec.dataplane != "ztunnel":
            raise Misuse(f"--ambient-installer=sail installs ztunnel only, not {spec.dataplane}: use helm or istioctl")
        sail_operator.check()

    def images(self, version: str) -> Sequence[tuple[str, str]]:
        """What it brings beside that Istio's own images, and why."""
        return ((f"quay.io/sail-dev/sail-operator:{operator(version).version}", "the operator that installs Istio"),)

    def steps(self, target: Target, spec: MeshSpec) -> Sequence[Group]:
        """Namespaces, unless the wanted mesh is there; the operator; Istio by its resources, until all of it landed."""
        one, undo = _Run(target, spec), None if target.owned else partial(self.uninstall, target, spec)
        return [
            [Step("sail namespaces", one.begin, undo)],
            [Step(f"sail operator {operator(spec.version).version}", one.operate)],
            [Step(f"istio {spec.version} by sail", one.install)],
        ]

    def uninstall(self, target: Target, spec: MeshSpec) -> None:
        """Take out this run's resources while the operator can still finish them, then the operator and namespaces.

        Raises InstallerError while others use the mesh.
        """
        claim.give_back(target.kube(), target, spec, partial(_remove, target, spec))


@dataclass
class _Run:
    """One installation: what its first step finds out is for the others to follow."""

    target: Target
    spec: MeshSpec
    there: bool = False
    """Whether the mesh is there already, so that nothing is to be done."""

    def begin(self) -> None:
        kube, run = self.target.kube(), self.target.run
        versions.refuse_old(kube.server_version(), self.spec.version)
        self.there = usable(kube, self.target, self.spec)
        if self.there:
            return
        claim.claim(kube, self.target)
        for name in NAMESPACES:
            put(kube, sail_operator.namespace(name), run, PART)

    def operate(self) -> None:
        if not self.there:
            sail_operator.install(self.target, self.spec, operator(self.spec.version))

    def install(self) -> None:
        if self.there:
            return
        kube, within = self.target.kube(), self.spec.within
        row = fitting(sail_operator.running(kube), self.spec.version)
        items = resources(self.target, self.spec, row)
        for item in items:
            put(kube, item, self.target.run, PART)
        for item in items:
            healthy(kube, kind_of(item), NAME, None, ready=("Reconciled", "Ready"), state="Healthy", within=within)
        verify(kube, self.spec, within=within)


@cache
def operators() -> tuple[Operator, ...]:
    """The releases of the operator that are known, oldest first."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["operator"]
    return tuple(Operator(**{**row, "istio": tuple(row["istio"])}) for row in rows)


def operator(version: str) -> Operator:
    """The newest operator that installs an Istio; Misuse names the patches of its minor that some operator does."""
    fitting = [row for row in operators() if version in row.istio]
    if fitting:
        return fitting[-1]
    minor = versions.minor(version)
    near = sorted(
        {one for row in operators() for one in row.istio if versions.minor(one) == minor}, key=versions.number
    )
    known = f"of {minor} there are {', '.join(near)}" if near else f"none of {minor}"
    raise Misuse(f"no Sail operator that is known here installs Istio {version}: {known}")


def fitting(there: Running | None, version: str) -> Operator:
    """The row of the operator that runs; InstallerError when that one is known not to install this Istio."""
    row = next((row for row in operators() if there and row.version == there.version), None)
    if row is not None and version not in row.istio:
        raise InstallerError(f"{there} is there already and does not install Istio {version}, only {_span(row)}")
    return row or operator(version)


def resources(target: Target, spec: MeshSpec, row: Operator) -> tuple[Object, ...]:
    """The operator's resources that make the mesh, istiod's first."""
    version = f"v{spec.version}"
    trees = values.charts(target, spec)
    # Its kind Istio has no field for gateways (looked up in 1.25.2 to 1.30.3).
    istiod = {key: value for key, value in trees["istiod"].items() if key not in ("profile", "gateways")}
    cni = {key: value for key, value in trees["cni"].items() if key != "profile"}
    pilot = {**istiod.get("pilot", {}), "trustedZtunnelNamespace": "ztunnel"}
    istio = {"profile": "ambient", "updateStrategy": {"type": "InPlace"}, "values": {**istiod, "pilot": pilot}}
    ztunnel = {
        key: value for key, value in trees["ztunnel"].items() if key not in ("profile", "resourceName", "global")
    }
    common = {"global": trees["ztunnel"]["global"]} if trees["ztunnel"].get("global") else {}
    agent = {
        **({"profile": "ambient"} if row.profile else {}),
        **({"targetRef": {"kind": "Istio", "name": NAME}} if row.target_ref else {}),
        **({"values": {**({"ztunnel": ztunnel} if ztunnel else {}), **common}} if ztunnel or common else {}),
    }
    specs = (
        (ISTIO, claim.ROOT, istio),
        (CNI, "istio-cni", {"profile": "ambient", **({"values": cni} if cni else {})}),
        (f"{row.ztunnel}/ZTunnel", "ztunnel", agent),
    )
    return tuple(_resource(kind, {"version": version, "namespace": place, **rest}) for kind, place, rest in specs)


def _span(row: Operator) -> str:
    return f"{row.istio[0]} to {row.istio[-1]}"


def _resource(kind: str, spec: Object) -> Object:
    version, _, name = kind.rpartition("/")
    return {"apiVersion": version, "kind": name, "metadata": {"name": NAME}, "spec": spec}


def _remove(target: Target, spec: MeshSpec) -> None:
    """Resources first, each until it is gone: the operator must be there to take back what it made for them."""
    kube, row = target.kube(), operator(spec.version)
    ztunnels = next((found for version in ZTUNNELS if (found := _ours(kube, target, version))), [])
    left = [*ztunnels, *_ours(kube, target, CNI), *_ours(kube, target, ISTIO)]
    if left:
        sail_operator.revive(target, spec, row)
    for item in left:
        kube.delete(kind_of(item), item["metadata"]["name"], wait=spec.within)
    sail_operator.uninstall(target, spec, row)
    for name in NAMESPACES:
        if _is_ours(kube.get("v1/Namespace", name), target):
            kube.delete("v1/Namespace", name, wait=spec.within)


def _ours(kube: Kube, target: Target, kind: str) -> list[Object]:
    try:
        return kube.list(kind, labels=f"{RUN_LABEL}={target.run}")
    except NotFound:
        return []


def _is_ours(item: Object | None, target: Target) -> bool:
    return item is not None and (item["metadata"].get("labels") or {}).get(RUN_LABEL) == target.run
