"""What this cluster completes in objects as they are written, and what it refuses as nothing here would act on it."""

from typing import Any

from ..api.errors import Cause, forbidden, invalid, not_implemented
from ..api.store import Hook, Resource, Store, find
from ..objects import Object, name_of, namespace_of

_POD, _SERVICE, _ACCOUNT = find("Pod"), find("Service"), find("ServiceAccount")
_PRIORITIES = ("system-cluster-critical", "system-node-critical")

UNSERVED = (
    ("NetworkPolicy", "networking.k8s.io"),
    ("Ingress", "networking.k8s.io"),
    ("HorizontalPodAutoscaler", "autoscaling"),
    ("PodDisruptionBudget", "policy"),
    ("PersistentVolume", ""),
    ("PersistentVolumeClaim", ""),
    ("ResourceQuota", ""),
    ("LimitRange", ""),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io"),
    ("MutatingWebhookConfiguration", "admissionregistration.k8s.io"),
)
"""Kinds that the API knows and nobody here acts on."""


def install(store: Store) -> None:
    """Complete and refuse from now on."""
    for kind, group in UNSERVED:
        resource = find(kind, group)
        store.admit(resource, _refusal(resource))
    store.admit(_SERVICE, _service)

    def pod(new: Object, old: Object | None) -> None:
        if old is None:
            _account(store, new)
            _classes(new)
            _placement(new)

    store.admit(_POD, pod)


def _refusal(resource: Resource) -> Hook:
    def refuse(new: Object, old: Object | None) -> None:
        if old is None:
            raise not_implemented(resource.plural)

    return refuse


def _service(new: Object, old: Object | None) -> None:
    spec = new["spec"]
    unserved = {
        "spec.externalIPs": spec.get("externalIPs"),
    }
    for number, each in enumerate(spec.get("ports") or ()):
        if each.get("protocol", "TCP") != "TCP":
            unserved[f"spec.ports[{number}].protocol"] = each["protocol"]
    _forbid(_SERVICE, new, unserved)


def _placement(pod: Object) -> None:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = pod["spec"].get("affinity") or {}
    _forbid(
        _POD,
        pod,
        {
            f"spec.affinity.{kind}.{required}": (affinity.get(kind) or {}).get(required)
            for kind in ("podAffinity", "podAntiAffinity")
        },
    )


def _classes(pod: Object) -> None:
    """Refuse classes that this cluster has not: it has the system's priorities, and no runtime but its own."""
    priority, runtime = pod["spec"].get("priorityClassName"), pod["spec"].get("runtimeClassName")
    if priority and priority not in _PRIORITIES:
        raise forbidden(_POD, _called(pod), f"no PriorityClass with name {priority} was found")
    if runtime:
        raise forbidden(_POD, _called(pod), f'pod rejected: RuntimeClass "{runtime}" not found')


def _called(pod: Object) -> str:
    return str(pod["metadata"].get("generateName") or name_of(pod))


def _forbid(resource: Resource, item: Object, unserved: dict[str, Any]) -> None:
    causes = [
        Cause(path, f"Forbidden: the embedded cluster does not implement {path.rpartition('.')[2]} {value!r}")
        for path, value in unserved.items()
        if value
    ]
    if causes:
        raise invalid(resource, name_of(item), causes)


def _account(store: Store, pod: Object) -> None:
    spec = pod["spec"]
    account = spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = account
    if store.get(_ACCOUNT, account, namespace_of(pod)) is None:
        why = f'error looking up service account {namespace_of(pod)}/{account}: serviceaccount "{account}" not found'
        raise forbidden(_POD, _called(pod), why)
