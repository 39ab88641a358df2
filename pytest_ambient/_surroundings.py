"""What the cluster of a run is and can do, as far as it still answers, in the words of its report."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_ambient.errors import AmbientError

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube
    from pytest_ambient._session import Run
    from pytest_ambient.report.results import Results
    from pytest_ambient.settings import Settings

Object: TypeAlias = dict[str, Any]

SEEN = 8
"""Of a cluster of which less could be read nothing more is asked."""


def environment(run: "Run", results: "Results", stopped: str) -> Object:
    """What the cluster is and can do, as far as it still answers."""
    cluster, told = run.cluster, results.learned
    if cluster is None:
        return {"environment": {"unknown": ["all of it: no cluster came up"]}}
    from pytest_ambient._kube import Kube
    from pytest_ambient.mesh import environment

    kube = Kube(cluster.kubeconfig, cluster.context)
    try:
        found = environment.look(kube, run.id)
    except AmbientError as error:
        found = {"unknown": [f"all of it: {error}"]}
    images = {**found.get("images", {}), **({"waypoint": told["waypoint"]} if told.get("waypoint") else {})}
    found |= {"images": images, "installer": _installer(run), "platform": cluster.platform or cluster.provider}
    known = told.get("features") or ([] if stopped or len(found) < SEEN else _features(run, kube))
    waypoint = any(one["name"] == "Waypoint" and one["present"] for one in known)
    mode = "kmesh" if found.get("dataplane") == "kmesh" else "ambient"
    found |= {"mode": f"{mode}+waypoint" if waypoint else mode}
    found |= outside(found) if cluster.publishable else {}
    return {"environment": {name: found[name] for name in sorted(found)}, "features": known}


def outside(found: Object) -> Object:
    """Why the versions that were found are none that are tested together, when they are not."""
    from pytest_ambient import matrix

    istio, kubernetes = found.get("istio", ""), found.get("kubernetes", "")
    try:
        known = bool(istio and kubernetes)
        said = matrix.outside(istio, kubernetes, found.get("dataplane", "ztunnel")) if known else None
    except AmbientError:
        return {}
    return {"outside": said} if said else {}


def _installer(run: "Run") -> str:
    from pytest_ambient import _bringup
    from pytest_ambient.cluster.provider import find

    assert run.settings.cluster is not None
    with suppress(AmbientError):
        provider = find(run.settings.cluster)
        name = _bringup.installer(run.settings, provider)
        return run.settings.cluster if name == _bringup.NONE and _bringup.meshed(provider) else name
    return ""


def _features(run: "Run", kube: "Kube") -> list[Object]:
    """Of a run in which no test asked: what the mesh can do all the same."""
    from pytest_ambient import _probing

    assert run.cluster is not None
    try:
        return features(_probing.features(kube, run.settings, run.cluster), run.settings)
    except AmbientError:
        return []


def features(found: Mapping[str, Any], settings: "Settings") -> list[Object]:
    """Every feature in plain values, with how it was found."""
    from pytest_ambient.mesh.asked import looked

    believed = settings.features is not None

    def how(name: str, reason: str) -> str:
        return "declared by --ambient-features" if believed else looked(name, reason)

    return [
        {"name": one.name, "present": one.present, "detected": how(one.name, one.reason), "reason": one.reason}
        for one in found.values()
    ]
