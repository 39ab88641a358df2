"""Binds pods to nodes: each to the node that fits and has the fewest."""

from collections import Counter
from collections.abc import Iterable

from ..api.copying import copied
from ..api.store import Change, Store, find, timestamp
from ..objects import Object, labels_of, name_of, namespace_of
from .events import Recorder
from .owned import selected
from .queue import Controller, Key, itself

_POD, _NODE = find("Pod"), find("Node")


class Scheduler(Controller):
    """Gives pods their `nodeName`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = Recorder(store, "default-scheduler")

    def touched(self, change: Change) -> Iterable[Key]:
        """A pod without a node; all such pods when a node is new or labelled, or a pod makes room."""
        if change.resource == _POD and change.type != "DELETED" and not change.object["spec"].get("nodeName"):
            return (itself(change),)
        if change.resource == _NODE or (change.resource == _POD and change.type == "DELETED"):
            pods = self.store.list(_POD)
            return [(namespace_of(each), name_of(each)) for each in pods if not each["spec"].get("nodeName")]
        return ()

    def reconcile(self, namespace: str, name: str) -> None:
        """Bind one pod, or say why it can't be."""
        pod = self.store.get(_POD, name, namespace)
        if pod is None or pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return
        nodes = self.store.list(_NODE)
        fitting = self._spread(pod, [each for each in nodes if fits(pod["spec"], each)])
        if not fitting:
            self._refuse(pod, len(nodes))
            return
        load = Counter(str(each["spec"].get("nodeName")) for each in self.store.list(_POD))
        node = min(fitting, key=lambda each: (load[each], each))
        bound = copied(pod)
        bound["spec"]["nodeName"] = node
        bound = self.store.replace(_POD, bound)
        text = f"Successfully assigned {namespace}/{name} to {node}"
        self._events.emit(bound, "Normal", "Scheduled", text)

    def _spread(self, pod: Object, nodes: list[Object]) -> list[str]:
        """The nodes on which one more such pod keeps within every spread constraint that must hold."""
        found = {name_of(each): each for each in nodes}
        for each in pod["spec"].get("topologySpreadConstraints") or ():
            if each.get("whenUnsatisfiable") == "DoNotSchedule":
                key, selector = str(each["topologyKey"]), each.get("labelSelector") or {}
                domains = {name: labels_of(node)[key] for name, node in found.items() if key in labels_of(node)}
                counts = Counter(dict.fromkeys(domains.values(), 0))
                for other in self.store.list(_POD, namespace_of(pod)):
                    domain = domains.get(str(other["spec"].get("nodeName", "")))
                    if domain and selected(selector, other) and "deletionTimestamp" not in other["metadata"]:
                        counts[domain] += 1
                most = min(counts.values(), default=0) + int(each.get("maxSkew", 1))
                found = {name: found[name] for name, domain in domains.items() if counts[domain] < most}
        return list(found)

    def _refuse(self, pod: Object, nodes: int) -> None:
        why = "none matches the Pod's node affinity/selector and spread constraints and is free of taints."
        text = f"0/{nodes} nodes are available: {why}"
        before = pod.get("status", {}).get("conditions") or ()
        since = next((each["lastTransitionTime"] for each in before if each["type"] == "PodScheduled"), timestamp())
        condition = {
            "lastProbeTime": None, "lastTransitionTime": since, "message": text, "reason": "Unschedulable",
            "status": "False", "type": "PodScheduled",
        }  # fmt: skip
        status = {**pod.get("status", {}), "phase": "Pending", "conditions": [condition]}
        self.store.set_status(_POD, name_of(pod), namespace_of(pod), status)
        self._events.emit(pod, "Warning", "FailedScheduling", text)


def fits(spec: Object, node: Object) -> bool:
    """Whether a pod with that spec may run on the node: selector, required node affinity, taints."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(required) or {}
    terms = affinity.get("nodeSelectorTerms") or [{}]
    return (
        (spec.get("nodeSelector") or {}).items() <= labels_of(node).items()
        and any(selected(each, node) for each in terms)
        and all(_tolerated(each, spec) for each in node.get("spec", {}).get("taints") or ())
    )


def _tolerated(taint: Object, spec: Object) -> bool:
    if taint["effect"] == "PreferNoSchedule":
        return True
    for each in spec.get("tolerations") or ():
        alike = each.get("operator") == "Exists" or each.get("value", "") == taint.get("value", "")
        named = each.get("key") in (None, "", taint["key"])
        if alike and named and each.get("effect") in (None, "", taint["effect"]):
            return True
    return False
