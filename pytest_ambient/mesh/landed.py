"""Whether an installed Istio is really there: the right images on every node, its kinds, class and webhooks."""

from collections.abc import Iterator
from typing import Literal

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import NotFound
from pytest_ambient.mesh.dataplane import ZTUNNEL, workloads
from pytest_ambient.mesh.installer import MeshSpec
from pytest_ambient.mesh.owned import waiting
from pytest_ambient.mesh.tags import CONTAINERS, build_of, fits, image_of, release_of, tag_of

DEFINITIONS = (
    "authorizationpolicies.security.istio.io",
    "destinationrules.networking.istio.io",
    "peerauthentications.security.istio.io",
    "requestauthentications.security.istio.io",
    "serviceentries.networking.istio.io",
    "telemetries.telemetry.istio.io",
    "virtualservices.networking.istio.io",
    "workloadentries.networking.istio.io",
)
CRD = "apiextensions.k8s.io/v1/CustomResourceDefinition"
GATEWAY_CLASS = "gateway.networking.k8s.io/v1/GatewayClass"
HOOKS = {
    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration": "app=sidecar-injector",
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": "app=istiod",
}


def verify(kube: Kube, spec: MeshSpec, *, within: float, whose: Literal["ours", "others"] = "ours") -> None:
    """Wait until all that the spec asks for is in place; NotInTime names what is not, and why pods wait.

    Of a mesh that others installed only versions are compared, not where its images come from.
    """

    def check() -> bool | NotYet:
        found = problems(kube, spec, whose)
        return NotYet("; ".join(found)) if found else True

    until(check, what=f"Istio {spec.version} to be in place", within=within)


def problems(kube: Kube, spec: MeshSpec, whose: Literal["ours", "others"] = "ours") -> list[str]:
    """What is missing, of another version or not rolled out, one line each; empty when Istio is in place."""
    found = [problem for name in parts(spec) for problem in _part(kube, spec, name, whose)]
    found += [f"CRD {name} is not established" for name in DEFINITIONS if not established(kube.get(CRD, name))]
    found += _class(kube)
    return found + (_hooks(kube) if whose == "ours" else [])


def parts(spec: MeshSpec) -> tuple[str, ...]:
    """What of Istio a data plane needs: Kmesh takes istiod alone."""
    return tuple(ZTUNNEL.parts) if spec.dataplane == ZTUNNEL.name else ("istiod",)


def established(crd: Object | None) -> bool:
    """Whether the API server serves a custom kind."""
    conditions = ((crd or {}).get("status") or {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def _part(kube: Kube, spec: MeshSpec, name: str, whose: str) -> Iterator[str]:
    kind, label = ZTUNNEL.parts[name]
    found = workloads(kube, kind, label)
    if not found:
        yield f"{name}: no {kind.rpartition('/')[2]} with {label}"
    # Beside a mesh of others there may be more of them, by revision; one that fits is enough.
    reasons = [list(_item(kube, spec, name, item, whose)) for item in found]
    if reasons and all(reasons):
        yield from reasons[0]


def _item(kube: Kube, spec: MeshSpec, name: str, item: Object, whose: str) -> Iterator[str]:
    image, where = image_of(item, name), f"{name} in {item['metadata']['namespace']}"
    if not any(fits(found, spec.version) for found in (build_of(image), release_of(item, image))):
        yield f"{where} is {image}, wanted {spec.version}"
    elif whose == "ours":
        repository = image.partition("@")[0].removesuffix(f":{tag_of(image)}")
        hub = f"{spec.hub.rstrip('/')}/" if spec.hub else ""
        if repository.rpartition("/")[2] != CONTAINERS[name][1] or not repository.startswith(hub):
            yield f"{where} is {image}, wanted {hub or '…/'}{CONTAINERS[name][1]}"
    wanted, ready = _numbers(item)
    if not _observed(item) or ready < wanted:
        pods = kube.list("v1/Pod", item["metadata"]["namespace"], labels=ZTUNNEL.parts[name][1])
        why = next((f" ({reason})" for pod in pods for reason in waiting(pod)), "")
        yield f"{where}: {f'{ready} of {wanted} ready' if _observed(item) else 'its rollout has not begun'}{why}"


def _observed(item: Object) -> bool:
    status = item.get("status") or {}
    return bool(status.get("observedGeneration", 0) >= item["metadata"].get("generation", 1))


def _numbers(item: Object) -> tuple[int, int]:
    """How many pods are wanted, at least one, and how many of the present template are ready: a node has one each."""
    status = item.get("status") or {}
    if item["kind"] == "DaemonSet":
        ready = min(status.get("numberReady", 0), status.get("updatedNumberScheduled", 0))
        return max(status.get("desiredNumberScheduled", 0), 1), ready
    return item["spec"].get("replicas", 1), min(status.get("availableReplicas", 0), status.get("updatedReplicas", 0))


def _class(kube: Kube) -> list[str]:
    try:
        found = kube.get(GATEWAY_CLASS, "istio-waypoint")
    except NotFound:
        return ["the cluster has no kind GatewayClass"]
    conditions = ((found or {}).get("status") or {}).get("conditions") or []
    accepted = any(c["type"] == "Accepted" and c["status"] == "True" for c in conditions)
    return (
        []
        if accepted
        else ["GatewayClass istio-waypoint is not accepted" if found else "no GatewayClass istio-waypoint"]
    )


def _hooks(kube: Kube) -> list[str]:
    """Webhooks that istiod has not yet given its certificate refuse or let pass everything."""
    found = []
    for kind, label in HOOKS.items():
        items = kube.list(kind, labels=label)
        hooks = [hook for item in items for hook in item.get("webhooks") or []]
        if not hooks or not all((hook.get("clientConfig") or {}).get("caBundle") for hook in hooks):
            found.append(f"{kind.rpartition('/')[2]} {label}: {'without certificate' if hooks else 'none'}")
    return found
