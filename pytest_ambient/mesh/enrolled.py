"""Who is in the mesh: namespaces, pods, waypoints and policies, this run's own and others'."""

from collections.abc import Collection, Iterator

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import NotFound
from pytest_ambient.mesh.bookinfo import INSTALLER, RUN_LABEL
from pytest_ambient.mesh.dataplane import KNOWN, LABEL
from pytest_ambient.mesh.landed import CRD

USE_WAYPOINT = "istio.io/use-waypoint"
ENROLMENT = (LABEL, USE_WAYPOINT, "istio.io/use-waypoint-namespace")
GATEWAY = "gateway.networking.k8s.io/v1/Gateway"
WAYPOINT_CLASS = "istio-waypoint"
GATEWAY_CLASSES = (WAYPOINT_CLASS, "istio", "istio-east-west")
"""The classes of Gateways that Istio makes proxies for."""
PROXIED = ("security.istio.io/tlsMode", "sidecar.istio.io/inject=true")
"""The label that the injector gives pods with a sidecar, and the one by which gateways ask it for their proxy."""


def others(kube: Kube, run: str, root: str, *, kept: Collection[str] = ()) -> list[str]:
    """What of others depends on the mesh, in words: `namespace shop`, `pod shop/a`, `Gateway shop/waypoint` …

    Objects of Istio's kinds count, as they would go with their CRDs; not those of the CRDs named by `kept`.
    """
    ours = {*_namespaces(kube, run), root}
    modes = {plane.mode for plane in KNOWN.values()}
    found = [f"namespace {name}" for name, labels in _labels(kube) if name not in ours and labels.get(LABEL) in modes]
    enrolled = [pod for pod in kube.list("v1/Pod", labels=LABEL) if pod["metadata"]["labels"][LABEL] in modes]
    proxied = [pod for label in PROXIED for pod in kube.list("v1/Pod", labels=label)]
    metas = [pod["metadata"] for pod in (*enrolled, *proxied)]
    found += dict.fromkeys(f"pod {meta['namespace']}/{meta['name']}" for meta in metas if meta["namespace"] not in ours)
    return found + [f"{kind} {where}" for kind, where in _resources(kube, kept) if where.partition("/")[0] not in ours]


def unenrol(kube: Kube, run: str, *, within: float) -> None:
    """Take this run's namespaces and waypoints out of the mesh and wait until no pod is captured any more.

    A CNI agent that ends does not take its rules out of pods: they would be left without a network.
    """
    names = _namespaces(kube, run)
    for name, labels in _labels(kube):
        gone = {key: None for key in ENROLMENT if key in labels}
        if name in names and gone:
            kube.patch("v1/Namespace", name, None, {"metadata": {"labels": gone}}, field_manager=INSTALLER)
    for item in _gateways(kube, WAYPOINT_CLASS):
        meta = item["metadata"]
        if meta["namespace"] in names:
            kube.delete(GATEWAY, meta["name"], meta["namespace"], wait=within)

    def free() -> bool | NotYet:
        left = [pod for name in sorted(names) for pod in _captured(kube, name)]
        return NotYet(f"still captured: {', '.join(left)}") if left else True

    until(free, what="pods to leave the mesh", within=within)


def _namespaces(kube: Kube, run: str) -> set[str]:
    return {item["metadata"]["name"] for item in kube.list("v1/Namespace", labels=f"{RUN_LABEL}={run}")}


def _labels(kube: Kube) -> Iterator[tuple[str, dict[str, str]]]:
    for item in kube.list("v1/Namespace"):
        yield item["metadata"]["name"], item["metadata"].get("labels") or {}


def _captured(kube: Kube, namespace: str) -> Iterator[str]:
    """Pods that are to stay and still captured; one that carries the label itself stays captured until it goes."""
    for pod in kube.list("v1/Pod", namespace):
        meta = pod["metadata"]
        annotations = meta.get("annotations") or {}
        marked = any(annotations.get(plane.annotation) == "enabled" for plane in KNOWN.values())
        alone = (meta.get("labels") or {}).get(LABEL, "none") != "none"
        if marked and not alone and "deletionTimestamp" not in meta:
            yield f"{namespace}/{meta['name']}"


def _gateways(kube: Kube, *classes: str) -> list[Object]:
    try:
        found = kube.list(GATEWAY)
    except NotFound:
        return []
    return [item for item in found if item["spec"].get("gatewayClassName") in classes]


def _resources(kube: Kube, kept: Collection[str]) -> Iterator[tuple[str, str]]:
    """Kind and `NAMESPACE/NAME` of all waypoints and gateways and of all objects of Istio's own kinds."""
    for item in _gateways(kube, *GATEWAY_CLASSES):
        yield "Gateway", f"{item['metadata']['namespace']}/{item['metadata']['name']}"
    for crd in kube.list(CRD):
        group = str(crd["spec"]["group"])
        served = [version["name"] for version in crd["spec"].get("versions") or [] if version.get("served")]
        if group.endswith(".istio.io") and served and crd["metadata"]["name"] not in kept:
            kind = crd["spec"]["names"]["kind"]
            for item in _objects(kube, f"{group}/{served[0]}/{kind}"):
                yield kind, f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def _objects(kube: Kube, kind: str) -> list[Object]:
    try:
        return kube.list(kind)
    except NotFound:
        return []
