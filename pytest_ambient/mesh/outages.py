"""Whether a part of the mesh can be replaced or taken away for a while and given back, and where it is."""

from typing import TypeAlias

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh.dataplane import ISTIOD, ZTUNNEL, workloads
from pytest_ambient.mesh.revisions import chosen

Place: TypeAlias = tuple[str, str]
"""Namespace and name."""

ISTIOD_PLACE: Place = ("istio-system", "istiod")
ZTUNNEL_PLACE: Place = ("istio-system", "ztunnel")
CNI_PLACE: Place = ("istio-system", "istio-cni-node")


def istiod(kube: Kube) -> Place:
    """Where the istiod is that the ztunnels belong to; Istio's default where none is seen."""
    found = _seen(kube, ISTIOD)
    return _place(chosen(kube, found).istiod) if found else ISTIOD_PLACE


def ztunnel(kube: Kube) -> Place:
    """Where the DaemonSet of the ztunnels is; Istio's default where none is seen."""
    return _daemons(kube, "ztunnel", ZTUNNEL_PLACE)


def cni(kube: Kube) -> Place:
    """Where the DaemonSet of the agents is that capture pods; Istio's default where none is seen."""
    return _daemons(kube, "istio-cni", CNI_PLACE)


def ztunnel_stays(kube: Kube) -> str | None:
    """Why the ztunnels cannot be restarted through their DaemonSet; None when they can."""
    return daemons_stay(kube, "ztunnel")


def daemons_stay(kube: Kube, part: str) -> str | None:
    """Why the pods of a part that runs on every node cannot be replaced through their DaemonSet; None when they can."""
    kind, label = ZTUNNEL.parts[part]
    found = workloads(kube, kind, label)
    if len(found) != 1:
        return f"{_listed(found)}, one DaemonSet with pods labelled {label} is needed"
    namespace, name = _place(found[0])
    if (found[0]["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return f"DaemonSet {namespace}/{name} restarts its pods only when they are deleted (OnDelete)"
    return _forbidden(kube, "daemonsets.apps", namespace)


def istiod_stays(kube: Kube) -> str | None:
    """Why istiod cannot be taken away and given back; None when it can."""
    found = workloads(kube, *ISTIOD)
    if len(found) != 1:
        return f"{_listed(found)}, one Deployment labelled {ISTIOD[1]} is needed: another would stand in for it"
    namespace, name = _place(found[0])
    if not (found[0].get("spec") or {}).get("replicas", 1):
        return f"Deployment {namespace}/{name} wants no pod already"
    return _forbidden(kube, "deployments.apps", namespace)


def _daemons(kube: Kube, part: str, usual: Place) -> Place:
    found = _seen(kube, ZTUNNEL.parts[part])
    return _place(found[0]) if found else usual


def _forbidden(kube: Kube, resource: str, namespace: str) -> str | None:
    return None if kube.can("patch", resource, namespace) else f"this user may not patch {resource} in {namespace}"


def _seen(kube: Kube, part: tuple[str, str]) -> list[Object]:
    try:
        return workloads(kube, *part)
    except Forbidden:
        return []


def _place(item: Object) -> Place:
    return str(item["metadata"].get("namespace") or ""), str(item["metadata"]["name"])


def _listed(found: list[Object]) -> str:
    return f"found {', '.join('/'.join(_place(item)) for item in found) or 'none'}"
