"""Whether a node may take a pod, and what the scheduler says when none may."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..objects import Object, labels_of
from ..quantities import quantity
from .owned import selected

_CORDON: Object = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_RESOURCES = ("cpu", "memory")
NOTHING: Mapping[str, float] = dict.fromkeys(_RESOURCES, 0.0)


@dataclass(frozen=True)
class Obstacle:
    """Why a node does not take a pod."""

    reasons: tuple[str, ...]
    lasting: bool = True
    """Whether it would stand in the way, too, if other pods made room."""


SPREAD = Obstacle(("node(s) didn't match pod topology spread constraints",), lasting=False)


def fits(spec: Object, node: Object) -> bool:
    """Whether a pod with that spec may run on the node: selector, required node affinity, taints."""
    return _unsuited(spec, node) is None


def obstacle(spec: Object, node: Object, used: Mapping[str, float]) -> Obstacle | None:
    """Why the scheduler does not put a pod there, where `used` is asked for already; None when it may."""
    if node.get("spec", {}).get("unschedulable") and not _tolerated(_CORDON, spec):
        return Obstacle(("node(s) were unschedulable",))
    room = node.get("status", {}).get("allocatable") or {}
    asked = requests(spec)
    lacking = [each for each in _RESOURCES if asked[each] and asked[each] + used[each] > quantity(room.get(each, "1E"))]
    full = Obstacle(tuple(f"Insufficient {each}" for each in lacking), lasting=False) if lacking else None
    return _unsuited(spec, node) or full


def requests(spec: Object) -> dict[str, float]:
    """What a pod with that spec asks for, of processors and of memory."""
    found: dict[str, float] = {}
    first = spec.get("initContainers") or ()
    lasting = [each for each in first if each.get("restartPolicy") == "Always"]
    for name in _RESOURCES:
        whole = sum(_request(each, name) for each in (*spec.get("containers", ()), *lasting))
        found[name] = max([whole, *(_request(each, name) for each in first)])
    return found


def used(pods: Iterable[Object]) -> dict[str, dict[str, float]]:
    """What the pods on each node ask for."""
    found: dict[str, dict[str, float]] = {}
    for each in pods:
        node = each["spec"].get("nodeName")
        if node and each.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            before, more = found.get(str(node), NOTHING), requests(each["spec"])
            found[str(node)] = {name: before[name] + more[name] for name in _RESOURCES}
    return found


def refusal(nodes: int, obstacles: Sequence[Obstacle]) -> str:
    """What is said of a pod that no node takes."""
    reasons = Counter(reason for each in obstacles for reason in each.reasons)
    help_ = Counter(_HELPLESS if each.lasting else _NO_VICTIMS for each in obstacles)
    none = f"0/{nodes} nodes are available:"
    return f"{none} {_counted(reasons)}. no new claims to deallocate, preemption: {none} {_counted(help_)}."


_HELPLESS = "Preemption is not helpful for scheduling"
_NO_VICTIMS = "No preemption victims found for incoming pod"


def _counted(words: Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{count} {word}" for word, count in words.items()))


def _request(container: Object, name: str) -> float:
    resources = container.get("resources") or {}
    asked = (resources.get("requests") or {}).get(name, (resources.get("limits") or {}).get(name, 0))
    return quantity(asked)


def _unsuited(spec: Object, node: Object) -> Obstacle | None:
    for each in node.get("spec", {}).get("taints") or ():
        if not _tolerated(each, spec):
            return Obstacle((f"node(s) had untolerated taint {{{each['key']}: {each.get('value', '')}}}",))
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(required) or {}
    terms = affinity.get("nodeSelectorTerms") or [{}]
    labelled = (spec.get("nodeSelector") or {}).items() <= labels_of(node).items()
    if labelled and any(selected(each, node) for each in terms):
        return None
    return Obstacle(("node(s) didn't match Pod's node affinity/selector",))


def _tolerated(taint: Object, spec: Object) -> bool:
    if taint["effect"] == "PreferNoSchedule":
        return True
    for each in spec.get("tolerations") or ():
        alike = each.get("operator") == "Exists" or each.get("value", "") == taint.get("value", "")
        named = each.get("key") in (None, "", taint["key"])
        if alike and named and each.get("effect") in (None, "", taint["effect"]):
            return True
    return False
