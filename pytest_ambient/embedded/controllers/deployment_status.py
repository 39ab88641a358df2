"""A Deployment's status: counts and the two conditions that `kubectl rollout status` and `kubectl wait` read."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from ..objects import Object, name_of
from .rollout import Limits

REVISION = "deployment.kubernetes.io/revision"
_COUNTS = ("replicas", "readyReplicas", "availableReplicas")


def status(deployment: Object, new: Object | None, sets: Sequence[Object], now: float) -> Object:
    """What to tell at that moment (seconds since the epoch), given all ReplicaSets and the one of the template."""
    spec, before = deployment["spec"], deployment.get("status", {})
    total = {word: sum(int(each.get("status", {}).get(word, 0)) for each in sets) for word in _COUNTS}
    updated = int((new or {}).get("status", {}).get("replicas", 0))
    wanted = int(spec.get("replicas", 1))
    unavailable = max(0, max(wanted, total["replicas"]) - total["availableReplicas"])
    counts = {**total, "updatedReplicas": updated, "unavailableReplicas": unavailable}
    told: Object = {key: count for key, count in counts.items() if count}
    told["observedGeneration"] = deployment["metadata"]["generation"]
    limits = Limits.of(spec)
    enough = total["availableReplicas"] >= wanted - limits.unavailable
    available = (
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        if enough
        else ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    )
    known = {each["type"]: each for each in before.get("conditions") or ()}
    moved = any(before.get(key, 0) != count for key, count in counts.items())
    progress = _progress(deployment, new, told, known.get("Progressing"), now, moved=moved)
    told["conditions"] = [
        _condition("Available", available, known.get("Available"), now),
        *([_condition("Progressing", progress, known.get("Progressing"), now, moved=moved)] if progress else ()),
        *_failures([*([new] if new else ()), *sets]),
    ]
    return told


def finished(deployment: Object, told: Object) -> bool:
    """Whether every pod is of the present template and available."""
    wanted = int(deployment["spec"].get("replicas", 1))
    return all(told.get(word, 0) == wanted for word in ("updatedReplicas", "replicas", "availableReplicas"))


def _failures(sets: Iterable[Object]) -> list[Object]:
    """Why a ReplicaSet, that of the template before others, can't make its pods."""
    found = (each for item in sets for each in item.get("status", {}).get("conditions") or ())
    return [
        {**each, "lastUpdateTime": each["lastTransitionTime"]} for each in found if each["type"] == "ReplicaFailure"
    ][:1]


def _progress(
    deployment: Object, new: Object | None, told: Object, before: Object | None, now: float, *, moved: bool
) -> tuple[str, str, str] | None:
    if deployment["spec"].get("paused"):
        return "Unknown", "DeploymentPaused", "Deployment is paused"
    if new is None:
        return None
    which = f'ReplicaSet "{name_of(new)}"'
    if finished(deployment, told):
        return "True", "NewReplicaSetAvailable", f"{which} has successfully progressed."
    if before and before["reason"] == "NewReplicaSetAvailable" and which in before["message"]:
        return before["status"], before["reason"], before["message"]  # a lost pod is no new rollout
    deadline = float(deployment["spec"].get("progressDeadlineSeconds", 600))
    if before and which in before["message"] and not moved and now - _moment(before["lastUpdateTime"]) > deadline:
        return "False", "ProgressDeadlineExceeded", f"{which} has timed out progressing."
    if before and before["reason"] == "ProgressDeadlineExceeded" and which in before["message"] and not moved:
        return before["status"], before["reason"], before["message"]
    if told.get("updatedReplicas"):
        return "True", "ReplicaSetUpdated", f"{which} is progressing."
    return "True", "NewReplicaSetCreated", f"Created new replica set {which.split()[1]}"


def _condition(
    kind: str, told: tuple[str, str, str], before: Object | None, now: float, *, moved: bool = False
) -> Object:
    state, reason, message = told
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    same = before is not None and (before["status"], before["reason"], before["message"]) == told
    return {
        "lastTransitionTime": before["lastTransitionTime"] if before and before["status"] == state else stamp,
        "lastUpdateTime": before["lastUpdateTime"] if before and same and not moved else stamp,
        "message": message,
        "reason": reason,
        "status": state,
        "type": kind,
    }


def _moment(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
