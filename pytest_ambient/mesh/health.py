"""How a mesh that is there does: its parts, its versions, the pods that it should have captured, who else rules it."""

from collections.abc import Sequence

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Forbidden
from pytest_ambient.finding import Finding
from pytest_ambient.manifest import sidecar_of
from pytest_ambient.mesh import dataplane, meshwide, readiness
from pytest_ambient.mesh.dataplane import LABEL, Dataplane
from pytest_ambient.mesh.sidecars import INJECTED

SHOWN = 3
"""Pods and policies that a line names before it counts the rest."""


def findings(kube: Kube, wanted: str | None = None) -> Sequence[Finding]:
    """A finding for each part and more; `wanted` is the Istio version that must be there. KubeError if none answers."""
    plane = dataplane.running(kube)
    found = readiness.read(kube, plane)
    if not found.parts:
        seen = f"there is none: {'; '.join(found.problems)}"
        return [Finding("mesh", "failed", seen, "install one, or let --ambient-installer do it")]
    told = [_part(name, found.problem(name), found.builds.get(name, "")) for name in plane.parts]
    if found.istiods:
        told.append(Finding("istiods", "warning", found.istiods, "move the tag `default` if another is to be judged"))
    disagreement = found.disagreement(wanted)
    if disagreement:
        other = found.disagreement() is None  # what is there is one version, and not the one that was asked for
        remedy = "ask for that one, or for none, with --ambient-istio-version" if other else "upgrade what lags behind"
        told.append(Finding("versions", "failed", disagreement, remedy))
    told.append(_captured(kube, plane))
    policies = meshwide.policies(kube, meshwide.read(kube).root)
    if policies:
        remedy = "rows that they could decide are skipped with that reason"
        told.append(Finding("policies for all namespaces", "warning", _some(policies), remedy))
    return told


def _part(name: str, problem: str | None, version: str) -> Finding:
    if problem is None:
        return Finding(name, "ok", f"ready{f', {version}' if version else ''}")
    return Finding(name, "failed", problem, "kubectl describe its pods")


def _captured(kube: Kube, plane: Dataplane) -> Finding:
    """Whether pods of enrolled namespaces are captured."""
    try:
        namespaces = kube.list("v1/Namespace", labels=f"{LABEL}={plane.mode}")
        pods = [pod for item in namespaces for pod in kube.list("v1/Pod", item["metadata"]["name"])]
    except Forbidden as error:
        return Finding("captured pods", "unknown", f"this user may not look: {error}")
    wanted = [pod for pod in pods if _concerned(pod)]
    late = [pod for pod in wanted if (pod["metadata"].get("annotations") or {}).get(plane.annotation) != "enabled"]
    if not late:
        return Finding("captured pods", "ok", f"all {len(wanted)} in {len(namespaces)} enrolled namespaces")
    names = _some([f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in late])
    seen = f"{len(late)} of {len(wanted)} in enrolled namespaces are not: {names}"
    return Finding("captured pods", "warning", seen, "delete such a pod, so that its successor is captured")


def _concerned(pod: Object) -> bool:
    """Pods that opted out, have a sidecar, are a waypoint or share the host's network are never captured."""
    meta, spec = pod["metadata"], pod["spec"]
    out = (meta.get("labels") or {}).get(LABEL) == "none" or spec.get("hostNetwork")
    proxied = INJECTED in (meta.get("annotations") or {}) or sidecar_of(pod) is not None
    running = (pod.get("status") or {}).get("phase") == "Running" and "deletionTimestamp" not in meta
    return running and not out and not proxied


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
