"""Objects that are ready: what their status must say before anything is probed."""

import time
from collections.abc import Callable, Collection, Sequence

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.manifest import PROXY_IMAGE, Document, asks_for_sidecar, sidecar_of
from pytest_ambient.probe.gateways import GATEWAY_NAME
from pytest_ambient.probe.status import status_of
from pytest_ambient.stuck import Waits

FINAL = ("AttachmentDenied", "UnsupportedTrafficType", "UnsupportedProtocol")
"""Reasons that no time mends: the configuration itself is refused."""

MADE_WITHIN = 60.0
"""Seconds in which somebody makes a Deployment for a Gateway: istiod takes about one."""

STARTING = ("Deployment", "DaemonSet", "Pod")
"""Kinds whose pods are told by the object itself."""


class Final(str):
    """Why something is not ready and will not be."""

    __slots__ = ()


class Unmade(str):
    """Why a Gateway for which nobody has made anything is not ready."""

    __slots__ = ()


Check = Callable[[Kube, Document], str | None]


def ready(
    kube: Kube,
    documents: Sequence[Document],
    within: float,
    waits: Waits | None = None,
    patient: Collection[Document] = (),
) -> None:
    """Waits until workloads are available and waypoints programmed; NotInTime says which is not and why.

    It comes before its time where `waits` say that a pod will not start, but for those of `patient` documents.
    """
    for document in documents:
        check = _check(document, documents)
        if check is None:
            continue

        def asked(item: Document = document, check: Check = check, begun: float = time.monotonic()) -> bool | NotYet:
            reason = check(kube, item)
            if reason is None:
                return True
            looks = waits if item not in patient else None
            stuck = looks.look(kube, started_for(kube, item)) if looks else None
            forgotten = isinstance(reason, Unmade) and time.monotonic() - begun >= MADE_WITHIN
            seen = stuck or f"{reason}{looks.word if looks else ''}"
            return NotYet(seen, given_up=bool(stuck) or forgotten or isinstance(reason, Final))

        until(asked, what=f"{document} to be ready", within=within)


def _check(document: Document, documents: Sequence[Document]) -> Check | None:
    labels = document.object["metadata"].get("labels") or {}
    waypoint = labels.get("istio.io/use-waypoint")
    if document.object["kind"] == "Service" and waypoint is not None:
        there = any(other.object["kind"] == "Gateway" and other.name == waypoint for other in documents)
        return _bound if there else None
    known = {"Deployment": _deployment, "DaemonSet": _daemonset, "Pod": _pod, "Gateway": _gateway}
    return known.get(document.object["kind"])


def _deployment(kube: Kube, document: Document) -> str | None:
    item = kube.get(document.kind, document.name, document.namespace)
    if item is None:
        return "not there"
    reason = unavailable(item)
    if not reason and item["spec"].get("replicas", 1) == 0:
        reason = _pods_left(kube, item)
    late = [c for c in status_of(item).conditions if c.type == "Progressing" and c.reason == "ProgressDeadlineExceeded"]
    current = (item.get("status") or {}).get("observedGeneration", 0) >= item["metadata"].get("generation", 1)
    if reason and late and current:
        return Final(f"{reason}: {late[0].message}")
    return reason or (_bare(kube, item) if asks_for_sidecar(document.object) else None)


def _bare(kube: Kube, deployment: Object) -> str | None:
    """The pods that asked for a sidecar and have none: what they call and answer would be judged as another's."""
    bare = [pod["metadata"]["name"] for pod in _pods(kube, deployment) if is_ready(pod) and sidecar_of(pod) is None]
    return Final(f"pod {bare[0]} asked for a sidecar and has none") if bare else None


def _pods_left(kube: Kube, deployment: Object) -> str | None:
    """The pods that a Deployment without replicas has still: one that ends its work serves meanwhile."""
    pods = _pods(kube, deployment)
    return f"{len(pods)} of its pods are still there" if pods else None


def started_for(kube: Kube, document: Document) -> list[Object]:
    """The pods that a document brings about."""
    kind = document.object["kind"]
    if kind == "Gateway":
        return kube.list("v1/Pod", document.namespace, labels=f"{GATEWAY_NAME}={document.name}")
    item = kube.get(document.kind, document.name, document.namespace) if kind in STARTING else None
    if item is None:
        return []
    return [item] if kind == "Pod" else _pods(kube, item)


def _pods(kube: Kube, deployment: Object) -> list[Object]:
    labels = (deployment["spec"].get("selector") or {}).get("matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    return kube.list("v1/Pod", deployment["metadata"].get("namespace"), labels=selector) if labels else []


def unavailable(deployment: Object) -> str | None:
    """Why a Deployment's rollout is not complete; None when it is."""
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 1):
        return "not seen by its controller"
    for name in ("updatedReplicas", "availableReplicas"):
        if status.get(name, 0) < wanted:
            return f"{status.get(name, 0)} of {wanted} {name}"
    old = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    return f"{old} old replicas left" if old else None


def _daemonset(kube: Kube, document: Document) -> str | None:
    item = kube.get(document.kind, document.name, document.namespace)
    if item is None:
        return "not there"
    status = item.get("status") or {}
    if status.get("observedGeneration", 0) < item["metadata"].get("generation", 1):
        return "not seen by its controller"
    wanted = status.get("desiredNumberScheduled", 0)
    for name in ("updatedNumberScheduled", "numberAvailable"):
        if status.get(name, 0) < wanted:
            return f"{status.get(name, 0)} of {wanted} {name}"
    return None


def _pod(kube: Kube, document: Document) -> str | None:
    item = kube.get(document.kind, document.name, document.namespace)
    return None if item is not None and is_ready(item) else "not Ready"


def is_ready(pod: Object) -> bool:
    """Whether a pod runs, is Ready and is not about to go."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _gateway(kube: Kube, document: Document) -> str | None:
    gateway = kube.get(document.kind, document.name, document.namespace)
    status = status_of(gateway)
    refused = [c for c in status.conditions if c.type == "Accepted" and c.status == "False" and c.reason in FINAL]
    if refused:
        return Final(f"{refused[0]}: {refused[0].message}")
    deployments = kube.list("apps/v1/Deployment", document.namespace, f"{GATEWAY_NAME}={document.name}")
    named = deployments or [
        item for item in (kube.get("apps/v1/Deployment", document.name, document.namespace),) if item
    ]
    programmed = [c for c in status.conditions if c.type == "Programmed" and not c.listener]
    if not programmed or programmed[0].status != "True" or programmed[0].observed_generation != status.generation:
        told = f"{programmed[0]}: {programmed[0].message}" if programmed else str(status)
        return told if named else Unmade(f"nobody has made a Deployment for it; {told}")
    return next((reason for item in named if (reason := _unlike(gateway, item) or unavailable(item))), None)


def _unlike(gateway: Object | None, deployment: Object) -> str | None:
    """The image that a Gateway names for its proxy and that is not run yet; Istio takes none without `/`."""
    image = str(((gateway or {}).get("metadata", {}).get("annotations") or {}).get(PROXY_IMAGE, ""))
    containers = deployment["spec"].get("template", {}).get("spec", {}).get("containers") or ()
    runs = any(each.get("image") == image for each in containers)
    return f"its Deployment does not run {image}" if "/" in image and not runs else None


def _bound(kube: Kube, document: Document) -> str | None:
    status = status_of(kube.get(document.kind, document.name, document.namespace))
    bound = [c for c in status.conditions if c.type == "istio.io/WaypointBound"]
    if bound and bound[0].status == "True":
        return None
    reason = f"not bound to its waypoint: {status}"
    return Final(reason) if bound and bound[0].reason in FINAL else reason
