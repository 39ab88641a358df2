"""Puts Kmesh beside an istiod as its data plane, from Kmesh's own chart, and takes it out again."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import InstallerError, Misuse
from pytest_ambient.mesh import claim, releases, versions
from pytest_ambient.mesh.bookinfo import RUN_LABEL
from pytest_ambient.mesh.dataplane import KMESH, workloads
from pytest_ambient.mesh.enrolled import others, unenrol
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.owned import put
from pytest_ambient.mesh.readiness import read
from pytest_ambient.mesh.releases import Release
from pytest_ambient.mesh.sail_operator import namespace
from pytest_ambient.steps import Group, Step

TABLE = Path(__file__).with_name("kmesh.toml")
NAMESPACE = "kmesh-system"
REGISTRY = "oci://ghcr.io/kmesh-net/kmesh-helm"
DOWNLOADS = "https://github.com/kmesh-net/kmesh/releases/download"
IMAGES = "ghcr.io/kmesh-net"
ARGUMENTS = "--mode=dual-engine --enable-bypass=false"
KERNEL = (5, 10)
"""The first Linux whose eBPF has all that Kmesh uses."""


@dataclass(frozen=True)
class Row:
    """One release of Kmesh."""

    version: str
    """With its v: `v1.2.0`."""
    istio: tuple[str, str]
    """The oldest and the newest minor of Istio that it goes with."""
    kubernetes: tuple[str, str]
    legacy_until: str
    """The newest minor of Istio that takes its EnvoyFilters only with a selector of labels."""
    source: str = field(default="", compare=False)


@cache
def rows() -> tuple[Row, ...]:
    """The releases that are known, oldest first."""
    told = tomllib.loads(TABLE.read_text(encoding="utf-8"))["kmesh"]
    return tuple(Row(**{**row, "istio": tuple(row["istio"]), "kubernetes": tuple(row["kubernetes"])}) for row in told)


def row_for(istio: str) -> Row:
    """The newest Kmesh that goes with an Istio; Misuse says which Istio there is one for."""
    mine = versions.number(versions.minor(istio))
    fitting = [row for row in rows() if versions.number(row.istio[0]) <= mine <= versions.number(row.istio[1])]
    if fitting:
        return fitting[-1]
    newest = rows()[-1]
    raise Misuse(
        f"no Kmesh that is known here goes with Istio {istio}: {newest.version}, the newest, is for "
        f"{newest.istio[0]} to {newest.istio[1]}; choose one with --ambient-istio-version"
    )


def check(spec: MeshSpec) -> None:
    """Misuse for an Istio that no known Kmesh goes with, and for a missing Helm."""
    row_for(spec.version)
    releases.check("--ambient-dataplane=kmesh")


def steps(target: Target, spec: MeshSpec) -> Sequence[Group]:
    """What comes after istiod: Kmesh on every node, unless it is there."""
    undo = None if target.owned else partial(uninstall, target, spec)
    return [[Step(f"kmesh {row_for(spec.version).version}", partial(_install, target, spec), undo)]]


def uninstall(target: Target, spec: MeshSpec) -> None:
    """Take out this run's Kmesh once its pods have left the mesh; nothing where it is somebody else's.

    Raises InstallerError, and leaves everything, while others use it.
    """
    kube = target.kube()
    there = kube.get("v1/Namespace", NAMESPACE)
    if there is None or (there["metadata"].get("labels") or {}).get(RUN_LABEL) != target.run:
        return
    using = [] if target.owned else others(kube, target.run, claim.ROOT, kept=claim.found(kube).definitions)
    if using:
        raise InstallerError(
            f"Kmesh of run {target.run} stays, others use the mesh: {', '.join(using[:3])}; "
            "take them out of it, then: pytest-ambient cleanup"
        )
    unenrol(kube, target.run, within=spec.within)
    releases.uninstall(target, spec, release(spec))
    kube.delete("v1/Namespace", NAMESPACE, wait=spec.within)


def release(spec: MeshSpec) -> Release:
    """Kmesh's chart: from its registry, or where that cannot be reached from its release page."""
    version = row_for(spec.version).version
    archive = f"{DOWNLOADS}/{version}/kmesh-helm-{version}.tgz"
    return Release("kmesh", NAMESPACE, "kmesh-helm", version, ((REGISTRY, "--version", version), (archive,)))


def chart_values(spec: MeshSpec) -> Object:
    """What the chart's own defaults leave open: it names no version of its image, and asks for no Istio's format."""
    row, hub = row_for(spec.version), (spec.hub or IMAGES).rstrip("/")
    legacy = versions.number(versions.minor(spec.version)) <= versions.number(row.legacy_until)
    kmesh = {
        "image": {"repository": f"{hub}/kmesh", "tag": row.version},
        "containers": {"kmeshDaemonArgs": ARGUMENTS},
        "env": {"xdsAddress": f"istiod.{claim.ROOT}.svc:15012"},
    }
    dns = {"dnsProxy": {"enabled": True}}
    return {"deploy": {"kmesh": kmesh}, "envoyFilter": {"useLegacyFormat": legacy}, "features": dns}


def _install(target: Target, spec: MeshSpec) -> None:
    kube = target.kube()
    if _there(kube, target):
        target.say("Kmesh is there already and used as it is: nothing is installed, and nothing will be removed")
        return
    reason = next(_unfit(kube, target), None)
    if reason is not None:
        raise InstallerError(f"Kmesh cannot run here: {reason}")
    put(kube, namespace(NAMESPACE), target.run, "kmesh")
    releases.install(target, spec, release(spec), chart_values(spec))

    def ready() -> bool | NotYet:
        problem = read(kube, KMESH).problem(KMESH.name)
        return NotYet(problem) if problem else True

    until(ready, what="Kmesh to be on every node", within=spec.within)


def _there(kube: Kube, target: Target) -> bool:
    """Whether somebody else's Kmesh runs."""
    places = {item["metadata"]["namespace"] for item in workloads(kube, KMESH.kind, KMESH.label)}
    mine = kube.get("v1/Namespace", NAMESPACE)
    ours = mine is not None and (mine["metadata"].get("labels") or {}).get(RUN_LABEL) == target.run
    return bool(places - ({NAMESPACE} if ours else set()))


def _unfit(kube: Kube, target: Target) -> Iterator[str]:
    """Why this cluster cannot have it; its chart knows one place only for CNI programs and configurations."""
    for node in kube.list("v1/Node"):
        kernel = str(((node.get("status") or {}).get("nodeInfo") or {}).get("kernelVersion", ""))
        if kernel and versions.number(kernel)[:2] < KERNEL:
            yield f"node {node['metadata']['name']} has Linux {kernel}, wanted 5.10 or newer"
    for found, known in ((target.cni_bin_dir, "/opt/cni/bin"), (target.cni_conf_dir, "/etc/cni/net.d")):
        if found and found.rstrip("/") != known:
            yield f"the nodes keep CNI in {found}, and its chart knows {known} only"
