"""What scenarios look at: the state of pods and Deployments, and what events tell."""

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

from .bench import DEPLOYMENT, POD, Bench

EVENT = find("Event")


def reasons(bench: Bench, name: str) -> list[str]:
    """The reasons of a pod's events."""
    events = bench.store.list(EVENT, bench.space)
    return [each["reason"] for each in events if each["involvedObject"]["name"] == name]


def state(bench: Bench, name: str, which: str = "containerStatuses") -> Object:
    """The state of a pod's first container."""
    found: Object = (bench.store.get(POD, name, bench.space) or {}).get("status", {}).get(which, [{}])[0]
    return found


def current(bench: Bench, name: str) -> Object:
    """The Deployment as it is."""
    return bench.store.get(DEPLOYMENT, name, bench.space) or {}


def complete(bench: Bench, name: str) -> bool:
    """What `kubectl rollout status` waits for."""
    found = current(bench, name)
    wanted, status = found["spec"]["replicas"], found.get("status", {})
    return status.get("observedGeneration", 0) >= found["metadata"]["generation"] and all(
        status.get(word, 0) == wanted for word in ("updatedReplicas", "replicas", "availableReplicas")
    )
