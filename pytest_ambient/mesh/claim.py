"""The root namespace of a mesh that this run installs: claimed before all else, given back when all else is gone."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import InstallerError, NotFound
from pytest_ambient.mesh.bookinfo import INSTALLER, RUN_LABEL
from pytest_ambient.mesh.dataplane import ISTIOD
from pytest_ambient.mesh.enrolled import others, unenrol
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import CRD, GATEWAY_CLASS
from pytest_ambient.mesh.owned import PART_LABEL

ROOT = "istio-system"
FOUND = "pytest-ambient/found"
"""Annotation of the claimed namespace: what of Istio was in the cluster before, as JSON."""
PRIVILEGED = {"pod-security.kubernetes.io/enforce": "privileged"}
"""The CNI agent and ztunnel reach into nodes: clusters that enforce pod security must be told."""
CONFIG_MAPS = "istio.io/config=true"
"""The label of what istiod writes into every namespace of the cluster."""


@dataclass(frozen=True)
class Found:
    """What of Istio was in the cluster, without an Istio, before this run's came: it is not touched."""

    definitions: tuple[str, ...] = ()
    """Names of CRDs."""
    classes: tuple[str, ...] = ()
    """Names of GatewayClasses."""
    config_maps: tuple[str, ...] = ()
    """`NAMESPACE/NAME` of istiod's ConfigMaps."""


def claim(kube: Kube, target: Target) -> Found:
    """Make istio-system this run's own, unless it is; InstallerError when it is somebody else's."""
    there = kube.get("v1/Namespace", ROOT)
    if there is not None:
        if not target.owned and not _has_run(there, target.run):
            raise InstallerError(
                f"namespace {ROOT} is there without an Istio and not of this run: remove it, "
                "or install Istio by other means and use --ambient-installer=none"
            )
        return _noted(there)
    before = _look(kube)
    meta = {
        "name": ROOT,
        "labels": {RUN_LABEL: target.run, PART_LABEL: "istio", **PRIVILEGED},
        "annotations": {FOUND: json.dumps(asdict(before))},
    }
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta}, field_manager=INSTALLER)
    if before.definitions:
        target.say(f"{len(before.definitions)} CRDs of Istio were there already and are left as they are")
    return before


def found(kube: Kube) -> Found:
    """What the claimed namespace has noted; nothing where there is no such note."""
    return _noted(kube.get("v1/Namespace", ROOT) or {"metadata": {}})


def is_ours(kube: Kube, target: Target) -> bool:
    """Whether this run made istio-system, and so what is in it."""
    there = kube.get("v1/Namespace", ROOT)
    return there is not None and _has_run(there, target.run)


def give_back(kube: Kube, target: Target, spec: MeshSpec, remove: Callable[[], None]) -> None:
    """Take this run's mesh out: un-enrol, `remove`, what Istio left behind, the namespace; nothing if it is not ours.

    Raises InstallerError, and leaves everything, while others use the mesh.
    """
    there = kube.get("v1/Namespace", ROOT)
    if there is None or not _has_run(there, target.run):
        return
    using = [] if target.owned else others(kube, target.run, ROOT, kept=_noted(there).definitions)
    if using:
        more = f" and {len(using) - 3} more" if len(using) > 3 else ""
        raise InstallerError(
            f"Istio {spec.version} of run {target.run} stays, others use it: {', '.join(using[:3])}{more}; "
            "take them out of the mesh, then: pytest-ambient cleanup"
        )
    unenrol(kube, target.run, within=spec.within)
    remove()
    _sweep(kube, _noted(there), spec.within)
    kube.delete("v1/Namespace", ROOT, wait=spec.within)


def _sweep(kube: Kube, before: Found, within: float) -> None:
    """Remove what Istio's own tools leave: what istiod made itself, and CRDs; none of what was there before."""

    def ended() -> bool | NotYet:
        left = [pod["metadata"]["name"] for pod in kube.list("v1/Pod", ROOT, labels=ISTIOD[1])]
        return NotYet(f"still there: {', '.join(left)}") if left else True

    until(ended, what="istiod to end", within=within)  # it would write its ConfigMaps again
    now = _look(kube)
    for name in sorted({*now.config_maps} - {*before.config_maps}):
        kube.delete("v1/ConfigMap", name.partition("/")[2], name.partition("/")[0])
    for name in sorted({*now.classes} - {*before.classes}):
        kube.delete(GATEWAY_CLASS, name)
    for name in sorted({*now.definitions} - {*before.definitions}):
        kube.delete(CRD, name, wait=within)


def _look(kube: Kube) -> Found:
    definitions = (item["metadata"]["name"] for item in kube.list(CRD) if is_istios(item))
    maps = (item["metadata"] for item in kube.list("v1/ConfigMap", labels=CONFIG_MAPS))
    names = (f"{meta['namespace']}/{meta['name']}" for meta in maps if meta["name"].startswith("istio-ca-"))
    return Found(tuple(sorted(definitions)), tuple(sorted(_classes(kube))), tuple(sorted(names)))


def is_istios(crd: Object) -> bool:
    """Whether a CRD is one of Istio's own."""
    return bool(str(crd["spec"]["group"]).endswith(".istio.io"))


def _classes(kube: Kube) -> Iterator[str]:
    try:
        items = kube.list(GATEWAY_CLASS)
    except NotFound:
        return
    for item in items:
        if str(item["spec"].get("controllerName", "")).startswith("istio.io/"):
            yield item["metadata"]["name"]


def _noted(namespace: Object) -> Found:
    """What the namespace has noted; nothing where its note is lost."""
    try:
        plain = json.loads((namespace["metadata"].get("annotations") or {})[FOUND])
        return Found(**{key: tuple(value) for key, value in plain.items()})
    except (KeyError, ValueError, TypeError, AttributeError):
        return Found()


def _has_run(namespace: Object, run: str) -> bool:
    return bool((namespace["metadata"].get("labels") or {}).get(RUN_LABEL) == run)
