"""Why a cluster does not take our pods, and what it puts beside them: quotas, pod security, webhooks, policies."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import BrokenEnvironment, Forbidden, Invalid, NotFound

LASTING = 15.0
"""Seconds after which a refusal is no passing one: webhooks and quotas may need a moment."""
EXEMPT = "exempt namespaces with the label app.kubernetes.io/managed-by=pytest-ambient from it"
DECIDING = ("security.istio.io/v1/AuthorizationPolicy", "security.istio.io/v1/PeerAuthentication")
NETWORK = "networking.k8s.io/v1/NetworkPolicy"


def applied(kube: Kube, item: Object, manager: str) -> None:
    """Apply one object of ours; BrokenEnvironment says what refused it and what to do."""
    try:
        kube.apply(item, force=True, field_manager=manager)
    except (Forbidden, Invalid) as error:
        meta = item["metadata"]
        where = "/".join(filter(None, (meta.get("namespace"), meta["name"])))
        raise BrokenEnvironment(f"the cluster does not take {item['kind']} {where}: {error}: {EXEMPT}") from error


def reasons(deployment: Object, pods: Sequence[Object]) -> Iterator[str]:
    """Why a Deployment has not the pods that it wants: none may be made, none finds a node, none starts."""
    refused = refusal(deployment)
    if refused:
        yield refused
    for pod in pods:
        status = pod.get("status") or {}
        for condition in status.get("conditions") or []:
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
                yield f"{condition.get('reason', 'unscheduled')}: {condition.get('message', '')}"
        for container in status.get("containerStatuses") or []:
            waiting = (container.get("state") or {}).get("waiting")
            if waiting:
                yield ": ".join(filter(None, (waiting.get("reason"), waiting.get("message")))) or "waiting"


def refusal(deployment: Object) -> str:
    """What the API server said to the making of its pods; empty when nothing."""
    for condition in (deployment.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return str(condition.get("message") or condition.get("reason") or "its pods are refused")
    return ""


@dataclass
class Patience:
    """Bears with refusals for a while."""

    clock: Callable[[], float] = time.monotonic
    _since: dict[str, float] = field(default_factory=dict)

    def spend(self, refused: dict[str, str]) -> None:
        """Take the refusals of this moment by Deployment; BrokenEnvironment for one that lasts."""
        now = self.clock()
        self._since = {name: self._since.get(name, now) for name in refused}
        for name, why in refused.items():
            if now - self._since[name] >= LASTING:
                raise BrokenEnvironment(f"the cluster refuses pods of Deployment {name}: {why}: {EXEMPT}")


def undecided(kube: Kube, namespaces: Sequence[str], *, answered: bool) -> None:
    """BrokenEnvironment for a policy that came into our namespaces by itself and decides what is to be judged.

    A NetworkPolicy is borne as long as Bookinfo answers.
    """
    for kind in (*DECIDING, *(() if answered else (NETWORK,))):
        for namespace in namespaces:
            for name in _names(kube, kind, namespace):
                what = f"{kind.rpartition('/')[2]} {namespace}/{name}"
                raise BrokenEnvironment(
                    f"{what} came into a namespace of this run by itself and decides here: {EXEMPT}"
                )


def _names(kube: Kube, kind: str, namespace: str) -> list[str]:
    try:
        found = kube.list(kind, namespace)
    except (NotFound, Forbidden):
        return []
    return [item["metadata"]["name"] for item in found if not _by_us(item)]


def _by_us(item: Object) -> bool:
    managers = {str(entry.get("manager")) for entry in item["metadata"].get("managedFields") or []}
    return any(name.startswith("pytest-ambient") for name in managers)
